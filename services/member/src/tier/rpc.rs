//! The RPCs of growth and tiers.

use siyu_grpc::{Ctx, parse, parse::timestamp, serve};
use siyu_kernel::{Fault, Id};
use siyu_ledger::{LotTerms, Movement, Transfer};
use siyu_pg::{page, replay};
use siyu_proto::member::v1::{
    GetTierPolicyRequest, GetTierPolicyResponse, GetTierStatusRequest, GetTierStatusResponse,
    GrantGrowthRequest, GrantGrowthResponse, ListTierChangesRequest, ListTierChangesResponse,
    SetInitialTierRequest, SetInitialTierResponse, SetTierPolicyRequest, SetTierPolicyResponse,
    tier_service_server::TierService,
};
use tonic::{Request, Response, Status, async_trait};
use uuid::Uuid;

use super::{
    Error,
    domain::{Policy, Reason, Standing},
    evaluate::{self, evaluate_by, place},
    store,
};
use crate::{
    App,
    account::{self, GROWTH, GROWTH_GRANTED},
    limits, merchant, person,
    points::{self, command::Note},
    vault,
};

const SET_POLICY: &str = "siyu.member.v1.TierService/SetTierPolicy";
const GRANT: &str = "siyu.member.v1.TierService/GrantGrowth";
const SET_INITIAL: &str = "siyu.member.v1.TierService/SetInitialTier";

#[async_trait]
impl TierService for App {
    async fn set_tier_policy(
        &self,
        request: Request<SetTierPolicyRequest>,
    ) -> Result<Response<SetTierPolicyResponse>, Status> {
        serve(request, |ctx, message| set_policy(self, ctx, message)).await
    }

    async fn get_tier_policy(
        &self,
        request: Request<GetTierPolicyRequest>,
    ) -> Result<Response<GetTierPolicyResponse>, Status> {
        serve(request, |ctx, _| get_policy(self, ctx)).await
    }

    async fn get_tier_status(
        &self,
        request: Request<GetTierStatusRequest>,
    ) -> Result<Response<GetTierStatusResponse>, Status> {
        serve(request, |ctx, message| get_status(self, ctx, message)).await
    }

    async fn list_tier_changes(
        &self,
        request: Request<ListTierChangesRequest>,
    ) -> Result<Response<ListTierChangesResponse>, Status> {
        serve(request, |ctx, message| list_changes(self, ctx, message)).await
    }

    async fn grant_growth(
        &self,
        request: Request<GrantGrowthRequest>,
    ) -> Result<Response<GrantGrowthResponse>, Status> {
        serve(request, |ctx, message| grant(self, ctx, message)).await
    }

    async fn set_initial_tier(
        &self,
        request: Request<SetInitialTierRequest>,
    ) -> Result<Response<SetInitialTierResponse>, Status> {
        serve(request, |ctx, message| set_initial(self, ctx, message)).await
    }
}

async fn set_policy(
    app: &App,
    ctx: Ctx,
    request: SetTierPolicyRequest,
) -> Result<SetTierPolicyResponse, Fault> {
    let mut policy = Policy::read(&request.policy.clone().unwrap_or_default())?;
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    if let Some(reply) = replay::find(&mut tx, SET_POLICY, &request.request_id, &request).await? {
        return Ok(reply);
    }
    // One after the other: a version is the next of what stands.
    merchant::store::lock(&mut tx).await?;
    policy.version = 1 + store::policy(&mut tx).await?.version;
    store::insert_policy(&mut tx, &policy, ctx.now).await?;
    let reply = SetTierPolicyResponse { policy: Some((&policy).into()) };
    replay::keep(&mut tx, SET_POLICY, &request.request_id, &reply).await?;
    tx.commit().await?;
    Ok(reply)
}

async fn get_policy(app: &App, ctx: Ctx) -> Result<GetTierPolicyResponse, Fault> {
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let policy = store::policy(&mut tx).await?;
    Ok(GetTierPolicyResponse { policy: Some((&policy).into()) })
}

/// Computed for the instant of the call, whether the jobs have come round or not.
async fn get_status(
    app: &App,
    ctx: Ctx,
    request: GetTierStatusRequest,
) -> Result<GetTierStatusResponse, Fault> {
    let asked = parse::id("person_id", &request.person_id)?;
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let person = person::canonical(&mut tx, asked).await?;
    let policy = store::policy(&mut tx).await?;
    let growth = evaluate::growth(&mut tx, &[person], ctx.now).await?;
    let growth = growth.get(&person).copied().unwrap_or(0);
    let (standing, _) = store::find(&mut tx, person).await?.at(&policy, growth, ctx.now);
    let (gap, next_name) = policy.gap(&standing, growth).unwrap_or_default();
    Ok(GetTierStatusResponse {
        tier: standing.tier,
        name: policy.tier(standing.tier).map(|tier| tier.name.clone()).unwrap_or_default(),
        growth,
        reach_time: standing.reached_at.map(timestamp),
        expire_time: standing.expires_at.map(timestamp),
        gap,
        next_name: next_name.to_owned(),
    })
}

async fn list_changes(
    app: &App,
    ctx: Ctx,
    request: ListTierChangesRequest,
) -> Result<ListTierChangesResponse, Fault> {
    let asked: person::PersonId = parse::id("person_id", &request.person_id)?;
    let page = page::Request::<Uuid>::parse(
        request.page_size,
        &request.page_token,
        limits::PAGE,
        asked.to_string().as_bytes(),
    )?;
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let person = person::canonical(&mut tx, asked).await?;
    let rows = store::list_changes(&mut tx, person, page.after, page.fetch()).await?;
    let page = page.page(rows, |step| step.id);
    let show = |step: &store::Step| {
        evaluate::show(step.from_tier, step.to_tier, step.reason, step.growth, step.changed_at)
    };
    Ok(ListTierChangesResponse {
        changes: page.items.iter().map(show).collect(),
        next_page_token: page.next_token,
    })
}

async fn grant(
    app: &App,
    ctx: Ctx,
    request: GrantGrowthRequest,
) -> Result<GrantGrowthResponse, Fault> {
    let asked = parse::id("person_id", &request.person_id)?;
    let print = vault::keys(app, ctx.merchant()?).await?.fingerprint(&request);
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    let person = person::hold(&mut tx, asked).await?;
    if let Some(reply) = replay::find(&mut tx, GRANT, &request.request_id, &print).await? {
        return Ok(reply);
    }
    let policy = store::policy(&mut tx).await?;
    let wanted =
        [account::held(app.ids.uuid(), person, GROWTH), account::issued(app.ids.uuid(), GROWTH)];
    let open = siyu_ledger::open(&mut tx, &wanted, ctx.now).await?;
    let terms = LotTerms::from(ctx.now).expires_at(ctx.now + policy.window());
    let movement = Movement::new(open[1].id, open[0].id, request.growth).lot(terms);
    let id = Id::from_uuid(app.ids.uuid());
    let transfer = Transfer::post(id, GROWTH_GRANTED, movement);
    siyu_ledger::post_all(&mut tx, &[transfer], ctx.now).await?;
    if !request.reason.is_empty() {
        let note = Note { action: String::new(), reason: request.reason.clone() };
        points::store::insert_notes(&mut tx, &[(id, &note)]).await?;
    }
    let reached = evaluate_by(app, &mut tx, &policy, &[person], ctx.now).await?;
    let (growth, tier) = reached.get(&person).copied().unwrap_or((0, 1));
    let reply = GrantGrowthResponse { growth, tier };
    replay::keep(&mut tx, GRANT, &request.request_id, &reply).await?;
    tx.commit().await?;
    Ok(reply)
}

async fn set_initial(
    app: &App,
    ctx: Ctx,
    request: SetInitialTierRequest,
) -> Result<SetInitialTierResponse, Fault> {
    let asked = parse::id("person_id", &request.person_id)?;
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    let person = person::hold(&mut tx, asked).await?;
    if let Some(reply) = replay::find(&mut tx, SET_INITIAL, &request.request_id, &request).await? {
        return Ok(reply);
    }
    let policy = store::policy(&mut tx).await?;
    if policy.tier(request.tier).is_none() {
        return Err(Fault::field("tier", "is not a tier of the merchant"));
    }
    let locked = store::lock(&mut tx, &[person]).await?;
    let before = locked.first().map_or(Standing::LOWEST, |(_, standing)| *standing);
    if before.tier >= request.tier {
        return Err(Error::NotHigher(before.tier).into());
    }
    let after = Standing::since(request.tier, ctx.now, &policy);
    // Who comes from elsewhere had its gifts there (rule 52).
    let had: Vec<_> = (2..=request.tier).map(|tier| (person, tier, 0)).collect();
    store::insert_gifts(&mut tx, &had, "withheld", ctx.now).await?;
    place(app, &mut tx, person, (before, after), Reason::Initial, ctx.now).await?;
    let reply = SetInitialTierResponse { expire_time: after.expires_at.map(timestamp) };
    replay::keep(&mut tx, SET_INITIAL, &request.request_id, &reply).await?;
    tx.commit().await?;
    Ok(reply)
}
