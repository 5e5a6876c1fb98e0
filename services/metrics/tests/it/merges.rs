//! Persons who turn out to be one, and not after all.

use siyu_kernel::kind;
use siyu_proto::{
    distribution::v1::{Binding, CustomerBound},
    member::v1::{
        Connection, ConnectionChanged, ConnectionState, Merge, PersonMerged, PersonUnmerged,
    },
    messaging::v1::{Message, MessageMoved, MessageState},
    metrics::v1::*,
    order::v1::OrderFacts,
};
use siyu_testkit::{id, merchant};

use crate::world::{World, noon, person, sale, stamp};

fn merge(survivor: u32, loser: u32) -> Merge {
    Merge {
        id: id::<kind::Merge>(loser).to_string(),
        survivor_person_id: person(survivor),
        loser_person_id: person(loser),
        ..Default::default()
    }
}

async fn merged(world: &World, survivor: u32, loser: u32) {
    let fact = PersonMerged { merge: Some(merge(survivor, loser)) };
    world.siblings["member"].tell(merchant(1), &person(loser), noon(30), &fact).await;
    world.deliver("member").await;
}

async fn unmerged(world: &World, survivor: u32, loser: u32) {
    let fact = PersonUnmerged {
        merge: Some(merge(survivor, loser)),
        survivor_person_id: person(survivor),
        person_ids: vec![person(loser)],
    };
    world.siblings["member"].tell(merchant(1), &person(loser), noon(31), &fact).await;
    world.deliver("member").await;
}

async fn connect(world: &World, n: u32, day: i64) {
    let connection = Connection {
        person_id: person(n),
        channel: "wecom".into(),
        account_id: "anna".into(),
        state: ConnectionState::Connected.into(),
        state_time: Some(stamp(noon(day))),
        ..Default::default()
    };
    let fact = ConnectionChanged { connection: Some(connection) };
    world.siblings["member"].tell(merchant(1), &person(n), noon(day), &fact).await;
    world.deliver("member").await;
}

/// The order service's new revision of an order: the same for another buyer.
fn of(before: &OrderFacts, buyer: u32) -> OrderFacts {
    OrderFacts { revision: before.revision + 1, person_id: person(buyer), ..before.clone() }
}

async fn users(world: &World) -> (i64, i64) {
    let request = GetUserArpuRequest::default();
    let shown = world.own.sales(1).get_user_arpu(request).await.unwrap().into_inner();
    (shown.users, shown.gmv_minor)
}

#[tokio::test]
async fn two_buyers_become_one_and_figures_are_those_of_a_rebuild() {
    let world = World::new().await;
    connect(&world, 1, 0).await;
    connect(&world, 2, 1).await;
    let (one, other) = (sale(1, 1, 5, 100), sale(2, 2, 6, 50));
    world.sell(1, &[one, other.clone(), sale(3, 3, 6, 7)]).await;
    assert_eq!((world.own.total().await.buyers, users(&world).await), (3, (2, 150)));

    merged(&world, 1, 2).await;
    let moved = of(&other, 1);
    world.sell(1, std::slice::from_ref(&moved)).await;
    let figures = world.own.total().await;
    assert_eq!((figures.buyers, users(&world).await), (2, (1, 150)));
    assert!(world.own.rebuild(1).await.equal);
    assert_eq!(world.own.total().await, figures);
    // Facts that name the alias are of the person, and a second telling changes nothing.
    world.sell(1, &[sale(4, 2, 7, 10)]).await;
    merged(&world, 1, 2).await;
    assert_eq!((world.own.total().await.buyers, users(&world).await), (2, (1, 160)));

    unmerged(&world, 1, 2).await;
    world.sell(1, &[of(&moved, 2)]).await;
    assert_eq!((world.own.total().await.buyers, users(&world).await), (3, (2, 160)));
    assert!(world.own.rebuild(1).await.equal);
}

#[tokio::test]
async fn messages_connections_and_referrals_follow_and_return() {
    let world = World::new().await;
    for n in [1, 2] {
        connect(&world, n, 0).await;
        let message = Message {
            id: id::<kind::Message>(n).to_string(),
            person_id: person(n),
            channel: "wecom".into(),
            state: MessageState::Delivered.into(),
            state_time: Some(stamp(noon(2))),
            ..Default::default()
        };
        let fact = MessageMoved { message: Some(message) };
        world.siblings["messaging"].tell(merchant(1), &"msg", noon(2), &fact).await;
        let binding = Binding {
            person_id: person(n),
            bind_time: Some(stamp(noon(i64::from(n)))),
            ..Default::default()
        };
        let fact = CustomerBound { binding: Some(binding), promoter_person_id: person(3 - n) };
        world.siblings["distribution"].tell(merchant(1), &person(n), noon(3), &fact).await;
    }
    world.deliver("messaging").await;
    world.deliver("distribution").await;
    let rows = async || {
        (
            world.count("select count(distinct person) from connections").await,
            world.count("select count(distinct person) from messages").await,
            world.count("select count(distinct person) from referrals").await,
            world.count("select count(distinct referrer) from referrals").await,
        )
    };
    assert_eq!(rows().await, (2, 2, 2, 2));
    merged(&world, 1, 2).await;
    assert_eq!(rows().await, (1, 1, 1, 1));
    unmerged(&world, 1, 2).await;
    assert_eq!(rows().await, (1, 2, 2, 2), "one time of connection was the same of both");
}
