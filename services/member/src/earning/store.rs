//! The SQL of earnings and nothing else.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use siyu_events::Dispute;
use siyu_ledger::TransferId;
use siyu_pg::Tx;

use super::{
    domain::{Earning, OrderId},
    wait::Objection,
};
use crate::{
    account::{MERGED, POINTS_LAPSED},
    person::{PersonId, store::moving::Owned},
};

/// What orders have earned.
pub const EARNINGS: Owned = Owned { table: "order_earnings", unique: &[] };

/// What an order has earned so far: the row.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Row {
    /// The order.
    pub order_id: OrderId,
    /// Who earned it.
    pub person_id: PersonId,
    /// The revision that it was computed from.
    pub revision: i64,
    /// Points.
    pub points: i64,
    /// Growth value.
    pub growth: i64,
    /// The transfer that gave the points; null when there are none.
    pub points_transfer_id: Option<TransferId>,
    /// The transfer that gave the growth; null when there is none.
    pub growth_transfer_id: Option<TransferId>,
    /// From when on the points can be spent; null while they wait for the completion of the order.
    pub available_at: Option<DateTime<Utc>>,
    /// By what the points are multiplied, in basis points.
    pub multiplier_bp: i64,
    /// The buyer has what was bought.
    pub is_completed: bool,
    /// When the order was paid.
    pub paid_at: Option<DateTime<Utc>>,
}

/// Locks what the orders have earned.
pub async fn lock(tx: &mut Tx, orders: &[OrderId]) -> Result<Vec<Row>, siyu_pg::Error> {
    let rows = sqlx::query_as(
        "select e.order_id, e.person_id, e.revision, e.points, e.growth, e.points_transfer_id, e.growth_transfer_id,
            e.available_at, e.multiplier_bp, e.is_completed, p.paid_at
        from unnest($2::uuid[]) as k (order_id)
        cross join lateral (
            select order_id, person_id, revision, points, growth, points_transfer_id, growth_transfer_id, available_at,
                multiplier_bp, is_completed
            from order_earnings
            where merchant_id = $1 and order_id = k.order_id
            limit 1
            for update
        ) as e
        left join lateral (
            select paid_at from purchases where merchant_id = $1 and order_id = k.order_id limit 1
        ) as p on true",
    )
    .bind(tx.merchant())
    .bind(orders)
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows)
}

/// Saves what orders have earned, with the transfers that gave it.
pub async fn save(
    tx: &mut Tx,
    earnings: &[(&Earning, Option<TransferId>, Option<TransferId>)],
) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "insert into order_earnings
            (merchant_id, order_id, person_id, revision, points, growth, points_transfer_id, growth_transfer_id, available_at,
                multiplier_bp, is_completed)
        select $1, * from unnest($2::uuid[], $3::uuid[], $4::bigint[], $5::bigint[], $6::bigint[], $7::uuid[],
            $8::uuid[], $9::timestamptz[], $10::bigint[], $11::boolean[])
        on conflict on constraint order_earnings_pkey do update
        set person_id = excluded.person_id, revision = excluded.revision, points = excluded.points,
            growth = excluded.growth, points_transfer_id = excluded.points_transfer_id,
            growth_transfer_id = excluded.growth_transfer_id, available_at = excluded.available_at,
            multiplier_bp = excluded.multiplier_bp, is_completed = excluded.is_completed",
    )
    .bind(tx.merchant())
    .bind(earnings.iter().map(|(e, _, _)| e.order_id).collect::<Vec<_>>())
    .bind(earnings.iter().map(|(e, _, _)| e.person_id).collect::<Vec<_>>())
    .bind(earnings.iter().map(|(e, _, _)| e.revision).collect::<Vec<_>>())
    .bind(earnings.iter().map(|(e, _, _)| e.points).collect::<Vec<_>>())
    .bind(earnings.iter().map(|(e, _, _)| e.growth).collect::<Vec<_>>())
    .bind(earnings.iter().map(|(_, points, _)| *points).collect::<Vec<_>>())
    .bind(earnings.iter().map(|(_, _, growth)| *growth).collect::<Vec<_>>())
    .bind(earnings.iter().map(|(e, _, _)| e.available_at()).collect::<Vec<_>>())
    .bind(earnings.iter().map(|(e, _, _)| e.multiplier_bp).collect::<Vec<_>>())
    .bind(earnings.iter().map(|(e, _, _)| e.is_completed).collect::<Vec<_>>())
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Of transfers that gave points or growth, those whose lot is over at an instant, each with what can still be taken back:
/// neither taken back already nor lapsed, in the account that got it or in one that has it because of merges.
pub async fn left_of_over(
    tx: &mut Tx,
    transfers: &[TransferId],
    now: DateTime<Utc>,
) -> Result<HashMap<TransferId, i64>, siyu_pg::Error> {
    let rows: Vec<(TransferId, i64)> = sqlx::query_as(
        "select g.id, g.amount - r.amount - l.amount
        from unnest($2::uuid[]) as k (id)
        cross join lateral (
            select id, credit_account_id, credit_entry, amount
            from ledger_transfers
            where merchant_id = $1 and id = k.id and expires_at <= $3
            limit 1
        ) as g
        cross join lateral (
            select coalesce(sum(amount), 0)::bigint as amount
            from ledger_transfers
            where merchant_id = $1 and reverses_id = g.id and kind = 'reverse'
        ) as r
        cross join lateral (
            with recursive lots (id, account_id, entry) as (
                select g.id, g.credit_account_id, g.credit_entry
                union all
                select t.id, t.credit_account_id, t.credit_entry
                from lots
                cross join lateral (
                    select id, credit_account_id, credit_entry
                    from ledger_transfers
                    where merchant_id = $1 and debit_account_id = lots.account_id and debit_entry > lots.entry
                        and debit_entry > 0 and draw_lot_id = lots.id and code = $5
                    offset 0
                ) as t
            )
            select coalesce(sum(t.amount), 0)::bigint as amount
            from lots
            cross join lateral (
                select amount
                from ledger_transfers
                where merchant_id = $1 and debit_account_id = lots.account_id and debit_entry > lots.entry
                    and debit_entry > 0 and draw_lot_id = lots.id and code = $4
                offset 0
            ) as t
        ) as l",
    )
    .bind(tx.merchant())
    .bind(transfers)
    .bind(now)
    .bind(POINTS_LAPSED)
    .bind(MERGED)
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows.into_iter().collect())
}

/// Who earned what of the orders.
pub async fn persons_of(tx: &mut Tx, orders: &[OrderId]) -> Result<Vec<PersonId>, siyu_pg::Error> {
    let persons = sqlx::query_scalar(
        "select e.person_id
        from unnest($2::uuid[]) as k (order_id)
        cross join lateral (
            select person_id from order_earnings where merchant_id = $1 and order_id = k.order_id limit 1
        ) as e",
    )
    .bind(tx.merchant())
    .bind(orders)
    .fetch_all(&mut **tx)
    .await?;
    Ok(persons)
}

/// Keeps what is known of disputes. One that is closed stays closed.
pub async fn save_disputes(tx: &mut Tx, disputes: &[Dispute]) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "insert into order_disputes (merchant_id, order_id, id, opened_at, closed_at)
        select $1, * from unnest($2::uuid[], $3::uuid[], $4::timestamptz[], $5::timestamptz[])
        on conflict on constraint order_disputes_pkey do update
        set closed_at = coalesce(order_disputes.closed_at, excluded.closed_at)",
    )
    .bind(tx.merchant())
    .bind(disputes.iter().map(|d| d.order_id).collect::<Vec<_>>())
    .bind(disputes.iter().map(|d| d.id).collect::<Vec<_>>())
    .bind(disputes.iter().map(|d| d.opened_at).collect::<Vec<_>>())
    .bind(disputes.iter().map(|d| d.closed_at).collect::<Vec<_>>())
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Every dispute of the orders, of each the oldest first.
pub async fn disputes(
    tx: &mut Tx,
    orders: &[OrderId],
) -> Result<HashMap<OrderId, Vec<Objection>>, siyu_pg::Error> {
    let rows: Vec<(OrderId, DateTime<Utc>, Option<DateTime<Utc>>)> = sqlx::query_as(
        "select d.order_id, d.opened_at, d.closed_at
        from unnest($2::uuid[]) as k (order_id)
        cross join lateral (
            select order_id, id, opened_at, closed_at
            from order_disputes
            where merchant_id = $1 and order_id = k.order_id
            offset 0
        ) as d
        order by d.opened_at, d.id",
    )
    .bind(tx.merchant())
    .bind(orders)
    .fetch_all(&mut **tx)
    .await?;
    let mut disputes: HashMap<OrderId, Vec<Objection>> = HashMap::new();
    for (order, opened_at, closed_at) in rows {
        disputes.entry(order).or_default().push(Objection { opened_at, closed_at });
    }
    Ok(disputes)
}
