//! Tokens: the credentials with which callers come in from outside.
//!
//! A token belongs to one merchant and holds scopes. Its secret is told once, when it is made, and never stored: the table
//! has its digest. It ends by its time or by revocation, and does not come back.
//!
//! What must never happen: a token of more scopes than its maker's; a token for a merchant that does not exist; an answer
//! that tells a foreign token from an unknown one.

mod domain;
mod rpc;
pub(crate) mod store;

use siyu_kernel::{Code, Fault};

pub(crate) use domain::Token;
pub use domain::{Digest, Secret};
pub(crate) use rpc::Tokens;

/// Why the room refuses.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// There is no such token of this merchant.
    #[error("token not found")]
    NotFound,
    /// A scope that the maker's own credential lacks.
    #[error("the credential itself lacks the scope {0}")]
    ScopeExceeded(String),
    /// A request that is not as it must be, or what a peer answered.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] siyu_pg::Error),
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        match error {
            Error::NotFound => Self::not_found("token"),
            Error::ScopeExceeded(ref scope) => {
                let message = error.to_string();
                Self::new(Code::PermissionDenied, "SCOPE_EXCEEDED", message).with("scope", scope)
            }
            Error::Fault(fault) => fault,
            Error::Store(error) => error.into(),
        }
    }
}
