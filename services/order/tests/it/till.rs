//! A till before the sandbox: claims, attempts, and what buyers do.

use chrono::{DateTime, TimeDelta, Utc};
use siyu_kernel::{Currency, Fault, Id, kind};
use siyu_order::{
    claim::{self, charge::Cash, domain::Claim},
    payment::refund,
};
use siyu_proto::order::v1::{provider_account::With, *};
use siyu_testkit::{FixedClock, merchant};

use crate::{
    wechat::{accounts, company::Company},
    world::World,
};

pub(crate) type OrderId = Id<kind::Order>;

/// The world with an account at the sandbox, `box`.
pub(crate) struct Till {
    pub(crate) world: World,
}

impl Till {
    pub(crate) async fn open() -> Self {
        let till = Self { world: World::new().await };
        till.save_account("box").await;
        till
    }

    /// The world with an account at WeChat Pay, `wx`, beside the sandbox.
    pub(crate) async fn beside(company: &Company, clock: &FixedClock) -> Self {
        let till = Self { world: World::with(clock, &[company.origin()]).await };
        till.save_account("box").await;
        let saved = accounts::save(&till.world, &[accounts::wechat(&company.origin())]).await;
        saved.unwrap();
        till
    }

    pub(crate) async fn save_account(&self, code: &str) {
        let account = ProviderAccount {
            code: code.into(),
            name: "sandbox".into(),
            paused: false,
            with: Some(With::Sandbox(SandboxAccount {})),
        };
        let request = UpsertProviderAccountsRequest { accounts: vec![account] };
        self.world.payments(1).upsert_provider_accounts(request).await.unwrap();
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        siyu_kernel::Clock::now(&self.world.clock)
    }

    /// Opens a claim of so much, good for 15 minutes.
    pub(crate) async fn claim(&self, order: u32, cash_minor: i64) -> OrderId {
        self.claim_in(order, cash_minor, "CNY").await
    }

    pub(crate) async fn claim_in(&self, order: u32, cash_minor: i64, code: &str) -> OrderId {
        let order: OrderId = siyu_testkit::id(order);
        let currency = Currency::parse(code).unwrap();
        let (now, deadline) = (self.now(), self.now() + TimeDelta::minutes(15));
        let mut tx = self.world.database.db().tenant(merchant(1)).await.unwrap();
        let cash = Cash { currency, minor: cash_minor, charge: None };
        claim::open(&self.world.app, &mut tx, order, cash, deadline, now).await.unwrap();
        tx.commit().await.unwrap();
        order
    }

    /// Closes a claim, as somebody who cancels an order does.
    pub(crate) async fn close(&self, order: OrderId) -> Result<Claim, Fault> {
        let mut tx = self.world.database.db().tenant(merchant(1)).await.unwrap();
        let claim = claim::close(&self.world.app, &mut tx, order, self.now()).await?;
        tx.commit().await.unwrap();
        Ok(claim)
    }

    pub(crate) async fn start(&self, key: &str, order: OrderId) -> Result<Payment, Fault> {
        self.start_with(key, order, "box").await
    }

    /// Begins an attempt at WeChat Pay.
    pub(crate) async fn start_by(
        &self,
        key: &str,
        order: OrderId,
        method: PaymentMethod,
    ) -> Result<Payment, Fault> {
        let is_jsapi = method == PaymentMethod::Jsapi;
        let request = StartPaymentRequest {
            request_id: key.into(),
            order_id: order.to_string(),
            account_code: "wx".into(),
            method: method.into(),
            description: "a shirt 衬衫".into(),
            payer_id: if is_jsapi { "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o".into() } else { String::new() },
        };
        let reply =
            self.world.payments(1).start_payment(request).await.map_err(siyu_grpc::fault)?;
        Ok(reply.into_inner().payment.unwrap())
    }

    /// Hands over what a company told.
    pub(crate) async fn tell(
        &self,
        told: &ReceiveNotificationRequest,
    ) -> ReceiveNotificationResponse {
        let reply = self.world.payments(1).receive_notification(told.clone()).await;
        reply.unwrap().into_inner()
    }

    pub(crate) async fn start_with(
        &self,
        key: &str,
        order: OrderId,
        account: &str,
    ) -> Result<Payment, Fault> {
        let request = StartPaymentRequest {
            request_id: key.into(),
            order_id: order.to_string(),
            account_code: account.into(),
            method: PaymentMethod::Native.into(),
            description: "a shirt".into(),
            payer_id: String::new(),
        };
        let reply =
            self.world.payments(1).start_payment(request).await.map_err(siyu_grpc::fault)?;
        Ok(reply.into_inner().payment.unwrap())
    }

    pub(crate) async fn simulate(
        &self,
        payment: &Payment,
        act: SandboxAct,
        number: i64,
    ) -> Result<(), Fault> {
        let request = SimulatePaymentRequest {
            payment_id: payment.id.clone(),
            act: act.into(),
            paid_minor: if act == SandboxAct::SwallowAnswers { 0 } else { number },
            answers: if act == SandboxAct::SwallowAnswers { number.try_into().unwrap() } else { 0 },
        };
        let reply = self.world.payments(1).simulate_payment(request).await;
        reply.map(drop).map_err(siyu_grpc::fault)
    }

    pub(crate) async fn pay(&self, payment: &Payment) {
        self.simulate(payment, SandboxAct::Pay, 0).await.unwrap();
    }

    pub(crate) async fn get(&self, payment: &Payment) -> Payment {
        let request = GetPaymentRequest { payment_id: payment.id.clone() };
        self.world.payments(1).get_payment(request).await.unwrap().into_inner().payment.unwrap()
    }

    pub(crate) async fn claim_of(&self, order: OrderId) -> PaymentClaim {
        let request = GetPaymentClaimRequest { order_id: order.to_string() };
        let reply = self.world.payments(1).get_payment_claim(request).await.unwrap();
        reply.into_inner().claim.unwrap()
    }

    pub(crate) async fn refund(
        &self,
        payment: &Payment,
        key: &str,
        minor: i64,
    ) -> Result<refund::domain::Refund, Fault> {
        self.refund_because(payment, key, (minor, "returned")).await
    }

    pub(crate) async fn refund_because(
        &self,
        payment: &Payment,
        key: &str,
        (minor, reason): (i64, &str),
    ) -> Result<refund::domain::Refund, Fault> {
        let mut tx = self.world.database.db().tenant(merchant(1)).await.unwrap();
        let id = payment.id.parse().unwrap();
        let asked = (key, reason);
        let planned = refund::plan(&self.world.app, &mut tx, id, minor, asked, self.now()).await?;
        tx.commit().await.unwrap();
        Ok(planned)
    }

    /// Runs what is due now, and what comes of it.
    pub(crate) async fn work(&self) {
        self.world.run_jobs().await;
    }

    /// Lets time pass in small steps, as jobs see it.
    pub(crate) async fn pass(&self, by: TimeDelta) {
        let end = self.now() + by;
        while self.now() < end {
            self.world.clock.advance(TimeDelta::seconds(30));
            self.work().await;
        }
    }
}

/// How an attempt stands, how its claim does, and how much of it is back or on its way.
pub(crate) fn stand(payment: &Payment) -> (PaymentState, Vec<(PaymentRefundState, i64)>) {
    let refunds = payment.refunds.iter();
    let refunds = refunds.map(|r| (r.state(), r.amount.as_ref().unwrap().minor_units));
    (payment.state(), refunds.collect())
}
