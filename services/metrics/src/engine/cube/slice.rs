//! A part of a cube's time, a day or a month, as sets and sums that add up.

use roaring::RoaringBitmap;

use crate::engine::Sums;

/// What happened in a part of time.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(in crate::engine) struct Slice {
    pub(in crate::engine) sums: Sums,
    /// Who bought.
    pub(in crate::engine) buyers: RoaringBitmap,
    /// Who bought on at least two days of it.
    pub(in crate::engine) twice: RoaringBitmap,
    /// Who placed at least two orders on one of its days.
    pub(in crate::engine) multi: RoaringBitmap,
    /// Whose first purchase day lies in it.
    pub(in crate::engine) first: RoaringBitmap,
    /// Whose second purchase day lies in it.
    pub(in crate::engine) second: RoaringBitmap,
    /// Who came back in it after more than a year.
    pub(in crate::engine) reactivated: RoaringBitmap,
    /// How often someone came back, and what they spent on those days.
    pub(in crate::engine) reactivations: u64,
    pub(in crate::engine) reactivated_gmv_minor: i64,
}

impl Slice {
    /// Adds another part of time, disjoint from this one.
    pub(in crate::engine) fn absorb(&mut self, other: &Self) {
        self.absorb_buyers(other);
        self.sums.add(&other.sums);
        self.first |= &other.first;
        self.second |= &other.second;
        self.reactivated |= &other.reactivated;
        self.reactivations += other.reactivations;
        self.reactivated_gmv_minor += other.reactivated_gmv_minor;
    }

    /// Adds who bought in another part of time, and how often, and nothing else.
    pub(in crate::engine) fn absorb_buyers(&mut self, other: &Self) {
        self.twice |= &other.twice;
        self.twice |= &self.buyers & &other.buyers;
        self.buyers |= &other.buyers;
        self.multi |= &other.multi;
    }

    pub(super) fn is_empty(&self) -> bool {
        let sets = [&self.buyers, &self.first, &self.second, &self.reactivated];
        sets.iter().all(|set| set.is_empty())
    }
}
