//! The service with its database and its clock.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use prost_types::Timestamp;
use siyu_distribution::App;
use siyu_events::Fact;
use siyu_grpc::{Assertions, Call, Caller, Peer, Scopes, Server, Settings, Upstream, fault};
use siyu_kernel::{Clock, Fault, Ids, kind};
use siyu_pg::{Migration, base_migrations};
use siyu_proto::distribution::v1::{
    binding_service_client::BindingServiceClient,
    commission_service_client::CommissionServiceClient,
    promoter_service_client::PromoterServiceClient, *,
};
use siyu_runtime::Readiness;
use siyu_testkit::{Database, FixedClock, SeededIds, id, merchant, told};

const SCHEMA: &[&[Migration]] = &[
    base_migrations(),
    siyu_events::MIGRATIONS,
    siyu_ledger::MIGRATIONS,
    siyu_distribution::MIGRATIONS,
];

pub(crate) struct World {
    pub(crate) database: Database,
    pub(crate) clock: FixedClock,
    pub(crate) app: App,
    door: Peer,
}

/// The instant of the clock at the start; days are counted from it, back and forth.
pub(crate) fn start() -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::seconds(1_717_200_000)
}

/// So many hours after the start.
pub(crate) fn hour(n: i64) -> Timestamp {
    Timestamp { seconds: start().timestamp() + n * 3_600, nanos: 0 }
}

/// The text of the n-th person's id.
pub(crate) fn person(n: u32) -> String {
    id::<kind::Person>(n).to_string()
}

impl World {
    pub(crate) async fn new() -> Self {
        let database = Database::fresh(SCHEMA).await;
        let clock = FixedClock::new(start());
        let shared: Arc<dyn Clock> = Arc::new(clock.clone());
        let assertions = Arc::new(Assertions::new(&[7; 32]).unwrap());
        let ids: Arc<dyn Ids> = Arc::new(SeededIds::new(1));
        let app = App::new(database.db().clone(), ids, shared.clone());
        let server =
            Server::new(Settings::default(), assertions.clone(), shared.clone(), Readiness::new());
        let own = Upstream::in_process(app.serve(server).build().unwrap());
        let door = Peer::new(own, "gateway", assertions, shared);
        Self { database, clock, app, door }
    }

    fn call(&self, who: u32) -> Call {
        self.door.call(Caller::Merchant(merchant(who)), "test".into(), Scopes::all())
    }

    pub(crate) fn promoters(&self, who: u32) -> PromoterServiceClient<Call> {
        PromoterServiceClient::new(self.call(who))
    }

    pub(crate) fn bindings(&self, who: u32) -> BindingServiceClient<Call> {
        BindingServiceClient::new(self.call(who))
    }

    pub(crate) fn commissions(&self, who: u32) -> CommissionServiceClient<Call> {
        CommissionServiceClient::new(self.call(who))
    }

    /// The n-th person as a promoter of merchant 1, invited by another one.
    pub(crate) async fn promoter(&self, n: u32, inviter: &str) -> String {
        let request = CreatePromoterRequest {
            person_id: person(n),
            inviter_promoter_id: inviter.into(),
            ..Default::default()
        };
        let reply = self.promoters(1).create_promoter(request).await.unwrap().into_inner();
        reply.promoter.unwrap().id
    }

    /// A click of a person on a promoter's link, so many hours after the start.
    pub(crate) async fn click(
        &self,
        n: u32,
        promoter_id: &str,
        hours: i64,
    ) -> (BindOutcome, Option<Binding>) {
        let request = BindCustomerRequest {
            person_id: person(n),
            promoter_id: promoter_id.into(),
            click_time: Some(hour(hours)),
            source: "link".into(),
        };
        let reply = self.bindings(1).bind_customer(request).await.unwrap().into_inner();
        (reply.outcome(), reply.binding)
    }

    /// Who a person is bound to at an instant.
    pub(crate) async fn bound_to(&self, n: u32, at: Timestamp) -> Option<String> {
        let request = GetBindingRequest { person_id: person(n), at_time: Some(at) };
        match self.bindings(1).get_binding(request).await {
            Ok(reply) => Some(reply.into_inner().binding.unwrap().promoter_id),
            Err(status) => {
                assert_eq!(fault(status).message(), "binding not found");
                None
            }
        }
    }

    pub(crate) async fn set_rule(&self, rule: CommissionRule) -> Result<CommissionRule, Fault> {
        let request = SetCommissionRuleRequest { rule: Some(rule) };
        let reply = self.commissions(1).set_commission_rule(request).await.map_err(fault)?;
        Ok(reply.into_inner().rule.unwrap())
    }

    pub(crate) async fn earned(&self, promoter_id: &str) -> i64 {
        let request = GetPromoterRequest { promoter_id: promoter_id.into() };
        let reply = self.promoters(1).get_promoter(request).await.unwrap().into_inner();
        reply.promoter.unwrap().commission_minor
    }

    /// Every commission of merchant 1, newest first, in small pages.
    pub(crate) async fn all_commissions(&self) -> Vec<Commission> {
        let mut request = ListCommissionsRequest { page_size: 2, ..Default::default() };
        let mut all = Vec::new();
        loop {
            let reply = self.commissions(1).list_commissions(request.clone()).await.unwrap();
            let page = reply.into_inner();
            all.extend(page.commissions);
            if page.next_page_token.is_empty() {
                return all;
            }
            request.page_token = page.next_page_token;
        }
    }

    /// The ledger holds what it must; returns how many transfers it has.
    pub(crate) async fn sound_ledger(&self) -> i64 {
        let mut commissions = self.commissions(1);
        let reply = commissions.check_commission_ledger(CheckCommissionLedgerRequest {}).await;
        let report = reply.unwrap().into_inner();
        assert_eq!(report.findings, Vec::<String>::new());
        report.transfers
    }

    /// The facts of a kind that the service told.
    pub(crate) async fn told<F: Fact>(&self) -> Vec<F> {
        let events = told(self.app.log()).await;
        events.iter().filter_map(|event| event.decode().unwrap()).collect()
    }

    pub(crate) async fn count(&self, sql: &'static str) -> i64 {
        let mut owner = self.database.owner().await;
        sqlx::query_scalar(sql).fetch_one(&mut owner).await.unwrap()
    }
}

/// Ten percent and two for whom the default rule gives, imported orders too.
pub(crate) fn generous() -> CommissionRule {
    CommissionRule {
        level1_bp: 1_000,
        level2_bp: 200,
        binding_valid_days: 0,
        protect_days: 30,
        imported_private_orders: true,
    }
}

/// The fields that a refused request names.
pub(crate) fn fields(fault: &Fault) -> Vec<&str> {
    fault.violations().iter().map(|violation| violation.field.as_str()).collect()
}
