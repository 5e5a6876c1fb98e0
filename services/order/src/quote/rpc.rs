//! The RPC of quotes: read the prices and promotions of one instant, compute, show.

use std::collections::{BTreeSet, HashMap};

use siyu_grpc::{Ctx, parse, serve};
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
    coupon::{self, domain::Coupon},
    item::{self, store::ForSale},
    price::{
        self, Bounds, Cart, CartError, Choice, Line, LineOffer, OfferKind, Quote, Row, Shipping,
        Step, Unusable, Verdict, quote,
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
    let person = match parse::optional_id("person_id", &request.person_id)? {
        Some(asked) => Some(app.directory.person(&ctx, asked).await?),
        None => None,
    };
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let skus: BTreeSet<&str> = request.lines.iter().map(|line| line.sku.as_str()).collect();
    let asked: Vec<&str> = skus.into_iter().collect();
    let for_sale = item::store::for_sale(&mut tx, &asked).await?;
    let held = match person {
        Some(person) => {
            // The soonest to expire, where a buyer holds more than are looked at.
            let most = i64::try_from(Bounds::COUPONS).expect("a buyer holds few");
            coupon::store::standing(&mut tx, person, ctx.now, most).await?
        }
        None => Vec::new(),
    };
    let promotions = promotion::store::in_force(&mut tx, ctx.now).await?;
    drop(tx);
    let promotions = promotions.iter().map(promotion::rpc::show).collect::<Result<Vec<_>, _>>()?;
    let (rules, specials) = promotion::domain::rules(promotions);
    let cart = Cart {
        lines: lines(&request, &for_sale, &specials)?,
        coupons: coupons(&held)?,
        choice: if request.coupons_chosen {
            Choice::Only(request.coupon_ids.clone())
        } else {
            Choice::Best
        },
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
        coupons: quote.coupons.iter().map(verdict).collect(),
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

/// What the coupons of the buyer do to a price.
fn coupons(held: &[Coupon]) -> Result<Vec<price::Coupon>, Fault> {
    let of = |coupon: &Coupon| -> Result<price::Coupon, Fault> {
        let template = coupon::rpc::read(&coupon.definition)?;
        coupon::domain::for_price(coupon, template)
            .ok_or_else(|| Fault::internal("a coupon was stored that does nothing"))
    };
    held.iter().map(of).collect()
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
