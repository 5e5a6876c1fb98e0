//! What becomes of the rewards that an order gave when the order is refunded: red packets and coupons.

use std::collections::BTreeMap;

use siyu_grpc::fault;
use siyu_kernel::{Code, Fault};
use siyu_proto::order::v1::*;
use siyu_testkit::merchant;

use crate::{
    checkouts::{by_card, card},
    coupons::{off, save},
    market::{Market, reason},
    red_packets::set_up,
    refunds::{pieces, whole},
};

/// What is done with a reward, and why it is kept.
pub(crate) type Done = (RewardAction, String);

pub(crate) fn kept(why: &str) -> Done {
    (RewardAction::Keep, why.to_owned())
}

pub(crate) fn stopped() -> Done {
    (RewardAction::Stop, String::new())
}

pub(crate) fn void() -> Done {
    (RewardAction::Void, String::new())
}

/// What a plan does with each reward, by id.
pub(crate) fn done(plan: &RefundPlan) -> BTreeMap<String, Done> {
    let each = plan.rewards.iter().map(|r| (r.id.clone(), (r.action(), r.reason.clone())));
    each.collect()
}

pub(crate) fn rewards(refund: &Refund) -> BTreeMap<String, Done> {
    done(refund.plan.as_ref().unwrap())
}

impl Market {
    /// A shop with a budget for packets and templates of a large and a small coupon.
    pub(crate) async fn generous(persons: u32) -> Self {
        let market = Self::new(persons).await;
        set_up(&market, 1_000_000, RedPacketPolicy::default()).await;
        let large = CouponTemplate { transfers_max: 1, per_person: 9, ..off("large", 5_000) };
        let small = CouponTemplate { transfers_max: 1, per_person: 9, ..off("small", 100) };
        save(&market.world, &[large, small]).await.unwrap();
        market
    }

    /// An order for 300.00 of the `n`-th person, paid at once.
    pub(crate) async fn paid(&self, key: &str, n: usize) -> String {
        self.world.member.give(&card(1), 30_000);
        let cart = PlaceOrderRequest { person_id: self.person(n).into(), ..self.cart(key) };
        let order = self.order(by_card(cart, 1, 30_000)).await.unwrap();
        assert_eq!(order.state(), OrderState::Paid);
        order.id
    }

    pub(crate) async fn give(
        &self,
        key: &str,
        code: &str,
        persons: &[&str],
        order: &str,
    ) -> Result<Vec<String>, Fault> {
        let request = ClaimCouponsRequest {
            request_id: key.into(),
            template_code: code.into(),
            person_ids: persons.iter().map(|&person| person.into()).collect(),
            order_id: order.into(),
            ..ClaimCouponsRequest::default()
        };
        let reply = self.world.coupons(1).claim_coupons(request).await.map_err(fault)?;
        Ok(reply.into_inner().results.into_iter().map(|result| result.coupon_id).collect())
    }

    pub(crate) async fn coupon(&self, person: &str, id: &str) -> Coupon {
        let request = ListCouponsRequest {
            person_id: person.into(),
            show_expired: true,
            ..ListCouponsRequest::default()
        };
        let reply = self.world.coupons(1).list_coupons(request).await.unwrap().into_inner();
        reply.coupons.into_iter().find(|coupon| coupon.id == id).unwrap()
    }

    async fn planned(&self, order: &str, ask: RefundAsk) -> BTreeMap<String, Done> {
        let request = PlanRefundRequest { order_id: order.into(), ask: Some(ask) };
        let reply = self.world.refunds(1).plan_refund(request).await.unwrap();
        done(&reply.into_inner().plan.unwrap())
    }

    async fn counted(&self) -> (i64, i64) {
        let (packets, minor) = (
            "select sum(packets)::bigint from red_packet_counts where kind = 'order'",
            "select sum(minor)::bigint from red_packet_counts where kind = 'person'",
        );
        (self.world.count(packets).await, self.world.count(minor).await)
    }
}

#[tokio::test]
async fn a_whole_refund_takes_back_what_nobody_has_received_or_used() {
    let market = Market::generous(2).await;
    let (ann, bob) = (market.person(1), market.person(2));
    let order = market.paid("a", 1).await;
    let received = market.send(market.packet_for("p1", 1, &order, 1_000)).await.unwrap().id;
    let refused = market.send(market.packet_for("p2", 1, &order, 1_001)).await.unwrap().id;
    market.hours(2).await;
    let created = market.unsent("p3", 1, &order).await;
    let large = market.give("g1", "large", &[ann], &order).await.unwrap().remove(0);
    let small = market.give("g2", "small", &[ann], &order).await.unwrap().remove(0);
    let passed = market.give("g3", "small", &[bob], &order).await.unwrap().remove(0);
    let other = market.give("g4", "small", &[bob], "").await.unwrap().remove(0);
    // The large one is used, for another order.
    market.world.member.give(&card(2), 25_000);
    market.order(by_card(market.cart("b"), 2, 25_000)).await.unwrap();
    let shown = market.coupon(ann, &large).await;
    assert_eq!((shown.state(), &shown.order_id), (CouponState::Used, &order));
    let request = IssueRedemptionCodeRequest {
        request_id: "code".into(),
        coupon_id: small.clone(),
        valid_minutes: 0,
    };
    market.world.coupons(1).issue_redemption_code(request).await.unwrap();
    assert_eq!((market.spent().await, market.counted().await), (2_002, (2, 2_002)));

    let expected: BTreeMap<String, Done> = [
        (received.clone(), kept("received")),
        (refused, kept("failed")),
        (created.clone(), stopped()),
        (large, kept("used")),
        (small.clone(), void()),
        (passed.clone(), void()),
    ]
    .into();
    assert_eq!(market.planned(&order, whole()).await, expected);
    assert_eq!(market.spent().await, 2_002, "a plan does nothing");
    let refund = market.refund("r", &order, whole()).await.unwrap();
    assert_eq!((refund.state(), rewards(&refund)), (RefundState::Succeeded, expected));
    let plan = refund.plan.as_ref().unwrap();
    assert_eq!((plan.total_minor, plan.fully), (30_000, true), "nothing is taken off the money");

    assert_eq!(market.read(&created).await.state(), RedPacketState::Stopped);
    assert_eq!(market.read(&received).await.state(), RedPacketState::Received);
    assert_eq!((market.spent().await, market.counted().await), (1_000, (1, 1_000)));
    assert_eq!(market.coupon(ann, &small).await.state(), CouponState::Void);
    assert_eq!(market.coupon(bob, &passed).await.state(), CouponState::Void);
    assert_eq!(market.coupon(bob, &other).await.state(), CouponState::Issued, "of no order");
    let open = "select count(*) from coupon_codes where state = 'open'";
    assert_eq!(market.world.count(open).await, 0);
    let request = ListCouponEventsRequest { coupon_id: small, ..Default::default() };
    let events = market.world.coupons(1).list_coupon_events(request).await.unwrap().into_inner();
    let [event] = events.events.as_slice() else { panic!("{events:?}") };
    assert_eq!(event.kind(), CouponEventKind::Voided);
    assert_eq!(event.reason, format!("refund {}", refund.id));

    // Nothing more is given for it.
    let late = market.send(market.packet_for("p4", 1, &order, 1_000)).await;
    assert_eq!(reason(late), "ORDER_STATE_WRONG");
    assert_eq!(reason(market.give("g5", "small", &[ann], &order).await), "ORDER_STATE_WRONG");

    // The request again, and time: nothing is done twice, and nothing is sent.
    assert_eq!(market.refund("r", &order, whole()).await.unwrap(), refund);
    market.hours(100).await;
    assert_eq!(market.look(&refund).await, refund);
    assert_eq!(market.read(&created).await.state(), RedPacketState::Stopped);
    assert_eq!((market.spent().await, market.counted().await), (1_000, (1, 1_000)));
    assert_eq!(market.totals().await, (1_000, 0, 1));
    assert_eq!(market.world.count("select count(*) from coupon_events").await, 2);
    market.books().await;
}

#[tokio::test]
async fn a_refund_of_a_part_keeps_every_reward_and_the_one_of_the_rest_takes_them_back() {
    let market = Market::generous(1).await;
    let ann = market.person(1);
    let order = market.paid("a", 1).await;
    let packet = market.unsent("p", 1, &order).await;
    let coupon = market.give("g", "small", &[ann], &order).await.unwrap().remove(0);
    let of = |packet_done, coupon_done| -> BTreeMap<String, Done> {
        [(packet.clone(), packet_done), (coupon.clone(), coupon_done)].into()
    };
    let part = market.refund("1", &order, pieces(2, 1)).await.unwrap();
    let partial = of(kept("partial"), kept("partial"));
    assert_eq!((part.state(), rewards(&part)), (RefundState::Succeeded, partial.clone()));
    assert_eq!(market.read(&packet).await.state(), RedPacketState::Created);
    assert_eq!(market.coupon(ann, &coupon).await.state(), CouponState::Issued);
    assert_eq!(market.spent().await, 1_002);

    let rest = market.refund("2", &order, whole()).await.unwrap();
    assert_eq!((rest.state(), rewards(&rest)), (RefundState::Succeeded, of(stopped(), void())));
    assert_eq!(rewards(&market.look(&part).await), partial);
    assert_eq!(market.read(&packet).await.state(), RedPacketState::Stopped);
    assert_eq!(market.coupon(ann, &coupon).await.state(), CouponState::Void);
    assert_eq!(market.spent().await, 0);
    market.books().await;
}

#[tokio::test]
async fn what_was_sent_or_used_after_it_was_planned_is_kept_and_the_refund_says_so() {
    let market = Market::generous(1).await;
    let ann = market.person(1);
    let order = market.paid("a", 1).await;
    let packet = market.unsent("p", 1, &order).await;
    let coupon = market.give("g", "large", &[ann], &order).await.unwrap().remove(0);
    let request = RequestRefundRequest {
        request_id: "r".into(),
        order_id: order,
        ask: Some(whole()),
        ..RequestRefundRequest::default()
    };
    let reply = market.world.refunds(1).request_refund(request).await.unwrap();
    let refund = reply.into_inner().refund.unwrap();
    let planned = [(packet.clone(), stopped()), (coupon.clone(), void())].into();
    assert_eq!((refund.state(), rewards(&refund)), (RefundState::Requested, planned));
    // The packet goes out and is opened, and an order that waits for its payment has the coupon.
    market.hours(3).await;
    market.place(market.cart("b")).await.unwrap();
    let refund = market.decide(&refund, RefundDecision::Agree).await.unwrap();
    let really = [(packet.clone(), kept("received")), (coupon.clone(), kept("locked"))].into();
    assert_eq!((refund.state(), rewards(&refund)), (RefundState::Succeeded, really));
    assert_eq!(market.read(&packet).await.state(), RedPacketState::Received);
    assert_eq!(market.coupon(ann, &coupon).await.state(), CouponState::Locked);
    assert_eq!((market.spent().await, market.totals().await), (1_002, (1_002, 0, 1)));
    market.books().await;
}

#[tokio::test]
async fn coupons_are_given_for_orders_of_the_merchant_and_not_for_more_than_a_hundred() {
    let market = Market::generous(60).await;
    let ann = market.person(1);
    let order = market.paid("a", 1).await;
    let refused = market.give("1", "small", &[ann], "nonsense").await.unwrap_err();
    assert_eq!(refused.violations()[0].field, "order_id");
    let unknown: siyu_order::order::domain::OrderId = siyu_testkit::id(77);
    let refused = market.give("2", "small", &[ann], &unknown.to_string()).await.unwrap_err();
    assert_eq!((refused.code(), &*refused.metadata()["resource"]), (Code::NotFound, "order"));
    // Another merchant cannot name it.
    let bob = market.world.member.meet(merchant(2), 1);
    let theirs = UpsertCouponTemplatesRequest { templates: vec![off("small", 100)] };
    market.world.coupons(2).upsert_coupon_templates(theirs).await.unwrap();
    let request = ClaimCouponsRequest {
        request_id: "3".into(),
        template_code: "small".into(),
        person_ids: vec![bob],
        order_id: order.clone(),
        ..ClaimCouponsRequest::default()
    };
    let refused = market.world.coupons(2).claim_coupons(request).await.map_err(fault);
    assert_eq!(reason(refused), "NOT_FOUND");

    let persons: Vec<&str> = (1..=60).map(|n| market.person(n)).collect();
    let first = market.give("4", "small", &persons, &order).await.unwrap();
    assert_eq!(market.give("4", "small", &persons, &order).await.unwrap(), first, "a repeat");
    let refused = market.give("5", "small", &persons, &order).await.unwrap_err();
    assert_eq!(
        (refused.reason(), &refused.metadata()["order_id"]),
        ("COUPON_LIMIT_REACHED", &order)
    );
    market.give("6", "small", &persons[..40], &order).await.unwrap();
    assert_eq!(
        market.world.count("select claimed from coupon_templates where claimed > 0").await,
        100
    );
    // Nor more packets.
    market.send(market.packet_for("p", 1, &order, 1_000)).await.unwrap();
    let mut owner = market.world.database.owner().await;
    let many = "update red_packet_counts set packets = 100 where kind = 'order'";
    sqlx::query(many).execute(&mut owner).await.unwrap();
    let refused = market.send(market.packet_for("q", 1, &order, 1_000)).await.unwrap_err();
    assert_eq!(
        (refused.reason(), &*refused.metadata()["limit"]),
        ("RED_PACKET_LIMIT_REACHED", "order")
    );
    // All of them go at once.
    let refund = market.refund("r", &order, whole()).await.unwrap();
    assert_eq!(rewards(&refund).values().filter(|done| **done == void()).count(), 100);
    let left = "select count(*) from coupons where state <> 'void'";
    assert_eq!(market.world.count(left).await, 0);
}
