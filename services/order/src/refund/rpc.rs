//! The RPCs of refunds.

use siyu_grpc::{Ctx, parse, serve};
use siyu_kernel::Fault;
use siyu_pg::page;
use siyu_proto::order::v1::{
    self as proto, DecideRefundRequest, DecideRefundResponse, GetRefundRequest, GetRefundResponse,
    ListRefundsRequest, ListRefundsResponse, PlanRefundRequest, PlanRefundResponse,
    RequestRefundRequest, RequestRefundResponse, refund_service_server::RefundService,
};
use tonic::{Request, Response, Status, async_trait};
use uuid::Uuid;

use super::{
    domain::{Event, Part, Refund, RefundId, State},
    request, rewards, run, store,
};
use crate::{
    App, limits,
    order::{advance, domain::Order},
};

#[async_trait]
impl RefundService for App {
    async fn plan_refund(
        &self,
        request: Request<PlanRefundRequest>,
    ) -> Result<Response<PlanRefundResponse>, Status> {
        serve(request, |ctx, message| plan(self, ctx, message)).await
    }

    async fn request_refund(
        &self,
        request: Request<RequestRefundRequest>,
    ) -> Result<Response<RequestRefundResponse>, Status> {
        serve(request, async |ctx, message| {
            let refund = request::request(self, &ctx, &message).await?;
            let refund = go_on(self, &ctx, refund.id).await?;
            Ok::<_, Fault>(RequestRefundResponse { refund: Some(show(&refund)?) })
        })
        .await
    }

    async fn decide_refund(
        &self,
        request: Request<DecideRefundRequest>,
    ) -> Result<Response<DecideRefundResponse>, Status> {
        serve(request, |ctx, message| decide(self, ctx, message)).await
    }

    async fn get_refund(
        &self,
        request: Request<GetRefundRequest>,
    ) -> Result<Response<GetRefundResponse>, Status> {
        serve(request, async |ctx: Ctx, message: GetRefundRequest| {
            let id = parse::id("refund_id", &message.refund_id)?;
            let refund = read(self, &ctx, id).await?;
            Ok::<_, Fault>(GetRefundResponse { refund: Some(show(&refund)?) })
        })
        .await
    }

    async fn list_refunds(
        &self,
        request: Request<ListRefundsRequest>,
    ) -> Result<Response<ListRefundsResponse>, Status> {
        serve(request, |ctx, message| list(self, ctx, message)).await
    }
}

async fn plan(
    app: &App,
    ctx: Ctx,
    request: PlanRefundRequest,
) -> Result<PlanRefundResponse, Fault> {
    let id = parse::id("order_id", &request.order_id)?;
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let order = crate::order::store::find(&mut tx, id).await?;
    let order = order.filter(Order::is_own).ok_or_else(|| Fault::not_found("order"))?;
    let ask = request.ask.unwrap_or_default();
    let (plan, _) = request::planned(&mut tx, &order, &ask, ctx.now).await?;
    Ok(PlanRefundResponse { plan: Some(plan) })
}

async fn decide(
    app: &App,
    ctx: Ctx,
    request: DecideRefundRequest,
) -> Result<DecideRefundResponse, Fault> {
    let id: RefundId = parse::id("refund_id", &request.refund_id)?;
    let event = match request.decision() {
        proto::RefundDecision::Agree => Some(Event::Agree),
        proto::RefundDecision::Reject => Some(Event::Reject),
        proto::RefundDecision::Withdraw => Some(Event::Withdraw),
        proto::RefundDecision::ReturnShipped => Some(Event::ReturnShipped),
        proto::RefundDecision::ReturnReceived => Some(Event::ReturnReceived),
        proto::RefundDecision::Retry => None,
        proto::RefundDecision::Unspecified => {
            return Err(Fault::field("decision", "is not a known value"));
        }
    };
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    let found = store::find(&mut tx, id).await?.ok_or_else(|| Fault::not_found("refund"))?;
    advance::lock(&mut tx, found.order_id, "").await?;
    let refund = store::lock(&mut tx, id).await?;
    let mut refund = refund.ok_or_else(|| Fault::not_found("refund"))?;
    let changed = match event {
        Some(event) => refund.take(event, ctx.now)?,
        None => refund.retry(ctx.now)?,
    };
    if changed {
        store::save(&mut tx, &refund).await?;
    }
    tx.commit().await?;
    let refund = go_on(app, &ctx, id).await?;
    Ok(DecideRefundResponse { refund: Some(show(&refund)?) })
}

/// Gives back what can be given back now; the job goes on with the rest. Gives the refund as it is then.
async fn go_on(app: &App, ctx: &Ctx, id: RefundId) -> Result<Refund, Fault> {
    let member = app.member.as_service_within(ctx);
    if let Err(fault) = run::run(app, ctx.merchant()?, id, &member).await {
        tracing::warn!(refund = %id, reason = fault.reason(), "a refund has to wait");
    }
    read(app, ctx, id).await
}

async fn read(app: &App, ctx: &Ctx, id: RefundId) -> Result<Refund, Fault> {
    let mut tx = app.db.tenant_lookup(ctx.merchant()?).await?;
    store::find(&mut tx, id).await?.ok_or_else(|| Fault::not_found("refund"))
}

async fn list(
    app: &App,
    ctx: Ctx,
    request: ListRefundsRequest,
) -> Result<ListRefundsResponse, Fault> {
    let order_id = parse::optional_id("order_id", &request.order_id)?;
    let state = proto::RefundState::try_from(request.state)
        .map_err(|_| Fault::field("state", "is not a known value"))?;
    let state = State::of_proto(state).map(State::as_str);
    let filter = format!("{order_id:?} {state:?}");
    let page = page::Request::<Uuid>::parse(
        request.page_size,
        &request.page_token,
        limits::PAGE,
        filter.as_bytes(),
    )?;
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let rows = store::list(&mut tx, order_id, state, page.after, page.fetch()).await?;
    let page = page.page(rows, |refund| refund.id.uuid());
    Ok(ListRefundsResponse {
        refunds: page.items.iter().map(show).collect::<Result<_, _>>()?,
        next_page_token: page.next_token,
    })
}

fn show(refund: &Refund) -> Result<proto::Refund, Fault> {
    let parts = [
        ("cash", refund.cash_minor, refund.cash),
        ("value", refund.value_minor, refund.value),
        ("points", refund.points, refund.points_part),
    ];
    let part = |(part, amount, stands): (&str, i64, Part)| proto::RefundPart {
        part: part.to_owned(),
        amount,
        done: stands == Part::Done,
        failure: if stands == Part::Failed { refund.failure.clone() } else { String::new() },
    };
    Ok(proto::Refund {
        id: refund.id.to_string(),
        order_id: refund.order_id.to_string(),
        number: refund.number,
        state: refund.state.show().into(),
        plan: Some(rewards::plan_shown(refund)?),
        parts: parts.into_iter().filter(|(_, amount, _)| *amount > 0).map(part).collect(),
        reason: refund.reason.clone(),
        needs_return: refund.needs_return,
        create_time: Some(parse::timestamp(refund.created_at)),
        end_time: refund.ended_at.map(parse::timestamp),
    })
}
