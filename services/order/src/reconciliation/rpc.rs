//! The RPCs of reconciliation.

use std::collections::BTreeSet;

use siyu_grpc::{Ctx, parse, serve};
use siyu_kernel::{Code, Currency, Fault, LocalDay, Violation};
use siyu_pg::page;
use siyu_proto::order::v1::{
    GetSuspenseRequest, GetSuspenseResponse, ImportStatementRequest, ImportStatementResponse,
    ListDifferencesRequest, ListDifferencesResponse, ListStatementDaysRequest,
    ListStatementDaysResponse, ResolveDifferenceRequest, ResolveDifferenceResponse,
    reconciliation_service_server::ReconciliationService,
};
use tonic::{Request, Response, Status, async_trait};
use uuid::Uuid;

use super::{
    compare,
    domain::{DifferenceId, Row, State},
    show, store,
};
use crate::{App, limits, payment::account};

#[async_trait]
impl ReconciliationService for App {
    async fn import_statement(
        &self,
        request: Request<ImportStatementRequest>,
    ) -> Result<Response<ImportStatementResponse>, Status> {
        serve(request, |ctx, message| import(self, ctx, message)).await
    }

    async fn list_statement_days(
        &self,
        request: Request<ListStatementDaysRequest>,
    ) -> Result<Response<ListStatementDaysResponse>, Status> {
        serve(request, |ctx, message| list_days(self, ctx, message)).await
    }

    async fn list_differences(
        &self,
        request: Request<ListDifferencesRequest>,
    ) -> Result<Response<ListDifferencesResponse>, Status> {
        serve(request, |ctx, message| list(self, ctx, message)).await
    }

    async fn resolve_difference(
        &self,
        request: Request<ResolveDifferenceRequest>,
    ) -> Result<Response<ResolveDifferenceResponse>, Status> {
        serve(request, |ctx, message| resolve(self, ctx, message)).await
    }

    async fn get_suspense(
        &self,
        request: Request<GetSuspenseRequest>,
    ) -> Result<Response<GetSuspenseResponse>, Status> {
        serve(request, |ctx, message| suspense(self, ctx, message)).await
    }
}

async fn import(
    app: &App,
    ctx: Ctx,
    request: ImportStatementRequest,
) -> Result<ImportStatementResponse, Fault> {
    let merchant = ctx.merchant()?;
    let day = parse::optional_day("day", &request.day)?;
    let day = day.ok_or_else(|| Fault::field("day", "is required"))?;
    let given = rows(&request)?;
    let (_, provider) = account::provider(app, merchant, &request.account_code).await?;
    let zone = provider.zone();
    if zone.start_of(LocalDay(day.0 + 1)) > ctx.now {
        return Err(Fault::field("day", "is not over yet"));
    }
    let rows = if request.fetch { provider.statement(day).await? } else { given };
    let account = request.account_code.as_str();
    let mut tx = app.db.tenant(merchant).await?;
    let complete = store::open_day(&mut tx, account, day.0, !request.more_follow, ctx.now).await?;
    for some in sorted(rows).chunks(limits::STATEMENT_CHUNK) {
        store::upsert_rows(&mut tx, account, day.0, some).await?;
    }
    let of = compare::Compared { account, day, zone, complete };
    compare::day(app, &mut tx, &of, ctx.now).await?;
    let compared = store::days(&mut tx, account, Some(day.0 + 1), 1).await?;
    tx.commit().await?;
    Ok(ImportStatementResponse { day: compared.first().map(show::day) })
}

fn sorted(mut rows: Vec<Row>) -> Vec<Row> {
    rows.sort_by(|a, b| (a.kind, &a.out_no).cmp(&(b.kind, &b.out_no)));
    rows
}

fn rows(request: &ImportStatementRequest) -> Result<Vec<Row>, Fault> {
    if request.fetch && (request.more_follow || !request.rows.is_empty()) {
        return Err(Fault::field("fetch", "stands alone: what is fetched is whole"));
    }
    let (mut rows, mut wrong, mut seen) = (Vec::new(), Vec::new(), BTreeSet::new());
    for (i, row) in request.rows.iter().enumerate() {
        let mut say = |name: &str, description: String| {
            wrong.push(Violation { field: format!("rows[{i}].{name}"), description });
        };
        if !seen.insert((row.kind, &row.out_no)) {
            say("out_no", format!("\"{}\" stands twice", row.out_no));
        }
        if let Err(error) = Currency::parse(&row.currency_code) {
            say("currency_code", error.to_string());
        }
        let Some(kind) = show::kind(row.kind()) else {
            say("kind", "is no way that money goes".to_owned());
            continue;
        };
        rows.push(Row {
            kind,
            out_no: row.out_no.clone(),
            provider_no: row.provider_no.clone(),
            amount_minor: row.amount_minor,
            currency: row.currency_code.clone(),
        });
    }
    if wrong.is_empty() { Ok(rows) } else { Err(Fault::invalid(wrong)) }
}

async fn list_days(
    app: &App,
    ctx: Ctx,
    request: ListStatementDaysRequest,
) -> Result<ListStatementDaysResponse, Fault> {
    let page = page::Request::<i32>::parse(
        request.page_size,
        &request.page_token,
        limits::PAGE,
        request.account_code.as_bytes(),
    )?;
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let rows = store::days(&mut tx, &request.account_code, page.after, page.fetch()).await?;
    let page = page.page(rows, |day| day.day);
    Ok(ListStatementDaysResponse {
        days: page.items.iter().map(show::day).collect(),
        next_page_token: page.next_token,
    })
}

async fn list(
    app: &App,
    ctx: Ctx,
    request: ListDifferencesRequest,
) -> Result<ListDifferencesResponse, Fault> {
    let account = (!request.account_code.is_empty()).then_some(request.account_code.as_str());
    let state = show::state(request.state());
    let filter = format!("{account:?} {state:?}");
    let page = page::Request::<Uuid>::parse(
        request.page_size,
        &request.page_token,
        limits::PAGE,
        filter.as_bytes(),
    )?;
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let rows = store::list(&mut tx, account, state, page.after, page.fetch()).await?;
    let page = page.page(rows, |found| found.id.uuid());
    Ok(ListDifferencesResponse {
        differences: page.items.iter().map(show::difference).collect(),
        next_page_token: page.next_token,
    })
}

async fn resolve(
    app: &App,
    ctx: Ctx,
    request: ResolveDifferenceRequest,
) -> Result<ResolveDifferenceResponse, Fault> {
    let id: DifferenceId = parse::id("difference_id", &request.difference_id)?;
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    let found = store::lock(&mut tx, id).await?;
    let mut found = found.ok_or_else(|| Fault::not_found("difference"))?;
    match found.state {
        State::Open => {
            found.resolve(&ctx.subject, &request.note, ctx.now);
            store::save(&mut tx, &found).await?;
            tx.commit().await?;
        }
        State::Resolved if found.note == request.note => {}
        State::Resolved => {
            let message = "the difference was resolved with another note";
            return Err(Fault::new(Code::FailedPrecondition, "DIFFERENCE_RESOLVED", message));
        }
    }
    Ok(ResolveDifferenceResponse { difference: Some(show::difference(&found)) })
}

async fn suspense(
    app: &App,
    ctx: Ctx,
    _request: GetSuspenseRequest,
) -> Result<GetSuspenseResponse, Fault> {
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let totals = store::suspense(&mut tx).await?;
    Ok(GetSuspenseResponse { totals: totals.iter().map(show::suspense).collect() })
}
