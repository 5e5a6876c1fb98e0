//! The RPCs of reports.

use siyu_grpc::{Ctx, parse, serve};
use siyu_kernel::{Fault, LocalDay};
use siyu_pg::page;
use siyu_proto::member::v1::{
    self as proto, GetPrepaidBalanceRequest, GetPrepaidBalanceResponse,
    ListValueLiabilitiesRequest, ListValueLiabilitiesResponse, ListValueSettlementsRequest,
    ListValueSettlementsResponse, value_report_service_server::ValueReportService,
};
use tonic::{Request, Response, Status, async_trait};
use uuid::Uuid;

use super::{
    domain, store,
    store::{Liability, Settlement},
};
use crate::{
    App, limits,
    value::{StoreId, issuer, policy, recharge::limit},
};

/// A page key of two ids.
type Pair = (Uuid, Uuid);

#[async_trait]
impl ValueReportService for App {
    async fn get_prepaid_balance(
        &self,
        request: Request<GetPrepaidBalanceRequest>,
    ) -> Result<Response<GetPrepaidBalanceResponse>, Status> {
        serve(request, |ctx, message| balance(self, ctx, message)).await
    }

    async fn list_value_liabilities(
        &self,
        request: Request<ListValueLiabilitiesRequest>,
    ) -> Result<Response<ListValueLiabilitiesResponse>, Status> {
        serve(request, |ctx, message| liabilities(self, ctx, message)).await
    }

    async fn list_value_settlements(
        &self,
        request: Request<ListValueSettlementsRequest>,
    ) -> Result<Response<ListValueSettlementsResponse>, Status> {
        serve(request, |ctx, message| settlements(self, ctx, message)).await
    }
}

async fn balance(
    app: &App,
    ctx: Ctx,
    request: GetPrepaidBalanceRequest,
) -> Result<GetPrepaidBalanceResponse, Fault> {
    let id = parse::id("issuer_id", &request.issuer_id)?;
    let asked = parse::optional_day("day", &request.day)?;
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let terms = policy::terms(&mut tx, ctx.now).await?;
    let issuer = issuer::store::find(&mut tx, id).await?;
    let issuer = issuer.ok_or_else(|| Fault::not_found("issuer"))?;
    let day = asked.unwrap_or_else(|| terms.day(ctx.now));
    let (principal, bonus) = store::balance(&mut tx, id, day).await?;
    let custody_day = domain::quarter_before(day);
    let (custody, _) = store::balance(&mut tx, id, custody_day).await?;
    let limit = issuer.limit(&terms.policy);
    let balance = proto::PrepaidBalance {
        issuer_id: id.to_string(),
        day: day.date().to_string(),
        currency_code: terms.currency.code().to_owned(),
        principal_minor: principal,
        bonus_minor: bonus,
        limit_minor: limit.unwrap_or(0),
        near: limit.is_some_and(|most| principal >= limit::alert(&terms.policy, most)),
        custody_day: custody_day.date().to_string(),
        custody_balance_minor: custody,
        custody_required_minor: issuer.custody(&terms.policy, custody),
    };
    Ok(GetPrepaidBalanceResponse { balance: Some(balance) })
}

async fn liabilities(
    app: &App,
    ctx: Ctx,
    request: ListValueLiabilitiesRequest,
) -> Result<ListValueLiabilitiesResponse, Fault> {
    let asked = parse::optional_day("day", &request.day)?;
    let filter = request.day.as_bytes();
    let page =
        page::Request::<Pair>::parse(request.page_size, &request.page_token, limits::PAGE, filter)?;
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let terms = policy::terms(&mut tx, ctx.now).await?;
    let day = asked.unwrap_or_else(|| terms.day(ctx.now));
    let rows = store::liabilities(&mut tx, day, page.after, page.fetch()).await?;
    let page = page.page(rows, |row| (row.issuer_id.uuid(), or_nil(row.store_id)));
    let show = |row: Liability| proto::ValueLiability {
        issuer_id: row.issuer_id.to_string(),
        store_id: text(row.store_id),
        principal_minor: row.principal_minor,
        bonus_minor: row.bonus_minor,
        kept_minor: row.kept_minor,
        lapsed_bonus_minor: row.lapsed_bonus_minor,
    };
    Ok(ListValueLiabilitiesResponse {
        liabilities: page.items.into_iter().map(show).collect(),
        next_page_token: page.next_token,
    })
}

async fn settlements(
    app: &App,
    ctx: Ctx,
    request: ListValueSettlementsRequest,
) -> Result<ListValueSettlementsResponse, Fault> {
    let from = day("from_day", &request.from_day)?;
    let to = day("to_day", &request.to_day)?;
    if to <= from {
        return Err(Fault::field("to_day", "must be after the first day"));
    }
    let filter = format!("{} {}", request.from_day, request.to_day);
    let page = page::Request::<Pair>::parse(
        request.page_size,
        &request.page_token,
        limits::PAGE,
        filter.as_bytes(),
    )?;
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let rows = store::settlements(&mut tx, (from, to), page.after, page.fetch()).await?;
    let page =
        page.page(rows, |row| (or_nil(row.issuing_store_id), or_nil(row.accepting_store_id)));
    let show = |row: Settlement| proto::ValueSettlement {
        issuing_store_id: text(row.issuing_store_id),
        accepting_store_id: text(row.accepting_store_id),
        principal_minor: row.principal_minor,
        bonus_minor: row.bonus_minor,
        payments: row.payments,
    };
    Ok(ListValueSettlementsResponse {
        settlements: page.items.into_iter().map(show).collect(),
        next_page_token: page.next_token,
    })
}

fn day(field: &str, text: &str) -> Result<LocalDay, Fault> {
    parse::optional_day(field, text)?.ok_or_else(|| Fault::field(field, "is required"))
}

fn or_nil(store: Option<StoreId>) -> Uuid {
    store.map_or(Uuid::nil(), StoreId::uuid)
}

fn text(store: Option<StoreId>) -> String {
    store.map(|id| id.to_string()).unwrap_or_default()
}
