//! The RPCs of redemptions.

use siyu_grpc::{Ctx, parse, serve};
use siyu_kernel::Fault;
use siyu_pg::{Tx, page, replay};
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
    domain::{self, RedemptionId, State},
    store,
};
use crate::{
    App, limits,
    value::{card, policy, recharge::back::Blame},
    vault,
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
    let print = vault::keys(app, ctx.merchant()?).await?.fingerprint(&request);
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    let first: Option<RequestRedemptionResponse> =
        replay::find(&mut tx, REQUEST, &request.request_id, &print).await?;
    if let Some(RequestRedemptionResponse { redemption: Some(kept) }) = first {
        let redemption = Some(proto::Redemption { reason: request.reason, ..kept });
        return Ok(RequestRedemptionResponse { redemption });
    }
    let card = card::lock(&mut tx, id).await?;
    let redemption = act::request(app, &mut tx, &ctx, &card, blame, &request.reason).await?;
    let kept = RequestRedemptionResponse { redemption: Some(act::unsaid(&redemption)) };
    replay::keep(&mut tx, REQUEST, &request.request_id, &kept).await?;
    tx.commit().await?;
    Ok(RequestRedemptionResponse { redemption: Some(redemption) })
}

async fn approve(
    app: &App,
    ctx: Ctx,
    request: ApproveRedemptionRequest,
) -> Result<ApproveRedemptionResponse, Fault> {
    let id = parse::id("redemption_id", &request.redemption_id)?;
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    let first: Option<ApproveRedemptionResponse> =
        replay::find(&mut tx, APPROVE, &request.request_id, &request).await?;
    if let Some(ApproveRedemptionResponse { redemption: Some(kept), card }) = first {
        let redemption = Some(said(&mut tx, id, kept).await?);
        return Ok(ApproveRedemptionResponse { redemption, card });
    }
    let (redemption, card) = act::approve(app, &mut tx, &ctx, id).await?;
    let card = Some(card);
    let kept = ApproveRedemptionResponse {
        redemption: Some(act::unsaid(&redemption)),
        card: card.clone(),
    };
    replay::keep(&mut tx, APPROVE, &request.request_id, &kept).await?;
    tx.commit().await?;
    Ok(ApproveRedemptionResponse { redemption: Some(redemption), card })
}

async fn reject(
    app: &App,
    ctx: Ctx,
    request: RejectRedemptionRequest,
) -> Result<RejectRedemptionResponse, Fault> {
    let id = parse::id("redemption_id", &request.redemption_id)?;
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    let first: Option<RejectRedemptionResponse> =
        replay::find(&mut tx, REJECT, &request.request_id, &request).await?;
    if let Some(RejectRedemptionResponse { redemption: Some(kept) }) = first {
        let redemption = Some(said(&mut tx, id, kept).await?);
        return Ok(RejectRedemptionResponse { redemption });
    }
    let redemption = act::reject(app, &mut tx, &ctx, id).await?;
    let kept = RejectRedemptionResponse { redemption: Some(act::unsaid(&redemption)) };
    replay::keep(&mut tx, REJECT, &request.request_id, &kept).await?;
    tx.commit().await?;
    Ok(RejectRedemptionResponse { redemption: Some(redemption) })
}

/// What was kept for a repeat, with what was said about it, as long as that is known.
async fn said(
    tx: &mut Tx,
    id: RedemptionId,
    kept: proto::Redemption,
) -> Result<proto::Redemption, Fault> {
    let found = store::find(tx, id).await?.ok_or_else(|| Fault::not_found("redemption"))?;
    Ok(proto::Redemption { reason: found.reason, ..kept })
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
