//! A coupon that is given on while an order wants it, step by step: what the order had read before is true no more.

use siyu_grpc::fault;
use siyu_kernel::Fault;
use siyu_order::coupon;
use siyu_pg::Tx;
use siyu_proto::order::v1::*;
use siyu_testkit::merchant;

use crate::{
    checkouts::Buyer,
    coupons::{claim, off, save},
    market::reason,
};

impl Buyer {
    pub(crate) async fn begin(&self) -> Tx {
        self.world.database.db().tenant(merchant(1)).await.unwrap()
    }

    /// Comes back when somebody waits for a lock.
    pub(crate) async fn until_somebody_waits(&self) {
        let waiting = "select count(*) from pg_locks l join pg_stat_activity a on a.pid = l.pid \
            where not l.granted and a.datname = current_database()";
        while self.world.count(waiting).await == 0 {
            tokio::task::yield_now().await;
        }
    }

    async fn give_on(&self, coupon_id: &str, to: &str) -> Result<Coupon, Fault> {
        let request = TransferCouponRequest {
            request_id: format!("give {coupon_id}"),
            coupon_id: coupon_id.into(),
            to_person_id: to.into(),
        };
        let reply = self.world.coupons(1).transfer_coupon(request).await.map_err(fault)?;
        Ok(reply.into_inner().coupon.unwrap())
    }

    async fn coupons_of(&self, person: &str) -> Vec<CouponState> {
        let request = ListCouponsRequest { person_id: person.into(), ..Default::default() };
        let reply = self.world.coupons(1).list_coupons(request).await.unwrap().into_inner();
        reply.coupons.iter().map(Coupon::state).collect()
    }
}

/// A buyer with a coupon that may be given on, and another person.
async fn with_coupon() -> (Buyer, String, String) {
    let buyer = Buyer::with_sandbox().await;
    let gift = CouponTemplate { transfers_max: 1, ..off("gift", 1_000) };
    save(&buyer.world, &[gift]).await.unwrap();
    let coupon = claim(&buyer.world, "c", "gift", &buyer.person).await.unwrap();
    let bob = buyer.world.member.meet(merchant(1), 2);
    (buyer, coupon.id, bob)
}

#[tokio::test]
async fn a_coupon_that_is_given_on_while_an_order_is_priced_stays_with_its_new_holder() {
    let (buyer, coupon_id, bob) = with_coupon().await;
    let mut gives = buyer.begin().await;
    let id = coupon_id.parse().unwrap();
    let mut coupon = coupon::store::lock_one(&mut gives, id).await.unwrap().unwrap();
    coupon.person_id = bob.parse().unwrap();
    coupon::store::give(&mut gives, &coupon).await.unwrap();
    let commits = async {
        buyer.until_somebody_waits().await;
        gives.commit().await.unwrap();
    };
    let (placed, ()) = tokio::join!(buyer.place(buyer.cart("a")), commits);
    assert_eq!(reason(placed), "COUPON_TAKEN");
    assert_eq!(buyer.coupons_of(&bob).await, [CouponState::Issued]);
    let again = buyer.place(buyer.cart("a")).await.unwrap();
    assert_eq!(again.checkout.unwrap().payable.unwrap().minor_units, 30_000, "without the coupon");
}

#[tokio::test]
async fn a_payment_that_comes_late_does_not_use_up_a_coupon_that_was_given_on() {
    let (buyer, coupon_id, bob) = with_coupon().await;
    let order = buyer.place(buyer.cart("a")).await.unwrap().order.unwrap();
    assert_eq!(order.paid.unwrap().minor_units, 29_000);
    let payment = buyer.start("p", &order.id).await.unwrap();
    buyer.cancel(&order.id).await.unwrap();
    buyer.work().await;
    buyer.give_on(&coupon_id, &bob).await.unwrap();
    let request = SimulatePaymentRequest {
        payment_id: payment.id,
        act: SandboxAct::PayClosed.into(),
        ..Default::default()
    };
    buyer.world.payments(1).simulate_payment(request).await.unwrap();
    buyer.work().await;
    assert_eq!(buyer.coupons_of(&bob).await, [CouponState::Issued]);
    assert_eq!(buyer.world.get(1, &order.id).await.unwrap().state(), OrderState::Cancelled);
    let back = "select coalesce(sum(amount_minor), 0)::bigint from payment_refunds where state = 'succeeded'";
    assert_eq!(buyer.world.count(back).await, 29_000);
    buyer.books().await;
}
