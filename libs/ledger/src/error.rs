//! Why a call failed as a whole. What became of single transfers: [`Outcome`](crate::Outcome).

use std::sync::Arc;

use siyu_kernel::{Code, Fault};

use crate::{AccountId, Failure};

/// Why a call of the ledger failed; nothing of it took effect if the caller drops the transaction.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A transfer was refused, where the caller asked for all or nothing.
    #[error("transfer {position} was refused: {failure}")]
    Refused {
        /// Its position in the slice.
        position: usize,
        /// Why.
        failure: Failure,
    },
    /// More transfers or accounts than one call takes.
    #[error("a call takes at most {most} transfers or accounts, not {given}")]
    TooMany {
        /// How many were given.
        given: usize,
        /// [`MAX_BATCH`](crate::MAX_BATCH).
        most: usize,
    },
    /// There is no such account.
    #[error("the account {0} does not exist")]
    AccountNotFound(AccountId),
    /// The account is open with other limits, or the id names another account.
    #[error("the account {id} is open with another {field}")]
    AccountDiffers {
        /// The id asked for.
        id: AccountId,
        /// What differs.
        field: &'static str,
    },
    /// Another transaction took the id of a transfer at the same moment, for other accounts. A repeat tells.
    #[error("the id of a transfer was taken at the same moment")]
    Raced,
    /// The journal is not as it must be: a write touched another number of rows than it had locked.
    #[error("{0} are not as they were locked")]
    Inconsistent(&'static str),
    /// The call was not run, because the poster is overloaded or stops.
    #[error(transparent)]
    NotRun(#[from] siyu_pg::coalesce::Refused),
    /// The transaction that the call shared with others was lost; whether it took effect is unknown. A repeat tells.
    #[error("the shared transaction was lost")]
    Lost(#[source] Arc<siyu_pg::Error>),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] siyu_pg::Error),
}

impl From<Error> for Fault {
    fn from(err: Error) -> Self {
        match err {
            Error::Refused { failure, .. } => failure.into(),
            Error::AccountNotFound(_) => Self::not_found("account"),
            Error::Raced => {
                let message = "a concurrent change was faster, read again and repeat";
                Self::new(Code::Aborted, "STORE_CONFLICT", message).caused_by(err)
            }
            Error::NotRun(refused) => refused.into(),
            Error::Lost(_) => {
                let message = "the store is not available, try again later";
                Self::new(Code::Unavailable, "STORE_UNAVAILABLE", message).caused_by(err)
            }
            Error::Store(err) => err.into(),
            Error::TooMany { .. } | Error::AccountDiffers { .. } | Error::Inconsistent(_) => {
                Self::internal(err)
            }
        }
    }
}
