//! The RPCs of what is held.

use siyu_grpc::{Ctx, parse, serve};
use siyu_kernel::{Currency, Fault};
use siyu_ledger::AccountKey;
use siyu_pg::{Tx, page, replay};
use siyu_proto::order::v1::{
    self as proto, CheckOrderLedgerRequest, CheckOrderLedgerResponse, CloseDisputeRequest,
    CloseDisputeResponse, GetGuaranteeRequest, GetGuaranteeResponse, GetMerchantBalanceRequest,
    GetMerchantBalanceResponse, ListGuaranteeEntriesRequest, ListGuaranteeEntriesResponse,
    MerchantBalance, OpenDisputeRequest, OpenDisputeResponse,
    guarantee_service_server::GuaranteeService,
};
use tonic::{Request, Response, Status, async_trait};
use uuid::Uuid;

use super::{
    act,
    books::{Account, Books},
    dispute::Outcome,
    store,
};
use crate::{App, limits};

const OPEN: &str = "siyu.order.v1.GuaranteeService/OpenDispute";
const CLOSE: &str = "siyu.order.v1.GuaranteeService/CloseDispute";

#[async_trait]
impl GuaranteeService for App {
    async fn get_guarantee(
        &self,
        request: Request<GetGuaranteeRequest>,
    ) -> Result<Response<GetGuaranteeResponse>, Status> {
        serve(request, |ctx, message| get(self, ctx, message)).await
    }

    async fn open_dispute(
        &self,
        request: Request<OpenDisputeRequest>,
    ) -> Result<Response<OpenDisputeResponse>, Status> {
        serve(request, |ctx, message| open(self, ctx, message)).await
    }

    async fn close_dispute(
        &self,
        request: Request<CloseDisputeRequest>,
    ) -> Result<Response<CloseDisputeResponse>, Status> {
        serve(request, |ctx, message| close(self, ctx, message)).await
    }

    async fn get_merchant_balance(
        &self,
        request: Request<GetMerchantBalanceRequest>,
    ) -> Result<Response<GetMerchantBalanceResponse>, Status> {
        serve(request, |ctx, message| balance(self, ctx, message)).await
    }

    async fn list_guarantee_entries(
        &self,
        request: Request<ListGuaranteeEntriesRequest>,
    ) -> Result<Response<ListGuaranteeEntriesResponse>, Status> {
        serve(request, |ctx, message| list(self, ctx, message)).await
    }

    async fn check_order_ledger(
        &self,
        request: Request<CheckOrderLedgerRequest>,
    ) -> Result<Response<CheckOrderLedgerResponse>, Status> {
        serve(request, |ctx, _| check(self, ctx)).await
    }
}

async fn get(
    app: &App,
    ctx: Ctx,
    request: GetGuaranteeRequest,
) -> Result<GetGuaranteeResponse, Fault> {
    let order = parse::id("order_id", &request.order_id)?;
    let mut tx = app.db.tenant_lookup(ctx.merchant()?).await?;
    let found = store::find(&mut tx, order).await?;
    let guarantee = found.ok_or_else(|| Fault::not_found("guarantee"))?;
    let dispute = store::open_dispute(&mut tx, order).await?;
    Ok(GetGuaranteeResponse { guarantee: Some(guarantee.show(dispute.as_ref())) })
}

async fn open(
    app: &App,
    ctx: Ctx,
    request: OpenDisputeRequest,
) -> Result<OpenDisputeResponse, Fault> {
    let order = parse::id("order_id", &request.order_id)?;
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    if let Some(reply) = replay::find(&mut tx, OPEN, &request.request_id, &request).await? {
        return Ok(reply);
    }
    let asked = (request.amount_minor, request.reason.as_str());
    let (dispute, guarantee) = act::open(app, &mut tx, order, asked, ctx.now).await?;
    let reply = OpenDisputeResponse { dispute: Some(dispute.show(guarantee.currency.0)) };
    replay::keep(&mut tx, OPEN, &request.request_id, &reply).await?;
    tx.commit().await?;
    Ok(reply)
}

async fn close(
    app: &App,
    ctx: Ctx,
    request: CloseDisputeRequest,
) -> Result<CloseDisputeResponse, Fault> {
    let id = parse::id("dispute_id", &request.dispute_id)?;
    let outcome = proto::DisputeOutcome::try_from(request.outcome).ok();
    let outcome = outcome.and_then(Outcome::of_proto);
    let outcome = outcome.ok_or_else(|| Fault::field("outcome", "is not a known value"))?;
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    if let Some(reply) = replay::find(&mut tx, CLOSE, &request.request_id, &request).await? {
        return Ok(reply);
    }
    let (dispute, guarantee) =
        act::close(app, &mut tx, id, (outcome, &request.note), ctx.now).await?;
    let reply = CloseDisputeResponse { dispute: Some(dispute.show(guarantee.currency.0)) };
    replay::keep(&mut tx, CLOSE, &request.request_id, &reply).await?;
    tx.commit().await?;
    Ok(reply)
}

async fn balance(
    app: &App,
    ctx: Ctx,
    request: GetMerchantBalanceRequest,
) -> Result<GetMerchantBalanceResponse, Fault> {
    let currency = if request.currency_code.is_empty() {
        app.directory.known(&ctx, &std::collections::BTreeSet::new()).await?.currency
    } else {
        Currency::parse(&request.currency_code)
            .map_err(|error| Fault::field("currency_code", error))?
    };
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let balance = sum(&mut tx, currency).await?;
    Ok(GetMerchantBalanceResponse { balance: Some(balance) })
}

/// Adds up the shards.
async fn sum(tx: &mut Tx, currency: Currency) -> Result<MerchantBalance, Fault> {
    let books = Books::of(Uuid::nil(), currency);
    let sharded = [Account::Available, Account::CommissionPayable, Account::PlatformFee];
    let mut keys: Vec<AccountKey> = sharded
        .iter()
        .flat_map(|of| (0..limits::SHARDS).map(|shard| books.account(of(shard)).key))
        .collect();
    keys.push(books.account(Account::Advance).key);
    let found = siyu_ledger::find(tx, &keys).await?;
    let shards = usize::from(limits::SHARDS);
    let total = |of: usize, value: fn(&siyu_ledger::Account) -> i64| -> i64 {
        found[of * shards..][..shards].iter().flatten().map(value).sum()
    };
    Ok(MerchantBalance {
        currency_code: currency.code().to_owned(),
        held_minor: store::held(tx, currency.code()).await?,
        available_minor: total(0, siyu_ledger::Account::unheld),
        frozen_minor: total(0, |account| account.debits_pending),
        commission_payable_minor: total(1, siyu_ledger::Account::balance),
        platform_fee_minor: total(2, siyu_ledger::Account::balance),
        owed_minor: found.last().copied().flatten().map_or(0, |account| -account.balance()),
    })
}

async fn list(
    app: &App,
    ctx: Ctx,
    request: ListGuaranteeEntriesRequest,
) -> Result<ListGuaranteeEntriesResponse, Fault> {
    let order = parse::optional_id("order_id", &request.order_id)?;
    let filter = request.order_id.as_bytes();
    let page =
        page::Request::<Uuid>::parse(request.page_size, &request.page_token, limits::PAGE, filter)?;
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let rows = store::list_entries(&mut tx, order, page.after, page.fetch()).await?;
    let page = page.page(rows, |entry| entry.id);
    Ok(ListGuaranteeEntriesResponse {
        entries: page.items.into_iter().map(Into::into).collect(),
        next_page_token: page.next_token,
    })
}

async fn check(app: &App, ctx: Ctx) -> Result<CheckOrderLedgerResponse, Fault> {
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let report = siyu_ledger::check(&mut tx).await?;
    Ok(CheckOrderLedgerResponse {
        accounts: report.totals.accounts,
        transfers: report.totals.transfers,
        findings: report.findings.iter().map(ToString::to_string).collect(),
    })
}
