//! What is in the ledger: accounts, spendable amounts, entries, lots.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use siyu_pg::Tx;
use uuid::Uuid;

use crate::{
    Account, AccountId, AccountKey, Error, Lot, Move, Record, TransferId, record::micros, store,
};

/// A transfer as one of its two accounts saw it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// Its number among the entries of the account, from 1 without gaps.
    pub number: i64,
    /// How it changed the balance; 0 where it only reserved or released.
    pub change: i64,
    /// The balance after it.
    pub balance: i64,
    /// The transfer.
    pub record: Record,
}

/// Which entries of an account: so many, older than one that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EntryPage {
    /// The number of the last entry of the page before; none for the newest entries.
    pub before: Option<i64>,
    /// How many at most.
    pub limit: u16,
}

/// What is in an account at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub struct Funds {
    /// Posted credits less posted debits; negative while the account owes.
    pub balance: i64,
    /// What can be spent, as [`available`] says.
    pub available: i64,
}

/// Finds accounts; the answers are in the order of the keys.
pub async fn find(tx: &mut Tx, keys: &[AccountKey]) -> Result<Vec<Option<Account>>, Error> {
    let merchant = tx.merchant();
    let found = store::accounts::find(tx, merchant, keys).await?;
    let by_key: HashMap<_, _> = found.iter().map(|account| (account.key, account)).collect();
    Ok(keys.iter().map(|key| by_key.get(key).map(|account| **account)).collect())
}

/// Every account of an owner, by code and asset.
pub async fn accounts_of(tx: &mut Tx, owner: Uuid) -> Result<Vec<Account>, Error> {
    let merchant = tx.merchant();
    Ok(store::accounts::of_owner(tx, merchant, owner).await?)
}

/// The accounts with their four counters, in the order of the ids.
///
/// # Errors
/// [`Error::AccountNotFound`] when one of them does not exist.
pub async fn balances(tx: &mut Tx, ids: &[AccountId]) -> Result<Vec<Account>, Error> {
    let merchant = tx.merchant();
    let found = store::accounts::list(tx, merchant, ids).await?;
    let by_id: HashMap<_, _> = found.iter().map(|account| (account.id, account)).collect();
    let get = |id: &AccountId| by_id.get(id).map(|account| **account);
    ids.iter().map(|id| get(id).ok_or(Error::AccountNotFound(*id))).collect()
}

/// What can be spent at that instant, in the order of the ids: the balance less open holds and, where the account keeps
/// lots, less what is not yet or no longer available. Negative while the account owes.
///
/// # Errors
/// [`Error::AccountNotFound`] when one of them does not exist.
pub async fn available(
    tx: &mut Tx,
    ids: &[AccountId],
    now: DateTime<Utc>,
) -> Result<Vec<i64>, Error> {
    let merchant = tx.merchant();
    let found = store::read::funds(tx, merchant, ids, micros(now)).await?;
    let by_id: HashMap<_, _> = found.iter().map(|row| (row.id, row.funds.available)).collect();
    ids.iter().map(|id| by_id.get(id).copied().ok_or(Error::AccountNotFound(*id))).collect()
}

/// What is in accounts at that instant, in the order of the keys; none for one that is not open.
pub async fn funds(
    tx: &mut Tx,
    keys: &[AccountKey],
    now: DateTime<Utc>,
) -> Result<Vec<Option<Funds>>, Error> {
    let merchant = tx.merchant();
    let found = store::read::funds_of(tx, merchant, keys, micros(now)).await?;
    let by_key: HashMap<_, _> = found.iter().map(|row| (row.key, row.funds)).collect();
    Ok(keys.iter().map(|key| by_key.get(key).copied()).collect())
}

/// The entries of an account, newest first.
pub async fn entries(
    tx: &mut Tx,
    account: AccountId,
    page: EntryPage,
) -> Result<Vec<Entry>, Error> {
    let merchant = tx.merchant();
    let before = page.before.unwrap_or(i64::MAX);
    let records =
        store::read::entries(tx, merchant, account, before, i64::from(page.limit)).await?;
    Ok(records.into_iter().map(|record| Entry::of(record, account)).collect())
}

/// Transfers about one thing (an order, a refund), in the order of their instants.
pub async fn about(tx: &mut Tx, reference: Uuid) -> Result<Vec<Record>, Error> {
    let merchant = tx.merchant();
    Ok(store::read::about(tx, merchant, reference).await?)
}

/// Transfers of the journal by id; those that are not in it are left out. What is in the journal never changes.
pub async fn transfers(
    tx: &mut Tx,
    ids: &[TransferId],
) -> Result<HashMap<TransferId, Record>, Error> {
    let merchant = tx.merchant();
    let found = store::read::transfers(tx, merchant, ids).await?;
    Ok(found.into_iter().map(|record| (record.id, record)).collect())
}

/// The lots of accounts that have something left, and what the accounts owe, account by account in the order in which
/// they are drawn.
pub async fn lots(tx: &mut Tx, accounts: &[AccountId]) -> Result<Vec<Lot>, Error> {
    let merchant = tx.merchant();
    Ok(store::read::live_lots(tx, merchant, accounts).await?)
}

/// What transfers did to lots, transfer by transfer in order.
pub async fn moves(tx: &mut Tx, transfers: &[TransferId]) -> Result<Vec<Move>, Error> {
    let merchant = tx.merchant();
    Ok(store::load::moves(tx, merchant, transfers).await?)
}

impl Entry {
    fn of(record: Record, account: AccountId) -> Self {
        let moved = if record.kind.moves_units() { record.amount } else { 0 };
        let (number, change, balance) = if record.debit == account {
            (record.debit_entry, -moved, record.debit_balance)
        } else {
            (record.credit_entry, moved, record.credit_balance)
        };
        Self { number, change, balance, record }
    }
}
