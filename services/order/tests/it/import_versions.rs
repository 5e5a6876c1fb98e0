//! One order in many pieces and versions: what stands does not depend on the way there.

use siyu_proto::order::v1::{ImportOutcome as O, *};

use crate::world::{World, at, line, order, outcomes, status, version};

/// A piece of an order: some of its lines.
fn piece(seconds: i64, lines: &[(i32, i64)]) -> ExternalOrder {
    let lines = lines.iter().map(|&(no, minor)| line(no, minor)).collect();
    ExternalOrder { lines, ..version(order("A", &[]), seconds) }
}

async fn stands(world: &World, results: &[ImportResult]) -> (i64, Vec<(i32, i64)>) {
    let order = world.get(1, &results[0].order_id).await.unwrap();
    let lines = order.lines.iter().map(|l| (l.line_no, l.paid.as_ref().unwrap().minor_units));
    (order.paid.unwrap().minor_units, lines.collect())
}

#[tokio::test]
async fn lines_that_come_in_separate_batches_add_up_in_any_order() {
    let pieces = [piece(0, &[(1, 100), (4, 7)]), piece(0, &[(2, 20)]), piece(0, &[(3, 3)])];
    for way in [[0, 1, 2], [2, 1, 0], [1, 2, 0]] {
        let world = World::new().await;
        let mut results = Vec::new();
        for n in way {
            results = world.import(&[pieces[n].clone()]).await;
        }
        assert_eq!(outcomes(&results), [O::Updated]);
        let expected = vec![(1, 100), (2, 20), (3, 3), (4, 7)];
        assert_eq!(stands(&world, &results).await, (130, expected), "{way:?}");
        let told = world.told().await;
        assert_eq!((told.len(), told[2].brief()), (3, ("revised", 130, 3)));
    }
}

#[tokio::test]
async fn each_line_has_its_own_version() {
    let world = World::new().await;
    world.import(&[piece(5, &[(1, 500)])]).await;
    // Older for the head and for line 1, new for line 2.
    let older = status(piece(3, &[(1, 300), (2, 30)]), "shipped");
    assert_eq!(outcomes(&world.import(&[older]).await), [O::Updated]);
    let results = world.import(&[piece(4, &[(2, 40)])]).await;
    assert_eq!(outcomes(&results), [O::Updated]);
    assert_eq!(stands(&world, &results).await, (540, vec![(1, 500), (2, 40)]));
    assert_eq!(world.get(1, &results[0].order_id).await.unwrap().state(), OrderState::Paid);
}

#[tokio::test]
async fn a_later_version_that_came_first_learns_from_the_earlier_one_when_the_buyer_paid() {
    let world = World::new().await;
    let mut refunded = status(piece(9, &[(1, 100)]), "refunded");
    refunded.pay_time = None;
    world.import(&[refunded]).await;
    assert_eq!(world.told().await, []);
    let results = world.import(&[piece(1, &[(1, 100)])]).await;
    assert_eq!(outcomes(&results), [O::Updated]);
    let order = world.get(1, &results[0].order_id).await.unwrap();
    assert_eq!((order.state(), order.pay_time), (OrderState::Refunded, Some(at(-3_600))));
    assert_eq!(world.told().await, [], "it never counted here");
}

#[tokio::test]
async fn versions_finer_than_a_microsecond_are_the_same_at_a_repeat() {
    let world = World::new().await;
    let mut fine = piece(1, &[(1, 100)]);
    fine.update_time.as_mut().unwrap().nanos = 123_456_789;
    assert_eq!(outcomes(&world.import(&[fine.clone()]).await), [O::Created]);
    assert_eq!(outcomes(&world.import(&[fine]).await), [O::Unchanged]);
}
