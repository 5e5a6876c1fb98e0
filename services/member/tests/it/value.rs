//! A merchant with an issuer, and what tests do with its cards.

use std::sync::atomic::{AtomicU64, Ordering};

use siyu_grpc::{Call, fault};
use siyu_kernel::Fault;
use siyu_proto::member::v1::{
    issuer_service_client::IssuerServiceClient, recharge_service_client::RechargeServiceClient,
    redemption_service_client::RedemptionServiceClient,
    stored_value_service_client::StoredValueServiceClient,
    value_card_service_client::ValueCardServiceClient,
    value_gift_service_client::ValueGiftServiceClient,
    value_report_service_client::ValueReportServiceClient, *,
};

use crate::world::World;

pub(crate) struct Till {
    pub(crate) world: World,
    pub(crate) issuer_id: String,
    next: AtomicU64,
}

impl Till {
    pub(crate) async fn new() -> Self {
        let world = World::new().await;
        let mut till = Self { world, issuer_id: String::new(), next: AtomicU64::new(0) };
        till.issuer_id = till.issue(IssuerScale::Large, 0).await.id;
        till
    }

    /// A request id that was not used before.
    pub(crate) fn fresh(&self) -> String {
        format!("r{}", self.next.fetch_add(1, Ordering::Relaxed))
    }

    pub(crate) fn call(&self) -> Call {
        self.world.call(self.world.own)
    }

    pub(crate) fn issuers(&self) -> IssuerServiceClient<Call> {
        IssuerServiceClient::new(self.call())
    }

    pub(crate) fn cards(&self) -> ValueCardServiceClient<Call> {
        ValueCardServiceClient::new(self.call())
    }

    pub(crate) fn recharges(&self) -> RechargeServiceClient<Call> {
        RechargeServiceClient::new(self.call())
    }

    pub(crate) fn values(&self) -> StoredValueServiceClient<Call> {
        StoredValueServiceClient::new(self.call())
    }

    pub(crate) fn redemptions(&self, operator: &str) -> RedemptionServiceClient<Call> {
        RedemptionServiceClient::new(self.world.call_as(self.world.own, operator))
    }

    pub(crate) fn gifts(&self) -> ValueGiftServiceClient<Call> {
        ValueGiftServiceClient::new(self.call())
    }

    pub(crate) fn reports(&self) -> ValueReportServiceClient<Call> {
        ValueReportServiceClient::new(self.call())
    }

    pub(crate) async fn issue(&self, scale: IssuerScale, revenue: i64) -> Issuer {
        let issuer = Issuer {
            name: "Siyu Tea Ltd".into(),
            industry: IssuerIndustry::Retail.into(),
            scale: scale.into(),
            last_year_revenue_minor: revenue,
            ..Default::default()
        };
        let request = CreateIssuerRequest { request_id: self.fresh(), issuer: Some(issuer) };
        let reply = self.issuers().create_issuer(request).await.unwrap().into_inner();
        reply.issuer.unwrap()
    }

    /// Other rules from now on.
    pub(crate) async fn rule(&self, change: impl FnOnce(&mut PrepaidPolicy)) {
        let now = GetPrepaidPolicyRequest::default();
        let reply = self.issuers().get_prepaid_policy(now).await.unwrap().into_inner();
        let mut policy = PrepaidPolicy { effective_time: None, ..reply.policy.unwrap() };
        change(&mut policy);
        let request = SetPrepaidPolicyRequest { request_id: self.fresh(), policy: Some(policy) };
        self.issuers().set_prepaid_policy(request).await.unwrap();
    }

    pub(crate) async fn person(&self, openid: &str) -> String {
        self.world.people(self.world.own, &[openid]).await.remove(0)
    }

    pub(crate) async fn open(&self, request: OpenValueCardRequest) -> Result<ValueCard, Fault> {
        let request_id = self.fresh();
        let issuer_id = match request.issuer_id.as_str() {
            "" => self.issuer_id.clone(),
            other => other.to_owned(),
        };
        let request = OpenValueCardRequest { request_id, issuer_id, ..request };
        let reply = self.cards().open_value_card(request).await.map_err(fault)?.into_inner();
        Ok(reply.card.unwrap())
    }

    /// A card of a person.
    pub(crate) async fn card(&self, person_id: &str) -> String {
        let request = OpenValueCardRequest { person_id: person_id.into(), ..Default::default() };
        self.open(request).await.unwrap().id
    }

    /// A card of somebody new with value on it.
    pub(crate) async fn filled(&self, principal: i64, bonus: i64) -> String {
        let person = self.person(&self.fresh()).await;
        let card = self.card(&person).await;
        self.fill(&card, principal, bonus).await;
        card
    }

    /// An offer without an end.
    pub(crate) async fn offer(&self, plan: RechargePlan) -> Result<RechargePlan, Fault> {
        let plan = Some(RechargePlan { name: "offer".into(), ..plan });
        let request = CreateRechargePlanRequest { request_id: self.fresh(), plan };
        let reply = self.recharges().create_recharge_plan(request).await.map_err(fault)?;
        Ok(reply.into_inner().plan.unwrap())
    }

    pub(crate) async fn recharge(
        &self,
        request: RechargeRequest,
    ) -> Result<RechargeResponse, Fault> {
        let request = RechargeRequest { request_id: self.fresh(), ..request };
        Ok(self.recharges().recharge(request).await.map_err(fault)?.into_inner())
    }

    /// Puts value on a card; gives the recharge.
    pub(crate) async fn fill(&self, card_id: &str, principal: i64, bonus: i64) -> RechargeRecord {
        let mut request = RechargeRequest { card_id: card_id.into(), ..Default::default() };
        if bonus > 0 {
            let plan =
                RechargePlan { pay_minor: principal, bonus_minor: bonus, ..Default::default() };
            request.plan_id = self.offer(plan).await.unwrap().id;
        } else {
            request.amount_minor = principal;
        }
        self.recharge(request).await.unwrap().recharge.unwrap()
    }

    pub(crate) async fn pay(&self, charges: &[(&str, i64)]) -> Result<ValuePayment, Fault> {
        let charges = self::charges(charges);
        let request = PayValueRequest { request_id: self.fresh(), charges, ..Default::default() };
        let reply = self.values().pay_value(request).await.map_err(fault)?.into_inner();
        Ok(reply.payment.unwrap())
    }

    pub(crate) async fn hold(&self, charges: &[(&str, i64)]) -> Result<ValuePayment, Fault> {
        let charges = self::charges(charges);
        let request = HoldValueRequest { request_id: self.fresh(), charges, ..Default::default() };
        let reply = self.values().hold_value(request).await.map_err(fault)?.into_inner();
        Ok(reply.payment.unwrap())
    }

    pub(crate) async fn capture(&self, id: &str, amount: i64) -> Result<ValuePayment, Fault> {
        let (request_id, payment_id) = (self.fresh(), id.to_owned());
        let request = CaptureHoldRequest { request_id, payment_id, amount_minor: amount };
        let reply = self.values().capture_hold(request).await.map_err(fault)?.into_inner();
        Ok(reply.payment.unwrap())
    }

    pub(crate) async fn void(&self, id: &str) -> Result<ValuePayment, Fault> {
        let request = VoidHoldRequest { request_id: self.fresh(), payment_id: id.into() };
        let reply = self.values().void_hold(request).await.map_err(fault)?.into_inner();
        Ok(reply.payment.unwrap())
    }

    /// Gives a payment back, all that is left of it for 0.
    pub(crate) async fn refund(&self, id: &str, amount: i64) -> Result<RefundValueResponse, Fault> {
        let (request_id, payment_id) = (self.fresh(), id.to_owned());
        let request = RefundValueRequest {
            request_id,
            payment_id,
            amount_minor: amount,
            ..Default::default()
        };
        Ok(self.values().refund_value(request).await.map_err(fault)?.into_inner())
    }

    /// Gives a recharge back.
    pub(crate) async fn take_back(
        &self,
        recharge_id: &str,
        blame: ValueFault,
    ) -> Result<RechargeRecord, Fault> {
        let request = RefundRechargeRequest {
            request_id: self.fresh(),
            recharge_id: recharge_id.into(),
            fault: blame.into(),
            ..Default::default()
        };
        let reply = self.recharges().refund_recharge(request).await.map_err(fault)?.into_inner();
        Ok(reply.recharge.unwrap())
    }

    pub(crate) async fn look(&self, card_id: &str) -> ValueCard {
        let request = GetValueCardRequest { card_id: card_id.into() };
        self.cards().get_value_card(request).await.unwrap().into_inner().card.unwrap()
    }

    /// Principal and bonus that can be spent.
    pub(crate) async fn has(&self, card_id: &str) -> (i64, i64) {
        let card = self.look(card_id).await;
        (card.available_principal_minor, card.available_bonus_minor)
    }

    pub(crate) async fn close(&self, card_id: &str) -> Result<ValueCard, Fault> {
        let request = CloseValueCardRequest { request_id: self.fresh(), card_id: card_id.into() };
        let reply = self.cards().close_value_card(request).await.map_err(fault)?.into_inner();
        Ok(reply.card.unwrap())
    }

    pub(crate) async fn freeze(&self, card_id: &str) {
        let request = FreezeValueCardRequest { request_id: self.fresh(), card_id: card_id.into() };
        self.cards().freeze_value_card(request).await.unwrap();
    }

    /// Lets every job run until it finds nothing.
    pub(crate) async fn run_jobs(&self) {
        use siyu_runtime::{Progress, Steps};
        for job in self.world.app.jobs() {
            while job.step().await.unwrap() == Progress::Worked {}
        }
    }

    /// The ledger holds what it must.
    pub(crate) async fn sound(&self) {
        self.world.sound_ledger(self.world.own).await;
    }
}

pub(crate) fn charges(charges: &[(&str, i64)]) -> Vec<ValueCharge> {
    let charge = |&(card_id, amount_minor): &(&str, i64)| ValueCharge {
        card_id: card_id.to_owned(),
        amount_minor,
    };
    charges.iter().map(charge).collect()
}

/// What each card gave: principal and bonus.
pub(crate) fn gave(payment: &ValuePayment) -> Vec<(i64, i64)> {
    payment.parts.iter().map(|part| (part.principal_minor, part.bonus_minor)).collect()
}

/// The id of a card that nobody has.
pub(crate) fn nobody() -> String {
    siyu_testkit::id::<siyu_kernel::kind::ValueCard>(9_999).to_string()
}
