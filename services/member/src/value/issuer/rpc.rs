//! The RPCs of issuers and of the rules for prepaid cards.

use siyu_grpc::{Ctx, parse, serve};
use siyu_kernel::{Fault, Id};
use siyu_pg::{page, replay};
use siyu_proto::member::v1::{
    CreateIssuerRequest, CreateIssuerResponse, GetIssuerRequest, GetIssuerResponse,
    GetPrepaidPolicyRequest, GetPrepaidPolicyResponse, IssuerChanged, ListIssuersRequest,
    ListIssuersResponse, ListPrepaidPoliciesRequest, ListPrepaidPoliciesResponse, PrepaidPolicy,
    PrepaidPolicyChanged, SetPrepaidPolicyRequest, SetPrepaidPolicyResponse, UpdateIssuerRequest,
    UpdateIssuerResponse, issuer_service_server::IssuerService,
};
use tonic::{Request, Response, Status, async_trait};
use uuid::Uuid;

use super::{Issuer, store};
use crate::{
    App, limits, publish,
    value::{Order, policy},
};

const CREATE: &str = "siyu.member.v1.IssuerService/CreateIssuer";
const UPDATE: &str = "siyu.member.v1.IssuerService/UpdateIssuer";
const SET_POLICY: &str = "siyu.member.v1.IssuerService/SetPrepaidPolicy";

#[async_trait]
impl IssuerService for App {
    async fn create_issuer(
        &self,
        request: Request<CreateIssuerRequest>,
    ) -> Result<Response<CreateIssuerResponse>, Status> {
        serve(request, |ctx, message| create(self, ctx, message)).await
    }

    async fn update_issuer(
        &self,
        request: Request<UpdateIssuerRequest>,
    ) -> Result<Response<UpdateIssuerResponse>, Status> {
        serve(request, |ctx, message| update(self, ctx, message)).await
    }

    async fn get_issuer(
        &self,
        request: Request<GetIssuerRequest>,
    ) -> Result<Response<GetIssuerResponse>, Status> {
        serve(request, |ctx, message| get(self, ctx, message)).await
    }

    async fn list_issuers(
        &self,
        request: Request<ListIssuersRequest>,
    ) -> Result<Response<ListIssuersResponse>, Status> {
        serve(request, |ctx, message| list(self, ctx, message)).await
    }

    async fn set_prepaid_policy(
        &self,
        request: Request<SetPrepaidPolicyRequest>,
    ) -> Result<Response<SetPrepaidPolicyResponse>, Status> {
        serve(request, |ctx, message| set_policy(self, ctx, message)).await
    }

    async fn get_prepaid_policy(
        &self,
        request: Request<GetPrepaidPolicyRequest>,
    ) -> Result<Response<GetPrepaidPolicyResponse>, Status> {
        serve(request, |ctx, message| get_policy(self, ctx, message)).await
    }

    async fn list_prepaid_policies(
        &self,
        request: Request<ListPrepaidPoliciesRequest>,
    ) -> Result<Response<ListPrepaidPoliciesResponse>, Status> {
        serve(request, |ctx, message| list_policies(self, ctx, message)).await
    }
}

async fn create(
    app: &App,
    ctx: Ctx,
    request: CreateIssuerRequest,
) -> Result<CreateIssuerResponse, Fault> {
    let wanted = request.issuer.clone().unwrap_or_default();
    let issuer = Issuer::read(&wanted, Id::from_uuid(app.ids.uuid()), ctx.now)?;
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    if let Some(reply) = replay::find(&mut tx, CREATE, &request.request_id, &request).await? {
        return Ok(reply);
    }
    let terms = policy::terms(&mut tx, ctx.now).await?;
    store::insert(&mut tx, &issuer).await?;
    let subject = issuer.id.to_string();
    let shown = issuer.show(terms.currency);
    let fact = IssuerChanged { issuer: Some(shown.clone()) };
    publish(app, &mut tx, &ctx, subject, &fact).await?;
    let reply = CreateIssuerResponse { issuer: Some(shown) };
    replay::keep(&mut tx, CREATE, &request.request_id, &reply).await?;
    tx.commit().await?;
    Ok(reply)
}

async fn update(
    app: &App,
    ctx: Ctx,
    request: UpdateIssuerRequest,
) -> Result<UpdateIssuerResponse, Fault> {
    let id = parse::id("issuer_id", &request.issuer_id)?;
    let wanted = request.issuer.clone().unwrap_or_default();
    let issuer = Issuer::read(&wanted, id, ctx.now)?;
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    if let Some(reply) = replay::find(&mut tx, UPDATE, &request.request_id, &request).await? {
        return Ok(reply);
    }
    let known = store::lock(&mut tx, id).await?.ok_or_else(|| Fault::not_found("issuer"))?;
    let terms = policy::terms(&mut tx, ctx.now).await?;
    let issuer = Issuer { created_at: known.created_at, ..issuer };
    store::save(&mut tx, &issuer).await?;
    let shown = issuer.show(terms.currency);
    let fact = IssuerChanged { issuer: Some(shown.clone()) };
    publish(app, &mut tx, &ctx, id.to_string(), &fact).await?;
    let reply = UpdateIssuerResponse { issuer: Some(shown) };
    replay::keep(&mut tx, UPDATE, &request.request_id, &reply).await?;
    tx.commit().await?;
    Ok(reply)
}

async fn get(app: &App, ctx: Ctx, request: GetIssuerRequest) -> Result<GetIssuerResponse, Fault> {
    let id = parse::id("issuer_id", &request.issuer_id)?;
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let terms = policy::terms(&mut tx, ctx.now).await?;
    let issuer = store::find(&mut tx, id).await?.ok_or_else(|| Fault::not_found("issuer"))?;
    Ok(GetIssuerResponse { issuer: Some(issuer.show(terms.currency)) })
}

async fn list(
    app: &App,
    ctx: Ctx,
    request: ListIssuersRequest,
) -> Result<ListIssuersResponse, Fault> {
    let page =
        page::Request::<Uuid>::parse(request.page_size, &request.page_token, limits::PAGE, b"")?;
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let terms = policy::terms(&mut tx, ctx.now).await?;
    let rows = store::list(&mut tx, page.after, page.fetch()).await?;
    let page = page.page(rows, |issuer| issuer.id.uuid());
    Ok(ListIssuersResponse {
        issuers: page.items.into_iter().map(|issuer| issuer.show(terms.currency)).collect(),
        next_page_token: page.next_token,
    })
}

async fn set_policy(
    app: &App,
    ctx: Ctx,
    request: SetPrepaidPolicyRequest,
) -> Result<SetPrepaidPolicyResponse, Fault> {
    let wanted = request.policy.unwrap_or_default();
    let given = parse::optional_instant("policy.effective_time", wanted.effective_time)?;
    let effective_at = given.unwrap_or(ctx.now);
    if effective_at < ctx.now {
        return Err(Fault::field("policy.effective_time", "must not be past"));
    }
    let order = Order::read("policy.consumption_order", wanted.consumption_order)?;
    siyu_proto::member::v1::ClosedCardRefund::try_from(wanted.closed_card_refund)
        .map_err(|_| Fault::field("policy.closed_card_refund", "is not a known value"))?;
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    if let Some(reply) = replay::find(&mut tx, SET_POLICY, &request.request_id, &request).await? {
        return Ok(reply);
    }
    let policy = PrepaidPolicy {
        version: policy::store::lock_latest(&mut tx).await? + 1,
        effective_time: Some(parse::timestamp(effective_at)),
        consumption_order: siyu_proto::member::v1::ConsumptionOrder::from(order).into(),
        ..wanted
    };
    policy::store::insert(&mut tx, &policy, effective_at, ctx.now).await?;
    let fact = PrepaidPolicyChanged { policy: Some(policy) };
    publish(app, &mut tx, &ctx, ctx.merchant()?.to_string(), &fact).await?;
    let reply = SetPrepaidPolicyResponse { policy: Some(policy) };
    replay::keep(&mut tx, SET_POLICY, &request.request_id, &reply).await?;
    tx.commit().await?;
    Ok(reply)
}

async fn get_policy(
    app: &App,
    ctx: Ctx,
    request: GetPrepaidPolicyRequest,
) -> Result<GetPrepaidPolicyResponse, Fault> {
    let at = parse::optional_instant("at_time", request.at_time)?.unwrap_or(ctx.now);
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let terms = policy::terms(&mut tx, at).await?;
    Ok(GetPrepaidPolicyResponse { policy: Some(terms.policy) })
}

async fn list_policies(
    app: &App,
    ctx: Ctx,
    request: ListPrepaidPoliciesRequest,
) -> Result<ListPrepaidPoliciesResponse, Fault> {
    let page =
        page::Request::<i64>::parse(request.page_size, &request.page_token, limits::PAGE, b"")?;
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let rows = policy::store::list(&mut tx, page.after, page.fetch()).await?;
    let page = page.page(rows, |policy| policy.version);
    Ok(ListPrepaidPoliciesResponse { policies: page.items, next_page_token: page.next_token })
}
