//! The SQL of the sandbox's memory and nothing else. Rows are looked up and changed like those of messages.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use siyu_kernel::{Id, kind::Merchant};
use siyu_pg::{SystemTx, Tx};

use crate::message::domain::MessageId;

/// Remembers messages that were handed over; those that are known stay as they are.
pub async fn insert(
    tx: &mut Tx,
    ids: &[MessageId],
    reported: &[bool],
    now: DateTime<Utc>,
) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "insert into sandbox_messages (merchant_id, message_id, submitted_at, reported)
        select $1, n.message_id, $4, n.reported
        from unnest($2::uuid[], $3::boolean[]) as n (message_id, reported)
        order by n.message_id
        on conflict on constraint sandbox_messages_pkey do nothing",
    )
    .bind(tx.merchant())
    .bind(ids)
    .bind(reported)
    .bind(now)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Which of the messages were handed over.
pub async fn known(tx: &mut Tx, ids: &[MessageId]) -> Result<HashSet<MessageId>, siyu_pg::Error> {
    let known: Vec<MessageId> = sqlx::query_scalar(
        "select s.message_id
        from unnest($2::uuid[]) as n (message_id)
        cross join lateral (
            select message_id from sandbox_messages where merchant_id = $1 and message_id = n.message_id limit 1
        ) as s",
    )
    .bind(tx.merchant())
    .bind(ids)
    .fetch_all(&mut **tx)
    .await?;
    Ok(known.into_iter().collect())
}

/// The merchant whose message waits longest for a report.
pub async fn next(tx: &mut SystemTx) -> Result<Option<Id<Merchant>>, siyu_pg::Error> {
    let merchant = sqlx::query_scalar(
        "select merchant_id
        from sandbox_messages
        where not reported
        order by submitted_at, merchant_id, message_id
        limit 1",
    )
    .fetch_optional(&mut **tx)
    .await?;
    Ok(merchant)
}

/// Takes messages of the merchant that nothing was said of, and notes that everything was.
pub async fn take(tx: &mut Tx, limit: i64) -> Result<Vec<MessageId>, siyu_pg::Error> {
    let ids = sqlx::query_scalar(
        "update sandbox_messages
        set reported = true
        where merchant_id = $1 and ctid = any(array(
            select ctid
            from sandbox_messages
            where merchant_id = $1 and not reported
            order by submitted_at, message_id
            limit $2
            for update skip locked
        ))
        returning message_id",
    )
    .bind(tx.merchant())
    .bind(limit)
    .fetch_all(&mut **tx)
    .await?;
    Ok(ids)
}
