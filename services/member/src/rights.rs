//! What persons may ask for (个人信息权利): to see, to take along, to correct, to be forgotten. And who looked at their data in
//! clear: every look says why and is kept.

pub mod erasure;
pub mod export;
pub mod reveal;
pub mod rpc;
pub mod store;

use siyu_kernel::{Code, Fault};
use siyu_pg::Tx;

use crate::person::PersonId;

/// Refuses to say anything new about somebody whose data were erased.
pub async fn refuse_erased(tx: &mut Tx, id: PersonId) -> Result<(), Fault> {
    refuse_any_erased(tx, &[id]).await
}

/// Refuses to say anything new about persons when the data of one of them were erased.
pub async fn refuse_any_erased(tx: &mut Tx, ids: &[PersonId]) -> Result<(), Fault> {
    match store::first_erased(tx, ids).await? {
        None => Ok(()),
        Some(id) => {
            let message = "what is personal of this person was erased";
            Err(Fault::new(Code::FailedPrecondition, "PERSON_ERASED", message)
                .with("person_id", id))
        }
    }
}
