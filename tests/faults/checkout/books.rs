//! That the books of every service say what the orders say: value, points, coupons, stock, what is held, commission, figures.

use std::collections::{BTreeMap, HashMap};

use siyu_proto::{
    distribution::v1::{GetPromoterRequest, promoter_service_client::PromoterServiceClient},
    metrics::v1::GetSalesRequest,
    order::v1::{
        Checkout, CouponState, GetMerchantBalanceRequest, GetStockRequest, ListCouponsRequest,
        Order, OrderState, Refund, TenderKind, coupon_service_client::CouponServiceClient,
        guarantee_service_client::GuaranteeServiceClient, stock_service_client::StockServiceClient,
    },
};
use siyu_tests::support::{Buyer, GOODS, LOCATION, Shop, ask, books};

use super::audit::Found;

/// Holds the books against the orders. Sound journals and a stock that adds up are a part of it.
pub(crate) async fn check(shop: &Shop, buyers: &[Buyer], found: &Found, pieces: i64) {
    let journals = books(&shop.merchant).await;
    assert!(journals.order_transfers > 0 && journals.transfers > 0, "{journals:?}");
    stock(shop, found, pieces).await;
    money(shop, found).await;
    for buyer in buyers {
        owns(shop, buyer, found).await;
    }
    figures(shop, found).await;
}

impl Found {
    /// The orders that count.
    fn paid(&self) -> impl Iterator<Item = &(Order, Checkout)> {
        self.orders.iter().filter(|(order, _)| order.state() == OrderState::Paid)
    }

    /// The orders that were ever paid.
    fn sold(&self) -> impl Iterator<Item = &(Order, Checkout)> {
        self.orders.iter().filter(|(order, _)| order.state() != OrderState::Cancelled)
    }

    /// What went back of each order: in all, to cards, in points.
    fn back(&self) -> HashMap<&str, [i64; 3]> {
        let mut back: HashMap<&str, [i64; 3]> = HashMap::new();
        for refund in &self.refunds {
            let of_order = back.entry(&refund.order_id).or_default();
            of_order[0] += refund.plan.as_ref().unwrap().total_minor;
            of_order[1] += part(refund, "value");
            of_order[2] += part(refund, "points");
        }
        back
    }
}

fn part(refund: &Refund, name: &str) -> i64 {
    let parts = refund.parts.iter().filter(|part| part.part == name && part.done);
    parts.map(|part| part.amount).sum()
}

fn minor(money: Option<&siyu_proto::r#type::v1::Money>) -> i64 {
    money.unwrap().minor_units
}

/// Nothing left the warehouse; what is reserved are the pieces that buyers have paid and not given back.
async fn stock(shop: &Shop, found: &Found, pieces: i64) {
    let mut sold: BTreeMap<&str, i64> = BTreeMap::new();
    for line in found.paid().flat_map(|(order, _)| &order.lines) {
        *sold.entry(line.sku.as_str()).or_default() += line.quantity;
    }
    let mut stocks = StockServiceClient::new(shop.merchant.caller.grpc());
    for (sku, _) in GOODS {
        let request = GetStockRequest { sku: sku.to_owned(), location: LOCATION.to_owned() };
        let stock = ask(request, async |q| stocks.get_stock(q).await).await.stock.unwrap();
        let sold = sold.get(sku).copied().unwrap_or(0);
        assert_eq!((stock.on_hand, stock.reserved), (pieces, sold), "{sku}");
        assert_eq!(stock.available, pieces - sold, "{sku}: initial - sold + returned");
    }
}

/// What is held is what was paid less what went back; the payment company has the cash of it.
async fn money(shop: &Shop, found: &Found) {
    let back = found.back();
    let of = |order: &Order| back.get(order.id.as_str()).copied().unwrap_or_default();
    let mut guarantees = GuaranteeServiceClient::new(shop.merchant.caller.grpc());
    let request = GetMerchantBalanceRequest::default();
    let reply = ask(request, async |q| guarantees.get_merchant_balance(q).await).await;
    let balance = reply.balance.unwrap();
    let (mut held, mut cash) = (0, 0);
    for (order, checkout) in found.sold() {
        let [all, value, _] = of(order);
        let rest = minor(checkout.payable.as_ref()) - all;
        assert!(rest >= 0, "{order:?} {rest}");
        assert!(rest == 0 || order.state() == OrderState::Paid, "{order:?} {rest}");
        held += rest;
        cash += minor(checkout.cash.as_ref()) - (all - value);
    }
    assert_eq!((balance.held_minor, balance.available_minor, balance.owed_minor), (held, 0, 0));
    let at_company: i64 = found
        .payments
        .iter()
        .map(|payment| {
            let gone = payment.refunds.iter().map(|refund| minor(refund.amount.as_ref()));
            payment.paid.as_ref().map_or(0, |paid| paid.minor_units) - gone.sum::<i64>()
        })
        .sum();
    assert_eq!(at_company, cash, "the payment company has the cash of what was not given back");
}

/// A buyer's card, points and coupons are what the orders left of them, and nothing is held.
async fn owns(shop: &Shop, buyer: &Buyer, found: &Found) {
    let back = found.back();
    let (mut value, mut points, mut used) = (buyer.value_minor, buyer.points, 0);
    for (order, checkout) in found.sold().filter(|(order, _)| order.person_id == buyer.person_id) {
        for tender in &checkout.tenders {
            match tender.kind() {
                TenderKind::Value => value -= tender.amount_minor,
                TenderKind::Points => points -= tender.points,
                TenderKind::Unspecified => panic!("{tender:?}"),
            }
        }
        let [_, to_card, to_points] = back.get(order.id.as_str()).copied().unwrap_or_default();
        (value, points) = (value + to_card, points + to_points);
        if order.state() == OrderState::Paid {
            points += minor(order.paid.as_ref()) / 100;
            used += checkout.coupon_ids.len();
        }
    }
    let card = shop.card_of(buyer).await;
    let whole = card.principal_minor + card.bonus_minor;
    let available = card.available_principal_minor + card.available_bonus_minor;
    assert_eq!((whole, available), (value, value), "{card:?}");
    let has = shop.points_of(buyer).await;
    assert_eq!((has.total, has.frozen), (points, 0), "{has:?}");
    let mut coupons = CouponServiceClient::new(shop.merchant.caller.grpc());
    let request = ListCouponsRequest { person_id: buyer.person_id.clone(), ..Default::default() };
    let coupons = ask(request, async |q| coupons.list_coupons(q).await).await.coupons;
    let count = |state| coupons.iter().filter(|coupon| coupon.state() == state).count();
    assert_eq!((count(CouponState::Locked), count(CouponState::Used)), (0, used), "{coupons:?}");
}

/// Commission and figures follow the orders that count.
async fn figures(shop: &Shop, found: &Found) {
    let goods: i64 = found.paid().map(|(order, _)| minor(order.paid.as_ref())).sum();
    let lines = found.paid().flat_map(|(order, _)| &order.lines);
    let tenths: i64 = lines.map(|line| minor(line.paid.as_ref()) / 10).sum();
    let mut promoters = PromoterServiceClient::new(shop.merchant.caller.grpc());
    let request = GetPromoterRequest { promoter_id: shop.promoter_id.clone() };
    let reply = ask(request, async |q| promoters.get_promoter(q).await).await;
    assert_eq!(reply.promoter.unwrap().commission_minor, tenths);
    let client = shop.merchant.caller.client();
    let request = GetSalesRequest::default();
    let sales = ask(request, async |q| client.sales().get_sales(q).await).await;
    let total = sales.total.unwrap_or_default();
    let count = i64::try_from(found.paid().count()).unwrap();
    assert_eq!((total.gmv_minor, total.orders), (goods, count));
}
