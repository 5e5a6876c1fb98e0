//! Many at once: nobody overdraws, nothing happens twice, nobody waits in a circle (rules 3, 4).

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use futures::future::join_all;
use rand::{Rng, SeedableRng, rngs::StdRng};
use siyu_ledger::{Error, Failure, Flags, Movement, Outcome, Transfer, trial_balance};

use crate::books::{Books, CODE, LOTS, OWNED};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixty_four_debits_at_once_never_overdraw() {
    let books = Books::open().await;
    for flags in [OWNED, LOTS] {
        let member = books.account_with(flags, 100).await;
        let debits = (0..64).map(|_| books.one(books.spend(member, 3)));
        let outcomes = join_all(debits).await;
        let done = outcomes.iter().filter(|o| matches!(o, Outcome::Created(_))).count();
        assert_eq!(done, 33, "33 times 3 of 100");
        assert_eq!((books.balance(member).await, books.available(member).await), (1, 1));
    }
    books.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_transfer_sent_fifty_times_at_once_happens_once() {
    let books = Books::open().await;
    let member = books.account(LOTS).await;
    let transfer = Transfer::post(books.id(), CODE, Movement::new(books.source, member, 5));
    let outcomes = join_all((0..50).map(|_| books.one(transfer))).await;
    let created = outcomes.iter().filter(|o| matches!(o, Outcome::Created(_))).count();
    let posted: Vec<_> = outcomes.iter().map(|o| o.posted().unwrap()).collect();
    assert_eq!(created, 1);
    assert!(posted.iter().all(|p| *p == posted[0]), "all hear the same");
    assert_eq!(books.balance(member).await, 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_id_for_two_transfers_at_once_goes_to_one_of_them() {
    let books = Books::open().await;
    let id = books.id();
    let mut accounts = Vec::new();
    for _ in 0..20 {
        accounts.push((books.account(Flags::NONE).await, books.account(Flags::NONE).await));
    }
    // No account in common, so no lock keeps them apart.
    let posts = accounts.iter().map(|(debit, credit)| async {
        let transfer = Transfer::post(id, CODE, Movement::new(*debit, *credit, 1));
        let mut tx = books.db().tenant(books.merchant).await.unwrap();
        let outcome = siyu_ledger::post(&mut tx, &[transfer], books.now).await?[0];
        tx.commit().await?;
        Ok(outcome)
    });
    let mut created = 0;
    for outcome in join_all(posts).await {
        match outcome {
            Ok(Outcome::Created(_)) => created += 1,
            Ok(Outcome::Failed(Failure::ExistsWithDifferent { .. })) | Err(Error::Raced) => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(created, 1);
    books.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn opening_one_account_many_times_at_once_opens_one() {
    let books = Books::open().await;
    let keys: Vec<_> = (0..10).map(uuid::Uuid::from_u128).collect();
    let opens = (0..20).map(|n: usize| {
        let (books, keys) = (&books, &keys);
        async move {
            // Each in another order.
            let mut owners = keys.clone();
            owners.rotate_left(n % 10);
            let new: Vec<_> = owners
                .into_iter()
                .map(|owner| {
                    let id = siyu_kernel::Id::from_uuid(books.id().uuid());
                    siyu_ledger::NewAccount::new(
                        id,
                        owner,
                        crate::books::KIND,
                        crate::books::POINTS,
                    )
                })
                .collect();
            let mut tx = books.db().tenant(books.merchant).await.unwrap();
            let accounts = siyu_ledger::open(&mut tx, &new, books.now).await.unwrap();
            tx.commit().await.unwrap();
            let mut ids: Vec<_> = accounts.iter().map(|account| account.id).collect();
            ids.sort();
            ids
        }
    });
    let opened = join_all(opens).await;
    assert!(opened.iter().all(|ids| *ids == opened[0] && ids.len() == 10));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_trial_balance_is_zero_at_any_instant() {
    let books = Books::open().await;
    let mut accounts = vec![books.source];
    for flags in [Flags::NONE, OWNED, LOTS, LOTS, LOTS | OWNED] {
        accounts.push(books.account_with(flags, 1000).await);
    }
    let stop = Arc::new(AtomicBool::new(false));
    let reader = {
        let (db, stop) = (books.db().clone(), Arc::clone(&stop));
        tokio::spawn(async move {
            let mut looks = 0;
            while !stop.load(Ordering::Relaxed) {
                let mut tx = db.system("test").await.unwrap();
                let balances = trial_balance(&mut tx).await.unwrap();
                assert!(balances.iter().all(siyu_ledger::TrialBalance::is_zero), "{balances:?}");
                let report = siyu_ledger::check(&mut tx).await.unwrap();
                assert_eq!(report.findings, [], "at look {looks}");
                looks += 1;
            }
            looks
        })
    };
    let writers = (0..8).map(|seed| write(&books, &accounts, seed));
    let done: usize = join_all(writers).await.into_iter().sum();
    stop.store(true, Ordering::Relaxed);
    let looks = reader.await.unwrap();
    assert!(done > 2000 && looks > 3, "{done} transfers under {looks} looks");
    books.assert_sound().await;
}

/// Random transfers between the accounts, in slices, in any order of accounts; gives how many took effect.
async fn write(books: &Books, accounts: &[siyu_ledger::AccountId], seed: u64) -> usize {
    let mut rng = StdRng::seed_from_u64(seed);
    let mut done = 0;
    let mut holds = Vec::new();
    for _ in 0..40 {
        let mut slice = Vec::new();
        for _ in 0..12 {
            let (debit, credit) =
                (rng.random_range(0..accounts.len()), rng.random_range(0..accounts.len()));
            let amount = rng.random_range(1..20);
            let movement = Movement::new(accounts[debit], accounts[credit], amount);
            let (id, roll) = (books.id(), rng.random_range(0..10));
            slice.push(match (roll, holds.pop()) {
                (0..4, Some(hold)) => Transfer::post_pending(id, CODE, hold),
                (4, Some(hold)) => Transfer::void_pending(id, CODE, hold),
                (5..7, _) => Transfer::pending(id, CODE, movement, None),
                (_, _) => Transfer::post(id, CODE, movement),
            });
        }
        let outcomes = books.post(&slice).await;
        for (transfer, outcome) in slice.iter().zip(outcomes) {
            if let Outcome::Created(posted) = outcome {
                done += 1;
                let held = matches!(transfer.action, siyu_ledger::Action::Pending { .. });
                holds.extend(held.then_some(posted.id));
            }
        }
    }
    done
}
