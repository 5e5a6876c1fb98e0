//! The plan against a model that counts single coins.

use std::collections::{BTreeMap, HashSet};

use chrono::DateTime;

use super::{Working, plan};
use crate::{Account, AccountCode, AccountKey, Flags, Lot, Outcome};

#[path = "../../tests/it/model.rs"]
mod model;
#[path = "../../tests/it/model_moves.rs"]
mod model_moves;
#[path = "../../tests/it/random.rs"]
mod random;

use model::{Instant, Model, Verdict};
use random::Generator;

fn start() -> Instant {
    DateTime::from_timestamp(1_700_000_000, 0).unwrap()
}

fn opened(generator: &Generator) -> (Working, Model) {
    let (mut work, mut model) = (Working::default(), Model::default());
    for &(id, asset, flags) in &generator.accounts {
        let key = AccountKey { owner: id.uuid(), code: AccountCode::new(1), asset };
        let account = Account {
            id,
            key,
            flags,
            debits_posted: 0,
            credits_posted: 0,
            debits_pending: 0,
            credits_pending: 0,
            entries: 0,
            joined: crate::Joined::default(),
            created_at: generator.now,
        };
        work.accounts.insert(id, account);
        model.open(id, asset, flags);
    }
    (work, model)
}

fn agree(outcome: &Outcome, verdict: &Verdict) -> bool {
    match (outcome, verdict) {
        (Outcome::Created(p), Verdict::Created(amount, balances))
        | (Outcome::Exists(p), Verdict::Exists(amount, balances)) => {
            (p.amount, (p.debit_balance, p.credit_balance)) == (*amount, *balances)
        }
        (Outcome::Failed(failure), Verdict::Refused(rules)) => rules.contains(failure),
        (_, _) => false,
    }
}

fn compare(work: &Working, model: &Model, seed: u64) {
    for (id, purse) in &model.purses {
        let account = work.accounts[id];
        let counters = (
            account.debits_posted,
            account.credits_posted,
            account.debits_pending,
            account.credits_pending,
            account.entries,
        );
        let expected = (
            purse.debits,
            purse.credits,
            purse.debits_pending,
            purse.credits_pending,
            purse.entries,
        );
        assert_eq!(counters, expected, "counters of {id}, seed {seed}");
        let live = work.lots_of(*id).filter(|lot| lot.remaining != 0).copied();
        let lots: BTreeMap<_, _> = live.map(|lot| (lot.id, lot)).collect();
        let expected = purse.lots(*id);
        assert_eq!(lots.len(), expected.len(), "lots of {id}, seed {seed}");
        for (id, (remaining, held, terms)) in expected {
            assert_eq!(
                (lots[&id].remaining, lots[&id].held),
                (remaining, held),
                "{id}, seed {seed}"
            );
            assert!(terms.is_none_or(|terms| terms == lots[&id].terms), "{id}, seed {seed}");
        }
        let sum = |column: fn(&Lot) -> i64| lots.values().map(column).sum::<i64>();
        let (lots, held) = (sum(|lot| lot.remaining), sum(|lot| lot.held));
        if account.flags.has(Flags::LOTS) {
            assert_eq!((lots, held), (account.balance(), account.debits_pending), "seed {seed}");
        }
    }
}

#[test]
fn whatever_is_asked_the_plan_does_what_the_model_does() {
    let (mut created, mut kinds, mut refusals) = (0, HashSet::new(), HashSet::new());
    for seed in 0..80 {
        let mut generator = Generator::new(seed, start());
        let (mut work, mut model) = opened(&generator);
        for _ in 0..60 {
            let slice = generator.slice(20, &model);
            let verdicts = model.post(&slice, generator.now);
            let outcomes = plan(&mut work, &slice, generator.now);
            for ((transfer, outcome), verdict) in slice.iter().zip(&outcomes).zip(&verdicts) {
                refusals
                    .extend(outcome.posted().err().map(|failure| std::mem::discriminant(&failure)));
                assert!(
                    agree(outcome, verdict),
                    "seed {seed}: {transfer:?}\nplan: {outcome:?}\nmodel: {verdict:?}"
                );
            }
            compare(&work, &model, seed);
        }
        created += work.created.len();
        kinds.extend(work.created.iter().map(|id| work.records[id].kind));
    }
    assert!(created > 25_000, "much of what is asked takes effect: {created}");
    assert_eq!(kinds.len(), 6, "every kind took effect: {kinds:?}");
    // Of 24: all but the overflow, which has a test of its own.
    assert_eq!(refusals.len(), 23, "every refusal came up");
}
