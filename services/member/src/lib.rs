#![doc = include_str!("../README.md")]

pub mod account;
pub mod attribute;
pub mod audience;
pub mod benefit;
pub mod blacklist;
pub mod connection;
pub mod consent;
pub mod earning;
pub mod filter;
pub mod handover;
pub mod household;
pub mod identity;
pub mod job;
pub mod limits;
pub mod merchant;
mod migrations;
pub mod owner;
pub mod person;
pub mod points;
pub mod profile;
pub mod purchase;
pub mod region;
pub mod rights;
pub mod shop;
pub mod sign_in;
pub mod staff;
pub mod stage;
pub mod tag;
pub mod tier;
pub mod value;
pub mod vault;
pub mod view;

pub use migrations::MIGRATIONS;

use std::sync::Arc;

use job::Job;
use points::desk::Desk;
use siyu_events::{Fact, Log, NewEvent, Subscription};
use siyu_grpc::{Ctx, Server};
use siyu_kernel::{Clock, Fault, Ids};
use siyu_pg::{Db, Tx};
use siyu_proto::{
    event::v1::event_log_service_server::EventLogServiceServer,
    member::v1::{
        account_service_server::AccountServiceServer,
        attribute_service_server::AttributeServiceServer,
        audience_service_server::AudienceServiceServer,
        benefit_service_server::BenefitServiceServer,
        blacklist_service_server::BlacklistServiceServer, card_service_server::CardServiceServer,
        connection_service_server::ConnectionServiceServer,
        consent_service_server::ConsentServiceServer,
        handover_service_server::HandoverServiceServer,
        household_service_server::HouseholdServiceServer,
        identity_service_server::IdentityServiceServer, issuer_service_server::IssuerServiceServer,
        merchant_service_server::MerchantServiceServer, owner_service_server::OwnerServiceServer,
        person_service_server::PersonServiceServer,
        points_policy_service_server::PointsPolicyServiceServer,
        points_service_server::PointsServiceServer, privacy_service_server::PrivacyServiceServer,
        profile_service_server::ProfileServiceServer,
        recharge_service_server::RechargeServiceServer,
        redemption_service_server::RedemptionServiceServer,
        region_service_server::RegionServiceServer, sign_in_service_server::SignInServiceServer,
        staff_service_server::StaffServiceServer, stage_service_server::StageServiceServer,
        store_service_server::StoreServiceServer,
        stored_value_service_server::StoredValueServiceServer,
        tag_service_server::TagServiceServer, tier_service_server::TierServiceServer,
        value_card_service_server::ValueCardServiceServer,
        value_gift_service_server::ValueGiftServiceServer,
        value_report_service_server::ValueReportServiceServer,
        view_service_server::ViewServiceServer,
    },
};

use vault::Vault;

/// The name of the service: of its database, its events and its telemetry.
pub const NAME: &str = "member";

/// The service: its database, its event log, the desk for changes of points, the vault of what is personal, and where ids and,
/// for work that no request asked for, instants come from.
#[derive(Debug, Clone)]
pub struct App {
    db: Db,
    log: Log,
    desk: Desk,
    vault: Vault,
    ids: Arc<dyn Ids>,
    clock: Arc<dyn Clock>,
}

impl App {
    /// The service on a database.
    pub fn new(db: Db, vault: Vault, ids: Arc<dyn Ids>, clock: Arc<dyn Clock>) -> Self {
        let desk = Desk::new(&db, &ids);
        Self { log: Log::new(db.clone(), NAME), desk, db, vault, ids, clock }
    }

    /// The facts that it tells.
    pub const fn log(&self) -> &Log {
        &self.log
    }

    /// Its methods.
    #[must_use]
    pub fn serve(&self, server: Server) -> Server {
        server
            .service(MerchantServiceServer::new(self.clone()))
            .service(StoreServiceServer::new(self.clone()))
            .service(StaffServiceServer::new(self.clone()))
            .service(PersonServiceServer::new(self.clone()))
            .service(IdentityServiceServer::new(self.clone()))
            .service(AccountServiceServer::new(self.clone()))
            .service(ConnectionServiceServer::new(self.clone()))
            .service(RegionServiceServer::new(self.clone()))
            .service(OwnerServiceServer::new(self.clone()))
            .service(HandoverServiceServer::new(self.clone()))
            .service(PointsServiceServer::new(self.clone()))
            .service(PointsPolicyServiceServer::new(self.clone()))
            .service(IssuerServiceServer::new(self.clone()))
            .service(ValueCardServiceServer::new(self.clone()))
            .service(RechargeServiceServer::new(self.clone()))
            .service(StoredValueServiceServer::new(self.clone()))
            .service(StageServiceServer::new(self.clone()))
            .service(HouseholdServiceServer::new(self.clone()))
            .service(ProfileServiceServer::new(self.clone()))
            .service(ConsentServiceServer::new(self.clone()))
            .service(PrivacyServiceServer::new(self.clone()))
            .service(BlacklistServiceServer::new(self.clone()))
            .service(RedemptionServiceServer::new(self.clone()))
            .service(ValueGiftServiceServer::new(self.clone()))
            .service(ValueReportServiceServer::new(self.clone()))
            .service(TierServiceServer::new(self.clone()))
            .service(SignInServiceServer::new(self.clone()))
            .service(BenefitServiceServer::new(self.clone()))
            .service(CardServiceServer::new(self.clone()))
            .service(ViewServiceServer::new(self.clone()))
            .service(AudienceServiceServer::new(self.clone()))
            .service(TagServiceServer::new(self.clone()))
            .service(AttributeServiceServer::new(self.clone()))
            .service(EventLogServiceServer::new(self.log.service()))
    }

    /// Makes sure that what is personal can be read and written, before anything is served.
    pub async fn prepare(&self) -> Result<(), Fault> {
        vault::check(self).await?;
        person::address::conceal_all(self).await?;
        profile::digest_all(self).await
    }

    /// What it does without being asked, each to be run as a task that is started again.
    pub fn jobs(&self) -> Vec<Job> {
        job::all(self)
    }

    /// What it follows of its siblings.
    pub fn subscriptions(&self) -> Vec<Subscription> {
        vec![earning::subscription(self), stage::events::subscription(self)]
    }
}

/// Appends one fact to the log, in the transaction of the change.
async fn publish<F: Fact>(
    app: &App,
    tx: &mut Tx,
    ctx: &Ctx,
    subject: String,
    fact: &F,
) -> Result<(), siyu_pg::Error> {
    siyu_events::append(tx, &[NewEvent::of(app.ids.uuid(), &subject, ctx.now, fact)]).await
}

/// Appends facts to the log, each with its subject, in the transaction of the change.
async fn publish_all<F: Fact>(
    app: &App,
    tx: &mut Tx,
    ctx: &Ctx,
    facts: &[(String, F)],
) -> Result<(), siyu_pg::Error> {
    let event =
        |(subject, fact): &(String, F)| NewEvent::of(app.ids.uuid(), subject, ctx.now, fact);
    siyu_events::append(tx, &facts.iter().map(event).collect::<Vec<_>>()).await
}
