//! Effective customers (有效客户数): first purchase, repeat purchase, or stored value (reference §1.6).

use roaring::RoaringBitmap;

use super::{Cube, Window, cube::Slice};

/// The three sets of a window, their overlaps, and their union.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Effective {
    /// The first order ever lies in the window.
    pub first: u64,
    /// An order in the window and an earlier one at any time, be it on the same day.
    pub repeat: u64,
    /// A recharge in the window or a balance at its end; `None` when stored value is not known.
    pub stored: Option<u64>,
    /// First and second order both in the window.
    pub first_and_repeat: u64,
    /// In the first set and the third.
    pub first_and_stored: u64,
    /// In the second set and the third.
    pub repeat_and_stored: u64,
    /// In all three.
    pub all_three: u64,
    /// In any: the effective customers.
    pub effective: u64,
}

impl Cube {
    /// The effective customers of `window`; ask the cube of the private scope. `stored` are the persons with a recharge in
    /// the window or a principal balance at its end, `None` when nobody can tell.
    #[must_use]
    pub fn effective(&self, window: Window, stored: Option<&RoaringBitmap>) -> Effective {
        let mut all = Slice::default();
        for slice in self.slices(window) {
            all.absorb_buyers(slice);
            all.first |= &slice.first;
        }
        let first = all.first;
        let repeat = (all.buyers - &first) | all.twice | all.multi;
        let nobody = RoaringBitmap::new();
        let held = stored.unwrap_or(&nobody);
        let both = &first & &repeat;
        Effective {
            first: first.len(),
            repeat: repeat.len(),
            stored: stored.map(RoaringBitmap::len),
            first_and_repeat: both.len(),
            first_and_stored: first.intersection_len(held),
            repeat_and_stored: repeat.intersection_len(held),
            all_three: both.intersection_len(held),
            effective: (first | repeat).union_len(held),
        }
    }
}
