//! The service with its database, its clock and what stands around it.

use std::{collections::BTreeMap, sync::Arc};

use chrono::TimeDelta;
use siyu_grpc::{Assertions, Call, Caller, Peer, Scopes, Server, Settings, Upstream, fault};
use siyu_kernel::{Clock, Fault, Ids, kind};
use siyu_messaging::{App, channel::Provider};
use siyu_pg::{Migration, base_migrations};
use siyu_proto::{
    member::v1::{
        audience_service_server::AudienceServiceServer,
        blacklist_service_server::BlacklistServiceServer,
        consent_service_server::ConsentServiceServer, person_service_server::PersonServiceServer,
    },
    messaging::v1::{
        campaign_service_client::CampaignServiceClient,
        message_service_client::MessageServiceClient, *,
    },
};
use siyu_runtime::Readiness;
use siyu_testkit::{Database, FixedClock, SeededIds, id, merchant};

use crate::member::Member;

const SCHEMA: &[&[Migration]] =
    &[base_migrations(), siyu_events::MIGRATIONS, siyu_messaging::MIGRATIONS];

pub(crate) struct World {
    pub(crate) database: Database,
    pub(crate) clock: FixedClock,
    pub(crate) member: Member,
    pub(crate) app: App,
    /// The service as the gateway calls it.
    door: Peer,
}

/// A receipt, in few words.
pub(crate) fn receipt(id: &str, message: &str, state: MessageState) -> Receipt {
    Receipt {
        receipt_id: id.into(),
        message_id: message.into(),
        state: state.into(),
        occur_time: Some(prost_types::Timestamp { seconds: 1_700_000_000, nanos: 0 }),
        failure: if state == MessageState::Failed { "full".into() } else { String::new() },
    }
}

/// The text of the n-th person's id.
pub(crate) fn person(n: u32) -> String {
    id::<kind::Person>(n).to_string()
}

impl World {
    /// With the sandbox.
    pub(crate) async fn new() -> Self {
        Self::build(None).await
    }

    /// With another provider in the place of the sandbox.
    pub(crate) async fn with(provider: Arc<dyn Provider>) -> Self {
        Self::build(Some(provider)).await
    }

    async fn build(provider: Option<Arc<dyn Provider>>) -> Self {
        let database = Database::fresh(SCHEMA).await;
        let clock = FixedClock::at("2024-06-01T00:00:00Z");
        let shared: Arc<dyn Clock> = Arc::new(clock.clone());
        let assertions = Arc::new(Assertions::new(&[7; 32]).unwrap());
        let server = |assertions: &Arc<Assertions>| {
            Server::new(Settings::default(), assertions.clone(), shared.clone(), Readiness::new())
        };
        let member = Member::new();
        let siblings = server(&assertions)
            .service(PersonServiceServer::new(member.clone()))
            .service(AudienceServiceServer::new(member.clone()))
            .service(ConsentServiceServer::new(member.clone()))
            .service(BlacklistServiceServer::new(member.clone()));
        let siblings = Upstream::in_process(siblings.build().unwrap());
        let peer = Peer::new(siblings, "messaging", assertions.clone(), shared.clone());
        let ids: Arc<dyn Ids> = Arc::new(SeededIds::new(1));
        let mut app = App::new(database.db().clone(), peer, ids, shared.clone());
        if let Some(provider) = provider {
            app = app.with_channel("sandbox", provider);
        }
        let own = Upstream::in_process(app.serve(server(&assertions)).build().unwrap());
        let door = Peer::new(own, "gateway", assertions, shared.clone());
        Self { database, clock, member, app, door }
    }

    fn call(&self, who: u32) -> Call {
        self.door.call(Caller::Merchant(merchant(who)), "test".into(), Scopes::all())
    }

    pub(crate) fn campaigns(&self, who: u32) -> CampaignServiceClient<Call> {
        CampaignServiceClient::new(self.call(who))
    }

    pub(crate) fn messages(&self, who: u32) -> MessageServiceClient<Call> {
        MessageServiceClient::new(self.call(who))
    }

    pub(crate) fn advance(&self, seconds: i64) {
        self.clock.advance(TimeDelta::seconds(seconds));
    }

    /// Drafts a campaign.
    pub(crate) async fn draft(&self, who: u32, audience: Option<Audience>) -> String {
        self.try_draft(who, audience).await.unwrap()
    }

    pub(crate) async fn try_draft(
        &self,
        who: u32,
        audience: Option<Audience>,
    ) -> Result<String, Fault> {
        let request = CreateCampaignRequest {
            name: "summer".into(),
            channel: "sandbox".into(),
            text: "hello".into(),
            audience,
            ..Default::default()
        };
        let reply = self.campaigns(who).create_campaign(request).await.map_err(fault)?;
        Ok(reply.into_inner().campaign.unwrap().id)
    }

    /// Drafts and starts a campaign to everyone.
    pub(crate) async fn start(&self, who: u32) -> String {
        let campaign_id = self.draft(who, None).await;
        self.start_it(who, &campaign_id).await.unwrap();
        campaign_id
    }

    pub(crate) async fn start_it(&self, who: u32, campaign_id: &str) -> Result<Campaign, Fault> {
        let request = StartCampaignRequest { campaign_id: campaign_id.into() };
        let reply = self.campaigns(who).start_campaign(request).await.map_err(fault)?;
        Ok(reply.into_inner().campaign.unwrap())
    }

    pub(crate) async fn cancel(&self, who: u32, campaign_id: &str) -> Result<Campaign, Fault> {
        let request = CancelCampaignRequest { campaign_id: campaign_id.into() };
        let reply = self.campaigns(who).cancel_campaign(request).await.map_err(fault)?;
        Ok(reply.into_inner().campaign.unwrap())
    }

    pub(crate) async fn get(&self, who: u32, campaign_id: &str) -> Result<Campaign, Fault> {
        let request = GetCampaignRequest { campaign_id: campaign_id.into() };
        let reply = self.campaigns(who).get_campaign(request).await.map_err(fault)?;
        Ok(reply.into_inner().campaign.unwrap())
    }

    /// State and counts of a campaign of merchant 1.
    pub(crate) async fn look(&self, campaign_id: &str) -> (CampaignState, MessageCounts) {
        let campaign = self.get(1, campaign_id).await.unwrap();
        (campaign.state(), campaign.counts.unwrap())
    }

    /// Every message of a campaign.
    pub(crate) async fn all(&self, who: u32, campaign_id: &str) -> Vec<Message> {
        let mut request = ListMessagesRequest {
            campaign_id: campaign_id.into(),
            page_size: 1000,
            ..Default::default()
        };
        let mut all = Vec::new();
        loop {
            let reply = self.messages(who).list_messages(request.clone()).await.unwrap();
            let page = reply.into_inner();
            all.extend(page.messages);
            if page.next_page_token.is_empty() {
                return all;
            }
            request.page_token = page.next_page_token;
        }
    }

    pub(crate) async fn record(
        &self,
        who: u32,
        receipts: Vec<Receipt>,
    ) -> Result<(i32, i32), Fault> {
        let request = RecordReceiptsRequest { receipts };
        let reply = self.messages(who).record_receipts(request).await.map_err(fault)?.into_inner();
        Ok((reply.applied, reply.ignored))
    }

    /// What was told of each message, in the order of the log.
    pub(crate) async fn told(&self) -> BTreeMap<String, Vec<MessageState>> {
        let head = self.app.log().stamp_all().await.unwrap();
        let mut told: BTreeMap<String, Vec<MessageState>> = BTreeMap::new();
        let mut position = 0;
        while position < head {
            let run = self.app.log().read(position, 5000).await.unwrap();
            for event in run.events {
                position = event.position;
                let fact: MessageMoved = event.decode().unwrap().unwrap();
                let message = fact.message.unwrap();
                assert_eq!(*event.subject, *message.id);
                told.entry(message.id.clone()).or_default().push(message.state());
            }
        }
        told
    }

    /// Prepares campaigns until none is left to prepare.
    pub(crate) async fn prepare(&self) {
        while self.app.prepare_once().await.unwrap() == siyu_runtime::Progress::Worked {}
    }
}
