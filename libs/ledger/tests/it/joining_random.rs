//! Random joins and parts among accounts that are used all the while: joined, a family is one account; parted, everybody has
//! what it was given less what it spent, as if there never had been a join.

use std::collections::BTreeMap;

use rand::{Rng, SeedableRng, rngs::StdRng, seq::SliceRandom};
use siyu_ledger::{
    AccountId, Action, Draw, Expired, Flags, Joint, Movement, Outcome, Transfer, TransferCode,
    TransferId,
};
use uuid::Uuid;

use crate::books::{Books, CODE, LOTS};

const JOIN: TransferCode = TransferCode::new(40);
const ACCOUNTS: usize = 5;
const STEPS: usize = 60;
const RUNS: u64 = 16;

/// What a posting did, to be reversed later.
struct Past {
    id: TransferId,
    account: usize,
    amount: i64,
}

struct Run {
    books: Books,
    rng: StdRng,
    flags: Flags,
    accounts: Vec<AccountId>,
    /// What each was given less what it spent.
    own: Vec<i64>,
    /// What open holds of each reserve, by hold.
    held: BTreeMap<TransferId, (usize, i64)>,
    /// Whom each is joined to.
    joined: Vec<Option<usize>>,
    past: Vec<Past>,
    joins: u128,
}

impl Run {
    async fn new(seed: u64, flags: Flags) -> Self {
        let books = Books::open().await;
        let mut accounts = Vec::new();
        for _ in 0..ACCOUNTS {
            accounts.push(books.account(flags).await);
        }
        Self {
            books,
            rng: StdRng::seed_from_u64(seed),
            flags,
            accounts,
            own: vec![0; ACCOUNTS],
            held: BTreeMap::new(),
            joined: vec![None; ACCOUNTS],
            past: Vec::new(),
            joins: u128::from(seed) << 32,
        }
    }

    fn root(&self, of: usize) -> usize {
        self.joined[of].map_or(of, |to| self.root(to))
    }

    fn reserved(&self, of: usize) -> i64 {
        self.held.values().filter(|(account, _)| *account == of).map(|(_, amount)| amount).sum()
    }

    async fn step(&mut self) {
        let account = self.rng.random_range(0..ACCOUNTS);
        let amount = self.rng.random_range(1..100);
        match self.rng.random_range(0..12) {
            0..=3 => {
                let id = self.books.give(self.accounts[account], amount).await;
                self.own[account] += amount;
                self.past.push(Past { id, account, amount });
            }
            4..=5 => self.spend(account, amount).await,
            6 => self.reverse().await,
            7 => self.hold(account, amount).await,
            8 => self.end_hold().await,
            9..=10 => self.join().await,
            _ => self.part().await,
        }
    }

    /// Somebody who knows an old id only spends by it; who may owe, owes.
    async fn spend(&mut self, account: usize, amount: i64) {
        let draw = if self.rng.random_bool(0.3) { Draw::Overdraft } else { Draw::ByLimits };
        let draw = if self.flags == LOTS { draw } else { Draw::ByLimits };
        let movement = Movement::new(self.accounts[account], self.books.source, amount).draw(draw);
        let transfer = Transfer::post(self.books.id(), CODE, movement);
        let available = self.books.available(self.accounts[self.root(account)]).await;
        let outcome = self.books.one(transfer).await;
        let may = self.flags == Flags::NONE || draw == Draw::Overdraft || available >= amount;
        assert_eq!(outcome.posted().is_ok(), may, "{outcome:?}, {available} for {amount}");
        if may {
            self.own[account] -= amount;
            self.past.push(Past { id: transfer.id, account, amount: -amount });
        }
    }

    async fn reverse(&mut self) {
        if self.past.is_empty() {
            return;
        }
        let at = self.rng.random_range(0..self.past.len());
        let Past { id: of, account, amount } = self.past.swap_remove(at);
        let draw = if self.flags == LOTS { Draw::Overdraft } else { Draw::ByLimits };
        let action = Action::Reverse { of, amount: None, draw, expired: Expired::Forfeit };
        let reverse = Transfer::reverse(self.books.id(), CODE, of);
        self.books.done(Transfer { action, ..reverse }).await;
        self.own[account] -= amount;
    }

    async fn hold(&mut self, account: usize, amount: i64) {
        let movement = Movement::new(self.accounts[account], self.books.source, amount);
        let hold = Transfer::pending(self.books.id(), CODE, movement, None);
        if matches!(self.books.one(hold).await, Outcome::Created(_)) {
            self.held.insert(hold.id, (account, amount));
        }
    }

    async fn end_hold(&mut self) {
        let Some((&hold, &(account, amount))) = self.held.iter().next() else { return };
        self.held.remove(&hold);
        let id = self.books.id();
        if self.rng.random_bool(0.5) {
            self.books.done(Transfer::post_pending(id, CODE, hold)).await;
            self.own[account] -= amount;
        } else {
            self.books.done(Transfer::void_pending(id, CODE, hold)).await;
        }
    }

    async fn join(&mut self) {
        let roots: Vec<usize> = (0..ACCOUNTS).filter(|n| self.joined[*n].is_none()).collect();
        if roots.len() < 2 {
            return;
        }
        let mut two = roots.clone();
        two.shuffle(&mut self.rng);
        let (from, to) = (two[0], two[1]);
        self.joins += 1;
        let mut tx = self.books.db().tenant(self.books.merchant).await.unwrap();
        let joint = [Joint { from: self.accounts[from], to: self.accounts[to] }];
        let reference = Uuid::from_u128(self.joins);
        siyu_ledger::join(&mut tx, &joint, reference, JOIN, self.books.now).await.unwrap();
        tx.commit().await.unwrap();
        self.joined[from] = Some(to);
    }

    async fn part(&mut self) {
        let mut joined: Vec<usize> = (0..ACCOUNTS).filter(|n| self.joined[*n].is_some()).collect();
        joined.shuffle(&mut self.rng);
        let Some(&account) = joined.first() else { return };
        let mut tx = self.books.db().tenant(self.books.merchant).await.unwrap();
        let parted = [self.accounts[account]];
        siyu_ledger::part(&mut tx, &parted, self.books.now).await.unwrap();
        tx.commit().await.unwrap();
        self.joined[account] = None;
    }

    /// A family is one account: its root has what all of them have, the others what their holds reserve.
    async fn compare(&self, what: &str) {
        let mut families: BTreeMap<usize, i64> = BTreeMap::new();
        for account in 0..ACCOUNTS {
            *families.entry(self.root(account)).or_default() += self.own[account];
        }
        for account in 0..ACCOUNTS {
            let has = self.books.balance(self.accounts[account]).await;
            if self.joined[account].is_some() {
                // An account without limits reserves nothing.
                let reserves = if self.flags == LOTS { self.reserved(account) } else { has };
                assert_eq!(has, reserves, "{what}: a joined account");
                *families.get_mut(&self.root(account)).unwrap() -= has;
            }
        }
        for (root, sum) in families {
            let has = self.books.balance(self.accounts[root]).await;
            assert_eq!(has, sum, "{what}: {root} of {:?}", self.joined);
        }
    }
}

async fn play(seed: u64, flags: Flags) {
    let mut run = Run::new(seed, flags).await;
    for step in 0..STEPS {
        run.step().await;
        run.compare(&format!("seed {seed}, {flags:?}, step {step}")).await;
    }
    while run.joined.iter().any(Option::is_some) {
        run.part().await;
        run.compare(&format!("seed {seed}, {flags:?}, parting")).await;
    }
    for (account, own) in run.accounts.iter().zip(&run.own) {
        assert_eq!(run.books.balance(*account).await, *own, "seed {seed}, {flags:?}");
    }
    run.books.assert_sound().await;
}

#[tokio::test]
async fn joined_a_family_is_one_account_and_parted_everybody_has_its_own() {
    for seed in 0..RUNS {
        play(seed, if seed.is_multiple_of(3) { Flags::NONE } else { LOTS }).await;
    }
}
