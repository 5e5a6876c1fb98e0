//! A member service with a merchant whose members have cards and points, and calls to it that are repeated until somebody
//! answers.

use std::{fmt::Debug, time::Duration};

use siyu::host::services::Service;
use siyu_grpc::{Call, Caller, Peer, Scopes, fault};
use siyu_kernel::{Code, Fault, Id, kind};
use siyu_proto::member::v1::{
    account_service_client::AccountServiceClient, issuer_service_client::IssuerServiceClient,
    merchant_service_client::MerchantServiceClient, person_service_client::PersonServiceClient,
    points_service_client::PointsServiceClient, recharge_service_client::RechargeServiceClient,
    value_card_service_client::ValueCardServiceClient, *,
};
use siyu_runtime::pause;
use siyu_tests::support::Alone;
use tonic::{Response, Status};

/// Who has a card and points.
#[derive(Debug, Clone)]
pub(crate) struct Holder {
    pub(crate) person_id: String,
    pub(crate) card_id: String,
}

/// The service, and who has what.
pub(crate) struct Bank {
    pub(crate) alone: Alone,
    pub(crate) merchant: Id<kind::Merchant>,
    pub(crate) holders: Vec<Holder>,
    /// The way of those who look on.
    own: Line,
    /// Pay 10,000.00, get 2,000.00.
    pub(crate) plan_id: String,
}

/// What one who calls needs: his own connection to the service.
#[derive(Clone)]
pub(crate) struct Line {
    peer: Peer,
    merchant: Id<kind::Merchant>,
}

const PATIENCE: Duration = Duration::from_secs(5);
const REST: Duration = Duration::from_millis(30);

impl Line {
    pub(crate) fn call(&self) -> Call {
        let caller = Caller::Merchant(self.merchant);
        self.peer.call(caller, "test".into(), Scopes::all()).timeout(PATIENCE)
    }

    /// Calls again and again with the same request until the answer is one.
    pub(crate) async fn insist<Q: Clone + Debug, R, F>(
        &self,
        request: Q,
        call: impl Fn(Call, Q) -> F,
    ) -> R
    where
        F: Future<Output = Result<Response<R>, Status>>,
    {
        loop {
            match call(self.call(), request.clone()).await.map_err(fault) {
                Ok(reply) => return reply.into_inner(),
                Err(fault) if is_passing(&fault) => pause(REST).await,
                Err(fault) => panic!("{request:?} was refused: {fault:?}"),
            }
        }
    }
}

/// Whether nobody has decided.
pub(crate) fn is_passing(fault: &Fault) -> bool {
    matches!(
        fault.code(),
        Code::Unavailable | Code::DeadlineExceeded | Code::ResourceExhausted | Code::Aborted
    )
}

impl Bank {
    /// Opens it: each of so many persons has a card with principal and bonus, and points.
    pub(crate) async fn open(holders: usize, settings: &[(&str, &str)]) -> Self {
        let alone = Alone::start(Service::Member, settings).await;
        let operator = alone.peer(alone.addr());
        let operator = operator.call(Caller::Platform, "operator".into(), Scopes::all());
        let request = CreateMerchantRequest { name: "bank".into(), ..Default::default() };
        let reply = MerchantServiceClient::new(operator).create_merchant(request).await.unwrap();
        let merchant = reply.into_inner().merchant.unwrap().id.parse().unwrap();
        let own = Line { peer: alone.peer(alone.addr()), merchant };
        let line = own.clone();
        let mut bank = Self { alone, merchant, holders: Vec::new(), own, plan_id: String::new() };
        let issuer_id = issuer(&line).await;
        bank.plan_id = plan(&line).await;
        for n in 0..holders {
            bank.holders.push(bank.holder(&line, n, &issuer_id).await);
        }
        bank
    }

    /// A connection of one's own.
    pub(crate) fn line(&self) -> Line {
        Line { peer: self.alone.peer(self.alone.addr()), merchant: self.merchant }
    }

    /// The connection of those who look on.
    pub(crate) const fn own(&self) -> &Line {
        &self.own
    }

    async fn holder(&self, line: &Line, n: usize, issuer_id: &str) -> Holder {
        let identity = Identity {
            kind: IdentityKind::Openid.into(),
            scope: "wx1".into(),
            value: format!("o{n}"),
            ..Default::default()
        };
        let sets = vec![IdentitySet { identities: vec![identity] }];
        let mut persons = PersonServiceClient::new(line.call());
        let reply = persons.resolve_persons(ResolvePersonsRequest { sets }).await.unwrap();
        let person_id = reply.into_inner().persons.remove(0).person_id;
        let request = OpenValueCardRequest {
            request_id: format!("open-{n}"),
            issuer_id: issuer_id.into(),
            person_id: person_id.clone(),
            ..Default::default()
        };
        let reply = ValueCardServiceClient::new(line.call()).open_value_card(request).await;
        let card_id = reply.unwrap().into_inner().card.unwrap().id;
        let request = RechargeRequest {
            request_id: format!("fill-{n}"),
            card_id: card_id.clone(),
            plan_id: self.plan_id.clone(),
            ..Default::default()
        };
        RechargeServiceClient::new(line.call()).recharge(request).await.unwrap();
        let request = GrantPointsRequest {
            request_id: format!("grant-{n}"),
            person_id: person_id.clone(),
            points: 1_000_000,
            ..Default::default()
        };
        PointsServiceClient::new(line.call()).grant_points(request).await.unwrap();
        Holder { person_id, card_id }
    }

    /// What a card has.
    pub(crate) async fn card(&self, card_id: &str) -> ValueCard {
        let request = GetValueCardRequest { card_id: card_id.into() };
        let call = async |call, q| ValueCardServiceClient::new(call).get_value_card(q).await;
        self.own.insist(request, call).await.card.unwrap()
    }

    /// Every change of a card.
    pub(crate) async fn card_entries(&self, card_id: &str) -> Vec<ValueCardEntry> {
        let mut request = ListValueCardEntriesRequest {
            card_id: card_id.into(),
            page_size: 1_000,
            ..Default::default()
        };
        let mut entries = Vec::new();
        loop {
            let call =
                async |call, q| ValueCardServiceClient::new(call).list_value_card_entries(q).await;
            let page = self.own.insist(request.clone(), call).await;
            entries.extend(page.entries);
            if page.next_page_token.is_empty() {
                return entries;
            }
            request.page_token = page.next_page_token;
        }
    }

    /// Every change of a person's points.
    pub(crate) async fn point_entries(&self, person_id: &str) -> Vec<Entry> {
        let mut request = ListEntriesRequest {
            person_id: person_id.into(),
            asset: Asset::Points.into(),
            page_size: 1_000,
            ..Default::default()
        };
        let mut entries = Vec::new();
        loop {
            let call = async |call, q| AccountServiceClient::new(call).list_entries(q).await;
            let page = self.own.insist(request.clone(), call).await;
            entries.extend(page.entries);
            if page.next_page_token.is_empty() {
                return entries;
            }
            request.page_token = page.next_page_token;
        }
    }

    /// The points of a person.
    pub(crate) async fn points(&self, person_id: &str) -> GetPointsResponse {
        let request = GetPointsRequest { person_id: person_id.into(), ..Default::default() };
        let call = async |call, q| PointsServiceClient::new(call).get_points(q).await;
        self.own.insist(request, call).await
    }

    /// Asserts that the journal holds what it must, by its own check and by the sums over all accounts.
    pub(crate) async fn assert_sound(&self) {
        let call = async |call, q| AccountServiceClient::new(call).check_ledger(q).await;
        let report = self.own.insist(CheckLedgerRequest {}, call).await;
        assert_eq!(report.findings, Vec::<String>::new());
        let mut owner = self.alone.owner().await;
        let balances = siyu_ledger::trial_balance(&mut owner).await.unwrap();
        assert!(balances.len() >= 2, "points and money: {balances:?}");
        assert!(balances.iter().all(siyu_ledger::TrialBalance::is_zero), "{balances:?}");
    }
}

/// An issuer without limits.
async fn issuer(line: &Line) -> String {
    let mut issuers = IssuerServiceClient::new(line.call());
    let reply = issuers.get_prepaid_policy(GetPrepaidPolicyRequest::default()).await.unwrap();
    let policy = PrepaidPolicy {
        effective_time: None,
        named_max_minor: 0,
        ..reply.into_inner().policy.unwrap()
    };
    let request = SetPrepaidPolicyRequest { request_id: "policy".into(), policy: Some(policy) };
    issuers.set_prepaid_policy(request).await.unwrap();
    let issuer = Issuer {
        name: "Siyu Tea Ltd".into(),
        industry: IssuerIndustry::Retail.into(),
        ..Default::default()
    };
    let request = CreateIssuerRequest { request_id: "issuer".into(), issuer: Some(issuer) };
    issuers.create_issuer(request).await.unwrap().into_inner().issuer.unwrap().id
}

async fn plan(line: &Line) -> String {
    let plan = RechargePlan {
        name: "a fifth on top".into(),
        pay_minor: 1_000_000,
        bonus_minor: 200_000,
        ..Default::default()
    };
    let request = CreateRechargePlanRequest { request_id: "plan".into(), plan: Some(plan) };
    let reply = RechargeServiceClient::new(line.call()).create_recharge_plan(request).await;
    reply.unwrap().into_inner().plan.unwrap().id
}
