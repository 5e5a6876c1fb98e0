//! What comes in to be priced.

use chrono::{DateTime, Utc};

use super::{Choice, Coupon};

/// A cart, with everything that its price may depend on: a price is a function of it and of the merchant's rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cart {
    /// The lines, by line number.
    pub lines: Vec<Line>,
    /// The coupons that the buyer holds.
    pub coupons: Vec<Coupon>,
    /// Which of them to use.
    pub choice: Choice,
    /// The points that may be used; nothing: none.
    pub points: Option<PointsOffer>,
    /// What bringing it costs.
    pub shipping: Shipping,
    /// The instant at which rules and coupons are looked at.
    pub now: DateTime<Utc>,
}

/// A line: some pieces of one SKU.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Line {
    /// The line; 1 is the first, each number stands once.
    pub line_no: i32,
    /// The merchant's key of what is bought.
    pub sku: String,
    /// The item that the SKU is a kind of.
    pub item: String,
    /// The categories of the item, the narrowest and all above it.
    pub categories: Vec<String>,
    /// Pieces.
    pub quantity: i64,
    /// The list price of one piece, in minor units.
    pub unit_minor: i64,
    /// Other prices of one piece, of which the lowest counts.
    pub offers: Vec<LineOffer>,
}

/// A price that replaces the list price of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineOffer {
    /// The rule that offers it.
    pub rule: String,
    /// Why there is another price.
    pub kind: OfferKind,
    /// One piece, in minor units.
    pub unit_minor: i64,
}

/// Why a line has another price. Of equal prices the earlier kind wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum OfferKind {
    /// A flash sale (秒杀).
    Flash,
    /// A group-buy (拼团).
    GroupBuy,
    /// A bargain (砍价).
    Bargain,
    /// The price for members.
    Member,
}

/// How points pay for goods.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PointsOffer {
    /// The points that the buyer wants to use at most.
    pub points: i64,
    /// So many points…
    pub per_points: i64,
    /// …are worth so many minor units.
    pub per_minor: i64,
    /// The largest share of the goods that points may pay, in basis points.
    pub share_max_bp: i64,
}

/// What bringing the goods costs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Shipping {
    /// The fee in minor units.
    pub fee_minor: i64,
    /// The rule that it comes from.
    pub rule: String,
    /// From which amount of goods it is free.
    pub free_from_minor: Option<i64>,
}

/// How large a cart may be. Within them every sum and every product of a price stays far below 2^63.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds;

impl Bounds {
    /// Lines.
    pub const LINES: usize = 500;
    /// Pieces of a line.
    pub const QUANTITY: i64 = 100_000;
    /// One piece, in minor units: a hundred million yuan.
    pub const UNIT_MINOR: i64 = 10_000_000_000;
    /// All goods, in minor units: as much as an order may have.
    pub const LIST_MINOR: i64 = 9_000_000_000_000;
    /// Coupons that a buyer holds and that are looked at.
    pub const COUPONS: usize = 200;
}

/// Why a cart has no price: a field of it, and what is wrong there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {wrong}")]
pub struct CartError {
    /// The path of the field.
    pub field: String,
    /// What is wrong.
    pub wrong: String,
}

impl Line {
    /// What the line costs without any rule.
    pub const fn list(&self) -> i64 {
        self.unit_minor * self.quantity
    }
}

impl Cart {
    /// Refuses what has no price.
    pub fn check(&self) -> Result<(), CartError> {
        if self.lines.is_empty() || self.lines.len() > Bounds::LINES {
            return Err(wrong("lines", format!("has 1 to {} elements", Bounds::LINES)));
        }
        if self.coupons.len() > Bounds::COUPONS {
            return Err(wrong("coupons", format!("has at most {} elements", Bounds::COUPONS)));
        }
        for (i, line) in self.lines.iter().enumerate() {
            line.check(i)?;
            if i > 0 && self.lines[i - 1].line_no >= line.line_no {
                return Err(wrong(
                    format!("lines[{i}].line_no"),
                    "comes after a larger one".into(),
                ));
            }
        }
        let list: i64 =
            self.lines.iter().map(Line::list).try_fold(0, i64::checked_add).unwrap_or(i64::MAX);
        if list > Bounds::LIST_MINOR {
            return Err(wrong(
                "lines",
                format!("costs more than {} minor units", Bounds::LIST_MINOR),
            ));
        }
        within("shipping.fee_minor".into(), self.shipping.fee_minor, 0, Bounds::UNIT_MINOR)?;
        let Some(points) = &self.points else { return Ok(()) };
        within("points.points".into(), points.points, 0, Bounds::LIST_MINOR)?;
        within("points.per_points".into(), points.per_points, 1, 1_000_000)?;
        within("points.per_minor".into(), points.per_minor, 1, 1_000_000)?;
        within("points.share_max_bp".into(), points.share_max_bp, 0, 10_000)
    }
}

impl Line {
    fn check(&self, i: usize) -> Result<(), CartError> {
        within(format!("lines[{i}].line_no"), self.line_no.into(), 1, i32::MAX.into())?;
        within(format!("lines[{i}].quantity"), self.quantity, 1, Bounds::QUANTITY)?;
        within(format!("lines[{i}].unit_minor"), self.unit_minor, 0, Bounds::UNIT_MINOR)?;
        self.offers.iter().enumerate().try_for_each(|(j, offer)| {
            let field = format!("lines[{i}].offers[{j}].unit_minor");
            within(field, offer.unit_minor, 0, Bounds::UNIT_MINOR)
        })
    }
}

fn within(field: String, value: i64, min: i64, max: i64) -> Result<(), CartError> {
    if (min..=max).contains(&value) {
        return Ok(());
    }
    Err(CartError { field, wrong: format!("is {value}; it may be {min} to {max}") })
}

fn wrong(field: impl Into<String>, wrong: String) -> CartError {
    CartError { field: field.into(), wrong }
}
