//! Calls that are cut at any point, as by a connection that breaks or a process that dies: the same call again gives the answer
//! that the first one would have given, and nothing is half done.

use siyu_proto::order::v1::*;
use siyu_testkit::cut_after;

use crate::{
    checkouts::{Buyer, by_card, card},
    coupons::{claim, off, save},
    refunds::{pieces, whole},
};

/// A buyer with a sandbox, whose points pay.
async fn buyer() -> Buyer {
    let buyer = Buyer::with_sandbox().await;
    let policy = CheckoutPolicy {
        points_per: 100,
        points_minor: 100,
        points_share_max_bp: 5_000,
        ..CheckoutPolicy::default()
    };
    buyer.rules(policy).await;
    let mut ten = off("ten", 1_001);
    ten.per_person = 1_000;
    save(&buyer.world, &[ten]).await.unwrap();
    claim(&buyer.world, "c", "ten", &buyer.person).await.unwrap();
    buyer.world.member.give(&card(1), 50_000);
    buyer.world.member.give(&buyer.person, 3_333);
    buyer
}

/// A cart with the coupon, all points and a part of the card.
fn cart(buyer: &Buyer, key: &str) -> PlaceOrderRequest {
    let expected_payable_minor = Some(30_000 - 1_001 - 3_333);
    let cart = PlaceOrderRequest { points_max: 3_333, expected_payable_minor, ..buyer.cart(key) };
    by_card(cart, 1, 7_777)
}

impl Buyer {
    /// Card, points, coupons that can be used, pieces reserved.
    async fn has(&self) -> (i64, i64, i64, i64) {
        let member = &self.world.member;
        let issued = self.world.count("select count(*) from coupons where state = 'issued'").await;
        let reserved = self.pieces("dress-m").await.1 + self.pieces("scarf").await.1;
        (member.free(&card(1)), member.free(&self.person), issued, reserved)
    }
}

const ALL: (i64, i64, i64, i64) = (50_000, 3_333, 1, 0);
const LESS: (i64, i64, i64, i64) = (50_000 - 7_777, 0, 0, 3);

#[tokio::test]
async fn an_order_that_is_cut_at_any_point_is_placed_once_by_the_repeat_or_leaves_nothing() {
    let buyer = buyer().await;
    let (mut polls, mut placed) = (0, 0);
    loop {
        let key = format!("cut {polls}");
        let ended = cut_after(polls, buyer.place(cart(&buyer, &key))).await;
        let reply = buyer.place(cart(&buyer, &key)).await.unwrap();
        let checkout = reply.checkout.unwrap();
        let held = checkout.tenders.iter().all(|tender| tender.state() == TenderState::Held);
        assert!(held && checkout.tenders.len() == 2, "after {polls}: {checkout:?}");
        assert_eq!(buyer.has().await, LESS, "after {polls}");
        placed += 1;
        assert_eq!(buyer.world.count("select count(*) from orders").await, placed);
        let id = reply.order.unwrap().id;
        buyer.cancel(&id).await.unwrap();
        buyer.work().await;
        assert_eq!(buyer.has().await, ALL, "after {polls}");
        // Nobody asks again: the job ends what was begun.
        cut_after(polls, buyer.place(cart(&buyer, &format!("left {polls}")))).await;
        buyer.world.clock.advance(chrono::TimeDelta::minutes(16));
        buyer.work().await;
        assert_eq!(buyer.has().await, ALL, "after {polls}");
        placed = buyer.world.count("select count(*) from orders").await;
        if ended {
            break;
        }
        polls += 1;
    }
    assert!(polls > 10, "it has more points than {polls}");
    buyer.books().await;
}

#[tokio::test]
async fn a_refund_that_is_cut_at_any_point_gives_back_once() {
    let buyer = buyer().await;
    for polls in 0.. {
        let id = buyer.buy(cart(&buyer, &format!("order {polls}"))).await;
        let paid = buyer.world.get(1, &id).await.unwrap().paid.unwrap().minor_units;
        let key = format!("part {polls}");
        let ended = cut_after(polls, buyer.refund(&key, &id, pieces(2, 1))).await;
        let part = buyer.refund(&key, &id, pieces(2, 1)).await.unwrap();
        // A job that is cut, and one that goes on.
        cut_after(polls, buyer.work()).await;
        buyer.world.clock.advance(chrono::TimeDelta::minutes(2));
        buyer.work().await;
        let part = buyer.look(&part).await;
        assert_eq!(part.state(), RefundState::Succeeded, "after {polls}: {part:?}");
        let total = part.plan.unwrap().total_minor;
        let order = buyer.world.get(1, &id).await.unwrap();
        assert_eq!(order.paid.unwrap().minor_units, paid - total, "after {polls}");
        let rest = buyer.refund(&format!("rest {polls}"), &id, whole()).await.unwrap();
        buyer.work().await;
        assert_eq!(buyer.look(&rest).await.state(), RefundState::Succeeded);
        assert_eq!(buyer.has().await, ALL, "after {polls}");
        let cash = "select coalesce(sum(paid_minor), 0)::bigint - (select coalesce(sum(amount_minor), 0)::bigint \
            from sandbox_refunds) from sandbox_trades";
        assert_eq!(buyer.world.count(cash).await, 0, "after {polls}");
        if ended {
            break;
        }
    }
    buyer.books().await;
}
