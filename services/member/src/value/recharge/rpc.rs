//! The RPCs of recharges.

use siyu_grpc::{Ctx, parse, serve};
use siyu_kernel::Fault;
use siyu_pg::{page, replay};
use siyu_proto::member::v1::{
    CheckRechargeRequest, CheckRechargeResponse, CloseRechargePlanRequest,
    CloseRechargePlanResponse, CreateRechargePlanRequest, CreateRechargePlanResponse,
    GetRechargeRequest, GetRechargeResponse, ListRechargePlansRequest, ListRechargePlansResponse,
    ListRechargesRequest, ListRechargesResponse, RechargeRequest, RechargeResponse,
    RefundRechargeRequest, RefundRechargeResponse, recharge_service_server::RechargeService,
};
use tonic::{Request, Response, Status, async_trait};
use uuid::Uuid;

use super::{
    back::{self, Blame},
    plan_rpc,
    record::{self, Ask},
    store,
};
use crate::{
    App, limits,
    value::{self, card, policy},
};

const RECHARGE: &str = "siyu.member.v1.RechargeService/Recharge";
const REFUND: &str = "siyu.member.v1.RechargeService/RefundRecharge";

#[async_trait]
impl RechargeService for App {
    async fn create_recharge_plan(
        &self,
        request: Request<CreateRechargePlanRequest>,
    ) -> Result<Response<CreateRechargePlanResponse>, Status> {
        serve(request, |ctx, message| plan_rpc::create(self, ctx, message)).await
    }

    async fn close_recharge_plan(
        &self,
        request: Request<CloseRechargePlanRequest>,
    ) -> Result<Response<CloseRechargePlanResponse>, Status> {
        serve(request, |ctx, message| plan_rpc::close(self, ctx, message)).await
    }

    async fn list_recharge_plans(
        &self,
        request: Request<ListRechargePlansRequest>,
    ) -> Result<Response<ListRechargePlansResponse>, Status> {
        serve(request, |ctx, message| plan_rpc::list(self, ctx, message)).await
    }

    async fn check_recharge(
        &self,
        request: Request<CheckRechargeRequest>,
    ) -> Result<Response<CheckRechargeResponse>, Status> {
        serve(request, |ctx, message| check(self, ctx, message)).await
    }

    async fn recharge(
        &self,
        request: Request<RechargeRequest>,
    ) -> Result<Response<RechargeResponse>, Status> {
        serve(request, |ctx, message| recharge(self, ctx, message)).await
    }

    async fn refund_recharge(
        &self,
        request: Request<RefundRechargeRequest>,
    ) -> Result<Response<RefundRechargeResponse>, Status> {
        serve(request, |ctx, message| refund(self, ctx, message)).await
    }

    async fn get_recharge(
        &self,
        request: Request<GetRechargeRequest>,
    ) -> Result<Response<GetRechargeResponse>, Status> {
        serve(request, |ctx, message| get(self, ctx, message)).await
    }

    async fn list_recharges(
        &self,
        request: Request<ListRechargesRequest>,
    ) -> Result<Response<ListRechargesResponse>, Status> {
        serve(request, |ctx, message| list(self, ctx, message)).await
    }
}

async fn check(
    app: &App,
    ctx: Ctx,
    request: CheckRechargeRequest,
) -> Result<CheckRechargeResponse, Fault> {
    let ask = Ask::of_check(&request)?;
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let (findings, adds, terms) = record::check(&mut tx, &ctx, &ask).await?;
    Ok(CheckRechargeResponse {
        allowed: !findings.iter().any(|finding| finding.exceeded),
        findings,
        principal_minor: adds.principal,
        bonus_minor: adds.bonus,
        currency_code: terms.currency.code().to_owned(),
    })
}

async fn recharge(
    app: &App,
    ctx: Ctx,
    request: RechargeRequest,
) -> Result<RechargeResponse, Fault> {
    let ask = Ask::of_recharge(&request)?;
    let store_id = parse::optional_id("store_id", &request.store_id)?;
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    if let Some(reply) = replay::find(&mut tx, RECHARGE, &request.request_id, &request).await? {
        return Ok(reply);
    }
    let reference = &request.payment_reference;
    let (recharge, card, alerts) =
        record::record(app, &mut tx, &ctx, &ask, store_id, reference).await?;
    let reply = RechargeResponse { recharge: Some(recharge), card: Some(card), alerts };
    replay::keep(&mut tx, RECHARGE, &request.request_id, &reply).await?;
    tx.commit().await?;
    Ok(reply)
}

async fn refund(
    app: &App,
    ctx: Ctx,
    request: RefundRechargeRequest,
) -> Result<RefundRechargeResponse, Fault> {
    let id = parse::id("recharge_id", &request.recharge_id)?;
    let blame = Blame::read(request.fault)?;
    let store_id = parse::optional_id("store_id", &request.store_id)?;
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    if let Some(reply) = replay::find(&mut tx, REFUND, &request.request_id, &request).await? {
        return Ok(reply);
    }
    value::known_store(&mut tx, store_id).await?;
    let (recharge, card) = back::back(app, &mut tx, &ctx, id, blame, store_id).await?;
    let reply = RefundRechargeResponse { recharge: Some(recharge), card: Some(card) };
    replay::keep(&mut tx, REFUND, &request.request_id, &reply).await?;
    tx.commit().await?;
    Ok(reply)
}

async fn get(
    app: &App,
    ctx: Ctx,
    request: GetRechargeRequest,
) -> Result<GetRechargeResponse, Fault> {
    let id = parse::id("recharge_id", &request.recharge_id)?;
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let terms = policy::terms(&mut tx, ctx.now).await?;
    let recharge = store::find(&mut tx, id).await?.ok_or_else(|| Fault::not_found("recharge"))?;
    Ok(GetRechargeResponse { recharge: Some(recharge.show(terms.currency)) })
}

async fn list(
    app: &App,
    ctx: Ctx,
    request: ListRechargesRequest,
) -> Result<ListRechargesResponse, Fault> {
    let id = parse::id("card_id", &request.card_id)?;
    let filter = request.card_id.as_bytes();
    let page =
        page::Request::<Uuid>::parse(request.page_size, &request.page_token, limits::PAGE, filter)?;
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let terms = policy::terms(&mut tx, ctx.now).await?;
    card::store::find(&mut tx, id).await?.ok_or_else(|| Fault::not_found("card"))?;
    let rows = store::list(&mut tx, id, page.after, page.fetch()).await?;
    let page = page.page(rows, |recharge| recharge.id.uuid());
    Ok(ListRechargesResponse {
        recharges: page.items.iter().map(|recharge| recharge.show(terms.currency)).collect(),
        next_page_token: page.next_token,
    })
}
