use chrono::TimeDelta;
use siyu_kernel::{Id, Ids, kind};
use siyu_ledger::{Movement, Transfer, TransferCode};
use siyu_member::account::{self, POINTS};
use siyu_proto::member::v1::*;
use siyu_testkit::{SeededIds, id};

use crate::{
    orders::{Orders, paid},
    world::{MerchantId, World},
};

/// What a person has: points to spend, points in all, growth, tier.
pub(crate) async fn has(world: &World, person: &str) -> (i64, i64, i64, i32) {
    let shown = world.person(world.own, person).await.unwrap();
    (shown.points_available, shown.points_total, shown.growth, shown.tier)
}

async fn start() -> (World, Orders, String) {
    let world = World::new().await;
    let orders = Orders::new(&world).await;
    let anna = world.people(world.own, &["anna"]).await.remove(0);
    (world, orders, anna)
}

/// Spends points as a later capability will.
pub(crate) async fn spend(world: &World, person: &str, points: i64) {
    let who: Id<kind::Person> = person.parse().unwrap();
    let mut tx = world.database.db().tenant(world.own).await.unwrap();
    let now = world.clock.advance(TimeDelta::seconds(1));
    let ids = SeededIds::new(now.timestamp().unsigned_abs());
    let two = [account::held(ids.uuid(), who, POINTS), account::issued(ids.uuid(), POINTS)];
    let open = siyu_ledger::open(&mut tx, &two, now).await.unwrap();
    let movement = Movement::new(open[0].id, open[1].id, points);
    let transfer = Transfer::post(Id::from_uuid(ids.uuid()), TransferCode::new(9), movement);
    siyu_ledger::post_all(&mut tx, &[transfer], now).await.unwrap();
    tx.commit().await.unwrap();
}

pub(crate) async fn entries(world: &World, person: &str, asset: Asset) -> Vec<(i64, i64, String)> {
    let mut request = ListEntriesRequest {
        person_id: person.into(),
        asset: asset.into(),
        page_size: 1,
        ..Default::default()
    };
    let mut all = Vec::new();
    loop {
        let mut accounts = world.accounts(world.own);
        let page = accounts.list_entries(request.clone()).await.unwrap().into_inner();
        all.extend(page.entries.into_iter().map(|e| (e.amount, e.balance_after, e.reference)));
        if page.next_page_token.is_empty() {
            return all;
        }
        request.page_token = page.next_page_token;
    }
}

#[tokio::test]
async fn a_paid_order_gives_growth_at_once_and_points_to_spend_after_a_week() {
    let (world, orders, anna) = start().await;
    orders.tell(world.own, &[paid(1, &anna, 1_999)]).await;
    assert_eq!(has(&world, &anna).await, (0, 19, 19, 1));
    world.clock.advance(TimeDelta::days(7) - TimeDelta::seconds(1));
    assert_eq!(has(&world, &anna).await.0, 0);
    world.clock.advance(TimeDelta::seconds(1));
    assert_eq!(has(&world, &anna).await, (19, 19, 19, 1));
    assert_eq!(world.sound_ledger(world.own).await, 2);
}

#[tokio::test]
async fn a_change_of_the_order_takes_the_earlier_earning_back_and_gives_the_new_one() {
    let (world, orders, anna) = start().await;
    let first = paid(1, &anna, 10_000);
    orders.tell(world.own, std::slice::from_ref(&first)).await;
    let more = first.now(25_050);
    orders.tell(world.own, std::slice::from_ref(&more)).await;
    assert_eq!(has(&world, &anna).await, (0, 250, 250, 1));
    let less = more.now(4_999);
    orders.tell(world.own, std::slice::from_ref(&less)).await;
    assert_eq!(has(&world, &anna).await, (0, 49, 49, 1));
    // The same whole units: nothing to post.
    let posted = world.sound_ledger(world.own).await;
    let same = less.now(4_901);
    orders.tell(world.own, std::slice::from_ref(&same)).await;
    assert_eq!(world.sound_ledger(world.own).await, posted);
    orders.tell(world.own, &[same.voided()]).await;
    assert_eq!(has(&world, &anna).await, (0, 0, 0, 1));
    let order = id::<kind::Order>(1).to_string();
    let (amounts, balances): (Vec<i64>, Vec<i64>) = entries(&world, &anna, Asset::Points)
        .await
        .into_iter()
        .map(|(amount, balance, reference)| {
            assert_eq!(reference, order);
            (amount, balance)
        })
        .unzip();
    assert_eq!(amounts, [-49, 49, -250, 250, -100, 100]);
    assert_eq!(balances, [0, 49, 0, 250, 0, 100]);
    world.sound_ledger(world.own).await;
}

#[tokio::test]
async fn an_order_that_turns_out_to_be_of_another_person_moves_what_it_earned() {
    let (world, orders, anna) = start().await;
    let ben = world.people(world.own, &["ben"]).await.remove(0);
    let first = paid(1, &anna, 500_000);
    orders.tell(world.own, &[first.clone(), paid(2, &anna, 100)]).await;
    assert_eq!(has(&world, &anna).await, (0, 5_001, 5_001, 3));
    let moved = first.of(&ben);
    orders.tell(world.own, std::slice::from_ref(&moved)).await;
    // Nobody falls before the tier expires.
    assert_eq!(has(&world, &anna).await, (0, 1, 1, 3));
    assert_eq!(has(&world, &ben).await, (0, 5_000, 5_000, 3));
    orders.tell(world.own, &[moved.of(&anna).voided()]).await;
    assert_eq!((has(&world, &anna).await, has(&world, &ben).await), ((0, 1, 1, 3), (0, 0, 0, 3)));
    world.sound_ledger(world.own).await;
}

#[tokio::test]
async fn a_revision_that_comes_late_or_again_changes_nothing() {
    let (world, orders, anna) = start().await;
    let first = paid(1, &anna, 10_000);
    let (second, third) = (first.now(20_000), first.now(20_000).now(30_000));
    orders.tell(world.own, std::slice::from_ref(&third)).await;
    let posted = world.sound_ledger(world.own).await;
    orders.tell(world.own, &[second.clone(), first.clone(), third.clone()]).await;
    orders.tell(world.own, &[first, third, second]).await;
    orders.consumer.reset(0).await.unwrap();
    orders.sibling.deliver(&orders.consumer).await;
    assert_eq!(has(&world, &anna).await, (0, 300, 300, 1));
    assert_eq!(world.sound_ledger(world.own).await, posted);
}

#[tokio::test]
async fn points_that_were_spent_are_owed_after_a_refund_and_later_orders_pay_them_off() {
    let (world, orders, anna) = start().await;
    let first = paid(1, &anna, 10_000);
    orders.tell(world.own, std::slice::from_ref(&first)).await;
    world.clock.advance(TimeDelta::days(8));
    spend(&world, &anna, 70).await;
    assert_eq!(has(&world, &anna).await, (30, 30, 100, 1));
    orders.tell(world.own, &[first.voided()]).await;
    let owes = has(&world, &anna).await;
    assert_eq!((owes.1, owes.2), (-70, 0));
    assert!(owes.0 <= 0, "nothing can be spent: {owes:?}");
    orders.tell(world.own, &[paid(2, &anna, 9_000)]).await;
    world.clock.advance(TimeDelta::days(8));
    assert_eq!(has(&world, &anna).await, (20, 20, 90, 1));
    world.sound_ledger(world.own).await;
}

#[tokio::test]
async fn persons_can_be_searched_by_the_growth_that_they_have_now() {
    let (world, orders, anna) = start().await;
    let ben = world.people(world.own, &["ben"]).await.remove(0);
    let first = paid(1, &anna, 200_000);
    orders.tell(world.own, &[first.clone(), paid(2, &ben, 100_000)]).await;
    let rich = |who: MerchantId, growth_min| {
        let mut persons = world.persons(who);
        async move {
            let request = ListPersonsRequest { growth_min, ..Default::default() };
            let reply = persons.list_persons(request).await.unwrap().into_inner();
            reply.persons.into_iter().map(|person| person.id).collect::<Vec<_>>()
        }
    };
    assert_eq!(rich(world.own, 1_000).await, [anna.as_str(), &ben]);
    assert_eq!(rich(world.own, 1_001).await, [anna.as_str()]);
    orders.tell(world.own, &[first.now(50_000)]).await;
    assert_eq!(rich(world.own, 1_000).await, [ben.as_str()]);
    assert_eq!(rich(world.other, 0).await, Vec::<String>::new());
}

#[tokio::test]
async fn an_order_that_cannot_be_read_is_put_aside_and_holds_up_nobody() {
    let (world, orders, anna) = start().await;
    orders.tell(world.own, &[paid(1, "nobody", 10_000), paid(2, &anna, 10_000)]).await;
    assert_eq!(has(&world, &anna).await.1, 100);
    assert_eq!(orders.consumer.count_parked().await.unwrap(), 1);
    // Later facts of the same order wait behind it; the others go on.
    orders.tell(world.own, &[paid(1, "nobody", 20_000), paid(3, &anna, 10_000)]).await;
    assert_eq!(orders.consumer.count_parked().await.unwrap(), 2);
    assert_eq!(has(&world, &anna).await.1, 200);
    world.sound_ledger(world.own).await;
}

#[tokio::test]
async fn merchants_whose_orders_come_mixed_keep_books_of_their_own() {
    let (world, orders, anna) = start().await;
    let theirs = world.people(world.other, &["anna"]).await.remove(0);
    for n in 1..=6 {
        let (who, person) = if n % 2 == 0 { (world.own, &anna) } else { (world.other, &theirs) };
        orders.sibling.tell(who, &n, crate::orders::paid_at(), &order_paid(n, person)).await;
    }
    orders.sibling.deliver(&orders.consumer).await;
    assert_eq!(has(&world, &anna).await.1, 2 + 4 + 6);
    assert_eq!(world.person(world.other, &theirs).await.unwrap().points_total, 1 + 3 + 5);
    assert_eq!(world.sound_ledger(world.own).await, 6);
    assert_eq!(world.sound_ledger(world.other).await, 6);
}

fn order_paid(n: u32, person: &str) -> siyu_proto::order::v1::OrderPaid {
    let facts = paid(n, person, i64::from(n) * 100).facts();
    siyu_proto::order::v1::OrderPaid { facts: Some(facts) }
}
