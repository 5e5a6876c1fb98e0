//! The words that every part of Siyu uses: typed ids, exact money, injected time, points, faults that name their reason.
//!
//! Nothing here does IO, and nothing here reads the clock or draws a random number: both are handed in.

mod currency;
mod fault;
mod id;
mod money;
mod opening;
mod point;
mod time;

pub use currency::{Currency, CurrencyError};
pub use fault::{Code, Fault, Violation};
pub use id::{Id, IdError, Kind, kind};
pub use money::{Money, MoneyError, allocate, parse_decimal};
pub use opening::{OpeningError, OpeningHours, OpeningSpan};
pub use point::{Point, PointError};
pub use time::{Clock, Ids, LocalDay, Zone, ZoneError};
