//! What the service asks of the member service, and what happens when that does not answer.

use siyu_kernel::Code;
use siyu_proto::order::v1::{ImportOutcome as O, *};
use siyu_testkit::merchant;

use crate::world::{World, order, outcomes};

#[tokio::test]
async fn nothing_is_stored_while_the_member_service_is_away() {
    let world = World::new().await;
    world.member.fail(usize::MAX);
    let refused = world.try_import(1, &[order("A", &[100])]).await.unwrap_err();
    assert_eq!((refused.code(), refused.reason()), (Code::Unavailable, "MEMBER_AWAY"));
    assert_eq!(world.count("select count(*) from orders").await, 0);
    world.member.fail(0);
    assert_eq!(outcomes(&world.import(&[order("A", &[100])]).await), [O::Created]);
}

#[tokio::test]
async fn a_batch_costs_one_question_for_its_persons_once_the_merchant_is_known() {
    let world = World::new().await;
    world.import(&[order("A", &[1])]).await;
    let before = world.member.calls();
    let orders: Vec<_> = (0..100)
        .map(|n| ExternalOrder { buyer_id: format!("b{n}"), ..order(&format!("{n}"), &[1]) })
        .collect();
    world.import(&orders).await;
    assert_eq!(world.member.calls() - before, 1);
}

#[tokio::test]
async fn a_store_that_opened_a_moment_ago_is_found() {
    let world = World::new().await;
    for n in 1..=5 {
        world.member.open(merchant(1), &format!("S{n}"), n);
    }
    let at_store = |order_no: &str, code: &str| ExternalOrder {
        store_code: code.into(),
        ..order(order_no, &[1])
    };
    assert_eq!(outcomes(&world.import(&[at_store("A", "S5")]).await), [O::Created]);
    assert_eq!(outcomes(&world.import(&[at_store("B", "S6")]).await), [O::Rejected]);
    let opened = world.member.open(merchant(1), "S6", 6);
    let made = world.import(&[at_store("B", "S6")]).await.remove(0);
    assert_eq!(world.get(1, &made.order_id).await.unwrap().store_id, opened);
    // It is that merchant's store alone.
    let theirs = world.try_import(2, &[at_store("C", "S6")]).await.unwrap();
    assert_eq!(outcomes(&theirs), [O::Rejected]);
}
