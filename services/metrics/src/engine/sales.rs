//! Sales of a window: turnover, orders, distinct buyers, and their series by day, ISO week and month.

use siyu_kernel::LocalDay;

use super::{
    Cube, Month, Ratio, Sums, Window,
    calendar::monday,
    cube::{Slice, union},
    table::Table,
};

/// The sales of a window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sales {
    /// The window.
    pub window: Window,
    /// Orders, GMV, units, and those off hours.
    pub sums: Sums,
    /// Distinct buyers.
    pub buyers: u64,
    /// Those whose first purchase ever lies in the window.
    pub new_buyers: u64,
    /// Those who bought on at least two days of the window.
    pub repeat_buyers: u64,
    /// Those who placed at least two orders in the window, be it on one day.
    pub repeat_order_buyers: u64,
    /// GMV per order (客单价).
    pub aov: Ratio,
    /// GMV per buyer.
    pub arpu: Ratio,
    /// Calendar months, clipped to the window.
    pub months: Vec<Bucket>,
    /// ISO weeks, clipped to the window.
    pub weeks: Vec<Bucket>,
}

/// The sales of one step of a series.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bucket {
    /// Its days: a day, week or month, clipped to the window asked for.
    pub window: Window,
    /// Orders, GMV, units, and those off hours.
    pub sums: Sums,
    /// Distinct buyers.
    pub buyers: u64,
    /// Those whose first purchase ever lies in the bucket; over all buckets they sum to the new buyers of the window.
    pub new_buyers: u64,
    /// Those who had bought before the bucket: buyers less new buyers.
    pub repeat_buyers: u64,
}

/// The steps of a series.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Grain {
    /// Local days.
    Day,
    /// ISO weeks, from Monday.
    Week,
    /// Calendar months.
    Month,
}

impl Cube {
    /// The sales of `window`.
    #[must_use]
    pub fn sales(&self, window: Window) -> Sales {
        self.memo().sales.get_or(window, || self.count_sales(window))
    }

    fn count_sales(&self, window: Window) -> Sales {
        let (mut all, mut new_buyers) = (Slice::default(), 0);
        for slice in self.slices(window) {
            all.absorb_buyers(slice);
            all.sums.add(&slice.sums);
            new_buyers += slice.first.len();
        }
        let (sums, buyers) = (all.sums, all.buyers.len());
        Sales {
            window,
            sums,
            buyers,
            new_buyers,
            repeat_buyers: all.twice.len(),
            repeat_order_buyers: all.twice.union_len(&all.multi),
            aov: Ratio::per(sums.gmv_minor, sums.orders),
            arpu: Ratio::per(sums.gmv_minor, buyers),
            months: self.series(window, Grain::Month),
            weeks: self.series(window, Grain::Week),
        }
    }

    /// The sales of `window` step by step, steps without a sale included; so the caller bounds the window.
    #[must_use]
    pub fn series(&self, window: Window, grain: Grain) -> Vec<Bucket> {
        let mut buckets = Vec::new();
        let mut from = window.start();
        while from < window.end() {
            let next = grain.next(from).min(window.end());
            let part = Window::new(from, next).expect("a step has at least one day");
            buckets.push(self.bucket(part, grain));
            from = next;
        }
        buckets
    }

    fn bucket(&self, window: Window, grain: Grain) -> Bucket {
        let slices = self.slices(window);
        let (mut sums, mut new_buyers) = (Sums::default(), 0);
        for slice in &slices {
            sums.add(&slice.sums);
            new_buyers += slice.first.len();
        }
        let count = || match slices[..] {
            [one] => one.buyers.len(),
            _ => union(slices.iter().map(|slice| &slice.buyers)).len(),
        };
        let buyers = match grain {
            Grain::Week if window.days() == 7 && !slices.is_empty() => {
                self.memo().weeks.get_or(window.start(), count)
            }
            Grain::Day | Grain::Week | Grain::Month => count(),
        };
        let repeat_buyers = buyers.checked_sub(new_buyers).expect("a first purchase is a purchase");
        Bucket { window, sums, buyers, new_buyers, repeat_buyers }
    }

    /// What the best customers bring: the spend of the `percent` of buyers (rounded up) that spent most in `window`, over
    /// the spend of all.
    #[must_use]
    pub fn top_share(&self, window: Window, percent: u8) -> Ratio {
        let buyers = self.buyers(window);
        let mut table = Table::<i64>::reaching(&buyers);
        self.each_spend(window, |_, spend| table[spend.person] += spend.amount_minor);
        let mut spent: Vec<i64> = buyers.iter().map(|person| table[person]).collect();
        spent.sort_unstable_by_key(|&minor| std::cmp::Reverse(minor));
        let wanted = (spent.len() * usize::from(percent)).div_ceil(100);
        Ratio::new(spent.iter().take(wanted).sum(), spent.iter().sum())
    }
}

impl Grain {
    /// The start of the step after the one that `day` lies in.
    fn next(self, day: LocalDay) -> LocalDay {
        match self {
            Self::Day => day.plus(1),
            Self::Week => monday(day).plus(7),
            Self::Month => Month::of(day).plus(1).first_day(),
        }
    }
}
