//! How an order comes to its end: the buyer confirms it, or its time is over.

use chrono::TimeDelta;
use siyu_grpc::fault;
use siyu_kernel::Code;
use siyu_proto::order::v1::*;

use crate::{
    depot::{Depot, line},
    market::reason,
    refunds::pieces,
};

impl Depot {
    /// An order that arrived as one parcel.
    async fn arrived(&self, key: &str) -> String {
        let id = self.taken(key).await;
        let parcel = self.ship(key, &id, 1, &[]).await.unwrap().parcel.unwrap();
        self.sign(&parcel).await;
        id
    }
}

#[tokio::test]
async fn a_buyer_who_confirms_lets_the_money_go_at_once() {
    let depot = Depot::new(&[]).await;
    let id = depot.arrived("a").await;
    depot.work().await;
    assert_eq!(depot.held(&id).await.state(), GuaranteeState::Held);
    let order = depot.confirm(&id).await.unwrap();
    assert_eq!(order.state(), OrderState::Completed);
    assert_eq!(depot.confirm(&id).await.unwrap(), order, "a repeat");
    let told: Vec<_> = depot.world.told().await.iter().map(|told| told.brief().0).collect();
    assert_eq!(told, ["paid", "revised", "revised", "revised", "revised"]);
    depot.work().await;
    let held = depot.held(&id).await;
    assert_eq!((held.state(), held.released_minor), (GuaranteeState::Released, 30_000));
    let events = ["placed", "paid", "accepted", "shipped", "signed", "completed"];
    assert_eq!(depot.events(&id).await, events);
    depot.books().await;
}

#[tokio::test]
async fn a_buyer_confirms_what_is_on_its_way_but_not_what_was_never_sent() {
    let depot = Depot::new(&[]).await;
    let id = depot.taken("a").await;
    assert_eq!(reason(depot.confirm(&id).await), "ORDER_STATE_WRONG");
    depot.ship("1", &id, 1, &[line(1, 1)]).await.unwrap();
    assert_eq!(reason(depot.confirm(&id).await), "PIECES_MISSING");
    depot.ship("2", &id, 1, &[]).await.unwrap();
    assert_eq!(depot.confirm(&id).await.unwrap().state(), OrderState::Completed);
    assert!(depot.parcels(&id).await.iter().all(|parcel| parcel.sign_time.is_some()));
    let request = ConfirmReceiptRequest { order_id: id };
    let theirs = fault(depot.world.fulfilment(2).confirm_receipt(request).await.unwrap_err());
    assert_eq!(theirs.code(), Code::NotFound);
}

#[tokio::test]
async fn an_order_completes_and_closes_by_itself_at_the_right_instants() {
    let depot = Depot::new(&[]).await;
    let policy =
        CheckoutPolicy { confirm_days: 3, after_sale_days: 15, ..CheckoutPolicy::default() };
    depot.rules(policy).await;
    let id = depot.arrived("a").await;
    for (days, before, after) in [
        (3, OrderState::Signed, OrderState::Completed),
        (15, OrderState::Completed, OrderState::Closed),
    ] {
        depot.world.clock.advance(TimeDelta::days(days) - TimeDelta::seconds(1));
        depot.work().await;
        assert_eq!(depot.state(&id).await, before);
        depot.world.clock.advance(TimeDelta::seconds(1));
        depot.work().await;
        assert_eq!(depot.state(&id).await, after);
    }
    assert_eq!(depot.held(&id).await.state(), GuaranteeState::Released);
    assert_eq!(depot.confirm(&id).await.unwrap().state(), OrderState::Closed);
    assert_eq!(reason(depot.refund("r", &id, pieces(1, 1)).await), "ORDER_STATE_WRONG");
}

#[tokio::test]
async fn a_dispute_holds_the_money_of_a_completed_order_back() {
    let depot = Depot::new(&[]).await;
    let id = depot.arrived("a").await;
    let request = OpenDisputeRequest {
        request_id: "d".into(),
        order_id: id.clone(),
        amount_minor: 5_000,
        reason: "torn".into(),
    };
    let dispute = depot.world.guarantees(1).open_dispute(request).await.unwrap().into_inner();
    depot.confirm(&id).await.unwrap();
    depot.work().await;
    assert_eq!(depot.held(&id).await.held_minor, 30_000);
    let request = CloseDisputeRequest {
        request_id: "c".into(),
        dispute_id: dispute.dispute.unwrap().id,
        outcome: DisputeOutcome::Merchant.into(),
        note: "not torn".into(),
    };
    depot.world.guarantees(1).close_dispute(request).await.unwrap();
    depot.work().await;
    assert_eq!(depot.held(&id).await.state(), GuaranteeState::Released);
}

#[tokio::test]
async fn an_order_stays_open_for_its_dispute_and_a_buyer_who_was_right_is_refunded() {
    let depot = Depot::new(&[]).await;
    for (key, outcome) in [("a", DisputeOutcome::Buyer), ("b", DisputeOutcome::Merchant)] {
        let id = depot.arrived(key).await;
        depot.confirm(&id).await.unwrap();
        let request = OpenDisputeRequest {
            request_id: format!("open {key}"),
            order_id: id.clone(),
            amount_minor: 0,
            reason: "torn".into(),
        };
        let opened = depot.world.guarantees(1).open_dispute(request).await.unwrap().into_inner();
        // The after-sale window is long over.
        depot.world.clock.advance(TimeDelta::days(30));
        depot.work().await;
        assert_eq!(depot.state(&id).await, OrderState::Completed);
        let request = CloseDisputeRequest {
            request_id: format!("close {key}"),
            dispute_id: opened.dispute.unwrap().id,
            outcome: outcome.into(),
            note: "seen".into(),
        };
        depot.world.guarantees(1).close_dispute(request).await.unwrap();
        depot.world.clock.advance(TimeDelta::days(6));
        depot.work().await;
        if outcome == DisputeOutcome::Buyer {
            assert_eq!(depot.state(&id).await, OrderState::Completed);
            depot.refund(key, &id, pieces(2, 1)).await.unwrap();
            depot.work().await;
            assert_eq!(depot.world.get(1, &id).await.unwrap().paid.unwrap().minor_units, 25_000);
            depot.world.clock.advance(TimeDelta::days(1));
            depot.work().await;
        }
        assert_eq!(depot.state(&id).await, OrderState::Closed);
    }
    depot.books().await;
}

#[tokio::test]
async fn the_window_stays_open_while_a_refund_that_was_asked_for_in_it_is() {
    let depot = Depot::new(&[]).await;
    let id = depot.arrived("a").await;
    depot.confirm(&id).await.unwrap();
    let request = RequestRefundRequest {
        request_id: "r".into(),
        order_id: id.clone(),
        ask: Some(crate::refunds::whole()),
        reason: "too small".into(),
        needs_return: true,
        ..Default::default()
    };
    let refund = depot.world.refunds(1).request_refund(request).await.unwrap().into_inner();
    depot.world.clock.advance(TimeDelta::days(8));
    depot.work().await;
    assert_eq!(depot.state(&id).await, OrderState::Completed);
    let decide = async |decision: RefundDecision| {
        let refund_id = refund.refund.as_ref().unwrap().id.clone();
        let request = DecideRefundRequest { refund_id, decision: decision.into() };
        depot.world.refunds(1).decide_refund(request).await.unwrap();
    };
    decide(RefundDecision::Agree).await;
    decide(RefundDecision::ReturnReceived).await;
    depot.work().await;
    assert_eq!(depot.state(&id).await, OrderState::Refunded);
    // Another one is rejected: then the window shuts.
    let id = depot.arrived("b").await;
    depot.confirm(&id).await.unwrap();
    let request = RequestRefundRequest {
        request_id: "s".into(),
        order_id: id.clone(),
        ask: Some(pieces(1, 1)),
        reason: "too small".into(),
        ..Default::default()
    };
    let other = depot.world.refunds(1).request_refund(request).await.unwrap().into_inner();
    depot.world.clock.advance(TimeDelta::days(8));
    depot.work().await;
    let refund_id = other.refund.unwrap().id;
    let request = DecideRefundRequest { refund_id, decision: RefundDecision::Reject.into() };
    depot.world.refunds(1).decide_refund(request).await.unwrap();
    depot.world.clock.advance(TimeDelta::hours(1));
    depot.work().await;
    assert_eq!(depot.state(&id).await, OrderState::Closed);
    depot.books().await;
}
