//! Random transfers on a database that fails at random, against the model: 100,000 of them.
//!
//! A slice is dropped before its commit, cancelled in the middle of a statement, its server process is killed, or its
//! commit is not heard of. Then it is posted again, as a client would. Whatever happened, the ledger is what the model is,
//! and it is sound.

use std::{
    collections::BTreeMap,
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::Poll,
};

use chrono::{DateTime, Utc};
use rand::{Rng, seq::IndexedRandom};
use siyu_ledger::{AccountCode, AccountKey, NewAccount, Outcome, Transfer};
use siyu_pg::{Db, Tx};
use sqlx::PgConnection;

use super::{
    books::Books,
    model::{Model, Verdict},
    random::Generator,
};

const TRANSFERS: usize = 100_000;
const SLICE: usize = 500;

/// What goes wrong with a slice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Mishap {
    Nothing,
    DroppedBeforeCommit,
    CancelledAfterPolls(u32),
    KilledWhilePosting,
    KilledBeforeCommit,
    KilledWhileCommitting,
    CommitUnheard,
}

/// How a slice went, as far as the poster knows.
enum Heard {
    Outcomes(Vec<Outcome>),
    /// It had no effect.
    Lost,
    /// It had an effect.
    Unheard,
    /// It had an effect or not.
    Unknown,
}

struct Run {
    books: Books,
    model: Model,
    killer: PgConnection,
    mishaps: BTreeMap<String, usize>,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_thousand_transfers_on_a_failing_database_come_out_as_in_the_model() {
    let books = Books::open().await;
    let mut generator = Generator::new(20_250_101, books.now);
    let killer = books.database.owner().await;
    let mut run = Run { books, model: Model::default(), killer, mishaps: BTreeMap::new() };
    run.open(&generator).await;
    let stop = Arc::new(AtomicBool::new(false));
    let watch = tokio::spawn(watch(run.books.db().clone(), Arc::clone(&stop)));

    let (mut asked, mut created) = (0, 0);
    while asked < TRANSFERS {
        let slice = generator.slice(SLICE, &run.model);
        asked += slice.len();
        created += run.post(&slice, &mut generator).await;
        if asked % 10_000 < SLICE {
            run.compare().await;
        }
    }
    stop.store(true, Ordering::Relaxed);
    let looks = watch.await.unwrap();
    run.compare().await;
    run.books.assert_sound().await;
    assert!(created > 20_000, "{created} of {asked} took effect");
    assert!(run.mishaps.len() == 7 && run.mishaps.values().all(|n| *n > 2), "{:?}", run.mishaps);
    assert!(looks > 50, "{looks} looks at the trial balance");
}

/// Looks at the trial balance all the while.
async fn watch(db: Db, stop: Arc<AtomicBool>) -> usize {
    let mut looks = 0;
    while !stop.load(Ordering::Relaxed) {
        let mut tx = db.system("test").await.unwrap();
        let balances = siyu_ledger::trial_balance(&mut tx).await.unwrap();
        assert!(balances.iter().all(siyu_ledger::TrialBalance::is_zero), "{balances:?}");
        looks += 1;
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    looks
}

impl Run {
    async fn open(&mut self, generator: &Generator) {
        let new: Vec<_> = generator
            .accounts
            .iter()
            .map(|&(id, asset, flags)| {
                self.model.open(id, asset, flags);
                let key = AccountKey { owner: id.uuid(), code: AccountCode::new(1), asset };
                NewAccount { id, key, flags }
            })
            .collect();
        let mut tx = self.tenant().await;
        siyu_ledger::open(&mut tx, &new, generator.now).await.unwrap();
        tx.commit().await.unwrap();
    }

    async fn tenant(&self) -> Tx {
        self.books.db().tenant(self.books.merchant).await.unwrap()
    }

    /// Posts a slice until the poster hears what became of it; gives how many transfers took effect.
    async fn post(&mut self, slice: &[Transfer], generator: &mut Generator) -> usize {
        loop {
            let mishap = choose(generator);
            let name = format!("{mishap:?}");
            let name = name.split('(').next().unwrap_or_default();
            *self.mishaps.entry(name.to_owned()).or_default() += 1;
            match self.attempt(slice, generator.now, mishap).await {
                Heard::Outcomes(outcomes) => {
                    let verdicts = self.model.post(slice, generator.now);
                    for ((transfer, outcome), verdict) in slice.iter().zip(&outcomes).zip(verdicts)
                    {
                        assert!(agree(outcome, &verdict), "{transfer:?}: {outcome:?}, {verdict:?}");
                    }
                    return outcomes.iter().filter(|o| matches!(o, Outcome::Created(_))).count();
                }
                Heard::Lost => {}
                Heard::Unheard => {
                    self.model.post(slice, generator.now);
                }
                Heard::Unknown => {
                    if self.count().await != self.model.done.len() {
                        self.model.post(slice, generator.now);
                    }
                }
            }
            assert_eq!(self.count().await, self.model.done.len(), "all of it or nothing");
        }
    }

    async fn attempt(&mut self, slice: &[Transfer], now: DateTime<Utc>, mishap: Mishap) -> Heard {
        let mut tx = self.tenant().await;
        let pid: i32 =
            sqlx::query_scalar("select pg_backend_pid()").fetch_one(&mut *tx).await.unwrap();
        let post = siyu_ledger::post(&mut tx, slice, now);
        let outcomes = match mishap {
            Mishap::CancelledAfterPolls(polls) => give_up_after(polls, pin!(post)).await,
            // Whether it was faster than the killer or not, it cannot commit any more.
            Mishap::KilledWhilePosting => {
                let _ = futures::join!(post, kill(&mut self.killer, pid));
                None
            }
            Mishap::Nothing
            | Mishap::DroppedBeforeCommit
            | Mishap::KilledBeforeCommit
            | Mishap::KilledWhileCommitting
            | Mishap::CommitUnheard => Some(post.await),
        };
        let Some(outcomes) = outcomes else {
            let dead = mishap == Mishap::KilledWhilePosting;
            assert!(!dead || tx.commit().await.is_err());
            return Heard::Lost;
        };
        let outcomes = outcomes.unwrap();
        match mishap {
            Mishap::DroppedBeforeCommit => Heard::Lost,
            Mishap::KilledBeforeCommit => {
                kill(&mut self.killer, pid).await;
                assert!(tx.commit().await.is_err());
                Heard::Lost
            }
            Mishap::KilledWhileCommitting => {
                match futures::join!(tx.commit(), kill(&mut self.killer, pid)).0 {
                    Ok(()) => Heard::Outcomes(outcomes),
                    Err(_) => Heard::Unknown,
                }
            }
            Mishap::CommitUnheard => {
                tx.commit().await.unwrap();
                Heard::Unheard
            }
            Mishap::Nothing | Mishap::CancelledAfterPolls(_) | Mishap::KilledWhilePosting => {
                tx.commit().await.unwrap();
                Heard::Outcomes(outcomes)
            }
        }
    }

    async fn count(&mut self) -> usize {
        let count: i64 = sqlx::query_scalar("select count(*) from ledger_transfers")
            .fetch_one(&mut self.killer)
            .await
            .unwrap();
        usize::try_from(count).unwrap()
    }

    /// Every counter of every account and every lot is what the model has.
    async fn compare(&mut self) {
        let ids: Vec<_> = self.model.purses.keys().copied().collect();
        let mut tx = self.tenant().await;
        let accounts = siyu_ledger::balances(&mut tx, &ids).await.unwrap();
        for (account, purse) in accounts.iter().zip(self.model.purses.values()) {
            let counters = [
                account.debits_posted,
                account.credits_posted,
                account.debits_pending,
                account.credits_pending,
                account.entries,
            ];
            let expected = [
                purse.debits,
                purse.credits,
                purse.debits_pending,
                purse.credits_pending,
                purse.entries,
            ];
            assert_eq!(counters, expected, "{}", account.id);
        }
        let lots = siyu_ledger::lots(&mut tx, &ids).await.unwrap();
        let mut expected: BTreeMap<_, _> =
            self.model.purses.iter().flat_map(|(id, purse)| purse.lots(*id)).collect();
        for lot in lots {
            let (remaining, held, terms) = expected.remove(&lot.id).expect("the model has the lot");
            assert_eq!((lot.remaining, lot.held), (remaining, held), "{}", lot.id);
            assert!(terms.is_none_or(|terms| terms == lot.terms), "{}", lot.id);
        }
        assert!(expected.is_empty(), "lots are missing: {expected:?}");
    }
}

fn choose(generator: &mut Generator) -> Mishap {
    if generator.rng.random_bool(0.6) {
        return Mishap::Nothing;
    }
    let polls = generator.rng.random_range(1..40);
    *[
        Mishap::DroppedBeforeCommit,
        Mishap::CancelledAfterPolls(polls),
        Mishap::KilledWhilePosting,
        Mishap::KilledBeforeCommit,
        Mishap::KilledWhileCommitting,
        Mishap::CommitUnheard,
    ]
    .choose(&mut generator.rng)
    .expect("there are several")
}

/// Drops a future in the middle of whatever it waits for.
async fn give_up_after<F: Future>(polls: u32, mut future: Pin<&mut F>) -> Option<F::Output> {
    let mut left = polls;
    std::future::poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending if left == 0 => Poll::Ready(None),
        Poll::Pending => {
            left -= 1;
            Poll::Pending
        }
    })
    .await
}

/// Ends a server process, and waits until it has ended.
async fn kill(killer: &mut PgConnection, pid: i32) {
    let end = sqlx::query("select pg_terminate_backend($1)").bind(pid);
    end.execute(&mut *killer).await.unwrap();
    loop {
        let alive =
            sqlx::query_scalar("select exists (select from pg_stat_activity where pid = $1)");
        let alive: bool = alive.bind(pid).fetch_one(&mut *killer).await.unwrap();
        if !alive {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
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
