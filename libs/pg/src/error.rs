//! What can go wrong between a service and its database, sorted by what the caller does next.
//!
//! Constraints are part of the model: a statement that may violate one names it with [`OnConstraint`] and gets an error
//! of the domain. A constraint that nobody names is a fault of the suite.

use siyu_kernel::{Code, Fault};

/// Why a statement or a transaction failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database cannot be reached, has no connection left, or went away; a repeat may succeed.
    #[error("the database does not answer")]
    Unavailable(#[source] sqlx::Error),
    /// A row violates a constraint that the statement did not expect.
    #[error("the constraint \"{name}\" is violated")]
    Constraint {
        /// The name of the constraint; `<table>.<column>` where a value is missing, for such a rule has no name.
        name: String,
        /// What the database said.
        #[source]
        source: sqlx::Error,
    },
    /// Another transaction was faster, or two waited for each other; a repeat of the transaction may succeed.
    #[error("another transaction was faster")]
    Conflict(#[source] sqlx::Error),
    /// The statement ran longer than allowed.
    #[error("the statement ran longer than allowed")]
    Timeout(#[source] sqlx::Error),
    /// Anything else: a fault in a statement, in a type, in the schema.
    #[error("the statement failed")]
    Other(#[source] sqlx::Error),
}

/// Gives violated constraints their meaning.
pub trait OnConstraint<T>: Sized {
    /// Puts `err` in place of the violation of the constraint `name`; other errors are passed on.
    fn on_constraint<E: From<Error>>(self, name: &str, err: E) -> Result<T, E> {
        self.on_constraints(|violated| (violated == name).then_some(err))
    }

    /// Like [`on_constraint`](Self::on_constraint) for statements that may violate one of several.
    fn on_constraints<E, F>(self, meaning: F) -> Result<T, E>
    where
        E: From<Error>,
        F: FnOnce(&str) -> Option<E>;
}

impl<T, X: Into<Error>> OnConstraint<T> for Result<T, X> {
    fn on_constraints<E, F>(self, meaning: F) -> Result<T, E>
    where
        E: From<Error>,
        F: FnOnce(&str) -> Option<E>,
    {
        self.map_err(|err| {
            let err = err.into();
            let Error::Constraint { name, .. } = &err else { return E::from(err) };
            meaning(name).unwrap_or_else(|| E::from(err))
        })
    }
}

impl From<sqlx::Error> for Error {
    fn from(err: sqlx::Error) -> Self {
        if is_gone(&err) {
            return Self::Unavailable(err);
        }
        let Some(db) = err.as_database_error() else { return Self::Other(err) };
        let code = db.code().unwrap_or_default().into_owned();
        match code.as_str() {
            // serialization_failure, deadlock_detected, lock_not_available
            "40001" | "40P01" | "55P03" => Self::Conflict(err),
            // query_canceled, idle_in_transaction_session_timeout
            "57014" | "25P03" => Self::Timeout(err),
            // configuration_limit_exceeded is about a setting, the rest of the class about resources of the moment
            code if code.starts_with("53") && code != "53400" => Self::Unavailable(err),
            // integrity_constraint_violation
            code if code.starts_with("23") => {
                Self::Constraint { name: constraint_name(&err), source: err }
            }
            _ => Self::Other(err),
        }
    }
}

impl From<Error> for Fault {
    fn from(err: Error) -> Self {
        match err {
            Error::Unavailable(_) => {
                let message = "the store is not available, try again later";
                Self::new(Code::Unavailable, "STORE_UNAVAILABLE", message).caused_by(err)
            }
            Error::Conflict(_) => {
                let message = "a concurrent change was faster, read again and repeat";
                Self::new(Code::Aborted, "STORE_CONFLICT", message).caused_by(err)
            }
            Error::Timeout(_) => {
                let message = "the store took longer than allowed";
                Self::new(Code::DeadlineExceeded, "STORE_TIMEOUT", message).caused_by(err)
            }
            Error::Constraint { .. } | Error::Other(_) => Self::internal(err),
        }
    }
}

/// Whether the connection, not the statement, is at fault: another connection may do.
pub(crate) fn is_gone(err: &sqlx::Error) -> bool {
    use sqlx::Error as E;
    if matches!(err, E::Io(_) | E::PoolTimedOut | E::PoolClosed | E::WorkerCrashed) {
        return true;
    }
    let code = err.as_database_error().and_then(sqlx::error::DatabaseError::code);
    code.is_some_and(|code| {
        // connection_exception; admin_shutdown, crash_shutdown, cannot_connect_now
        code.starts_with("08") || matches!(code.as_ref(), "57P01" | "57P02" | "57P03")
    })
}

fn constraint_name(err: &sqlx::Error) -> String {
    let Some(db) = err.as_database_error() else { return String::new() };
    if let Some(name) = db.constraint() {
        return name.to_owned();
    }
    let column = db
        .try_downcast_ref::<sqlx::postgres::PgDatabaseError>()
        .and_then(sqlx::postgres::PgDatabaseError::column)
        .unwrap_or_default();
    format!("{}.{column}", db.table().unwrap_or_default())
}
