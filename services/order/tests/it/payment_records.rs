//! Money that staff record: it pays like a payment company's, and goes back by a record of its own.

use futures::future::join_all;
use siyu_grpc::fault;
use siyu_kernel::{Code, Fault};
use siyu_proto::order::v1::{provider_account::With, *};

use crate::{
    checkouts::Buyer,
    market::reason,
    refunds::{pieces, whole},
    world::at,
};

impl Buyer {
    /// A buyer before a till, `till`, beside the sandbox.
    async fn at_till() -> Self {
        let buyer = Self::with_sandbox().await;
        let account = ProviderAccount {
            code: "till".into(),
            name: "the till".into(),
            paused: false,
            with: Some(With::Offline(OfflineAccount {})),
        };
        let request = UpsertProviderAccountsRequest { accounts: vec![account] };
        buyer.world.payments(1).upsert_provider_accounts(request).await.unwrap();
        buyer
    }

    /// Places an order that waits for 300.00.
    async fn waits(&self, key: &str) -> String {
        self.place(self.cart(key)).await.unwrap().order.unwrap().id
    }

    async fn record(&self, request: RecordPaymentRequest) -> Result<Payment, Fault> {
        let reply = self.world.payments(1).record_payment(request).await.map_err(fault)?;
        Ok(reply.into_inner().payment.unwrap())
    }

    async fn pay_out(&self, key: &str, refund: &str, no: &str) -> Result<Payment, Fault> {
        let request = RecordPaymentRefundRequest {
            request_id: key.into(),
            payment_refund_id: refund.into(),
            reference: no.into(),
            operator: "li".into(),
            ..Default::default()
        };
        let reply = self.world.payments(1).record_payment_refund(request).await.map_err(fault)?;
        Ok(reply.into_inner().payment.unwrap())
    }

    async fn payment(&self, id: &str) -> Payment {
        let request = GetPaymentRequest { payment_id: id.into() };
        self.world.payments(1).get_payment(request).await.unwrap().into_inner().payment.unwrap()
    }
}

/// 300.00 in cash.
fn cash(key: &str, order_id: &str, reference: &str) -> RecordPaymentRequest {
    RecordPaymentRequest {
        request_id: key.into(),
        order_id: order_id.into(),
        account_code: "till".into(),
        method: PaymentMethod::Cash.into(),
        amount_minor: 30_000,
        reference: reference.into(),
        operator: "wang".into(),
        pay_time: None,
        note: "in the store".into(),
    }
}

#[tokio::test]
async fn what_staff_record_pays_an_order_and_goes_back_by_a_record() {
    let buyer = Buyer::at_till().await;
    let id = buyer.waits("a").await;
    let paid = buyer.record(cash("r", &id, "receipt 1")).await.unwrap();
    assert_eq!((paid.state(), paid.method()), (PaymentState::Succeeded, PaymentMethod::Cash));
    let record = paid.record.as_ref().unwrap();
    assert_eq!((&*record.operator, &*record.reference), ("wang", "receipt 1"));
    assert_eq!(buyer.record(cash("r", &id, "receipt 1")).await.unwrap(), paid, "a repeat");
    let other = RecordPaymentRequest { note: String::new(), ..cash("r", &id, "receipt 1") };
    assert_eq!(reason(buyer.record(other).await), "REQUEST_ID_REUSED");
    assert_eq!(buyer.world.get(1, &id).await.unwrap().state(), OrderState::Paid);
    buyer.work().await;

    // It goes back in parts, each when somebody says that it is with the buyer.
    for (key, ask, back) in [("1", pieces(2, 1), 5_000), ("2", whole(), 25_000)] {
        let refund = buyer.refund(key, &id, ask).await.unwrap();
        buyer.work().await;
        assert_eq!(buyer.look(&refund).await.state(), RefundState::Processing);
        let on_its_way = buyer.payment(&paid.id).await.refunds.pop().unwrap();
        assert_eq!(on_its_way.state(), PaymentRefundState::Processing);
        assert_eq!(on_its_way.amount.unwrap().minor_units, back);
        let no = format!("slip {key}");
        let payment = buyer.pay_out(key, &on_its_way.id, &no).await.unwrap();
        assert_eq!(buyer.pay_out(key, &on_its_way.id, &no).await.unwrap(), payment, "a repeat");
        let done = payment.refunds.last().unwrap();
        assert_eq!(done.state(), PaymentRefundState::Succeeded);
        assert_eq!(done.record.as_ref().unwrap().operator, "li");
        let ended = buyer.pay_out("again", &on_its_way.id, "slip 9").await;
        assert_eq!(reason(ended), "PAYMENT_REFUND_ENDED");
        buyer.work().await;
        assert_eq!(buyer.look(&refund).await.state(), RefundState::Succeeded);
        buyer.books().await;
    }
    assert_eq!(buyer.world.get(1, &id).await.unwrap().state(), OrderState::Refunded);
}

#[tokio::test]
async fn a_record_says_who_how_much_and_when_and_each_reference_stands_once() {
    let buyer = Buyer::at_till().await;
    let id = buyer.waits("a").await;
    let less = RecordPaymentRequest { amount_minor: 29_999, ..cash("r", &id, "1") };
    let refused = buyer.record(less).await.unwrap_err();
    assert_eq!(
        (refused.reason(), refused.metadata()["charge_minor"].as_str()),
        ("RECORDED_AMOUNT_WRONG", "30000")
    );
    for (field, request) in [
        ("pay_time", RecordPaymentRequest { pay_time: Some(at(1)), ..cash("r", &id, "1") }),
        ("pay_time", RecordPaymentRequest { pay_time: Some(at(-1)), ..cash("r", &id, "1") }),
        (
            "method",
            RecordPaymentRequest { method: PaymentMethod::Jsapi.into(), ..cash("r", &id, "1") },
        ),
        ("operator", RecordPaymentRequest { operator: String::new(), ..cash("r", &id, "1") }),
        ("reference", cash("r", &id, "")),
    ] {
        let refused = buyer.record(request).await.unwrap_err();
        assert_eq!(refused.violations()[0].field, field);
    }
    let sandbox = RecordPaymentRequest { account_code: "box".into(), ..cash("r", &id, "1") };
    assert_eq!(reason(buyer.record(sandbox).await), "NOT_OFFLINE");
    let begun = StartPaymentRequest {
        request_id: "s".into(),
        order_id: id.clone(),
        account_code: "till".into(),
        method: PaymentMethod::Native.into(),
        description: "a dress".into(),
        payer_id: String::new(),
    };
    let refused = fault(buyer.world.payments(1).start_payment(begun).await.unwrap_err());
    assert_eq!(refused.violations()[0].field, "account_code");
    buyer.record(cash("r", &id, "1")).await.unwrap();
    let second = buyer.waits("b").await;
    assert_eq!(reason(buyer.record(cash("t", &second, "1")).await), "REFERENCE_KNOWN");
    let theirs =
        fault(buyer.world.payments(2).record_payment(cash("r", &id, "1")).await.unwrap_err());
    assert_eq!(theirs.code(), Code::NotFound);
    let request = RecordPaymentRefundRequest {
        request_id: "x".into(),
        payment_refund_id: siyu_testkit::id::<siyu_kernel::kind::PaymentRefund>(1).to_string(),
        reference: "1".into(),
        operator: "li".into(),
        ..Default::default()
    };
    let unknown = fault(buyer.world.payments(1).record_payment_refund(request).await.unwrap_err());
    assert_eq!(unknown.code(), Code::NotFound);
}

#[tokio::test]
async fn of_a_recorded_payment_and_one_of_a_company_one_is_kept_and_the_other_goes_back() {
    let buyer = Buyer::at_till().await;
    let id = buyer.waits("a").await;
    let company = buyer.start("s", &id).await.unwrap();
    let recorded = buyer.record(cash("r", &id, "1")).await.unwrap();
    assert_eq!(recorded.state(), PaymentState::Succeeded);
    buyer.work().await;
    assert_eq!(buyer.payment(&company.id).await.state(), PaymentState::Closed);
    // The other way round: the company was faster, and the cash goes back over the counter.
    let id = buyer.waits("b").await;
    let company = buyer.start("t", &id).await.unwrap();
    buyer.pay(&company).await;
    let surplus = buyer.record(cash("u", &id, "2")).await.unwrap();
    assert_eq!(surplus.state(), PaymentState::Surplus);
    buyer.work().await;
    let back = buyer.payment(&surplus.id).await.refunds.pop().unwrap();
    let done = buyer.pay_out("v", &back.id, "3").await.unwrap();
    assert_eq!(done.refunds[0].state(), PaymentRefundState::Succeeded);
    assert_eq!(buyer.world.get(1, &id).await.unwrap().state(), OrderState::Paid);
    buyer.books().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_receipt_that_many_tills_record_at_once_pays_once() {
    let buyer = Buyer::at_till().await;
    let id = buyer.waits("a").await;
    let keys: Vec<String> = (0..16).map(|n| format!("r{n}")).collect();
    let replies = join_all(keys.iter().map(|key| buyer.record(cash(key, &id, "1")))).await;
    let (kept, refused): (Vec<_>, Vec<_>) = replies.into_iter().partition(Result::is_ok);
    assert_eq!((kept.len(), refused.len()), (1, 15));
    for refused in refused {
        assert_eq!(reason(refused), "REFERENCE_KNOWN");
    }
    assert_eq!(buyer.world.count("select count(*) from payments").await, 1);
    buyer.books().await;
}
