use chrono::TimeDelta;
use futures::future::join_all;
use siyu_grpc::fault;
use siyu_kernel::{Code, Fault};
use siyu_proto::order::v1::*;
use siyu_testkit::{id, merchant};

use crate::{
    coupons::{claim, off, save},
    member::HoldState,
    quotes::shop,
    stock::{figures, receive, sound},
    world::World,
};

pub(crate) struct Buyer {
    pub(crate) world: World,
    pub(crate) person: String,
}

impl Buyer {
    pub(crate) async fn new() -> Self {
        let world = shop().await;
        let person = world.member.meet(merchant(1), 1);
        let buyer = Self { world, person };
        let main = Location {
            code: "main".into(),
            name: "the warehouse".into(),
            kind: LocationKind::Warehouse.into(),
            ..Location::default()
        };
        let request = UpsertLocationsRequest { locations: vec![main] };
        buyer.world.locations(1).upsert_locations(request).await.unwrap();
        buyer.rules(CheckoutPolicy::default()).await;
        for sku in ["dress-m", "scarf"] {
            receive(&buyer.world, sku, sku, "main", 100).await;
        }
        buyer
    }

    /// Sets the merchant's rules; goods come from the one location.
    pub(crate) async fn rules(&self, policy: CheckoutPolicy) {
        let policy = CheckoutPolicy { location_code: "main".into(), ..policy };
        let request = SetCheckoutPolicyRequest { policy: Some(policy) };
        self.world.checkouts(1).set_checkout_policy(request).await.unwrap();
    }

    /// Pieces on hand and reserved of a SKU.
    pub(crate) async fn pieces(&self, sku: &str) -> (i64, i64) {
        let (on_hand, reserved, _) = figures(&self.world, sku, "main").await;
        (on_hand, reserved)
    }

    /// A cart of a dress for 200.00 and two scarves for 50.00 each.
    pub(crate) fn cart(&self, request_id: &str) -> PlaceOrderRequest {
        let line = |sku: &str, quantity| CartLine { sku: sku.into(), quantity };
        PlaceOrderRequest {
            request_id: request_id.into(),
            person_id: self.person.clone(),
            lines: vec![line("dress-m", 1), line("scarf", 2)],
            ..PlaceOrderRequest::default()
        }
    }

    pub(crate) async fn place(&self, cart: PlaceOrderRequest) -> Result<PlaceOrderResponse, Fault> {
        let reply = self.world.checkouts(1).place_order(cart).await.map_err(fault)?;
        Ok(reply.into_inner())
    }

    pub(crate) async fn checkout(&self, order_id: &str) -> Checkout {
        let request = GetCheckoutRequest { order_id: order_id.into() };
        let reply = self.world.checkouts(1).get_checkout(request).await.unwrap();
        reply.into_inner().checkout.unwrap()
    }

    pub(crate) async fn cancel(&self, order_id: &str) -> Result<Order, Fault> {
        let request =
            CancelOrderRequest { order_id: order_id.into(), reason: "changed mind".into() };
        let reply = self.world.checkouts(1).cancel_order(request).await.map_err(fault)?;
        Ok(reply.into_inner().order.unwrap())
    }

    pub(crate) async fn events(&self, order_id: &str) -> Vec<String> {
        let request = ListOrderEventsRequest { order_id: order_id.into(), ..Default::default() };
        let reply = self.world.checkouts(1).list_order_events(request).await.unwrap();
        reply.into_inner().events.into_iter().map(|event| event.event).collect()
    }

    /// Lets every job of the service work until none finds anything to do.
    pub(crate) async fn work(&self) {
        self.world.run_jobs().await;
    }
}

pub(crate) fn card(n: u32) -> String {
    id::<siyu_kernel::kind::ValueCard>(n).to_string()
}

pub(crate) fn by_card(cart: PlaceOrderRequest, n: u32, amount_minor: i64) -> PlaceOrderRequest {
    let tender = ValueTender { card_id: card(n), amount_minor };
    PlaceOrderRequest { value_tenders: vec![tender], ..cart }
}

fn placed(reply: &PlaceOrderResponse) -> (&Order, &Checkout) {
    (reply.order.as_ref().unwrap(), reply.checkout.as_ref().unwrap())
}

fn minor(money: Option<&siyu_proto::r#type::v1::Money>) -> i64 {
    money.unwrap().minor_units
}

fn states(checkout: &Checkout) -> Vec<TenderState> {
    checkout.tenders.iter().map(Tender::state).collect()
}

async fn points_pay(buyer: &Buyer) {
    let policy = CheckoutPolicy {
        points_per: 100,
        points_minor: 100,
        points_share_max_bp: 5_000,
        ..CheckoutPolicy::default()
    };
    buyer.rules(policy).await;
}

#[tokio::test]
async fn an_order_keeps_its_price_and_waits_for_its_payment() {
    let buyer = Buyer::new().await;
    let cart = PlaceOrderRequest { shipping_minor: 800, ..buyer.cart("a") };
    let reply = buyer.place(cart).await.unwrap();
    let (order, checkout) = placed(&reply);
    assert_eq!(
        (order.state(), minor(order.paid.as_ref()), order.quantity),
        (OrderState::Created, 30_000, 3)
    );
    assert_eq!(order.platform, "siyu");
    assert_eq!((minor(checkout.list.as_ref()), minor(checkout.payable.as_ref())), (30_000, 30_800));
    assert_eq!((minor(checkout.shipping.as_ref()), minor(checkout.cash.as_ref())), (800, 30_800));
    let deadline = checkout.pay_deadline_time.unwrap().seconds;
    assert_eq!(deadline, order.create_time.unwrap().seconds + 15 * 60);

    // Whatever becomes of prices later.
    crate::catalogue::upsert(
        &buyer.world,
        1,
        &[crate::catalogue::item("dress", &[("dress-m", 1)])],
    )
    .await
    .unwrap();
    let later = buyer.checkout(&order.id).await;
    assert!(later.price_confirmed);
    assert_eq!((minor(later.payable.as_ref()), later.rows), (30_800, checkout.rows.clone()));
    assert_eq!(buyer.events(&order.id).await, ["placed"]);
    assert_eq!(buyer.pieces("scarf").await, (100, 2));
    assert_eq!(buyer.world.told().await, [], "an order is told when it is paid");
}

#[tokio::test]
async fn the_same_request_places_one_order_however_often_and_at_once_it_comes() {
    let buyer = Buyer::new().await;
    buyer.world.member.give(&card(1), 50_000);
    let cart = by_card(buyer.cart("once"), 1, 10_000);
    let replies = join_all((0..50).map(|_| buyer.place(cart.clone()))).await;
    let ids: std::collections::BTreeSet<String> =
        replies.into_iter().map(|reply| reply.unwrap().order.unwrap().id).collect();
    assert_eq!(ids.len(), 1);
    assert_eq!(buyer.world.count("select count(*) from orders").await, 1);
    assert_eq!(buyer.world.member.holds(), [HoldState::Open]);

    let other = PlaceOrderRequest { channel: "other".into(), ..cart };
    assert_eq!(buyer.place(other).await.unwrap_err().reason(), "REQUEST_ID_REUSED");
}

#[tokio::test]
async fn an_order_that_stored_value_pays_is_paid_at_once() {
    let buyer = Buyer::new().await;
    buyer.world.member.give(&card(1), 50_000);
    let reply = buyer.place(by_card(buyer.cart("a"), 1, 30_000)).await.unwrap();
    let (order, checkout) = placed(&reply);
    assert_eq!(order.state(), OrderState::Paid);
    assert_eq!((minor(checkout.cash.as_ref()), states(checkout)), (0, vec![TenderState::Captured]));
    assert_eq!(buyer.world.member.holds(), [HoldState::Taken]);
    assert_eq!(buyer.world.member.free(&card(1)), 20_000);
    let told = buyer.world.told().await;
    assert_eq!(
        told.iter().map(crate::world::Told::brief).collect::<Vec<_>>(),
        [("paid", 30_000, 2)]
    );
    assert!(!told[0].facts().imported);
    assert_eq!(buyer.events(&order.id).await, ["placed", "paid"]);
}

#[tokio::test]
async fn points_take_off_what_the_policy_allows_and_are_held() {
    let buyer = Buyer::new().await;
    points_pay(&buyer).await;
    buyer.world.member.give(&buyer.person, 20_000);
    let cart = PlaceOrderRequest { points_max: 18_050, ..buyer.cart("a") };
    let reply = buyer.place(cart).await.unwrap();
    let (order, checkout) = placed(&reply);
    // Half of 300.00 at most: 150.00 for 15,000 points.
    assert_eq!((minor(checkout.payable.as_ref()), minor(order.paid.as_ref())), (15_000, 15_000));
    let [tender] = checkout.tenders.as_slice() else { panic!("{checkout:?}") };
    assert_eq!((tender.kind(), tender.state()), (TenderKind::Points, TenderState::Held));
    assert_eq!((tender.points, tender.amount_minor), (15_000, 15_000));
    assert_eq!(buyer.world.member.free(&buyer.person), 5_000);

    let ended = buyer.cancel(&order.id).await.unwrap();
    assert_eq!(ended.state(), OrderState::Cancelled);
    assert_eq!(buyer.world.member.free(&buyer.person), 20_000);
    assert_eq!(states(&buyer.checkout(&order.id).await), [TenderState::Voided]);
}

#[tokio::test]
async fn an_order_whose_tender_is_refused_ends_and_holds_nothing() {
    let buyer = Buyer::new().await;
    points_pay(&buyer).await;
    save(&buyer.world, &[off("ten", 1_000)]).await.unwrap();
    claim(&buyer.world, "c", "ten", &buyer.person).await.unwrap();
    buyer.world.member.give(&card(1), 50_000);
    // The card has it, the person has no points.
    let cart = PlaceOrderRequest { points_max: 1_000, ..by_card(buyer.cart("a"), 1, 10_000) };
    for _ in 0..2 {
        let fault = buyer.place(cart.clone()).await.unwrap_err();
        assert_eq!((fault.code(), fault.reason()), (Code::FailedPrecondition, "TENDER_REFUSED"));
        assert_eq!(fault.metadata()["cause"], "INSUFFICIENT_BALANCE");
    }
    buyer.work().await;
    assert_eq!(buyer.world.member.holds(), [HoldState::Freed]);
    assert_eq!(buyer.world.member.free(&card(1)), 50_000);
    assert_eq!(buyer.world.count("select count(*) from coupons where state = 'issued'").await, 1);
    assert_eq!(buyer.world.count("select count(*) from checkouts where open").await, 0);
    assert_eq!(buyer.pieces("scarf").await, (100, 0));
    assert_eq!(buyer.world.told().await, []);
}

#[tokio::test]
async fn a_member_service_that_is_away_delays_an_order_and_loses_nothing() {
    let buyer = Buyer::new().await;
    buyer.world.member.give(&card(1), 50_000);
    let cart = by_card(buyer.cart("a"), 1, 30_000);
    // It holds, and its answer is lost; so are those of the repeats of the call.
    buyer.world.member.lose_answers(10);
    let fault = buyer.place(cart.clone()).await.unwrap_err();
    assert_eq!(fault.code(), Code::Unavailable);
    assert_eq!(buyer.world.member.free(&card(1)), 20_000, "held, though nobody knows");

    buyer.world.member.lose_answers(0);
    let reply = buyer.place(cart).await.unwrap();
    assert_eq!(placed(&reply).0.state(), OrderState::Paid);
    assert_eq!(buyer.world.member.holds(), [HoldState::Taken]);
    assert_eq!(buyer.world.count("select count(*) from orders").await, 1);
}

#[tokio::test]
async fn a_job_goes_on_where_a_call_was_cut_off() {
    let buyer = Buyer::new().await;
    buyer.world.member.give(&card(1), 50_000);
    buyer.world.member.lose_answers(10);
    buyer.place(by_card(buyer.cart("a"), 1, 30_000)).await.unwrap_err();
    buyer.world.member.lose_answers(0);
    buyer.work().await;
    assert_eq!(buyer.world.told().await.len(), 0, "the call that placed it has the first turn");
    buyer.world.clock.advance(TimeDelta::minutes(1));
    buyer.work().await;
    assert_eq!(buyer.world.told().await.len(), 1);
    assert_eq!(buyer.world.member.holds(), [HoldState::Taken]);
}

#[tokio::test]
async fn an_order_that_ends_while_its_hold_is_unknown_frees_it() {
    let buyer = Buyer::new().await;
    buyer.world.member.give(&card(1), 50_000);
    buyer.world.member.lose_answers(10);
    buyer.place(by_card(buyer.cart("a"), 1, 10_000)).await.unwrap_err();
    buyer.world.member.lose_answers(0);
    buyer.world.clock.advance(TimeDelta::minutes(15));
    buyer.work().await;
    assert_eq!(buyer.world.member.holds(), [HoldState::Freed]);
    assert_eq!(buyer.world.member.free(&card(1)), 50_000);
    assert_eq!(buyer.world.count("select count(*) from orders where state = 'cancelled'").await, 1);
}

#[tokio::test]
async fn a_price_that_the_buyer_did_not_see_is_not_ordered() {
    let buyer = Buyer::new().await;
    let cart = PlaceOrderRequest { expected_payable_minor: Some(29_999), ..buyer.cart("a") };
    let fault = buyer.place(cart).await.unwrap_err();
    assert_eq!(
        (fault.reason(), fault.metadata()["payable_minor"].as_str()),
        ("PRICE_CHANGED", "30000")
    );
    assert_eq!(buyer.world.count("select count(*) from orders").await, 0);
    let cart = PlaceOrderRequest { expected_payable_minor: Some(30_000), ..buyer.cart("a") };
    buyer.place(cart).await.unwrap();
}

#[tokio::test]
async fn one_coupon_serves_one_order_however_many_want_it_at_once() {
    let buyer = Buyer::new().await;
    save(&buyer.world, &[off("ten", 1_000)]).await.unwrap();
    let coupon = claim(&buyer.world, "c", "ten", &buyer.person).await.unwrap();
    let cart = |n: i32| PlaceOrderRequest {
        coupons_chosen: true,
        coupon_ids: vec![coupon.id.clone()],
        expected_payable_minor: Some(29_000),
        ..buyer.cart(&format!("c{n}"))
    };
    let replies = join_all((0..16).map(|n| buyer.place(cart(n)))).await;
    let (placed, refused): (Vec<_>, Vec<_>) = replies.into_iter().partition(Result::is_ok);
    assert_eq!(placed.len(), 1);
    for fault in refused.into_iter().map(Result::unwrap_err) {
        // Found taken at the lock, or seen to be gone before.
        assert!(["COUPON_TAKEN", "PRICE_CHANGED"].contains(&fault.reason()), "{fault:?}");
    }
    let order = placed.into_iter().next().unwrap().unwrap().order.unwrap();
    assert_eq!(buyer.checkout(&order.id).await.coupon_ids, std::slice::from_ref(&coupon.id));

    // It comes back when the order ends, and serves another.
    buyer.cancel(&order.id).await.unwrap();
    buyer.place(cart(99)).await.unwrap();
}

#[tokio::test]
async fn an_order_that_is_not_paid_in_time_ends() {
    let buyer = Buyer::new().await;
    let order = buyer.place(buyer.cart("a")).await.unwrap().order.unwrap();
    buyer.world.clock.advance(TimeDelta::minutes(15) - TimeDelta::seconds(1));
    buyer.work().await;
    assert_eq!(buyer.world.get(1, &order.id).await.unwrap().state(), OrderState::Created);
    buyer.world.clock.advance(TimeDelta::seconds(1));
    buyer.work().await;
    assert_eq!(buyer.world.get(1, &order.id).await.unwrap().state(), OrderState::Cancelled);
    assert_eq!(buyer.events(&order.id).await, ["placed", "cancelled"]);
    assert_eq!((buyer.pieces("dress-m").await, buyer.pieces("scarf").await), ((100, 0), (100, 0)));
    sound(&buyer.world).await;
    assert_eq!(buyer.cancel(&order.id).await.unwrap().state(), OrderState::Cancelled, "a repeat");
}

#[tokio::test]
async fn more_buyers_than_pieces_get_the_pieces_and_no_more() {
    let buyer = Buyer::new().await;
    receive(&buyer.world, "few", "dress-m", "main", 20).await;
    let cart = |n: i32| PlaceOrderRequest {
        lines: vec![CartLine { sku: "dress-m".into(), quantity: 30 }],
        ..buyer.cart(&format!("c{n}"))
    };
    let replies = join_all((0..40).map(|n| buyer.place(cart(n)))).await;
    let (placed, short): (Vec<_>, Vec<_>) = replies.into_iter().partition(Result::is_ok);
    assert_eq!((placed.len(), short.len()), (4, 36));
    for fault in short.into_iter().map(Result::unwrap_err) {
        assert_eq!((fault.reason(), fault.metadata()["lines"].as_str()), ("STOCK_SHORT", "1"));
    }
    assert_eq!(buyer.pieces("dress-m").await, (120, 120));
    assert_eq!(buyer.world.count("select count(*) from orders").await, 4);
    sound(&buyer.world).await;
}

#[tokio::test]
async fn what_cannot_be_ordered_is_refused_by_name() {
    let buyer = Buyer::new().await;
    let wrong = async |cart: PlaceOrderRequest| {
        let fault = buyer.place(cart).await.unwrap_err();
        let field = fault.violations().first().map(|v| v.field.clone()).unwrap_or_default();
        (fault.reason(), field)
    };
    let lines = vec![CartLine { sku: "gone".into(), quantity: 1 }];
    let gone = PlaceOrderRequest { lines, ..buyer.cart("a") };
    assert_eq!(wrong(gone).await, ("INVALID_FIELD", "lines[0].sku".into()));
    let nowhere = PlaceOrderRequest { store_code: "nowhere".into(), ..buyer.cart("a") };
    assert_eq!(wrong(nowhere).await, ("INVALID_FIELD", "store_code".into()));
    let much = by_card(buyer.cart("a"), 1, 30_001);
    assert_eq!(wrong(much).await, ("TENDERS_EXCEED_PAYABLE", String::new()));
    let nobody = PlaceOrderRequest {
        person_id: id::<siyu_kernel::kind::Person>(9).to_string(),
        ..buyer.cart("a")
    };
    assert_eq!(wrong(nobody).await.0, "NOT_FOUND");
    assert_eq!(buyer.world.count("select count(*) from orders").await, 0);
}

#[tokio::test]
async fn an_imported_order_has_no_checkout_and_is_not_cancelled_here() {
    let buyer = Buyer::new().await;
    buyer.world.import(&[crate::world::order("1", &[100])]).await;
    let request = ListOrdersRequest::default();
    let reply = buyer.world.orders(1).list_orders(request).await.unwrap().into_inner();
    let fault = buyer.cancel(&reply.orders[0].id).await.unwrap_err();
    assert_eq!(fault.code(), Code::NotFound);
}
