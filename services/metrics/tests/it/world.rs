//! The service with its database, its clock, the siblings that it follows, and two merchants.

use std::{collections::BTreeMap, sync::Arc};

use chrono::{DateTime, TimeDelta, Utc};
use prost_types::Timestamp;
use siyu_events::{Consumer, NewEvent};
use siyu_grpc::{Assertions, Call, Caller, Peer, Scopes, Server, Settings, Upstream, fault};
use siyu_kernel::{Clock, Fault, kind};
use siyu_metrics::App;
use siyu_pg::{Migration, base_migrations};
use siyu_proto::{
    member::v1::{Merchant, MerchantCreated},
    metrics::v1::{
        maintenance_service_client::MaintenanceServiceClient,
        retention_service_client::RetentionServiceClient, sales_service_client::SalesServiceClient,
        triangle_service_client::TriangleServiceClient, value_service_client::ValueServiceClient,
        *,
    },
    order::v1::{Domain, LineFacts, OrderFacts, OrderPaid, OrderRevised, OrderState, OrderVoided},
};
use siyu_runtime::Readiness;
use siyu_testkit::{Database, FixedClock, Sibling, id, merchant};

const SCHEMA: &[&[Migration]] =
    &[base_migrations(), siyu_events::MIGRATIONS, siyu_metrics::MIGRATIONS];

pub(crate) struct World {
    pub(crate) database: Database,
    pub(crate) clock: FixedClock,
    pub(crate) own: Process,
    pub(crate) siblings: BTreeMap<&'static str, Sibling>,
    pub(crate) consumers: BTreeMap<&'static str, Consumer>,
}

/// One process of the service: figures in memory of its own.
pub(crate) struct Process {
    pub(crate) app: App,
    door: Peer,
}

impl World {
    /// With merchant 1 in Shanghai and merchant 2 in New York.
    pub(crate) async fn new() -> Self {
        let world = Self::empty().await;
        world.open(1, "Asia/Shanghai", "CNY").await;
        world.open(2, "America/New_York", "USD").await;
        world
    }

    /// Without merchants.
    pub(crate) async fn empty() -> Self {
        let database = Database::fresh(SCHEMA).await;
        let clock = FixedClock::at("2024-06-01T00:00:00Z");
        let own = Process::new(&database, &clock);
        let (mut siblings, mut consumers) = (BTreeMap::new(), BTreeMap::new());
        for subscription in own.app.subscriptions() {
            let name = subscription.source();
            let sibling = Sibling::new(name, &clock).await;
            consumers.insert(name, sibling.consumer(database.db(), subscription));
            siblings.insert(name, sibling);
        }
        Self { database, clock, own, siblings, consumers }
    }

    pub(crate) async fn open(&self, who: u32, zone: &str, currency_code: &str) {
        let merchant = Merchant {
            id: merchant(who).to_string(),
            zone: zone.into(),
            currency_code: currency_code.into(),
            ..Default::default()
        };
        let fact = MerchantCreated { merchant: Some(merchant) };
        let member = &self.siblings["member"];
        member.tell(siyu_testkit::merchant(who), &"mch", noon(0), &fact).await;
        self.deliver("member").await;
    }

    /// Lets the service handle everything that a sibling told.
    pub(crate) async fn deliver(&self, name: &str) {
        self.siblings[name].deliver(&self.consumers[name]).await;
    }

    /// Tells revisions of orders in one transaction and lets the service handle them.
    pub(crate) async fn sell(&self, who: u32, orders: &[OrderFacts]) {
        let order = &self.siblings["order"];
        let facts: Vec<NewEvent> = orders.iter().map(|facts| event(order, facts)).collect();
        order.tell_all(merchant(who), &facts).await;
        self.deliver("order").await;
    }

    pub(crate) async fn count(&self, sql: &'static str) -> i64 {
        let mut owner = self.database.owner().await;
        sqlx::query_scalar(sql).fetch_one(&mut owner).await.unwrap()
    }
}

impl Process {
    pub(crate) fn new(database: &Database, clock: &FixedClock) -> Self {
        let shared: Arc<dyn Clock> = Arc::new(clock.clone());
        let assertions = Arc::new(Assertions::new(&[7; 32]).unwrap());
        let app = App::new(database.db().clone(), shared.clone());
        let server =
            Server::new(Settings::default(), assertions.clone(), shared.clone(), Readiness::new());
        let upstream = Upstream::in_process(app.serve(server).build().unwrap());
        Self { app, door: Peer::new(upstream, "gateway", assertions, shared) }
    }

    fn call(&self, who: u32) -> Call {
        self.door.call(Caller::Merchant(merchant(who)), "test".into(), Scopes::all())
    }

    pub(crate) fn sales(&self, who: u32) -> SalesServiceClient<Call> {
        SalesServiceClient::new(self.call(who))
    }

    pub(crate) fn retention(&self, who: u32) -> RetentionServiceClient<Call> {
        RetentionServiceClient::new(self.call(who))
    }

    pub(crate) fn value(&self, who: u32) -> ValueServiceClient<Call> {
        ValueServiceClient::new(self.call(who))
    }

    pub(crate) fn triangle(&self, who: u32) -> TriangleServiceClient<Call> {
        TriangleServiceClient::new(self.call(who))
    }

    pub(crate) fn maintenance(&self, who: u32) -> MaintenanceServiceClient<Call> {
        MaintenanceServiceClient::new(self.call(who))
    }

    pub(crate) async fn get_sales(
        &self,
        who: u32,
        from_day: &str,
        to_day: &str,
    ) -> Result<GetSalesResponse, Fault> {
        let request = GetSalesRequest { from_day: from_day.into(), to_day: to_day.into() };
        Ok(self.sales(who).get_sales(request).await.map_err(fault)?.into_inner())
    }

    /// The figures of everything that merchant 1 ever sold.
    pub(crate) async fn total(&self) -> SalesFigures {
        self.get_sales(1, "", "").await.unwrap().total.unwrap()
    }

    pub(crate) async fn rebuild(&self, who: u32) -> RebuildMetricsResponse {
        let reply = self.maintenance(who).rebuild_metrics(RebuildMetricsRequest {}).await;
        reply.unwrap().into_inner()
    }
}

fn event(order: &Sibling, told: &OrderFacts) -> NewEvent {
    let (facts, subject) = (Some(told.clone()), &told.order_id);
    if told.state() == OrderState::Refunded {
        order.fact(subject, noon(0), &OrderVoided { facts })
    } else if told.revision == 1 {
        order.fact(subject, noon(0), &OrderPaid { facts })
    } else {
        order.fact(subject, noon(0), &OrderRevised { facts })
    }
}

/// Noon in Shanghai, so many days after 2024-01-01.
pub(crate) fn noon(day: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::seconds(1_704_081_600) + TimeDelta::days(day)
}

pub(crate) fn stamp(at: DateTime<Utc>) -> Timestamp {
    Timestamp { seconds: at.timestamp(), nanos: 0 }
}

/// So many days after 2024-01-01, as the wire names it.
pub(crate) fn day(n: i64) -> String {
    noon(n).date_naive().to_string()
}

pub(crate) fn person(n: u32) -> String {
    id::<kind::Person>(n).to_string()
}

/// An order of the n-th buyer, paid at noon so many days after 2024-01-01.
pub(crate) fn sale(n: u32, buyer: u32, day: i64, paid_minor: i64) -> OrderFacts {
    OrderFacts {
        order_id: id::<kind::Order>(n).to_string(),
        revision: 1,
        person_id: person(buyer),
        state: OrderState::Paid.into(),
        domain: Domain::Private.into(),
        pay_time: Some(stamp(noon(day))),
        currency_code: "CNY".into(),
        paid_minor,
        quantity: 1,
        lines: vec![LineFacts { line_no: 1, quantity: 1, paid_minor, ..Default::default() }],
        imported: true,
        ..Default::default()
    }
}

/// The next revision with another amount.
pub(crate) fn now(before: &OrderFacts, paid_minor: i64) -> OrderFacts {
    OrderFacts { revision: before.revision + 1, paid_minor, ..before.clone() }
}

/// The next revision: it no longer counts.
pub(crate) fn voided(before: &OrderFacts) -> OrderFacts {
    let (revision, state) = (before.revision + 1, OrderState::Refunded.into());
    OrderFacts { revision, state, ..before.clone() }
}

impl World {
    pub(crate) fn clock_now(&self) -> DateTime<Utc> {
        self.clock.now()
    }
}
