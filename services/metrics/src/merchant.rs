//! What metrics knows of a merchant: where its days are cut, in which currency it counts, and when its stores are open.

pub mod events;
pub mod store;

use siyu_events::HandlerError;
use siyu_pg::Tx;

/// Locks the merchant of the transaction for facts of it. While the member service has not told it yet, their stream tries
/// again: the logs of siblings are followed apart, so what came later may be read first.
pub async fn lock_told(tx: &mut Tx) -> Result<store::Merchant, HandlerError> {
    let unknown = || HandlerError::retry("the member service has not told the merchant yet");
    store::lock(tx).await?.ok_or_else(unknown)
}
