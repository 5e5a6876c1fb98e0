//! The methods of campaigns.

use siyu_grpc::fault;
use siyu_kernel::{Code, Fault};
use siyu_proto::messaging::v1::*;
use siyu_testkit::id;

use crate::world::{World, person};

fn wanted() -> CreateCampaignRequest {
    CreateCampaignRequest {
        request_id: "one".into(),
        name: "summer".into(),
        channel: "sandbox".into(),
        text: "hello".into(),
        audience: Some(Audience {
            growth_min: 3,
            person_ids: vec![person(2), person(1), person(2)],
            ..Default::default()
        }),
        ..Default::default()
    }
}

async fn create(world: &World, request: CreateCampaignRequest) -> Result<Campaign, Fault> {
    let reply = world.campaigns(1).create_campaign(request).await.map_err(fault)?;
    Ok(reply.into_inner().campaign.unwrap())
}

#[tokio::test]
async fn a_draft_is_kept_as_it_was_given() {
    let world = World::new().await;
    let campaign = create(&world, wanted()).await.unwrap();
    assert!(campaign.id.starts_with("cmp_"), "{campaign:?}");
    assert_eq!(
        (campaign.name.as_str(), campaign.channel.as_str(), campaign.text.as_str()),
        ("summer", "sandbox", "hello")
    );
    assert_eq!(campaign.state(), CampaignState::Draft);
    assert_eq!(campaign.create_time.unwrap().seconds, 1_717_200_000);
    assert_eq!(campaign.start_time, None);
    let audience = campaign.audience.clone().unwrap();
    assert_eq!((audience.growth_min, audience.person_ids), (3, vec![person(1), person(2)]));

    let found = world.get(1, &campaign.id).await.unwrap();
    assert_eq!(found.counts, Some(MessageCounts::default()));
    assert_eq!(Campaign { counts: None, ..found }, campaign);
}

#[tokio::test]
async fn a_repeat_gets_the_first_reply_and_another_request_under_its_key_is_refused() {
    let world = World::new().await;
    let first = create(&world, wanted()).await.unwrap();
    world.start_it(1, &first.id).await.unwrap();
    assert_eq!(create(&world, wanted()).await.unwrap(), first);
    let other = CreateCampaignRequest { text: "bye".into(), ..wanted() };
    assert_eq!(create(&world, other).await.unwrap_err().reason(), "REQUEST_ID_REUSED");
    let unprotected = CreateCampaignRequest { request_id: String::new(), ..wanted() };
    assert_ne!(create(&world, unprotected).await.unwrap().id, first.id);
}

#[tokio::test]
async fn what_is_wrong_with_a_draft_is_named_by_its_field() {
    let world = World::new().await;
    let audience = |audience| CreateCampaignRequest { audience: Some(audience), ..wanted() };
    let cases = [
        ("name", CreateCampaignRequest { name: String::new(), ..wanted() }),
        ("name", CreateCampaignRequest { name: "n".repeat(121), ..wanted() }),
        ("channel", CreateCampaignRequest { channel: String::new(), ..wanted() }),
        ("text", CreateCampaignRequest { text: String::new(), ..wanted() }),
        ("text", CreateCampaignRequest { text: "t".repeat(4001), ..wanted() }),
        ("request_id", CreateCampaignRequest { request_id: "r".repeat(65), ..wanted() }),
        (
            "audience.growth_min",
            audience(Audience { growth_min: -1, person_ids: vec![], ..Default::default() }),
        ),
        (
            "audience.person_ids",
            audience(Audience {
                growth_min: 0,
                person_ids: vec![person(1); 10_001],
                ..Default::default()
            }),
        ),
        (
            "audience.person_ids[1]",
            audience(Audience {
                growth_min: 0,
                person_ids: vec![person(1), "ord_1".into()],
                ..Default::default()
            }),
        ),
    ];
    for (field, request) in cases {
        let fault = create(&world, request).await.unwrap_err();
        assert_eq!(fault.code(), Code::InvalidArgument, "{field}: {fault:?}");
        assert_eq!(fault.violations()[0].field, field);
    }
    let unknown = CreateCampaignRequest { channel: "pigeon".into(), ..wanted() };
    let fault = create(&world, unknown).await.unwrap_err();
    assert_eq!((fault.code(), fault.reason()), (Code::InvalidArgument, "CHANNEL_UNKNOWN"));
    assert_eq!(fault.metadata()["channel"], "pigeon");
    let none = world.campaigns(1).list_campaigns(ListCampaignsRequest::default()).await.unwrap();
    assert_eq!(none.into_inner().campaigns, []);
}

#[tokio::test]
async fn starting_twice_is_starting_once() {
    let world = World::new().await;
    let campaign_id = world.draft(1, None).await;
    let started = world.start_it(1, &campaign_id).await.unwrap();
    assert_eq!(started.state(), CampaignState::Preparing);
    assert_eq!(started.audience, Some(Audience::default()));
    world.advance(5);
    assert_eq!(world.start_it(1, &campaign_id).await.unwrap(), started);
    world.app.run_until_idle().await.unwrap();
    let done = world.start_it(1, &campaign_id).await.unwrap();
    assert_eq!((done.state(), done.start_time), (CampaignState::Done, started.start_time));
}

#[tokio::test]
async fn an_end_cannot_be_undone() {
    let world = World::new().await;
    let campaign_id = world.draft(1, None).await;
    let cancelled = world.cancel(1, &campaign_id).await.unwrap();
    assert_eq!(cancelled.state(), CampaignState::Cancelled);
    assert_eq!(world.cancel(1, &campaign_id).await.unwrap(), cancelled);
    let fault = world.start_it(1, &campaign_id).await.unwrap_err();
    assert_eq!((fault.code(), fault.reason()), (Code::FailedPrecondition, "CAMPAIGN_CANCELLED"));
    assert_eq!(fault.message(), "the campaign is cancelled");

    let campaign_id = world.start(1).await;
    world.app.run_until_idle().await.unwrap();
    let fault = world.cancel(1, &campaign_id).await.unwrap_err();
    assert_eq!((fault.code(), fault.reason()), (Code::FailedPrecondition, "CAMPAIGN_DONE"));
    assert_eq!(world.look(&campaign_id).await.0, CampaignState::Done);
}

#[tokio::test]
async fn lists_have_the_newest_first_and_leave_audiences_out() {
    let world = World::new().await;
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.insert(0, world.draft(1, wanted().audience).await);
    }
    world.draft(2, None).await;
    let mut request = ListCampaignsRequest { page_size: 2, ..Default::default() };
    let mut seen = Vec::new();
    for rows in [2, 2, 1] {
        let reply = world.campaigns(1).list_campaigns(request.clone()).await.unwrap().into_inner();
        assert_eq!(reply.campaigns.len(), rows);
        assert!(reply.campaigns.iter().all(|c| c.audience.is_none() && c.counts.is_none()));
        assert!(reply.campaigns.iter().all(|c| c.text == "hello"));
        seen.extend(reply.campaigns.into_iter().map(|campaign| campaign.id));
        request.page_token = reply.next_page_token;
    }
    assert_eq!(request.page_token, "");
    assert_eq!(seen, ids);
    for (field, page_size, page_token) in [("page_size", -1, ""), ("page_token", 0, "what?")] {
        let request = ListCampaignsRequest { page_size, page_token: page_token.into() };
        let status = world.campaigns(1).list_campaigns(request).await.unwrap_err();
        assert_eq!(fault(status).violations()[0].field, field);
    }
}

#[tokio::test]
async fn a_campaign_of_another_merchant_is_none() {
    let world = World::new().await;
    let campaign_id = world.draft(1, None).await;
    let unknown = id::<siyu_kernel::kind::Campaign>(9).to_string();
    for (who, campaign_id) in [(2, &campaign_id), (1, &unknown)] {
        let faults = [
            world.get(who, campaign_id).await.unwrap_err(),
            world.start_it(who, campaign_id).await.unwrap_err(),
            world.cancel(who, campaign_id).await.unwrap_err(),
        ];
        for fault in faults {
            assert_eq!((fault.code(), fault.message()), (Code::NotFound, "campaign not found"));
        }
    }
    let list = world.campaigns(2).list_campaigns(ListCampaignsRequest::default()).await.unwrap();
    assert_eq!(list.into_inner().campaigns, []);
    assert_eq!(world.look(&campaign_id).await.0, CampaignState::Draft);
    for campaign_id in ["", "cmp_", "per_00000000000000000000000001"] {
        let faults = [
            world.get(1, campaign_id).await.unwrap_err(),
            world.start_it(1, campaign_id).await.unwrap_err(),
            world.cancel(1, campaign_id).await.unwrap_err(),
        ];
        assert!(faults.iter().all(|fault| fault.violations()[0].field == "campaign_id"));
    }
}
