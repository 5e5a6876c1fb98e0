//! Money that pays nothing: it stands in suspense from when it comes until it is back with its buyer.

use chrono::TimeDelta;
use siyu_grpc::fault;
use siyu_kernel::{Code, Fault};
use siyu_proto::order::v1::*;

use crate::till::{Till, stand};

impl Till {
    async fn give_back(&self, key: &str, payment: &Payment) -> Result<Payment, Fault> {
        let request = ReturnPaymentRequest {
            request_id: key.into(),
            payment_id: payment.id.clone(),
            reason: "not what was asked for".into(),
        };
        let reply = self.world.payments(1).return_payment(request).await.map_err(fault)?;
        Ok(reply.into_inner().payment.unwrap())
    }

    /// What went into suspense and out of it, the last first.
    async fn suspended(&self) -> Vec<(GuaranteeEntryKind, i64)> {
        let request = ListGuaranteeEntriesRequest::default();
        let reply = self.world.guarantees(1).list_guarantee_entries(request).await.unwrap();
        let entries = reply.into_inner().entries;
        entries.iter().map(|entry| (entry.kind(), entry.amount_minor)).collect()
    }

    async fn sound(&self) {
        let request = CheckOrderLedgerRequest::default();
        let reply = self.world.guarantees(1).check_order_ledger(request).await.unwrap();
        assert_eq!(reply.into_inner().findings, Vec::<String>::new());
    }

    /// A payment of 90 where 100 were asked for.
    async fn held(&self) -> Payment {
        let order = self.claim(1, 100).await;
        let payment = self.start("1", order).await.unwrap();
        self.simulate(&payment, SandboxAct::Pay, 90).await.unwrap();
        self.work().await;
        assert_eq!(self.get(&payment).await.state(), PaymentState::HeldForReview);
        payment
    }

    /// Two payments of 100 for one order at the same moment: the one that is kept, whichever it is, and the other.
    async fn paid_twice(&self, refunds: SandboxAct) -> (Payment, Payment) {
        let order = self.claim(1, 100).await;
        let payments =
            [self.start("1", order).await.unwrap(), self.start("2", order).await.unwrap()];
        for payment in &payments {
            self.simulate(payment, refunds, 0).await.unwrap();
        }
        for payment in &payments {
            self.pay(payment).await;
        }
        self.work().await;
        let [first, second] = [self.get(&payments[0]).await, self.get(&payments[1]).await];
        let (kept, surplus) = if first.state() == PaymentState::Succeeded {
            (first, second)
        } else {
            (second, first)
        };
        let states = (kept.state(), surplus.state());
        assert_eq!(states, (PaymentState::Succeeded, PaymentState::Surplus));
        (kept, surplus)
    }
}

use GuaranteeEntryKind::{Suspended, Unsuspended};

#[tokio::test]
async fn a_payment_that_is_held_stands_in_suspense_until_somebody_gives_it_back() {
    let till = Till::open().await;
    let payment = till.held().await;
    assert_eq!(till.suspended().await, [(Suspended, 90)]);
    till.sound().await;

    let asked = till.give_back("a", &payment).await.unwrap();
    assert_eq!(
        stand(&asked),
        (PaymentState::HeldForReview, vec![(PaymentRefundState::Created, 90)])
    );
    assert_eq!(asked.refunds[0].actor, "test", "who asked is known");
    assert_eq!(till.give_back("a", &payment).await.unwrap(), asked, "a repeat");
    let twice = till.give_back("b", &payment).await.unwrap_err();
    assert_eq!(twice.reason(), "REFUND_EXCEEDS_PAYMENT");
    assert_eq!(till.suspended().await, [(Suspended, 90)], "it is on its way");
    till.work().await;
    let back = vec![(PaymentRefundState::Succeeded, 90)];
    assert_eq!(stand(&till.get(&payment).await), (PaymentState::HeldForReview, back));
    assert_eq!(till.suspended().await, [(Unsuspended, 90), (Suspended, 90)]);
    till.sound().await;
}

#[tokio::test]
async fn a_return_that_the_company_refuses_is_asked_for_once_more() {
    let till = Till::open().await;
    let payment = till.held().await;
    till.simulate(&payment, SandboxAct::RefuseRefunds, 0).await.unwrap();
    till.give_back("a", &payment).await.unwrap();
    till.work().await;
    let failed = (PaymentRefundState::Failed, 90);
    assert_eq!(stand(&till.get(&payment).await).1, [failed]);
    assert_eq!(till.suspended().await, [(Suspended, 90)], "the money is still there");
    till.simulate(&payment, SandboxAct::TakeRefunds, 0).await.unwrap();
    till.give_back("b", &payment).await.unwrap();
    till.work().await;
    assert_eq!(stand(&till.get(&payment).await).1, [failed, (PaymentRefundState::Succeeded, 90)]);
    assert_eq!(till.suspended().await, [(Unsuspended, 90), (Suspended, 90)]);
    till.sound().await;
}

#[tokio::test]
async fn what_is_paid_twice_stands_in_suspense_until_it_is_back() {
    let till = Till::open().await;
    let (kept, surplus) = till.paid_twice(SandboxAct::RefuseRefunds).await;
    assert_eq!(till.suspended().await, [(Suspended, 100)]);
    till.sound().await;
    let refused = till.give_back("a", &kept).await.unwrap_err();
    assert_eq!((refused.code(), refused.reason()), (Code::FailedPrecondition, "PAYMENT_KEPT"));
    let unknown = siyu_testkit::id::<siyu_kernel::kind::Payment>(9).to_string();
    let unknown = Payment { id: unknown, ..kept };
    assert_eq!(till.give_back("a", &unknown).await.unwrap_err().code(), Code::NotFound);
    // It could not go back by itself: somebody asks for it.
    till.simulate(&surplus, SandboxAct::TakeRefunds, 0).await.unwrap();
    till.give_back("c", &surplus).await.unwrap();
    till.work().await;
    assert_eq!(till.suspended().await, [(Unsuspended, 100), (Suspended, 100)]);

    let till = Till::open().await;
    let (_, surplus) = till.paid_twice(SandboxAct::TakeRefunds).await;
    till.pass(TimeDelta::minutes(1)).await;
    assert_eq!(stand(&till.get(&surplus).await).1, [(PaymentRefundState::Succeeded, 100)]);
    assert_eq!(till.suspended().await, [(Unsuspended, 100), (Suspended, 100)]);
    till.sound().await;
}
