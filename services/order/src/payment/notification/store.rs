//! The SQL of notifications and nothing else.

use chrono::{DateTime, Utc};
use siyu_kernel::{Id, kind::Merchant};
use siyu_pg::{SystemTx, Tx};
use uuid::Uuid;

use super::domain::{Notification, NotificationId, State};
use crate::limits;

/// Stores a notification, or counts once more the one that is there for the same event; gives the one that stands.
pub async fn insert(
    tx: &mut Tx,
    notification: &Notification,
) -> Result<Notification, siyu_pg::Error> {
    let stored = sqlx::query_as(
        "insert into payment_notifications (merchant_id, id, account_code, event_id, state, problem, headers, body, times,
            tries, received_at, due_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
        on conflict on constraint payment_notifications_account_code_event_id_key do update
        set times = payment_notifications.times + 1
        returning *",
    )
    .bind(tx.merchant())
    .bind(notification.id)
    .bind(&notification.account_code)
    .bind(&notification.event_id)
    .bind(notification.state)
    .bind(&notification.problem)
    .bind(&notification.headers)
    .bind(&notification.body)
    .bind(notification.times)
    .bind(notification.tries)
    .bind(notification.received_at)
    .bind(notification.due_at)
    .fetch_one(&mut **tx)
    .await?;
    Ok(stored)
}

/// Counts one more refused notification of an account, if it may be kept: one statement, so that of many at once no more are.
pub async fn admit_refused(
    tx: &mut Tx,
    account_code: &str,
    since: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<bool, siyu_pg::Error> {
    let done = sqlx::query(
        "insert into payment_notification_refusals as r (merchant_id, account_code, since, kept)
        values ($1, $2, $4, 1)
        on conflict on constraint payment_notification_refusals_pkey do update
        set since = case when r.since > $3 then r.since else $4 end, kept = case when r.since > $3 then r.kept + 1 else 1 end
        where r.since <= $3 or r.kept < $5",
    )
    .bind(tx.merchant())
    .bind(account_code)
    .bind(since)
    .bind(now)
    .bind(limits::REFUSED_KEPT_MAX)
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Removes refused notifications that came before an instant, the oldest first; says how many.
pub async fn purge_refused(
    tx: &mut SystemTx,
    before: DateTime<Utc>,
    limit: i64,
) -> Result<u64, siyu_pg::Error> {
    let done = sqlx::query(
        "with old as (
            select merchant_id, id
            from payment_notifications
            where state = 'refused' and received_at < $1 and processed_at is null
            order by received_at
            limit $2
        )
        delete from payment_notifications as n using old
        where n.merchant_id = old.merchant_id and n.id = old.id and n.state = 'refused'",
    )
    .bind(before)
    .bind(limit)
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected())
}

/// A notification.
pub async fn find(tx: &mut Tx, id: NotificationId) -> Result<Option<Notification>, siyu_pg::Error> {
    let notification =
        sqlx::query_as("select * from payment_notifications where merchant_id = $1 and id = $2")
            .bind(tx.merchant())
            .bind(id)
            .fetch_optional(&mut **tx)
            .await?;
    Ok(notification)
}

/// Saves what changes of a notification.
pub async fn save(tx: &mut Tx, notification: &Notification) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "update payment_notifications
        set event_id = $3, state = $4, problem = $5, tries = $6, processed_at = $7, due_at = $8
        where merchant_id = $1 and id = $2",
    )
    .bind(tx.merchant())
    .bind(notification.id)
    .bind(&notification.event_id)
    .bind(notification.state)
    .bind(&notification.problem)
    .bind(notification.tries)
    .bind(notification.processed_at)
    .bind(notification.due_at)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Notifications before an id, newest first, in a state or in all.
pub async fn list(
    tx: &mut Tx,
    state: Option<State>,
    before: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Notification>, siyu_pg::Error> {
    let notifications = sqlx::query_as(
        "select * from payment_notifications
        where merchant_id = $1 and ($2::text is null or state = $2) and ($3::uuid is null or id < $3)
        order by id desc
        limit $4",
    )
    .bind(tx.merchant())
    .bind(state)
    .bind(before)
    .bind(limit)
    .fetch_all(&mut **tx)
    .await?;
    Ok(notifications)
}

/// Notifications that are to be worked on, the longest waiting first, with the instant that a lease names.
pub async fn due(
    tx: &mut SystemTx,
    now: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<(Id<Merchant>, NotificationId, DateTime<Utc>)>, siyu_pg::Error> {
    let due = sqlx::query_as(
        "select merchant_id, id, due_at
        from payment_notifications
        where due_at <= $1
        order by due_at
        limit $2",
    )
    .bind(now)
    .bind(limit)
    .fetch_all(&mut **tx)
    .await?;
    Ok(due)
}

/// Takes a notification that is due for one process: until an instant nobody else does. `None` when somebody was faster.
pub async fn lease(
    tx: &mut Tx,
    id: NotificationId,
    due_at: DateTime<Utc>,
    until: DateTime<Utc>,
) -> Result<Option<Notification>, siyu_pg::Error> {
    let notification = sqlx::query_as(
        "update payment_notifications set due_at = $4
        where merchant_id = $1 and id = $2 and due_at = $3
        returning *",
    )
    .bind(tx.merchant())
    .bind(id)
    .bind(due_at)
    .bind(until)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(notification)
}
