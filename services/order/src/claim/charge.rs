//! What a buyer is charged for a claim, and what goes back of it. Pure.
//!
//! The books hold a claim in the merchant's currency; where its order has a presentment, its buyer is charged in that one
//! (reference §3.9). A refund is decided in the merchant's currency, too, and gives back of the charge by cumulative floors:
//! after any number of refunds that together are so much of the cash, `floor(charge × so much / cash)` is back. So whoever gives
//! all of the cash back, in parts or whole, has given back the charge, to the last unit.

use siyu_kernel::Currency;

/// What is to be paid in cash for an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cash {
    /// The merchant's currency.
    pub currency: Currency,
    /// How much, in minor units.
    pub minor: i64,
    /// What the buyer is charged for it; `None`: the cash itself.
    pub charge: Option<Charge>,
}

/// An amount in the currency that a buyer is charged in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Charge {
    /// The currency.
    pub currency: Currency,
    /// How much, in minor units.
    pub minor: i64,
}

/// What went back already, or is on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Gone {
    /// Of the cash, in minor units.
    pub cash: i64,
    /// Of the charge, in minor units.
    pub charge: i64,
}

impl Cash {
    /// What the buyer is charged.
    pub fn charged(self) -> Charge {
        self.charge.unwrap_or(Charge { currency: self.currency, minor: self.minor })
    }
}

/// What a refund of `minor` of the cash gives back of the charge. After a refund that failed, what is gone may be a unit ahead of
/// what is due: then the next one gives that less, and never less than nothing.
pub fn back(charge_minor: i64, cash_minor: i64, gone: Gone, minor: i64) -> i64 {
    let given = i128::from(gone.cash) + i128::from(minor);
    let given = given.min(i128::from(cash_minor));
    let due = (i128::from(charge_minor) * given).checked_div(i128::from(cash_minor));
    let due = i64::try_from(due.unwrap_or(0)).expect("a part is not larger than the charge");
    (due - gone.charge).max(0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What each part of the cash gives back, one after the other.
    fn parts(charge: i64, cash: i64, parts: &[i64]) -> Vec<i64> {
        let mut gone = Gone::default();
        let one = |&minor: &i64| {
            let part = back(charge, cash, gone, minor);
            gone = Gone { cash: gone.cash + minor, charge: gone.charge + part };
            part
        };
        parts.iter().map(one).collect()
    }

    #[test]
    fn parts_are_cumulative_floors_and_the_last_one_gives_the_rest() {
        // 19.99 USD that were charged as 2,993 JPY.
        assert_eq!(parts(2_993, 1_999, &[666, 666, 667]), [997, 997, 999]);
        assert_eq!(parts(2_993, 1_999, &[1_999]), [2_993]);
        // A charge of few units: most refunds give nothing back, and the whole is the whole.
        assert_eq!(parts(2, 100, &[33, 33, 33, 1]), [0, 1, 0, 1]);
        // A charge of many units.
        assert_eq!(
            parts(1_000_000_000_000, 3, &[1, 1, 1]),
            [333_333_333_333, 333_333_333_333, 333_333_333_334]
        );
        assert_eq!(back(i64::MAX, i64::MAX, Gone::default(), i64::MAX), i64::MAX);
        assert_eq!(back(0, 0, Gone::default(), 0), 0);
    }

    #[test]
    fn what_failed_is_given_back_by_the_next_ones() {
        // Of 1 + 1 of 3, charged as 5, the first one gave 1 and failed; the second one, planned after it, gave 2.
        assert_eq!(parts(5, 3, &[1, 1]), [1, 2]);
        let gone = Gone { cash: 1, charge: 2 };
        assert_eq!(back(5, 3, gone, 1), 1);
        assert_eq!(back(5, 3, Gone { cash: 2, charge: 3 }, 1), 2);
        // What is back may be a unit ahead of what is due: nothing is asked back.
        assert_eq!(back(2, 100, Gone { cash: 40, charge: 1 }, 1), 0);
    }

    proptest! {
        #[test]
        fn any_parts_sum_to_the_charge_and_none_is_negative_or_above_whatever_fails(
            charge in 1_i64..10_000_000_000_000,
            cash in 1_i64..1_000_000_000,
            cuts in prop::collection::vec((0_u32..1_000, any::<bool>()), 0..12),
        ) {
            let mut gone = Gone::default();
            for (share, fails) in cuts {
                let minor = (cash - gone.cash) * i64::from(share) / 1_000;
                if minor == 0 {
                    continue;
                }
                let part = back(charge, cash, gone, minor);
                prop_assert!(part >= 0 && gone.charge + part <= charge);
                if !fails {
                    gone = Gone { cash: gone.cash + minor, charge: gone.charge + part };
                    let exact = i128::from(charge) * i128::from(gone.cash) / i128::from(cash);
                    prop_assert_eq!(i128::from(gone.charge), exact);
                }
            }
            let last = back(charge, cash, gone, cash - gone.cash);
            prop_assert_eq!(gone.charge + last, charge);
        }

        #[test]
        fn refunds_that_fail_after_others_were_planned_leave_the_sum_exact(
            charge in 1_i64..1_000,
            cash in 1_i64..1_000,
            cuts in prop::collection::vec((1_u32..1_000, any::<bool>()), 0..12),
        ) {
            // All are planned before the first of them fails.
            let (mut planned, mut made) = (Gone::default(), Vec::new());
            for (share, fails) in cuts {
                let minor = (cash - planned.cash) * i64::from(share) / 1_000;
                let part = back(charge, cash, planned, minor);
                planned = Gone { cash: planned.cash + minor, charge: planned.charge + part };
                made.push((minor, part, fails));
            }
            let mut gone = Gone::default();
            for (minor, part, _) in made.into_iter().filter(|(_, _, fails)| !fails) {
                gone = Gone { cash: gone.cash + minor, charge: gone.charge + part };
            }
            prop_assert!(gone.charge <= charge);
            while gone.cash < cash {
                let minor = (cash - gone.cash).min(7);
                let part = back(charge, cash, gone, minor);
                prop_assert!(part >= 0 && gone.charge + part <= charge);
                gone = Gone { cash: gone.cash + minor, charge: gone.charge + part };
            }
            prop_assert_eq!(gone.charge, charge);
        }
    }
}
