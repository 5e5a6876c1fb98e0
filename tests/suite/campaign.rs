//! A message to everyone over the sandbox: every message ends in one state, receipts only move it forward, and the numbers
//! of the private domain know who is connected and who was reached.

mod numbers;

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use siyu_kernel::Clock;
use siyu_proto::{
    member::v1::{
        Connection, ConnectionState, RecordConnectionsRequest,
        connection_service_client::ConnectionServiceClient,
    },
    messaging::v1::{
        Campaign, CampaignState, CreateCampaignRequest, GetCampaignRequest, ListMessagesRequest,
        Message, MessageCounts, MessageState, MessageState as S, Receipt, RecordReceiptsRequest,
        RecordReceiptsResponse, StartCampaignRequest,
        campaign_service_client::CampaignServiceClient,
        message_service_client::MessageServiceClient,
    },
};
use siyu_runtime::SystemClock;
use siyu_tests::support::{
    LIMIT, Merchant, ask, order, run_until_idle, story, suite, timestamp, until,
};

/// Buyers, all of whom get a message: enough that the sandbox, which fails three of a hundred, leaves some in each state.
const BUYERS: usize = 330;
/// So many of them are connected to the channel.
const CONNECTED: usize = 300;

/// A merchant with buyers, most of them connected, and a campaign that has come to its end.
struct Shop {
    merchant: Merchant,
    /// By the order of the buyers' ids.
    persons: Vec<String>,
    bought_at: DateTime<Utc>,
    campaign: String,
}

#[test]
fn a_campaign_ends_with_every_message_in_one_state() {
    story(async {
        let shop = Shop::open().await;
        let (campaign, messages) = (shop.campaign().await, shop.messages().await);
        assert_eq!(campaign.state(), CampaignState::Done);
        let counts = campaign.counts.unwrap();
        assert_eq!(counts, counted(&messages));
        assert_eq!(counts.total, i64::try_from(BUYERS).unwrap());
        let arrived = counts.delivered + counts.read + counts.clicked;
        assert_eq!(arrived + counts.failed, counts.total, "{counts:?}");
        assert!(
            messages.iter().all(|m| m.failure.is_empty() != (m.state() == MessageState::Failed))
        );
        let mut reached: Vec<&String> = messages.iter().map(|m| &m.person_id).collect();
        reached.sort_unstable();
        let mut persons: Vec<&String> = shop.persons.iter().collect();
        persons.sort_unstable();
        assert_eq!(reached, persons, "everyone gets one message");
        // Starting what is done does nothing.
        let request = StartCampaignRequest { campaign_id: shop.campaign.clone() };
        let mut client = CampaignServiceClient::new(shop.merchant.caller.grpc());
        let again = ask(request, async |q| client.start_campaign(q).await).await.campaign.unwrap();
        assert_eq!(again.state(), CampaignState::Done);
    });
}

#[test]
fn receipts_that_are_late_doubled_or_foreign_never_move_a_message_back() {
    story(async {
        let shop = Shop::open().await;
        let delivered = shop.message_in(MessageState::Delivered).await;
        let moves = [
            ("r1", S::Clicked, 1),
            ("r2", S::Read, 0),
            ("r3", S::Delivered, 0),
            ("r1", S::Clicked, 0),
            ("r4", S::Failed, 0),
            ("r5", S::Sent, 0),
        ];
        for (id, state, applied) in moves {
            let reply = shop.receipts(&[(id, &delivered.id, state)]).await;
            assert_eq!((reply.applied, reply.ignored), (applied, 1 - applied), "{id} {state:?}");
        }
        assert_eq!(shop.message(&delivered.id).await.state(), S::Clicked);
        let unknown = shop.merchant.record.id.replacen("mch", "msg", 1);
        // In one report, too: each counts once, in the order of a message's life, whatever order they stand in.
        let other = shop.message_in(S::Delivered).await;
        let report = [
            ("s3", other.id.as_str(), S::Clicked),
            ("s2", &other.id, S::Read),
            ("s2", &other.id, S::Read),
            ("s4", &unknown, S::Read),
        ];
        let reply = shop.receipts(&report).await;
        assert_eq!((reply.applied, reply.ignored), (2, 2));
        assert_eq!(shop.message(&other.id).await.state(), S::Clicked);
        assert_eq!(shop.campaign().await.counts.unwrap(), counted(&shop.messages().await));
    });
}

impl Shop {
    async fn open() -> Self {
        let merchant = Merchant::open(suite().await, "Asia/Shanghai", "CNY").await;
        let bought_at = SystemClock.now() - TimeDelta::hours(2);
        let buyers: Vec<String> = (0..BUYERS).map(|n| format!("b{n:03}")).collect();
        let amount = |n: usize| i64::try_from((n + 1) * 100).unwrap();
        let orders = buyers.iter().enumerate();
        let orders = orders.map(|(n, buyer)| order(buyer, buyer, bought_at, &[amount(n)]));
        merchant.take_in(orders.collect()).await;
        let by_buyer =
            merchant.persons("shop", &buyers.iter().map(String::as_str).collect::<Vec<_>>()).await;
        let persons: Vec<String> = buyers.iter().map(|buyer| by_buyer[buyer].clone()).collect();
        let mut shop = Self { merchant, persons, bought_at, campaign: String::new() };
        let connected = ConnectionState::Connected;
        let edges: Vec<_> = (0..CONNECTED).map(|n| (n, connected, 60)).collect();
        assert_eq!(shop.connect(&edges).await, i32::try_from(CONNECTED).unwrap());
        shop.campaign = shop.send().await;
        run_until_idle(&shop.merchant.place).await;
        shop
    }

    /// Records that buyers connected or left so many minutes before they bought; returns how much was news.
    async fn connect(&self, edges: &[(usize, ConnectionState, i64)]) -> i32 {
        let edge = |&(n, state, minutes): &(usize, ConnectionState, i64)| Connection {
            person_id: self.persons[n].clone(),
            channel: "sandbox".to_owned(),
            account_id: "shop".to_owned(),
            state: state.into(),
            state_time: Some(timestamp(self.bought_at - TimeDelta::minutes(minutes))),
            ..Default::default()
        };
        let request = RecordConnectionsRequest { connections: edges.iter().map(edge).collect() };
        let mut client = ConnectionServiceClient::new(self.merchant.caller.grpc());
        ask(request, async |q| client.record_connections(q).await).await.changed
    }

    /// Sends a campaign to everyone and waits until the channel has said everything of it.
    async fn send(&self) -> String {
        let request = CreateCampaignRequest {
            name: "Hello".to_owned(),
            channel: "sandbox".to_owned(),
            text: "您好".to_owned(),
            ..Default::default()
        };
        let mut client = CampaignServiceClient::new(self.merchant.caller.grpc());
        let reply = ask(request, async |q| client.create_campaign(q).await).await;
        let campaign_id = reply.campaign.unwrap().id;
        let request = StartCampaignRequest { campaign_id: campaign_id.clone() };
        ask(request, async |q| client.start_campaign(q).await).await;
        until("the channel has said everything", LIMIT, async || {
            let campaign = get(&self.merchant, &campaign_id).await;
            let counts = campaign.counts?;
            let open = counts.queued + counts.submitted + counts.sent;
            (campaign.state() == CampaignState::Done && open == 0).then_some(())
        })
        .await;
        campaign_id
    }

    async fn campaign(&self) -> Campaign {
        get(&self.merchant, &self.campaign).await
    }

    async fn messages(&self) -> Vec<Message> {
        let mut client = MessageServiceClient::new(self.merchant.caller.grpc());
        let campaign_id = self.campaign.clone();
        let request = ListMessagesRequest { campaign_id, page_size: 1000, ..Default::default() };
        ask(request, async |q| client.list_messages(q).await).await.messages
    }

    async fn message(&self, id: &str) -> Message {
        let messages = self.messages().await;
        messages.into_iter().find(|message| message.id == id).expect("it is one of the campaign")
    }

    /// Some message in a state; the sandbox leaves enough in each.
    async fn message_in(&self, state: MessageState) -> Message {
        let messages = self.messages().await;
        let found = messages.into_iter().find(|message| message.state() == state);
        found.unwrap_or_else(|| panic!("of {BUYERS} messages none is {state:?}"))
    }

    /// Tells receipts: id, message and state of each.
    async fn receipts(&self, told: &[(&str, &str, MessageState)]) -> RecordReceiptsResponse {
        let now = SystemClock.now();
        let receipt = |&(id, message, state): &(&str, &str, MessageState)| Receipt {
            receipt_id: id.to_owned(),
            message_id: message.to_owned(),
            state: state.into(),
            occur_time: Some(timestamp(now)),
            ..Default::default()
        };
        let request = RecordReceiptsRequest { receipts: told.iter().map(receipt).collect() };
        let mut client = MessageServiceClient::new(self.merchant.caller.grpc());
        ask(request, async |q| client.record_receipts(q).await).await
    }
}

async fn get(merchant: &Merchant, campaign_id: &str) -> Campaign {
    let request = GetCampaignRequest { campaign_id: campaign_id.to_owned() };
    let mut client = CampaignServiceClient::new(merchant.caller.grpc());
    ask(request, async |q| client.get_campaign(q).await).await.campaign.unwrap()
}

/// The counts of messages, counted one by one.
fn counted(messages: &[Message]) -> MessageCounts {
    let mut by_state: BTreeMap<MessageState, i64> = BTreeMap::new();
    for message in messages {
        *by_state.entry(message.state()).or_default() += 1;
    }
    let of = |state| by_state.get(&state).copied().unwrap_or_default();
    MessageCounts {
        total: i64::try_from(messages.len()).unwrap(),
        queued: of(MessageState::Queued),
        submitted: of(MessageState::Submitted),
        sent: of(MessageState::Sent),
        delivered: of(MessageState::Delivered),
        read: of(MessageState::Read),
        clicked: of(MessageState::Clicked),
        failed: of(MessageState::Failed),
        cancelled: of(MessageState::Cancelled),
    }
}
