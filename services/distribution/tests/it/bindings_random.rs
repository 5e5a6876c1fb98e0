//! Whatever clicks come, in whatever order and under whatever rules: never two promoters at one instant, and never a gap in
//! what was told.

use std::cell::Cell;

use proptest::{prelude::*, test_runner::TestRunner};
use siyu_proto::distribution::v1::*;
use tokio::runtime::Runtime;

use crate::world::{World, generous, hour};

/// Pairs of bindings of one customer that are in force at one instant, and bindings that end before they begin.
pub(crate) const DOUBLE: &str = "
    select count(*)
    from bindings a
    join bindings b on b.merchant_id = a.merchant_id and b.person_id = a.person_id and b.id >= a.id
    where case when a.id = b.id
        then least(a.ended_at, a.expires_at) < a.bound_at
        else tstzrange(a.bound_at, least(a.ended_at, a.expires_at))
            && tstzrange(b.bound_at, least(b.ended_at, b.expires_at)) end";

/// Clicks (promoter, hour before the start), and rules (days valid, days protected) that are set in between.
#[derive(Debug, Clone)]
enum Act {
    Click(usize, i64),
    Rule(i32, i32),
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        5 => (0..3_usize, -2_000..0_i64).prop_map(|(promoter, at)| Act::Click(promoter, at)),
        1 => (0..20_i32, 0..20_i32).prop_map(|(valid, protect)| Act::Rule(valid, protect)),
    ];
    prop::collection::vec(act, 1..14)
}

async fn play(world: &World, promoters: &[String], acts: &[Act], customer: u32) {
    let mut told = world.told::<CustomerBound>().await.len();
    for act in acts {
        match act {
            Act::Rule(binding_valid_days, protect_days) => {
                let (valid, protect) = (*binding_valid_days, *protect_days);
                let rule = CommissionRule {
                    binding_valid_days: valid,
                    protect_days: protect,
                    ..generous()
                };
                world.set_rule(rule).await.unwrap();
            }
            Act::Click(promoter, at) => {
                let before = world.bound_to(customer, hour(*at)).await;
                let (outcome, binding) = world.click(customer, &promoters[*promoter], *at).await;
                let after = world.bound_to(customer, hour(*at)).await;
                assert_eq!(after, binding.map(|binding| binding.promoter_id), "{acts:?}");
                match outcome {
                    BindOutcome::Bound | BindOutcome::Rebound => {
                        assert_eq!(after.as_ref(), Some(&promoters[*promoter]));
                        told += 1;
                    }
                    BindOutcome::Refreshed => assert_eq!(after, before),
                    BindOutcome::Protected | BindOutcome::Outdated => {
                        assert_eq!(after, before, "{acts:?}");
                    }
                    BindOutcome::Self_ | BindOutcome::Unspecified => panic!("{outcome:?}"),
                }
                let now = world.told::<CustomerBound>().await.len();
                assert!(
                    now == told || (outcome == BindOutcome::Refreshed && now == told + 1),
                    "{acts:?}"
                );
                told = now;
            }
        }
    }
}

#[test]
fn a_customer_belongs_to_one_promoter_at_most_at_any_instant() {
    let runtime = Runtime::new().unwrap();
    let (world, promoters) = runtime.block_on(async {
        let world = World::new().await;
        let mut promoters = Vec::new();
        for n in 1..=3 {
            promoters.push(world.promoter(n, "").await);
        }
        (world, promoters)
    });
    let customer = Cell::new(1_000);
    let mut runner = TestRunner::new(ProptestConfig::with_cases(40));
    let played = runner.run(&acts(), |acts| {
        customer.set(customer.get() + 1);
        runtime.block_on(play(&world, &promoters, &acts, customer.get()));
        prop_assert_eq!(runtime.block_on(world.count(DOUBLE)), 0, "{:?}", acts);
        Ok(())
    });
    played.unwrap();
}
