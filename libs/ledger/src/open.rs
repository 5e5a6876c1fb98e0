//! Opens accounts, or finds those that are open.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use siyu_pg::Tx;

use crate::{
    Account, AccountKey, Error, MAX_BATCH, NewAccount, Outcome, Transfer,
    post::{post, post_first},
    record::micros,
    store,
};

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

/// Opens accounts of what has just come to be, and [posts](post) the first transfers. Where nobody had opened any of them,
/// nobody else knows them: there is nothing to lock and to look up, and two statements do what else takes five.
///
/// # Errors
/// As [`open`] and [`post`].
pub async fn open_and_post(
    tx: &mut Tx,
    accounts: &[NewAccount],
    transfers: &[Transfer],
    now: DateTime<Utc>,
) -> Result<Vec<Outcome>, Error> {
    if accounts.len() > MAX_BATCH {
        return Err(Error::TooMany { given: accounts.len(), most: MAX_BATCH });
    }
    let mut found = HashMap::new();
    let opened = insert(tx, accounts.to_vec(), &mut found, now).await?;
    let all: Vec<_> =
        accounts.iter().map(|wanted| pick(&found, wanted)).collect::<Result<_, Error>>()?;
    if opened == found.len() {
        post_first(tx, &all, transfers, now).await
    } else {
        post(tx, transfers, now).await
    }
}

/// Opens accounts that were not found, and finds those that somebody else has opened meanwhile. Says how many it opened.
async fn insert(
    tx: &mut Tx,
    mut missing: Vec<NewAccount>,
    found: &mut HashMap<AccountKey, Account>,
    now: DateTime<Utc>,
) -> Result<usize, Error> {
    if missing.is_empty() {
        return Ok(0);
    }
    let merchant = tx.merchant();
    missing.sort_by_key(|account| account.key);
    missing.dedup_by_key(|account| account.key);
    let opened = store::accounts::insert(tx, merchant, &missing, micros(now)).await?;
    let count = opened.len();
    found.extend(by_key(opened));
    let keys = missing.iter().map(|account| account.key);
    let keys: Vec<_> = keys.filter(|key| !found.contains_key(key)).collect();
    if !keys.is_empty() {
        found.extend(by_key(store::accounts::find(tx, merchant, &keys).await?));
    }
    Ok(count)
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
