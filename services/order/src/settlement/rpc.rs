//! The RPCs of settlements.

use std::collections::BTreeSet;

use siyu_grpc::{Ctx, parse, serve};
use siyu_kernel::{Fault, Violation};
use siyu_pg::page;
use siyu_proto::order::v1::{
    GetSettlementSummaryRequest, GetSettlementSummaryResponse, ListSettlementTermsRequest,
    ListSettlementTermsResponse, ListSettlementsRequest, ListSettlementsResponse, Settlement,
    SettlementSum, SettlementTerms, StoreRun, UpsertSettlementTermsRequest,
    UpsertSettlementTermsResponse, settlement_service_server::SettlementService,
};
use tonic::{Request, Response, Status, async_trait};

use super::{
    domain::{Entry, Rates, WHOLE_BP},
    store::{self, Cursor, Run, Span, Sum, Terms},
};
use crate::{App, limits};

#[async_trait]
impl SettlementService for App {
    async fn upsert_settlement_terms(
        &self,
        request: Request<UpsertSettlementTermsRequest>,
    ) -> Result<Response<UpsertSettlementTermsResponse>, Status> {
        serve(request, |ctx, message| upsert(self, ctx, message)).await
    }

    async fn list_settlement_terms(
        &self,
        request: Request<ListSettlementTermsRequest>,
    ) -> Result<Response<ListSettlementTermsResponse>, Status> {
        serve(request, |ctx, message| list_terms(self, ctx, message)).await
    }

    async fn list_settlements(
        &self,
        request: Request<ListSettlementsRequest>,
    ) -> Result<Response<ListSettlementsResponse>, Status> {
        serve(request, |ctx, message| list(self, ctx, message)).await
    }

    async fn get_settlement_summary(
        &self,
        request: Request<GetSettlementSummaryRequest>,
    ) -> Result<Response<GetSettlementSummaryResponse>, Status> {
        serve(request, |ctx, message| summary(self, ctx, message)).await
    }
}

async fn upsert(
    app: &App,
    ctx: Ctx,
    request: UpsertSettlementTermsRequest,
) -> Result<UpsertSettlementTermsResponse, Fault> {
    let codes: BTreeSet<&str> = request.terms.iter().map(|t| t.store_code.as_str()).collect();
    let known = app.directory.known(&ctx, &codes).await?;
    let (mut rows, mut wrong, mut seen) = (Vec::new(), Vec::new(), BTreeSet::new());
    for (i, terms) in request.terms.iter().enumerate() {
        let mut say = |name: &str, description: String| {
            wrong.push(Violation { field: format!("terms[{i}].{name}"), description });
        };
        let code = &terms.store_code;
        if !known.stores.contains_key(code) {
            say("store_code", format!("\"{code}\" is not the code of a store"));
        }
        if !seen.insert(code) {
            say("store_code", format!("\"{code}\" stands twice"));
        }
        let parts = [terms.platform_fee_bp, terms.hq_bp, terms.marketing_bp].map(i64::from);
        if parts.iter().sum::<i64>() > WHOLE_BP {
            say("marketing_bp", "makes the three more than 10000".to_owned());
        }
        let run = match terms.run() {
            StoreRun::Franchise => Run::Franchise,
            StoreRun::Direct | StoreRun::Unspecified => Run::Direct,
        };
        let rates = Rates {
            platform_fee_bp: terms.platform_fee_bp,
            hq_bp: terms.hq_bp,
            marketing_bp: terms.marketing_bp,
        };
        rows.push(Terms { store_code: code.clone(), run, rates });
    }
    if !wrong.is_empty() {
        return Err(Fault::invalid(wrong));
    }
    rows.sort_by(|a, b| a.store_code.cmp(&b.store_code));
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    store::upsert(&mut tx, &rows, ctx.now).await?;
    tx.commit().await?;
    Ok(UpsertSettlementTermsResponse { terms: request.terms })
}

async fn list_terms(
    app: &App,
    ctx: Ctx,
    request: ListSettlementTermsRequest,
) -> Result<ListSettlementTermsResponse, Fault> {
    let page =
        page::Request::<String>::parse(request.page_size, &request.page_token, limits::PAGE, b"")?;
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let rows = store::list(&mut tx, page.after.as_deref(), page.fetch()).await?;
    let page = page.page(rows, |terms| terms.store_code.clone());
    Ok(ListSettlementTermsResponse {
        terms: page.items.iter().map(|terms| show_terms(terms, terms.rates)).collect(),
        next_page_token: page.next_token,
    })
}

async fn list(
    app: &App,
    ctx: Ctx,
    request: ListSettlementsRequest,
) -> Result<ListSettlementsResponse, Fault> {
    let span: Span = (
        parse::optional_instant("occur_time_from", request.occur_time_from)?,
        parse::optional_instant("occur_time_to", request.occur_time_to)?,
    );
    let page = page::Request::<Cursor>::parse(
        request.page_size,
        &request.page_token,
        limits::PAGE,
        format!("{} {span:?}", request.store_code).as_bytes(),
    )?;
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let terms = store::find(&mut tx, &request.store_code).await?;
    let terms = terms.ok_or_else(|| Fault::not_found("settlement terms"))?;
    let code = &request.store_code;
    let rows = store::entries(&mut tx, code, span, page.after, page.fetch()).await?;
    let page = page.page(rows, |row| (row.occurred_at, row.order_id.uuid(), row.revision));
    // An order is settled as a franchisee's, whatever the store is since.
    let terms = Terms { run: Run::Franchise, ..terms };
    Ok(ListSettlementsResponse {
        settlements: page.items.iter().map(|entry| show(entry, &terms)).collect(),
        next_page_token: page.next_token,
    })
}

async fn summary(
    app: &App,
    ctx: Ctx,
    request: GetSettlementSummaryRequest,
) -> Result<GetSettlementSummaryResponse, Fault> {
    let span: Span = (
        parse::optional_instant("occur_time_from", request.occur_time_from)?,
        parse::optional_instant("occur_time_to", request.occur_time_to)?,
    );
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let terms = store::find(&mut tx, &request.store_code).await?;
    terms.ok_or_else(|| Fault::not_found("settlement terms"))?;
    let sums = store::sums(&mut tx, &request.store_code, span).await?;
    Ok(GetSettlementSummaryResponse { sums: sums.into_iter().map(show_sum).collect() })
}

fn show_terms(terms: &Terms, rates: Rates) -> SettlementTerms {
    let run = match terms.run {
        Run::Direct => StoreRun::Direct,
        Run::Franchise => StoreRun::Franchise,
    };
    SettlementTerms {
        store_code: terms.store_code.clone(),
        run: run.into(),
        platform_fee_bp: rates.platform_fee_bp,
        hq_bp: rates.hq_bp,
        marketing_bp: rates.marketing_bp,
    }
}

fn show(entry: &Entry, terms: &Terms) -> Settlement {
    Settlement {
        order_id: entry.order_id.to_string(),
        revision: entry.revision,
        currency_code: entry.currency.clone(),
        net_minor: entry.split.net_minor,
        platform_fee_minor: entry.split.platform_fee_minor,
        hq_minor: entry.split.hq_minor,
        marketing_minor: entry.split.marketing_minor,
        franchisee_minor: entry.split.franchisee_minor,
        terms: Some(show_terms(terms, entry.rates)),
        occur_time: Some(parse::timestamp(entry.occurred_at)),
    }
}

fn show_sum(sum: Sum) -> SettlementSum {
    SettlementSum {
        currency_code: sum.currency,
        orders: sum.orders,
        net_minor: sum.split.net_minor,
        platform_fee_minor: sum.split.platform_fee_minor,
        hq_minor: sum.split.hq_minor,
        marketing_minor: sum.split.marketing_minor,
        franchisee_minor: sum.split.franchisee_minor,
    }
}
