//! The RPCs of rates.

use std::collections::BTreeSet;

use siyu_grpc::{Ctx, parse, serve};
use siyu_kernel::{Currency, Fault, Violation};
use siyu_pg::page;
use siyu_proto::order::v1::{
    FxRate, ListFxRatesRequest, ListFxRatesResponse, Presentment, UpsertFxRatesRequest,
    UpsertFxRatesResponse, fx_service_server::FxService,
};
use tonic::{Request, Response, Status, async_trait};

use super::{
    domain::Rate,
    store::{self, PresentmentRow, RateRow},
};
use crate::{App, limits};

#[async_trait]
impl FxService for App {
    async fn upsert_fx_rates(
        &self,
        request: Request<UpsertFxRatesRequest>,
    ) -> Result<Response<UpsertFxRatesResponse>, Status> {
        serve(request, |ctx, message| upsert(self, ctx, message)).await
    }

    async fn list_fx_rates(
        &self,
        request: Request<ListFxRatesRequest>,
    ) -> Result<Response<ListFxRatesResponse>, Status> {
        serve(request, |ctx, message| list(self, ctx, message)).await
    }
}

async fn upsert(
    app: &App,
    ctx: Ctx,
    request: UpsertFxRatesRequest,
) -> Result<UpsertFxRatesResponse, Fault> {
    let own = app.directory.known(&ctx, &BTreeSet::new()).await?.currency;
    let (mut rows, mut wrong, mut seen) = (Vec::new(), Vec::new(), BTreeSet::new());
    for (i, given) in request.rates.iter().enumerate() {
        let mut say = |name: &str, description: String| {
            wrong.push(Violation { field: format!("rates[{i}].{name}"), description });
        };
        match Currency::parse(&given.currency_code) {
            Ok(currency) if currency == own => {
                say("currency_code", "is the merchant's own".to_owned());
            }
            Ok(_) if !seen.insert(&given.currency_code) => {
                say("currency_code", format!("\"{}\" stands twice", given.currency_code));
            }
            Ok(_) => {}
            Err(error) => say("currency_code", error.to_string()),
        }
        if Rate::parse(&given.rate).is_none() {
            let description = "must be a decimal number above 0, of 18 digits at most, 12 of them \
                after the point";
            say("rate", description.to_owned());
        }
        match parse::instant("rate_time", given.rate_time.unwrap_or_default()) {
            Ok(rate_at) if rate_at > ctx.now + limits::PAY_TIME_AHEAD_MAX => {
                say("rate_time", "lies in the future".to_owned());
            }
            Ok(rate_at) => rows.push(RateRow {
                currency: given.currency_code.clone(),
                rate: given.rate.clone(),
                source: given.source.clone(),
                rate_at,
            }),
            Err(fault) => say("rate_time", fault.message().to_owned()),
        }
    }
    if !wrong.is_empty() {
        return Err(Fault::invalid(wrong));
    }
    rows.sort_by(|a, b| a.currency.cmp(&b.currency));
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    store::upsert(&mut tx, &rows, ctx.now).await?;
    let currencies: Vec<&str> = rows.iter().map(|row| row.currency.as_str()).collect();
    let now = store::of_currencies(&mut tx, &currencies).await?;
    tx.commit().await?;
    Ok(UpsertFxRatesResponse { rates: now.iter().map(show_rate).collect() })
}

async fn list(
    app: &App,
    ctx: Ctx,
    request: ListFxRatesRequest,
) -> Result<ListFxRatesResponse, Fault> {
    let page =
        page::Request::<String>::parse(request.page_size, &request.page_token, limits::PAGE, b"")?;
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let rows = store::list(&mut tx, page.after.as_deref(), page.fetch()).await?;
    let page = page.page(rows, |row| row.currency.clone());
    Ok(ListFxRatesResponse {
        rates: page.items.iter().map(show_rate).collect(),
        next_page_token: page.next_token,
    })
}

fn show_rate(row: &RateRow) -> FxRate {
    FxRate {
        currency_code: row.currency.clone(),
        rate: row.rate.clone(),
        source: row.source.clone(),
        rate_time: Some(parse::timestamp(row.rate_at)),
    }
}

/// An order in another currency as it is shown.
pub(crate) fn show(row: &PresentmentRow) -> Presentment {
    Presentment {
        rate: Some(show_rate(&row.rate)),
        payable_minor: row.payable_minor,
        lines_minor: row.lines_minor.clone(),
        shipping_minor: row.shipping_minor,
        charge_minor: row.charge_minor,
    }
}
