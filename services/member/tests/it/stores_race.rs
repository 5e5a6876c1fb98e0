//! Several callers who change stores at the same moment.

use std::collections::BTreeSet;

use siyu_grpc::fault;
use siyu_kernel::Fault;
use siyu_proto::member::v1::*;
use tokio::task::JoinSet;

use crate::{
    stores::{list, store},
    world::World,
};

/// Sends all requests at once.
async fn at_once(world: &World, requests: Vec<Vec<Store>>) -> Vec<Result<Vec<Store>, Fault>> {
    let mut calls = JoinSet::new();
    for stores in requests {
        let mut client = world.stores(world.own);
        calls.spawn(async move {
            let reply = client.upsert_stores(UpsertStoresRequest { stores }).await;
            reply.map(|reply| reply.into_inner().stores).map_err(fault)
        });
    }
    calls.join_all().await
}

#[tokio::test]
async fn two_who_create_one_code_at_once_get_one_store() {
    let world = World::new().await;
    let named = |n: usize| vec![Store { name: format!("of {n}"), ..store("S1") }];
    let replies = at_once(&world, (0..8).map(named).collect()).await;
    let ids: BTreeSet<String> =
        replies.into_iter().map(|reply| reply.unwrap().remove(0).id).collect();
    let stand = list(&world, world.own).await;
    assert_eq!((ids.len(), stand.len()), (1, 1), "{ids:?}");
    let told = world.told::<StoreChanged>().await;
    assert!(told.iter().all(|(_, subject, fact)| {
        *subject == stand[0].id && fact.store.as_ref().unwrap().id == stand[0].id
    }));
    // The last that was told is what stands.
    assert_eq!(told.last().unwrap().2.store.as_ref(), stand.first());
}

#[tokio::test(flavor = "multi_thread")]
async fn those_who_create_the_same_codes_in_other_orders_do_not_hinder_each_other() {
    let world = World::new().await;
    let codes: Vec<String> = (0..400).map(|n| format!("S{n:03}")).collect();
    let turned = |n: usize| {
        let mut stores: Vec<Store> = codes.iter().map(|code| store(code)).collect();
        stores.rotate_left(n * 50);
        if n % 2 == 1 {
            stores.reverse();
        }
        stores
    };
    for reply in at_once(&world, (0..6).map(turned).collect()).await {
        assert_eq!(reply.unwrap().len(), 400);
    }
    assert_eq!(list(&world, world.own).await.len(), 400);
}
