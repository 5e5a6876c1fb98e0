//! The part of the made-up member service that knows what persons decided, and who is shut out.

use siyu_grpc::{Caller, Ctx, serve};
use siyu_kernel::{Code, Fault, Id, kind};
use siyu_proto::member::v1::{
    blacklist_service_server::BlacklistService, consent_service_server::ConsentService, *,
};
use tonic::{Request, Response, Status};

use crate::member::{Member, Reply, take_one};

/// What was decided: by merchant, person, purpose and channel.
pub(crate) type Decided = (Id<kind::Merchant>, String, ConsentPurpose, String);
/// Who is shut out: by merchant and person.
pub(crate) type Listed = (Id<kind::Merchant>, String);

impl Member {
    /// A person of merchant 1 decides about a purpose over the sandbox.
    pub(crate) fn decide(&self, person: &str, purpose: ConsentPurpose, status: ConsentStatus) {
        let key = (siyu_testkit::merchant(1), person.to_owned(), purpose, "sandbox".to_owned());
        self.0.decided.lock().unwrap().insert(key, status);
    }

    /// A person of merchant 1 is shut out of something.
    pub(crate) fn list(&self, person: &str, scope: BlacklistScope) {
        let key = (siyu_testkit::merchant(1), person.to_owned());
        self.0.listed.lock().unwrap().insert(key, scope);
    }

    /// Refuses to answer the next questions about decisions.
    pub(crate) fn be_silent(&self, questions: usize) {
        self.0.silences.store(questions, std::sync::atomic::Ordering::SeqCst);
    }

    /// How often it was asked about decisions.
    pub(crate) fn questions(&self) -> usize {
        self.0.questions.load(std::sync::atomic::Ordering::SeqCst)
    }

    fn asked(&self, ctx: &Ctx) -> Result<Id<kind::Merchant>, Fault> {
        self.0.questions.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        if take_one(&self.0.silences) {
            return Err(Fault::new(Code::Unavailable, "MEMBER_AWAY", "as the test wishes"));
        }
        match ctx.caller {
            Caller::Internal(Some(merchant)) => Ok(merchant),
            Caller::Merchant(_) | Caller::Platform | Caller::Internal(None) => {
                Err(Fault::internal("messaging asks as a service for one merchant"))
            }
        }
    }
}

fn not_asked<T>() -> Reply<T> {
    Err(Status::unimplemented("not asked"))
}

#[tonic::async_trait]
impl ConsentService for Member {
    async fn check_consents(
        &self,
        request: Request<CheckConsentsRequest>,
    ) -> Reply<CheckConsentsResponse> {
        serve(request, async |ctx, request: CheckConsentsRequest| {
            let merchant = self.asked(&ctx)?;
            let (purpose, channel) = (request.purpose(), request.channel);
            let decided = self.0.decided.lock().unwrap();
            let of = |person: String| decided.get(&(merchant, person, purpose, channel.clone()));
            let status = |person| of(person).copied().unwrap_or_default();
            let status: Vec<ConsentStatus> = request.person_ids.into_iter().map(status).collect();
            Ok::<_, Fault>(CheckConsentsResponse {
                allowed: status.iter().map(|one| *one == ConsentStatus::Granted).collect(),
                status: status.into_iter().map(Into::into).collect(),
            })
        })
        .await
    }

    async fn record_consents(
        &self,
        _: Request<RecordConsentsRequest>,
    ) -> Reply<RecordConsentsResponse> {
        not_asked()
    }

    async fn withdraw_consent(
        &self,
        _: Request<WithdrawConsentRequest>,
    ) -> Reply<WithdrawConsentResponse> {
        not_asked()
    }

    async fn get_consents(&self, _: Request<GetConsentsRequest>) -> Reply<GetConsentsResponse> {
        not_asked()
    }

    async fn list_consent_records(
        &self,
        _: Request<ListConsentRecordsRequest>,
    ) -> Reply<ListConsentRecordsResponse> {
        not_asked()
    }
}

#[tonic::async_trait]
impl BlacklistService for Member {
    async fn check_blacklist(
        &self,
        request: Request<CheckBlacklistRequest>,
    ) -> Reply<CheckBlacklistResponse> {
        serve(request, async |ctx, request: CheckBlacklistRequest| {
            let merchant = self.asked(&ctx)?;
            let scope = request.scope();
            let listed = self.0.listed.lock().unwrap();
            let is_listed = |person: String| {
                let of = listed.get(&(merchant, person)).copied();
                of.is_some_and(|of| of == scope || of == BlacklistScope::All)
            };
            let listed = request.person_ids.into_iter().map(is_listed).collect();
            Ok::<_, Fault>(CheckBlacklistResponse { listed })
        })
        .await
    }

    async fn create_blacklist_entry(
        &self,
        _: Request<CreateBlacklistEntryRequest>,
    ) -> Reply<CreateBlacklistEntryResponse> {
        not_asked()
    }

    async fn delete_blacklist_entry(
        &self,
        _: Request<DeleteBlacklistEntryRequest>,
    ) -> Reply<DeleteBlacklistEntryResponse> {
        not_asked()
    }

    async fn list_blacklist_entries(
        &self,
        _: Request<ListBlacklistEntriesRequest>,
    ) -> Result<Response<ListBlacklistEntriesResponse>, Status> {
        not_asked()
    }
}
