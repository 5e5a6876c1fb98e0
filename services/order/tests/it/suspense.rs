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
    let order = till.claim(1, 100).await;
    let first = till.start("1", order).await.unwrap();
    let second = till.start("2", order).await.unwrap();
    till.simulate(&second, SandboxAct::RefuseRefunds, 0).await.unwrap();
    till.pay(&first).await;
    till.work().await;
    till.pay(&second).await;
    till.work().await;
    assert_eq!(till.get(&second).await.state(), PaymentState::Surplus);
    assert_eq!(till.suspended().await, [(Suspended, 100)]);
    till.sound().await;
    let kept = till.give_back("a", &first).await.unwrap_err();
    assert_eq!((kept.code(), kept.reason()), (Code::FailedPrecondition, "PAYMENT_KEPT"));
    let unknown =
        Payment { id: siyu_testkit::id::<siyu_kernel::kind::Payment>(9).to_string(), ..first };
    assert_eq!(till.give_back("a", &unknown).await.unwrap_err().code(), Code::NotFound);
    // It could not go back by itself: somebody asks for it.
    till.simulate(&second, SandboxAct::TakeRefunds, 0).await.unwrap();
    till.give_back("c", &second).await.unwrap();
    till.work().await;
    assert_eq!(till.suspended().await, [(Unsuspended, 100), (Suspended, 100)]);

    let till = Till::open().await;
    let order = till.claim(1, 100).await;
    let first = till.start("1", order).await.unwrap();
    let second = till.start("2", order).await.unwrap();
    till.pay(&first).await;
    till.work().await;
    till.pay(&second).await;
    till.pass(TimeDelta::minutes(1)).await;
    assert_eq!(stand(&till.get(&second).await).1, [(PaymentRefundState::Succeeded, 100)]);
    assert_eq!(till.suspended().await, [(Unsuspended, 100), (Suspended, 100)]);
    till.sound().await;
}
