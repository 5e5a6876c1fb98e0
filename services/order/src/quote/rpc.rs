//! The RPC of quotes: read the prices and promotions of one instant, compute, show.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
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
    price::{Cart, Line, Quote, QuotedLine, Row, Step, Unusable, Verdict},
    App,
    condition::Sale,
    coupon::{self, domain::Coupon},
    directory::Around,
    item::{self, store::ForSale},
    price::{
        self, Bounds, Cart, CartError, Choice, Line, LineOffer, OfferKind, Quote, Row, Shipping,
        Step, Unusable, Verdict, quote,
    },
    price_list::{self, domain::Offer},
    promotion::{self, domain::Special},
};

/// What the price of a line depends on besides its SKU.
struct Terms<'a> {
    specials: &'a [Special],
    listed: &'a [Offer],
    sale: &'a Sale,
    now: DateTime<Utc>,
}

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
    let currency = known.currency;
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let asked = Asked {
        person,
        lines: &request.lines,
        shipping_minor: request.shipping_minor,
        shipping_free_from_minor: request.shipping_free_from_minor,
        coupons_chosen: request.coupons_chosen,
        coupon_ids: &request.coupon_ids,
        points_max: request.points_max,
        policy: checkout::policy::read(&mut tx).await?,
    let skus: BTreeSet<&str> = request.lines.iter().map(|line| line.sku.as_str()).collect();
    let asked: Vec<&str> = skus.into_iter().collect();
    let for_sale = item::store::for_sale(&mut tx, &asked).await?;
    let listed = price_list::store::offers(&mut tx, &asked, ctx.now).await?;
    let held = match person {
        Some(person) => {
            // The soonest to expire, where a buyer holds more than are looked at.
            let most = i64::try_from(Bounds::COUPONS).expect("a buyer holds few");
            coupon::store::standing(&mut tx, person, ctx.now, most).await?
        }
        None => Vec::new(),
    };
    let snapshot = snapshot::take(&mut tx, &asked, ctx.now).await?;
    drop(tx);
    let Priced { cart, quote, .. } = snapshot::price(&snapshot)?;
    Ok(show(&quote, &cart, currency.code()))
    let promotions = promotions.iter().map(promotion::rpc::show).collect::<Result<Vec<_>, _>>()?;
    let (rules, specials) = promotion::domain::rules(promotions);
    let terms = Terms { specials: &specials, listed: &listed, sale: &sale, now: ctx.now };
    let cart = Cart {
        lines: lines(&request, &for_sale, &terms)?,
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
    terms: &Terms<'_>,
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
        if !sku.visibility.holds(terms.sale, terms.now) {
            let description = format!("\"{}\" is not sold in such a sale", asked.sku);
            wrong.push(Violation { field: format!("lines[{i}].sku"), description });
            continue;
        }
        lines.push(Line {
            line_no,
            sku: sku.code.clone(),
            item: sku.item_code.clone(),
            categories: sku.categories.clone(),
            quantity: asked.quantity,
            unit_minor: sku.price_minor,
            offers: terms.offers(&asked.sku),
        });
    }
    if wrong.is_empty() { Ok(lines) } else { Err(Fault::invalid(wrong)) }
}

impl Terms<'_> {
    /// Other prices of a SKU: those of promotions, and the best of the price lists that are for the sale.
    fn offers(&self, sku: &str) -> Vec<LineOffer> {
        let special = |special: &Special| LineOffer {
            rule: special.rule.clone(),
            kind: OfferKind::Flash,
            unit_minor: special.unit_minor,
        };
        let of_list =
            price_list::domain::best(self.listed, sku, self.sale).map(|offer| LineOffer {
                rule: offer.list_code.clone(),
                kind: OfferKind::Member,
                unit_minor: offer.unit_minor,
            });
        let specials = self.specials.iter().filter(|special| special.sku == sku);
        specials.map(special).chain(of_list).collect()
    }
}

fn too_large(error: &CartError) -> Fault {
    Fault::new(Code::InvalidArgument, "CART_TOO_LARGE", error.to_string())
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
