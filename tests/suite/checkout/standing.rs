//! What everybody has of a purchase, and what everybody must have.

use siyu_proto::{
    distribution::v1::{GetPromoterRequest, promoter_service_client::PromoterServiceClient},
    member::v1::{GetPersonRequest, person_service_client::PersonServiceClient},
    order::v1::{
        Coupon, CouponState, GetMerchantBalanceRequest, GetPaymentRequest, GetStockRequest,
        ListCouponsRequest, Order, PaymentRefundState, Refund,
        coupon_service_client::CouponServiceClient,
        guarantee_service_client::GuaranteeServiceClient,
        payment_service_client::PaymentServiceClient, stock_service_client::StockServiceClient,
    },
};
use siyu_tests::support::{self, LOCATION, ask, run_until_idle};

use super::{
    CASH, GOODS, PIECES, POINTS, SHIPPING, Sale, VALUE, minor, to_points, to_value, total,
};
use crate::truth::sales;

/// What everybody has of a purchase: pieces reserved; value and points of the buyer; growth; commission; GMV and orders of the
/// figures; what is held for the buyer.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Standing {
    pub(super) reserved: i64,
    pub(super) value: i64,
    pub(super) points: i64,
    pub(super) growth: i64,
    pub(super) commission: i64,
    pub(super) gmv: i64,
    pub(super) orders: i64,
    pub(super) held: i64,
}

impl Sale {
    /// What everybody has once everybody has followed.
    pub(super) async fn standing(&self) -> Standing {
        let m = &self.shop.merchant;
        run_until_idle(&m.place).await;
        let total = sales(m).await.total.unwrap_or_default();
        let card = self.shop.card_of(&self.buyer).await;
        let request = GetPersonRequest { person_id: self.buyer.person_id.clone(), brief: false };
        let mut persons = PersonServiceClient::new(m.caller.grpc());
        let person = ask(request, async |q| persons.get_person(q).await).await.person.unwrap();
        let request = GetPromoterRequest { promoter_id: self.shop.promoter_id.clone() };
        let mut promoters = PromoterServiceClient::new(m.caller.grpc());
        let promoter = ask(request, async |q| promoters.get_promoter(q).await).await;
        let mut guarantees = GuaranteeServiceClient::new(m.caller.grpc());
        let request = GetMerchantBalanceRequest::default();
        let balance = ask(request, async |q| guarantees.get_merchant_balance(q).await).await;
        let mut reserved = 0;
        for (sku, _) in support::GOODS {
            let request = GetStockRequest { sku: sku.to_owned(), location: LOCATION.to_owned() };
            let mut stocks = StockServiceClient::new(m.caller.grpc());
            let stock = ask(request, async |q| stocks.get_stock(q).await).await.stock.unwrap();
            assert_eq!(stock.on_hand, PIECES, "nothing was handed over");
            reserved += stock.reserved;
        }
        Standing {
            reserved,
            value: card.principal_minor + card.bonus_minor,
            points: self.shop.points_of(&self.buyer).await.total,
            growth: person.growth,
            commission: promoter.promoter.unwrap().commission_minor,
            gmv: total.gmv_minor,
            orders: total.orders,
            held: balance.balance.unwrap().held_minor,
        }
    }

    /// What everybody must have of an order as it is, after refunds.
    pub(super) fn due(&self, order: &Order, refunds: &[&Refund]) -> Standing {
        let sum = |of: fn(&Refund) -> i64| refunds.iter().map(|refund| of(refund)).sum::<i64>();
        let goods = minor(order.paid.as_ref());
        Standing {
            reserved: order.quantity,
            value: self.buyer.value_minor - VALUE + sum(to_value),
            points: sum(to_points) + goods / 100,
            growth: goods / 100,
            commission: order.lines.iter().map(|line| minor(line.paid.as_ref()) / 10).sum(),
            gmv: goods,
            orders: 1,
            held: GOODS + SHIPPING - sum(total),
        }
    }

    /// Everybody is where they were before: buckets of the card, points, coupon, stock, books, the payment company.
    pub(super) async fn nothing_is_left(&self, refunds: &[&Refund]) {
        let standing = self.standing().await;
        let before = Standing {
            reserved: 0,
            value: self.buyer.value_minor,
            points: POINTS,
            growth: 0,
            commission: 0,
            gmv: 0,
            orders: 0,
            held: 0,
        };
        assert_eq!(standing, before);
        let card = self.shop.card_of(&self.buyer).await;
        let buckets = (card.principal_minor, card.bonus_minor);
        assert_eq!(buckets, (100_000, 20_000), "each bucket has what it gave");
        let points = self.shop.points_of(&self.buyer).await;
        assert_eq!((points.available, points.frozen, points.pending), (POINTS, 0, 0));
        let sum = |of: fn(&Refund) -> i64| refunds.iter().map(|refund| of(refund)).sum::<i64>();
        assert_eq!(sum(total), GOODS + SHIPPING);
        assert_eq!((sum(to_value), sum(to_points)), (VALUE, POINTS));
        let mut payments = PaymentServiceClient::new(self.shop.merchant.caller.grpc());
        let request = GetPaymentRequest { payment_id: self.payment.id.clone() };
        let payment = ask(request, async |q| payments.get_payment(q).await).await.payment.unwrap();
        let done = |state| state == PaymentRefundState::Succeeded;
        assert!(payment.refunds.iter().all(|refund| done(refund.state())), "{payment:?}");
        let back: i64 = payment.refunds.iter().map(|back| minor(back.amount.as_ref())).sum();
        assert_eq!((back, minor(payment.paid.as_ref())), (CASH, CASH));
        let mut coupons = CouponServiceClient::new(self.shop.merchant.caller.grpc());
        let request =
            ListCouponsRequest { person_id: self.buyer.person_id.clone(), ..Default::default() };
        let held = ask(request, async |q| coupons.list_coupons(q).await).await.coupons;
        let states: Vec<CouponState> = held.iter().map(Coupon::state).collect();
        assert_eq!(states, [CouponState::Issued], "the coupon came back, once");
    }
}
