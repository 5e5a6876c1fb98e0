//! Lines, red letters and taxes of an invoice. Pure.
//!
//! Prices contain their tax. What a line has left is net as a whole is, rounded half up (rule 10), and a red letter takes the
//! difference: so lines and red letters sum to what remains, in gross, net and tax, and to nothing when everything went back.

use std::collections::BTreeMap;

use siyu_proto::order::v1 as proto;

/// A line that was sold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sold {
    /// The line; 0: the shipping.
    pub line_no: i32,
    /// The SKU.
    pub sku: String,
    /// The name of the item.
    pub name: String,
    /// Pieces.
    pub quantity: i64,
    /// What was payable for it.
    pub gross_minor: i64,
    /// The tax that it contains, in basis points.
    pub rate_bp: i32,
}

/// What a refund took back of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Back {
    /// The line; 0: the shipping.
    pub line_no: i32,
    /// Pieces.
    pub quantity: i64,
    /// Money.
    pub gross_minor: i64,
}

/// An amount with its tax.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Amount {
    /// With the tax.
    pub gross: i64,
    /// Without it.
    pub net: i64,
}

/// A line of an invoice or of a red letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line<'a> {
    /// What it is of.
    pub of: &'a Sold,
    /// Pieces.
    pub quantity: i64,
    /// How much; negative in a red letter.
    pub amount: Amount,
}

/// What an invoice says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invoice<'a> {
    /// What was sold.
    pub lines: Vec<Line<'a>>,
    /// What went back, refund by refund.
    pub red: Vec<Vec<Line<'a>>>,
    /// What remains, by rate.
    pub totals: BTreeMap<i32, Amount>,
}

impl Amount {
    /// An amount that contains a tax: net is rounded half up.
    pub fn of(gross: i64, rate_bp: i32) -> Self {
        let (with, doubled) = (10_000 + i128::from(rate_bp), i128::from(gross) * 20_000);
        let net = (doubled + with).div_euclid(2 * with);
        Self { gross, net: i64::try_from(net).expect("no more than the gross") }
    }

    /// The tax.
    pub const fn tax(self) -> i64 {
        self.gross - self.net
    }

    const fn less(self, other: Self) -> Self {
        Self { gross: self.gross - other.gross, net: self.net - other.net }
    }
}

/// The invoice of what was sold, with the refunds that succeeded, in their order. What a refund took of a line that was not sold
/// is no part of it.
pub fn invoice<'a>(sold: &'a [Sold], refunds: &[Vec<Back>]) -> Invoice<'a> {
    let line = |of: &'a Sold| Line {
        of,
        quantity: of.quantity,
        amount: Amount::of(of.gross_minor, of.rate_bp),
    };
    let lines: Vec<Line<'_>> = sold.iter().map(line).collect();
    let mut left: BTreeMap<i32, Amount> =
        lines.iter().map(|line| (line.of.line_no, line.amount)).collect();
    let mut red = Vec::new();
    for refund in refunds {
        let mut letter = Vec::new();
        for back in refund {
            let of = sold.iter().find(|sold| sold.line_no == back.line_no);
            let Some((of, before)) = of.zip(left.get_mut(&back.line_no)) else { continue };
            let after = Amount::of(before.gross - back.gross_minor, of.rate_bp);
            letter.push(Line { of, quantity: -back.quantity, amount: after.less(*before) });
            *before = after;
        }
        red.push(letter);
    }
    let mut totals: BTreeMap<i32, Amount> = BTreeMap::new();
    for sold in sold {
        let remains = left[&sold.line_no];
        let total = totals.entry(sold.rate_bp).or_default();
        *total = Amount { gross: total.gross + remains.gross, net: total.net + remains.net };
    }
    Invoice { lines, red, totals }
}

impl Line<'_> {
    /// In the contract.
    pub(super) fn show(&self) -> proto::InvoiceLine {
        proto::InvoiceLine {
            line_no: self.of.line_no,
            sku: self.of.sku.clone(),
            name: self.of.name.clone(),
            quantity: self.quantity,
            rate_bp: self.of.rate_bp,
            gross_minor: self.amount.gross,
            net_minor: self.amount.net,
            tax_minor: self.amount.tax(),
        }
    }
}

/// Whether a text may be the tax number of a company.
pub fn is_tax_no(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_digit() || byte.is_ascii_uppercase();
    (15..=20).contains(&text.len()) && text.bytes().all(fits)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sold(line_no: i32, gross_minor: i64, rate_bp: i32) -> Sold {
        let (sku, name) = (String::new(), String::new());
        Sold { line_no, sku, name, quantity: 1, gross_minor, rate_bp }
    }

    #[test]
    fn net_is_rounded_half_up_and_the_tax_is_the_rest() {
        let of = |gross, rate| {
            let amount = Amount::of(gross, rate);
            (amount.net, amount.tax())
        };
        assert_eq!(of(11_300, 1_300), (10_000, 1_300));
        assert_eq!(of(10_000, 1_300), (8_850, 1_150));
        assert_eq!(of(3, 10_000), (2, 1), "a half goes up");
        assert_eq!(of(999, 0), (999, 0));
    }

    #[test]
    fn a_tax_number_is_one_of_a_company() {
        assert!(is_tax_no("91110108551385082Q"));
        for text in ["", "9111010855138", "91110108551385082q", "911101085513850820000"] {
            assert!(!is_tax_no(text), "{text}");
        }
    }

    proptest! {
        #[test]
        fn lines_and_red_letters_sum_to_what_remains_and_to_nothing_in_the_end(
            lines in prop::collection::vec((0..1_000_000_i64, 0..10_001_i32), 1..6),
            takes in prop::collection::vec((0..6_usize, 0..400_000_i64), 0..20),
        ) {
            let sold: Vec<Sold> =
                (0..).zip(&lines).map(|(n, &(gross, rate))| sold(n, gross, rate)).collect();
            let mut left: Vec<i64> = lines.iter().map(|(gross, _)| *gross).collect();
            let mut refunds = Vec::new();
            let mut take = |n: usize, gross_minor: i64| {
                left[n] -= gross_minor;
                let line_no = i32::try_from(n).unwrap();
                vec![Back { line_no, quantity: 0, gross_minor }]
            };
            for (n, most) in takes {
                let n = n % lines.len();
                let gross = most.min(lines[n].0 / 4);
                // A quarter at most, four times at most: no line gives more than it has.
                if refunds.len() < 4 {
                    refunds.push(take(n, gross));
                }
            }
            let found = invoice(&sold, &refunds);
            let all = || found.lines.iter().chain(found.red.iter().flatten());
            for rate in found.totals.keys() {
                let of_rate = || all().filter(|line| line.of.rate_bp == *rate);
                prop_assert_eq!(of_rate().map(|l| l.amount.gross).sum::<i64>(), found.totals[rate].gross);
                prop_assert_eq!(of_rate().map(|l| l.amount.net).sum::<i64>(), found.totals[rate].net);
            }
            let rest = |(n, gross): (usize, &i64)| Back {
                line_no: i32::try_from(n).unwrap(),
                quantity: 0,
                gross_minor: *gross,
            };
            refunds.push(left.iter().enumerate().map(rest).collect());
            let ended = invoice(&sold, &refunds);
            prop_assert!(ended.totals.values().all(|total| *total == Amount::default()));
            for line in ended.red.iter().flatten() {
                prop_assert!(line.amount.net <= 0 && line.amount.tax() <= 0, "{line:?}");
            }
        }
    }
}
