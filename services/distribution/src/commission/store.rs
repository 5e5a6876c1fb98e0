//! The SQL of commissions and nothing else. Look-ups of many rows go key by key (`cross join lateral`): a join or `= any` may
//! be planned as a scan of everything that the merchant has while statistics lag behind.

use siyu_events::Dispute;
use siyu_pg::Tx;
use uuid::Uuid;

use super::domain::{Commission, OrderId, Rule, Sale};
use crate::promoter::PromoterId;

/// Every rule that the merchant ever set, oldest first.
pub async fn rules(tx: &mut Tx) -> Result<Vec<Rule>, siyu_pg::Error> {
    let rules = sqlx::query_as(
        "select valid_from, level1_bp, level2_bp, binding_valid_days, protect_days, imported_private_orders
        from commission_rules
        where merchant_id = $1
        order by valid_from",
    )
    .bind(tx.merchant())
    .fetch_all(&mut **tx)
    .await?;
    Ok(rules)
}

/// Adds a rule; one of the same instant is replaced.
pub async fn insert_rule(tx: &mut Tx, rule: &Rule) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "insert into commission_rules
            (merchant_id, valid_from, level1_bp, level2_bp, binding_valid_days, protect_days, imported_private_orders)
        values ($1, $2, $3, $4, $5, $6, $7)
        on conflict on constraint commission_rules_pkey do update
        set level1_bp = excluded.level1_bp, level2_bp = excluded.level2_bp,
            binding_valid_days = excluded.binding_valid_days, protect_days = excluded.protect_days,
            imported_private_orders = excluded.imported_private_orders",
    )
    .bind(tx.merchant())
    .bind(rule.valid_from)
    .bind(rule.level1_bp)
    .bind(rule.level2_bp)
    .bind(rule.binding_valid_days)
    .bind(rule.protect_days)
    .bind(rule.imported_private_orders)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Locks which revision of the orders was taken in last.
pub async fn lock_attributions(
    tx: &mut Tx,
    orders: &[OrderId],
) -> Result<Vec<(OrderId, i64)>, siyu_pg::Error> {
    let rows = sqlx::query_as(
        "select a.order_id, a.revision
        from unnest($2::uuid[]) as k (order_id)
        cross join lateral (
            select order_id, revision
            from attributions
            where merchant_id = $1 and order_id = k.order_id
            limit 1
            for update
        ) as a",
    )
    .bind(tx.merchant())
    .bind(orders)
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows)
}

/// Saves which revision of the orders was taken in; person and instant stay those of the first.
pub async fn save_attributions(tx: &mut Tx, sales: &[&Sale]) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "insert into attributions (merchant_id, order_id, person_id, revision, paid_at)
        select $1, * from unnest($2::uuid[], $3::uuid[], $4::bigint[], $5::timestamptz[])
        on conflict on constraint attributions_pkey do update set revision = excluded.revision",
    )
    .bind(tx.merchant())
    .bind(sales.iter().map(|s| s.order_id).collect::<Vec<_>>())
    .bind(sales.iter().map(|s| s.person_id).collect::<Vec<_>>())
    .bind(sales.iter().map(|s| s.revision).collect::<Vec<_>>())
    .bind(sales.iter().map(|s| s.paid_at).collect::<Vec<_>>())
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// What orders earned so far.
pub async fn of_orders(tx: &mut Tx, orders: &[OrderId]) -> Result<Vec<Commission>, siyu_pg::Error> {
    let rows = sqlx::query_as(
        "select c.*
        from unnest($2::uuid[]) as k (order_id)
        cross join lateral (
            select id, order_id, level, promoter_id, rate_bp, currency, base_minor, earned_minor, paid_at, freeze_id, frozen_minor
            from commissions
            where merchant_id = $1 and order_id = k.order_id
            offset 0
        ) as c
        order by c.order_id, c.level",
    )
    .bind(tx.merchant())
    .bind(orders)
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows)
}

/// Saves what orders earn; who earns at which rate stays as it was.
pub async fn save(tx: &mut Tx, commissions: &[Commission]) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "insert into commissions
            (merchant_id, id, order_id, level, promoter_id, rate_bp, currency, base_minor, earned_minor, paid_at, freeze_id,
                frozen_minor)
        select $1, * from unnest($2::uuid[], $3::uuid[], $4::smallint[], $5::uuid[], $6::integer[], $7::text[],
            $8::bigint[], $9::bigint[], $10::timestamptz[], $11::uuid[], $12::bigint[])
        on conflict on constraint commissions_order_id_key do update
        set base_minor = excluded.base_minor, earned_minor = excluded.earned_minor, freeze_id = excluded.freeze_id,
            frozen_minor = excluded.frozen_minor",
    )
    .bind(tx.merchant())
    .bind(commissions.iter().map(|c| c.id).collect::<Vec<_>>())
    .bind(commissions.iter().map(|c| c.order_id).collect::<Vec<_>>())
    .bind(commissions.iter().map(|c| c.level).collect::<Vec<_>>())
    .bind(commissions.iter().map(|c| c.promoter_id).collect::<Vec<_>>())
    .bind(commissions.iter().map(|c| c.rate_bp).collect::<Vec<_>>())
    .bind(commissions.iter().map(|c| c.currency.as_str()).collect::<Vec<_>>())
    .bind(commissions.iter().map(|c| c.base_minor).collect::<Vec<_>>())
    .bind(commissions.iter().map(|c| c.earned_minor).collect::<Vec<_>>())
    .bind(commissions.iter().map(|c| c.paid_at).collect::<Vec<_>>())
    .bind(commissions.iter().map(|c| c.freeze_id).collect::<Vec<_>>())
    .bind(commissions.iter().map(|c| c.frozen_minor).collect::<Vec<_>>())
    .execute(&mut **tx)
    .await?;
    Ok(())
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

/// Those of the orders to which somebody objects.
pub async fn disputed(tx: &mut Tx, orders: &[OrderId]) -> Result<Vec<OrderId>, siyu_pg::Error> {
    let rows = sqlx::query_scalar(
        "select d.order_id
        from unnest($2::uuid[]) as k (order_id)
        cross join lateral (
            select order_id
            from order_disputes
            where merchant_id = $1 and order_id = k.order_id and closed_at is null
            limit 1
        ) as d",
    )
    .bind(tx.merchant())
    .bind(orders)
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows)
}

/// Commissions after a cursor, newest first, of a promoter, of an order, or of all.
pub async fn list(
    tx: &mut Tx,
    promoter_id: Option<PromoterId>,
    order_id: Option<OrderId>,
    after: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Commission>, siyu_pg::Error> {
    let rows = sqlx::query_as(
        "select id, order_id, level, promoter_id, rate_bp, currency, base_minor, earned_minor, paid_at, freeze_id, frozen_minor
        from commissions
        where merchant_id = $1 and ($2::uuid is null or promoter_id = $2) and ($3::uuid is null or order_id = $3)
            and ($4::uuid is null or id < $4)
        order by id desc
        limit $5",
    )
    .bind(tx.merchant())
    .bind(promoter_id)
    .bind(order_id)
    .bind(after)
    .bind(limit)
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows)
}
