//! The keys of merchants: drawn once, replaced without a gap, and refused when they are not there.

use std::{collections::BTreeSet, sync::Arc};

use siyu_member::{
    App,
    vault::{self, Place, Vault, store},
};
use siyu_runtime::random_bytes;
use siyu_testkit::SeededIds;
use tokio::task::JoinSet;

use crate::world::{VAULT_KEY, World};

const NAME: Place<'static> = Place { kind: "profile.name", row: "per_1" };

/// Another process of the service, on the same database.
fn beside(world: &World, current: &str, before: &str) -> App {
    let vault = Vault::new(current, before, random_bytes::<32>).unwrap();
    let db = world.database.db().clone();
    App::new(db, vault, Arc::new(SeededIds::new(2)), Arc::new(world.clock.clone()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn all_who_need_the_first_key_of_a_merchant_at_once_get_the_same() {
    let world = World::new().await;
    let apps: Vec<App> = (0..16).map(|_| beside(&world, VAULT_KEY, "")).collect();
    let own = world.own;
    let mut asked = JoinSet::new();
    for app in apps {
        asked.spawn(async move {
            vault::keys(&app, own).await.unwrap().digest("phone", "+8613800138000")
        });
    }
    let digests: BTreeSet<String> = asked.join_all().await.into_iter().collect();
    assert_eq!(digests.len(), 1, "one merchant has one key");
    let theirs = vault::keys(&world.app, world.other).await.unwrap();
    assert!(!digests.contains(&theirs.digest("phone", "+8613800138000")));
}

#[tokio::test]
async fn a_configured_key_is_replaced_while_everything_stays_readable() {
    let world = World::new().await;
    let other_key = "0123456789abcdef".repeat(4);
    let sealed = vault::keys(&world.app, world.own).await.unwrap().seal(NAME, "Li Lei");
    let unused = vault::keys(&world.app, world.other).await.unwrap().seal(NAME, "Han Meimei");

    let stranger = beside(&world, &other_key, "");
    assert!(stranger.prepare().await.is_err(), "it says so at the start");
    assert!(vault::keys(&stranger, world.own).await.is_err());

    let replaced = beside(&world, &other_key, VAULT_KEY);
    replaced.prepare().await.unwrap();
    let keys = vault::keys(&replaced, world.own).await.unwrap();
    assert_eq!(keys.open(NAME, &sealed).unwrap(), "Li Lei");
    let rows = async |who| {
        let mut tx = world.database.db().tenant_read(who).await.unwrap();
        store::list(&mut tx).await.unwrap().remove(0).wrapped_by
    };
    assert_ne!(rows(world.own).await, rows(world.other).await, "lazily: one merchant came by");
    assert!(beside(&world, &other_key, "").prepare().await.is_err(), "the old one is still needed");

    let keys = vault::keys(&replaced, world.other).await.unwrap();
    assert_eq!(keys.open(NAME, &unused).unwrap(), "Han Meimei");
    let alone = beside(&world, &other_key, "");
    alone.prepare().await.unwrap();
    let keys = vault::keys(&alone, world.own).await.unwrap();
    assert_eq!(keys.open(NAME, &sealed).unwrap(), "Li Lei");
}

#[tokio::test]
async fn keys_are_opened_once_and_open_nothing_of_another_merchant() {
    let world = World::new().await;
    let before = vault::keys(&world.app, world.own).await.unwrap();
    let again = vault::keys(&world.app, world.own).await.unwrap();
    let sealed = before.seal(NAME, "Li Lei");
    assert_eq!(again.open(NAME, &sealed).unwrap(), "Li Lei");
    let theirs = vault::keys(&world.app, world.other).await.unwrap();
    assert!(theirs.open(NAME, &sealed).is_err(), "a key of another merchant opens nothing");
}
