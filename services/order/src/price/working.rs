//! A price while it is being computed: what each line still costs, and the rows so far.

use siyu_kernel::allocate;

use super::{Cart, Scope};

/// Why a price is not the list price.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The line; 0: the shipping.
    pub line_no: i32,
    /// The step.
    pub step: Step,
    /// The rule, the coupon, or nothing where a step has no rules.
    pub rule: String,
    /// What it takes off, in minor units; negative: what it adds.
    pub amount: i64,
}

/// The steps, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// Another price for a line.
    LinePrice,
    /// A promotion over pieces.
    LinePromotion,
    /// A promotion over the order.
    OrderPromotion,
    /// A coupon.
    Coupon,
    /// Points.
    Points,
    /// The fee, and what is taken off it.
    Shipping,
}

/// The state between two steps. Cheap to clone, so that combinations can be tried.
#[derive(Debug, Clone)]
pub(super) struct Working<'a> {
    pub(super) cart: &'a Cart,
    amounts: Vec<i64>,
    base: Vec<i64>,
    rows: Vec<Row>,
}

impl<'a> Working<'a> {
    pub(super) fn new(cart: &'a Cart) -> Self {
        let amounts: Vec<i64> = cart.lines.iter().map(super::Line::list).collect();
        Self { cart, base: amounts.clone(), amounts, rows: Vec::new() }
    }

    /// What each line still costs.
    pub(super) fn amounts(&self) -> &[i64] {
        &self.amounts
    }

    /// Thresholds look at the amounts as they are now, whatever comes later.
    pub(super) fn keep_base(&mut self) {
        self.base.clone_from(&self.amounts);
    }

    /// The eligible lines: their places, what they cost where thresholds look, and their pieces.
    pub(super) fn eligible(&self, scope: &Scope) -> Eligible {
        let lines = self.cart.lines.iter().enumerate();
        let places: Vec<usize> =
            lines.filter(|(_, line)| scope.includes(line)).map(|(i, _)| i).collect();
        Eligible {
            base: places.iter().map(|&i| self.base[i]).sum(),
            left: places.iter().map(|&i| self.amounts[i]).sum(),
            pieces: places.iter().map(|&i| self.cart.lines[i].quantity).sum(),
            places,
        }
    }

    /// Takes an amount off one line.
    pub(super) fn take(&mut self, step: Step, rule: &str, place: usize, amount: i64) {
        if amount == 0 {
            return;
        }
        self.amounts[place] -= amount;
        assert!(amount > 0 && self.amounts[place] >= 0, "a rule takes what is there and no more");
        let line_no = self.cart.lines[place].line_no;
        self.rows.push(Row { line_no, step, rule: rule.to_owned(), amount });
    }

    /// Takes an amount off several lines, in proportion to what they still cost (reference §3.3).
    pub(super) fn spread(&mut self, step: Step, rule: &str, places: &[usize], amount: i64) {
        if amount == 0 {
            return;
        }
        let weights: Vec<i64> = places.iter().map(|&i| self.amounts[i]).collect();
        for (&place, part) in places.iter().zip(allocate(amount, &weights)) {
            self.take(step, rule, place, part);
        }
    }

    /// Says what the shipping costs or what is taken off it.
    pub(super) fn ship(&mut self, rule: &str, amount: i64) {
        if amount != 0 {
            self.rows.push(Row { line_no: 0, step: Step::Shipping, rule: rule.to_owned(), amount });
        }
    }

    pub(super) fn into_rows(self) -> Vec<Row> {
        self.rows
    }
}

/// What a rule may look at.
pub(super) struct Eligible {
    pub(super) places: Vec<usize>,
    pub(super) base: i64,
    pub(super) left: i64,
    pub(super) pieces: i64,
}
