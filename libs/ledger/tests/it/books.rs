//! A merchant's books in a database of their own.

use chrono::{DateTime, TimeDelta, Utc};
use siyu_kernel::{Id, Ids};
use siyu_ledger::{
    Account, AccountCode, AccountId, AccountKey, Asset, Draw, Flags, Funds, MerchantId, Movement,
    NewAccount, Outcome, Posted, Transfer, TransferCode, TransferId,
};
use siyu_pg::{Db, Migration, base_migrations};
use siyu_testkit::{Database, SeededIds, merchant};

pub(crate) static SCHEMA: &[&[Migration]] = &[base_migrations(), siyu_ledger::MIGRATIONS];

pub(crate) const POINTS: Asset = Asset::new("points");
pub(crate) const CODE: TransferCode = TransferCode::new(1);
pub(crate) const KIND: AccountCode = AccountCode::new(1);
/// Points of members that may owe.
pub(crate) const LOTS: Flags = Flags::LOTS;
/// What a member has and cannot owe.
pub(crate) const OWNED: Flags = Flags::DEBITS_MUST_NOT_EXCEED_CREDITS;

pub(crate) struct Books {
    pub(crate) database: Database,
    pub(crate) merchant: MerchantId,
    pub(crate) ids: SeededIds,
    pub(crate) now: DateTime<Utc>,
    /// Where everything comes from: an account without limits.
    pub(crate) source: AccountId,
}

impl Books {
    pub(crate) async fn open() -> Self {
        let database = Database::fresh(SCHEMA).await;
        let now = at("2025-01-01T00:00:00Z");
        let (ids, source) = (SeededIds::new(1), Id::from_uuid(uuid::Uuid::nil()));
        let mut books = Self { database, merchant: merchant(1), ids, now, source };
        books.source = books.account(Flags::NONE).await;
        books
    }

    pub(crate) fn db(&self) -> &Db {
        self.database.db()
    }

    pub(crate) fn id(&self) -> TransferId {
        Id::from_uuid(self.ids.uuid())
    }

    /// A new account of points.
    pub(crate) async fn account(&self, flags: Flags) -> AccountId {
        self.account_of(POINTS, flags).await
    }

    pub(crate) async fn account_of(&self, asset: Asset, flags: Flags) -> AccountId {
        let (id, owner) = (Id::from_uuid(self.ids.uuid()), self.ids.uuid());
        let new = NewAccount::new(id, owner, KIND, asset).flags(flags);
        let mut tx = self.db().tenant(self.merchant).await.unwrap();
        let accounts = siyu_ledger::open(&mut tx, &[new], self.now).await.unwrap();
        tx.commit().await.unwrap();
        accounts[0].id
    }

    /// A new account with so many points.
    pub(crate) async fn account_with(&self, flags: Flags, amount: i64) -> AccountId {
        let account = self.account(flags).await;
        self.give(account, amount).await;
        account
    }

    pub(crate) async fn give(&self, to: AccountId, amount: i64) -> TransferId {
        self.take(self.source, to, amount).await
    }

    pub(crate) async fn take(&self, from: AccountId, to: AccountId, amount: i64) -> TransferId {
        self.done(Transfer::post(self.id(), CODE, Movement::new(from, to, amount))).await.id
    }

    pub(crate) async fn take_by(&self, draw: Draw, from: AccountId, amount: i64) -> Outcome {
        let movement = Movement::new(from, self.source, amount).draw(draw);
        self.post(&[Transfer::post(self.id(), CODE, movement)]).await[0]
    }

    pub(crate) fn spend(&self, from: AccountId, amount: i64) -> Transfer {
        Transfer::post(self.id(), CODE, Movement::new(from, self.source, amount))
    }

    pub(crate) async fn post(&self, transfers: &[Transfer]) -> Vec<Outcome> {
        let mut tx = self.db().tenant(self.merchant).await.unwrap();
        let outcomes = siyu_ledger::post(&mut tx, transfers, self.now).await.unwrap();
        tx.commit().await.unwrap();
        outcomes
    }

    pub(crate) async fn one(&self, transfer: Transfer) -> Outcome {
        self.post(&[transfer]).await[0]
    }

    pub(crate) async fn done(&self, transfer: Transfer) -> Posted {
        self.one(transfer).await.posted().unwrap()
    }

    pub(crate) async fn state(&self, id: AccountId) -> Account {
        let mut tx = self.db().tenant_read(self.merchant).await.unwrap();
        siyu_ledger::balances(&mut tx, &[id]).await.unwrap()[0]
    }

    pub(crate) async fn balance(&self, id: AccountId) -> i64 {
        self.state(id).await.balance()
    }

    pub(crate) async fn available(&self, id: AccountId) -> i64 {
        let mut tx = self.db().tenant_lookup(self.merchant).await.unwrap();
        let available = siyu_ledger::available(&mut tx, &[id], self.now).await.unwrap()[0];
        let account = siyu_ledger::balances(&mut tx, &[id]).await.unwrap()[0];
        let unknown = AccountKey { owner: id.uuid(), ..account.key };
        let funds = siyu_ledger::funds(&mut tx, &[unknown, account.key], self.now).await.unwrap();
        let known = Funds { balance: account.balance(), available };
        assert_eq!(funds, [None, Some(known)], "found by what it is known by, it is the same");
        available
    }

    /// What is left and held in each live lot of an account, in the order in which they are drawn.
    pub(crate) async fn lots(&self, id: AccountId) -> Vec<(i64, i64)> {
        let mut tx = self.db().tenant_read(self.merchant).await.unwrap();
        let lots = siyu_ledger::lots(&mut tx, &[id]).await.unwrap();
        lots.iter().map(|lot| (lot.remaining, lot.held)).collect()
    }

    pub(crate) fn pass(&mut self, time: TimeDelta) {
        self.now += time;
    }

    pub(crate) async fn assert_sound(&self) {
        let mut tx = self.db().system("test").await.unwrap();
        let report = siyu_ledger::check(&mut tx).await.unwrap();
        assert_eq!(report.findings, []);
        let balances = siyu_ledger::trial_balance(&mut tx).await.unwrap();
        assert!(balances.iter().all(siyu_ledger::TrialBalance::is_zero), "{balances:?}");
    }
}

pub(crate) fn at(instant: &str) -> DateTime<Utc> {
    instant.parse().unwrap()
}
