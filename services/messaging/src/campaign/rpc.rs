//! The RPCs of campaigns.

use std::collections::BTreeSet;

use siyu_grpc::{Ctx, parse, serve};
use siyu_kernel::{Fault, Id};
use siyu_pg::{page, replay};
use siyu_proto::messaging::v1::{
    Audience, CancelCampaignRequest, CancelCampaignResponse, CreateCampaignRequest,
    CreateCampaignResponse, GetCampaignRequest, GetCampaignResponse, ListCampaignsRequest,
    ListCampaignsResponse, StartCampaignRequest, StartCampaignResponse,
    campaign_service_server::CampaignService,
};
use tonic::{Request, Response, Status, async_trait};
use uuid::Uuid;

use super::{
    audience,
    domain::{AudienceId, Campaign, CampaignId, Error, Event, PersonId, State},
    purpose::Purpose,
    store,
};
use crate::{App, limits, message};

const CREATE: &str = "siyu.messaging.v1.CampaignService/CreateCampaign";

#[async_trait]
impl CampaignService for App {
    async fn create_campaign(
        &self,
        request: Request<CreateCampaignRequest>,
    ) -> Result<Response<CreateCampaignResponse>, Status> {
        serve(request, |ctx, message| create(self, ctx, message)).await
    }

    async fn start_campaign(
        &self,
        request: Request<StartCampaignRequest>,
    ) -> Result<Response<StartCampaignResponse>, Status> {
        serve(request, |ctx, message| start(self, ctx, message)).await
    }

    async fn cancel_campaign(
        &self,
        request: Request<CancelCampaignRequest>,
    ) -> Result<Response<CancelCampaignResponse>, Status> {
        serve(request, |ctx, message| cancel(self, ctx, message)).await
    }

    async fn get_campaign(
        &self,
        request: Request<GetCampaignRequest>,
    ) -> Result<Response<GetCampaignResponse>, Status> {
        serve(request, |ctx, message| get(self, ctx, message)).await
    }

    async fn list_campaigns(
        &self,
        request: Request<ListCampaignsRequest>,
    ) -> Result<Response<ListCampaignsResponse>, Status> {
        serve(request, |ctx, message| list(self, ctx, message)).await
    }
}

async fn create(
    app: &App,
    ctx: Ctx,
    request: CreateCampaignRequest,
) -> Result<CreateCampaignResponse, Fault> {
    let person_ids = read_persons(request.audience.as_ref())?;
    if app.channels.get(&request.channel).is_none() {
        return Err(Error::ChannelUnknown(request.channel).into());
    }
    let audience_id = read_audience(request.audience.as_ref())?;
    if let Some(id) = audience_id {
        audience::check(app, ctx.merchant()?, id).await?;
    }
    let campaign = Campaign {
        id: Id::from_uuid(app.ids.uuid()),
        audience_id,
        name: request.name.clone(),
        channel: request.channel.clone(),
        text: request.text.clone(),
        purpose: Purpose::read(request.purpose)?,
        growth_min: request.audience.as_ref().map_or(0, |audience| audience.growth_min),
        state: State::Draft,
        pending: false,
        created_at: ctx.now,
        started_at: None,
    };
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    if let Some(reply) = replay::find(&mut tx, CREATE, &request.request_id, &request).await? {
        return Ok(reply);
    }
    store::insert(&mut tx, &campaign, &person_ids).await?;
    let reply = CreateCampaignResponse { campaign: Some(campaign.show_with(&person_ids)) };
    replay::keep(&mut tx, CREATE, &request.request_id, &reply).await?;
    tx.commit().await?;
    Ok(reply)
}

/// The audience of the member service, which is all that may be said then.
fn read_audience(audience: Option<&Audience>) -> Result<Option<AudienceId>, Fault> {
    let Some(audience) = audience else { return Ok(None) };
    let id = parse::optional_id("audience.audience_id", &audience.audience_id)?;
    let alone = "must not be given together with audience_id";
    match id {
        Some(_) if audience.growth_min > 0 => Err(Fault::field("audience.growth_min", alone)),
        Some(_) if !audience.person_ids.is_empty() => {
            Err(Fault::field("audience.person_ids", alone))
        }
        id => Ok(id),
    }
}

/// The list of an audience, in order and each person once.
fn read_persons(audience: Option<&Audience>) -> Result<Vec<PersonId>, Fault> {
    let texts = audience.map_or(&[][..], |audience| &audience.person_ids);
    let read = |(i, text): (usize, &String)| parse::id(&format!("audience.person_ids[{i}]"), text);
    let ids: BTreeSet<PersonId> = texts.iter().enumerate().map(read).collect::<Result<_, _>>()?;
    Ok(ids.into_iter().collect())
}

async fn start(
    app: &App,
    ctx: Ctx,
    request: StartCampaignRequest,
) -> Result<StartCampaignResponse, Fault> {
    let id = parse::id("campaign_id", &request.campaign_id)?;
    let (campaign, person_ids) = take(app, &ctx, id, Event::Start).await?;
    app.wakes.prepare.notify_one();
    Ok(StartCampaignResponse { campaign: Some(campaign.show_with(&person_ids)) })
}

async fn cancel(
    app: &App,
    ctx: Ctx,
    request: CancelCampaignRequest,
) -> Result<CancelCampaignResponse, Fault> {
    let id = parse::id("campaign_id", &request.campaign_id)?;
    let (campaign, person_ids) = take(app, &ctx, id, Event::Cancel).await?;
    app.wakes.dispatch.notify_one();
    Ok(CancelCampaignResponse { campaign: Some(campaign.show_with(&person_ids)) })
}

/// Lets something happen to a campaign. Whoever takes messages of it locks it first, so none is taken after a cancellation.
async fn take(
    app: &App,
    ctx: &Ctx,
    id: CampaignId,
    event: Event,
) -> Result<(Campaign, Vec<PersonId>), Fault> {
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    let found = store::lock(&mut tx, id).await?;
    let mut campaign = found.ok_or_else(|| Fault::not_found("campaign"))?;
    if campaign.take(event, ctx.now)? {
        store::save(&mut tx, &campaign).await?;
    }
    let person_ids = store::person_ids(&mut tx, id).await?;
    tx.commit().await?;
    Ok((campaign, person_ids))
}

async fn get(
    app: &App,
    ctx: Ctx,
    request: GetCampaignRequest,
) -> Result<GetCampaignResponse, Fault> {
    let id = parse::id("campaign_id", &request.campaign_id)?;
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let found = store::find(&mut tx, id).await?;
    let campaign = found.ok_or_else(|| Fault::not_found("campaign"))?;
    let mut shown = campaign.show_with(&store::person_ids(&mut tx, id).await?);
    shown.counts = Some(message::counts(&mut tx, id).await?);
    Ok(GetCampaignResponse { campaign: Some(shown) })
}

async fn list(
    app: &App,
    ctx: Ctx,
    request: ListCampaignsRequest,
) -> Result<ListCampaignsResponse, Fault> {
    let sizes = limits::CAMPAIGN_PAGE;
    let page = page::Request::<Uuid>::parse(request.page_size, &request.page_token, sizes, b"")?;
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let rows = store::list(&mut tx, page.after, page.fetch()).await?;
    let page = page.page(rows, |campaign| campaign.id.uuid());
    Ok(ListCampaignsResponse {
        campaigns: page.items.into_iter().map(Campaign::show).collect(),
        next_page_token: page.next_token,
    })
}
