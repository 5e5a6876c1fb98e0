use std::cell::Cell;

use proptest::{prelude::*, test_runner::TestRunner};
use prost_types::Timestamp;
use siyu_grpc::fault;
use siyu_kernel::{Clock, Code, Fault, kind};
use siyu_proto::member::v1::*;
use siyu_testkit::id;

use crate::world::{MerchantId, World, fields};

fn edge(person: &str, account: &str, state: ConnectionState, second: i64) -> Connection {
    Connection {
        person_id: person.into(),
        channel: "wecom".into(),
        account_id: account.into(),
        state: state.into(),
        state_time: Some(Timestamp { seconds: second, nanos: 0 }),
        source: format!("code {second}"),
        reason: DisconnectReason::Unspecified.into(),
    }
}

pub(crate) fn on(person: &str, second: i64) -> Connection {
    edge(person, "anna", ConnectionState::Connected, second)
}

pub(crate) fn off(person: &str, second: i64) -> Connection {
    edge(person, "anna", ConnectionState::Disconnected, second)
}

pub(crate) async fn record(
    world: &World,
    who: MerchantId,
    connections: Vec<Connection>,
) -> Result<i32, Fault> {
    let request = RecordConnectionsRequest { connections };
    let reply = world.connections(who).record_connections(request).await.map_err(fault)?;
    Ok(reply.into_inner().changed)
}

pub(crate) async fn list(
    world: &World,
    who: MerchantId,
    person: &str,
) -> Result<Vec<Connection>, Fault> {
    let mut request =
        ListConnectionsRequest { person_id: person.into(), page_size: 2, ..Default::default() };
    let mut all = Vec::new();
    loop {
        let reply = world.connections(who).list_connections(request.clone()).await;
        let page = reply.map_err(fault)?.into_inner();
        all.extend(page.connections);
        if page.next_page_token.is_empty() {
            return Ok(all);
        }
        request.page_token = page.next_page_token;
    }
}

#[tokio::test]
async fn the_latest_fact_stands_and_an_older_one_changes_nothing() {
    let world = World::new().await;
    let anna = world.people(world.own, &["a"]).await.remove(0);
    assert_eq!(record(&world, world.own, vec![on(&anna, 20)]).await.unwrap(), 1);
    assert_eq!(record(&world, world.own, vec![off(&anna, 10)]).await.unwrap(), 0);
    assert_eq!(record(&world, world.own, vec![on(&anna, 20)]).await.unwrap(), 0);
    assert_eq!(list(&world, world.own, &anna).await.unwrap(), [on(&anna, 20)]);
    // Within one request the latest of an edge counts, wherever it stands.
    let three = vec![off(&anna, 40), on(&anna, 30), off(&anna, 25)];
    assert_eq!(record(&world, world.own, three).await.unwrap(), 1);
    assert_eq!(list(&world, world.own, &anna).await.unwrap(), [off(&anna, 40)]);
    let told = world.told::<ConnectionChanged>().await;
    let told: Vec<_> = told.into_iter().map(|(_, _, fact)| fact.connection.unwrap()).collect();
    let unsourced = |edge: Connection| Connection { source: String::new(), ..edge };
    assert_eq!(told, [on(&anna, 20), off(&anna, 40)].map(unsourced));
}

#[tokio::test]
async fn a_person_who_is_unknown_or_a_strangers_refuses_the_whole_request() {
    let world = World::new().await;
    let ours = world.people(world.own, &["a"]).await.remove(0);
    let theirs = world.people(world.other, &["a"]).await.remove(0);
    let unknown = id::<kind::Person>(5).to_string();
    let mut refused = Vec::new();
    for stranger in [theirs, unknown] {
        let two = vec![on(&ours, 1), on(&stranger, 1)];
        refused.push(record(&world, world.own, two).await.unwrap_err());
        refused.push(list(&world, world.own, &stranger).await.unwrap_err());
    }
    for fault in refused {
        assert_eq!((fault.code(), fault.message()), (Code::NotFound, "person not found"));
    }
    assert_eq!(list(&world, world.own, &ours).await.unwrap(), []);
    assert_eq!(world.told::<ConnectionChanged>().await, []);
}

#[tokio::test]
async fn every_bad_fact_is_named_by_its_place() {
    let world = World::new().await;
    let anna = world.people(world.own, &["a"]).await.remove(0);
    let bad = [
        (Connection { state: 0, ..on(&anna, 1) }, "state"),
        (Connection { state: 9, ..on(&anna, 1) }, "state"),
        (Connection { state_time: None, ..on(&anna, 1) }, "state_time"),
        (on(&anna, i64::MAX), "state_time"),
        (Connection { person_id: "anna".into(), ..on(&anna, 1) }, "person_id"),
        (Connection { channel: String::new(), ..on(&anna, 1) }, "channel"),
    ];
    for (bad, field) in bad {
        let two = vec![on(&anna, 1), bad];
        let refused = record(&world, world.own, two).await.unwrap_err();
        assert_eq!(fields(&refused), [format!("connections[1].{field}")]);
    }
    assert_eq!(list(&world, world.own, &anna).await.unwrap(), []);
}

#[tokio::test]
async fn a_fact_of_the_future_is_refused_and_freezes_no_edge() {
    let world = World::new().await;
    let anna = world.people(world.own, &["a"]).await.remove(0);
    let soonest = world.clock.now().timestamp() + 300;
    let refused = record(&world, world.own, vec![on(&anna, soonest + 1)]).await.unwrap_err();
    assert_eq!(fields(&refused), ["connections[0].state_time"]);
    // A clock may be ahead by a little.
    assert_eq!(record(&world, world.own, vec![on(&anna, soonest)]).await.unwrap(), 1);
    assert_eq!(record(&world, world.own, vec![off(&anna, soonest)]).await.unwrap(), 0);
    world.clock.set(chrono::DateTime::from_timestamp(soonest + 1, 0).unwrap());
    assert_eq!(record(&world, world.own, vec![off(&anna, soonest + 1)]).await.unwrap(), 1);
}

#[tokio::test]
async fn edges_are_listed_by_channel_and_account_in_pages() {
    let world = World::new().await;
    let anna = world.people(world.own, &["a"]).await.remove(0);
    let edges: Vec<Connection> = ["e", "c", "a", "d", "b"]
        .map(|account| edge(&anna, account, ConnectionState::Connected, 1))
        .into();
    assert_eq!(record(&world, world.own, edges).await.unwrap(), 5);
    let shown = list(&world, world.own, &anna).await.unwrap();
    let accounts: Vec<&str> = shown.iter().map(|edge| edge.account_id.as_str()).collect();
    assert_eq!(accounts, ["a", "b", "c", "d", "e"]);
}

#[test]
fn facts_end_in_the_same_edge_in_whatever_order_and_groups_they_come() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let world = runtime.block_on(World::new());
    // Distinct instants, each with a state; their order; where calls are cut.
    let facts = prop::collection::btree_map(1..100_i64, any::<bool>(), 1..8)
        .prop_map(|facts| facts.into_iter().collect::<Vec<_>>())
        .prop_flat_map(|facts| (Just(facts.clone()), Just(facts).prop_shuffle(), 1..4_usize));
    let count = Cell::new(0);
    let mut runner = TestRunner::new(ProptestConfig::with_cases(40));
    let checked = runner.run(&facts, |(sorted, shuffled, cut)| {
        count.set(count.get() + 1);
        runtime.block_on(async {
            let person = world.people(world.own, &[&format!("p{}", count.get())]).await.remove(0);
            let fact = |&(second, is_on): &(i64, bool)| {
                if is_on { on(&person, second) } else { off(&person, second) }
            };
            for call in shuffled.chunks(cut) {
                record(&world, world.own, call.iter().map(fact).collect()).await.unwrap();
            }
            let stands = list(&world, world.own, &person).await.unwrap();
            prop_assert_eq!(stands, [fact(sorted.last().unwrap())]);
            Ok(())
        })
    });
    checked.unwrap();
}
