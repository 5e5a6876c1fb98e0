//! Persons who turn out to be one: by their keys, by an operator, by a decision; and many of them at the same moment.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use prost_types::Timestamp;
use siyu_grpc::fault;
use siyu_kernel::{Code, Fault, kind};
use siyu_proto::member::v1::*;
use siyu_testkit::id;
use tokio::task::JoinSet;

use crate::{
    connections,
    earnings::{entries, has, spend},
    orders::{Orders, paid},
    persons::resolve,
    world::{World, fields, key, openid_of},
};

pub(crate) fn union(value: &str) -> Identity {
    key(IdentityKind::Unionid, "a1", value)
}

fn phone(number: &str, verified: i64) -> Identity {
    let verify_time = Some(Timestamp { seconds: verified, nanos: 0 });
    Identity { verify_time, ..key(IdentityKind::Phone, "", number) }
}

pub(crate) async fn merge(world: &World, persons: &[&str]) -> Result<MergePersonsResponse, Fault> {
    let person_ids = persons.iter().map(ToString::to_string).collect();
    let request = MergePersonsRequest { person_ids, note: "one".into(), ..Default::default() };
    let reply = world.identity(world.own).merge_persons(request).await.map_err(fault)?;
    Ok(reply.into_inner())
}

pub(crate) async fn merges(world: &World, person: &str) -> Vec<Merge> {
    let request = ListMergesRequest { person_id: person.into(), ..Default::default() };
    let reply = world.identity(world.own).list_merges(request).await.unwrap();
    reply.into_inner().merges
}

async fn reviews(world: &World, state: MergeReviewState) -> Vec<MergeReview> {
    let request = ListMergeReviewsRequest { state: state.into(), ..Default::default() };
    let reply = world.identity(world.own).list_merge_reviews(request).await.unwrap();
    reply.into_inner().reviews
}

async fn decide(
    world: &World,
    review: &MergeReview,
    decision: MergeDecision,
) -> Result<MergeReview, Fault> {
    let request = DecideMergeReviewRequest {
        review_id: review.id.clone(),
        decision: decision.into(),
        note: "asked".into(),
    };
    let reply = world.identity(world.own).decide_merge_review(request).await.map_err(fault)?;
    Ok(reply.into_inner().review.unwrap())
}

async fn find(world: &World, identity: Identity) -> Option<String> {
    let request = FindPersonRequest { identity: Some(identity) };
    let reply = world.persons(world.own).find_person(request).await.ok()?;
    Some(reply.into_inner().person.unwrap().id)
}

/// Two persons, the first by an openid, the second a second later by a unionid.
pub(crate) async fn two(world: &World) -> (String, String) {
    let first = world.people(world.own, &["o"]).await.remove(0);
    world.clock.advance(TimeDelta::seconds(1));
    let second = resolve(world, world.own, vec![vec![union("U")]]).await.unwrap().remove(0);
    (first, second.person_id)
}

#[tokio::test]
async fn keys_that_come_together_make_one_person_and_every_id_leads_to_it() {
    let world = World::new().await;
    let (first, second) = two(&world).await;
    connections::record(&world, world.own, vec![connections::on(&second, 20)]).await.unwrap();
    let both = vec![vec![openid_of("o"), union("U"), openid_of("fresh")]];
    let answer = resolve(&world, world.own, both.clone()).await.unwrap().remove(0);
    assert_eq!((&answer.person_id, answer.conflict, answer.created), (&first, false, false));
    assert_eq!(answer.merged_person_ids, std::slice::from_ref(&second));
    for id in [&first, &second] {
        let person = world.person(world.own, id).await.unwrap();
        assert_eq!((&person.id, person.identities.len()), (&first, 3));
        let edges = connections::list(&world, world.own, id).await.unwrap();
        assert_eq!(edges.iter().map(|edge| &edge.person_id).collect::<Vec<_>>(), [&first]);
    }
    // Who writes for the alias writes for the person.
    connections::record(&world, world.own, vec![connections::off(&second, 30)]).await.unwrap();
    let edges = connections::list(&world, world.own, &first).await.unwrap();
    assert_eq!(edges[0].state(), ConnectionState::Disconnected);
    let list = ListPersonsRequest::default();
    let shown = world.persons(world.own).list_persons(list).await.unwrap().into_inner();
    assert_eq!(shown.persons.iter().map(|p| &p.id).collect::<Vec<_>>(), [&first]);
    let told = world.told::<PersonMerged>().await;
    let fact = told[0].2.merge.clone().unwrap();
    assert_eq!((told.len(), &told[0].1, &fact.survivor_person_id), (1, &second, &first));
    let shown = merges(&world, &second).await.remove(0);
    assert!(fact.identities.iter().all(|key| key.value.is_empty()), "no key is told: {fact:?}");
    let told = Merge { identities: fact.identities, ..shown.clone() };
    assert_eq!(told, Merge { identities: told.identities.clone(), ..shown });
    let again = resolve(&world, world.own, both).await.unwrap().remove(0);
    assert_eq!((again.person_id, again.merged_person_ids), (first, vec![]));
    assert_eq!(world.told::<PersonMerged>().await.len(), 1);
}

#[tokio::test]
async fn what_the_two_own_is_one_and_orders_of_either_go_on_as_before() {
    let world = World::new().await;
    let orders = Orders::new(&world).await;
    let (first, second) = two(&world).await;
    let (one, other) = (paid(1, &first, 60_000), paid(2, &second, 50_000));
    orders.tell(world.own, &[one, other.clone()]).await;
    world.clock.advance(TimeDelta::days(8));
    spend(&world, &second, 500).await;
    assert_eq!(has(&world, &second).await, (0, 0, 500, 1));
    // A refund of points that were spent: the second one owes.
    orders.tell(world.own, &[other.now(40_000)]).await;
    assert_eq!(has(&world, &second).await.1, -100);
    merge(&world, &[&second, &first]).await.unwrap();
    assert_eq!(has(&world, &first).await, (500, 500, 1_000, 2), "600 less 100; the tier follows");
    assert_eq!(has(&world, &second).await, has(&world, &first).await);
    // The order service has not heard of it yet, and then it has.
    orders.tell(world.own, &[other.now(40_000).now(30_000)]).await;
    assert_eq!(has(&world, &first).await.1, 400);
    orders.tell(world.own, &[other.now(40_000).now(30_000).of(&first)]).await;
    orders.tell(world.own, &[other.now(40_000).now(30_000).of(&first).voided()]).await;
    assert_eq!(has(&world, &first).await.1, 100);
    spend(&world, &first, 100).await;
    assert_eq!(has(&world, &first).await, (0, 0, 600, 2), "a tier holds its time");
    world.sound_ledger(world.own).await;
    let merge = merges(&world, &first).await.remove(0);
    let moved = entries(&world, &first, Asset::Points).await;
    assert!(moved.iter().any(|(_, _, reference)| *reference == merge.id));
}

#[tokio::test]
async fn contradicting_keys_wait_for_a_decision_which_is_final() {
    let world = World::new().await;
    let set = |open: &str, unionid: &str| vec![openid_of(open), union(unionid)];
    let sets = vec![set("1", "A"), set("2", "B"), set("3", "C")];
    let known = resolve(&world, world.own, sets).await.unwrap();
    let ids: Vec<&String> = known.iter().map(|answer| &answer.person_id).collect();
    for _ in 0..2 {
        let sets = vec![set("2", "A"), vec![openid_of("2"), openid_of("3")]];
        let answers = resolve(&world, world.own, sets).await.unwrap();
        assert!(answers.iter().all(|answer| answer.conflict && !answer.created));
        assert_eq!((&answers[0].person_id, &answers[1].person_id), (ids[0], ids[1]));
    }
    let open = reviews(&world, MergeReviewState::Open).await;
    assert_eq!(open.len(), 2, "once for the same persons");
    let (apart, one) = (&open[0], &open[1]);
    assert_eq!(one.person_ids.iter().collect::<BTreeSet<_>>(), BTreeSet::from([ids[0], ids[1]]));
    let kept = decide(&world, apart, MergeDecision::KeepApart).await.unwrap();
    assert_eq!((kept.state(), kept.note.as_str()), (MergeReviewState::KeptApart, "asked"));
    assert_eq!(decide(&world, apart, MergeDecision::KeepApart).await.unwrap(), kept);
    let refused = decide(&world, apart, MergeDecision::Merge).await.unwrap_err();
    assert_eq!((refused.code(), refused.reason()), (Code::FailedPrecondition, "REVIEW_DECIDED"));
    decide(&world, one, MergeDecision::Merge).await.unwrap();
    assert_eq!(world.person(world.own, ids[1]).await.unwrap().id, *ids[0]);
    assert_eq!(reviews(&world, MergeReviewState::Open).await, []);
    assert_eq!(merges(&world, "").await[0].reason(), MergeReason::Review);
}

#[tokio::test]
async fn persons_who_contradict_each_other_are_merged_by_an_operators_own_word_only() {
    let world = World::new().await;
    let sets = vec![vec![union("A")], vec![union("B")], vec![openid_of("3")]];
    let known = resolve(&world, world.own, sets).await.unwrap();
    let [one, other, third] = [0, 1, 2].map(|n: usize| known[n].person_id.clone());
    let asked = async |persons: [&String; 2], review_conflicts| {
        let person_ids = persons.map(String::clone).into();
        let note = "a card in a parcel".into();
        let request =
            MergePersonsRequest { person_ids, note, review_conflicts, ..Default::default() };
        world.identity(world.own).merge_persons(request).await.unwrap().into_inner()
    };
    for _ in 0..2 {
        let reply = asked([&one, &other], true).await;
        assert_eq!((reply.conflict, reply.merges), (true, Vec::new()));
        assert_eq!(reply.survivor_person_id, one);
    }
    let open = reviews(&world, MergeReviewState::Open).await.remove(0);
    assert_eq!(open.person_ids.iter().collect::<BTreeSet<_>>(), BTreeSet::from([&one, &other]));
    let agreed = asked([&other, &third], true).await;
    assert_eq!((agreed.conflict, agreed.merges.len()), (false, 1));
    let told = asked([&one, &third], false).await;
    assert_eq!((told.conflict, told.merges.len()), (false, 1), "an operator said so");
}

#[tokio::test]
async fn a_phone_goes_to_who_verified_it_last_and_can_be_released() {
    let world = World::new().await;
    let number = "+8613800138000";
    let old = vec![vec![union("A"), phone(number, 100)]];
    let old = resolve(&world, world.own, old).await.unwrap().remove(0).person_id;
    let new = vec![vec![union("B"), phone(number, 200)]];
    let new = resolve(&world, world.own, new).await.unwrap().remove(0);
    assert!(new.created && !new.conflict);
    assert_eq!(find(&world, phone(number, 0)).await, Some(new.person_id.clone()));
    assert_eq!(find(&world, union("A")).await, Some(old));
    let late =
        resolve(&world, world.own, vec![vec![union("A"), phone(number, 150)]]).await.unwrap();
    assert!(late[0].conflict);
    let request = ReleaseIdentityRequest {
        request_id: "r".into(),
        identity: Some(key(IdentityKind::Phone, "", number)),
        note: "sold".into(),
    };
    for _ in 0..2 {
        let reply = world.identity(world.own).release_identity(request.clone()).await.unwrap();
        assert_eq!(reply.into_inner().person_id, new.person_id);
    }
    assert_eq!(find(&world, phone(number, 0)).await, None);
}

#[tokio::test]
async fn a_key_that_nobody_verified_finds_nobody_and_is_not_enough() {
    let world = World::new().await;
    let typed = Identity { unverified: true, ..key(IdentityKind::Phone, "", "138****8000") };
    let sets = vec![vec![openid_of("1"), typed.clone()], vec![openid_of("2"), typed.clone()]];
    let answers = resolve(&world, world.own, sets).await.unwrap();
    assert_ne!(answers[0].person_id, answers[1].person_id);
    let refused = resolve(&world, world.own, vec![vec![typed]]).await.unwrap_err();
    assert_eq!(fields(&refused), ["sets[0].identities"]);
    let bad = Identity { unverified: true, ..openid_of("1") };
    let refused = resolve(&world, world.own, vec![vec![bad]]).await.unwrap_err();
    assert_eq!(fields(&refused), ["sets[0].identities[0].unverified"]);
}

#[tokio::test]
async fn an_operator_merges_whom_nothing_connects_and_only_those_of_the_merchant() {
    let world = World::new().await;
    let made = world.people(world.own, &["a", "b", "c"]).await;
    let reply = merge(&world, &[&made[2], &made[0], &made[1]]).await.unwrap();
    assert_eq!((&reply.survivor_person_id, reply.merges.len()), (&made[0], 2));
    let refused = merge(&world, &[&made[1], &made[2]]).await.unwrap_err();
    assert_eq!(refused.reason(), "PERSONS_ALREADY_ONE");
    let foreign = world.people(world.other, &["x"]).await.remove(0);
    let nobody = id::<kind::Person>(9).to_string();
    for unknown in [&foreign, &nobody] {
        let refused = merge(&world, &[&made[0], unknown]).await.unwrap_err();
        assert_eq!((refused.code(), refused.message()), (Code::NotFound, "person not found"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_who_bring_the_same_persons_together_end_with_one_and_lose_no_key() {
    let world = World::new().await;
    let orders = Orders::new(&world).await;
    let names: Vec<String> = (0..24).map(|n| n.to_string()).collect();
    let people =
        world.people(world.own, &names.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let bought: Vec<_> = (0_u32..24).zip(&people).map(|(n, p)| paid(n + 1, p, 1_000)).collect();
    orders.tell(world.own, &bought).await;
    let mut calls = JoinSet::new();
    for n in 0..48_usize {
        let mut client = world.persons(world.own);
        let pair = [n % 24, (n * 7 + 5) % 24].map(|n| openid_of(&n.to_string()));
        let set = IdentitySet {
            identities: pair.into_iter().chain([openid_of(&format!("x{n}"))]).collect(),
        };
        calls.spawn(async move {
            client.resolve_persons(ResolvePersonsRequest { sets: vec![set] }).await.map_err(fault)
        });
    }
    // Their orders change meanwhile, told for ids that may have become aliases.
    let changed: Vec<_> = bought.iter().map(|order| order.now(2_000)).collect();
    orders.tell(world.own, &changed).await;
    for reply in calls.join_all().await {
        reply.unwrap();
    }
    orders.tell(world.own, &[]).await;
    let mut own: BTreeMap<String, Person> = BTreeMap::new();
    for person in &people {
        let found = world.person(world.own, person).await.unwrap();
        own.insert(found.id.clone(), found);
    }
    let keys: usize = own.values().map(|person| person.identities.len()).sum();
    assert_eq!(keys, 24 + 48, "no key is lost");
    let merged = world.told::<PersonMerged>().await;
    let losers: BTreeSet<&String> = merged.iter().map(|(_, loser, _)| loser).collect();
    assert_eq!((merged.len(), losers.len()), (24 - own.len(), 24 - own.len()), "each lost once");
    let growth: i64 = own.values().map(|person| person.growth).sum();
    let points: i64 = own.values().map(|person| person.points_total).sum();
    assert_eq!((growth, points), (24 * 20, 24 * 20));
    world.sound_ledger(world.own).await;
}
