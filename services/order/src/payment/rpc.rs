//! The RPCs of payments.

use siyu_grpc::{Ctx, parse, serve};
use siyu_kernel::{Code, Fault};
use siyu_pg::page;
use siyu_proto::order::v1::{
    GetPaymentClaimRequest, GetPaymentClaimResponse, GetPaymentRequest, GetPaymentResponse,
    ListNotificationsRequest, ListNotificationsResponse, ListPaymentsRequest, ListPaymentsResponse,
    ListProviderAccountsRequest, ListProviderAccountsResponse, Payment as Shown,
    QueryPaymentRequest, QueryPaymentResponse, ReceiveNotificationRequest,
    ReceiveNotificationResponse, ReplayNotificationRequest, ReplayNotificationResponse, SandboxAct,
    SimulatePaymentRequest, SimulatePaymentResponse, StartPaymentRequest, StartPaymentResponse,
    UpsertProviderAccountsRequest, UpsertProviderAccountsResponse,
    payment_service_server::PaymentService,
};
use tonic::{Request, Response, Status, async_trait};
use uuid::Uuid;

use super::{
    account::{self, Kind},
    act, begin,
    domain::Payment,
    notification, refund, sandbox, show, store,
};
use crate::{App, claim, claim::domain::PaymentId, limits, order::domain::OrderId};

#[async_trait]
impl PaymentService for App {
    async fn upsert_provider_accounts(
        &self,
        request: Request<UpsertProviderAccountsRequest>,
    ) -> Result<Response<UpsertProviderAccountsResponse>, Status> {
        serve(request, |ctx, message| account::rpc::upsert(self, ctx, message)).await
    }

    async fn list_provider_accounts(
        &self,
        request: Request<ListProviderAccountsRequest>,
    ) -> Result<Response<ListProviderAccountsResponse>, Status> {
        serve(request, |ctx, message| account::rpc::list(self, ctx, message)).await
    }

    async fn get_payment_claim(
        &self,
        request: Request<GetPaymentClaimRequest>,
    ) -> Result<Response<GetPaymentClaimResponse>, Status> {
        serve(request, |ctx, message| get_claim(self, ctx, message)).await
    }

    async fn start_payment(
        &self,
        request: Request<StartPaymentRequest>,
    ) -> Result<Response<StartPaymentResponse>, Status> {
        serve(request, |ctx, message| begin::start(self, ctx, message)).await
    }

    async fn get_payment(
        &self,
        request: Request<GetPaymentRequest>,
    ) -> Result<Response<GetPaymentResponse>, Status> {
        serve(request, |ctx, message| get(self, ctx, message)).await
    }

    async fn list_payments(
        &self,
        request: Request<ListPaymentsRequest>,
    ) -> Result<Response<ListPaymentsResponse>, Status> {
        serve(request, |ctx, message| list(self, ctx, message)).await
    }

    async fn query_payment(
        &self,
        request: Request<QueryPaymentRequest>,
    ) -> Result<Response<QueryPaymentResponse>, Status> {
        serve(request, |ctx, message| query(self, ctx, message)).await
    }

    async fn receive_notification(
        &self,
        request: Request<ReceiveNotificationRequest>,
    ) -> Result<Response<ReceiveNotificationResponse>, Status> {
        serve(request, |ctx, message| receive(self, ctx, message)).await
    }

    async fn list_notifications(
        &self,
        request: Request<ListNotificationsRequest>,
    ) -> Result<Response<ListNotificationsResponse>, Status> {
        serve(request, |ctx, message| list_notifications(self, ctx, message)).await
    }

    async fn replay_notification(
        &self,
        request: Request<ReplayNotificationRequest>,
    ) -> Result<Response<ReplayNotificationResponse>, Status> {
        serve(request, |ctx, message| replay(self, ctx, message)).await
    }

    async fn simulate_payment(
        &self,
        request: Request<SimulatePaymentRequest>,
    ) -> Result<Response<SimulatePaymentResponse>, Status> {
        serve(request, |ctx, message| simulate(self, ctx, message)).await
    }
}

async fn get_claim(
    app: &App,
    ctx: Ctx,
    request: GetPaymentClaimRequest,
) -> Result<GetPaymentClaimResponse, Fault> {
    let order_id: OrderId = parse::id("order_id", &request.order_id)?;
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let claim = claim::store::find(&mut tx, order_id).await?;
    let claim = claim.ok_or_else(|| Fault::not_found("payment claim"))?;
    Ok(GetPaymentClaimResponse { claim: Some(show::claim(&claim)) })
}

/// An attempt with its refunds, as it stands now.
async fn shown(app: &App, ctx: &Ctx, id: PaymentId) -> Result<Shown, Fault> {
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let payment = store::find(&mut tx, id).await?;
    let payment = payment.ok_or_else(|| Fault::not_found("payment"))?;
    let refunds = refund::store::of_payment(&mut tx, id).await?;
    show::payment(&payment, &refunds)
}

async fn find(app: &App, ctx: &Ctx, id: &str) -> Result<Payment, Fault> {
    let id: PaymentId = parse::id("payment_id", id)?;
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    store::find(&mut tx, id).await?.ok_or_else(|| Fault::not_found("payment"))
}

async fn get(app: &App, ctx: Ctx, request: GetPaymentRequest) -> Result<GetPaymentResponse, Fault> {
    let id = parse::id("payment_id", &request.payment_id)?;
    Ok(GetPaymentResponse { payment: Some(shown(app, &ctx, id).await?) })
}

async fn list(
    app: &App,
    ctx: Ctx,
    request: ListPaymentsRequest,
) -> Result<ListPaymentsResponse, Fault> {
    let order_id: Option<OrderId> = parse::optional_id("order_id", &request.order_id)?;
    let state = show::asked_state(request.state());
    let filter = format!("{order_id:?} {state:?}");
    let page = page::Request::<Uuid>::parse(
        request.page_size,
        &request.page_token,
        limits::PAGE,
        filter.as_bytes(),
    )?;
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let rows = store::list(&mut tx, order_id, state, page.after, page.fetch()).await?;
    let page = page.page(rows, |payment| payment.id.uuid());
    let payments = page.items.iter().map(|payment| show::payment(payment, &[]));
    Ok(ListPaymentsResponse {
        payments: payments.collect::<Result<_, _>>()?,
        next_page_token: page.next_token,
    })
}

async fn query(
    app: &App,
    ctx: Ctx,
    request: QueryPaymentRequest,
) -> Result<QueryPaymentResponse, Fault> {
    let merchant = ctx.merchant()?;
    let payment = find(app, &ctx, &request.payment_id).await?;
    let (_, provider) = account::provider(app, merchant, &payment.account_code).await?;
    act::query(app, merchant, &payment, &*provider, ctx.now).await??;
    Ok(QueryPaymentResponse { payment: Some(shown(app, &ctx, payment.id).await?) })
}

async fn receive(
    app: &App,
    ctx: Ctx,
    request: ReceiveNotificationRequest,
) -> Result<ReceiveNotificationResponse, Fault> {
    let stored = notification::receive(app, ctx.merchant()?, &request, ctx.now).await?;
    let (answer_status, answer_body) = notification::answer(stored.state);
    Ok(ReceiveNotificationResponse {
        notification_id: stored.id.to_string(),
        state: stored.state.show().into(),
        answer_status,
        answer_body: answer_body.to_owned(),
    })
}

async fn list_notifications(
    app: &App,
    ctx: Ctx,
    request: ListNotificationsRequest,
) -> Result<ListNotificationsResponse, Fault> {
    let state = notification::asked_state(request.state());
    let filter = format!("{state:?}");
    let page = page::Request::<Uuid>::parse(
        request.page_size,
        &request.page_token,
        limits::NOTIFICATION_PAGE,
        filter.as_bytes(),
    )?;
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let rows = notification::store::list(&mut tx, state, page.after, page.fetch()).await?;
    let page = page.page(rows, |notification| notification.id.uuid());
    let notifications = page.items.iter().map(notification::domain::Notification::show);
    Ok(ListNotificationsResponse {
        notifications: notifications.collect::<Result<_, _>>()?,
        next_page_token: page.next_token,
    })
}

async fn replay(
    app: &App,
    ctx: Ctx,
    request: ReplayNotificationRequest,
) -> Result<ReplayNotificationResponse, Fault> {
    let id = parse::id("notification_id", &request.notification_id)?;
    let done = notification::replay(app, ctx.merchant()?, id, ctx.now).await?;
    Ok(ReplayNotificationResponse { notification: Some(done.show()?) })
}

async fn simulate(
    app: &App,
    ctx: Ctx,
    request: SimulatePaymentRequest,
) -> Result<SimulatePaymentResponse, Fault> {
    let merchant = ctx.merchant()?;
    let payment = find(app, &ctx, &request.payment_id).await?;
    let (account, _) = account::provider(app, merchant, &payment.account_code).await?;
    if account.kind != Kind::Sandbox {
        let message = "the attempt is with a real payment company";
        return Err(Fault::new(Code::FailedPrecondition, "NOT_A_SANDBOX", message));
    }
    let keys = app.vault.keys(&app.db, merchant, ctx.now).await?;
    let bank = sandbox::Sandbox::new(app, merchant, &account.code, keys);
    let number = &payment.out_trade_no;
    let done = match request.act() {
        SandboxAct::Pay | SandboxAct::PaySilently | SandboxAct::PayClosed => {
            if request.act() == SandboxAct::PayClosed {
                bank.reopen(number).await?;
            }
            let paid_minor = (request.paid_minor > 0).then_some(request.paid_minor);
            let told = bank.pay(number, paid_minor, ctx.now).await?;
            if let Some(told) = told.as_ref().filter(|_| request.act() != SandboxAct::PaySilently) {
                notification::receive(app, merchant, told, ctx.now).await?;
            }
            told.is_some()
        }
        SandboxAct::SwallowAnswers => bank.swallow(number, request.answers).await?,
        SandboxAct::RefuseRefunds => bank.refuse_refunds(number).await?,
        SandboxAct::TakeRefunds => bank.take_refunds(number).await?,
        SandboxAct::Unspecified => return Err(Fault::field("act", "is nothing that can happen")),
    };
    if !done {
        let message = "the sandbox has no such payment that could be paid";
        return Err(Fault::new(Code::FailedPrecondition, "SANDBOX_REFUSED", message));
    }
    Ok(SimulatePaymentResponse { payment: Some(shown(app, &ctx, payment.id).await?) })
}
