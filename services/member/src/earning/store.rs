//! The SQL of earnings and nothing else.

use chrono::{DateTime, Utc};
use siyu_ledger::TransferId;
use siyu_pg::Tx;

use super::domain::{Earning, OrderId};
use crate::person::{Merge, PersonId, Unmerge};

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
}

/// Locks what the orders have earned.
pub async fn lock(tx: &mut Tx, orders: &[OrderId]) -> Result<Vec<Row>, siyu_pg::Error> {
    let rows = sqlx::query_as(
        "select e.order_id, e.person_id, e.revision, e.points, e.growth, e.points_transfer_id, e.growth_transfer_id,
            e.available_at, e.multiplier_bp
        from unnest($2::uuid[]) as k (order_id)
        cross join lateral (
            select order_id, person_id, revision, points, growth, points_transfer_id, growth_transfer_id, available_at,
                multiplier_bp
            from order_earnings
            where merchant_id = $1 and order_id = k.order_id
            limit 1
            for update
        ) as e",
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
                multiplier_bp)
        select $1, * from unnest($2::uuid[], $3::uuid[], $4::bigint[], $5::bigint[], $6::bigint[], $7::uuid[],
            $8::uuid[], $9::timestamptz[], $10::bigint[])
        on conflict on constraint order_earnings_pkey do update
        set person_id = excluded.person_id, revision = excluded.revision, points = excluded.points,
            growth = excluded.growth, points_transfer_id = excluded.points_transfer_id,
            growth_transfer_id = excluded.growth_transfer_id, available_at = excluded.available_at,
            multiplier_bp = excluded.multiplier_bp",
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
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Gives the survivor of a merge what the loser's orders have earned.
pub async fn move_over(tx: &mut Tx, merge: &Merge) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "update order_earnings
        set person_id = $2, origin_person_id = coalesce(origin_person_id, person_id)
        where merchant_id = $1 and person_id = $3",
    )
    .bind(tx.merchant())
    .bind(merge.survivor)
    .bind(merge.loser)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Gives it back.
pub async fn move_back(tx: &mut Tx, unmerge: &Unmerge) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "update order_earnings
        set person_id = $3, origin_person_id = nullif(origin_person_id, $3)
        where merchant_id = $1 and person_id = $2 and origin_person_id = any($4::uuid[])",
    )
    .bind(tx.merchant())
    .bind(unmerge.survivor)
    .bind(unmerge.loser)
    .bind(&unmerge.origins)
    .execute(&mut **tx)
    .await?;
    Ok(())
}
