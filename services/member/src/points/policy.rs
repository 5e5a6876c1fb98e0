//! The RPCs of the rules by which points are given.

use chrono::{DateTime, Utc};
use siyu_grpc::{Ctx, parse, serve};
use siyu_kernel::{Fault, Zone};
use siyu_pg::{Tx, page, replay};
use siyu_proto::member::v1::{
    GetPointsPolicyRequest, GetPointsPolicyResponse, ListPointsPoliciesRequest,
    ListPointsPoliciesResponse, SetPointsPolicyRequest, SetPointsPolicyResponse,
    points_policy_service_server::PointsPolicyService,
};
use tonic::{Request, Response, Status, async_trait};

use super::{
    domain::{self, Policy},
    store,
};
use crate::{App, limits, merchant};

const SET: &str = "siyu.member.v1.PointsPolicyService/SetPointsPolicy";

#[async_trait]
impl PointsPolicyService for App {
    async fn set_points_policy(
        &self,
        request: Request<SetPointsPolicyRequest>,
    ) -> Result<Response<SetPointsPolicyResponse>, Status> {
        serve(request, |ctx, message| set(self, ctx, message)).await
    }

    async fn get_points_policy(
        &self,
        request: Request<GetPointsPolicyRequest>,
    ) -> Result<Response<GetPointsPolicyResponse>, Status> {
        serve(request, |ctx, message| get(self, ctx, message)).await
    }

    async fn list_points_policies(
        &self,
        request: Request<ListPointsPoliciesRequest>,
    ) -> Result<Response<ListPointsPoliciesResponse>, Status> {
        serve(request, |ctx, message| list(self, ctx, message)).await
    }
}

/// The rules in force, and the zone in which days are cut.
pub(crate) async fn current(tx: &mut Tx, now: DateTime<Utc>) -> Result<(Policy, Zone), Fault> {
    let (policies, zone) = all(tx).await?;
    Ok((domain::in_force(&policies, now), zone))
}

/// Every version of the rules, and the zone in which days are cut.
pub(crate) async fn all(tx: &mut Tx) -> Result<(Vec<Policy>, Zone), Fault> {
    let zone = merchant::zone(tx).await?;
    Ok((store::policies(tx).await?, zone))
}

async fn set(
    app: &App,
    ctx: Ctx,
    request: SetPointsPolicyRequest,
) -> Result<SetPointsPolicyResponse, Fault> {
    let policy = request.policy.clone().unwrap_or_default();
    let mut policy = Policy::read(&policy, ctx.now)?;
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    if let Some(reply) = replay::find(&mut tx, SET, &request.request_id, &request).await? {
        return Ok(reply);
    }
    // One after the other: a version is the next of what stands.
    merchant::store::lock(&mut tx).await?;
    let known = store::policies(&mut tx).await?;
    if policy.effective_at < ctx.now && !known.is_empty() {
        return Err(Fault::field("policy.effective_time", "must not be in the past"));
    }
    policy.version = 1 + known.iter().map(|known| known.version).max().unwrap_or(0);
    store::insert_policy(&mut tx, &policy, ctx.now).await?;
    let reply = SetPointsPolicyResponse { policy: Some((&policy).into()) };
    replay::keep(&mut tx, SET, &request.request_id, &reply).await?;
    tx.commit().await?;
    Ok(reply)
}

async fn get(
    app: &App,
    ctx: Ctx,
    request: GetPointsPolicyRequest,
) -> Result<GetPointsPolicyResponse, Fault> {
    let at = parse::optional_instant("in_force_time", request.in_force_time)?;
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let policies = store::policies(&mut tx).await?;
    let policy = domain::in_force(&policies, at.unwrap_or(ctx.now));
    Ok(GetPointsPolicyResponse { policy: Some((&policy).into()) })
}

async fn list(
    app: &App,
    ctx: Ctx,
    request: ListPointsPoliciesRequest,
) -> Result<ListPointsPoliciesResponse, Fault> {
    let page =
        page::Request::<i32>::parse(request.page_size, &request.page_token, limits::PAGE, b"")?;
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let rows = store::list_policies(&mut tx, page.after, page.fetch()).await?;
    let page = page.page(rows, |policy| policy.version);
    Ok(ListPointsPoliciesResponse {
        policies: page.items.iter().map(Into::into).collect(),
        next_page_token: page.next_token,
    })
}
