//! What a cart costs and why (算价). Pure: prices, rules and coupons come in, rows go out. Each step takes amounts off lines
//! and says so in rows `(line, step, rule, amount)`, so that a person can read the price and a refund can use it: a row is
//! never computed again. The order of the steps is fixed (reference §3.2):
//!
//! | step | what | decided by |
//! | --- | --- | --- |
//! | line price | flash, group-buy, bargain, member price | the lowest of a line, alone |
//! | line promotion | n-th piece, bundle | priority; a piece takes part in one |
//! | order promotion | threshold (满减, 满折) | of one exclusion group the best, groups by priority |
//! | coupon | one of the shop, one of the brand | the best combination, or the ones that the buyer chose |
//! | points | points for money | as many as allowed, none wasted |
//! | shipping | the fee, and what is taken off it | free from an amount, a shipping coupon |
//!
//! Thresholds look at what eligible lines cost after the line promotions. Stored value and gift cards are tenders: they pay
//! what is payable and do not change it.
//!
//! Always: `list − payable` is the sum of the rows, no line is below zero, the same input gives the same rows.

mod cart;
mod coupon;
mod line_price;
mod line_promotion;
mod points;
mod rules;
mod threshold;
mod working;

#[cfg(test)]
pub(crate) mod tests;

pub use cart::{Bounds, Cart, CartError, Line, LineOffer, OfferKind, PointsOffer, Shipping};
pub use coupon::{Choice, Coupon, CouponKind, CouponOwner, Unusable, Verdict};
pub use rules::{LinePromotion, LineRule, Off, OrderPromotion, Reach, Rules, Scope, Tier};
pub use threshold::Goods;
pub use working::{Row, Step};

use working::Working;

/// What a cart costs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quote {
    /// Why, in the order of the steps. A positive amount was taken off, a negative one was added; line 0 is the shipping.
    pub rows: Vec<Row>,
    /// What each line costs, in the order of the cart.
    pub lines: Vec<QuotedLine>,
    /// What the goods would cost without any rule.
    pub list: i64,
    /// What is to be paid for shipping.
    pub shipping: i64,
    /// What is to be paid.
    pub payable: i64,
    /// The points that are used.
    pub points: i64,
    /// What became of each coupon that the buyer holds, in the order of the cart.
    pub coupons: Vec<Verdict>,
}

/// What a line costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuotedLine {
    /// The line.
    pub line_no: i32,
    /// Without any rule.
    pub list: i64,
    /// To be paid.
    pub payable: i64,
}

/// Prices a cart.
pub fn quote(cart: &Cart, rules: &Rules) -> Result<Quote, CartError> {
    cart.check()?;
    let mut working = Working::new(cart);
    line_price::apply(&mut working);
    line_promotion::apply(&mut working, &rules.lines);
    working.keep_base();
    threshold::apply(&mut working, &rules.orders);
    let mut coupons = coupon::apply(&mut working);
    let points = points::apply(&mut working);
    let shipping = coupon::apply_shipping(&mut working, &mut coupons);
    let line = |(line, payable): (&Line, &i64)| QuotedLine {
        line_no: line.line_no,
        list: line.list(),
        payable: *payable,
    };
    Ok(Quote {
        lines: cart.lines.iter().zip(working.amounts()).map(line).collect(),
        list: cart.lines.iter().map(Line::list).sum(),
        payable: working.amounts().iter().sum::<i64>() + shipping,
        shipping,
        points,
        coupons,
        rows: working.into_rows(),
    })
}
