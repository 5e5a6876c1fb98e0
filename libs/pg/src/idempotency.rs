//! One effect per request, however often it is sent: the request's id, a fingerprint and the reply stand in the
//! transaction of the effect, never in a cache.
//!
//! `claim` first, then the work, then `store` with the reply, then commit. A repeat that arrives while the first is under
//! way waits for its end: it replays the reply, or, if the first was rolled back, becomes the first itself.

use chrono::{DateTime, Utc};
use siyu_kernel::{Code, Fault, Id, kind::Merchant};
use uuid::Uuid;

use crate::{Error, SystemTx, Tx};

/// In whose name requests of the platform are kept, which belong to no merchant: a job becomes this tenant to claim one.
pub const PLATFORM: Id<Merchant> = Id::from_uuid(Uuid::nil());

/// What to do with a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// It is new: do the work, then [`store`] the reply in the same transaction.
    Fresh,
    /// It had its effect: answer this, do nothing.
    Replay(Vec<u8>),
}

/// Claims a request of the transaction's merchant.
///
/// # Errors
/// `REQUEST_ID_REUSED` when the id was used for another content; the fault of the store.
pub async fn claim(
    tx: &mut Tx,
    method: &'static str,
    request_id: &str,
    fingerprint: [u8; 32],
) -> Result<Claim, Fault> {
    // Waits for a transaction that inserted the same key and has not ended.
    let inserted = sqlx::query(
        "insert into idempotency (merchant_id, method, request_id, fingerprint)
        values ($1, $2, $3, $4) on conflict do nothing",
    )
    .bind(tx.merchant())
    .bind(method)
    .bind(request_id)
    .bind(&fingerprint[..])
    .execute(&mut **tx)
    .await
    .map_err(Error::from)?;
    if inserted.rows_affected() == 1 {
        return Ok(Claim::Fresh);
    }
    let (known, reply): (Vec<u8>, Option<Vec<u8>>) = sqlx::query_as(
        "select fingerprint, reply from idempotency
        where merchant_id = $1 and method = $2 and request_id = $3",
    )
    .bind(tx.merchant())
    .bind(method)
    .bind(request_id)
    .fetch_one(&mut **tx)
    .await
    .map_err(Error::from)?;
    if known != fingerprint {
        return Err(reused(request_id));
    }
    let unanswered =
        || Fault::internal(format!("{method} committed {request_id:?} without a reply"));
    reply.map(Claim::Replay).ok_or_else(unanswered)
}

/// Keeps the reply to a claimed request.
pub async fn store(
    tx: &mut Tx,
    method: &'static str,
    request_id: &str,
    reply: &[u8],
) -> Result<(), Error> {
    let done = sqlx::query(
        "update idempotency set reply = $4
        where merchant_id = $1 and method = $2 and request_id = $3 and reply is null",
    )
    .bind(tx.merchant())
    .bind(method)
    .bind(request_id)
    .bind(reply)
    .execute(&mut **tx)
    .await?;
    assert!(done.rows_affected() == 1, "{method} stores one reply to a request that it claimed");
    Ok(())
}

/// Forgets at most `limit` requests that were made before an instant; gives how many. A repeat that comes later than
/// that would have its effect again, so the caller keeps them longer than any client repeats.
pub async fn purge(tx: &mut SystemTx, before: DateTime<Utc>, limit: i64) -> Result<u64, Error> {
    let done = sqlx::query(
        "delete from idempotency where (merchant_id, method, request_id) in (
            select merchant_id, method, request_id from idempotency
            where created_at < $1 order by created_at limit $2 for update skip locked)",
    )
    .bind(before)
    .bind(limit)
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected())
}

/// The refusal of a request id that was used for another content.
#[must_use]
pub fn reused(request_id: &str) -> Fault {
    let message = format!("request_id \"{request_id}\" was used before with another content");
    Fault::new(Code::AlreadyExists, "REQUEST_ID_REUSED", message).with("request_id", request_id)
}
