//! Growth (成长值) and the tiers (等级) that it reaches. Growth lies in lots of the ledger that lapse with their window, so a
//! person's growth is what counts at an instant; a tier is reached at once and lost only when its own time is over.

pub mod domain;
pub mod evaluate;
pub mod job;
pub(crate) mod merge;
pub mod rpc;
pub mod store;

use siyu_kernel::{Code, Fault};

/// Why a tier cannot be set.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The person has that tier or a higher one.
    #[error("the person has tier {0} already")]
    NotHigher(i32),
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        match error {
            Error::NotHigher(tier) => {
                Self::new(Code::FailedPrecondition, "TIER_NOT_HIGHER", error.to_string())
                    .with("tier", tier)
            }
        }
    }
}
