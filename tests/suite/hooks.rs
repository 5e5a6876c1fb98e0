//! What a payment company posts to the gateway, without a token: the company is the one that the order service is tested with,
//! as strict as the real one.

#[path = "../../services/order/tests/it/wechat/books.rs"]
#[allow(dead_code, reason = "other tests need the rest of it")]
mod books;
#[path = "../../services/order/tests/it/wechat/company.rs"]
#[allow(dead_code, reason = "other tests need the rest of it")]
mod company;
#[path = "../../services/order/tests/it/wechat/seal.rs"]
#[allow(dead_code, reason = "other tests need the rest of it")]
mod seal;

use std::{collections::BTreeMap, sync::Arc};

use chrono::TimeDelta;
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Full};
use siyu_gateway::{Gateway, Parts};
use siyu_grpc::{Assertions, Caller, Peer, Scopes, Server, Settings, Upstream};
use siyu_kernel::{Clock, Currency, Id, Ids, kind};
use siyu_order::{App, claim, claim::charge::Cash};
use siyu_pg::Migration;
use siyu_proto::order::v1::{
    payment_service_client::PaymentServiceClient, provider_account::With, *,
};
use siyu_runtime::{Progress, Readiness, Steps, Tasks, random_bytes};
use siyu_testkit::{Database, FixedClock, SeededIds, id, merchant};
use siyu_tests::support::story;
use siyu_vault::Vault;
use tonic::body::Body;

use books::{APPID, MCHID};
use company::Company;
use seal::{API_KEY, CERTIFICATE, COMPANY_KEY, MERCHANT_KEY, SERIAL, request};

const ORDER: &[&[Migration]] = &[
    siyu_pg::base_migrations(),
    siyu_events::MIGRATIONS,
    siyu_ledger::MIGRATIONS,
    siyu_order::MIGRATIONS,
];
const GATEWAY: &[&[Migration]] = &[siyu_pg::base_migrations(), siyu_gateway::migrations()];

/// The order service behind a gateway, by one clock, and the company.
struct Shop {
    clock: FixedClock,
    company: Company,
    order: App,
    inside: Peer,
    gateway: Gateway,
    database: Database,
    _gateway_database: Database,
    _tasks: Tasks,
}

impl Shop {
    async fn open() -> Self {
        let clock = FixedClock::at("2024-06-01T00:00:00Z");
        let shared: Arc<dyn Clock> = Arc::new(clock.clone());
        let company = Company::open(&clock).await;
        let (database, gateway_database) =
            (Database::fresh(ORDER).await, Database::fresh(GATEWAY).await);
        let assertions = Arc::new(Assertions::new(&[7; 32]).unwrap());
        let ids: Arc<dyn Ids> = Arc::new(SeededIds::new(1));
        // Nobody asks for a person here.
        let member = Peer::new(Upstream::late().0, "order", assertions.clone(), shared.clone());
        let vault = Vault::new(&"5b".repeat(32), "", random_bytes::<32>).unwrap();
        let order = App::new(database.db().clone(), member, vault, ids.clone(), shared.clone())
            .with_provider_origins([company.origin()]);
        let server =
            Server::new(Settings::default(), assertions.clone(), shared.clone(), Readiness::new());
        let own = Upstream::in_process(order.serve(server).build().unwrap());
        let inside = Peer::new(own.clone(), "gateway", assertions.clone(), shared.clone());
        let tasks = Tasks::new();
        let parts = Parts {
            db: gateway_database.db().clone(),
            upstreams: BTreeMap::from([("order", own)]),
            assertions,
            clock: shared,
            ids,
            random: random_bytes,
            readiness: Readiness::new(),
            tasks: tasks.clone(),
        };
        let gateway = Gateway::build(&siyu_gateway::Config::default(), parts).unwrap();
        let shop = Self {
            clock,
            company,
            order,
            inside,
            gateway,
            database,
            _gateway_database: gateway_database,
            _tasks: tasks,
        };
        shop.open_account().await;
        shop
    }

    fn payments(&self) -> PaymentServiceClient<siyu_grpc::Call> {
        let caller = Caller::Merchant(merchant(1));
        PaymentServiceClient::new(self.inside.call(caller, "test".into(), Scopes::all()))
    }

    async fn open_account(&self) {
        let wechat = WechatAccount {
            mchid: MCHID.into(),
            appid: APPID.into(),
            merchant_serial: "MERCHANT1".into(),
            private_key_pem: MERCHANT_KEY.into(),
            api_v3_key: API_KEY.into(),
            provider_keys: vec![ProviderKey { serial: SERIAL.into(), pem: CERTIFICATE.into() }],
            base_url: self.company.origin(),
            notify_url: format!("https://pay.example.com{}", path(1, "wx")),
            has_secrets: false,
        };
        let account = ProviderAccount {
            code: "wx".into(),
            name: "WeChat Pay".into(),
            paused: false,
            with: Some(With::Wechat(wechat)),
        };
        let request = UpsertProviderAccountsRequest { accounts: vec![account] };
        self.payments().upsert_provider_accounts(request).await.unwrap();
    }

    /// An attempt to pay 1.00 for the n-th order, good for a quarter of an hour.
    async fn attempt(&self, n: u32) -> Payment {
        let order: Id<kind::Order> = id(n);
        let (now, currency) = (self.clock.now(), Currency::parse("CNY").unwrap());
        let cash = Cash { currency, minor: 100, charge: None };
        let mut tx = self.database.db().tenant(merchant(1)).await.unwrap();
        let deadline = now + TimeDelta::minutes(15);
        claim::open(&self.order, &mut tx, order, cash, deadline, now).await.unwrap();
        tx.commit().await.unwrap();
        let request = StartPaymentRequest {
            request_id: n.to_string(),
            order_id: order.to_string(),
            account_code: "wx".into(),
            method: PaymentMethod::Native.into(),
            description: "tea".into(),
            payer_id: String::new(),
        };
        self.payments().start_payment(request).await.unwrap().into_inner().payment.unwrap()
    }

    /// The company posts something.
    async fn post(&self, told: &ReceiveNotificationRequest) -> (StatusCode, String) {
        self.post_to(&path(1, &told.account_code), told).await
    }

    async fn post_to(&self, path: &str, told: &ReceiveNotificationRequest) -> (StatusCode, String) {
        let mut request = Request::builder()
            .method("POST")
            .uri(path)
            .header("content-type", "application/json")
            .header("user-agent", "Mozilla/4.0");
        for header in &told.headers {
            request = request.header(&header.name, &header.value);
        }
        let body = Body::new(Full::new(told.body.clone().into_bytes().into()));
        let reply = self.gateway.answer(request.body(body).unwrap()).await;
        let (head, body) = reply.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        (head.status, String::from_utf8(body.into()).unwrap())
    }

    async fn work(&self) {
        let mut progress = Progress::Worked;
        while progress == Progress::Worked {
            progress = Progress::Idle;
            for job in self.order.jobs() {
                progress = progress.or(job.step().await.unwrap());
            }
        }
    }

    async fn state(&self, payment: &Payment) -> PaymentState {
        let request = GetPaymentRequest { payment_id: payment.id.clone() };
        let reply = self.payments().get_payment(request).await.unwrap().into_inner();
        reply.payment.unwrap().state()
    }

    async fn kept(&self) -> usize {
        let request = ListNotificationsRequest::default();
        let reply = self.payments().list_notifications(request).await.unwrap().into_inner();
        reply.notifications.len()
    }
}

fn path(merchant_no: u32, account: &str) -> String {
    format!("/hooks/payments/{}/{account}", merchant(merchant_no))
}

const TAKEN: &str = r#"{"code":"SUCCESS","message":"成功"}"#;

#[test]
fn a_notification_without_a_token_is_taken_in_once_and_the_order_is_paid() {
    story(async {
        let shop = Shop::open().await;
        let payment = shop.attempt(1).await;
        let told = shop.company.pay(&payment.out_trade_no);
        for _ in 0..3 {
            assert_eq!(shop.post(&told).await, (StatusCode::OK, TAKEN.to_owned()));
        }
        shop.work().await;
        assert_eq!(shop.state(&payment).await, PaymentState::Succeeded);
        assert_eq!(shop.kept().await, 1, "a replay is the same notification");
        assert_eq!(shop.post(&told).await.0, StatusCode::OK);
        shop.work().await;
        assert_eq!((shop.state(&payment).await, shop.kept().await), (PaymentState::Succeeded, 1));
    });
}

#[test]
fn what_is_forged_changed_or_old_is_refused_and_pays_nothing() {
    story(async {
        let shop = Shop::open().await;
        let payment = shop.attempt(1).await;
        let told = shop.company.pay(&payment.out_trade_no);
        let now = shop.company.now();
        let mut changed = told.clone();
        changed.body = changed.body.replace("TRANSACTION", "TRANSACTIOM");
        let mut unsigned = told.clone();
        unsigned.headers.clear();
        let forged = request(MERCHANT_KEY, SERIAL, now, told.body.clone());
        let old = request(COMPANY_KEY, SERIAL, now - 301, told.body.clone());
        for wrong in [changed, unsigned, forged, old] {
            let (status, body) = shop.post(&wrong).await;
            assert_eq!(status, StatusCode::UNAUTHORIZED, "{body}");
            assert!(body.contains("\"code\":\"FAIL\""), "{body}");
        }
        shop.work().await;
        assert_eq!(shop.state(&payment).await, PaymentState::Pending);
        // To an address of nobody, of somebody else, and of no account.
        for path in [path(2, "wx"), path(1, "wy"), "/hooks/payments/wx".to_owned()] {
            let (status, body) = shop.post_to(&path, &told).await;
            assert_eq!(status, StatusCode::NOT_FOUND, "{path}: {body}");
        }
        assert_eq!(shop.post(&told).await.0, StatusCode::OK);
        shop.work().await;
        assert_eq!(shop.state(&payment).await, PaymentState::Succeeded);
    });
}

#[test]
fn another_amount_is_held_and_what_comes_late_or_out_of_order_finds_its_payment() {
    story(async {
        let shop = Shop::open().await;
        let (first, second, third) =
            (shop.attempt(1).await, shop.attempt(2).await, shop.attempt(3).await);
        let less = shop.company.pay_amount(&first.out_trade_no, Some(99));
        assert_eq!(shop.post(&less).await.0, StatusCode::OK, "it is the company's, and kept");
        shop.work().await;
        assert_ne!(shop.state(&first).await, PaymentState::Succeeded);
        // The later payment is told first, and the earlier one when its quarter of an hour is nearly over.
        let early = shop.company.pay(&second.out_trade_no);
        shop.clock.advance(TimeDelta::minutes(1));
        let late = shop.company.pay(&third.out_trade_no);
        assert_eq!(shop.post(&late).await.0, StatusCode::OK);
        shop.work().await;
        assert_eq!(shop.state(&third).await, PaymentState::Succeeded);
        shop.clock.advance(TimeDelta::minutes(13));
        // The company signs anew what it sends again.
        let early = request(COMPANY_KEY, SERIAL, shop.company.now(), early.body);
        assert_eq!(shop.post(&early).await.0, StatusCode::OK);
        shop.work().await;
        assert_eq!(shop.state(&second).await, PaymentState::Succeeded);
    });
}

#[test]
fn nobody_is_told_more_or_more_often_than_a_company_tells() {
    story(async {
        let shop = Shop::open().await;
        let empty = ReceiveNotificationRequest {
            account_code: "wx".into(),
            headers: Vec::new(),
            body: "x".repeat(16 * 1024 + 1),
        };
        assert_eq!(shop.post(&empty).await.0, StatusCode::PAYLOAD_TOO_LARGE);
        let nobody = ReceiveNotificationRequest { body: "{}".into(), ..empty };
        let mut told = BTreeMap::<StatusCode, usize>::new();
        for _ in 0..250 {
            *told.entry(shop.post(&nobody).await.0).or_default() += 1;
        }
        assert_eq!(told[&StatusCode::UNAUTHORIZED], 200, "{told:?}");
        assert_eq!(told[&StatusCode::TOO_MANY_REQUESTS], 50, "{told:?}");
        shop.clock.advance(TimeDelta::seconds(1));
        assert_eq!(shop.post(&nobody).await.0, StatusCode::UNAUTHORIZED);
    });
}
