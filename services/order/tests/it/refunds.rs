use futures::future::join_all;
use siyu_grpc::fault;
use siyu_kernel::Fault;
use siyu_proto::order::v1::{provider_account::With, *};

use crate::{
    checkouts::{Buyer, by_card, card},
    coupons::{claim, off, save},
    stock::sound,
};

impl Buyer {
    /// A buyer, and an account at the sandbox.
    pub(crate) async fn with_sandbox() -> Self {
        let buyer = Self::new().await;
        let account = ProviderAccount {
            code: "box".into(),
            name: "sandbox".into(),
            paused: false,
            with: Some(With::Sandbox(SandboxAccount {})),
        };
        let request = UpsertProviderAccountsRequest { accounts: vec![account] };
        buyer.world.payments(1).upsert_provider_accounts(request).await.unwrap();
        buyer
    }

    pub(crate) async fn start(&self, key: &str, order_id: &str) -> Result<Payment, Fault> {
        let request = StartPaymentRequest {
            request_id: key.into(),
            order_id: order_id.into(),
            account_code: "box".into(),
            method: PaymentMethod::Native.into(),
            description: "a dress".into(),
            payer_id: String::new(),
        };
        let reply = self.world.payments(1).start_payment(request).await.map_err(fault)?;
        Ok(reply.into_inner().payment.unwrap())
    }

    pub(crate) async fn pay(&self, payment: &Payment) {
        let request = SimulatePaymentRequest {
            payment_id: payment.id.clone(),
            act: SandboxAct::Pay.into(),
            ..Default::default()
        };
        self.world.payments(1).simulate_payment(request).await.unwrap();
        self.work().await;
    }

    /// Places an order and pays what is left of it in cash.
    pub(crate) async fn buy(&self, cart: PlaceOrderRequest) -> String {
        let key = cart.request_id.clone();
        let reply = self.place(cart).await.unwrap();
        let id = reply.order.unwrap().id;
        if reply.checkout.unwrap().cash.unwrap().minor_units > 0 {
            let payment = self.start(&key, &id).await.unwrap();
            self.pay(&payment).await;
        }
        assert_eq!(self.world.get(1, &id).await.unwrap().state(), OrderState::Paid);
        id
    }

    pub(crate) async fn refund(
        &self,
        key: &str,
        order_id: &str,
        ask: RefundAsk,
    ) -> Result<Refund, Fault> {
        let request = RequestRefundRequest {
            request_id: key.into(),
            order_id: order_id.into(),
            ask: Some(ask),
            reason: "too small".into(),
            agreed: true,
            ..Default::default()
        };
        let reply = self.world.refunds(1).request_refund(request).await.map_err(fault)?;
        Ok(reply.into_inner().refund.unwrap())
    }

    pub(crate) async fn look(&self, refund: &Refund) -> Refund {
        let request = GetRefundRequest { refund_id: refund.id.clone() };
        self.world.refunds(1).get_refund(request).await.unwrap().into_inner().refund.unwrap()
    }

    pub(crate) async fn decide(
        &self,
        refund: &Refund,
        decision: RefundDecision,
    ) -> Result<Refund, Fault> {
        let request =
            DecideRefundRequest { refund_id: refund.id.clone(), decision: decision.into() };
        let reply = self.world.refunds(1).decide_refund(request).await.map_err(fault)?;
        Ok(reply.into_inner().refund.unwrap())
    }

    /// Every journal of the service balances, and nothing of the stock is lost.
    pub(crate) async fn books(&self) {
        sound(&self.world).await;
        let request = CheckOrderLedgerRequest::default();
        let reply = self.world.guarantees(1).check_order_ledger(request).await.unwrap();
        assert_eq!(reply.into_inner().findings, Vec::<String>::new());
    }
}

pub(crate) fn pieces(line_no: i32, quantity: i64) -> RefundAsk {
    let line = RefundLine { line_no, quantity, amount_minor: 0 };
    RefundAsk { lines: vec![line], ..RefundAsk::default() }
}

pub(crate) fn amount(line_no: i32, amount_minor: i64) -> RefundAsk {
    let line = RefundLine { line_no, quantity: 0, amount_minor };
    RefundAsk { lines: vec![line], ..RefundAsk::default() }
}

pub(crate) fn whole() -> RefundAsk {
    RefundAsk { whole: true, ..RefundAsk::default() }
}

fn total(refund: &Refund) -> i64 {
    refund.plan.as_ref().unwrap().total_minor
}

#[tokio::test]
async fn an_order_of_every_tender_goes_back_in_parts_to_the_last_fen() {
    let buyer = Buyer::with_sandbox().await;
    buyer
        .rules(CheckoutPolicy {
            points_per: 100,
            points_minor: 100,
            points_share_max_bp: 5_000,
            ..CheckoutPolicy::default()
        })
        .await;
    save(&buyer.world, &[off("ten", 1_001)]).await.unwrap();
    claim(&buyer.world, "c", "ten", &buyer.person).await.unwrap();
    buyer.world.member.give(&card(1), 50_000);
    buyer.world.member.give(&buyer.person, 3_333);
    let cart = PlaceOrderRequest { points_max: 3_333, shipping_minor: 800, ..buyer.cart("a") };
    let id = buyer.buy(by_card(cart, 1, 7_777)).await;
    let paid = buyer.world.get(1, &id).await.unwrap().paid.unwrap().minor_units;
    assert_eq!(paid, 30_000 - 1_001 - 3_333);
    assert_eq!(
        (buyer.world.member.free(&card(1)), buyer.world.member.free(&buyer.person)),
        (42_223, 0)
    );

    let mut back = 0;
    for (key, ask) in [("1", pieces(2, 1)), ("2", amount(1, 777)), ("3", whole())] {
        let refund = buyer.refund(key, &id, ask).await.unwrap();
        buyer.work().await;
        let refund = buyer.look(&refund).await;
        assert_eq!(refund.state(), RefundState::Succeeded, "{refund:?}");
        assert!(refund.parts.iter().all(|part| part.done));
        back += total(&refund);
        assert_eq!(
            buyer.refund(key, &id, pieces(1, 1)).await.unwrap_err().reason(),
            "REQUEST_ID_REUSED"
        );
        buyer.books().await;
    }
    // Goods and shipping, to the last fen; each tender what it gave; the coupon, too.
    assert_eq!(back, paid + 800);
    assert_eq!(
        (buyer.world.member.free(&card(1)), buyer.world.member.free(&buyer.person)),
        (50_000, 3_333)
    );
    assert_eq!(buyer.world.count("select count(*) from coupons where state = 'issued'").await, 1);
    let order = buyer.world.get(1, &id).await.unwrap();
    assert_eq!(
        (order.state(), order.paid.unwrap().minor_units, order.quantity),
        (OrderState::Refunded, 0, 0)
    );
    assert_eq!((buyer.pieces("dress-m").await, buyer.pieces("scarf").await), ((100, 0), (100, 0)));
    let cash = "select coalesce(sum(amount_minor), 0)::bigint from payment_refunds where state = 'succeeded'";
    assert_eq!(buyer.world.count(cash).await, paid + 800 - 7_777);
    // Followers hear of the sale, of each change, and of its end.
    let told: Vec<_> = buyer.world.told().await.iter().map(|told| told.brief().0).collect();
    assert_eq!(told, ["paid", "revised", "revised", "revised", "voided"]);
}

#[tokio::test]
async fn two_refunds_at_once_that_are_more_than_was_paid_are_one() {
    let buyer = Buyer::with_sandbox().await;
    let id = buyer.buy(buyer.cart("a")).await;
    // 120.00 of the dress for 200.00, by sixteen clerks.
    let keys: Vec<String> = (0..16).map(|n| format!("r{n}")).collect();
    let asked = join_all(keys.iter().map(|key| buyer.refund(key, &id, amount(1, 12_000)))).await;
    let (granted, refused): (Vec<_>, Vec<_>) = asked.into_iter().partition(Result::is_ok);
    assert_eq!((granted.len(), refused.len()), (1, 15));
    for fault in refused.into_iter().map(Result::unwrap_err) {
        assert_eq!(fault.reason(), "REFUND_EXCEEDS_REST");
        assert_eq!(fault.metadata()["field"], "lines[0].amount");
    }
    buyer.work().await;
    assert_eq!(buyer.world.get(1, &id).await.unwrap().paid.unwrap().minor_units, 18_000);
    buyer.books().await;
}

#[tokio::test]
async fn the_same_request_fifty_times_is_one_refund() {
    let buyer = Buyer::with_sandbox().await;
    let id = buyer.buy(buyer.cart("a")).await;
    let asked = join_all((0..50).map(|_| buyer.refund("once", &id, pieces(2, 1)))).await;
    let ids: std::collections::BTreeSet<String> =
        asked.into_iter().map(|refund| refund.unwrap().id).collect();
    assert_eq!(ids.len(), 1);
    buyer.work().await;
    assert_eq!(buyer.world.count("select count(*) from payment_refunds").await, 1);
    buyer.books().await;
}

#[tokio::test]
async fn a_refund_that_is_not_decided_counts_and_one_that_is_refused_does_not() {
    let buyer = Buyer::with_sandbox().await;
    let id = buyer.buy(buyer.cart("a")).await;
    let request = |key: &str, needs_return| RequestRefundRequest {
        request_id: key.into(),
        order_id: id.clone(),
        ask: Some(pieces(2, 2)),
        needs_return,
        ..Default::default()
    };
    let ask = async |request| {
        let reply = buyer.world.refunds(1).request_refund(request).await.map_err(fault)?;
        Ok::<_, Fault>(reply.into_inner().refund.unwrap())
    };
    let first = ask(request("1", true)).await.unwrap();
    assert_eq!(first.state(), RefundState::Requested);
    let fault = ask(request("2", true)).await.unwrap_err();
    assert_eq!(
        (fault.reason(), fault.metadata()["field"].as_str()),
        ("REFUND_EXCEEDS_REST", "lines[0].quantity")
    );

    buyer.decide(&first, RefundDecision::Reject).await.unwrap();
    let second = ask(request("3", true)).await.unwrap();
    assert_eq!(second.number, 2);
    let agreed = buyer.decide(&second, RefundDecision::Agree).await.unwrap();
    assert_eq!(agreed.state(), RefundState::Agreed, "the goods come first");
    buyer.work().await;
    assert_eq!(buyer.look(&second).await.state(), RefundState::Agreed);
    let fault = buyer.decide(&first, RefundDecision::Agree).await.unwrap_err();
    assert_eq!(
        (fault.reason(), fault.metadata()["state"].as_str()),
        ("REFUND_STATE_WRONG", "rejected")
    );

    buyer.decide(&second, RefundDecision::ReturnShipped).await.unwrap();
    buyer.decide(&second, RefundDecision::ReturnReceived).await.unwrap();
    buyer.work().await;
    assert_eq!(buyer.look(&second).await.state(), RefundState::Succeeded);
    assert_eq!(buyer.pieces("scarf").await, (100, 0), "they had not left");
    buyer.books().await;
}

#[tokio::test]
async fn a_plan_shows_what_the_refund_then_gives() {
    let buyer = Buyer::with_sandbox().await;
    let id = buyer.buy(buyer.cart("a")).await;
    let request = PlanRefundRequest { order_id: id.clone(), ask: Some(pieces(2, 1)) };
    let plan =
        buyer.world.refunds(1).plan_refund(request).await.unwrap().into_inner().plan.unwrap();
    assert_eq!((plan.total_minor, plan.earned_on_minor, plan.fully), (5_000, 5_000, false));
    assert_eq!(plan.rows[0].why, "line 2: 1 of 2 pieces, 1 in all");
    assert_eq!(buyer.world.count("select count(*) from refunds").await, 0);

    let ask = |expected| RequestRefundRequest {
        request_id: "r".into(),
        order_id: id.clone(),
        ask: Some(pieces(2, 1)),
        agreed: true,
        expected_total_minor: Some(expected),
        ..Default::default()
    };
    let fault = buyer.world.refunds(1).request_refund(ask(4_999)).await.map_err(fault).unwrap_err();
    assert_eq!(
        (fault.reason(), fault.metadata()["total_minor"].as_str()),
        ("PLAN_CHANGED", "5000")
    );
    let refund = buyer.world.refunds(1).request_refund(ask(5_000)).await.unwrap().into_inner();
    assert_eq!(refund.refund.unwrap().plan.unwrap(), plan);
}

#[tokio::test]
async fn what_is_not_paid_or_was_placed_elsewhere_is_not_refunded_here() {
    let buyer = Buyer::with_sandbox().await;
    let order = buyer.place(buyer.cart("a")).await.unwrap().order.unwrap();
    let fault = buyer.refund("1", &order.id, whole()).await.unwrap_err();
    assert_eq!(
        (fault.reason(), fault.metadata()["state"].as_str()),
        ("ORDER_STATE_WRONG", "created")
    );
    buyer.world.import(&[crate::world::order("1", &[100])]).await;
    let orders = buyer.world.orders(1).list_orders(ListOrdersRequest::default()).await.unwrap();
    let imported = orders.into_inner().orders.into_iter().find(|order| order.platform == "tmall");
    let fault = buyer.refund("2", &imported.unwrap().id, whole()).await.unwrap_err();
    assert_eq!(fault.reason(), "NOT_FOUND");
}

#[tokio::test]
async fn an_order_is_paid_in_cash_and_its_money_is_held() {
    let buyer = Buyer::with_sandbox().await;
    let order = buyer.place(buyer.cart("a")).await.unwrap().order.unwrap();
    let payment = buyer.start("p", &order.id).await.unwrap();
    buyer.pay(&payment).await;
    assert_eq!(buyer.events(&order.id).await, ["placed", "paid"]);
    let request = GetGuaranteeRequest { order_id: order.id.clone() };
    let held = buyer.world.guarantees(1).get_guarantee(request).await.unwrap().into_inner();
    assert_eq!(held.guarantee.unwrap().held_minor, 30_000);
    // Held for the buyer: nothing of it expires any more.
    buyer.world.clock.advance(chrono::TimeDelta::days(2));
    buyer.work().await;
    assert_eq!(buyer.pieces("dress-m").await, (100, 1));
    assert_eq!(buyer.world.get(1, &order.id).await.unwrap().state(), OrderState::Paid);
    buyer.books().await;
}

#[tokio::test]
async fn a_payment_after_the_end_revives_the_order_or_goes_back() {
    let buyer = Buyer::with_sandbox().await;
    let mut late = Vec::new();
    for key in ["a", "b"] {
        let cart = PlaceOrderRequest {
            lines: vec![CartLine { sku: "dress-m".into(), quantity: 60 }],
            ..buyer.cart(key)
        };
        let order = buyer.place(cart).await.unwrap().order.unwrap();
        let payment = buyer.start(key, &order.id).await.unwrap();
        // The order ends, here and at the payment company; then its success is told all the same.
        buyer.cancel(&order.id).await.unwrap();
        buyer.work().await;
        assert_eq!(buyer.world.get(1, &order.id).await.unwrap().state(), OrderState::Cancelled);
        late.push((order.id, payment));
    }
    for (_, payment) in &late {
        let request = SimulatePaymentRequest {
            payment_id: payment.id.clone(),
            act: SandboxAct::PayClosed.into(),
            ..Default::default()
        };
        buyer.world.payments(1).simulate_payment(request).await.unwrap();
        buyer.work().await;
    }
    // There are 100 pieces: one of the two can be had again.
    let state = async |id: &str| buyer.world.get(1, id).await.unwrap().state();
    assert_eq!(state(&late[0].0).await, OrderState::Paid);
    assert_eq!(buyer.events(&late[0].0).await, ["placed", "cancelled", "revived"]);
    assert_eq!(state(&late[1].0).await, OrderState::Cancelled);
    let back = "select coalesce(sum(amount_minor), 0)::bigint from payment_refunds where state = 'succeeded'";
    assert_eq!(buyer.world.count(back).await, 60 * 20_000);
    assert_eq!(buyer.pieces("dress-m").await, (100, 60));
    buyer.books().await;
}
