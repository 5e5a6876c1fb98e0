//! The SQL of parcel cards and nothing else.

use chrono::{DateTime, Utc};
use siyu_kernel::{
    Id,
    kind::{Merchant, Person},
};
use siyu_pg::{SystemTx, Tx};
use sqlx::{FromRow, Row as _, postgres::PgRow};
use uuid::Uuid;

use super::{Card, Outcome, State};
use crate::import::domain::Key;

impl FromRow<'_, PgRow> for Card {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        let (platform, shop_id): (Option<String>, Option<String>) =
            (row.try_get("platform")?, row.try_get("shop_id")?);
        let order_no: Option<String> = row.try_get("platform_order_no")?;
        let order = platform.zip(shop_id).zip(order_no);
        let person: Option<Id<Person>> = row.try_get("person_id")?;
        Ok(Self {
            code: row.try_get("code")?,
            id: row.try_get("id")?,
            order: order.map(|((platform, shop_id), order_no)| Key { platform, shop_id, order_no }),
            state: row.try_get("state")?,
            claim: person.zip(row.try_get("claimed_at")?),
            outcome: row.try_get("outcome")?,
            expires_at: row.try_get("expires_at")?,
            created_at: row.try_get("created_at")?,
        })
    }
}

/// Stores new cards; returns how many. Fewer than given: a code had been drawn before.
pub async fn insert(tx: &mut Tx, cards: &[Card]) -> Result<u64, siyu_pg::Error> {
    let orders = || cards.iter().map(|card| card.order.as_ref());
    let done = sqlx::query(
        "insert into parcel_cards (merchant_id, code, id, platform, shop_id, platform_order_no, state, expires_at, created_at)
        select $1, n.code, n.id, n.platform, n.shop_id, n.order_no, 'open', n.expires_at, n.created_at
        from unnest($2::text[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::timestamptz[], $8::timestamptz[])
            as n (code, id, platform, shop_id, order_no, expires_at, created_at)
        on conflict on constraint parcel_cards_pkey do nothing",
    )
    .bind(tx.merchant())
    .bind(cards.iter().map(|card| card.code.as_str()).collect::<Vec<_>>())
    .bind(cards.iter().map(|card| card.id).collect::<Vec<_>>())
    .bind(orders().map(|key| key.map(|key| key.platform.as_str())).collect::<Vec<_>>())
    .bind(orders().map(|key| key.map(|key| key.shop_id.as_str())).collect::<Vec<_>>())
    .bind(orders().map(|key| key.map(|key| key.order_no.as_str())).collect::<Vec<_>>())
    .bind(cards.iter().map(|card| card.expires_at).collect::<Vec<_>>())
    .bind(cards.iter().map(|card| card.created_at).collect::<Vec<_>>())
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected())
}

/// A card.
pub async fn find(tx: &mut Tx, code: &str) -> Result<Option<Card>, siyu_pg::Error> {
    let card = sqlx::query_as(
        "select code, id, platform, shop_id, platform_order_no, state, person_id, claimed_at, outcome, expires_at, created_at
        from parcel_cards
        where merchant_id = $1 and code = $2",
    )
    .bind(tx.merchant())
    .bind(code)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(card)
}

/// The code of a card.
pub async fn code(tx: &mut Tx, id: Uuid) -> Result<Option<String>, siyu_pg::Error> {
    let code = sqlx::query_scalar(
        "select code from parcel_cards where merchant_id = $1 and id = $2 and link_due_at is not null",
    )
    .bind(tx.merchant())
    .bind(id)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(code)
}

/// Locks a card.
pub async fn lock(tx: &mut Tx, code: &str) -> Result<Option<Card>, siyu_pg::Error> {
    let card = sqlx::query_as(
        "select code, id, platform, shop_id, platform_order_no, state, person_id, claimed_at, outcome, expires_at, created_at
        from parcel_cards
        where merchant_id = $1 and code = $2
        for update",
    )
    .bind(tx.merchant())
    .bind(code)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(card)
}

/// Saves a card that the transaction has locked, and when the member service is to be asked about it.
pub async fn save(
    tx: &mut Tx,
    card: &Card,
    link_due_at: Option<DateTime<Utc>>,
) -> Result<(), siyu_pg::Error> {
    let key = card.order.as_ref();
    sqlx::query(
        "update parcel_cards
        set platform = $3, shop_id = $4, platform_order_no = $5, state = $6, person_id = $7, claimed_at = $8, outcome = $9,
            link_due_at = $10
        where merchant_id = $1 and code = $2",
    )
    .bind(tx.merchant())
    .bind(&card.code)
    .bind(key.map(|key| key.platform.as_str()))
    .bind(key.map(|key| key.shop_id.as_str()))
    .bind(key.map(|key| key.order_no.as_str()))
    .bind(card.state)
    .bind(card.claim.map(|(person, _)| person))
    .bind(card.claim.map(|(_, at)| at))
    .bind(card.outcome)
    .bind(link_due_at)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The buyer of an order; none: it has not come.
pub async fn buyer(tx: &mut Tx, order: &Key) -> Result<Option<Id<Person>>, siyu_pg::Error> {
    let buyer = sqlx::query_scalar(
        "select person_id
        from orders
        where merchant_id = $1 and platform = $2 and shop_id = $3 and platform_order_no = $4",
    )
    .bind(tx.merchant())
    .bind(&order.platform)
    .bind(&order.shop_id)
    .bind(&order.order_no)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(buyer)
}

/// Makes the cards due that were claimed and wait for orders, which are here.
pub async fn find_due(
    tx: &mut Tx,
    orders: &[&Key],
    now: DateTime<Utc>,
) -> Result<(), siyu_pg::Error> {
    let codes: Vec<String> = sqlx::query_scalar(
        "select c.code
        from unnest($2::text[], $3::text[], $4::text[]) as k (platform, shop_id, order_no)
        cross join lateral (
            select code
            from parcel_cards
            where merchant_id = $1 and platform = k.platform and shop_id = k.shop_id
                and platform_order_no = k.order_no and platform is not null
                and state = 'claimed' and outcome is null and link_due_at is null
            offset 0
        ) as c",
    )
    .bind(tx.merchant())
    .bind(orders.iter().map(|order| order.platform.as_str()).collect::<Vec<_>>())
    .bind(orders.iter().map(|order| order.shop_id.as_str()).collect::<Vec<_>>())
    .bind(orders.iter().map(|order| order.order_no.as_str()).collect::<Vec<_>>())
    .fetch_all(&mut **tx)
    .await?;
    if codes.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "update parcel_cards set link_due_at = $3 where merchant_id = $1 and code = any($2)",
    )
    .bind(tx.merchant())
    .bind(codes)
    .bind(now)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Cards of all merchants that are due, those that are so the longest first.
pub async fn due(
    tx: &mut SystemTx,
    now: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<(Id<Merchant>, Uuid)>, siyu_pg::Error> {
    let due = sqlx::query_as(
        "select merchant_id, id from parcel_cards where link_due_at <= $1 order by link_due_at, merchant_id, id limit $2",
    )
    .bind(now)
    .bind(limit)
    .fetch_all(&mut **tx)
    .await?;
    Ok(due)
}

/// Cards after a cursor, oldest first; those in a state, with an outcome, of an order, or all.
pub async fn list(
    tx: &mut Tx,
    (state, outcome): (Option<State>, Option<Option<Outcome>>),
    order: Option<&Key>,
    after: Option<(DateTime<Utc>, Uuid)>,
    limit: i64,
) -> Result<Vec<Card>, siyu_pg::Error> {
    let (after_created, after_id) = after.unzip();
    let cards = sqlx::query_as(
        "select code, id, platform, shop_id, platform_order_no, state, person_id, claimed_at, outcome, expires_at, created_at
        from parcel_cards
        where merchant_id = $1
            and ($2::text is null or state = $2)
            and (not $3 or outcome is not distinct from $4::text)
            and ($5::text is null or platform = $5 and shop_id = $6 and platform_order_no = $7)
            and ($8::timestamptz is null or (created_at, id) > ($8, $9::uuid))
        order by created_at, id
        limit $10",
    )
    .bind(tx.merchant())
    .bind(state)
    .bind(outcome.is_some())
    .bind(outcome.flatten())
    .bind(order.map(|key| key.platform.as_str()))
    .bind(order.map(|key| key.shop_id.as_str()))
    .bind(order.map(|key| key.order_no.as_str()))
    .bind(after_created)
    .bind(after_id)
    .bind(limit)
    .fetch_all(&mut **tx)
    .await?;
    Ok(cards)
}
