//! How what an order brings is split. Pure.

use chrono::{DateTime, Utc};
use siyu_kernel::allocate;

use crate::order::domain::OrderId;

/// Whole, in basis points.
pub const WHOLE_BP: i64 = 10_000;

/// The parts of others, in basis points; the rest is the franchisee's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub struct Rates {
    /// The part of the platform.
    pub platform_fee_bp: i32,
    /// The part of headquarters.
    pub hq_bp: i32,
    /// The part of common marketing.
    pub marketing_bp: i32,
}

/// What goes to whom, in minor units; negative: what comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, sqlx::FromRow)]
pub struct Split {
    /// All of it.
    pub net_minor: i64,
    /// The platform's.
    pub platform_fee_minor: i64,
    /// Headquarters'.
    pub hq_minor: i64,
    /// Common marketing's.
    pub marketing_minor: i64,
    /// The franchisee's.
    pub franchisee_minor: i64,
}

/// What a revision of an order brings: the row.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Entry {
    /// The order.
    pub order_id: OrderId,
    /// Its revision.
    pub revision: i64,
    /// The store.
    pub store_code: String,
    /// The currency of the amounts.
    pub currency: String,
    /// The terms when the order was paid.
    #[sqlx(flatten)]
    pub rates: Rates,
    /// How much more, or less.
    #[sqlx(flatten)]
    pub split: Split,
    /// When.
    pub occurred_at: DateTime<Utc>,
}

impl Rates {
    /// Splits what an order brings by largest remainder, in the order platform, headquarters, marketing, franchisee: the
    /// parts sum to it (reference §3.3, rule 10).
    ///
    /// # Panics
    /// When the amount is negative or the rates exceed the whole, which the schema refuses.
    pub fn split(self, net_minor: i64) -> Split {
        let taken = [self.platform_fee_bp, self.hq_bp, self.marketing_bp].map(i64::from);
        let rest = WHOLE_BP - taken.iter().sum::<i64>();
        let parts = allocate(net_minor, &[taken[0], taken[1], taken[2], rest]);
        Split {
            net_minor,
            platform_fee_minor: parts[0],
            hq_minor: parts[1],
            marketing_minor: parts[2],
            franchisee_minor: parts[3],
        }
    }
}

impl Split {
    /// What it is more than another.
    #[must_use]
    pub const fn minus(self, other: Self) -> Self {
        Self {
            net_minor: self.net_minor - other.net_minor,
            platform_fee_minor: self.platform_fee_minor - other.platform_fee_minor,
            hq_minor: self.hq_minor - other.hq_minor,
            marketing_minor: self.marketing_minor - other.marketing_minor,
            franchisee_minor: self.franchisee_minor - other.franchisee_minor,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const RATES: Rates = Rates { platform_fee_bp: 60, hq_bp: 500, marketing_bp: 200 };

    #[test]
    fn the_parts_sum_to_the_whole_and_the_largest_remainders_are_rounded_up() {
        // 9999: 59.994, 499.95, 199.98 and 9239.076.
        let split = RATES.split(9_999);
        let parts = (split.platform_fee_minor, split.hq_minor, split.marketing_minor);
        assert_eq!((parts, split.franchisee_minor), ((60, 500, 200), 9_239));
        assert_eq!(RATES.split(0), Split::default());
    }

    proptest! {
        #[test]
        fn entries_of_an_order_sum_to_the_split_of_its_latest_revision(
            nets in prop::collection::vec(0_i64..1_000_000_000, 1..8)
        ) {
            let mut sum = Split::default();
            for net in &nets {
                let entry = RATES.split(*net).minus(sum);
                let parts = entry.platform_fee_minor + entry.hq_minor + entry.marketing_minor;
                prop_assert_eq!(parts + entry.franchisee_minor, entry.net_minor);
                sum = Split::default().minus(Split::default().minus(sum).minus(entry));
            }
            prop_assert_eq!(sum, RATES.split(nets[nets.len() - 1]));
        }
    }
}
