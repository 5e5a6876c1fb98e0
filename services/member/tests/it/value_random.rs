//! Whatever is done with cards, in whatever order: what they have is what a model says that knows no database, no ledger and
//! no lots of anybody else.

use chrono::TimeDelta;
use proptest::{prelude::*, test_runner::TestRunner};
use siyu_proto::member::v1::ValueFault;
use tokio::runtime::Runtime;

use crate::{
    value::Till,
    value_model::{Did, Model},
};

pub(crate) const CARDS: usize = 3;

/// One step; numbers choose among what is there.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    Fill { card: usize, principal: i64, bonus: i64 },
    Pay { charges: Vec<(usize, i64)>, hold: bool },
    Capture { payment: usize, amount: i64 },
    Void { payment: usize },
    Refund { payment: usize, amount: i64 },
    TakeBack { recharge: usize, merchant: bool },
    Wait { minutes: i64 },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let charges = prop::collection::btree_map(0..CARDS, 1..400_i64, 1..=CARDS)
        .prop_map(|charges| charges.into_iter().collect::<Vec<_>>());
    let amount = || prop_oneof![Just(0_i64), 1..300_i64];
    let step = prop_oneof![
        3 => (0..CARDS, 1..500_i64, prop_oneof![Just(0_i64), 1..300_i64])
            .prop_map(|(card, principal, bonus)| Step::Fill { card, principal, bonus }),
        5 => (charges, any::<bool>()).prop_map(|(charges, hold)| Step::Pay { charges, hold }),
        3 => (0..9_usize, amount()).prop_map(|(payment, amount)| Step::Capture { payment, amount }),
        1 => (0..9_usize).prop_map(|payment| Step::Void { payment }),
        4 => (0..9_usize, amount()).prop_map(|(payment, amount)| Step::Refund { payment, amount }),
        1 => (0..9_usize, any::<bool>())
            .prop_map(|(recharge, merchant)| Step::TakeBack { recharge, merchant }),
        1 => (1..20_i64).prop_map(|minutes| Step::Wait { minutes }),
    ];
    prop::collection::vec(step, 1..30)
}

/// What the service calls the things of a round.
#[derive(Default)]
struct Names {
    cards: Vec<String>,
    payments: Vec<String>,
    recharges: Vec<String>,
}

#[test]
fn whatever_is_done_with_cards_they_have_what_the_model_says() {
    let runtime = Runtime::new().unwrap();
    let till = runtime.block_on(Till::new());
    let config = ProptestConfig { cases: 24, failure_persistence: None, ..Default::default() };
    let mut runner = TestRunner::new(config);
    let checked = runner.run(&steps(), |steps| {
        runtime.block_on(round(&till, &steps));
        Ok(())
    });
    checked.unwrap();
    runtime.block_on(till.sound());
}

async fn round(till: &Till, steps: &[Step]) {
    let (mut names, mut model) = (Names::default(), Model::new(CARDS));
    for _ in 0..CARDS {
        let person = till.person(&till.fresh()).await;
        names.cards.push(till.card(&person).await);
    }
    for (n, step) in steps.iter().enumerate() {
        let did = play(till, &mut names, step, &model).await;
        let expected = model.play(step);
        assert_eq!(did, expected, "step {n} of {steps:?}");
        for (card, name) in names.cards.iter().enumerate() {
            assert_eq!(
                till.has(name).await,
                model.available(card),
                "card {card} after {n} of {steps:?}"
            );
        }
    }
    till.run_jobs().await;
    for (card, name) in names.cards.iter().enumerate() {
        let shown = till.look(name).await;
        let total = (shown.principal_minor, shown.bonus_minor);
        assert_eq!(total, model.total(card), "card {card} after {steps:?}");
    }
}

/// Does a step with the service.
async fn play(till: &Till, names: &mut Names, step: &Step, model: &Model) -> Did {
    let pick =
        |names: &[String], n: usize| (!names.is_empty()).then(|| names[n % names.len()].clone());
    match step {
        Step::Fill { card, principal, bonus } => {
            let recharge = till.fill(&names.cards[*card], *principal, *bonus).await;
            names.recharges.push(recharge.id);
            Did::Done
        }
        Step::Pay { charges, hold } => {
            let charges: Vec<(&str, i64)> = charges
                .iter()
                .map(|&(card, amount)| (names.cards[card].as_str(), amount))
                .collect();
            let made = if *hold { till.hold(&charges).await } else { till.pay(&charges).await };
            match made {
                Ok(payment) => {
                    let gave = crate::value::gave(&payment);
                    names.payments.push(payment.id);
                    Did::Gave(gave)
                }
                Err(refused) => Did::Refused(refused.reason().to_owned()),
            }
        }
        Step::Capture { payment, amount } => match pick(&names.payments, *payment) {
            Some(id) => Did::of(till.capture(&id, *amount).await, crate::value::gave),
            None => Did::Nothing,
        },
        Step::Void { payment } => match pick(&names.payments, *payment) {
            Some(id) => Did::of(till.void(&id).await, |_| Vec::new()),
            None => Did::Nothing,
        },
        Step::Refund { payment, amount } => match pick(&names.payments, *payment) {
            Some(id) => Did::of(till.refund(&id, *amount).await, |reply| {
                let parts = reply.payment.as_ref().unwrap().parts.iter();
                parts.map(|p| (p.refunded_principal_minor, p.refunded_bonus_minor)).collect()
            }),
            None => Did::Nothing,
        },
        Step::TakeBack { recharge, merchant } => match pick(&names.recharges, *recharge) {
            Some(id) => {
                let blame = if *merchant { ValueFault::Merchant } else { ValueFault::Consumer };
                Did::of(till.take_back(&id, blame).await, |back| {
                    vec![(back.refunded_minor, back.bonus_taken_minor), (back.kept_minor, 0)]
                })
            }
            None => Did::Nothing,
        },
        Step::Wait { minutes } => {
            till.world.clock.advance(TimeDelta::minutes(*minutes));
            assert!(model.is_well(), "no balance of the model is negative");
            // Whether the job has come round makes no difference to holds whose time is over, but to what they reserve.
            till.run_jobs().await;
            Did::Done
        }
    }
}
