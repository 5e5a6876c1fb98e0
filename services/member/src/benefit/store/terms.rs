//! The SQL of what buyers were entitled to when they paid.

use std::collections::HashMap;

use prost::Message;
use siyu_kernel::Fault;
use siyu_pg::Tx;
use siyu_proto::member::v1::CardPlan;

use crate::{benefit::multiplier::New, earning::domain::OrderId, person::PersonId};

/// The plans of the cards that held when orders were paid. A card that rests since, or is over since, held then; one that
/// was given back counts for nothing that is heard of later.
pub(in crate::benefit) async fn plans_at(
    tx: &mut Tx,
    orders: &[New],
) -> Result<Vec<(OrderId, CardPlan)>, Fault> {
    let rows: Vec<(OrderId, Vec<u8>)> = sqlx::query_as(
        "select k.order_id, c.plan
        from unnest($2::uuid[], $3::uuid[], $4::timestamptz[]) as k (order_id, person_id, paid_at)
        cross join lateral (
            select plan
            from cards
            where merchant_id = $1 and person_id = k.person_id and starts_at <= k.paid_at and ends_at > k.paid_at
                and (state in ('active', 'expired') or state = 'frozen' and frozen_at > k.paid_at)
            offset 0
        ) as c",
    )
    .bind(tx.merchant())
    .bind(orders.iter().map(|(order, ..)| *order).collect::<Vec<_>>())
    .bind(orders.iter().map(|(_, person, _)| *person).collect::<Vec<_>>())
    .bind(orders.iter().map(|(.., at)| *at).collect::<Vec<_>>())
    .fetch_all(&mut **tx)
    .await
    .map_err(siyu_pg::Error::from)?;
    let decode = |(order, plan): (OrderId, Vec<u8>)| {
        Ok((order, CardPlan::decode(plan.as_slice()).map_err(Fault::internal)?))
    };
    rows.into_iter().map(decode).collect()
}

/// The tiers of persons.
pub(in crate::benefit) async fn levels(
    tx: &mut Tx,
    persons: &[PersonId],
) -> Result<HashMap<PersonId, i32>, siyu_pg::Error> {
    let rows: Vec<(PersonId, i32)> = sqlx::query_as(
        "select p.id, p.tier
        from unnest($2::uuid[]) as k (id)
        cross join lateral (select id, tier from persons where merchant_id = $1 and id = k.id limit 1) as p",
    )
    .bind(tx.merchant())
    .bind(persons)
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows.into_iter().collect())
}
