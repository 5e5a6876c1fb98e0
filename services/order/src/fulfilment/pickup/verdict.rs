//! What a code that somebody showed is worth.

use siyu_kernel::{Code, Fault};

use super::{Pickup, refused};

/// What became of a code that somebody showed. A wrong one is to be counted by [`count_wrong`](super::count_wrong), in the
/// transaction that tried it: until then nobody else tries one at the store.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum Verdict {
    /// It is good, and used from now on.
    Good(Pickup),
    /// The store has no such code: unknown, of another store, or ended.
    Wrong,
    /// It was used before.
    Used,
    /// Its time is over.
    Expired,
    /// Too many wrong ones were tried at the store.
    Stopped,
}

impl Verdict {
    /// The code if it is good, or why it is not.
    ///
    /// # Errors
    /// `PICKUP_CODE_WRONG`; `PICKUP_USED`; `PICKUP_EXPIRED`; `PICKUP_ATTEMPTS` with `RESOURCE_EXHAUSTED`.
    pub fn good(self) -> Result<Pickup, Fault> {
        match self {
            Self::Good(pickup) => Ok(pickup),
            Self::Wrong => Err(refused("PICKUP_CODE_WRONG", "the store has no such code")),
            Self::Used => Err(refused("PICKUP_USED", "the code was used before")),
            Self::Expired => Err(refused("PICKUP_EXPIRED", "the time of the code is over")),
            Self::Stopped => {
                let message = "too many wrong codes were tried at the store, try again later";
                Err(Fault::new(Code::ResourceExhausted, "PICKUP_ATTEMPTS", message))
            }
        }
    }
}
