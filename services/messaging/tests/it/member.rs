//! A member service that is made up: persons of merchants, in pages, and failures on demand.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use siyu_grpc::{Caller, Ctx, serve};
use siyu_kernel::{Code, Fault, Id, kind};
use siyu_proto::member::v1::{
    BlacklistScope, ConsentStatus, FindPersonRequest, FindPersonResponse, GetPersonRequest,
    GetPersonResponse, ListPersonsRequest, ListPersonsResponse, Person, ResolvePersonsRequest,
    ResolvePersonsResponse, StreamResolvePersonsRequest, StreamResolvePersonsResponse,
    person_service_server::PersonService,
};
use tokio::sync::Semaphore;
use tonic::{Request, Response, Status, Streaming};

use crate::decisions::{Decided, Listed};

type Persons = BTreeMap<String, Person>;
pub(crate) type Reply<T> = Result<Response<T>, Status>;

/// The service. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Member(pub(crate) Arc<Inner>);

#[derive(Debug)]
pub(crate) struct Inner {
    persons: Mutex<HashMap<Id<kind::Merchant>, Persons>>,
    /// The growth from which on a person is in an audience.
    audiences: Mutex<HashMap<(Id<kind::Merchant>, String), i64>>,
    pub(crate) decided: Mutex<HashMap<Decided, ConsentStatus>>,
    pub(crate) listed: Mutex<HashMap<Listed, BlacklistScope>>,
    pub(crate) questions: AtomicUsize,
    pub(crate) silences: AtomicUsize,
    failures: AtomicUsize,
    calls: AtomicUsize,
    holds: AtomicUsize,
    gate: Semaphore,
    /// Permits of calls that stand at the gate.
    arrived: Semaphore,
}

impl Member {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Inner {
            persons: Mutex::default(),
            audiences: Mutex::default(),
            decided: Mutex::default(),
            listed: Mutex::default(),
            questions: AtomicUsize::new(0),
            silences: AtomicUsize::new(0),
            failures: AtomicUsize::new(0),
            calls: AtomicUsize::new(0),
            holds: AtomicUsize::new(0),
            gate: Semaphore::new(0),
            arrived: Semaphore::new(0),
        }))
    }

    /// Adds persons 1 to `n` to a merchant; the growth of each is its number.
    pub(crate) fn add(&self, merchant: Id<kind::Merchant>, n: u32) {
        let mut all = self.0.persons.lock().unwrap();
        let persons = all.entry(merchant).or_default();
        for n in 1..=n {
            let id = siyu_testkit::id::<kind::Person>(n).to_string();
            persons.insert(id.clone(), Person { id, growth: n.into(), ..Person::default() });
        }
    }

    /// Fails the next calls.
    pub(crate) fn fail(&self, calls: usize) {
        self.0.failures.store(calls, Ordering::SeqCst);
    }

    /// Holds the next call.
    pub(crate) fn hold(&self) {
        self.0.holds.store(1, Ordering::SeqCst);
    }

    /// Returns when a call is held.
    pub(crate) async fn held(&self) {
        self.0.arrived.acquire().await.unwrap().forget();
    }

    /// Lets the call that is held go on.
    pub(crate) fn go(&self) {
        self.0.gate.add_permits(1);
    }

    /// How often it was asked.
    pub(crate) fn calls(&self) -> usize {
        self.0.calls.load(Ordering::SeqCst)
    }

    /// Makes an audience of a merchant that holds everyone with at least a growth; 0: takes it away.
    pub(crate) fn audience(&self, merchant: Id<kind::Merchant>, id: &str, growth_min: i64) {
        let mut audiences = self.0.audiences.lock().unwrap();
        if growth_min == 0 {
            audiences.remove(&(merchant, id.to_owned()));
        } else {
            audiences.insert((merchant, id.to_owned()), growth_min);
        }
    }

    /// The members of an audience after one, and whether there are more.
    pub(crate) async fn members(
        &self,
        ctx: &Ctx,
        audience_id: &str,
        after: &str,
        size: usize,
    ) -> Result<(Vec<String>, bool), Fault> {
        let persons = self.enter(ctx).await?;
        let key = (ctx.merchant()?, audience_id.to_owned());
        let growth_min = self.0.audiences.lock().unwrap().get(&key).copied();
        let growth_min = growth_min.ok_or_else(|| Fault::not_found("audience"))?;
        let is_member = |p: &Person| p.growth >= growth_min && *p.id > *after;
        let mut all = persons.into_values().filter(is_member).map(|person| person.id);
        let page: Vec<String> = all.by_ref().take(size).collect();
        Ok((page, all.next().is_some()))
    }

    async fn enter(&self, ctx: &Ctx) -> Result<Persons, Fault> {
        self.0.calls.fetch_add(1, Ordering::SeqCst);
        let Caller::Internal(Some(merchant)) = ctx.caller else {
            return Err(Fault::internal("messaging asks as a service for one merchant"));
        };
        if take_one(&self.0.holds) {
            self.0.arrived.add_permits(1);
            self.0.gate.acquire().await.unwrap().forget();
        }
        if take_one(&self.0.failures) {
            return Err(Fault::new(Code::Unavailable, "MEMBER_AWAY", "as the test wishes"));
        }
        Ok(self.0.persons.lock().unwrap().get(&merchant).cloned().unwrap_or_default())
    }
}

pub(crate) fn take_one(left: &AtomicUsize) -> bool {
    left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok()
}

#[tonic::async_trait]
impl PersonService for Member {
    async fn get_person(&self, request: Request<GetPersonRequest>) -> Reply<GetPersonResponse> {
        serve(request, async |ctx, request: GetPersonRequest| {
            let person = self.enter(&ctx).await?.remove(&request.person_id);
            let person = person.ok_or_else(|| Fault::not_found("person"))?;
            Ok::<_, Fault>(GetPersonResponse { person: Some(person) })
        })
        .await
    }

    async fn list_persons(
        &self,
        request: Request<ListPersonsRequest>,
    ) -> Reply<ListPersonsResponse> {
        serve(request, async |ctx, request: ListPersonsRequest| {
            let persons = self.enter(&ctx).await?.into_values();
            let size = usize::try_from(request.page_size).unwrap();
            let mut rest = persons
                .filter(|p| p.id > request.page_token && p.growth >= request.growth_min)
                .peekable();
            let page: Vec<Person> = rest.by_ref().take(size).collect();
            let more = rest.peek().and_then(|_| page.last()).map(|last| last.id.clone());
            let next_page_token = more.unwrap_or_default();
            Ok::<_, Fault>(ListPersonsResponse { persons: page, next_page_token })
        })
        .await
    }

    async fn resolve_persons(
        &self,
        _: Request<ResolvePersonsRequest>,
    ) -> Reply<ResolvePersonsResponse> {
        Err(Status::unimplemented("not asked"))
    }

    type StreamResolvePersonsStream = siyu_grpc::Replies<StreamResolvePersonsResponse>;

    async fn stream_resolve_persons(
        &self,
        _: Request<Streaming<StreamResolvePersonsRequest>>,
    ) -> Reply<Self::StreamResolvePersonsStream> {
        Err(Status::unimplemented("not asked"))
    }

    async fn find_person(&self, _: Request<FindPersonRequest>) -> Reply<FindPersonResponse> {
        Err(Status::unimplemented("not asked"))
    }
}
