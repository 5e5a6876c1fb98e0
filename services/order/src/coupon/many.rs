//! Coupons of one template for many persons at once.

pub mod store;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use futures::{StreamExt, TryStreamExt, stream};
use siyu_grpc::{Ctx, parse};
use siyu_kernel::{Fault, Id, Violation};
use siyu_pg::{Tx, replay};
use siyu_proto::order::v1::{
    ClaimCouponsRequest, ClaimCouponsResponse, ClaimMode, ClaimOutcome, ClaimResult,
};

use super::{
    domain::{self, Coupon, CouponId, PersonId, State},
    rpc::{read, refused},
    store as coupons,
};
use crate::{App, buyer, limits, order::domain::OrderId, refund::rewards};

const CLAIM: &str = "siyu.order.v1.CouponService/ClaimCoupons";

/// Claims a coupon for each person. Holding the row of the template from the first look on, whoever else claims waits, so that
/// what is decided here is so (rule 38).
pub(super) async fn claim(
    app: &App,
    ctx: Ctx,
    request: ClaimCouponsRequest,
) -> Result<ClaimCouponsResponse, Fault> {
    let asked = parse_persons(&request.person_ids)?;
    let given_order_id = parse::optional_id("order_id", &request.order_id)?;
    let zone = app.directory.known(&ctx, &BTreeSet::new()).await?.zone;
    let persons: Vec<PersonId> = stream::iter(asked)
        .map(|id| app.directory.person(&ctx, id))
        .buffered(limits::PERSONS_ASKED_AT_ONCE)
        .try_collect()
        .await?;
    let mut tx = buyer::store::begin(&app.db, ctx.merchant()?).await?;
    if let Some(reply) = replay::find(&mut tx, CLAIM, &request.request_id, &request).await? {
        return Ok(reply);
    }
    let aliases = buyer::store::canonical(&mut tx, &persons).await?;
    let persons: Vec<PersonId> =
        persons.into_iter().map(|id| aliases.get(&id).copied().unwrap_or(id)).collect();
    // Before the template: a refund of the order waits for its coupons, and one that is given on waits for the template.
    let gave = match given_order_id {
        Some(id) => gave(&mut tx, id).await?,
        None => 0,
    };
    let found = store::lock_template(&mut tx, &request.template_code).await?;
    let found = found.ok_or_else(|| Fault::not_found("coupon template"))?;
    let template = read(&found.definition)?;
    if !domain::is_claimable(&template, ctx.now) {
        return Err(refused("COUPON_NOT_CLAIMABLE", "the coupon cannot be claimed at present"));
    }
    let counts = store::counts(&mut tx, &template.code, &persons).await?;
    let left = (template.total > 0).then_some(template.total - found.claimed);
    let outcomes = admit(left, template.per_person, counts, &persons);
    if request.mode() != ClaimMode::Each {
        all_or_none(&outcomes, &request.person_ids)?;
    }
    if given_order_id.is_some() {
        bound(&request.order_id, gave, &outcomes)?;
    }
    let valid = domain::validity(&template, ctx.now, zone)
        .ok_or_else(|| Fault::internal("a template was stored without a validity"))?;
    let (mut coupons, mut results) = (Vec::new(), Vec::new());
    let each = persons.iter().zip(outcomes).zip(&request.person_ids);
    for ((person_id, outcome), asked) in each {
        let mut result = ClaimResult { person_id: asked.clone(), ..ClaimResult::default() };
        result.set_outcome(outcome);
        if outcome == ClaimOutcome::Claimed {
            let id: CouponId = Id::from_uuid(app.ids.uuid());
            result.coupon_id = id.to_string();
            coupons.push(Coupon {
                id,
                template_code: template.code.clone(),
                person_id: *person_id,
                definition: found.definition.clone(),
                valid_from: valid.start,
                valid_to: valid.end,
                created_at: ctx.now,
                state: State::Issued,
                transfers: 0,
                redeemed_at: None,
                given_order_id,
            });
        }
        results.push(result);
    }
    store::insert(&mut tx, &template, &coupons).await?;
    let reply = ClaimCouponsResponse { results };
    replay::keep(&mut tx, CLAIM, &request.request_id, &reply).await?;
    tx.commit().await?;
    Ok(reply)
}

fn parse_persons(ids: &[String]) -> Result<Vec<PersonId>, Fault> {
    let (mut persons, mut wrong, mut seen) = (Vec::new(), Vec::new(), BTreeSet::new());
    for (i, id) in ids.iter().enumerate() {
        let field = format!("person_ids[{i}]");
        match parse::id(&field, id) {
            Ok(person) if seen.insert(person) => persons.push(person),
            Ok(_) => wrong.push(Violation { field, description: "stands twice".into() }),
            Err(fault) => wrong.extend(fault.violations().iter().cloned()),
        }
    }
    if wrong.is_empty() { Ok(persons) } else { Err(Fault::invalid(wrong)) }
}

/// Who gets a coupon, in the order of the persons, while there are some `left` and a person has fewer than one may have.
fn admit(
    mut left: Option<i64>,
    per_person: i32,
    mut counts: HashMap<PersonId, i32>,
    persons: &[PersonId],
) -> Vec<ClaimOutcome> {
    let mut one = |person: &PersonId| {
        let count = counts.entry(*person).or_default();
        if *count >= per_person {
            return ClaimOutcome::LimitReached;
        }
        if left.is_some_and(|left| left <= 0) {
            return ClaimOutcome::Gone;
        }
        left = left.map(|left| left - 1);
        *count += 1;
        ClaimOutcome::Claimed
    };
    persons.iter().map(&mut one).collect()
}

/// How many coupons an order gave, which is locked from now on.
async fn gave(tx: &mut Tx, id: OrderId) -> Result<i64, Fault> {
    rewards::lock_giver(tx, id).await?;
    Ok(coupons::count_given(tx, id).await?)
}

/// Refuses what would be more than one order can give.
fn bound(order_id: &str, gave: i64, outcomes: &[ClaimOutcome]) -> Result<(), Fault> {
    let claimed = outcomes.iter().filter(|outcome| **outcome == ClaimOutcome::Claimed).count();
    let claimed = i64::try_from(claimed).expect("a thousand at most");
    if gave + claimed <= i64::from(limits::ORDER_REWARDS_MAX) {
        return Ok(());
    }
    let message = "the order has given as many as one may give";
    Err(refused("COUPON_LIMIT_REACHED", message).with("order_id", order_id))
}

fn all_or_none(outcomes: &[ClaimOutcome], persons: &[String]) -> Result<(), Fault> {
    for (outcome, person) in outcomes.iter().zip(persons) {
        match outcome {
            ClaimOutcome::Claimed => {}
            ClaimOutcome::LimitReached => {
                let message = "a person has as many as one may have";
                return Err(refused("COUPON_LIMIT_REACHED", message).with("person_id", person));
            }
            ClaimOutcome::Gone | ClaimOutcome::Unspecified => {
                return Err(refused("COUPONS_GONE", "there are not so many coupons left"));
            }
        }
    }
    Ok(())
}

/// How many coupons each person gets.
pub(super) fn per_person(coupons: &[Coupon]) -> BTreeMap<PersonId, i32> {
    let mut counts = BTreeMap::new();
    for coupon in coupons {
        *counts.entry(coupon.person_id).or_default() += 1;
    }
    counts
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn person(n: u128) -> PersonId {
        Id::from_uuid(uuid::Uuid::from_u128(n))
    }

    proptest! {
        #[test]
        fn no_more_are_admitted_than_there_are_and_nobody_beyond_the_limit(
            left in proptest::option::of(0_i64..8),
            per_person in 1_i32..4,
            persons in prop::collection::vec(0_u128..6, 1..20),
            before in prop::collection::vec(0_i32..4, 6),
        ) {
            let counts: HashMap<_, _> = (0_u128..).map(person).zip(before).collect();
            let ids: Vec<_> = persons.iter().copied().map(person).collect();
            let outcomes = admit(left, per_person, counts.clone(), &ids);
            let claimed = outcomes.iter().filter(|o| **o == ClaimOutcome::Claimed).count();
            let claimed = i64::try_from(claimed).unwrap();
            prop_assert!(left.is_none_or(|left| claimed <= left));
            for id in &ids {
                let got = ids.iter().zip(&outcomes).filter(|(other, o)| *other == id && **o == ClaimOutcome::Claimed);
                let had = counts[id];
                let has = had + i32::try_from(got.count()).unwrap();
                prop_assert!(has <= per_person.max(had));
                // Who was refused for the limit has reached it, and who came too late came when none were left.
                for (_, outcome) in ids.iter().zip(&outcomes).filter(|(other, _)| *other == id) {
                    prop_assert!(*outcome != ClaimOutcome::LimitReached || has >= per_person);
                    prop_assert!(*outcome != ClaimOutcome::Gone || left == Some(claimed));
                }
            }
        }
    }
}
