//! The RPC of quotes: read the prices and promotions of one instant, compute, show.

use std::collections::{BTreeSet, HashMap};

use siyu_grpc::{Ctx, serve};
use siyu_kernel::{Code, Fault, Violation};
use siyu_proto::{
    order::v1::{
        self as proto, QuoteCartRequest, QuoteCartResponse, quote_service_server::QuoteService,
    },
    r#type::v1::Money,
};
use tonic::{Request, Response, Status, async_trait};

use crate::{
    App,
    item::{self, store::ForSale},
    price::{
        Cart, CartError, Choice, Line, LineOffer, OfferKind, Quote, Row, Shipping, Step, quote,
    },
    promotion::{self, domain::Special},
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
    let currency = app.directory.known(&ctx, &BTreeSet::new()).await?.currency;
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let skus: BTreeSet<&str> = request.lines.iter().map(|line| line.sku.as_str()).collect();
    let asked: Vec<&str> = skus.into_iter().collect();
    let for_sale = item::store::for_sale(&mut tx, &asked).await?;
    let promotions = promotion::store::in_force(&mut tx, ctx.now).await?;
    drop(tx);
    let promotions = promotions.iter().map(promotion::rpc::show).collect::<Result<Vec<_>, _>>()?;
    let (rules, specials) = promotion::domain::rules(promotions);
    let cart = Cart {
        lines: lines(&request, &for_sale, &specials)?,
        coupons: Vec::new(),
        choice: Choice::Best,
        points: None,
        shipping: Shipping {
            fee_minor: request.shipping_minor,
            rule: String::new(),
            free_from_minor: (request.shipping_free_from_minor > 0)
                .then_some(request.shipping_free_from_minor),
        },
        now: ctx.now,
    };
    let priced = quote(&cart, &rules).map_err(|error| too_large(&error))?;
    Ok(show(&priced, &cart, currency.code()))
}

/// The lines of a cart with what their price may depend on; names every SKU that is not sold.
fn lines(
    request: &QuoteCartRequest,
    for_sale: &[ForSale],
    specials: &[Special],
) -> Result<Vec<Line>, Fault> {
    let for_sale: HashMap<&str, &ForSale> =
        for_sale.iter().map(|sku| (sku.code.as_str(), sku)).collect();
    let (mut lines, mut wrong) = (Vec::new(), Vec::new());
    for (i, (line_no, asked)) in (1..).zip(&request.lines).enumerate() {
        let Some(sku) = for_sale.get(asked.sku.as_str()) else {
            let description = format!("\"{}\" is not sold", asked.sku);
            wrong.push(Violation { field: format!("lines[{i}].sku"), description });
            continue;
        };
        let offer = |special: &Special| LineOffer {
            rule: special.rule.clone(),
            kind: OfferKind::Flash,
            unit_minor: special.unit_minor,
        };
        lines.push(Line {
            line_no,
            sku: sku.code.clone(),
            item: sku.item_code.clone(),
            categories: sku.categories.clone(),
            quantity: asked.quantity,
            unit_minor: sku.price_minor,
            offers: specials.iter().filter(|s| s.sku == asked.sku).map(offer).collect(),
        });
    }
    if wrong.is_empty() { Ok(lines) } else { Err(Fault::invalid(wrong)) }
}

fn too_large(error: &CartError) -> Fault {
    Fault::new(Code::InvalidArgument, "CART_TOO_LARGE", error.to_string())
}

fn show(quote: &Quote, cart: &Cart, currency: &str) -> QuoteCartResponse {
    let money = |minor_units| Some(Money { currency_code: currency.to_owned(), minor_units });
    let line = |(line, priced): (&Line, &crate::price::QuotedLine)| proto::PricedLine {
        line_no: line.line_no,
        sku: line.sku.clone(),
        quantity: line.quantity,
        list_minor: priced.list,
        payable_minor: priced.payable,
    };
    QuoteCartResponse {
        payable: money(quote.payable),
        list: money(quote.list),
        shipping: money(quote.shipping),
        lines: cart.lines.iter().zip(&quote.lines).map(line).collect(),
        rows: quote.rows.iter().map(row).collect(),
    }
}

fn row(row: &Row) -> proto::PriceRow {
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
