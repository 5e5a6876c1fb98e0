//! The RPCs of bindings.

use chrono::{DateTime, Utc};
use siyu_events::NewEvent;
use siyu_grpc::{Ctx, parse, serve};
use siyu_kernel::{Code, Fault, Id};
use siyu_pg::{Tx, page};
use siyu_proto::distribution::v1::{
    BindCustomerRequest, BindCustomerResponse, BindOutcome, CustomerBound, GetBindingRequest,
    GetBindingResponse, ListBindingsRequest, ListBindingsResponse,
    binding_service_server::BindingService,
};
use tonic::{Request, Response, Status, async_trait};
use uuid::Uuid;

use super::{
    domain::{Binding, Click, Decision, decide},
    store,
};
use crate::{
    App, buyer, commission, limits,
    promoter::{self, PersonId, Promoter},
};

#[async_trait]
impl BindingService for App {
    async fn bind_customer(
        &self,
        request: Request<BindCustomerRequest>,
    ) -> Result<Response<BindCustomerResponse>, Status> {
        serve(request, |ctx, message| bind(self, ctx, message)).await
    }

    async fn get_binding(
        &self,
        request: Request<GetBindingRequest>,
    ) -> Result<Response<GetBindingResponse>, Status> {
        serve(request, |ctx, message| get(self, ctx, message)).await
    }

    async fn list_bindings(
        &self,
        request: Request<ListBindingsRequest>,
    ) -> Result<Response<ListBindingsResponse>, Status> {
        serve(request, |ctx, message| list(self, ctx, message)).await
    }
}

async fn bind(
    app: &App,
    ctx: Ctx,
    request: BindCustomerRequest,
) -> Result<BindCustomerResponse, Fault> {
    let person_id = parse::id("person_id", &request.person_id)?;
    let promoter_id = parse::id("promoter_id", &request.promoter_id)?;
    let at = parse::optional_instant("click_time", request.click_time)?.unwrap_or(ctx.now);
    if at > ctx.now {
        return Err(Fault::field("click_time", "must not lie in the future"));
    }
    for _ in 0..limits::RACE_ATTEMPTS_MAX {
        let mut tx = app.db.tenant(ctx.merchant()?).await?;
        buyer::store::hold(&mut tx).await?;
        let person_id = buyer::store::lead(&mut tx, person_id).await?;
        let mut promoter = promoter::store::find(&mut tx, promoter_id)
            .await?
            .ok_or_else(|| Fault::not_found("promoter"))?;
        promoter.person_id = buyer::store::lead(&mut tx, promoter.person_id).await?;
        let click = Click { person_id, promoter: &promoter, at, source: &request.source };
        if let Some((outcome, binding)) = apply(app, &mut tx, &ctx, &click).await? {
            tx.commit().await?;
            return Ok(BindCustomerResponse {
                outcome: outcome.into(),
                binding: binding.map(Into::into),
            });
        }
    }
    Err(Fault::new(
        Code::Aborted,
        "BINDING_CONTENDED",
        "other clicks of the customer are stored at this moment",
    ))
}

/// Applies a click; `None` when another click opened a binding at the same moment.
async fn apply(
    app: &App,
    tx: &mut Tx,
    ctx: &Ctx,
    click: &Click<'_>,
) -> Result<Option<(BindOutcome, Option<Binding>)>, Fault> {
    let rule = commission::rule_at(tx, click.at).await?;
    let open = store::lock_open(tx, click.person_id).await?;
    let (binding, outcome) =
        match decide(open.as_ref(), click, &rule, Id::from_uuid(app.ids.uuid())) {
            Decision::Keep(outcome) => {
                let in_force = store::in_force(tx, &[(click.person_id, click.at)]).await?.remove(0);
                return Ok(Some((outcome, in_force)));
            }
            Decision::Refresh(longer) => {
                if open.as_ref() != Some(&longer) {
                    store::save_terms(tx, &longer).await?;
                    publish(app, tx, ctx, &longer, click.promoter).await?;
                }
                return Ok(Some((BindOutcome::Refreshed, Some(longer))));
            }
            Decision::Bind { binding, ends_open_at, outcome } => {
                if let (Some(open), Some(at)) = (&open, ends_open_at) {
                    store::end(tx, open.id, at).await?;
                }
                (binding, outcome)
            }
        };
    if !store::insert(tx, &binding, ctx.now).await? {
        return Ok(None);
    }
    publish(app, tx, ctx, &binding, click.promoter).await?;
    Ok(Some((outcome, Some(binding))))
}

async fn publish(
    app: &App,
    tx: &mut Tx,
    ctx: &Ctx,
    binding: &Binding,
    promoter: &Promoter,
) -> Result<(), siyu_pg::Error> {
    // Where it came from is for those who may see it, and the log of facts forgets nothing.
    let told = Binding { source: String::new(), ..binding.clone() };
    let fact = CustomerBound {
        binding: Some(told.into()),
        promoter_person_id: promoter.person_id.to_string(),
    };
    siyu_events::append(tx, &[NewEvent::of(app.ids.uuid(), &binding.person_id, ctx.now, &fact)])
        .await
}

async fn get(app: &App, ctx: Ctx, request: GetBindingRequest) -> Result<GetBindingResponse, Fault> {
    let person_id: PersonId = parse::id("person_id", &request.person_id)?;
    let at = parse::optional_instant("at_time", request.at_time)?.unwrap_or(ctx.now);
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let person_id = buyer::store::lead(&mut tx, person_id).await?;
    let found = store::in_force(&mut tx, &[(person_id, at)]).await?.remove(0);
    let binding = found.ok_or_else(|| Fault::not_found("binding"))?;
    Ok(GetBindingResponse { binding: Some(binding.into()) })
}

async fn list(
    app: &App,
    ctx: Ctx,
    request: ListBindingsRequest,
) -> Result<ListBindingsResponse, Fault> {
    let promoter_id = parse::id("promoter_id", &request.promoter_id)?;
    let filter = request.promoter_id.as_bytes();
    let page = page::Request::<(DateTime<Utc>, Uuid)>::parse(
        request.page_size,
        &request.page_token,
        limits::PAGE,
        filter,
    )?;
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    if promoter::store::find(&mut tx, promoter_id).await?.is_none() {
        return Err(Fault::not_found("promoter"));
    }
    let rows = store::list(&mut tx, promoter_id, page.after, page.fetch()).await?;
    let page = page.page(rows, |binding| (binding.bound_at, binding.id.uuid()));
    Ok(ListBindingsResponse {
        bindings: page.items.into_iter().map(Into::into).collect(),
        next_page_token: page.next_token,
    })
}
