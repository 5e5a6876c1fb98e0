//! Phones and e-mail addresses as keys: the key is a keyed digest, the address itself stands beside it, sealed. Everything
//! but the edge sees digests only.

use std::collections::HashMap;

use siyu_kernel::{Fault, Id, kind::Merchant};
use siyu_pg::Tx;

use super::{
    PersonId,
    domain::Identity,
    store::addresses::{self as store, Held},
};
use crate::{
    App,
    vault::{self, Keys, Place},
};

/// What a request names, as it is looked up: digests in place of addresses, and the addresses, to be sealed if they are new.
#[derive(Debug)]
pub struct Addresses {
    keys: Keys,
    clear: HashMap<Identity, String>,
}

impl Addresses {
    /// None yet.
    pub fn new(keys: Keys) -> Self {
        Self { keys, clear: HashMap::new() }
    }

    /// The key that an identity is stored under.
    pub fn conceal(&mut self, identity: Identity) -> Identity {
        if !identity.kind.is_address() {
            return identity;
        }
        let concealed = digest(&self.keys, &identity);
        self.clear.insert(concealed.clone(), identity.value);
        concealed
    }

    /// Keeps the addresses behind new keys.
    pub async fn keep(&self, tx: &mut Tx, new: &[&Identity], app: &App) -> Result<(), Fault> {
        let seal = |key: &&Identity| {
            let clear = self.clear.get(*key)?;
            Some(((*key).clone(), self.keys.seal(place(key), clear)))
        };
        let mut sealed: Vec<(Identity, Vec<u8>)> = new.iter().filter_map(seal).collect();
        if sealed.is_empty() {
            return Ok(());
        }
        // In the order of the keys, so that two resolutions never wait for each other.
        sealed.sort();
        store::insert(tx, &sealed, app.clock.now()).await?;
        Ok(())
    }
}

/// The key that an identity is looked up by.
pub fn conceal(keys: &Keys, identity: Identity) -> Identity {
    if identity.kind.is_address() { digest(keys, &identity) } else { identity }
}

/// The keys of persons, in their order, each with its address if it is of one that was not erased.
pub async fn of(
    tx: &mut Tx,
    keys: &Keys,
    persons: &[PersonId],
) -> Result<HashMap<PersonId, Vec<(Identity, Option<String>)>>, Fault> {
    let mut all: HashMap<PersonId, Vec<_>> = HashMap::with_capacity(persons.len());
    for Held { person_id, identity, sealed } in store::held(tx, persons).await? {
        let clear = sealed.map(|sealed| keys.open(place(&identity), &sealed)).transpose()?;
        all.entry(person_id).or_default().push((identity, clear));
    }
    Ok(all)
}

/// Conceals what an earlier version stored in clear. Safe to be stopped at any point, and to be run by several processes.
pub async fn conceal_all(app: &App) -> Result<(), Fault> {
    let mut all = app.db.system("member.conceal_addresses").await?;
    let merchants = store::clear_merchants(&mut all).await?;
    all.commit().await?;
    for merchant in merchants {
        while conceal_some(app, merchant).await? {}
    }
    Ok(())
}

async fn conceal_some(app: &App, merchant: Id<Merchant>) -> Result<bool, Fault> {
    let keys = vault::keys(app, merchant).await?;
    let mut tx = app.db.tenant(merchant).await?;
    let clear = store::lock_clear(&mut tx).await?;
    let mut sealed = Vec::with_capacity(clear.len());
    for identity in &clear {
        let concealed = digest(&keys, identity);
        store::conceal(&mut tx, identity, &concealed.value).await?;
        let text = keys.seal(place(&concealed), &identity.value);
        sealed.push((concealed, text));
    }
    sealed.sort();
    store::insert(&mut tx, &sealed, app.clock.now()).await?;
    tx.commit().await?;
    Ok(!clear.is_empty())
}

fn digest(keys: &Keys, identity: &Identity) -> Identity {
    let value = keys.digest(identity.kind.as_str(), &identity.value);
    Identity { kind: identity.kind, scope: identity.scope.clone(), value }
}

fn place(key: &Identity) -> Place<'_> {
    Place { kind: key.kind.as_str(), row: &key.value }
}
