//! The SQL of assignments and nothing else.

use chrono::{DateTime, Utc};
use siyu_kernel::{Id, kind::Merchant};
use siyu_pg::{SystemTx, Tx};
use uuid::Uuid;

use super::{Assignment, State};
use crate::{
    fulfilment::{StoreId, pickup::By},
    order::domain::OrderId,
};

/// Which assignments a list shows; `None` holds for every one.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Of this store.
    pub store_id: Option<StoreId>,
    /// In this state.
    pub state: Option<State>,
    /// Of this order.
    pub order_id: Option<OrderId>,
}

/// Stores a new assignment with its lines, and that it was begun, in one round trip; false when the part has one.
pub async fn insert(
    tx: &mut Tx,
    assignment: &Assignment,
    lines: &[(i32, i64)],
    by: By<'_>,
) -> Result<bool, siyu_pg::Error> {
    let done = sqlx::query(
        "with opened as (
            insert into assignments
                (merchant_id, order_id, part, state, turn, store_id, candidates, expires_at, location, accept_minutes,
                updated_at, opens)
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
            on conflict on constraint assignments_pkey do nothing
            returning part
        ), belonging as (
            insert into assignment_lines (merchant_id, order_id, part, line_no, quantity)
            select $1, $2, part, n.line_no, sum(n.quantity)::bigint
            from opened, unnest($13::integer[], $14::bigint[]) as n (line_no, quantity)
            group by part, n.line_no
        )
        insert into assignment_events (merchant_id, order_id, part, turn, kind, store_id, actor, reason, created_at)
        select $1, $2, part, $5, 'begun', $6, $15, $16, $11 from opened",
    )
    .bind(tx.merchant())
    .bind(assignment.order_id)
    .bind(assignment.part)
    .bind(assignment.state.as_str())
    .bind(assignment.turn)
    .bind(assignment.store_id)
    .bind(&assignment.candidates)
    .bind(assignment.expires_at)
    .bind(&assignment.location)
    .bind(assignment.accept_minutes)
    .bind(by.now)
    .bind(&assignment.opens)
    .bind(lines.iter().map(|(line_no, _)| *line_no).collect::<Vec<_>>())
    .bind(lines.iter().map(|(_, quantity)| *quantity).collect::<Vec<_>>())
    .bind(by.actor)
    .bind(by.reason)
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The assignment of a part.
pub async fn find(
    tx: &mut Tx,
    order: OrderId,
    part: i32,
) -> Result<Option<Assignment>, siyu_pg::Error> {
    let assignment = sqlx::query_as(
        "select order_id, part, state, turn, store_id, candidates, opens, expires_at, location, accept_minutes,
            updated_at
        from assignments
        where merchant_id = $1 and order_id = $2 and part = $3",
    )
    .bind(tx.merchant())
    .bind(order)
    .bind(part)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(assignment)
}

/// The assignments of an order, by part.
pub async fn list(tx: &mut Tx, order: OrderId) -> Result<Vec<Assignment>, siyu_pg::Error> {
    let assignments = sqlx::query_as(
        "select order_id, part, state, turn, store_id, candidates, opens, expires_at, location, accept_minutes,
            updated_at
        from assignments
        where merchant_id = $1 and order_id = $2
        order by part",
    )
    .bind(tx.merchant())
    .bind(order)
    .fetch_all(&mut **tx)
    .await?;
    Ok(assignments)
}

/// Saves what an assignment becomes, if it still is what was read.
pub async fn save(
    tx: &mut Tx,
    next: &Assignment,
    read: &Assignment,
    now: DateTime<Utc>,
) -> Result<bool, siyu_pg::Error> {
    let done = sqlx::query(
        "update assignments set state = $6, turn = $7, store_id = $8, candidates = $9, expires_at = $10, updated_at = $11,
            location = $12, opens = $13
        where merchant_id = $1 and order_id = $2 and part = $3 and state = $4 and turn = $5",
    )
    .bind(tx.merchant())
    .bind(read.order_id)
    .bind(read.part)
    .bind(read.state.as_str())
    .bind(read.turn)
    .bind(next.state.as_str())
    .bind(next.turn)
    .bind(next.store_id)
    .bind(&next.candidates)
    .bind(next.expires_at)
    .bind(now)
    .bind(&next.location)
    .bind(&next.opens)
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Writes down what happened to an assignment.
pub async fn insert_event(
    tx: &mut Tx,
    assignment: &Assignment,
    kind: &str,
    store: Option<StoreId>,
    by: By<'_>,
) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "insert into assignment_events (merchant_id, order_id, part, turn, kind, store_id, actor, reason, created_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(tx.merchant())
    .bind(assignment.order_id)
    .bind(assignment.part)
    .bind(assignment.turn)
    .bind(kind)
    .bind(store)
    .bind(by.actor)
    .bind(by.reason)
    .bind(by.now)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Offers of all merchants that nobody answered in time, the oldest first.
pub async fn due(
    jobs: &mut SystemTx,
    now: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<(Id<Merchant>, OrderId, i32)>, siyu_pg::Error> {
    let due = sqlx::query_as(
        "select merchant_id, order_id, part
        from assignments
        where state = 'offered' and expires_at <= $1
        order by expires_at, merchant_id, order_id, part
        limit $2",
    )
    .bind(now)
    .bind(limit)
    .fetch_all(&mut **jobs)
    .await?;
    Ok(due)
}

/// How many parts stores have to fulfil, in the order of the stores given.
pub async fn loads(tx: &mut Tx, stores: &[StoreId]) -> Result<Vec<i64>, siyu_pg::Error> {
    let loads = sqlx::query_scalar(
        "select l.load
        from unnest($2::uuid[]) with ordinality as k (store_id, n)
        cross join lateral (
            select count(*) as load
            from assignments
            where merchant_id = $1 and store_id = k.store_id and state in ('offered', 'accepted')
        ) as l
        order by k.n",
    )
    .bind(tx.merchant())
    .bind(stores)
    .fetch_all(&mut **tx)
    .await?;
    Ok(loads)
}

/// Where the pieces of a part are reserved from now on.
pub async fn move_to(
    tx: &mut Tx,
    (order, part): (OrderId, i32),
    location: &str,
) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "update assignments set location = $4 where merchant_id = $1 and order_id = $2 and part = $3",
    )
    .bind(tx.merchant())
    .bind(order)
    .bind(part)
    .bind(location)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Assignments after one, by order and part: of a store, in a state, of an order, or all.
pub async fn page(
    tx: &mut Tx,
    filter: &Filter,
    after: Option<(Uuid, i32)>,
    limit: i64,
) -> Result<Vec<Assignment>, siyu_pg::Error> {
    let assignments = sqlx::query_as(
        "select order_id, part, state, turn, store_id, candidates, opens, expires_at, location, accept_minutes,
            updated_at
        from assignments
        where merchant_id = $1
            and ($2::uuid is null or store_id = $2)
            and ($3::text is null or state = $3)
            and ($4::uuid is null or order_id = $4)
            and ($5::uuid is null or (order_id, part) > ($5, $6))
        order by order_id, part
        limit $7",
    )
    .bind(tx.merchant())
    .bind(filter.store_id)
    .bind(filter.state.map(State::as_str))
    .bind(filter.order_id)
    .bind(after.map(|(order, _)| order))
    .bind(after.map(|(_, part)| part))
    .bind(limit)
    .fetch_all(&mut **tx)
    .await?;
    Ok(assignments)
}
