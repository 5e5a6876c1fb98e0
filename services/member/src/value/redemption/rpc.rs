//! The RPCs of redemptions.

use siyu_grpc::{Ctx, parse, serve};
use siyu_kernel::Fault;
use siyu_pg::{page, replay};
use siyu_proto::member::v1::{
    self as proto, ApproveRedemptionRequest, ApproveRedemptionResponse, GetRedemptionRequest,
    GetRedemptionResponse, ListRedemptionsRequest, ListRedemptionsResponse, QuoteRedemptionRequest,
    QuoteRedemptionResponse, RejectRedemptionRequest, RejectRedemptionResponse,
    RequestRedemptionRequest, RequestRedemptionResponse,
    redemption_service_server::RedemptionService,
};
use tonic::{Request, Response, Status, async_trait};
use uuid::Uuid;

use super::{
    act,
    domain::{self, State},
    store,
};
use crate::{
    App, limits,
    value::{card, policy, recharge::back::Blame},
};

const REQUEST: &str = "siyu.member.v1.RedemptionService/RequestRedemption";
const APPROVE: &str = "siyu.member.v1.RedemptionService/ApproveRedemption";
const REJECT: &str = "siyu.member.v1.RedemptionService/RejectRedemption";

#[async_trait]
impl RedemptionService for App {
    async fn quote_redemption(
        &self,
        request: Request<QuoteRedemptionRequest>,
    ) -> Result<Response<QuoteRedemptionResponse>, Status> {
        serve(request, |ctx, message| quote(self, ctx, message)).await
    }

    async fn request_redemption(
        &self,
        request: Request<RequestRedemptionRequest>,
    ) -> Result<Response<RequestRedemptionResponse>, Status> {
        serve(request, |ctx, message| ask(self, ctx, message)).await
    }

    async fn approve_redemption(
        &self,
        request: Request<ApproveRedemptionRequest>,
    ) -> Result<Response<ApproveRedemptionResponse>, Status> {
        serve(request, |ctx, message| approve(self, ctx, message)).await
    }

    async fn reject_redemption(
        &self,
        request: Request<RejectRedemptionRequest>,
    ) -> Result<Response<RejectRedemptionResponse>, Status> {
        serve(request, |ctx, message| reject(self, ctx, message)).await
    }

    async fn get_redemption(
        &self,
        request: Request<GetRedemptionRequest>,
    ) -> Result<Response<GetRedemptionResponse>, Status> {
        serve(request, |ctx, message| get(self, ctx, message)).await
    }

    async fn list_redemptions(
        &self,
        request: Request<ListRedemptionsRequest>,
    ) -> Result<Response<ListRedemptionsResponse>, Status> {
        serve(request, |ctx, message| list(self, ctx, message)).await
    }
}

async fn quote(
    app: &App,
    ctx: Ctx,
    request: QuoteRedemptionRequest,
) -> Result<QuoteRedemptionResponse, Fault> {
    let id = parse::id("card_id", &request.card_id)?;
    let blame = Blame::read(request.fault)?;
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let terms = policy::terms(&mut tx, ctx.now).await?;
    let card = card::store::find(&mut tx, id).await?.ok_or_else(|| Fault::not_found("card"))?;
    let quote = act::quote(&mut tx, &ctx, &card, blame, &terms).await?;
    let redemption = domain::show(&quote, id, blame, terms.currency);
    Ok(QuoteRedemptionResponse { redemption: Some(redemption) })
}

async fn ask(
    app: &App,
    ctx: Ctx,
    request: RequestRedemptionRequest,
) -> Result<RequestRedemptionResponse, Fault> {
    let id = parse::id("card_id", &request.card_id)?;
    let blame = Blame::read(request.fault)?;
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    if let Some(reply) = replay::find(&mut tx, REQUEST, &request.request_id, &request).await? {
        return Ok(reply);
    }
    let card = card::lock(&mut tx, id).await?;
    let redemption = act::request(app, &mut tx, &ctx, &card, blame, &request.reason).await?;
    let reply = RequestRedemptionResponse { redemption: Some(redemption) };
    replay::keep(&mut tx, REQUEST, &request.request_id, &reply).await?;
    tx.commit().await?;
    Ok(reply)
}

async fn approve(
    app: &App,
    ctx: Ctx,
    request: ApproveRedemptionRequest,
) -> Result<ApproveRedemptionResponse, Fault> {
    let id = parse::id("redemption_id", &request.redemption_id)?;
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    if let Some(reply) = replay::find(&mut tx, APPROVE, &request.request_id, &request).await? {
        return Ok(reply);
    }
    let (redemption, card) = act::approve(app, &mut tx, &ctx, id).await?;
    let reply = ApproveRedemptionResponse { redemption: Some(redemption), card: Some(card) };
    replay::keep(&mut tx, APPROVE, &request.request_id, &reply).await?;
    tx.commit().await?;
    Ok(reply)
}

async fn reject(
    app: &App,
    ctx: Ctx,
    request: RejectRedemptionRequest,
) -> Result<RejectRedemptionResponse, Fault> {
    let id = parse::id("redemption_id", &request.redemption_id)?;
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    if let Some(reply) = replay::find(&mut tx, REJECT, &request.request_id, &request).await? {
        return Ok(reply);
    }
    let redemption = act::reject(app, &mut tx, &ctx, id).await?;
    let reply = RejectRedemptionResponse { redemption: Some(redemption) };
    replay::keep(&mut tx, REJECT, &request.request_id, &reply).await?;
    tx.commit().await?;
    Ok(reply)
}

async fn get(
    app: &App,
    ctx: Ctx,
    request: GetRedemptionRequest,
) -> Result<GetRedemptionResponse, Fault> {
    let id = parse::id("redemption_id", &request.redemption_id)?;
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let terms = policy::terms(&mut tx, ctx.now).await?;
    let found = store::find(&mut tx, id).await?.ok_or_else(|| Fault::not_found("redemption"))?;
    Ok(GetRedemptionResponse { redemption: Some(found.show(terms.currency)) })
}

async fn list(
    app: &App,
    ctx: Ctx,
    request: ListRedemptionsRequest,
) -> Result<ListRedemptionsResponse, Fault> {
    let state = match proto::RedemptionState::try_from(request.state) {
        Ok(proto::RedemptionState::Unspecified) => None,
        Ok(proto::RedemptionState::Requested) => Some(State::Requested),
        Ok(proto::RedemptionState::Approved) => Some(State::Approved),
        Ok(proto::RedemptionState::Rejected) => Some(State::Rejected),
        Err(_) => return Err(Fault::field("state", "is not a known value")),
    };
    let filter = request.state.to_be_bytes();
    let page = page::Request::<Uuid>::parse(
        request.page_size,
        &request.page_token,
        limits::PAGE,
        &filter,
    )?;
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let terms = policy::terms(&mut tx, ctx.now).await?;
    let rows = store::list(&mut tx, state, page.after, page.fetch()).await?;
    let page = page.page(rows, |redemption| redemption.id.uuid());
    Ok(ListRedemptionsResponse {
        redemptions: page.items.iter().map(|r| r.show(terms.currency)).collect(),
        next_page_token: page.next_token,
    })
}
