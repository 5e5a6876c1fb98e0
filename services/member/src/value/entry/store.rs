//! The SQL of changes of cards and nothing else.

use chrono::{DateTime, Utc};
use siyu_kernel::LocalDay;
use siyu_pg::Tx;
use uuid::Uuid;

use super::{Entry, Row};
use crate::value::{CardId, IssuerId};

/// Adds changes.
pub async fn insert(
    tx: &mut Tx,
    entries: &[(Uuid, &Entry<'_>)],
    day: LocalDay,
    now: DateTime<Utc>,
) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "insert into value_entries (merchant_id, id, card_id, issuer_id, issued_store_id, store_id, kind, subject,
            principal_minor, bonus_minor, kept_minor, day, created_at)
        select $1, n.*, $12, $13 from unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::uuid[], $7::text[],
            $8::text[], $9::bigint[], $10::bigint[], $11::bigint[]) as n",
    )
    .bind(tx.merchant())
    .bind(entries.iter().map(|(id, _)| *id).collect::<Vec<_>>())
    .bind(entries.iter().map(|(_, e)| e.card.id).collect::<Vec<_>>())
    .bind(entries.iter().map(|(_, e)| e.card.issuer_id).collect::<Vec<_>>())
    .bind(entries.iter().map(|(_, e)| e.card.store_id).collect::<Vec<_>>())
    .bind(entries.iter().map(|(_, e)| e.store_id).collect::<Vec<_>>())
    .bind(entries.iter().map(|(_, e)| e.kind.as_str()).collect::<Vec<_>>())
    .bind(entries.iter().map(|(_, e)| e.subject.as_str()).collect::<Vec<_>>())
    .bind(entries.iter().map(|(_, e)| e.change.principal).collect::<Vec<_>>())
    .bind(entries.iter().map(|(_, e)| e.change.bonus).collect::<Vec<_>>())
    .bind(entries.iter().map(|(_, e)| e.kept).collect::<Vec<_>>())
    .bind(day.date())
    .bind(now)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Changes of a card before an entry, newest first.
pub async fn list(
    tx: &mut Tx,
    card: CardId,
    before: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Row>, siyu_pg::Error> {
    let rows = sqlx::query_as(
        "select id, kind, store_id, subject, principal_minor, bonus_minor, created_at
        from value_entries
        where merchant_id = $1 and card_id = $2 and ($3::uuid is null or id < $3)
        order by id desc
        limit $4",
    )
    .bind(tx.merchant())
    .bind(card)
    .bind(before)
    .bind(limit)
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows)
}

/// The bonus that a card has spent since an instant, less what refunds gave back.
pub async fn bonus_spent(
    tx: &mut Tx,
    card: CardId,
    since: DateTime<Utc>,
) -> Result<i64, siyu_pg::Error> {
    let spent = sqlx::query_scalar(
        "select coalesce(-sum(bonus_minor), 0)::bigint
        from value_entries
        where merchant_id = $1 and card_id = $2 and kind in ('pay', 'refund') and created_at >= $3",
    )
    .bind(tx.merchant())
    .bind(card)
    .bind(since)
    .fetch_one(&mut **tx)
    .await?;
    Ok(spent)
}

/// The principal that an issuer owes: what it owed at the end of the day that was closed last, and what changed since.
pub async fn issuer_principal(tx: &mut Tx, issuer: IssuerId) -> Result<i64, siyu_pg::Error> {
    let owed = sqlx::query_scalar(
        "select coalesce(c.principal_minor, 0) + e.principal_minor
        from (select $2::uuid as id) as i
        left join lateral (
            select day, principal_minor from issuer_closings where merchant_id = $1 and issuer_id = i.id limit 1
        ) as c on true
        cross join lateral (
            select coalesce(sum(principal_minor), 0)::bigint as principal_minor
            from value_entries
            where merchant_id = $1 and issuer_id = i.id and day > coalesce(c.day, '-infinity'::date)
        ) as e",
    )
    .bind(tx.merchant())
    .bind(issuer)
    .fetch_one(&mut **tx)
    .await?;
    Ok(owed)
}

/// Closes the days of an issuer to the end of one for which nothing is written any more. The caller has locked the issuer.
/// Nothing where that day is closed.
pub async fn close(tx: &mut Tx, issuer: IssuerId, day: LocalDay) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "insert into issuer_closings (merchant_id, issuer_id, day, principal_minor)
        select $1, i.id, $3, coalesce(c.principal_minor, 0) + e.principal_minor
        from (select $2::uuid as id) as i
        left join lateral (
            select day, principal_minor from issuer_closings where merchant_id = $1 and issuer_id = i.id limit 1
        ) as c on true
        cross join lateral (
            select coalesce(sum(principal_minor), 0)::bigint as principal_minor
            from value_entries
            where merchant_id = $1 and issuer_id = i.id and day > coalesce(c.day, '-infinity'::date) and day <= $3
            having c.day is null or c.day < $3
        ) as e
        on conflict on constraint issuer_closings_pkey do update
        set day = excluded.day, principal_minor = excluded.principal_minor",
    )
    .bind(tx.merchant())
    .bind(issuer)
    .bind(day.date())
    .execute(&mut **tx)
    .await?;
    Ok(())
}
