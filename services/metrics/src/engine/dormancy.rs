//! Dormancy (沉睡): persons by the days since their last purchase (reference §1.18, §2.8).

use roaring::RoaringBitmap;
use siyu_kernel::LocalDay;

use super::{Cube, DORMANT_DAYS, Window, cube::union};

/// How many persons bought last how long ago. Only persons who bought at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dormancy {
    /// The day at whose end it is counted.
    pub as_of: LocalDay,
    /// Everyone who had bought by then: active, quiet, drowsy and dormant.
    pub persons: u64,
    /// At most 90 days ago.
    pub active: u64,
    /// 91 to 180 days ago.
    pub quiet: u64,
    /// 181 to 365 days ago.
    pub drowsy: u64,
    /// More than 365 days ago, the lost included.
    pub dormant: u64,
    /// More than 730 days ago.
    pub lost: u64,
}

const ACTIVE_DAYS: i32 = 90;
const QUIET_DAYS: i32 = 180;
const LOST_DAYS: i32 = 730;

impl Cube {
    /// Persons by the days from their last purchase to `as_of`, purchases of that day included.
    #[must_use]
    pub fn dormancy(&self, as_of: LocalDay) -> Dormancy {
        self.memo().dormancy.get_or(as_of, || self.count_dormancy(as_of))
    }

    fn count_dormancy(&self, as_of: LocalDay) -> Dormancy {
        let all = self.buyers_until(as_of).len();
        let mut recent = RoaringBitmap::new();
        let mut counted_from = as_of.plus(1);
        let mut within = |days: i32| {
            let from = as_of.plus(-days);
            if let Ok(window) = Window::new(from, counted_from) {
                recent |= self.buyers(window);
            }
            counted_from = from;
            recent.len()
        };
        let (active, quiet) = (within(ACTIVE_DAYS), within(QUIET_DAYS));
        let (awake, not_lost) = (within(DORMANT_DAYS), within(LOST_DAYS));
        Dormancy {
            as_of,
            persons: all,
            active,
            quiet: quiet - active,
            drowsy: awake - quiet,
            dormant: all - awake,
            lost: all - not_lost,
        }
    }

    /// Who was dormant at the first instant of `day`: bought before, the last time more than 365 days before.
    #[must_use]
    pub fn dormant_at(&self, day: LocalDay) -> RoaringBitmap {
        let awake = Window::new(day.plus(-DORMANT_DAYS), day);
        let slices = self.slices_until(day.plus(-DORMANT_DAYS - 1));
        let before = union(slices.into_iter().map(|slice| &slice.buyers));
        awake.map_or_else(|_| RoaringBitmap::new(), |awake| before - self.buyers(awake))
    }
}
