//! The figures of one merchant, exactly, from its paid orders: pure, without IO, clock or randomness.
//!
//! ```text
//! facts of a day ──DayCell::build──▶ cell ─┐
//!                                          ├─ Cube::plan ─▶ Delta ─▶ Cube::apply ─▶ queries
//! purchase days of a person ──Derived──▶ indexes ─┘
//! ```
//!
//! A [`Cube`] is one merchant in one [`Scope`]: a cell per day (who bought, and how much) and derived bitmaps (whose first
//! purchase a day is, whose second, who came back after a year). Months are rolled up lazily, so that a query costs its
//! window's months and the days at its edges, never the orders. Invariants:
//!
//! - equal facts give equal bytes, in whatever order they came ([`DayCell::encode`], [`encode_bitmap`]; rules 106, 107);
//! - a cube that was updated by deltas answers like one rebuilt from nothing (property test);
//! - distinct counts are exact, over persons (rule 115); ratios keep numerator and denominator (rule 110);
//! - two orders on one day are one purchase occasion, except where a figure is named after orders.
//!
//! Floating point stands only in [`model`], [`triangle`] and [`Ratio::value`].

mod arpu;
mod calendar;
mod cell;
mod clv;
mod codec;
mod cohort;
mod cube;
mod derived;
mod dormancy;
mod effective;
mod fact;
mod fold;
mod history;
pub mod model;
mod ratio;
mod reactivation;
mod repeat;
mod rfm;
mod sales;
mod table;
#[cfg(test)]
mod tests;
pub mod triangle;

pub use arpu::{Attribution, Connection, UserArpu, UserArpuFigures};
pub use calendar::{Month, Window, WindowError};
pub use cell::{CellError, DayCell, MAX_AMOUNT_MINOR, MAX_UNITS, Spend, Sums};
pub use clv::{Payment, SimpleClv, discounted, simple};
pub use codec::{decode_bitmap, encode_bitmap};
pub use cohort::{Cohort, Cohorts};
pub use cube::Cube;
pub use derived::{DORMANT_DAYS, Derived, IndexKey, IndexOps};
pub use dormancy::Dormancy;
pub use effective::Effective;
pub use fact::{Domain, Fact, Person, Scope};
pub use fold::Delta;
pub use history::History;
pub use ratio::Ratio;
pub use reactivation::Reactivation;
pub use repeat::Repeat;
pub use rfm::{Better, Look, Rfm, RfmRow, Segment, scores};
pub use sales::{Bucket, Grain, Sales};
