//! What persons bought: exact whatever revisions arrive in which order, and moved when persons are merged.

use std::collections::BTreeMap;

use siyu_kernel::Id;
use siyu_member::{
    person::{Merge, PersonId, Unmerge, merge},
    purchase::{Totals, store},
};
use siyu_proto::order::v1::OrderState;
use uuid::Uuid;

use crate::{
    orders::{Order, Orders, paid, paid_at},
    world::World,
};

async fn start() -> (World, Orders, Vec<PersonId>) {
    let world = World::new().await;
    let orders = Orders::new(&world).await;
    let people = world.people(world.own, &["anna", "bo", "chen"]).await;
    let people = people.iter().map(|id| id.parse().unwrap()).collect();
    (world, orders, people)
}

/// Orders, what was paid, days; none where nothing was bought.
async fn totals(world: &World, person: PersonId) -> Option<Totals> {
    let mut tx = world.database.db().tenant_read(world.own).await.unwrap();
    store::totals(&mut tx, &[person]).await.unwrap().pop()
}

async fn sums(world: &World, person: PersonId) -> (i64, i64, i64) {
    totals(world, person).await.map_or((0, 0, 0), |t| (t.orders, t.paid_minor, t.purchase_days))
}

#[tokio::test]
async fn a_person_has_bought_what_the_latest_revisions_say() {
    let (world, orders, people) = start().await;
    let (anna, bo) = (people[0], people[1]);
    let first = paid(1, &anna.to_string(), 1_000);
    let second = paid(2, &anna.to_string(), 500);
    orders.tell(world.own, &[first.clone(), second.clone()]).await;
    assert_eq!(sums(&world, anna).await, (2, 1_500, 1));
    let told = totals(&world, anna).await.unwrap();
    assert_eq!((told.first_paid_at, told.last_paid_at), (paid_at(), paid_at()));
    orders.tell(world.own, &[first.now(700), second.of(&bo.to_string())]).await;
    assert_eq!((sums(&world, anna).await, sums(&world, bo).await), ((1, 700, 1), (1, 500, 1)));
    orders.tell(world.own, &[first.now(700).voided()]).await;
    assert_eq!(totals(&world, anna).await, None, "an order that is void was no purchase");
    orders.tell(world.own, &[first.now(900)]).await;
    assert_eq!(totals(&world, anna).await, None, "an older revision changes nothing");
}

#[tokio::test]
async fn sums_are_those_of_the_latest_revisions_in_whatever_order_they_come() {
    let (world, orders, people) = start().await;
    let mut told: Vec<Order> = Vec::new();
    for n in 0..60_u32 {
        let person = &people[(n as usize * 7) % 3];
        let state = if n % 5 == 4 { OrderState::Refunded } else { OrderState::Completed };
        told.push(Order {
            n: n % 12,
            revision: i64::from(n / 12) + 1,
            person: person.to_string(),
            paid_minor: i64::from(n) * 37,
            state,
        });
    }
    let mut latest: BTreeMap<PersonId, (i64, i64)> = BTreeMap::new();
    for order in
        told.iter().filter(|order| order.revision == 5 && order.state == OrderState::Completed)
    {
        let sums = latest.entry(order.person.parse().unwrap()).or_default();
        *sums = (sums.0 + 1, sums.1 + order.paid_minor);
    }
    // A stride that is coprime with 60 visits every revision once, far from their order.
    let shuffled: Vec<Order> = (0..60).map(|i| told[(i * 23) % 60].clone()).collect();
    for batch in shuffled.chunks(7) {
        orders.tell(world.own, batch).await;
    }
    for person in people {
        let (orders, minor, _) = sums(&world, person).await;
        assert_eq!((orders, minor), latest.get(&person).copied().unwrap_or_default());
    }
}

#[tokio::test]
async fn a_merge_moves_purchases_and_its_end_moves_those_back_that_it_moved() {
    let (world, orders, people) = start().await;
    let (anna, bo) = (people[0], people[1]);
    orders.tell(world.own, &[paid(1, &anna.to_string(), 100), paid(2, &bo.to_string(), 250)]).await;
    let merge = Merge { id: siyu_testkit::id(9), survivor: anna, loser: bo, at: paid_at() };
    let mut tx = world.database.db().tenant(world.own).await.unwrap();
    merge::apply(&world.app, &mut tx, &merge).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!((sums(&world, anna).await, sums(&world, bo).await), ((2, 350, 1), (0, 0, 0)));
    orders.tell(world.own, &[paid(3, &anna.to_string(), 7)]).await;
    let mut tx = world.database.db().tenant(world.own).await.unwrap();
    let (id, origins) = (merge.id, vec![bo]);
    let unmerge =
        Unmerge { id, survivor: anna, loser: bo, origins, merged_at: paid_at(), at: paid_at() };
    merge::undo(&world.app, &mut tx, &unmerge).await.unwrap();
    let bought = store::latest(&mut tx, bo, 10).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!((sums(&world, anna).await, sums(&world, bo).await), ((2, 107, 1), (1, 250, 1)));
    assert_eq!(bought.iter().map(|b| b.order_id).collect::<Vec<_>>(), [siyu_testkit::id(2)]);
    assert_ne!(bought[0].order_id, Id::from_uuid(Uuid::nil()));
}
