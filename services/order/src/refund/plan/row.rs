//! Why a refund gives what it gives, for the operator.

use std::fmt;

use super::line::{Standing, Take};

/// One reason for an amount of a refund.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The line; 0: the shipping.
    pub line_no: i32,
    /// Why.
    pub why: Why,
    /// In minor units; negative: it makes the refund smaller.
    pub amount_minor: i64,
}

/// Why a refund gives an amount.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// So many pieces come back, of so many, with so many points.
    Pieces {
        /// Pieces now.
        now: i64,
        /// Pieces up to and including now.
        back: i64,
        /// Pieces sold.
        of: i64,
        /// Points.
        points: i64,
    },
    /// An amount was asked for.
    Amount,
    /// The fee goes back.
    Shipping,
    /// What remains no longer meets the thresholds of these rules.
    ThresholdLost(Vec<String>),
    /// What a lost threshold had kept is given, because what it was kept for has come back.
    ThresholdReleased,
}

impl Take {
    /// What the taken pieces or the amount say.
    pub(super) fn row(&self, line: &Standing<'_>) -> Option<Row> {
        let why = match (self.quantity, self.gross_minor) {
            (0, 0) => return None,
            (0, _) => Why::Amount,
            (now, _) => Why::Pieces {
                now,
                back: line.back.quantity + now,
                of: line.sold.quantity,
                points: self.points,
            },
        };
        Some(Row { line_no: line.sold.line_no, why, amount_minor: self.gross_minor })
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let no = self.line_no;
        match &self.why {
            Why::Shipping => f.write_str("the shipping"),
            Why::Pieces { now, back, of, points: 0 } => {
                write!(f, "line {no}: {now} of {of} pieces, {back} in all")
            }
            Why::Pieces { now, back, of, points } => {
                write!(f, "line {no}: {now} of {of} pieces, {back} in all, with {points} points")
            }
            Why::Amount => write!(f, "line {no}: an amount"),
            Why::ThresholdLost(rules) => {
                write!(f, "line {no}: what remains no longer meets {}", rules.join(", "))
            }
            Why::ThresholdReleased => {
                write!(f, "line {no}: what was withheld for goods that have come back")
            }
        }
    }
}
