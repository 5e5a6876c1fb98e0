//! The SQL of groups and nothing else.

use chrono::{DateTime, Utc};
use siyu_kernel::{
    Id,
    kind::{Merchant, Person},
};
use siyu_pg::{SystemTx, Tx};
use uuid::Uuid;

use super::domain::{Group, GroupId, SeatRow, SeatState, State};
use crate::order::domain::OrderId;

/// Stores a group.
pub async fn insert(tx: &mut Tx, group: &Group) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "insert into buy_groups
            (merchant_id, id, activity_code, definition, state, size, taken, paid, simulated, deadline, created_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
    )
    .bind(tx.merchant())
    .bind(group.id)
    .bind(&group.activity_code)
    .bind(&group.definition)
    .bind(group.state)
    .bind(group.size)
    .bind(group.taken)
    .bind(group.paid)
    .bind(group.simulated)
    .bind(group.deadline)
    .bind(group.created_at)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// A group, locked until the transaction ends.
pub async fn lock(tx: &mut Tx, id: GroupId) -> Result<Option<Group>, siyu_pg::Error> {
    let group = sqlx::query_as(
        "select id, activity_code, definition, state, size, taken, paid, simulated, deadline, created_at
        from buy_groups
        where merchant_id = $1 and id = $2
        for update",
    )
    .bind(tx.merchant())
    .bind(id)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(group)
}

/// A group.
pub async fn find(tx: &mut Tx, id: GroupId) -> Result<Option<Group>, siyu_pg::Error> {
    let group = sqlx::query_as(
        "select id, activity_code, definition, state, size, taken, paid, simulated, deadline, created_at
        from buy_groups
        where merchant_id = $1 and id = $2",
    )
    .bind(tx.merchant())
    .bind(id)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(group)
}

/// Groups of an activity before an id, newest first; those in a state or all.
pub async fn list(
    tx: &mut Tx,
    activity: &str,
    state: Option<State>,
    before: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Group>, siyu_pg::Error> {
    let groups = sqlx::query_as(
        "select id, activity_code, definition, state, size, taken, paid, simulated, deadline, created_at
        from buy_groups
        where merchant_id = $1 and activity_code = $2 and ($3::text is null or state = $3)
            and ($4::uuid is null or id < $4)
        order by id desc
        limit $5",
    )
    .bind(tx.merchant())
    .bind(activity)
    .bind(state)
    .bind(before)
    .bind(limit)
    .fetch_all(&mut **tx)
    .await?;
    Ok(groups)
}

/// Saves a group that the transaction has locked.
pub async fn save(tx: &mut Tx, group: &Group) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "update buy_groups set state = $3, taken = $4, paid = $5, simulated = $6, deadline = $7
        where merchant_id = $1 and id = $2",
    )
    .bind(tx.merchant())
    .bind(group.id)
    .bind(group.state)
    .bind(group.taken)
    .bind(group.paid)
    .bind(group.simulated)
    .bind(group.deadline)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Takes a seat in a group that the transaction has locked or made, unless the person is in another group of the activity, be
/// it under an id that leads to the person by a merge.
pub async fn insert_seat(
    tx: &mut Tx,
    seat: &SeatRow,
    activity: &str,
) -> Result<bool, siyu_pg::Error> {
    let done = sqlx::query(
        "with seat as (
            insert into group_seats
                (merchant_id, order_id, group_id, activity_code, person_id, opener, state, live, created_at)
            select $1, $2, $3, $4, $5, $6, $7, true, $8
            where not exists (
                select from buyer_aliases a
                cross join lateral (
                    select from group_seats
                    where merchant_id = $1 and activity_code = $4 and person_id = a.person_id and live
                    limit 1
                ) as s
                where a.merchant_id = $1 and a.merged_into = $5 and a.merged_into is not null
            )
            on conflict (merchant_id, activity_code, person_id) where live do nothing
            returning group_id
        )
        update buy_groups as g set taken = g.taken + 1
        from seat
        where g.merchant_id = $1 and g.id = seat.group_id",
    )
    .bind(tx.merchant())
    .bind(seat.order_id)
    .bind(seat.group_id)
    .bind(activity)
    .bind(seat.person_id)
    .bind(seat.opener)
    .bind(seat.state)
    .bind(seat.created_at)
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The seat of an order.
pub async fn seat(tx: &mut Tx, order: OrderId) -> Result<Option<SeatRow>, siyu_pg::Error> {
    let seat = sqlx::query_as(
        "select order_id, group_id, person_id, opener, state, created_at
        from group_seats
        where merchant_id = $1 and order_id = $2",
    )
    .bind(tx.merchant())
    .bind(order)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(seat)
}

/// The seats of a group, in the order in which they were taken.
pub async fn seats(tx: &mut Tx, group: GroupId) -> Result<Vec<SeatRow>, siyu_pg::Error> {
    let seats = sqlx::query_as(
        "select order_id, group_id, person_id, opener, state, created_at
        from group_seats
        where merchant_id = $1 and group_id = $2
        order by created_at, order_id",
    )
    .bind(tx.merchant())
    .bind(group)
    .fetch_all(&mut **tx)
    .await?;
    Ok(seats)
}

/// Saves a seat whose group, or order, the transaction has locked.
pub async fn save_seat(
    tx: &mut Tx,
    order: OrderId,
    state: SeatState,
    live: bool,
) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "update group_seats set state = $3, live = $4 where merchant_id = $1 and order_id = $2",
    )
    .bind(tx.merchant())
    .bind(order)
    .bind(state)
    .bind(live)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The end of a group: its paid seats wait for what follows, and nobody is in it any more.
pub async fn end_seats(tx: &mut Tx, group: GroupId, to: SeatState) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "update group_seats set state = case state when 'paid' then $3 else state end, live = false
        where merchant_id = $1 and group_id = $2",
    )
    .bind(tx.merchant())
    .bind(group)
    .bind(to)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Whether a person has an order that counts.
pub async fn has_bought(tx: &mut Tx, person: Id<Person>) -> Result<bool, siyu_pg::Error> {
    let has = sqlx::query_scalar(
        "select exists (
            select from orders
            where merchant_id = $1 and person_id = $2 and paid_at is not null and state not in ('cancelled', 'refunded')
        )",
    )
    .bind(tx.merchant())
    .bind(person)
    .fetch_one(&mut **tx)
    .await?;
    Ok(has)
}

/// Open groups whose time is over, the longest first.
pub async fn due_groups(
    tx: &mut SystemTx,
    now: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<(Id<Merchant>, GroupId)>, siyu_pg::Error> {
    let due = sqlx::query_as(
        "select merchant_id, id from buy_groups
        where state = 'open' and deadline <= $1
        order by deadline
        limit $2",
    )
    .bind(now)
    .bind(limit)
    .fetch_all(&mut **tx)
    .await?;
    Ok(due)
}

/// Lets a seat wait before the job looks at it again.
pub async fn put_off(
    tx: &mut Tx,
    order: OrderId,
    until: DateTime<Utc>,
) -> Result<(), siyu_pg::Error> {
    sqlx::query("update group_seats set due_at = $3 where merchant_id = $1 and order_id = $2")
        .bind(tx.merchant())
        .bind(order)
        .bind(until)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Seats whose orders are to go on or to be refunded and that were not put off, those that never were first.
pub async fn due_seats(
    tx: &mut SystemTx,
    now: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<(Id<Merchant>, OrderId)>, siyu_pg::Error> {
    let due = sqlx::query_as(
        "select merchant_id, order_id from group_seats
        where state in ('forming', 'refunding') and (due_at is null or due_at <= $1)
        order by due_at nulls first, merchant_id, order_id
        limit $2",
    )
    .bind(now)
    .bind(limit)
    .fetch_all(&mut **tx)
    .await?;
    Ok(due)
}
