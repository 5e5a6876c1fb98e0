//! How a line stands, and what pieces or an amount take of it.

use super::{Before, LineRefund, PlanError, Sold, SoldLine, Unsound};

/// A line before the refund.
#[derive(Debug, Clone, Copy)]
pub(super) struct Standing<'a> {
    pub(super) sold: &'a SoldLine,
    /// What went back of it.
    pub(super) back: LineRefund,
}

/// What a refund takes of a line, before a lost threshold keeps a part of it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Take {
    pub(super) quantity: i64,
    pub(super) gross_minor: i64,
    pub(super) points: i64,
}

/// Each line of the order with what went back of it.
pub(super) fn standings<'a>(
    sold: &'a Sold,
    before: &Before,
) -> Result<Vec<Standing<'a>>, PlanError> {
    let known = |line_no: &i32| sold.lines.binary_search_by_key(line_no, |l| l.line_no).is_ok();
    if !before.lines.keys().all(known) || before.shipping_minor > sold.shipping_minor {
        return Err(Unsound("more went back than was sold").into());
    }
    let standing = |line: &'a SoldLine| {
        let back = before.lines.get(&line.line_no).copied().unwrap_or_default();
        // What was withheld by a refund that failed meanwhile, and released by another, is withheld no more.
        let back = LineRefund { withheld_minor: back.withheld_minor.max(0), ..back };
        let standing = Standing { sold: line, back };
        let is_sound = standing.pieces() >= 0 && standing.minor() >= 0 && standing.points() >= 0;
        if is_sound { Ok(standing) } else { Err(Unsound("more went back than was sold").into()) }
    };
    sold.lines.iter().map(standing).collect()
}

impl Standing<'_> {
    /// The pieces that are left.
    pub(super) const fn pieces(&self) -> i64 {
        self.sold.quantity - self.back.quantity
    }

    /// The money that is left to ask for. What is withheld is not: it comes by itself.
    pub(super) const fn minor(&self) -> i64 {
        self.sold.paid_minor - self.back.goods_minor - self.back.withheld_minor
    }

    /// The points that are left.
    pub(super) const fn points(&self) -> i64 {
        self.sold.points - self.back.points
    }

    /// What so many pieces take, at least one and no more than are left.
    pub(super) fn take_pieces(&self, quantity: i64) -> Take {
        if quantity == self.pieces() {
            return Take { quantity, ..self.rest() };
        }
        let share = |whole: i64, left: i64| {
            let until = |k: i64| floor(whole, k, self.sold.quantity);
            (until(self.back.quantity + quantity) - until(self.back.quantity)).min(left)
        };
        let gross_minor = share(self.sold.paid_minor, self.minor());
        let points = share(self.sold.points, self.points());
        self.with_points(Take { quantity, gross_minor, points })
    }

    /// What an amount takes, no more than is left.
    pub(super) fn take_amount(&self, gross_minor: i64) -> Take {
        self.with_points(Take { quantity: 0, gross_minor, points: 0 })
    }

    const fn rest(&self) -> Take {
        Take { quantity: self.pieces(), gross_minor: self.minor(), points: self.points() }
    }

    /// Who gets the last minor unit of a line gets its points, too: nothing of the line is left.
    const fn with_points(&self, take: Take) -> Take {
        if self.sold.paid_minor > 0 && take.gross_minor == self.minor() {
            return Take { points: self.points(), ..take };
        }
        take
    }
}

/// `floor(whole · part / of)`.
pub(super) fn floor(whole: i64, part: i64, of: i64) -> i64 {
    let exact = i128::from(whole) * i128::from(part) / i128::from(of);
    i64::try_from(exact).expect("a part is not larger than the whole")
}
