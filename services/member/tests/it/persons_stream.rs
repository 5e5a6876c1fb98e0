//! Whole lists of customers over one call: the same persons as one at a time.

use std::collections::HashMap;

use futures::StreamExt;
use siyu_proto::member::v1::*;

use crate::{
    filters::trees::Dice,
    persons::resolve,
    world::{MerchantId, World, key, openid_of},
};

const EVENTS: usize = 3_000;
const BATCH: usize = 800;

/// Sets of keys as platforms tell them: the same people come again and again, by one key or by several.
fn events(dice: &mut Dice) -> Vec<Vec<Identity>> {
    let event = |_| {
        let n = dice.below(1_500);
        let mut keys = vec![openid_of(&format!("o{n}"))];
        if dice.chance(40) {
            keys.push(key(IdentityKind::Phone, "", &format!("+86138{:08}", n / 2)));
        }
        if dice.chance(20) {
            keys.push(key(IdentityKind::Unionid, "wx", &format!("u{}", n / 3)));
        }
        if dice.chance(20) {
            keys.push(key(
                IdentityKind::PlatformBuyer,
                "tmall/1",
                &format!("b{}", dice.below(900)),
            ));
        }
        keys
    };
    (0..EVENTS).map(event).collect()
}

async fn stream(world: &World, who: MerchantId, events: &[Vec<Identity>]) -> Vec<ResolvedPerson> {
    let batch = |sets: &[Vec<Identity>]| StreamResolvePersonsRequest {
        sets: sets.iter().map(|set| IdentitySet { identities: set.clone() }).collect(),
    };
    let batches: Vec<_> = events.chunks(BATCH).map(batch).collect();
    let sent = batches.len();
    let call = world.persons(who).stream_resolve_persons(futures::stream::iter(batches)).await;
    let replies: Vec<_> = call.unwrap().into_inner().collect().await;
    assert_eq!(replies.len(), sent, "each batch is answered by itself");
    replies.into_iter().flat_map(|reply| reply.unwrap().persons).collect()
}

/// Who is who in the end: for each event the number of the first event that leads to the same person.
async fn groups(world: &World, who: MerchantId, events: &[Vec<Identity>]) -> Vec<usize> {
    let mut firsts: HashMap<String, usize> = HashMap::new();
    let mut groups = Vec::with_capacity(events.len());
    for chunk in events.chunks(BATCH) {
        // The first key alone leads to its holder and merges nobody.
        let single = chunk.iter().map(|set| vec![set[0].clone()]).collect();
        for answer in resolve(world, who, single).await.unwrap() {
            assert!(!answer.created, "everybody is known");
            let n = groups.len();
            groups.push(*firsts.entry(answer.person_id).or_insert(n));
        }
    }
    groups
}

#[tokio::test]
async fn a_stream_of_batches_finds_the_same_persons_as_one_event_at_a_time() {
    let world = World::new().await;
    let events = events(&mut Dice::new(7));
    let streamed = stream(&world, world.own, &events).await;
    assert_eq!(streamed.len(), EVENTS);
    // The other merchant is told the same one by one, as far as a test has time for it, and then the rest.
    for event in &events {
        resolve(&world, world.other, vec![event.clone()]).await.unwrap();
    }
    let (own, other) =
        (groups(&world, world.own, &events).await, groups(&world, world.other, &events).await);
    assert_eq!(own, other);
    let people = own.iter().enumerate().filter(|(n, first)| *n == **first).count();
    assert!((300..1_500).contains(&people), "there was something to find: {people}");
    let again = stream(&world, world.own, &events).await;
    assert!(again.iter().all(|answer| !answer.created), "a repeat creates nobody");
    let leads = |answers: &[ResolvedPerson]| {
        answers.iter().map(|answer| answer.person_id.clone()).collect::<Vec<_>>()
    };
    assert_eq!(groups(&world, world.own, &events).await, own, "and moves nobody");
    assert_eq!(leads(&again).len(), EVENTS);
}

#[tokio::test]
async fn a_batch_that_cannot_be_read_ends_the_stream_and_what_came_before_stands() {
    let world = World::new().await;
    let good = |n: usize| StreamResolvePersonsRequest {
        sets: vec![IdentitySet { identities: vec![openid_of(&format!("k{n}"))] }],
    };
    let bad = StreamResolvePersonsRequest { sets: vec![IdentitySet::default()] };
    let batches = futures::stream::iter(vec![good(1), bad, good(2)]);
    let call = world.persons(world.own).stream_resolve_persons(batches).await.unwrap();
    let replies: Vec<_> = call.into_inner().collect().await;
    assert_eq!(replies.len(), 2);
    assert!(replies[0].as_ref().unwrap().persons[0].created);
    let fault = siyu_grpc::fault(replies[1].clone().unwrap_err());
    assert_eq!(crate::world::fields(&fault), ["sets[0].identities"]);
    let again = resolve(&world, world.own, vec![vec![openid_of("k1")], vec![openid_of("k2")]]);
    let again = again.await.unwrap();
    assert_eq!((again[0].created, again[1].created), (false, true));
}
