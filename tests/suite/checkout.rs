//! One purchase through everything: goods with stock, a promotion and a coupon; paid with points, stored value and cash;
//! followed by earnings, commission and figures; given back in part and then in whole, to the fen and to where it came from.

mod again;
mod standing;

use siyu_proto::{
    order::v1::{
        CartLine, Checkout, GetCheckoutRequest, GetOrderRequest, GetRefundRequest, Order,
        OrderState, Payment, PaymentMethod, PlaceOrderRequest, Refund, RefundAsk, RefundLine,
        RefundState, RequestRefundRequest, SandboxAct, SimulatePaymentRequest, StartPaymentRequest,
        Tender, TenderState, ValueTender, checkout_service_client::CheckoutServiceClient,
        order_service_client::OrderServiceClient, payment_service_client::PaymentServiceClient,
        refund_service_client::RefundServiceClient,
    },
    r#type::v1::Money,
};
use siyu_tests::support::{
    ACCOUNT, Buyer, LIMIT, Place, Shop, ask, books, run_siyu, story, suite, until,
};

const POINTS: i64 = 3_333;
const VALUE: i64 = 37_777;
const PIECES: i64 = 100;
/// 199.00 + 2 × 45.50 + 3 × 3.33 + 2 × 299.99.
const LIST: i64 = 19_900 + 9_100 + 999 + 59_998;
/// Less 20.00 from the promotion, 10.01 from the coupon and the points.
const GOODS: i64 = LIST - 2_000 - 1_001 - POINTS;
const SHIPPING: i64 = 800;
const CASH: i64 = GOODS + SHIPPING - VALUE;

/// A purchase on its way.
struct Sale {
    shop: Shop,
    buyer: Buyer,
    order_id: String,
    payment: Payment,
}

#[test]
fn a_purchase_with_every_tender_is_followed_by_everybody_and_goes_back_to_the_last_fen() {
    story(async {
        let sale = Sale::placed(suite().await).await;
        sale.paid().await;
        let order = sale.order().await;
        let bought = sale.standing().await;
        assert_eq!(bought, sale.due(&order, &[]));
        assert_eq!(bought.reserved, 8, "{bought:?}");
        let journal = books(&sale.shop.merchant).await;

        // One of two scarves, and one of three socks.
        let line = |line_no, quantity| RefundLine { line_no, quantity, amount_minor: 0 };
        let ask = RefundAsk { lines: vec![line(2, 1), line(3, 1)], ..RefundAsk::default() };
        let part = sale.refund("part", ask).await;
        let plan = part.plan.clone().unwrap();
        assert!(plan.total_minor > 0 && plan.points > 0 && !plan.fully, "{plan:?}");
        let order = sale.order().await;
        assert_eq!((order.state(), order.quantity), (OrderState::Paid, 6));
        assert_eq!(minor(order.paid.as_ref()), GOODS - plan.total_minor);
        let kept = sale.standing().await;
        assert_eq!(kept, sale.due(&order, &[&part]));
        // Cash and value get back in proportion, points as they stood with the pieces.
        let share = plan.total_minor * VALUE / (GOODS + SHIPPING);
        assert!((share..=share + 1).contains(&to_value(&part)), "{part:?}");
        assert_eq!((kept.gmv, kept.orders), (GOODS - plan.total_minor, 1));

        let rest = sale.refund("rest", RefundAsk { whole: true, ..RefundAsk::default() }).await;
        assert_eq!(sale.order().await.state(), OrderState::Refunded);
        sale.nothing_is_left(&[&part, &rest]).await;
        let after = books(&sale.shop.merchant).await;
        assert!(after.order_transfers > journal.order_transfers, "{after:?}");
        assert_eq!(after.stocks, 4);
        sale.shop_is_sound_for_the_program().await;
    });
}

impl Sale {
    /// An order whose points and stored value are held, and whose cash is asked for.
    async fn placed(place: &Place) -> Self {
        let shop = Shop::open(place, PIECES, 15).await;
        let buyer = shop.buyer("ann", POINTS, 1, 1).await;
        let line = |(sku, quantity): (&str, i64)| CartLine { sku: sku.to_owned(), quantity };
        let tender = ValueTender { card_id: buyer.card_id.clone(), amount_minor: VALUE };
        let request = PlaceOrderRequest {
            request_id: "order".to_owned(),
            person_id: buyer.person_id.clone(),
            lines: [("dress", 1), ("scarf", 2), ("sock", 3), ("shoes", 2)].map(line).into(),
            shipping_minor: SHIPPING,
            points_max: POINTS,
            value_tenders: vec![tender],
            expected_payable_minor: Some(GOODS + SHIPPING),
            ..PlaceOrderRequest::default()
        };
        let mut checkouts = CheckoutServiceClient::new(shop.merchant.caller.grpc());
        let reply = ask(request, async |q| checkouts.place_order(q).await).await;
        let (order, checkout) = (reply.order.unwrap(), reply.checkout.unwrap());
        assert_eq!((order.state(), minor(checkout.list.as_ref())), (OrderState::Created, LIST));
        assert_eq!(minor(checkout.cash.as_ref()), CASH);
        let off: i64 = checkout.rows.iter().map(|row| row.amount_minor).sum();
        assert_eq!(off, LIST - GOODS - SHIPPING, "{:?}", checkout.rows);
        assert_eq!(states(&checkout), [TenderState::Held; 2]);
        // Held, not taken.
        let (card, points) = (shop.card_of(&buyer).await, shop.points_of(&buyer).await);
        let available = card.available_principal_minor + card.available_bonus_minor;
        let whole = card.principal_minor + card.bonus_minor;
        assert_eq!((whole, available), (buyer.value_minor, buyer.value_minor - VALUE));
        assert_eq!((points.total, points.frozen, points.available), (POINTS, POINTS, 0));

        let request = StartPaymentRequest {
            request_id: "payment".to_owned(),
            order_id: order.id.clone(),
            account_code: ACCOUNT.to_owned(),
            method: PaymentMethod::Native.into(),
            description: "a dress and more".to_owned(),
            payer_id: String::new(),
        };
        let mut payments = PaymentServiceClient::new(shop.merchant.caller.grpc());
        let reply = ask(request, async |q| payments.start_payment(q).await).await;
        Self { shop, buyer, order_id: order.id, payment: reply.payment.unwrap() }
    }

    /// The buyer pays, and everything that was held is taken.
    async fn paid(&self) {
        let request = SimulatePaymentRequest {
            payment_id: self.payment.id.clone(),
            act: SandboxAct::Pay.into(),
            ..Default::default()
        };
        let mut payments = PaymentServiceClient::new(self.shop.merchant.caller.grpc());
        ask(request, async |q| payments.simulate_payment(q).await).await;
        until("everything is taken", LIMIT, async || {
            let checkout = self.checkout().await;
            (states(&checkout) == [TenderState::Captured; 2]).then_some(())
        })
        .await;
        let checkout = self.checkout().await;
        assert!(checkout.price_confirmed, "{checkout:?}");
        assert_eq!(self.order().await.state(), OrderState::Paid);
    }

    /// Asks for a refund and waits until everything is back.
    async fn refund(&self, key: &str, asked: RefundAsk) -> Refund {
        let request = RequestRefundRequest {
            request_id: key.to_owned(),
            order_id: self.order_id.clone(),
            ask: Some(asked),
            reason: "too small".to_owned(),
            agreed: true,
            ..Default::default()
        };
        let mut refunds = RefundServiceClient::new(self.shop.merchant.caller.grpc());
        let reply = ask(request, async |q| refunds.request_refund(q).await).await;
        let request = GetRefundRequest { refund_id: reply.refund.unwrap().id };
        until("everything is back", LIMIT, async || {
            let reply = ask(request.clone(), async |q| refunds.get_refund(q).await).await;
            let refund = reply.refund.unwrap();
            (refund.state() == RefundState::Succeeded).then_some(refund)
        })
        .await
    }

    async fn order(&self) -> Order {
        let request = GetOrderRequest { order_id: self.order_id.clone() };
        let mut orders = OrderServiceClient::new(self.shop.merchant.caller.grpc());
        ask(request, async |q| orders.get_order(q).await).await.order.unwrap()
    }

    async fn checkout(&self) -> Checkout {
        let request = GetCheckoutRequest { order_id: self.order_id.clone() };
        let mut checkouts = CheckoutServiceClient::new(self.shop.merchant.caller.grpc());
        ask(request, async |q| checkouts.get_checkout(q).await).await.checkout.unwrap()
    }

    async fn shop_is_sound_for_the_program(&self) {
        let m = &self.shop.merchant;
        let server = format!("http://{}", m.place.http);
        let env = [("SIYU_TOKEN", m.caller.token()), ("SIYU_SERVER", &server)];
        let checked = run_siyu(&["ledger", "check"], &env).await;
        assert_eq!(checked.code, Some(0), "{checked:?}");
        for line in ["order         balances: ", "stock         adds up: 4 stocks"] {
            assert!(checked.stdout.contains(line), "{checked:?}");
        }
    }
}

fn minor(money: Option<&Money>) -> i64 {
    money.map_or(0, |money| money.minor_units)
}

fn states(checkout: &Checkout) -> Vec<TenderState> {
    checkout.tenders.iter().map(Tender::state).collect()
}

fn total(refund: &Refund) -> i64 {
    refund.plan.as_ref().map_or(0, |plan| plan.total_minor)
}

fn to_value(refund: &Refund) -> i64 {
    of_part(refund, "value")
}

fn to_points(refund: &Refund) -> i64 {
    of_part(refund, "points")
}

fn of_part(refund: &Refund, name: &str) -> i64 {
    let parts = refund.parts.iter().filter(|part| part.part == name && part.done);
    parts.map(|part| part.amount).sum()
}
