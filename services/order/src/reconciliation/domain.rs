//! What a statement says, and where it differs from our books. Pure.
//!
//! | statement | our books | what is wrong | suspense for a payment |
//! | --- | --- | --- | --- |
//! | 100 | 100 | nothing | – |
//! | 100 | – | missing here | +100 |
//! | – | 100 | missing there | −100 |
//! | 90 | 100 | the amount differs | −10 |
//! | 90 USD | 100 CNY | the amount differs | +90 USD: all of it |
//!
//! Suspense is what their books hold more than ours. A refund takes out of them, so it counts the other way round.

use chrono::{DateTime, Utc};
use siyu_kernel::{Id, kind};

/// The id of a difference.
pub type DifferenceId = Id<kind::Difference>;

/// One movement of money in a statement.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Row {
    /// The way.
    pub kind: RowKind,
    /// Our number of it.
    pub out_no: String,
    /// The payment company's number of it.
    pub provider_no: String,
    /// How much, in minor units.
    pub amount_minor: i64,
    /// In which currency.
    pub currency: String,
}

/// One movement of money in our books.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Ours {
    /// The way.
    pub kind: RowKind,
    /// Our number of it.
    pub out_no: String,
    /// How much, in minor units.
    pub amount_minor: i64,
    /// In which currency.
    pub currency: String,
}

/// The way that money went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum RowKind {
    /// From a buyer.
    Payment,
    /// Back to a buyer.
    Refund,
}

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Wrong {
    /// The statement has it, we do not.
    MissingHere,
    /// We have it, the statement does not.
    MissingThere,
    /// Both have it, with other amounts or currencies.
    AmountDiffers,
}

/// Whether somebody has looked at a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum State {
    /// Nobody has.
    Open,
    /// Somebody has, or it is gone.
    Resolved,
}

/// A difference: the row.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Difference {
    /// The difference.
    pub id: DifferenceId,
    /// The account.
    pub account_code: String,
    /// The way.
    pub kind: RowKind,
    /// Our number of the movement.
    pub out_no: String,
    /// The day of the statement.
    pub day: i32,
    /// What is wrong.
    pub difference: Wrong,
    /// What the statement says, in minor units.
    pub theirs_minor: Option<i64>,
    /// In which currency.
    pub theirs_currency: Option<String>,
    /// What we say, in minor units.
    pub ours_minor: Option<i64>,
    /// In which currency.
    pub ours_currency: Option<String>,
    /// What their books hold more than ours, in minor units.
    pub amount_minor: i64,
    /// In which currency.
    pub currency: String,
    /// Whether somebody has looked at it.
    pub state: State,
    /// Who resolved it.
    pub resolved_by: String,
    /// What came of it.
    pub note: String,
    /// When it was found.
    pub created_at: DateTime<Utc>,
    /// When it was resolved.
    pub resolved_at: Option<DateTime<Utc>>,
}

/// Who resolved what a later statement evened out.
pub const BY_STATEMENT: &str = "statement";

/// What differs between two sides of one movement; `None` when they agree.
///
/// # Panics
/// When neither side has the movement: then there is nothing to compare.
pub fn compare(theirs: Option<&Row>, ours: Option<&Ours>) -> Option<(Wrong, RowKind, i64, String)> {
    let (wrong, kind, minor, currency) = match (theirs, ours) {
        (None, None) => unreachable!("a movement that nobody has is not compared"),
        (Some(theirs), None) => {
            (Wrong::MissingHere, theirs.kind, theirs.amount_minor, &theirs.currency)
        }
        (None, Some(ours)) => (Wrong::MissingThere, ours.kind, -ours.amount_minor, &ours.currency),
        (Some(theirs), Some(ours)) => {
            let is_one_currency = theirs.currency == ours.currency;
            let less = if is_one_currency { ours.amount_minor } else { 0 };
            if is_one_currency && theirs.amount_minor == ours.amount_minor {
                return None;
            }
            (Wrong::AmountDiffers, theirs.kind, theirs.amount_minor - less, &theirs.currency)
        }
    };
    let signed = match kind {
        RowKind::Payment => minor,
        RowKind::Refund => -minor,
    };
    Some((wrong, kind, signed, currency.clone()))
}

impl RowKind {
    /// The word in columns.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Payment => "payment",
            Self::Refund => "refund",
        }
    }
}

impl Difference {
    /// Whether two findings about one movement say the same.
    pub fn says_the_same(&self, other: &Self) -> bool {
        self.difference == other.difference
            && (self.theirs_minor, &self.theirs_currency)
                == (other.theirs_minor, &other.theirs_currency)
            && (self.ours_minor, &self.ours_currency) == (other.ours_minor, &other.ours_currency)
    }

    /// Resolves it.
    pub fn resolve(&mut self, by: &str, note: &str, now: DateTime<Utc>) {
        self.state = State::Resolved;
        by.clone_into(&mut self.resolved_by);
        note.clone_into(&mut self.note);
        self.resolved_at = Some(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn theirs(kind: RowKind, amount_minor: i64, currency: &str) -> Row {
        let (out_no, provider_no) = ("1".to_owned(), "42".to_owned());
        Row { kind, out_no, provider_no, amount_minor, currency: currency.to_owned() }
    }

    fn ours(kind: RowKind, amount_minor: i64, currency: &str) -> Ours {
        Ours { kind, out_no: "1".to_owned(), amount_minor, currency: currency.to_owned() }
    }

    #[test]
    fn the_cases_of_the_table_come_out_with_their_sign() {
        for (kind, sign) in [(RowKind::Payment, 1), (RowKind::Refund, -1)] {
            let say = |theirs: Option<Row>, ours: Option<Ours>| {
                compare(theirs.as_ref(), ours.as_ref())
                    .map(|(wrong, _, minor, code)| (wrong, minor * sign, code))
            };
            let cny = || "CNY".to_owned();
            let there = |minor| Some(theirs(kind, minor, "CNY"));
            let here = |minor| Some(ours(kind, minor, "CNY"));
            assert_eq!(say(there(100), here(100)), None);
            assert_eq!(say(there(100), None), Some((Wrong::MissingHere, 100, cny())));
            assert_eq!(say(None, here(100)), Some((Wrong::MissingThere, -100, cny())));
            assert_eq!(say(there(90), here(100)), Some((Wrong::AmountDiffers, -10, cny())));
            let dollars = say(Some(theirs(kind, 90, "USD")), here(100));
            assert_eq!(dollars, Some((Wrong::AmountDiffers, 90, "USD".to_owned())));
        }
    }
}
