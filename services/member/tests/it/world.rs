//! The service with its database, its clock, and two merchants.

use std::sync::Arc;

use siyu_events::Fact;
use siyu_grpc::{Assertions, Call, Caller, Peer, Scopes, Server, Settings, Upstream, fault};
use siyu_kernel::{Clock, Fault, Id, Ids, kind};
use siyu_member::{
    App,
    person::{self, Merge, Unmerge},
    vault::Vault,
};
use siyu_pg::{Migration, base_migrations};
use siyu_proto::member::v1::{
    account_service_client::AccountServiceClient, attribute_service_client::AttributeServiceClient,
    audience_service_client::AudienceServiceClient, benefit_service_client::BenefitServiceClient,
    blacklist_service_client::BlacklistServiceClient, card_service_client::CardServiceClient,
    connection_service_client::ConnectionServiceClient,
    consent_service_client::ConsentServiceClient, handover_service_client::HandoverServiceClient,
    household_service_client::HouseholdServiceClient,
    identity_service_client::IdentityServiceClient, merchant_service_client::MerchantServiceClient,
    owner_service_client::OwnerServiceClient, person_service_client::PersonServiceClient,
    points_policy_service_client::PointsPolicyServiceClient,
    points_service_client::PointsServiceClient, privacy_service_client::PrivacyServiceClient,
    profile_service_client::ProfileServiceClient, region_service_client::RegionServiceClient,
    sign_in_service_client::SignInServiceClient, staff_service_client::StaffServiceClient,
    stage_service_client::StageServiceClient, store_service_client::StoreServiceClient,
    tag_service_client::TagServiceClient, tier_service_client::TierServiceClient,
    view_service_client::ViewServiceClient, *,
};
use siyu_runtime::{Policy, Progress, Readiness, Steps, Tasks, random_bytes};
use siyu_testkit::{Database, FixedClock, SeededIds, told};

const SCHEMA: &[&[Migration]] =
    &[base_migrations(), siyu_events::MIGRATIONS, siyu_ledger::MIGRATIONS, siyu_member::MIGRATIONS];

/// The configured key of the vault.
pub(crate) const VAULT_KEY: &str =
    "5b1f0e3c9a7d4826b5c1e2f30718293a4b5c6d7e8f90a1b2c3d4e5f60718293a";

pub(crate) type MerchantId = Id<kind::Merchant>;

pub(crate) struct World {
    pub(crate) database: Arc<Database>,
    pub(crate) clock: FixedClock,
    pub(crate) app: App,
    /// A merchant in Shanghai.
    pub(crate) own: MerchantId,
    /// Another one.
    pub(crate) other: MerchantId,
    /// The service as the gateway calls it.
    door: Peer,
}

impl World {
    pub(crate) async fn new() -> Self {
        let mut world = Self::empty().await;
        world.own = world.open("own").await;
        world.other = world.open("other").await;
        world
    }

    /// Without merchants.
    pub(crate) async fn empty() -> Self {
        let database = Database::fresh(SCHEMA).await;
        let clock = FixedClock::at("2024-06-01T00:00:00Z");
        let shared: Arc<dyn Clock> = Arc::new(clock.clone());
        let ids: Arc<dyn Ids> = Arc::new(SeededIds::new(1));
        let vault = Vault::new(VAULT_KEY, "", random_bytes::<32>).unwrap();
        let app = App::new(database.db().clone(), vault, ids, shared);
        run_desk(&app);
        let door = door(&app, &clock);
        let nobody = siyu_testkit::merchant(u32::MAX);
        Self { database: Arc::new(database), clock, app, own: nobody, other: nobody, door }
    }

    /// The same world over another instance of the service.
    pub(crate) fn with(&self, app: App) -> Self {
        let (database, clock) = (Arc::clone(&self.database), self.clock.clone());
        let door = door(&app, &clock);
        Self { database, clock, app, own: self.own, other: self.other, door }
    }

    async fn open(&self, name: &str) -> MerchantId {
        let request = CreateMerchantRequest { name: name.into(), ..Default::default() };
        let reply = self.operator().create_merchant(request).await.unwrap().into_inner();
        reply.merchant.unwrap().id.parse().unwrap()
    }

    pub(crate) fn call(&self, who: MerchantId) -> Call {
        self.call_as(who, "test")
    }

    /// As another operator of the merchant.
    pub(crate) fn call_as(&self, who: MerchantId, subject: &str) -> Call {
        self.door.call(Caller::Merchant(who), subject.into(), Scopes::all())
    }

    pub(crate) fn operator(&self) -> MerchantServiceClient<Call> {
        let call = self.door.call(Caller::Platform, "operator".into(), Scopes::all());
        MerchantServiceClient::new(call)
    }

    pub(crate) fn merchants(&self, who: MerchantId) -> MerchantServiceClient<Call> {
        MerchantServiceClient::new(self.call(who))
    }

    pub(crate) fn stores(&self, who: MerchantId) -> StoreServiceClient<Call> {
        StoreServiceClient::new(self.call(who))
    }

    pub(crate) fn staff(&self, who: MerchantId) -> StaffServiceClient<Call> {
        StaffServiceClient::new(self.call(who))
    }

    pub(crate) fn persons(&self, who: MerchantId) -> PersonServiceClient<Call> {
        PersonServiceClient::new(self.call(who))
    }

    pub(crate) fn identity(&self, who: MerchantId) -> IdentityServiceClient<Call> {
        IdentityServiceClient::new(self.call(who))
    }

    pub(crate) fn connections(&self, who: MerchantId) -> ConnectionServiceClient<Call> {
        ConnectionServiceClient::new(self.call(who))
    }

    pub(crate) fn regions(&self, who: MerchantId) -> RegionServiceClient<Call> {
        RegionServiceClient::new(self.call(who))
    }

    pub(crate) fn owners(&self, who: MerchantId) -> OwnerServiceClient<Call> {
        OwnerServiceClient::new(self.call(who))
    }

    pub(crate) fn handovers(&self, who: MerchantId) -> HandoverServiceClient<Call> {
        HandoverServiceClient::new(self.call(who))
    }

    pub(crate) fn stages(&self, who: MerchantId) -> StageServiceClient<Call> {
        StageServiceClient::new(self.call(who))
    }

    /// The view of persons with a credential of few scopes.
    pub(crate) fn views(&self, who: MerchantId, scopes: &str) -> ViewServiceClient<Call> {
        let scopes = Scopes::parse(scopes);
        ViewServiceClient::new(self.door.call(Caller::Merchant(who), "test".into(), scopes))
    }

    pub(crate) fn households(&self, who: MerchantId) -> HouseholdServiceClient<Call> {
        HouseholdServiceClient::new(self.call(who))
    }

    pub(crate) fn profiles(&self, who: MerchantId) -> ProfileServiceClient<Call> {
        ProfileServiceClient::new(self.call(who))
    }

    pub(crate) fn consents(&self, who: MerchantId) -> ConsentServiceClient<Call> {
        ConsentServiceClient::new(self.call(who))
    }

    /// Consents as another service of the suite asks for them.
    pub(crate) fn consents_inside(&self, who: MerchantId) -> ConsentServiceClient<Call> {
        ConsentServiceClient::new(self.door.as_service(Some(who)))
    }

    pub(crate) fn privacy(&self, who: MerchantId) -> PrivacyServiceClient<Call> {
        PrivacyServiceClient::new(self.call(who))
    }

    pub(crate) fn blacklist(&self, who: MerchantId) -> BlacklistServiceClient<Call> {
        BlacklistServiceClient::new(self.call(who))
    }

    pub(crate) fn accounts(&self, who: MerchantId) -> AccountServiceClient<Call> {
        AccountServiceClient::new(self.call(who))
    }

    pub(crate) fn points(&self, who: MerchantId) -> PointsServiceClient<Call> {
        PointsServiceClient::new(self.call(who))
    }

    pub(crate) fn points_policies(&self, who: MerchantId) -> PointsPolicyServiceClient<Call> {
        PointsPolicyServiceClient::new(self.call(who))
    }

    pub(crate) fn sign_ins(&self, who: MerchantId) -> SignInServiceClient<Call> {
        SignInServiceClient::new(self.call(who))
    }

    pub(crate) fn benefits(&self, who: MerchantId) -> BenefitServiceClient<Call> {
        BenefitServiceClient::new(self.call(who))
    }

    pub(crate) fn cards(&self, who: MerchantId) -> CardServiceClient<Call> {
        CardServiceClient::new(self.call(who))
    }

    pub(crate) fn tiers(&self, who: MerchantId) -> TierServiceClient<Call> {
        TierServiceClient::new(self.call(who))
    }

    /// Runs a job until it finds nothing more to do.
    pub(crate) async fn run(&self, name: &str) {
        let job = self.app.jobs().into_iter().find(|job| job.name() == name).unwrap();
        while job.step().await.unwrap() == Progress::Worked {}
    }

    pub(crate) fn audiences(&self, who: MerchantId) -> AudienceServiceClient<Call> {
        AudienceServiceClient::new(self.call(who))
    }

    pub(crate) fn tags(&self, who: MerchantId) -> TagServiceClient<Call> {
        TagServiceClient::new(self.call(who))
    }

    pub(crate) fn attributes(&self, who: MerchantId) -> AttributeServiceClient<Call> {
        AttributeServiceClient::new(self.call(who))
    }

    /// The facts of a kind that the service told, with their subjects.
    pub(crate) async fn told<F: Fact>(&self) -> Vec<(MerchantId, String, F)> {
        let events = told(self.app.log()).await;
        let of = |event: &siyu_events::Event| {
            let fact = event.decode::<F>().unwrap()?;
            Some((event.merchant, event.subject.to_string(), fact))
        };
        events.iter().filter_map(of).collect()
    }

    /// The persons behind openids, made where there is none.
    pub(crate) async fn people(&self, who: MerchantId, openids: &[&str]) -> Vec<String> {
        let set = |openid: &&str| IdentitySet { identities: vec![openid_of(openid)] };
        let request = ResolvePersonsRequest { sets: openids.iter().map(set).collect() };
        let reply = self.persons(who).resolve_persons(request).await.unwrap().into_inner();
        reply.persons.into_iter().map(|person| person.person_id).collect()
    }

    pub(crate) async fn person(&self, who: MerchantId, person_id: &str) -> Result<Person, Fault> {
        let request = GetPersonRequest { person_id: person_id.into(), brief: false };
        let reply = self.persons(who).get_person(request).await.map_err(fault)?.into_inner();
        Ok(reply.person.unwrap())
    }

    /// Two persons become one, as a merge by keys makes them; gives the merge.
    pub(crate) async fn join(&self, who: MerchantId, survivor: &str, loser: &str) -> Merge {
        let merge = Merge {
            id: Id::from_uuid(siyu_runtime::SystemIds.uuid()),
            survivor: survivor.parse().unwrap(),
            loser: loser.parse().unwrap(),
            at: self.clock.now(),
        };
        let mut tx = self.database.db().tenant(who).await.unwrap();
        person::merge::apply(&self.app, &mut tx, &merge).await.unwrap();
        tx.commit().await.unwrap();
        merge
    }

    /// And two again.
    pub(crate) async fn part(&self, who: MerchantId, merge: &Merge) {
        let unmerge = Unmerge {
            id: merge.id,
            survivor: merge.survivor,
            loser: merge.loser,
            origins: vec![merge.loser],
            merged_at: merge.at,
            at: self.clock.now(),
        };
        let mut tx = self.database.db().tenant(who).await.unwrap();
        person::merge::undo(&self.app, &mut tx, &unmerge).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// The ledger of a merchant holds what it must; returns how many transfers it has.
    pub(crate) async fn sound_ledger(&self, who: MerchantId) -> i64 {
        let reply = self.accounts(who).check_ledger(CheckLedgerRequest {}).await.unwrap();
        let report = reply.into_inner();
        assert_eq!(report.findings, Vec::<String>::new());
        report.transfers
    }
}

/// The service as the gateway calls it.
fn door(app: &App, clock: &FixedClock) -> Peer {
    let shared: Arc<dyn Clock> = Arc::new(clock.clone());
    let assertions = Arc::new(Assertions::new(&[7; 32]).unwrap());
    let server =
        Server::new(Settings::default(), assertions.clone(), shared.clone(), Readiness::new());
    let own = Upstream::in_process(app.serve(server).build().unwrap());
    Peer::new(own, "gateway", assertions, shared)
}

/// Changes of points are posted by a task of the process.
pub(crate) fn run_desk(app: &App) {
    let desk = app.jobs().into_iter().find(|job| job.name() == "member.points").unwrap();
    drop(Tasks::new().spawn("member.points", Policy::Log, move |cancel| desk.clone().run(cancel)));
}

pub(crate) fn openid_of(openid: &str) -> Identity {
    key(IdentityKind::Openid, "wx1", openid)
}

pub(crate) fn key(kind: IdentityKind, scope: &str, value: &str) -> Identity {
    Identity { kind: kind.into(), scope: scope.into(), value: value.into(), ..Default::default() }
}

/// The fields that a refused request names.
pub(crate) fn fields(fault: &Fault) -> Vec<&str> {
    fault.violations().iter().map(|violation| violation.field.as_str()).collect()
}
