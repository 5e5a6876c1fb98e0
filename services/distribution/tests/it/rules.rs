//! The rule of a merchant over time.

use chrono::TimeDelta;
use siyu_proto::distribution::v1::*;

use crate::{
    orders::{Orders, paid},
    world::{World, fields, generous},
};

async fn rule(world: &World, who: u32) -> CommissionRule {
    let request = GetCommissionRuleRequest {};
    let reply = world.commissions(who).get_commission_rule(request).await.unwrap();
    reply.into_inner().rule.unwrap()
}

#[tokio::test]
async fn a_merchant_starts_with_ten_percent_for_its_own_orders() {
    let world = World::new().await;
    let expected = CommissionRule {
        level1_bp: 1_000,
        level2_bp: 0,
        binding_valid_days: 0,
        protect_days: 30,
        imported_private_orders: false,
    };
    assert_eq!(rule(&world, 1).await, expected);
}

#[tokio::test]
async fn a_rule_that_is_set_is_the_merchants_own_and_the_same_again_is_no_new_one() {
    let world = World::new().await;
    assert_eq!(world.set_rule(generous()).await.unwrap(), generous());
    assert_eq!(rule(&world, 1).await, generous());
    assert_eq!(rule(&world, 2).await.level2_bp, 0);
    world.clock.advance(TimeDelta::days(1));
    world.set_rule(generous()).await.unwrap();
    assert_eq!(world.count("select count(*) from commission_rules").await, 1);
    // At one instant the last word counts.
    let other = CommissionRule { level1_bp: 1, ..generous() };
    world.set_rule(other).await.unwrap();
    world.set_rule(CommissionRule { level1_bp: 2, ..generous() }).await.unwrap();
    assert_eq!(rule(&world, 1).await.level1_bp, 2);
    assert_eq!(world.count("select count(*) from commission_rules").await, 2);
}

#[tokio::test]
async fn more_than_half_is_never_paid_out() {
    let world = World::new().await;
    let half = CommissionRule { level1_bp: 3_000, level2_bp: 2_000, ..generous() };
    world.set_rule(half).await.unwrap();
    let more = CommissionRule { level2_bp: 2_001, ..half };
    assert_eq!(fields(&world.set_rule(more).await.unwrap_err()), ["rule.level2_bp"]);
    for (rule, field) in [
        (CommissionRule { level1_bp: 5_001, level2_bp: 0, ..half }, "rule.level1_bp"),
        (CommissionRule { level1_bp: -1, ..half }, "rule.level1_bp"),
        (CommissionRule { level2_bp: -1, ..half }, "rule.level2_bp"),
        (CommissionRule { binding_valid_days: -1, ..half }, "rule.binding_valid_days"),
        (CommissionRule { protect_days: 3_651, ..half }, "rule.protect_days"),
    ] {
        assert_eq!(fields(&world.set_rule(rule).await.unwrap_err()), [field]);
    }
    assert_eq!(rule(&world, 1).await, half);
}

#[tokio::test]
async fn an_order_follows_the_rule_of_the_instant_at_which_it_was_paid() {
    let world = World::new().await;
    let orders = Orders::new(&world).await;
    let anna = world.promoter(1, "").await;
    world.click(9, &anna, -1_000).await;
    world.set_rule(CommissionRule { level1_bp: 500, ..generous() }).await.unwrap();
    world.clock.advance(TimeDelta::hours(10));
    world.set_rule(CommissionRule { level1_bp: 2_000, ..generous() }).await.unwrap();
    // Before the first rule imports earned nothing; the instants of the rules themselves belong to them.
    let told = [paid(1, 9, -1, &[1_000]), paid(2, 9, 0, &[1_000]), paid(3, 9, 9, &[1_000])];
    orders.tell(&told).await;
    orders.tell(&[paid(4, 9, 10, &[1_000])]).await;
    let all = world.all_commissions().await;
    let rates: Vec<(i32, i64)> =
        all.iter().rev().map(|c| (c.rate_bp, c.earned.as_ref().unwrap().minor_units)).collect();
    assert_eq!(rates, [(500, 50), (500, 50), (2_000, 200)]);
    assert_eq!(world.earned(&anna).await, 300);
    world.sound_ledger().await;
}
