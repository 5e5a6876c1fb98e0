//! The RPCs of invoice data.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use prost::Message;
use siyu_grpc::{Ctx, parse, serve};
use siyu_kernel::{Code, Fault, Violation};
use siyu_pg::{Tx, page};
use siyu_proto::order::v1::{
    self as proto, GetInvoiceDataRequest, GetInvoiceDataResponse, InvoiceTitle, InvoiceTitleKind,
    ListTaxRatesRequest, ListTaxRatesResponse, PriceSnapshot, SetInvoiceTitleRequest,
    SetInvoiceTitleResponse, SetTaxRatesRequest, SetTaxRatesResponse, TaxRate,
    invoice_service_server::InvoiceService,
};
use siyu_vault::{Keys, Place};
use tonic::{Request, Response, Status, async_trait};

use super::{
    domain::{Amount, Back, Invoice, Line, Sold, invoice, is_tax_no},
    store::{self, Rate, Title},
};
use crate::{
    App,
    checkout::store as checkouts,
    limits,
    order::{
        advance,
        domain::{Order, OrderId},
        store as orders,
    },
    refund::{
        domain::{Refund, State},
        sold::plan_of,
        store as refunds,
    },
};

#[async_trait]
impl InvoiceService for App {
    async fn set_tax_rates(
        &self,
        request: Request<SetTaxRatesRequest>,
    ) -> Result<Response<SetTaxRatesResponse>, Status> {
        serve(request, |ctx, message| set_rates(self, ctx, message)).await
    }

    async fn list_tax_rates(
        &self,
        request: Request<ListTaxRatesRequest>,
    ) -> Result<Response<ListTaxRatesResponse>, Status> {
        serve(request, |ctx, message| list_rates(self, ctx, message)).await
    }

    async fn set_invoice_title(
        &self,
        request: Request<SetInvoiceTitleRequest>,
    ) -> Result<Response<SetInvoiceTitleResponse>, Status> {
        serve(request, |ctx, message| set_title(self, ctx, message)).await
    }

    async fn get_invoice_data(
        &self,
        request: Request<GetInvoiceDataRequest>,
    ) -> Result<Response<GetInvoiceDataResponse>, Status> {
        serve(request, |ctx, message| get(self, ctx, message)).await
    }
}

async fn set_rates(
    app: &App,
    ctx: Ctx,
    request: SetTaxRatesRequest,
) -> Result<SetTaxRatesResponse, Fault> {
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    store::lock_rates(&mut tx).await?;
    let mut wrong = Vec::new();
    for (i, given) in request.rates.iter().enumerate() {
        let field = format!("rates[{i}].valid_time_from");
        let valid_from = parse::optional_instant(&field, given.valid_time_from)?;
        let valid_from = valid_from.ok_or_else(|| Fault::field(&field, "is required"))?;
        let (category, rate_bp) = (given.category.clone(), given.rate_bp);
        let rate = Rate { category, valid_from, rate_bp };
        let known = store::find_rate(&mut tx, &rate.category, valid_from).await?;
        if known.as_ref() == Some(&rate) {
            continue;
        }
        let last = store::last_rate(&mut tx, &rate.category).await?;
        let is_first = last.is_none();
        if !is_first && valid_from <= ctx.now {
            let description = "is past: what is in force is not changed".to_owned();
            wrong.push(Violation { field, description });
            continue;
        }
        store::save_rate(&mut tx, &rate, ctx.now).await?;
    }
    if !wrong.is_empty() {
        return Err(Fault::invalid(wrong));
    }
    tx.commit().await?;
    Ok(SetTaxRatesResponse { rates: request.rates })
}

async fn list_rates(
    app: &App,
    ctx: Ctx,
    request: ListTaxRatesRequest,
) -> Result<ListTaxRatesResponse, Fault> {
    let page = page::Request::<(String, DateTime<Utc>)>::parse(
        request.page_size,
        &request.page_token,
        limits::PAGE,
        b"",
    )?;
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let rows = store::list_rates(&mut tx, page.after.as_ref(), page.fetch()).await?;
    let page = page.page(rows, |rate| (rate.category.clone(), rate.valid_from));
    let show = |rate: Rate| TaxRate {
        category: rate.category,
        rate_bp: rate.rate_bp,
        valid_time_from: Some(parse::timestamp(rate.valid_from)),
    };
    Ok(ListTaxRatesResponse {
        rates: page.items.into_iter().map(show).collect(),
        next_page_token: page.next_token,
    })
}

async fn set_title(
    app: &App,
    ctx: Ctx,
    request: SetInvoiceTitleRequest,
) -> Result<SetInvoiceTitleResponse, Fault> {
    let (id, merchant) = (parse::id("order_id", &request.order_id)?, ctx.merchant()?);
    let title = request.title.unwrap_or_default();
    let kind = match title.kind() {
        InvoiceTitleKind::Personal if title.tax_no.is_empty() => "personal",
        InvoiceTitleKind::Personal => {
            return Err(Fault::field("title.tax_no", "belongs to a company"));
        }
        InvoiceTitleKind::Company if is_tax_no(&title.tax_no) => "company",
        InvoiceTitleKind::Company => {
            let description = "must be 15 to 20 digits and capital letters";
            return Err(Fault::field("title.tax_no", description));
        }
        InvoiceTitleKind::Unspecified => {
            return Err(Fault::field("title.kind", "is not a known value"));
        }
    };
    let keys = app.vault.keys(&app.db, merchant, ctx.now).await?;
    let mut tx = app.db.tenant(merchant).await?;
    advance::lock(&mut tx, id, "").await?;
    if read_title(&mut tx, id, &keys).await?.as_ref() != Some(&title) {
        let row = id.to_string();
        let sealed = keys.seal_bytes(place(&row), &title.encode_to_vec());
        let stored = Title { kind: kind.to_owned(), sealed };
        store::save_title(&mut tx, id, &stored, ctx.now).await?;
        tx.commit().await?;
    }
    Ok(SetInvoiceTitleResponse { title: Some(title) })
}

const fn place(row: &str) -> Place<'_> {
    Place { kind: "invoice_title", row }
}

async fn read_title(tx: &mut Tx, id: OrderId, keys: &Keys) -> Result<Option<InvoiceTitle>, Fault> {
    let Some(stored) = store::title(tx, id).await? else { return Ok(None) };
    let clear = keys.open_bytes(place(&id.to_string()), &stored.sealed)?;
    InvoiceTitle::decode(clear.as_slice()).map(Some).map_err(Fault::internal)
}

async fn get(
    app: &App,
    ctx: Ctx,
    request: GetInvoiceDataRequest,
) -> Result<GetInvoiceDataResponse, Fault> {
    let id: OrderId = parse::id("order_id", &request.order_id)?;
    let merchant = ctx.merchant()?;
    let keys = app.vault.keys(&app.db, merchant, ctx.now).await?;
    let mut tx = app.db.tenant_read(merchant).await?;
    let order = orders::find(&mut tx, id).await?.filter(Order::is_own);
    let order = order.ok_or_else(|| Fault::not_found("order"))?;
    if order.paid_at.is_none() {
        let message = "nothing was paid that could be invoiced";
        return Err(Fault::new(Code::FailedPrecondition, "ORDER_NOT_PAID", message));
    }
    let sold = sold(&mut tx, &order).await?;
    let mut done = refunds::of_order(&mut tx, id).await?;
    done.retain(|refund| refund.state == State::Succeeded);
    let back = done.iter().map(back).collect::<Result<Vec<_>, Fault>>()?;
    let title = read_title(&mut tx, id, &keys).await?;
    let data = show(&order, &invoice(&sold, &back), &done, title);
    Ok(GetInvoiceDataResponse { data: Some(data) })
}

/// What an order sold, net of everything that was taken off, with the rates that were in force when it was placed.
async fn sold(tx: &mut Tx, order: &Order) -> Result<Vec<Sold>, Fault> {
    let checkout = checkouts::find(tx, order.id).await?;
    let checkout = checkout.ok_or_else(|| Fault::not_found("order"))?;
    let kept = PriceSnapshot::decode(checkout.snapshot.as_slice()).map_err(Fault::internal)?;
    let own = kept.lines.iter().flat_map(|line| &line.categories);
    let mut categories: Vec<&str> = own.map(String::as_str).collect();
    categories.push("");
    let rates = store::rates_at(tx, &categories, order.created_at).await?;
    let rates: BTreeMap<String, i32> = rates.into_iter().collect();
    let mut sold = Vec::new();
    for (line, priced) in kept.lines.iter().zip(&kept.priced) {
        sold.push(Sold {
            line_no: line.line_no,
            sku: line.sku.clone(),
            name: line.name.clone(),
            quantity: line.quantity,
            gross_minor: priced.payable_minor,
            rate_bp: rate(&rates, line.line_no, &line.categories)?,
        });
    }
    if checkout.shipping_minor > 0 {
        sold.push(Sold {
            line_no: 0,
            sku: String::new(),
            name: String::new(),
            quantity: 1,
            gross_minor: checkout.shipping_minor,
            rate_bp: rate(&rates, 0, &[])?,
        });
    }
    Ok(sold)
}

/// The rate of the narrowest category that has one, or the usual one.
fn rate(rates: &BTreeMap<String, i32>, line_no: i32, of: &[String]) -> Result<i32, Fault> {
    let narrow = of.iter().rev().find_map(|category| rates.get(category));
    narrow.or_else(|| rates.get("")).copied().ok_or_else(|| {
        let message = format!("line {line_no} has no tax rate");
        Fault::new(Code::FailedPrecondition, "TAX_RATE_MISSING", message).with("line_no", line_no)
    })
}

/// What a refund took back.
fn back(refund: &Refund) -> Result<Vec<Back>, Fault> {
    let plan = plan_of(refund)?;
    let line = |line: &proto::PlannedLine| Back {
        line_no: line.line_no,
        quantity: line.quantity,
        gross_minor: line.goods_minor,
    };
    let mut back: Vec<Back> = plan.lines.iter().map(line).collect();
    if plan.shipping_minor > 0 {
        back.push(Back { line_no: 0, quantity: 1, gross_minor: plan.shipping_minor });
    }
    Ok(back)
}

fn show(
    order: &Order,
    invoice: &Invoice<'_>,
    refunds: &[Refund],
    title: Option<InvoiceTitle>,
) -> proto::InvoiceData {
    let letter = |(refund, lines): (&Refund, &Vec<Line<'_>>)| proto::RedLetter {
        refund_id: refund.id.to_string(),
        lines: lines.iter().map(Line::show).collect(),
        end_time: refund.ended_at.map(parse::timestamp),
    };
    let total = |(&rate_bp, amount): (&i32, &Amount)| proto::InvoiceTotal {
        rate_bp,
        gross_minor: amount.gross,
        net_minor: amount.net,
        tax_minor: amount.tax(),
    };
    proto::InvoiceData {
        order_id: order.id.to_string(),
        title,
        currency_code: order.currency.0.code().to_owned(),
        lines: invoice.lines.iter().map(Line::show).collect(),
        red_letters: refunds.iter().zip(&invoice.red).map(letter).collect(),
        totals: invoice.totals.iter().map(total).collect(),
        payable_minor: invoice.lines.iter().map(|line| line.amount.gross).sum(),
        refunded_minor: -invoice.red.iter().flatten().map(|line| line.amount.gross).sum::<i64>(),
    }
}
