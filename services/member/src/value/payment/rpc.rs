//! The RPCs of payments.

use siyu_grpc::{Ctx, parse, serve};
use siyu_kernel::Fault;
use siyu_pg::{page, replay};
use siyu_proto::member::v1::{
    CaptureHoldRequest, CaptureHoldResponse, GetValuePaymentRequest, GetValuePaymentResponse,
    HoldValueRequest, HoldValueResponse, ListValuePaymentsRequest, ListValuePaymentsResponse,
    PayValueRequest, PayValueResponse, RefundValueRequest, RefundValueResponse, VoidHoldRequest,
    VoidHoldResponse, stored_value_service_server::StoredValueService,
};
use tonic::{Request, Response, Status, async_trait};
use uuid::Uuid;

use super::{
    domain::{Part, PaymentId, show},
    hold,
    pay::{self, Ask},
    refund, store,
};
use crate::{App, limits, value::policy};

const PAY: &str = "siyu.member.v1.StoredValueService/PayValue";
const HOLD: &str = "siyu.member.v1.StoredValueService/HoldValue";
const CAPTURE: &str = "siyu.member.v1.StoredValueService/CaptureHold";
const VOID: &str = "siyu.member.v1.StoredValueService/VoidHold";
const REFUND: &str = "siyu.member.v1.StoredValueService/RefundValue";

#[async_trait]
impl StoredValueService for App {
    async fn pay_value(
        &self,
        request: Request<PayValueRequest>,
    ) -> Result<Response<PayValueResponse>, Status> {
        serve(request, |ctx, message| pay_value(self, ctx, message)).await
    }

    async fn hold_value(
        &self,
        request: Request<HoldValueRequest>,
    ) -> Result<Response<HoldValueResponse>, Status> {
        serve(request, |ctx, message| hold_value(self, ctx, message)).await
    }

    async fn capture_hold(
        &self,
        request: Request<CaptureHoldRequest>,
    ) -> Result<Response<CaptureHoldResponse>, Status> {
        serve(request, |ctx, message| capture(self, ctx, message)).await
    }

    async fn void_hold(
        &self,
        request: Request<VoidHoldRequest>,
    ) -> Result<Response<VoidHoldResponse>, Status> {
        serve(request, |ctx, message| void(self, ctx, message)).await
    }

    async fn refund_value(
        &self,
        request: Request<RefundValueRequest>,
    ) -> Result<Response<RefundValueResponse>, Status> {
        serve(request, |ctx, message| refund_value(self, ctx, message)).await
    }

    async fn get_value_payment(
        &self,
        request: Request<GetValuePaymentRequest>,
    ) -> Result<Response<GetValuePaymentResponse>, Status> {
        serve(request, |ctx, message| get(self, ctx, message)).await
    }

    async fn list_value_payments(
        &self,
        request: Request<ListValuePaymentsRequest>,
    ) -> Result<Response<ListValuePaymentsResponse>, Status> {
        serve(request, |ctx, message| list(self, ctx, message)).await
    }
}

async fn pay_value(
    app: &App,
    ctx: Ctx,
    request: PayValueRequest,
) -> Result<PayValueResponse, Fault> {
    let PayValueRequest { request_id, charges, person_id, order_reference, store_id } = &request;
    let ask = Ask::read(charges, person_id, order_reference, store_id)?;
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    if let Some(reply) = replay::find(&mut tx, PAY, request_id, &request).await? {
        return Ok(reply);
    }
    let payment = pay::pay(app, &mut tx, &ctx, &ask).await?;
    let reply = PayValueResponse { payment: Some(payment) };
    replay::keep(&mut tx, PAY, request_id, &reply).await?;
    tx.commit().await?;
    Ok(reply)
}

async fn hold_value(
    app: &App,
    ctx: Ctx,
    request: HoldValueRequest,
) -> Result<HoldValueResponse, Fault> {
    let HoldValueRequest { request_id, charges, person_id, order_reference, store_id, .. } =
        &request;
    let ask = Ask::read(charges, person_id, order_reference, store_id)?;
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    if let Some(reply) = replay::find(&mut tx, HOLD, request_id, &request).await? {
        return Ok(reply);
    }
    let payment = pay::hold(app, &mut tx, &ctx, &ask, request.hold_minutes).await?;
    let reply = HoldValueResponse { payment: Some(payment) };
    replay::keep(&mut tx, HOLD, request_id, &reply).await?;
    tx.commit().await?;
    Ok(reply)
}

async fn capture(
    app: &App,
    ctx: Ctx,
    request: CaptureHoldRequest,
) -> Result<CaptureHoldResponse, Fault> {
    let id = parse::id("payment_id", &request.payment_id)?;
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    if let Some(reply) = replay::find(&mut tx, CAPTURE, &request.request_id, &request).await? {
        return Ok(reply);
    }
    let payment = hold::capture(app, &mut tx, &ctx, id, request.amount_minor).await?;
    let reply = CaptureHoldResponse { payment: Some(payment) };
    replay::keep(&mut tx, CAPTURE, &request.request_id, &reply).await?;
    tx.commit().await?;
    Ok(reply)
}

async fn void(app: &App, ctx: Ctx, request: VoidHoldRequest) -> Result<VoidHoldResponse, Fault> {
    let id = parse::id("payment_id", &request.payment_id)?;
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    if let Some(reply) = replay::find(&mut tx, VOID, &request.request_id, &request).await? {
        return Ok(reply);
    }
    let payment = hold::void(app, &mut tx, &ctx, id).await?;
    let reply = VoidHoldResponse { payment: Some(payment) };
    replay::keep(&mut tx, VOID, &request.request_id, &reply).await?;
    tx.commit().await?;
    Ok(reply)
}

async fn refund_value(
    app: &App,
    ctx: Ctx,
    request: RefundValueRequest,
) -> Result<RefundValueResponse, Fault> {
    let id = parse::id("payment_id", &request.payment_id)?;
    let store_id = parse::optional_id("store_id", &request.store_id)?;
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    if let Some(reply) = replay::find(&mut tx, REFUND, &request.request_id, &request).await? {
        return Ok(reply);
    }
    crate::value::known_store(&mut tx, store_id).await?;
    let (payment, returns) =
        refund::refund(app, &mut tx, &ctx, id, request.amount_minor, store_id).await?;
    let reply = RefundValueResponse { payment: Some(payment), returns };
    replay::keep(&mut tx, REFUND, &request.request_id, &reply).await?;
    tx.commit().await?;
    Ok(reply)
}

async fn get(
    app: &App,
    ctx: Ctx,
    request: GetValuePaymentRequest,
) -> Result<GetValuePaymentResponse, Fault> {
    let id = parse::id("payment_id", &request.payment_id)?;
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let terms = policy::terms(&mut tx, ctx.now).await?;
    let payment = store::find(&mut tx, id).await?.ok_or_else(|| Fault::not_found("payment"))?;
    let parts = store::parts(&mut tx, &[id]).await?;
    Ok(GetValuePaymentResponse { payment: Some(show(&payment, &parts, terms.currency)) })
}

async fn list(
    app: &App,
    ctx: Ctx,
    request: ListValuePaymentsRequest,
) -> Result<ListValuePaymentsResponse, Fault> {
    let filter = request.order_reference.as_bytes();
    let page =
        page::Request::<Uuid>::parse(request.page_size, &request.page_token, limits::PAGE, filter)?;
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let terms = policy::terms(&mut tx, ctx.now).await?;
    let rows = store::list(&mut tx, &request.order_reference, page.after, page.fetch()).await?;
    let page = page.page(rows, |payment| payment.id.uuid());
    let ids: Vec<PaymentId> = page.items.iter().map(|payment| payment.id).collect();
    let parts = store::parts(&mut tx, &ids).await?;
    let of = |id: PaymentId| -> Vec<Part> {
        parts.iter().filter(|part| part.payment_id == id).cloned().collect()
    };
    Ok(ListValuePaymentsResponse {
        payments: page.items.iter().map(|p| show(p, &of(p.id), terms.currency)).collect(),
        next_page_token: page.next_token,
    })
}
