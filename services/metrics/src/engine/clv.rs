//! Customer lifetime value by exact arithmetic: lifetime × frequency × order value (生命时长 × 频次 × 客单价), and its
//! discounted forms (reference §1.7). The probabilistic value stands in [`super::model`].

use siyu_kernel::LocalDay;

use super::{Cube, Ratio, Sums, Window, WindowError, ratio::half_up};

const YEAR_DAYS: i32 = 365;
/// The smallest churn that is believed, 2 %: nobody stays longer than fifty years.
const LONGEST_LIFE_YEARS: i64 = 50;

/// The simple value of a customer, and what it stands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SimpleClv {
    /// The year whose buyers could have stayed.
    pub year_before: Window,
    /// The year after it, in which they bought again or did not; orders are counted here.
    pub year: Window,
    /// Share of the buyers of the year before who did not buy in the year.
    pub churn: Ratio,
    /// Whether the observed churn was below 2 % and 2 % was used.
    pub churn_floored: bool,
    /// Years that a customer stays: 1 / churn; no value when nobody bought in the year before.
    pub lifetime_years: Ratio,
    /// Orders per buyer and year.
    pub frequency: Ratio,
    /// Net GMV per order, in minor units.
    pub aov: Ratio,
    /// Their product in minor units, rounded half up once; `None` when a factor has no value.
    pub value_minor: Option<i64>,
}

/// When the yearly margin is paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Payment {
    /// The first one now.
    Now,
    /// At the end of each year.
    YearEnd,
}

impl Cube {
    /// The simple value of a customer from the last two years of 365 days up to and with `as_of`.
    ///
    /// # Errors
    /// [`WindowError`] when the two years reach out of the calendar.
    pub fn simple_clv(&self, as_of: LocalDay) -> Result<SimpleClv, WindowError> {
        let year = Window::ending(as_of, YEAR_DAYS)?;
        let year_before = Window::ending(year.start().plus(-1), YEAR_DAYS)?;
        let (before, buyers) = (self.buyers(year_before), self.buyers(year));
        let mut sums = Sums::default();
        self.slices(year).into_iter().for_each(|slice| sums.add(&slice.sums));
        let churn = Ratio::of_counts(before.difference_len(&buyers), before.len());
        let (lifetime_years, churn_floored) = lifetime(churn);
        let frequency = Ratio::of_counts(sums.orders, buyers.len());
        let aov = Ratio::per(sums.gmv_minor, sums.orders);
        Ok(SimpleClv {
            year_before,
            year,
            churn,
            churn_floored,
            lifetime_years,
            frequency,
            aov,
            value_minor: simple(&[lifetime_years, frequency, aov]),
        })
    }
}

impl Cube {
    /// What the buyers of `window` have spent from their first purchase to its end, per buyer: the realised part of their
    /// lifetime value (reference §1.1). Costs the orders.
    #[must_use]
    pub fn realised_value(&self, window: Window) -> Ratio {
        let buyers = self.buyers(window);
        let until = self.span().and_then(|span| Window::new(span.start(), window.end()).ok());
        let mut spent = 0_i64;
        if let Some(until) = until {
            self.each_spend(until, |_, spend| {
                if buyers.contains(spend.person) {
                    spent += spend.amount_minor;
                }
            });
        }
        Ratio::per(spent, buyers.len())
    }
}

/// `1 / churn` in years, and whether the floor of churn was used.
fn lifetime(churn: Ratio) -> (Ratio, bool) {
    if churn.den == 0 {
        return (Ratio::new(0, 0), false);
    }
    let floored = i128::from(churn.num) * i128::from(LONGEST_LIFE_YEARS) < i128::from(churn.den);
    (
        if floored { Ratio::new(LONGEST_LIFE_YEARS, 1) } else { Ratio::new(churn.den, churn.num) },
        floored,
    )
}

/// The product of factors, lifetime × frequency × order value and, if wanted, a margin, rounded half up once; `None` when
/// one has no value or the product is beyond all bounds.
#[must_use]
pub fn simple(factors: &[Ratio]) -> Option<i64> {
    let (mut num, mut den) = (1_i128, 1_i128);
    for factor in factors {
        num = num.checked_mul(factor.num.into())?;
        den = den.checked_mul(factor.den.into())?;
        // Ratios of counts share factors (orders per buyer × GMV per order), which would fill 128 bits.
        let common = gcd(num, den).max(1);
        (num, den) = (num / common, den / common);
    }
    half_up(num, den)
}

/// The discounted value of a customer who pays `margin_minor` a year and stays with probability `retention`:
/// `m × (1 + d) / (1 + d − r)` with the first payment now, `m × r / (1 + d − r)` at year ends. `None` unless both rates
/// have a value and `r < 1 + d`, or when the result does not fit.
#[must_use]
pub fn discounted(
    margin_minor: i64,
    retention: Ratio,
    discount: Ratio,
    payment: Payment,
) -> Option<Ratio> {
    let (r, r_den) = (i128::from(retention.num), i128::from(retention.den));
    let (d, d_den) = (i128::from(discount.num), i128::from(discount.den));
    // Everything times r_den × d_den.
    let growth = (d_den + d).checked_mul(r_den)?;
    let stays = r.checked_mul(d_den)?;
    let den = growth - stays;
    if r_den <= 0 || d_den <= 0 || den <= 0 {
        return None;
    }
    let factor = match payment {
        Payment::Now => growth,
        Payment::YearEnd => stays,
    };
    let num = factor.checked_mul(margin_minor.into())?;
    let common = gcd(num, den).max(1);
    let fit = |part: i128| i64::try_from(part / common).ok();
    Some(Ratio::new(fit(num)?, fit(den)?))
}

fn gcd(a: i128, b: i128) -> i128 {
    let (mut a, mut b) = (a.saturating_abs(), b.saturating_abs());
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worked_examples_come_out_to_the_fen() {
        let (life, frequency, aov) = (Ratio::new(5, 2), Ratio::new(39, 10), Ratio::new(19_385, 1));
        assert_eq!(simple(&[life, frequency, aov]), Some(189_004));
        assert_eq!(simple(&[life, frequency, aov, Ratio::new(2, 5)]), Some(75_602));
        let (margin, retention, discount) = (117_936, Ratio::new(6, 10), Ratio::new(1, 10));
        // 2,594.592 and 1,415.232, exactly.
        let now = discounted(margin, retention, discount, Payment::Now);
        assert_eq!(now, Some(Ratio::new(1_297_296, 5)));
        let later = discounted(margin, retention, discount, Payment::YearEnd);
        assert_eq!(later, Some(Ratio::new(707_616, 5)));
    }

    #[test]
    fn churn_has_a_floor_and_no_value_without_buyers() {
        assert_eq!(lifetime(Ratio::new(4, 10)), (Ratio::new(10, 4), false));
        assert_eq!(lifetime(Ratio::new(1, 50)), (Ratio::new(50, 1), false));
        assert_eq!(lifetime(Ratio::new(1, 51)), (Ratio::new(50, 1), true));
        assert_eq!(lifetime(Ratio::new(0, 9)), (Ratio::new(50, 1), true));
        assert_eq!(simple(&[lifetime(Ratio::new(0, 0)).0, Ratio::new(1, 1)]), None);
    }

    #[test]
    fn products_beyond_all_bounds_have_no_value() {
        let huge = Ratio::new(i64::MAX, 1);
        assert_eq!(simple(&[huge, huge]), None);
        assert_eq!(simple(&[huge, huge, huge]), None);
        assert_eq!(simple(&[huge, Ratio::new(7, i64::MAX)]), Some(7));
        let no = |retention, discount| discounted(1, retention, discount, Payment::Now);
        assert_eq!(no(Ratio::new(11, 10), Ratio::new(1, 10)), None);
        assert_eq!(no(Ratio::new(1, 0), Ratio::new(1, 10)), None);
    }
}
