//! Campaigns for audiences of the member service, here made up.

use siyu_grpc::{Replies, serve};
use siyu_kernel::{Code, Fault, kind};
use siyu_proto::{
    member::v1::{audience_service_server::AudienceService, *},
    messaging::v1::{Audience as Wanted, CampaignState},
};
use siyu_testkit::{id, merchant};
use tonic::{Request, Response, Status};

use crate::{
    member::Member,
    provider::{Fake, Mood},
    world::{World, person},
};

type Reply<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl AudienceService for Member {
    type StreamAudienceMembersStream = Replies<StreamAudienceMembersResponse>;

    async fn get_audience(
        &self,
        request: Request<GetAudienceRequest>,
    ) -> Reply<GetAudienceResponse> {
        serve(request, async |ctx, request: GetAudienceRequest| {
            self.members(&ctx, &request.audience_id, "", 0).await?;
            Ok::<_, Fault>(GetAudienceResponse { audience: Some(Audience::default()) })
        })
        .await
    }

    async fn list_audience_members(
        &self,
        request: Request<ListAudienceMembersRequest>,
    ) -> Reply<ListAudienceMembersResponse> {
        serve(request, async |ctx, request: ListAudienceMembersRequest| {
            let size = usize::try_from(request.page_size).unwrap();
            let (id, after) = (&request.audience_id, &request.page_token);
            let (person_ids, more) = self.members(&ctx, id, after, size).await?;
            let next_page_token = person_ids.last().filter(|_| more).cloned().unwrap_or_default();
            Ok::<_, Fault>(ListAudienceMembersResponse { person_ids, next_page_token })
        })
        .await
    }

    async fn stream_audience_members(
        &self,
        _: Request<StreamAudienceMembersRequest>,
    ) -> Reply<Self::StreamAudienceMembersStream> {
        Err(Status::unimplemented("not asked"))
    }

    async fn create_audience(
        &self,
        _: Request<CreateAudienceRequest>,
    ) -> Reply<CreateAudienceResponse> {
        Err(Status::unimplemented("not asked"))
    }

    async fn update_audience(
        &self,
        _: Request<UpdateAudienceRequest>,
    ) -> Reply<UpdateAudienceResponse> {
        Err(Status::unimplemented("not asked"))
    }

    async fn delete_audience(
        &self,
        _: Request<DeleteAudienceRequest>,
    ) -> Reply<DeleteAudienceResponse> {
        Err(Status::unimplemented("not asked"))
    }

    async fn list_audiences(
        &self,
        _: Request<ListAudiencesRequest>,
    ) -> Reply<ListAudiencesResponse> {
        Err(Status::unimplemented("not asked"))
    }

    async fn count_audience(
        &self,
        _: Request<CountAudienceRequest>,
    ) -> Reply<CountAudienceResponse> {
        Err(Status::unimplemented("not asked"))
    }

    async fn snapshot_audience(
        &self,
        _: Request<SnapshotAudienceRequest>,
    ) -> Reply<SnapshotAudienceResponse> {
        Err(Status::unimplemented("not asked"))
    }

    async fn describe_fields(
        &self,
        _: Request<DescribeFieldsRequest>,
    ) -> Reply<DescribeFieldsResponse> {
        Err(Status::unimplemented("not asked"))
    }
}

#[expect(clippy::unnecessary_wraps, reason = "a message field is an Option")]
fn of(audience_id: &str) -> Option<Wanted> {
    Some(Wanted { audience_id: audience_id.into(), ..Default::default() })
}

async fn world() -> (World, String) {
    let world = World::with(Fake::new(Mood::Fine)).await;
    world.member.add(merchant(1), 1200);
    let audience = id::<kind::Audience>(1).to_string();
    world.member.audience(merchant(1), &audience, 101);
    (world, audience)
}

#[tokio::test]
async fn the_members_of_an_audience_get_a_campaign_page_by_page() {
    let (world, audience) = world().await;
    let campaign_id = world.draft(1, of(&audience)).await;
    world.start_it(1, &campaign_id).await.unwrap();
    for total in [500, 1000, 1100] {
        assert_eq!(world.look(&campaign_id).await.0, CampaignState::Preparing);
        world.app.prepare_once().await.unwrap();
        assert_eq!(world.look(&campaign_id).await.1.total, total);
    }
    assert_eq!(world.look(&campaign_id).await.0, CampaignState::Running);
    let got: Vec<String> =
        world.all(1, &campaign_id).await.into_iter().map(|message| message.person_id).collect();
    assert_eq!(got, (101..=1200).map(person).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_campaign_shows_its_audience_and_names_no_other() {
    let (world, audience) = world().await;
    let campaign_id = world.draft(1, of(&audience)).await;
    let started = world.start_it(1, &campaign_id).await.unwrap();
    assert_eq!(started.audience, of(&audience));
    for (wanted, field) in [
        (Wanted { growth_min: 1, ..of(&audience).unwrap() }, "audience.growth_min"),
        (Wanted { person_ids: vec![person(1)], ..of(&audience).unwrap() }, "audience.person_ids"),
        (of("cmp_1").unwrap(), "audience.audience_id"),
    ] {
        let refused = world.try_draft(1, Some(wanted)).await.unwrap_err();
        assert_eq!(refused.violations()[0].field, field);
    }
}

#[tokio::test]
async fn an_audience_that_is_not_there_is_refused_and_one_that_goes_away_ends_the_campaign() {
    let (world, audience) = world().await;
    let unknown = world.try_draft(1, of(&id::<kind::Audience>(2).to_string())).await.unwrap_err();
    let foreign = world.try_draft(2, of(&audience)).await.unwrap_err();
    assert_eq!((unknown.code(), unknown.message()), (Code::NotFound, "audience not found"));
    assert_eq!((foreign.code(), foreign.message()), (unknown.code(), unknown.message()));
    let campaign_id = world.draft(1, of(&audience)).await;
    world.start_it(1, &campaign_id).await.unwrap();
    world.app.prepare_once().await.unwrap();
    world.member.audience(merchant(1), &audience, 0);
    world.prepare().await;
    let (state, counts) = world.look(&campaign_id).await;
    assert_eq!((state, counts.total), (CampaignState::Running, 500));
}
