//! Value that is filled, given, paid out and corrected at random: what cards have is what their entries say, nothing comes from
//! nowhere, and no gift and no pay-out counts twice.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use proptest::{prelude::*, test_runner::TestRunner};
use siyu_kernel::Fault;
use siyu_proto::member::v1::*;
use tokio::runtime::Runtime;

use crate::{
    value::Till,
    value_adjustments::{adjust, by},
    value_gifts::{accept, cancel, give_some, transfer},
    value_redemptions::{approve, ask, reject},
};

const CARDS: usize = 3;

/// One step; numbers choose among what is there.
#[derive(Debug, Clone)]
enum Step {
    Fill { card: usize, principal: i64, bonus: i64 },
    Transfer { from: usize, to: usize, amount: i64 },
    Give { card: usize, amount: i64 },
    Accept { gift: usize },
    Cancel { gift: usize },
    Ask { card: usize },
    Approve { redemption: usize },
    Reject { redemption: usize },
    Adjust { card: usize, principal: i64, bonus: i64 },
    Wait { hours: i64 },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let card = || 0..8_usize;
    let amount = || 1..400_i64;
    let step = prop_oneof![
        4 => (card(), 1..500_i64, 0..300_i64)
            .prop_map(|(card, principal, bonus)| Step::Fill { card, principal, bonus }),
        4 => (card(), card(), amount())
            .prop_map(|(from, to, amount)| Step::Transfer { from, to, amount }),
        3 => (card(), amount()).prop_map(|(card, amount)| Step::Give { card, amount }),
        2 => (0..6_usize).prop_map(|gift| Step::Accept { gift }),
        2 => (0..6_usize).prop_map(|gift| Step::Cancel { gift }),
        1 => card().prop_map(|card| Step::Ask { card }),
        1 => (0..4_usize).prop_map(|redemption| Step::Approve { redemption }),
        1 => (0..4_usize).prop_map(|redemption| Step::Reject { redemption }),
        2 => (card(), -200..200_i64, -100..100_i64)
            .prop_map(|(card, principal, bonus)| Step::Adjust { card, principal, bonus }),
        2 => (1..40_i64).prop_map(|hours| Step::Wait { hours }),
    ];
    prop::collection::vec(step, 1..30)
}

/// What there is, and what came in and went out.
#[derive(Default)]
struct Round {
    cards: Vec<String>,
    gifts: Vec<(String, String)>,
    redemptions: Vec<String>,
    /// Principal that came in, less what was paid out or kept.
    principal: i64,
    /// Bonus that came in at most: what expires or voids is less.
    bonus_most: i64,
    /// How each gift and pay-out ended, to be sure that none does twice.
    ended: BTreeMap<String, usize>,
}

impl Round {
    async fn play(&mut self, till: &Till, step: &Step) {
        let card = |n: usize| self.cards[n % self.cards.len()].clone();
        match step {
            Step::Fill { card: n, principal, bonus } => {
                let filled = fill(till, card(*n), *principal, *bonus).await.is_ok();
                if filled {
                    self.principal += principal;
                    self.bonus_most += bonus;
                }
            }
            Step::Transfer { from, to, amount } => {
                drop(transfer(till, &card(*from), &card(*to), *amount).await);
            }
            Step::Give { card: n, amount } => {
                if let Ok(given) = give_some(till, &card(*n), *amount).await {
                    let gift = given.gift.unwrap();
                    self.cards.push(gift.card_id.clone());
                    self.gifts.push((gift.id, given.code));
                }
            }
            Step::Accept { gift } if !self.gifts.is_empty() => {
                let (id, code) = self.gifts[gift % self.gifts.len()].clone();
                let friend = till.person(&till.fresh()).await;
                let done = accept(till, &code, &friend).await.is_ok();
                *self.ended.entry(id).or_default() += usize::from(done);
            }
            Step::Cancel { gift } if !self.gifts.is_empty() => {
                let id = self.gifts[gift % self.gifts.len()].0.clone();
                let done = cancel(till, &id).await.is_ok();
                *self.ended.entry(id).or_default() += usize::from(done);
            }
            Step::Ask { card: n } => {
                if let Ok(asked) = ask(till, &card(*n), ValueFault::Merchant).await {
                    self.redemptions.push(asked.id);
                }
            }
            Step::Approve { redemption } if !self.redemptions.is_empty() => {
                let id = self.redemptions[redemption % self.redemptions.len()].clone();
                if let Ok(done) = approve(till, &id, "bert").await {
                    let paid = done.redemption.unwrap();
                    self.principal -= paid.principal_minor;
                    *self.ended.entry(id).or_default() += 1;
                }
            }
            Step::Reject { redemption } if !self.redemptions.is_empty() => {
                let id = self.redemptions[redemption % self.redemptions.len()].clone();
                let done = reject(till, &id).await.is_ok();
                *self.ended.entry(id).or_default() += usize::from(done);
            }
            Step::Adjust { card: n, principal, bonus } => {
                if adjust(till, by(till, &card(*n), *principal, *bonus)).await.is_ok() {
                    self.principal += principal;
                    self.bonus_most += bonus;
                }
            }
            Step::Wait { hours } => {
                till.world.clock.advance(TimeDelta::hours(*hours));
                till.run_jobs().await;
            }
            Step::Accept { .. }
            | Step::Cancel { .. }
            | Step::Approve { .. }
            | Step::Reject { .. } => {}
        }
    }

    async fn check(&self, till: &Till, what: &str) {
        let (mut principal, mut bonus) = (0, 0);
        for card in &self.cards {
            let shown = till.look(card).await;
            let has = (shown.principal_minor, shown.bonus_minor);
            assert!(has.0 >= 0 && has.1 >= 0, "{what}: {has:?}");
            assert_eq!(entries(till, card).await, has, "{what}: entries and balance");
            principal += has.0;
            bonus += has.1;
        }
        assert_eq!(principal, self.principal, "{what}: nothing from nowhere");
        assert!(bonus <= self.bonus_most.max(0) || bonus == 0, "{what}: {bonus}");
        assert!(self.ended.values().all(|times| *times <= 1), "{what}: {:?}", self.ended);
    }
}

/// Bonus that ends after two days.
async fn fill(till: &Till, card_id: String, pay_minor: i64, bonus_minor: i64) -> Result<(), Fault> {
    let plan = RechargePlan { pay_minor, bonus_minor, bonus_valid_days: 2, ..Default::default() };
    let plan_id = till.offer(plan).await?.id;
    let request = RechargeRequest { card_id, plan_id, ..Default::default() };
    till.recharge(request).await.map(drop)
}

/// What the entries of a card sum to.
async fn entries(till: &Till, card_id: &str) -> (i64, i64) {
    let request = ListValueCardEntriesRequest {
        card_id: card_id.into(),
        page_size: 1000,
        ..Default::default()
    };
    let reply = till.cards().list_value_card_entries(request).await.unwrap().into_inner();
    let add = |(principal, bonus), entry: &ValueCardEntry| {
        (principal + entry.principal_minor, bonus + entry.bonus_minor)
    };
    reply.entries.iter().fold((0, 0), add)
}

#[test]
fn whatever_goes_from_card_to_card_nothing_is_lost_and_nothing_comes_from_nowhere() {
    let runtime = Runtime::new().unwrap();
    let till = runtime.block_on(Till::new());
    let config = ProptestConfig { cases: 20, failure_persistence: None, ..Default::default() };
    let mut runner = TestRunner::new(config);
    let checked = runner.run(&steps(), |steps| {
        runtime.block_on(async {
            let mut round = Round::default();
            for _ in 0..CARDS {
                let person = till.person(&till.fresh()).await;
                round.cards.push(till.card(&person).await);
            }
            for (n, step) in steps.iter().enumerate() {
                round.play(&till, step).await;
                round.check(&till, &format!("step {n} of {steps:?}")).await;
            }
            till.run_jobs().await;
            round.check(&till, &format!("after {steps:?}")).await;
        });
        Ok(())
    });
    checked.unwrap();
    runtime.block_on(till.sound());
}
