//! What the RPCs of plans do.

use siyu_grpc::{Ctx, parse};
use siyu_kernel::{Fault, Id};
use siyu_pg::{page, replay};
use siyu_proto::member::v1::{
    CloseRechargePlanRequest, CloseRechargePlanResponse, CreateRechargePlanRequest,
    CreateRechargePlanResponse, ListRechargePlansRequest, ListRechargePlansResponse,
};
use uuid::Uuid;

use super::{plan::Plan, store};
use crate::{App, limits, value::policy};

const CREATE: &str = "siyu.member.v1.RechargeService/CreateRechargePlan";
const CLOSE: &str = "siyu.member.v1.RechargeService/CloseRechargePlan";

pub(super) async fn create(
    app: &App,
    ctx: Ctx,
    request: CreateRechargePlanRequest,
) -> Result<CreateRechargePlanResponse, Fault> {
    let wanted = request.plan.clone().unwrap_or_default();
    let plan = Plan::read(&wanted, Id::from_uuid(app.ids.uuid()), ctx.now)?;
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    if let Some(reply) = replay::find(&mut tx, CREATE, &request.request_id, &request).await? {
        return Ok(reply);
    }
    let terms = policy::terms(&mut tx, ctx.now).await?;
    store::insert_plan(&mut tx, &plan).await?;
    let reply = CreateRechargePlanResponse { plan: Some(plan.show(terms.currency)) };
    replay::keep(&mut tx, CREATE, &request.request_id, &reply).await?;
    tx.commit().await?;
    Ok(reply)
}

pub(super) async fn close(
    app: &App,
    ctx: Ctx,
    request: CloseRechargePlanRequest,
) -> Result<CloseRechargePlanResponse, Fault> {
    let id = parse::id("plan_id", &request.plan_id)?;
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    if let Some(reply) = replay::find(&mut tx, CLOSE, &request.request_id, &request).await? {
        return Ok(reply);
    }
    let terms = policy::terms(&mut tx, ctx.now).await?;
    let plan = store::close_plan(&mut tx, id, ctx.now).await?;
    let plan = plan.ok_or_else(|| Fault::not_found("plan"))?;
    let reply = CloseRechargePlanResponse { plan: Some(plan.show(terms.currency)) };
    replay::keep(&mut tx, CLOSE, &request.request_id, &reply).await?;
    tx.commit().await?;
    Ok(reply)
}

pub(super) async fn list(
    app: &App,
    ctx: Ctx,
    request: ListRechargePlansRequest,
) -> Result<ListRechargePlansResponse, Fault> {
    let page =
        page::Request::<Uuid>::parse(request.page_size, &request.page_token, limits::PAGE, b"")?;
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let terms = policy::terms(&mut tx, ctx.now).await?;
    let rows = store::list_plans(&mut tx, page.after, page.fetch()).await?;
    let page = page.page(rows, |plan| plan.id.uuid());
    Ok(ListRechargePlansResponse {
        plans: page.items.into_iter().map(|plan| plan.show(terms.currency)).collect(),
        next_page_token: page.next_token,
    })
}
