//! A member service that is made up: a merchant's currency, its stores, and a person for each key.

mod identity;
mod shops;
mod wallet;

use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use siyu_grpc::{Ctx, serve};
use siyu_kernel::{Code, Fault, Id, kind};
use siyu_proto::member::v1::{
    merchant_service_server::MerchantService, person_service_server::PersonService, *,
};
use siyu_testkit::id;
use tonic::{Request, Response, Status, Streaming};

pub(crate) use shops::daily;
pub(crate) use wallet::HoldState;

type MerchantId = Id<kind::Merchant>;
type Reply<T> = Result<Response<T>, Status>;

/// The service. Clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Member(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    known: Mutex<Known>,
    wallet: Mutex<wallet::Wallet>,
    failures: AtomicUsize,
    lost: AtomicUsize,
    refusal: Mutex<Option<(Code, &'static str)>>,
    calls: AtomicUsize,
}

#[derive(Debug, Default)]
struct Known {
    stores: HashMap<MerchantId, BTreeMap<String, Store>>,
    regions: HashMap<MerchantId, BTreeMap<String, Region>>,
    persons: HashMap<(MerchantId, String), Id<kind::Person>>,
    tiers: HashMap<String, i32>,
    aliases: HashMap<String, String>,
    apart: Vec<(String, String)>,
    missed_merges: usize,
    currencies: HashMap<MerchantId, String>,
}

impl Member {
    /// Makes another currency than the yuan that of a merchant.
    pub(crate) fn settle_in(&self, merchant: MerchantId, code: &str) {
        self.0.known.lock().unwrap().currencies.insert(merchant, code.to_owned());
    }

    /// Raises a person to a tier.
    pub(crate) fn raise(&self, person: &str, tier: i32) {
        self.0.known.lock().unwrap().tiers.insert(person.to_owned(), tier);
    }

    /// Makes a person of a merchant known; gives its id.
    pub(crate) fn meet(&self, merchant: MerchantId, n: u32) -> String {
        let id = id::<kind::Person>(n);
        self.0.known.lock().unwrap().persons.insert((merchant, format!("met {n}")), id);
        id.to_string()
    }

    /// Who is behind a buyer's id of the shop of these tests.
    pub(crate) fn who(&self, merchant: MerchantId, buyer: &str) -> String {
        let known = self.0.known.lock().unwrap();
        let is_it =
            |of: &(MerchantId, String)| of.0 == merchant && of.1.split('|').nth(1) == Some(buyer);
        let found = known.persons.iter().find(|(of, _)| is_it(of));
        found.unwrap().1.to_string()
    }

    /// Fails the next calls.
    pub(crate) fn fail(&self, calls: usize) {
        self.0.failures.store(calls, Ordering::SeqCst);
    }

    /// How often it was asked.
    pub(crate) fn calls(&self) -> usize {
        self.0.calls.load(Ordering::SeqCst)
    }

    /// Does what holds ask for, and loses so many of the answers from here on.
    pub(crate) fn lose_answers(&self, answers: usize) {
        self.0.lost.store(answers, Ordering::SeqCst);
    }

    /// Refuses to give anything back, or does it again.
    pub(crate) fn refuse_backs(&self, refusal: Option<(Code, &'static str)>) {
        *self.0.refusal.lock().unwrap() = refusal;
    }

    fn refused(&self) -> Result<(), Fault> {
        let refusal = *self.0.refusal.lock().unwrap();
        refusal.map_or(Ok(()), |(code, reason)| Err(Fault::new(code, reason, "as the test wishes")))
    }

    /// The answer to a hold goes its way, or is lost.
    fn leave(&self) -> Result<(), Fault> {
        let take_one = |left: usize| left.checked_sub(1);
        match self.0.lost.fetch_update(Ordering::SeqCst, Ordering::SeqCst, take_one) {
            Ok(_) => Err(Fault::new(Code::Unavailable, "MEMBER_AWAY", "as the test wishes")),
            Err(_) => Ok(()),
        }
    }

    fn enter(&self, ctx: &Ctx) -> Result<MerchantId, Fault> {
        self.0.calls.fetch_add(1, Ordering::SeqCst);
        let take_one = |left: usize| left.checked_sub(1);
        if self.0.failures.fetch_update(Ordering::SeqCst, Ordering::SeqCst, take_one).is_ok() {
            return Err(Fault::new(Code::Unavailable, "MEMBER_AWAY", "as the test wishes"));
        }
        ctx.merchant()
    }
}

impl Known {
    /// The person behind a key; the number follows from the order of arrival.
    fn person(&mut self, merchant: MerchantId, set: &IdentitySet) -> ResolvedPerson {
        let [key] = set.identities.as_slice() else { panic!("orders know one key: {set:?}") };
        assert_eq!(key.kind(), IdentityKind::PlatformBuyer);
        let next = u32::try_from(self.persons.len()).unwrap() + 1;
        let name = (merchant, format!("{}|{}", key.scope, key.value));
        let person = *self.persons.entry(name).or_insert_with(|| id(next));
        ResolvedPerson { person_id: person.to_string(), ..Default::default() }
    }
}

#[tonic::async_trait]
impl PersonService for Member {
    async fn resolve_persons(
        &self,
        request: Request<ResolvePersonsRequest>,
    ) -> Reply<ResolvePersonsResponse> {
        serve(request, async |ctx, request: ResolvePersonsRequest| {
            let merchant = self.enter(&ctx)?;
            let mut known = self.0.known.lock().unwrap();
            let persons = request.sets.iter().map(|set| known.person(merchant, set)).collect();
            Ok::<_, Fault>(ResolvePersonsResponse { persons })
        })
        .await
    }

    type StreamResolvePersonsStream = siyu_grpc::Replies<StreamResolvePersonsResponse>;

    async fn stream_resolve_persons(
        &self,
        _: Request<Streaming<StreamResolvePersonsRequest>>,
    ) -> Reply<Self::StreamResolvePersonsStream> {
        Err(Status::unimplemented("not asked"))
    }

    async fn get_person(&self, request: Request<GetPersonRequest>) -> Reply<GetPersonResponse> {
        serve(request, async |ctx, request: GetPersonRequest| {
            let merchant = self.enter(&ctx)?;
            let known = self.0.known.lock().unwrap();
            let is_it = |(of, id): (&(MerchantId, String), &Id<kind::Person>)| {
                of.0 == merchant && id.to_string() == request.person_id
            };
            if !known.persons.iter().any(is_it) {
                return Err(Fault::not_found("person"));
            }
            let tier = known.tiers.get(&request.person_id).copied().unwrap_or(1);
            let id = known.canonical(&request.person_id);
            let person = Person { id, tier, ..Person::default() };
            Ok(GetPersonResponse { person: Some(person) })
        })
        .await
    }

    async fn find_person(&self, _: Request<FindPersonRequest>) -> Reply<FindPersonResponse> {
        Err(Status::unimplemented("not asked"))
    }

    async fn list_persons(&self, _: Request<ListPersonsRequest>) -> Reply<ListPersonsResponse> {
        Err(Status::unimplemented("not asked"))
    }
}

#[tonic::async_trait]
impl MerchantService for Member {
    async fn get_merchant(
        &self,
        request: Request<GetMerchantRequest>,
    ) -> Reply<GetMerchantResponse> {
        serve(request, async |ctx, _: GetMerchantRequest| {
            let id = self.enter(&ctx)?;
            let own = self.0.known.lock().unwrap().currencies.get(&id).cloned();
            let merchant = Merchant {
                id: id.to_string(),
                currency_code: own.unwrap_or_else(|| "CNY".into()),
                zone: "Asia/Shanghai".into(),
                ..Default::default()
            };
            Ok::<_, Fault>(GetMerchantResponse { merchant: Some(merchant) })
        })
        .await
    }

    async fn create_merchant(
        &self,
        _: Request<CreateMerchantRequest>,
    ) -> Reply<CreateMerchantResponse> {
        Err(Status::unimplemented("not asked"))
    }

    async fn lookup_merchant(
        &self,
        _: Request<LookupMerchantRequest>,
    ) -> Reply<LookupMerchantResponse> {
        Err(Status::unimplemented("not asked"))
    }

    async fn list_merchants(
        &self,
        _: Request<ListMerchantsRequest>,
    ) -> Reply<ListMerchantsResponse> {
        Err(Status::unimplemented("not asked"))
    }
}
