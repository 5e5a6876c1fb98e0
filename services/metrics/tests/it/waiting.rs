//! Facts that come before what they need.

use siyu_kernel::{Id, kind};
use siyu_proto::{
    distribution::v1::{Binding, CustomerBound},
    messaging::v1::{Message, MessageMoved, MessageState},
    metrics::v1::GetTriangleRequest,
};
use siyu_testkit::{id, merchant};

use crate::world::{World, noon, person, sale, stamp};

/// Tells the merchant while a sibling's facts are being handled, and returns when those are done.
async fn told_meanwhile(world: &World, name: &str) {
    let late = async {
        // The facts have failed at least once by now, or wait for the merchant's row.
        for _ in 0..50 {
            world.count("select count(*) from merchants").await;
        }
        world.open(1, "Asia/Shanghai", "CNY").await;
    };
    tokio::join!(world.deliver(name), late);
    assert_eq!(world.consumers[name].count_parked().await.unwrap(), 0);
}

#[tokio::test]
async fn orders_wait_until_the_zone_of_their_merchant_is_known() {
    let world = World::empty().await;
    let order = &world.siblings["order"];
    let facts = Some(sale(1, 1, 0, 100));
    let fact = siyu_proto::order::v1::OrderPaid { facts };
    order.tell(merchant(1), &"ord", noon(0), &fact).await;
    told_meanwhile(&world, "order").await;
    assert_eq!(world.own.total().await.orders, 1);
}

#[tokio::test]
async fn bindings_wait_until_their_merchant_is_known() {
    let world = World::empty().await;
    let binding = Binding {
        id: Id::<kind::Binding>::from_uuid(id::<kind::Binding>(1).uuid()).to_string(),
        person_id: person(1),
        bind_time: Some(stamp(noon(0))),
        ..Default::default()
    };
    let fact = CustomerBound { binding: Some(binding), promoter_person_id: person(2) };
    world.siblings["distribution"].tell(merchant(1), &person(1), noon(0), &fact).await;
    told_meanwhile(&world, "distribution").await;
    assert_eq!(world.count("select count(*) from referrals").await, 1);
}

#[tokio::test]
async fn messages_wait_until_their_merchant_is_known() {
    let world = World::empty().await;
    let message = Message {
        id: id::<kind::Message>(1).to_string(),
        person_id: person(1),
        channel: "sandbox".into(),
        state: MessageState::Delivered.into(),
        state_time: Some(stamp(noon(0))),
        ..Default::default()
    };
    let fact = MessageMoved { message: Some(message) };
    world.siblings["messaging"].tell(merchant(1), &"msg", noon(0), &fact).await;
    told_meanwhile(&world, "messaging").await;
    assert_eq!(world.count("select count(*) from messages").await, 1);
    let triangle = world.own.triangle(1).get_triangle(GetTriangleRequest::default()).await;
    assert!(!triangle.unwrap().into_inner().flags.is_empty());
}
