//! Opens accounts, or finds those that are open.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use siyu_pg::Tx;

use crate::{Account, AccountKey, Error, MAX_BATCH, NewAccount, record::micros, store};

/// Opens the accounts whose key is not taken, and gives all of them in the order asked for. Asking again changes nothing.
///
/// # Errors
/// [`Error::AccountDiffers`] when an account is open with other flags; [`Error::TooMany`].
pub async fn open(
    tx: &mut Tx,
    accounts: &[NewAccount],
    now: DateTime<Utc>,
) -> Result<Vec<Account>, Error> {
    let merchant = tx.merchant();
    if accounts.len() > MAX_BATCH {
        return Err(Error::TooMany { given: accounts.len(), most: MAX_BATCH });
    }
    let keys: Vec<_> = accounts.iter().map(|account| account.key).collect();
    let mut found = by_key(store::accounts::find(tx, merchant, &keys).await?);
    let missing =
        accounts.iter().filter(|account| !found.contains_key(&account.key)).copied().collect();
    insert(tx, missing, &mut found, now).await?;
    accounts.iter().map(|wanted| pick(&found, wanted)).collect()
}

/// The same for accounts that are most likely not open, because what they are of has just come to be: one statement where
/// [`open`] needs two.
///
/// # Errors
/// As [`open`].
pub async fn open_new(
    tx: &mut Tx,
    accounts: &[NewAccount],
    now: DateTime<Utc>,
) -> Result<Vec<Account>, Error> {
    if accounts.len() > MAX_BATCH {
        return Err(Error::TooMany { given: accounts.len(), most: MAX_BATCH });
    }
    let mut found = HashMap::new();
    insert(tx, accounts.to_vec(), &mut found, now).await?;
    accounts.iter().map(|wanted| pick(&found, wanted)).collect()
}

/// Opens accounts that were not found, and finds those that somebody else has opened meanwhile.
async fn insert(
    tx: &mut Tx,
    mut missing: Vec<NewAccount>,
    found: &mut HashMap<AccountKey, Account>,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    if missing.is_empty() {
        return Ok(());
    }
    let merchant = tx.merchant();
    missing.sort_by_key(|account| account.key);
    missing.dedup_by_key(|account| account.key);
    found.extend(by_key(store::accounts::insert(tx, merchant, &missing, micros(now)).await?));
    let keys = missing.iter().map(|account| account.key);
    let keys: Vec<_> = keys.filter(|key| !found.contains_key(key)).collect();
    if !keys.is_empty() {
        found.extend(by_key(store::accounts::find(tx, merchant, &keys).await?));
    }
    Ok(())
}

fn by_key(accounts: Vec<Account>) -> HashMap<AccountKey, Account> {
    accounts.into_iter().map(|account| (account.key, account)).collect()
}

fn pick(found: &HashMap<AccountKey, Account>, wanted: &NewAccount) -> Result<Account, Error> {
    let account = found.get(&wanted.key).ok_or(Error::Inconsistent("opened accounts"))?;
    if account.flags != wanted.flags {
        return Err(Error::AccountDiffers { id: account.id, field: "flags" });
    }
    Ok(*account)
}
