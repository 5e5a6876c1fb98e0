//! What platforms gave back of orders that were imported. Pure: the lines of an order as they were sold and everything that was
//! given back of it go in, what each line lost comes out, the same in whatever order it was told.
//!
//! | given back | taken from |
//! | --- | --- |
//! | of a line | the line, never more than it was sold for |
//! | of a line that nobody has told of | nothing, until somebody does |
//! | of the order | what is left of its lines, by largest remainder |
//! | nothing: it was withdrawn | nothing, whatever pieces it names |

pub mod batch;
pub mod store;

use std::collections::BTreeMap;

use siyu_kernel::allocate;

use crate::order::domain::Line;

/// What a platform gave back, of a line or of the order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub struct Back {
    /// The line; 0: the order as a whole.
    pub line_no: i32,
    /// In minor units.
    pub amount_minor: i64,
    /// Pieces.
    pub quantity: i64,
}

/// What refunds took from a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, sqlx::FromRow)]
pub struct Taken {
    /// In minor units.
    #[sqlx(rename = "refunded_minor")]
    pub minor: i64,
    /// Pieces.
    #[sqlx(rename = "refunded_quantity")]
    pub quantity: i64,
}

/// What refunds take from each line, by number; lines are as they were sold.
pub fn taken(lines: &BTreeMap<i32, Line>, backs: &[Back]) -> BTreeMap<i32, Taken> {
    let mut taken: BTreeMap<i32, Taken> =
        lines.keys().map(|line_no| (*line_no, Taken::default())).collect();
    // What was withdrawn takes nothing, whatever else is told of it.
    for back in backs.iter().filter(|back| back.amount_minor > 0) {
        if let Some(of) = taken.get_mut(&back.line_no) {
            of.minor = of.minor.saturating_add(back.amount_minor);
            of.quantity = of.quantity.saturating_add(back.quantity);
        }
    }
    for (line_no, of) in &mut taken {
        let line = &lines[line_no];
        of.minor = of.minor.min(line.paid_minor);
        of.quantity = of.quantity.min(line.quantity);
    }
    let of_all = backs.iter().filter(|back| back.line_no == 0);
    let of_all = of_all.fold(0_i64, |sum, back| sum.saturating_add(back.amount_minor));
    let left: Vec<i64> = taken.iter().map(|(n, of)| lines[n].paid_minor - of.minor).collect();
    let of_all = of_all.min(left.iter().sum());
    if of_all > 0 {
        for (of, part) in taken.values_mut().zip(allocate(of_all, &left)) {
            of.minor += part;
        }
    }
    taken
}

/// Whether refunds left nothing of what was paid. Where nothing was paid, they say nothing.
pub fn leave_nothing(lines: &BTreeMap<i32, Line>, taken: &BTreeMap<i32, Taken>) -> bool {
    let paid = lines.values().any(|line| line.paid_minor > 0);
    paid && lines.iter().all(|(n, line)| taken.get(n).is_some_and(|of| of.minor == line.paid_minor))
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use proptest::prelude::*;

    use super::*;

    fn lines(paid: &[i64]) -> BTreeMap<i32, Line> {
        let line = |(line_no, &paid_minor): (i32, &i64)| {
            let (sku, category) = (String::new(), String::new());
            let version = DateTime::UNIX_EPOCH;
            (line_no, Line { line_no, sku, category, quantity: 2, paid_minor, version })
        };
        (1..).zip(paid).map(line).collect()
    }

    fn back(line_no: i32, amount_minor: i64) -> Back {
        Back { line_no, amount_minor, quantity: i64::from(line_no > 0) }
    }

    fn minors(paid: &[i64], backs: &[Back]) -> Vec<i64> {
        taken(&lines(paid), backs).values().map(|of| of.minor).collect()
    }

    #[test]
    fn a_line_loses_what_was_given_back_of_it_and_no_more_than_it_was_sold_for() {
        assert_eq!(minors(&[500, 250], &[back(1, 200), back(1, 100)]), [300, 0]);
        assert_eq!(minors(&[500, 250], &[back(2, 400)]), [0, 250]);
        assert_eq!(minors(&[500], &[back(1, i64::MAX), back(1, i64::MAX)]), [500]);
        let of = taken(&lines(&[500]), &[back(1, 1), back(1, 1), back(1, 1)]);
        assert_eq!(of[&1], Taken { minor: 3, quantity: 2 });
    }

    #[test]
    fn what_was_withdrawn_takes_no_pieces_either() {
        let withdrawn = Back { line_no: 1, amount_minor: 0, quantity: 2 };
        assert_eq!(taken(&lines(&[500]), &[withdrawn])[&1], Taken::default());
    }

    #[test]
    fn what_is_given_back_of_the_order_is_divided_over_what_is_left() {
        assert_eq!(minors(&[3333, 3333, 3334], &[back(0, 1000)]), [333, 333, 334]);
        assert_eq!(minors(&[500, 250], &[back(1, 500), back(0, 100)]), [500, 100]);
        assert_eq!(minors(&[500, 250], &[back(0, 9_999)]), [500, 250]);
    }

    #[test]
    fn what_was_given_back_of_a_line_that_is_not_known_waits_for_it() {
        assert_eq!(minors(&[500], &[back(2, 100)]), [0]);
        assert_eq!(minors(&[500, 300], &[back(2, 100)]), [0, 100]);
    }

    #[test]
    fn an_order_is_refunded_when_nothing_is_left_of_what_was_paid() {
        let empties = |paid: &[i64], backs: &[Back]| {
            let lines = lines(paid);
            leave_nothing(&lines, &taken(&lines, backs))
        };
        assert!(empties(&[500, 250], &[back(0, 600), back(1, 150)]));
        assert!(!empties(&[500, 250], &[back(0, 749)]));
        assert!(!empties(&[0, 0], &[back(0, 1), back(1, 1)]), "nothing was paid");
        assert!(!empties(&[], &[back(0, 1)]));
    }

    proptest! {
        #[test]
        fn nothing_falls_below_zero_whatever_is_told_in_whatever_order(
            paid in prop::collection::vec(0..10_000_i64, 1..6),
            backs in prop::collection::vec((0..8_i32, 0..9_000_i64), 0..8),
        ) {
            let backs: Vec<Back> = backs.into_iter().map(|(n, minor)| back(n, minor)).collect();
            let lines = lines(&paid);
            let once = taken(&lines, &backs);
            for (n, of) in &once {
                prop_assert!((0..=lines[n].paid_minor).contains(&of.minor));
                prop_assert!((0..=lines[n].quantity).contains(&of.quantity));
            }
            let reversed: Vec<Back> = backs.iter().rev().copied().collect();
            prop_assert_eq!(&once, &taken(&lines, &reversed));
            let told: i64 = backs.iter().map(|back| back.amount_minor).sum();
            prop_assert!(once.values().map(|of| of.minor).sum::<i64>() <= told);
        }
    }
}
