//! The request id of a mutation in two lines: find the reply of a first call, keep the reply of this one.

use prost::Message;
use sha2::{Digest, Sha256};
use siyu_kernel::Fault;

use crate::{
    Error, Tx,
    idempotency::{self, Claim},
};

/// The reply of the first call with this request id; `None` when this is the first, or when the caller gave no id.
///
/// # Errors
/// A fault when the id was used for another request.
pub async fn find<R: Message + Default>(
    tx: &mut Tx,
    method: &'static str,
    request_id: &str,
    request: &impl Message,
) -> Result<Option<R>, Fault> {
    if request_id.is_empty() {
        return Ok(None);
    }
    let fingerprint = Sha256::digest(request.encode_to_vec()).into();
    match idempotency::claim(tx, method, request_id, fingerprint).await? {
        Claim::Fresh => Ok(None),
        Claim::Replay(reply) => R::decode(reply.as_slice()).map(Some).map_err(Fault::internal),
    }
}

/// Keeps the reply for repeats, in the transaction of the effect.
pub async fn keep(
    tx: &mut Tx,
    method: &'static str,
    request_id: &str,
    reply: &impl Message,
) -> Result<(), Error> {
    if request_id.is_empty() {
        return Ok(());
    }
    idempotency::store(tx, method, request_id, &reply.encode_to_vec()).await
}
