//! A seat that cannot go on, or has to wait for somebody, holds up no other.

use chrono::TimeDelta;
use siyu_kernel::{Id, kind};
use siyu_proto::order::v1::*;

use crate::{
    checkouts::card,
    groups::{activity, save},
    market::Market,
    refunds::whole,
};

impl Market {
    async fn ask(&self, order_id: &str, ask: RefundAsk) -> Refund {
        let request = RequestRefundRequest {
            request_id: format!("ask {order_id}"),
            order_id: order_id.into(),
            ask: Some(ask),
            reason: "no patience".into(),
            ..Default::default()
        };
        let reply = self.world.refunds(1).request_refund(request).await.unwrap();
        reply.into_inner().refund.unwrap()
    }

    async fn decide(&self, refund: &Refund, decision: RefundDecision) {
        let request =
            DecideRefundRequest { refund_id: refund.id.clone(), decision: decision.into() };
        self.world.refunds(1).decide_refund(request).await.unwrap();
    }
}

#[tokio::test]
async fn a_refund_that_somebody_asked_for_holds_up_no_other_seat_of_a_group_that_failed() {
    use GroupSeatState::{Refunded, Refunding};
    let market = Market::new(4).await;
    save(&market, &[activity("g", 4)]).await;
    let first = market.order(market.opens(1, "g", 15_000)).await.unwrap();
    let group = market.groups("g").await.remove(0);
    let mut orders = vec![first.id];
    for n in 2..=3 {
        orders.push(market.order(market.joins(n, &group, 15_000)).await.unwrap().id);
    }
    // The first asks for everything back, the second for a part, and nobody decides.
    let asked = market.ask(&orders[0], whole()).await;
    let part = RefundLine { line_no: 1, amount_minor: 4_000, quantity: 0 };
    let part =
        market.ask(&orders[1], RefundAsk { lines: vec![part], ..RefundAsk::default() }).await;
    market.world.clock.advance(TimeDelta::hours(1));
    market.work().await;
    let states = async || {
        let seats = market.group(&group.id).await.seats;
        seats.iter().map(GroupSeat::state).collect::<Vec<_>>()
    };
    assert_eq!(states().await, [Refunding, Refunding, Refunded]);
    assert_eq!(market.state(&orders[2]).await, OrderState::Refunded);
    // The one is rejected, the other withdrawn: what they asked for goes back all the same, for the group has failed.
    market.decide(&asked, RefundDecision::Reject).await;
    market.decide(&part, RefundDecision::Withdraw).await;
    market.world.clock.advance(TimeDelta::minutes(10));
    market.work().await;
    assert_eq!(states().await, [Refunded; 3]);
    for order in &orders {
        assert_eq!(market.state(order).await, OrderState::Refunded);
    }
    for n in 1..=3 {
        assert_eq!(market.world.member.free(&card(n)), 15_000);
    }
}

#[tokio::test]
async fn a_seat_whose_order_cannot_go_on_holds_up_no_other() {
    let market = Market::new(4).await;
    save(&market, &[activity("g", 2)]).await;
    let mut pairs = Vec::new();
    for n in [1, 3] {
        let opened = market.order(market.opens(n, "g", 15_000)).await.unwrap();
        let group = market.groups("g").await.remove(0);
        pairs
            .push([opened.id, market.order(market.joins(n + 1, &group, 15_000)).await.unwrap().id]);
    }
    // Nothing in the service does so: the seat has an order that is not one of ours.
    let mut owner = market.world.database.owner().await;
    let broken = pairs[0][0].parse::<Id<kind::Order>>().unwrap();
    sqlx::query("update orders set platform = 'broken' where id = $1")
        .bind(broken.uuid())
        .execute(&mut owner)
        .await
        .unwrap();
    market.work().await;
    for order in [&pairs[0][1], &pairs[1][0], &pairs[1][1]] {
        assert_eq!(market.state(order).await, OrderState::Paid);
    }
    let waits = "select count(*) from group_seats where state = 'forming'";
    assert_eq!(market.world.count(waits).await, 1);
}
