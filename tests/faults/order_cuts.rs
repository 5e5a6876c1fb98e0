//! Connections that break after any number of bytes, on the way there and on the way back: the same call again gives the first
//! answer, and nothing is half done.

use siyu_proto::order::v1::{
    CartLine, GetRefundRequest, ListOrdersRequest, ListRefundsRequest, OrderState,
    PlaceOrderRequest, PlaceOrderResponse, Refund, RefundAsk, RefundState, RequestRefundRequest,
    ValueTender, checkout_service_client::CheckoutServiceClient,
    order_service_client::OrderServiceClient, refund_service_client::RefundServiceClient,
};
use siyu_tests::support::{
    Buyer, Cut, LIMIT, Proxy, Shop, Way, ask, books, run_until_idle, story, suite, until,
};

const PIECES: i64 = 1_000;
/// A sock, which a card pays.
const PRICE: i64 = 333;
/// A request with its headers has some hundred bytes, a reply some hundred more.
const BYTES: u64 = 1_400;
const STEP: usize = 101;

/// A shop, and a line to it that breaks.
struct Broken {
    shop: Shop,
    buyer: Buyer,
    line: Proxy,
}

#[test]
fn a_connection_that_breaks_at_any_byte_of_an_order_or_a_refund_is_mended_by_the_same_call() {
    story(async {
        let place = suite().await;
        let shop = Shop::open(place, PIECES, 15).await;
        let buyer = shop.buyer("ann", 0, 0, 1).await;
        let line = Proxy::start(place.http);
        let broken = Broken { shop, buyer, line };
        let (mut count, mut answered) = (0, 0);
        let cuts = (1..=BYTES).step_by(STEP);
        let both = |after| [Way::Out, Way::Back].map(|way| Cut { way, after });
        for cut in cuts.flat_map(both) {
            count += 1;
            let first = broken.place_cut(count, cut).await;
            let placed = broken.place(count).await;
            let order = placed.order.clone().unwrap();
            assert_eq!(order.state(), OrderState::Paid, "the card has paid it: {cut:?}");
            assert!(first.is_none_or(|first| first.order.unwrap().id == order.id), "{cut:?}");

            let first = broken.give_back_cut(&order.id, cut).await;
            let refund = broken.give_back(&order.id).await;
            answered += i32::from(first.is_some());
            assert!(first.is_none_or(|first| first == refund.id), "{cut:?}");
        }
        assert!(answered > 0 && answered < count, "{answered} of {count} were answered in time");
        broken.is_whole(count).await;
    });
}

impl Broken {
    fn order(&self, n: i32) -> PlaceOrderRequest {
        let tender = ValueTender { card_id: self.buyer.card_id.clone(), amount_minor: PRICE };
        PlaceOrderRequest {
            request_id: format!("order {n}"),
            person_id: self.buyer.person_id.clone(),
            lines: vec![CartLine { sku: "sock".to_owned(), quantity: 1 }],
            value_tenders: vec![tender],
            ..PlaceOrderRequest::default()
        }
    }

    /// Places an order on a connection that breaks; what came back, if anything did.
    async fn place_cut(&self, n: i32, cut: Cut) -> Option<PlaceOrderResponse> {
        self.line.set(Some(cut));
        let way = self.shop.merchant.caller.grpc_along(self.line.addr());
        let reply = CheckoutServiceClient::new(way).place_order(self.order(n)).await;
        Some(reply.ok()?.into_inner())
    }

    async fn place(&self, n: i32) -> PlaceOrderResponse {
        let mut client = CheckoutServiceClient::new(self.shop.merchant.caller.grpc());
        ask(self.order(n), async |q| client.place_order(q).await).await
    }

    fn refund(order_id: &str) -> RequestRefundRequest {
        RequestRefundRequest {
            request_id: format!("back {order_id}"),
            order_id: order_id.to_owned(),
            ask: Some(RefundAsk { whole: true, ..RefundAsk::default() }),
            agreed: true,
            ..RequestRefundRequest::default()
        }
    }

    /// Asks for a refund on a connection that breaks; its id, if that came back.
    async fn give_back_cut(&self, order_id: &str, cut: Cut) -> Option<String> {
        self.line.set(Some(cut));
        let way = self.shop.merchant.caller.grpc_along(self.line.addr());
        let reply = RefundServiceClient::new(way).request_refund(Self::refund(order_id)).await;
        Some(reply.ok()?.into_inner().refund?.id)
    }

    async fn give_back(&self, order_id: &str) -> Refund {
        let mut client = RefundServiceClient::new(self.shop.merchant.caller.grpc());
        let request = Self::refund(order_id);
        let refund = ask(request, async |q| client.request_refund(q).await).await.refund.unwrap();
        let request = GetRefundRequest { refund_id: refund.id };
        until("the card has its money back", LIMIT, async || {
            let reply = ask(request.clone(), async |q| client.get_refund(q).await).await;
            reply.refund.filter(|refund| refund.state() == RefundState::Succeeded)
        })
        .await
    }

    /// Each order is there once, went back once, and nothing is missing anywhere.
    async fn is_whole(&self, count: i32) {
        let m = &self.shop.merchant;
        run_until_idle(&m.place).await;
        let count = usize::try_from(count).unwrap();
        let mut orders = OrderServiceClient::new(m.caller.grpc());
        let request = ListOrdersRequest { page_size: 1_000, ..Default::default() };
        let found = ask(request, async |q| orders.list_orders(q).await).await.orders;
        let refunded = found.iter().filter(|order| order.state() == OrderState::Refunded).count();
        assert_eq!((found.len(), refunded), (count, count));
        let mut refunds = RefundServiceClient::new(m.caller.grpc());
        let request = ListRefundsRequest { page_size: 1_000, ..Default::default() };
        let found = ask(request, async |q| refunds.list_refunds(q).await).await.refunds;
        assert_eq!(found.len(), count);
        let card = self.shop.card_of(&self.buyer).await;
        let whole = (card.principal_minor, card.bonus_minor);
        let available = (card.available_principal_minor, card.available_bonus_minor);
        assert_eq!((whole, available), ((100_000, 20_000), (100_000, 20_000)));
        books(m).await;
    }
}
