//! Many who ask for the same persons at the same moment.

use std::collections::{BTreeMap, BTreeSet};

use siyu_grpc::fault;
use siyu_kernel::Fault;
use siyu_proto::member::v1::*;
use tokio::task::JoinSet;

use crate::world::{World, openid_of};

async fn at_once(
    world: &World,
    requests: Vec<Vec<Vec<Identity>>>,
) -> Vec<Result<Vec<ResolvedPerson>, Fault>> {
    let mut calls = JoinSet::new();
    for sets in requests {
        let mut client = world.persons(world.own);
        let sets = sets.into_iter().map(|identities| IdentitySet { identities }).collect();
        calls.spawn(async move {
            let reply = client.resolve_persons(ResolvePersonsRequest { sets }).await;
            reply.map(|reply| reply.into_inner().persons).map_err(fault)
        });
    }
    calls.join_all().await
}

#[tokio::test]
async fn sixty_four_who_ask_for_one_key_find_one_person() {
    let world = World::new().await;
    let replies = at_once(&world, vec![vec![vec![openid_of("o")]]; 64]).await;
    let answers: Vec<ResolvedPerson> = replies.into_iter().flat_map(Result::unwrap).collect();
    let ids: BTreeSet<&str> = answers.iter().map(|answer| answer.person_id.as_str()).collect();
    assert_eq!((answers.len(), ids.len()), (64, 1), "{ids:?}");
    assert_eq!(answers.iter().filter(|answer| answer.created).count(), 1);
    assert_eq!(world.told::<PersonCreated>().await.len(), 1);
    let list = ListPersonsRequest::default();
    let shown = world.persons(world.own).list_persons(list).await.unwrap().into_inner();
    assert_eq!(shown.persons.len(), 1);
}

#[tokio::test]
async fn sets_that_overlap_give_each_key_to_one_person() {
    let world = World::new().await;
    // The ring 0-1, 1-2, …, 11-0, each pair in both orders, and everything at once from both ends.
    let pair = |n: usize| vec![openid_of(&n.to_string()), openid_of(&((n + 1) % 12).to_string())];
    let all = || (0..12).map(pair).collect::<Vec<_>>();
    let mut backwards = all();
    backwards.reverse();
    let mut requests: Vec<Vec<Vec<Identity>>> = (0..12).map(|n| vec![pair(n)]).collect();
    requests.extend([all(), backwards]);
    for reply in at_once(&world, requests).await {
        reply.unwrap();
    }
    let keys: Vec<Vec<Identity>> = (0..12).map(|n| vec![openid_of(&n.to_string())]).collect();
    let standing = at_once(&world, vec![keys.clone(), keys]).await;
    let standing: Vec<Vec<ResolvedPerson>> = standing.into_iter().map(Result::unwrap).collect();
    assert_eq!(standing[0], standing[1]);
    assert!(standing[0].iter().all(|answer| !answer.created && !answer.conflict));
    let persons: BTreeSet<&str> = standing[0].iter().map(|a| a.person_id.as_str()).collect();
    assert_eq!(persons.len(), 1, "a ring is one person");
    let mut told: BTreeMap<String, usize> = BTreeMap::new();
    for (_, person, _) in world.told::<PersonCreated>().await {
        *told.entry(person).or_default() += 1;
    }
    assert!(told.values().all(|times| *times == 1), "{told:?}");
    let merged = world.told::<PersonMerged>().await;
    let losers: BTreeSet<&str> = merged.iter().map(|(_, loser, _)| loser.as_str()).collect();
    assert_eq!((losers.len(), losers.len() + 1), (merged.len(), told.len()), "each lost once");
    assert!(persons.is_disjoint(&losers));
    for person in told.keys() {
        let found = world.person(world.own, person).await.unwrap();
        assert!(persons.contains(found.id.as_str()), "every id leads to the one");
        assert_eq!(found.identities.len(), 12, "no key is lost");
    }
}
