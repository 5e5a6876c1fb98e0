//! How far persons came, and by what they are connected, as it follows from facts.

use chrono::{DateTime, TimeDelta, Utc};
use prost_types::Timestamp;
use siyu_events::Consumer;
use siyu_grpc::{fault, parse::timestamp};
use siyu_kernel::{Clock, Code, kind};
use siyu_proto::{distribution::v1 as distribution, member::v1::*, r#type::v1::Money};
use siyu_testkit::{Sibling, id};

use crate::{
    orders::{Orders, paid, paid_at},
    organisation::guide,
    owners::met,
    world::{World, fields, key},
};

pub(crate) async fn stage(world: &World, person: &str) -> GetStageResponse {
    let request = GetStageRequest { person_id: person.into() };
    world.stages(world.own).get_stage(request).await.unwrap().into_inner()
}

pub(crate) async fn connect(world: &World, person: &str, channel: &str, at: DateTime<Utc>) {
    let connection = Connection {
        person_id: person.into(),
        channel: channel.into(),
        account_id: "anna".into(),
        state: ConnectionState::Connected.into(),
        state_time: Some(timestamp(at)),
        ..Default::default()
    };
    let request = RecordConnectionsRequest { connections: vec![connection] };
    world.connections(world.own).record_connections(request).await.unwrap();
}

async fn kinds(world: &World, person: &str) -> Vec<(ConnectionKind, i32)> {
    let request = GetConnectionKindsRequest { person_id: person.into() };
    let reply = world.connections(world.own).get_connection_kinds(request).await.unwrap();
    reply.into_inner().kinds.into_iter().map(|held| (held.kind(), held.strength)).collect()
}

/// The distribution service, and the consumer that follows it.
pub(crate) struct Distribution {
    sibling: Sibling,
    consumer: Consumer,
}

impl Distribution {
    pub(crate) async fn new(world: &World) -> Self {
        let sibling = Sibling::new("distribution", &world.clock).await;
        let subscription = world.app.subscriptions().remove(1);
        let consumer = sibling.consumer(world.database.db(), subscription);
        Self { sibling, consumer }
    }

    pub(crate) async fn tell<F: siyu_events::Fact>(&self, world: &World, fact: &F) {
        self.sibling.tell(world.own, &"x", world.clock.now(), fact).await;
        self.sibling.deliver(&self.consumer).await;
    }
}

#[tokio::test]
async fn everybody_is_a_consumer_and_moves_on_with_connection_registration_and_a_second_day() {
    let world = World::new().await;
    let set = vec![key(IdentityKind::Unionid, "wx", "u")];
    let request = ResolvePersonsRequest { sets: vec![IdentitySet { identities: set }] };
    let plain = world.people(world.own, &["a"]).await.remove(0);
    assert_eq!(stage(&world, &plain).await.stage(), Stage::Consumer);
    connect(&world, &plain, "wecom", world.clock.now()).await;
    assert_eq!(stage(&world, &plain).await.stage(), Stage::Connected);
    let reply = world.persons(world.own).resolve_persons(request).await.unwrap().into_inner();
    let member = reply.persons[0].person_id.clone();
    let stands = stage(&world, &member).await;
    assert_eq!(stands.stage(), Stage::Member);
    let entries: Vec<(Stage, bool)> =
        stands.entries.iter().map(|entry| (entry.stage(), entry.implied)).collect();
    let expected = [(Stage::Consumer, false), (Stage::Connected, true), (Stage::Member, false)];
    assert_eq!(entries, expected);

    // Two orders of one day are one purchase; another day makes it a repeat.
    let orders = Orders::new(&world).await;
    orders.tell(world.own, &[paid(1, &member, 500), paid(2, &member, 500)]).await;
    assert_eq!(stage(&world, &member).await.stage(), Stage::Member);
    orders.tell_at(world.own, paid(3, &member, 500), paid_at() + TimeDelta::days(1)).await;
    assert_eq!(stage(&world, &member).await.stage(), Stage::Repeat);
    // It stays, whatever becomes of the order.
    orders.tell(world.own, &[paid(3, &member, 500).voided()]).await;
    assert_eq!(stage(&world, &member).await.stage(), Stage::Repeat);

    let counts = world.stages(world.own).count_stages(CountStagesRequest {}).await.unwrap();
    let counts: Vec<i64> = counts.into_inner().counts.iter().map(|count| count.persons).collect();
    assert_eq!(counts, [0, 1, 0, 1, 0, 0]);
    let told = world.told::<StageChanged>().await;
    let told: Vec<(String, Stage)> =
        told.into_iter().map(|(_, subject, fact)| (subject, fact.stage())).collect();
    let expected =
        [(plain, Stage::Connected), (member.clone(), Stage::Member), (member, Stage::Repeat)];
    assert_eq!(told, expected);
}

#[tokio::test]
async fn who_brings_a_new_buyer_is_an_advocate_and_who_sells_as_promoter_a_partner() {
    let world = World::new().await;
    let people = world.people(world.own, &["promoter", "friend", "old"]).await;
    let (orders, distribution) = (Orders::new(&world).await, Distribution::new(&world).await);
    let promoter = id::<kind::Promoter>(1).to_string();
    let bound = |person: &str, at: DateTime<Utc>| distribution::CustomerBound {
        binding: Some(distribution::Binding {
            person_id: person.into(),
            promoter_id: promoter.clone(),
            bind_time: Some(timestamp(at)),
            ..Default::default()
        }),
        promoter_person_id: people[0].clone(),
    };
    // Who had bought before is no new buyer.
    orders.tell(world.own, &[paid(1, &people[2], 500)]).await;
    distribution.tell(&world, &bound(&people[2], paid_at() + TimeDelta::hours(1))).await;
    assert_eq!(stage(&world, &people[0]).await.stage(), Stage::Consumer);
    distribution.tell(&world, &bound(&people[1], paid_at() - TimeDelta::hours(1))).await;
    orders.tell(world.own, &[paid(2, &people[1], 500)]).await;
    assert_eq!(stage(&world, &people[0]).await.stage(), Stage::Advocate);

    let sold = distribution::Commission {
        promoter_id: promoter.clone(),
        level: 1,
        base: Some(Money { currency_code: "CNY".into(), minor_units: 500 }),
        pay_time: Some(timestamp(paid_at())),
        ..Default::default()
    };
    // In whatever order the facts come.
    let fact = distribution::CommissionChanged { commission: Some(sold) };
    distribution.tell(&world, &fact).await;
    assert_eq!(stage(&world, &people[0]).await.stage(), Stage::Advocate);
    let created = distribution::Promoter {
        id: promoter,
        person_id: people[0].clone(),
        create_time: Some(timestamp(world.clock.now())),
        ..Default::default()
    };
    let fact = distribution::PromoterCreated { promoter: Some(created) };
    distribution.tell(&world, &fact).await;
    assert_eq!(stage(&world, &people[0]).await.stage(), Stage::Partner);
    assert_eq!(kinds(&world, &people[0]).await, [(ConnectionKind::Benefit, 100)]);
}

#[tokio::test]
async fn kinds_of_connection_follow_from_what_happened_and_end_by_themselves() {
    let world = World::new().await;
    let person = world.people(world.own, &["a"]).await.remove(0);
    let anna = guide(&world, "anna", "").await;
    let touch = async |kind: TouchKind, seconds: i32, days_ago: i64| {
        let at = world.clock.now() - TimeDelta::days(days_ago);
        let touch = Touch {
            person_id: person.clone(),
            kind: kind.into(),
            occur_time: Some(timestamp(at)),
            seconds,
        };
        let request = RecordTouchesRequest { touches: vec![touch] };
        world.connections(world.own).record_touches(request).await.unwrap().into_inner().changed
    };
    assert_eq!(kinds(&world, &person).await, []);
    assert_eq!(touch(TouchKind::Live, 59, 0).await, 0);
    assert_eq!(touch(TouchKind::Content, 0, 0).await, 1);
    assert_eq!(touch(TouchKind::Content, 0, 0).await, 0);
    assert_eq!(kinds(&world, &person).await, []);
    // The second latest counts, whatever order they come in.
    assert_eq!(touch(TouchKind::Content, 0, 60).await, 1);
    assert_eq!(touch(TouchKind::Content, 0, 45).await, 1);
    assert_eq!(touch(TouchKind::Content, 0, 50).await, 0);
    assert_eq!(kinds(&world, &person).await, [(ConnectionKind::Interest, 50)]);
    assert_eq!(touch(TouchKind::Live, 60, 9).await, 1);
    assert_eq!(kinds(&world, &person).await, [(ConnectionKind::Interest, 90)]);

    connect(&world, &person, "wecom", world.clock.now()).await;
    met(&world, &person, &anna, InteractionKind::MessageToPerson).await;
    assert_eq!(kinds(&world, &person).await.len(), 1);
    met(&world, &person, &anna, InteractionKind::MessageFromPerson).await;
    let both = [(ConnectionKind::Trust, 100), (ConnectionKind::Interest, 90)];
    assert_eq!(kinds(&world, &person).await, both);
    world.clock.advance(TimeDelta::days(90));
    assert_eq!(kinds(&world, &person).await, [(ConnectionKind::Trust, 50)]);
    world.clock.advance(TimeDelta::days(90));
    assert_eq!(kinds(&world, &person).await, []);
}

#[tokio::test]
async fn edges_end_with_a_reason_and_are_listed_by_account() {
    let world = World::new().await;
    let people = world.people(world.own, &["a", "b"]).await;
    for person in &people {
        connect(&world, person, "wecom", paid_at()).await;
    }
    let ended = Connection {
        person_id: people[0].clone(),
        channel: "wecom".into(),
        account_id: "anna".into(),
        state: ConnectionState::Disconnected.into(),
        state_time: Some(Timestamp { seconds: paid_at().timestamp() + 1, nanos: 0 }),
        reason: DisconnectReason::Blocked.into(),
        ..Default::default()
    };
    let odd = Connection { state: ConnectionState::Connected.into(), ..ended.clone() };
    let request = RecordConnectionsRequest { connections: vec![odd] };
    let refused = world.connections(world.own).record_connections(request).await.map_err(fault);
    assert_eq!(fields(&refused.unwrap_err()), ["connections[0].reason"]);
    let request = RecordConnectionsRequest { connections: vec![ended.clone()] };
    world.connections(world.own).record_connections(request).await.unwrap();

    let list = async |state: ConnectionState| -> Vec<Connection> {
        let request = ListAccountConnectionsRequest {
            channel: "wecom".into(),
            account_id: "anna".into(),
            state: state.into(),
            ..Default::default()
        };
        let reply = world.connections(world.own).list_account_connections(request).await;
        reply.unwrap().into_inner().connections
    };
    assert_eq!(list(ConnectionState::Unspecified).await.len(), 2);
    assert_eq!(list(ConnectionState::Disconnected).await, [ended]);
    let live: Vec<String> =
        list(ConnectionState::Connected).await.into_iter().map(|edge| edge.person_id).collect();
    assert_eq!(live, [people[1].clone()]);
    // Whose every connection ended is lost, whoever never had one is not.
    assert_eq!(stage(&world, &people[0]).await.activity(), Activity::Lost);
    assert_eq!(stage(&world, &people[1]).await.activity(), Activity::Active);
    let unknown = GetStageRequest { person_id: id::<kind::Person>(9).to_string() };
    let refused = world.stages(world.own).get_stage(unknown).await.map_err(fault).unwrap_err();
    assert_eq!((refused.code(), refused.message()), (Code::NotFound, "person not found"));
}
