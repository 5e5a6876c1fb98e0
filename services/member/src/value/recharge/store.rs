//! The SQL of recharges and plans and nothing else.

use chrono::{DateTime, Utc};
use siyu_kernel::Fault;
use siyu_pg::{OnConstraint, Tx};
use uuid::Uuid;

use super::{PlanId, Recharge, RechargeId, plan::Plan};
use crate::{
    person::PersonId,
    value::{CardId, error::Error},
};

/// What a statement ran into.
#[derive(Debug, thiserror::Error)]
enum Refusal {
    #[error("the {0} does not exist")]
    Missing(&'static str),
    #[error("the plan was taken at the same moment")]
    Taken,
    #[error("the store of recharges failed")]
    Store(#[from] siyu_pg::Error),
}

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Missing(what) => Self::not_found(what),
            Refusal::Taken => Error::PlanLimit.into(),
            Refusal::Store(error) => error.into(),
        }
    }
}

/// Inserts a plan.
pub async fn insert_plan(tx: &mut Tx, plan: &Plan) -> Result<(), Fault> {
    sqlx::query(
        "insert into recharge_plans (merchant_id, id, name, issuer_id, pay_minor, bonus_minor, bonus_valid_days,
            limit_per_person, starts_at, ends_at, created_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
    )
    .bind(tx.merchant())
    .bind(plan.id)
    .bind(&plan.name)
    .bind(plan.issuer_id)
    .bind(plan.pay_minor)
    .bind(plan.bonus_minor)
    .bind(plan.bonus_valid_days)
    .bind(plan.limit_per_person)
    .bind(plan.starts_at)
    .bind(plan.ends_at)
    .bind(plan.created_at)
    .execute(&mut **tx)
    .await
    .on_constraint("recharge_plans_issuer_id_fkey", Refusal::Missing("issuer"))?;
    Ok(())
}

/// Ends a plan; gives it as it is now.
pub async fn close_plan(
    tx: &mut Tx,
    id: PlanId,
    now: DateTime<Utc>,
) -> Result<Option<Plan>, siyu_pg::Error> {
    let plan = sqlx::query_as(
        "update recharge_plans set ends_at = least(ends_at, $3)
        where merchant_id = $1 and id = $2
        returning id, name, issuer_id, pay_minor, bonus_minor, bonus_valid_days, limit_per_person, starts_at, ends_at,
            created_at",
    )
    .bind(tx.merchant())
    .bind(id)
    .bind(now)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(plan)
}

/// One plan.
pub async fn find_plan(tx: &mut Tx, id: PlanId) -> Result<Option<Plan>, siyu_pg::Error> {
    let plan = sqlx::query_as(
        "select id, name, issuer_id, pay_minor, bonus_minor, bonus_valid_days, limit_per_person, starts_at, ends_at,
            created_at
        from recharge_plans
        where merchant_id = $1 and id = $2",
    )
    .bind(tx.merchant())
    .bind(id)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(plan)
}

/// Plans after one, oldest first.
pub async fn list_plans(
    tx: &mut Tx,
    after: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Plan>, siyu_pg::Error> {
    let plans = sqlx::query_as(
        "select id, name, issuer_id, pay_minor, bonus_minor, bonus_valid_days, limit_per_person, starts_at, ends_at,
            created_at
        from recharge_plans
        where merchant_id = $1 and ($2::uuid is null or id > $2)
        order by id
        limit $3",
    )
    .bind(tx.merchant())
    .bind(after)
    .bind(limit)
    .fetch_all(&mut **tx)
    .await?;
    Ok(plans)
}

/// How often a person has taken a plan, by the cards that are the person's now, and which number the next time has. What was
/// given back does not count, and keeps its number.
pub async fn taken(
    tx: &mut Tx,
    plan: PlanId,
    person: PersonId,
) -> Result<(i64, i32), siyu_pg::Error> {
    let taken = sqlx::query_as(
        "select
            (select count(*)
            from value_cards as c
            cross join lateral (
                select 1 from recharges
                where merchant_id = $1 and card_id = c.id and plan_id = $2 and refunded_at is null
                offset 0
            ) as r
            where c.merchant_id = $1 and c.person_id = $3) as times,
            (select coalesce(max(plan_ordinal), 0) + 1
            from recharges
            where merchant_id = $1 and plan_id = $2 and person_id = $3) as next",
    )
    .bind(tx.merchant())
    .bind(plan)
    .bind(person)
    .fetch_one(&mut **tx)
    .await?;
    Ok(taken)
}

/// Inserts a recharge.
pub async fn insert(tx: &mut Tx, recharge: &Recharge) -> Result<(), Fault> {
    sqlx::query(
        "insert into recharges (merchant_id, id, card_id, person_id, plan_id, plan_name, plan_ordinal, store_id,
            payment_reference, principal_minor, bonus_minor, bonus_expires_at, principal_transfer_id,
            bonus_transfer_id, refunded_minor, bonus_taken_minor, kept_minor, created_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, 0, 0, 0, $15)",
    )
    .bind(tx.merchant())
    .bind(recharge.id)
    .bind(recharge.card_id)
    .bind(recharge.person_id)
    .bind(recharge.plan_id)
    .bind(&recharge.plan_name)
    .bind(recharge.plan_ordinal)
    .bind(recharge.store_id)
    .bind(&recharge.payment_reference)
    .bind(recharge.principal_minor)
    .bind(recharge.bonus_minor)
    .bind(recharge.bonus_expires_at)
    .bind(recharge.principal_transfer_id)
    .bind(recharge.bonus_transfer_id)
    .bind(recharge.created_at)
    .execute(&mut **tx)
    .await
    .on_constraints(|name| match name {
        "recharges_store_id_fkey" => Some(Refusal::Missing("store")),
        "recharges_plan_ordinal_key" => Some(Refusal::Taken),
        _ => None,
    })?;
    Ok(())
}

/// Saves what was given back of a locked recharge.
pub async fn save(tx: &mut Tx, recharge: &Recharge) -> Result<(), siyu_pg::Error> {
    let done = sqlx::query(
        "update recharges set refunded_at = $3, refunded_minor = $4, bonus_taken_minor = $5, kept_minor = $6
        where merchant_id = $1 and id = $2 and refunded_at is null",
    )
    .bind(tx.merchant())
    .bind(recharge.id)
    .bind(recharge.refunded_at)
    .bind(recharge.refunded_minor)
    .bind(recharge.bonus_taken_minor)
    .bind(recharge.kept_minor)
    .execute(&mut **tx)
    .await?;
    assert_eq!(done.rows_affected(), 1, "the recharge is locked");
    Ok(())
}

/// Locks one recharge.
pub async fn lock(tx: &mut Tx, id: RechargeId) -> Result<Option<Recharge>, siyu_pg::Error> {
    let recharge = sqlx::query_as(
        "select id, card_id, person_id, plan_id, plan_name, plan_ordinal, store_id, payment_reference, principal_minor,
            bonus_minor, bonus_expires_at, principal_transfer_id, bonus_transfer_id, refunded_at, refunded_minor,
            bonus_taken_minor, kept_minor, created_at
        from recharges
        where merchant_id = $1 and id = $2
        for update",
    )
    .bind(tx.merchant())
    .bind(id)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(recharge)
}

/// One recharge.
pub async fn find(tx: &mut Tx, id: RechargeId) -> Result<Option<Recharge>, siyu_pg::Error> {
    let recharge = sqlx::query_as(
        "select id, card_id, person_id, plan_id, plan_name, plan_ordinal, store_id, payment_reference, principal_minor,
            bonus_minor, bonus_expires_at, principal_transfer_id, bonus_transfer_id, refunded_at, refunded_minor,
            bonus_taken_minor, kept_minor, created_at
        from recharges
        where merchant_id = $1 and id = $2",
    )
    .bind(tx.merchant())
    .bind(id)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(recharge)
}

/// Recharges of a card before one, newest first.
pub async fn list(
    tx: &mut Tx,
    card: CardId,
    before: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Recharge>, siyu_pg::Error> {
    let recharges = sqlx::query_as(
        "select id, card_id, person_id, plan_id, plan_name, plan_ordinal, store_id, payment_reference, principal_minor,
            bonus_minor, bonus_expires_at, principal_transfer_id, bonus_transfer_id, refunded_at, refunded_minor,
            bonus_taken_minor, kept_minor, created_at
        from recharges
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
    Ok(recharges)
}

/// The principal of the recharges of a card after one that were not given back.
pub async fn newer_principal(
    tx: &mut Tx,
    card: CardId,
    after: RechargeId,
) -> Result<i64, siyu_pg::Error> {
    let sum = sqlx::query_scalar(
        "select coalesce(sum(principal_minor), 0)::bigint
        from recharges
        where merchant_id = $1 and card_id = $2 and id > $3 and refunded_at is null",
    )
    .bind(tx.merchant())
    .bind(card)
    .bind(after)
    .fetch_one(&mut **tx)
    .await?;
    Ok(sum)
}
