//! The RPC of quotes: read the prices and promotions of one instant, compute, show.

use siyu_grpc::{Ctx, parse, serve};
use siyu_kernel::Fault;
use siyu_proto::{
    order::v1::{
        self as proto, QuoteCartRequest, QuoteCartResponse, quote_service_server::QuoteService,
    },
    r#type::v1::Money,
};
use tonic::{Request, Response, Status, async_trait};

use super::snapshot::{self, Asked, Priced};
use crate::{
    App, checkout,
    directory::Around,
    price::{Cart, Line, Quote, QuotedLine, Row, Step, Unusable, Verdict},
    promotion::domain::Place,
};

#[async_trait]
impl QuoteService for App {
    async fn quote_cart(
        &self,
        request: Request<QuoteCartRequest>,
    ) -> Result<Response<QuoteCartResponse>, Status> {
        serve(request, |ctx, message| quote_cart(self, ctx, message)).await
    }
}

async fn quote_cart(
    app: &App,
    ctx: Ctx,
    request: QuoteCartRequest,
) -> Result<QuoteCartResponse, Fault> {
    let asked = parse::optional_id("person_id", &request.person_id)?;
    let Around { known, person, sale } =
        app.directory.around(&ctx, &request.store_code, &request.channel, asked).await?;
    let mut tx = app.db.tenant_lookup(ctx.merchant()?).await?;
    let asked = Asked {
        person,
        sale: &sale,
        lines: &request.lines,
        shipping_minor: request.shipping_minor,
        shipping_free_from_minor: request.shipping_free_from_minor,
        coupons_chosen: request.coupons_chosen,
        coupon_ids: &request.coupon_ids,
        points_max: request.points_max,
        policy: checkout::policy::read(&mut tx).await?,
        place: Place { store_code: &request.store_code, channel: &request.channel },
    };
    let snapshot = snapshot::take(&mut tx, &asked, ctx.now).await?;
    drop(tx);
    let Priced { cart, quote, .. } = snapshot::price(&snapshot)?;
    Ok(show(&quote, &cart, known.currency.code()))
}

fn show(quote: &Quote, cart: &Cart, currency: &str) -> QuoteCartResponse {
    let money = |minor_units| Some(Money { currency_code: currency.to_owned(), minor_units });
    QuoteCartResponse {
        payable: money(quote.payable),
        list: money(quote.list),
        shipping: money(quote.shipping),
        lines: priced(cart, quote),
        points: quote.points,
        rows: quote.rows.iter().map(row).collect(),
        coupons: quote.coupons.iter().map(verdict).collect(),
    }
}

/// The lines of a price as they are shown.
pub(crate) fn priced(cart: &Cart, quote: &Quote) -> Vec<proto::PricedLine> {
    let line = |(line, priced): (&Line, &QuotedLine)| proto::PricedLine {
        line_no: line.line_no,
        sku: line.sku.clone(),
        quantity: line.quantity,
        list_minor: priced.list,
        payable_minor: priced.payable,
    };
    cart.lines.iter().zip(&quote.lines).map(line).collect()
}

/// A row of a price as it is shown.
pub(crate) fn row(row: &Row) -> proto::PriceRow {
    let step = match row.step {
        Step::LinePrice => proto::PriceStep::LinePrice,
        Step::LinePromotion => proto::PriceStep::LinePromotion,
        Step::OrderPromotion => proto::PriceStep::OrderPromotion,
        Step::Coupon => proto::PriceStep::Coupon,
        Step::Points => proto::PriceStep::Points,
        Step::Shipping => proto::PriceStep::Shipping,
    };
    proto::PriceRow {
        line_no: row.line_no,
        step: step.into(),
        rule: row.rule.clone(),
        amount_minor: row.amount,
    }
}

fn verdict(verdict: &Verdict) -> proto::CouponVerdict {
    let (unusable, missing_minor) = match verdict.unusable {
        None => (proto::CouponUnusable::Unspecified, 0),
        Some(Unusable::TooEarly) => (proto::CouponUnusable::TooEarly, 0),
        Some(Unusable::Expired) => (proto::CouponUnusable::Expired, 0),
        Some(Unusable::NothingEligible) => (proto::CouponUnusable::NothingEligible, 0),
        Some(Unusable::BelowThreshold(missing)) => (proto::CouponUnusable::BelowThreshold, missing),
        Some(Unusable::Excluded) => (proto::CouponUnusable::Excluded, 0),
    };
    proto::CouponVerdict {
        coupon_id: verdict.id.clone(),
        used: verdict.used.is_some(),
        off_minor: verdict.used.unwrap_or(0),
        unusable: unusable.into(),
        missing_minor,
    }
}
