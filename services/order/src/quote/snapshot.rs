//! A price with everything that it follows from. A quote and an order take the same way: what the catalogue, the promotions
//! and the buyer's coupons say at one instant goes into a snapshot, and the price is a function of the snapshot alone. So an
//! order that keeps its snapshot can be priced again, and comes out the same (rule 22).

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use siyu_grpc::parse;
use siyu_kernel::{Code, Fault, Id, Violation, kind::Person};
use siyu_pg::Tx;
use siyu_proto::order::v1::{
    CartLine, CheckoutPolicy, Coupon, PriceSnapshot, SnapshotLine, SnapshotOffer,
};

use crate::{
    condition::Sale,
    coupon,
    item::{self, store::ForSale},
    price::{
        Bounds, Cart, CartError, Choice, Line, LineOffer, OfferKind, PointsOffer, Quote, Rules,
        Shipping, quote,
    },
    price_list::{self, domain::Offer},
    promotion::{
        self,
        domain::{Place, Special},
    },
};

/// What a price is asked for.
#[derive(Debug, Clone)]
pub struct Asked<'a> {
    /// The buyer.
    pub person: Option<Id<Person>>,
    /// Where, by what and to whom it is sold.
    pub sale: &'a Sale,
    /// The lines.
    pub lines: &'a [CartLine],
    /// The fee for shipping.
    pub shipping_minor: i64,
    /// From which amount of goods on it is free; 0: never.
    pub shipping_free_from_minor: i64,
    /// Whether `coupon_ids` says which coupons to use.
    pub coupons_chosen: bool,
    /// The coupons to use.
    pub coupon_ids: &'a [String],
    /// The most points to use.
    pub points_max: i64,
    /// The merchant's rules.
    pub policy: CheckoutPolicy,
    /// Where it is bought.
    pub place: Place<'a>,
}

/// Reads what a price follows from at this instant; names every SKU that is not sold.
pub async fn take(
    tx: &mut Tx,
    asked: &Asked<'_>,
    now: DateTime<Utc>,
) -> Result<PriceSnapshot, Fault> {
    let skus: BTreeSet<&str> = asked.lines.iter().map(|line| line.sku.as_str()).collect();
    let codes: Vec<&str> = skus.into_iter().collect();
    let for_sale = item::store::for_sale(tx, &codes).await?;
    let listed = price_list::store::offers(tx, &codes, now).await?;
    let held = match asked.person {
        Some(person) => {
            // The soonest to expire, where a buyer holds more than are looked at.
            let most = i64::try_from(Bounds::COUPONS).expect("a buyer holds few");
            coupon::store::standing(tx, person, now, most).await?
        }
        None => Vec::new(),
    };
    let promotions = promotion::store::in_force(tx, &codes, now).await?;
    let mut promotions =
        promotions.iter().map(promotion::rpc::show).collect::<Result<Vec<_>, _>>()?;
    let (_, specials) = promotion::domain::rules(promotions.clone(), asked.place);
    let terms = Terms { specials: &specials, listed: &listed, sale: asked.sale, now };
    let lines = lines(asked.lines, &for_sale, &terms)?;
    // What it does not follow from is not kept: a merchant may have thousands of them.
    let priced = lines.iter().map(line).collect::<Result<Vec<_>, _>>()?;
    promotions.retain(|one| promotion::domain::concerns(one, &priced, asked.place));
    Ok(PriceSnapshot {
        lines,
        promotions,
        coupons: held.iter().map(|held| coupon::rpc::show(held, now)).collect::<Result<_, _>>()?,
        coupons_chosen: asked.coupons_chosen,
        coupon_ids: asked.coupon_ids.to_vec(),
        points_max: asked.points_max,
        policy: Some(asked.policy.clone()),
        shipping_minor: asked.shipping_minor,
        shipping_free_from_minor: asked.shipping_free_from_minor,
        price_time: Some(parse::timestamp(now)),
        store_code: asked.place.store_code.to_owned(),
        channel: asked.place.channel.to_owned(),
        ..Default::default()
    })
}

/// A price with what it was computed from.
#[derive(Debug)]
pub struct Priced {
    /// The cart.
    pub cart: Cart,
    /// The merchant's rules.
    pub rules: Rules,
    /// The price.
    pub quote: Quote,
}

/// The price that follows from a snapshot.
pub fn price(snapshot: &PriceSnapshot) -> Result<Priced, Fault> {
    let place = Place { store_code: &snapshot.store_code, channel: &snapshot.channel };
    let (rules, _) = promotion::domain::rules(snapshot.promotions.clone(), place);
    let coupon = |held: &Coupon| coupon(held, place);
    let cart = Cart {
        lines: snapshot.lines.iter().map(line).collect::<Result<_, _>>()?,
        coupons: snapshot.coupons.iter().map(coupon).collect::<Result<_, _>>()?,
        choice: if snapshot.coupons_chosen {
            Choice::Only(snapshot.coupon_ids.clone())
        } else {
            Choice::Best
        },
        points: points(snapshot),
        shipping: Shipping {
            fee_minor: snapshot.shipping_minor,
            rule: String::new(),
            free_from_minor: (snapshot.shipping_free_from_minor > 0)
                .then_some(snapshot.shipping_free_from_minor),
        },
        now: parse::optional_instant("price_time", snapshot.price_time)?
            .ok_or_else(|| Fault::internal("a price was kept without its instant"))?,
    };
    let quote = quote(&cart, &rules).map_err(|error| too_large(&error))?;
    Ok(Priced { cart, rules, quote })
}

/// Keeps what came out beside what it followed from.
pub fn fill(snapshot: &mut PriceSnapshot, priced: &Priced) {
    let Priced { cart, quote, .. } = priced;
    snapshot.rows = quote.rows.iter().map(super::rpc::row).collect();
    snapshot.priced = super::rpc::priced(cart, quote);
    snapshot.shipping_payable_minor = quote.shipping;
    snapshot.points = quote.points;
    let used = quote.coupons.iter().filter(|verdict| verdict.used.is_some());
    snapshot.used_coupon_ids = used.map(|verdict| verdict.id.clone()).collect();
}

/// Whether a snapshot that was filled before has the same price today.
pub fn is_confirmed(snapshot: &PriceSnapshot) -> Result<bool, Fault> {
    let mut again = snapshot.clone();
    fill(&mut again, &price(snapshot)?);
    Ok(again == *snapshot)
}

/// The lines of a cart with what their price may depend on.
fn lines(
    asked: &[CartLine],
    for_sale: &[ForSale],
    terms: &Terms<'_>,
) -> Result<Vec<SnapshotLine>, Fault> {
    let for_sale: HashMap<&str, &ForSale> =
        for_sale.iter().map(|sku| (sku.code.as_str(), sku)).collect();
    let (mut lines, mut wrong) = (Vec::new(), Vec::new());
    for (i, (line_no, asked)) in (1..).zip(asked).enumerate() {
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
        lines.push(SnapshotLine {
            line_no,
            sku: sku.code.clone(),
            item: sku.item_code.clone(),
            name: sku.item_name.clone(),
            categories: sku.categories.clone(),
            quantity: asked.quantity,
            unit_minor: sku.price_minor,
            offers: terms.offers(&asked.sku),
            stock_kept: sku.stock_kept,
        });
    }
    if wrong.is_empty() { Ok(lines) } else { Err(Fault::invalid(wrong)) }
}

/// What the price of a line depends on besides its SKU.
struct Terms<'a> {
    specials: &'a [Special],
    listed: &'a [Offer],
    sale: &'a Sale,
    now: DateTime<Utc>,
}

impl Terms<'_> {
    /// Other prices of a SKU: those of promotions, and the best of the price lists that are for the sale.
    fn offers(&self, sku: &str) -> Vec<SnapshotOffer> {
        let special = |special: &Special| SnapshotOffer {
            rule: special.rule.clone(),
            kind: rank(OfferKind::Flash),
            unit_minor: special.unit_minor,
        };
        let of_list =
            price_list::domain::best(self.listed, sku, self.sale).map(|offer| SnapshotOffer {
                rule: offer.list_code.clone(),
                kind: rank(OfferKind::Member),
                unit_minor: offer.unit_minor,
            });
        let specials = self.specials.iter().filter(|special| special.sku == sku);
        specials.map(special).chain(of_list).collect()
    }
}

fn line(line: &SnapshotLine) -> Result<Line, Fault> {
    let offer = |offer: &SnapshotOffer| {
        let kind = KINDS.get(usize::try_from(offer.kind - 1).unwrap_or(usize::MAX));
        Ok(LineOffer {
            rule: offer.rule.clone(),
            kind: *kind.ok_or_else(|| Fault::internal("a price was kept with an unknown offer"))?,
            unit_minor: offer.unit_minor,
        })
    };
    Ok(Line {
        line_no: line.line_no,
        sku: line.sku.clone(),
        item: line.item.clone(),
        categories: line.categories.clone(),
        quantity: line.quantity,
        unit_minor: line.unit_minor,
        offers: line.offers.iter().map(offer).collect::<Result<_, Fault>>()?,
    })
}

/// The kinds of offers in the order of their ranks in a snapshot.
const KINDS: [OfferKind; 4] =
    [OfferKind::Flash, OfferKind::GroupBuy, OfferKind::Bargain, OfferKind::Member];

/// The rank of a kind of offer in a snapshot.
pub(crate) fn rank(kind: OfferKind) -> i32 {
    (1..).zip(KINDS).find(|(_, of)| *of == kind).map(|(rank, _)| rank).expect("KINDS has them all")
}

fn coupon(held: &Coupon, place: Place<'_>) -> Result<crate::price::Coupon, Fault> {
    coupon::domain::for_price(held, place)
        .ok_or_else(|| Fault::internal("a coupon was stored that does nothing"))
}

/// How points pay, if the merchant's rules allow it and the buyer wants it.
fn points(snapshot: &PriceSnapshot) -> Option<PointsOffer> {
    let policy = snapshot.policy.clone().unwrap_or_default();
    let allowed = policy.points_per > 0 && policy.points_minor > 0 && snapshot.points_max > 0;
    allowed.then_some(PointsOffer {
        points: snapshot.points_max,
        per_points: policy.points_per,
        per_minor: policy.points_minor,
        share_max_bp: policy.points_share_max_bp.into(),
    })
}

fn too_large(error: &CartError) -> Fault {
    Fault::new(Code::InvalidArgument, "CART_TOO_LARGE", error.to_string())
}
