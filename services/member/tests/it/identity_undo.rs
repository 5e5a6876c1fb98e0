//! Merges that were a mistake.

use chrono::TimeDelta;
use siyu_grpc::fault;
use siyu_kernel::{Clock, Fault};
use siyu_proto::member::v1::*;

use crate::{
    connections, consents,
    earnings::{has, spend},
    identity::{merges, two, union},
    orders::{Orders, paid},
    persons::resolve,
    sign_ins,
    world::{World, openid_of},
};

pub(crate) async fn unmerge(world: &World, merge: &Merge) -> Result<Merge, Fault> {
    let request = UnmergePersonsRequest {
        merge_id: merge.id.clone(),
        note: "a mistake".into(),
        ..Default::default()
    };
    let reply = world.identity(world.own).unmerge_persons(request).await.map_err(fault)?;
    Ok(reply.into_inner().merge.unwrap())
}

/// Merges the persons of keys by showing them together; returns the merge.
async fn unite(world: &World, keys: Vec<Identity>) -> Merge {
    resolve(world, world.own, vec![keys]).await.unwrap();
    merges(world, "").await.remove(0)
}

async fn keys(world: &World, person: &str) -> Vec<String> {
    let person = world.person(world.own, person).await.unwrap();
    person.identities.into_iter().map(|key| key.value).collect()
}

#[tokio::test]
async fn what_each_had_comes_back_and_what_came_later_stays_with_the_survivor() {
    let world = World::new().await;
    let orders = Orders::new(&world).await;
    let (first, second) = two(&world).await;
    orders.tell(world.own, &[paid(1, &first, 10_000), paid(2, &second, 120_000)]).await;
    world.clock.advance(TimeDelta::days(8));
    connections::record(
        &world,
        world.own,
        vec![connections::on(&first, 10), connections::off(&second, 20)],
    )
    .await
    .unwrap();
    let before = (has(&world, &first).await, has(&world, &second).await);
    let merge = unite(&world, vec![openid_of("o"), union("U")]).await;
    assert_eq!(has(&world, &first).await, (1_300, 1_300, 1_300, 2));
    let edges = connections::list(&world, world.own, &first).await.unwrap();
    assert_eq!(edges, [connections::off(&first, 20)], "the later fact of both");

    // Later: a key, an order, and points spent that were the other one's.
    resolve(&world, world.own, vec![vec![union("U"), openid_of("later")]]).await.unwrap();
    orders.tell(world.own, &[paid(3, &second, 5_000)]).await;
    spend(&world, &first, 1_000).await;
    world.clock.advance(TimeDelta::days(10));

    let undone = unmerge(&world, &merge).await.unwrap();
    assert!(undone.unmerge_time.is_some());
    assert_eq!(has(&world, &second).await, before.1);
    // A tier that was reached together holds its time.
    assert_eq!(has(&world, &first).await, (100 - 1_000 + 50, 100 - 1_000 + 50, 150, 2));
    assert_eq!(
        (keys(&world, &first).await, keys(&world, &second).await),
        (vec!["later".into(), "o".into()], vec!["U".into()])
    );
    let edges = |id| connections::list(&world, world.own, id);
    assert_eq!(edges(&first).await.unwrap(), [connections::on(&first, 10)]);
    assert_eq!(edges(&second).await.unwrap(), [connections::off(&second, 20)]);
    world.sound_ledger(world.own).await;

    // Its orders are its own again.
    orders
        .tell(world.own, &[paid(2, &second, 120_000).voided(), paid(1, &first, 10_000).voided()])
        .await;
    assert_eq!(has(&world, &second).await, (0, 0, 0, 2));
    assert_eq!(has(&world, &first).await.1, -950);
    world.sound_ledger(world.own).await;
    let told = world.told::<PersonUnmerged>().await;
    assert_eq!(
        (told.len(), &told[0].1, &told[0].2.person_ids),
        (1, &second, &vec![second.clone()])
    );
}

#[tokio::test]
async fn an_undone_merge_does_not_come_back_by_the_same_keys() {
    let world = World::new().await;
    let (first, second) = two(&world).await;
    let merge = unite(&world, vec![openid_of("o"), union("U")]).await;
    unmerge(&world, &merge).await.unwrap();
    let answer = resolve(&world, world.own, vec![vec![openid_of("o"), union("U")]]).await.unwrap();
    assert_eq!((&answer[0].person_id, answer[0].conflict), (&second, true));
    assert_eq!(world.person(world.own, &first).await.unwrap().id, first);
    let again = unmerge(&world, &merge).await.unwrap_err();
    assert_eq!(again.reason(), "MERGE_UNDONE");
}

#[tokio::test]
async fn a_merge_can_be_undone_for_thirty_days() {
    let world = World::new().await;
    two(&world).await;
    let merge = unite(&world, vec![openid_of("o"), union("U")]).await;
    world.clock.advance(TimeDelta::days(30) - TimeDelta::milliseconds(1));
    let request = UnmergePersonsRequest {
        request_id: "once".into(),
        merge_id: merge.id.clone(),
        note: "a mistake".into(),
    };
    let mut client = world.identity(world.own);
    let first = client.unmerge_persons(request.clone()).await.unwrap().into_inner();
    assert_eq!(client.unmerge_persons(request).await.unwrap().into_inner(), first);
    let world = World::new().await;
    two(&world).await;
    let merge = unite(&world, vec![openid_of("o"), union("U")]).await;
    world.clock.advance(TimeDelta::days(30));
    assert_eq!(unmerge(&world, &merge).await.unwrap_err().reason(), "MERGE_TOO_OLD");
}

#[tokio::test]
async fn merges_upon_merges_are_undone_in_any_order() {
    for undo in [[0, 1], [1, 0]] {
        let world = World::new().await;
        let orders = Orders::new(&world).await;
        let mut people = Vec::new();
        for name in ["a", "b", "c"] {
            people.extend(world.people(world.own, &[name]).await);
            world.clock.advance(TimeDelta::seconds(1));
        }
        let bought: Vec<_> =
            (1_u32..).zip(&people).map(|(n, p)| paid(n, p, i64::from(n) * 10_000)).collect();
        orders.tell(world.own, &bought).await;
        for (person, second) in people.iter().zip([10, 20, 30]) {
            let edge = connections::on(person, second);
            connections::record(&world, world.own, vec![edge]).await.unwrap();
        }
        let made = [
            unite(&world, vec![openid_of("b"), openid_of("c")]).await,
            unite(&world, vec![openid_of("a"), openid_of("b")]).await,
        ];
        let all = world.person(world.own, &people[2]).await.unwrap();
        assert_eq!((&all.id, all.growth, all.points_total), (&people[0], 600, 600));
        for n in undo {
            unmerge(&world, &made[n]).await.unwrap();
            world.sound_ledger(world.own).await;
        }
        for (n, name) in [(1, "a"), (2, "b"), (3, "c")] {
            let person = world.person(world.own, &people[n - 1]).await.unwrap();
            let hundred = i64::try_from(n).unwrap() * 100;
            assert_eq!((person.growth, person.points_total), (hundred, hundred), "{undo:?} {name}");
            assert_eq!(keys(&world, &people[n - 1]).await, [name]);
            let edges = connections::list(&world, world.own, &person.id).await.unwrap();
            let second = i64::try_from(n).unwrap() * 10;
            assert_eq!(edges, [connections::on(&person.id, second)], "{undo:?} {name}");
        }
    }
}

#[tokio::test]
async fn what_stayed_with_an_alias_in_the_middle_goes_back_to_whose_it_was() {
    let world = World::new().await;
    sign_ins::set(&world, "1", sign_ins::rules()).await.unwrap();
    let mut people = Vec::new();
    for name in ["a", "b", "c"] {
        people.extend(world.people(world.own, &[name]).await);
        world.clock.advance(TimeDelta::seconds(1));
    }
    // The first and the last have the same, the one between them nothing.
    let at = world.clock.now();
    for person in [&people[0], &people[2]] {
        connections::record(&world, world.own, vec![connections::on(person, 10)]).await.unwrap();
        sign_ins::sign(&world, person).await;
        let granted = consents::decided(person, "sms", ConsentStatus::Granted, at);
        consents::record(&world, world.own, vec![granted]).await.unwrap();
    }
    let inner = unite(&world, vec![openid_of("b"), openid_of("c")]).await;
    unite(&world, vec![openid_of("a"), openid_of("b")]).await;
    unmerge(&world, &inner).await.unwrap();
    for person in [&people[0], &people[2]] {
        let edges = connections::list(&world, world.own, person).await.unwrap();
        assert_eq!(edges, [connections::on(person, 10)]);
        let request = ListSignInsRequest { person_id: person.clone(), ..Default::default() };
        let page = world.sign_ins(world.own).list_sign_ins(request).await.unwrap().into_inner();
        assert_eq!(page.days.len(), 1, "{person}");
        let request = ListConsentRecordsRequest { person_id: person.clone(), ..Default::default() };
        let page = world.consents(world.own).list_consent_records(request).await.unwrap();
        assert_eq!(page.into_inner().records.len(), 1, "{person}");
    }
}
