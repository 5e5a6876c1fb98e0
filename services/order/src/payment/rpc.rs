//! The RPCs of payments.

use siyu_grpc::{Ctx, parse, serve};
use siyu_kernel::{Code, Fault};
use siyu_pg::page;
use siyu_proto::order::v1::{
    GetPaymentClaimRequest, GetPaymentClaimResponse, GetPaymentRequest, GetPaymentResponse,
    ListNotificationsRequest, ListNotificationsResponse, ListPaymentsRequest, ListPaymentsResponse,
    ListProviderAccountsRequest, ListProviderAccountsResponse, Payment as Shown,
    QueryPaymentRequest, QueryPaymentResponse, ReceiveNotificationRequest,
    ReceiveNotificationResponse, RecordPaymentRefundRequest, RecordPaymentRefundResponse,
    RecordPaymentRequest, RecordPaymentResponse, ReplayNotificationRequest,
    ReplayNotificationResponse, ReturnPaymentRequest, ReturnPaymentResponse, SandboxAct,
    SimulatePaymentRequest, SimulatePaymentResponse, StartPaymentRequest, StartPaymentResponse,
    UpsertProviderAccountsRequest, UpsertProviderAccountsResponse,
    payment_service_server::PaymentService,
};
use siyu_vault::Keys;
use tonic::{Request, Response, Status, async_trait};
use uuid::Uuid;

use super::{
    account::{self, Account, Kind},
    act, aside, begin,
    domain::{Payment, State},
    notification, read, record, sandbox, show, store,
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

    async fn record_payment(
        &self,
        request: Request<RecordPaymentRequest>,
    ) -> Result<Response<RecordPaymentResponse>, Status> {
        serve(request, |ctx, message| record::payment(self, ctx, message)).await
    }

    async fn record_payment_refund(
        &self,
        request: Request<RecordPaymentRefundRequest>,
    ) -> Result<Response<RecordPaymentRefundResponse>, Status> {
        serve(request, |ctx, message| record::refund(self, ctx, message)).await
    }

    async fn return_payment(
        &self,
        request: Request<ReturnPaymentRequest>,
    ) -> Result<Response<ReturnPaymentResponse>, Status> {
        serve(request, |ctx, message| aside::give_back(self, ctx, message)).await
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
    let mut tx = app.db.tenant_lookup(ctx.merchant()?).await?;
    let claim = claim::store::find(&mut tx, order_id).await?;
    let claim = claim.ok_or_else(|| Fault::not_found("payment claim"))?;
    Ok(GetPaymentClaimResponse { claim: Some(show::claim(&claim)) })
}

/// An attempt that was read, with its refunds. Only one that is paid has any.
async fn shown(app: &App, ctx: &Ctx, payment: &Payment) -> Result<Shown, Fault> {
    if !payment.state.is_paid() {
        return show::payment(payment, &[]);
    }
    read::with_refunds(&mut app.db.tenant_lookup(ctx.merchant()?).await?, payment).await
}

/// An attempt with its account, and the keys of the merchant.
async fn find(app: &App, ctx: &Ctx, id: &str) -> Result<(Payment, Account, Keys), Fault> {
    let id: PaymentId = parse::id("payment_id", id)?;
    let merchant = ctx.merchant()?;
    let keys = app.vault.keys(&app.db, merchant, ctx.now).await?;
    let mut tx = app.db.tenant_lookup(merchant).await?;
    let found = store::find_with_account(&mut tx, id).await?;
    let (payment, account) = found.ok_or_else(|| Fault::not_found("payment"))?;
    Ok((payment, account, keys))
}

async fn get(app: &App, ctx: Ctx, request: GetPaymentRequest) -> Result<GetPaymentResponse, Fault> {
    let id: PaymentId = parse::id("payment_id", &request.payment_id)?;
    let mut tx = app.db.tenant_lookup(ctx.merchant()?).await?;
    Ok(GetPaymentResponse { payment: Some(read::read(&mut tx, id).await?) })
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
    let (before, account, keys) = find(app, &ctx, &request.payment_id).await?;
    let provider = account::ready(app, merchant, &account, keys)?;
    let payment = act::query(app, merchant, &before, &*provider, ctx.now).await??;
    // One that was kept by this very call has no refund yet.
    let is_new = !before.state.is_paid() && payment.state == State::Succeeded;
    let shown =
        if is_new { show::payment(&payment, &[])? } else { shown(app, &ctx, &payment).await? };
    Ok(QueryPaymentResponse { payment: Some(shown) })
}

async fn receive(
    app: &App,
    ctx: Ctx,
    request: ReceiveNotificationRequest,
) -> Result<ReceiveNotificationResponse, Fault> {
    let (id, state) = notification::receive(app, ctx.merchant()?, &request, ctx.now).await?;
    let (answer_status, answer_body) = notification::answer(state);
    Ok(ReceiveNotificationResponse {
        notification_id: id.map(|id| id.to_string()).unwrap_or_default(),
        state: state.show().into(),
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
    let (payment, account, keys) = find(app, &ctx, &request.payment_id).await?;
    if account.kind != Kind::Sandbox {
        let message = "the attempt is with a real payment company";
        return Err(Fault::new(Code::FailedPrecondition, "NOT_A_SANDBOX", message));
    }
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
    Ok(SimulatePaymentResponse { payment: Some(shown(app, &ctx, &payment).await?) })
}
