//! Reactivation (沉睡一年以上激活): who came back after more than a year (reference §1.18).

use super::{Cube, Ratio, Window, cube::union};

/// Who came back in a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reactivation {
    /// The window.
    pub window: Window,
    /// Purchase days more than 365 days after the person's purchase day before.
    pub events: u64,
    /// The distinct persons.
    pub persons: u64,
    /// What they spent on those days, in minor units.
    pub gmv_minor: i64,
    /// Who was dormant when the window began.
    pub dormant_at_start: u64,
    /// Those of them who came back.
    pub returned: u64,
    /// Who became dormant within the window, be it that they came back later in it: not in the rate.
    pub became_dormant: u64,
}

impl Reactivation {
    /// Persons who came back per person who was dormant when the window began.
    #[must_use]
    pub fn rate(&self) -> Ratio {
        Ratio::of_counts(self.returned, self.dormant_at_start)
    }
}

impl Cube {
    /// Who came back in `window` after more than 365 days, against who was dormant at its start.
    #[must_use]
    pub fn reactivation(&self, window: Window) -> Reactivation {
        let slices = self.slices(window);
        let back = union(slices.iter().map(|slice| &slice.reactivated));
        let dormant = self.dormant_at(window.start());
        // Who was dormant at some time of the window either still is at its end or came back in it.
        let at_some_time = self.dormant_at(window.last()) | &back;
        Reactivation {
            window,
            events: slices.iter().map(|slice| slice.reactivations).sum(),
            persons: back.len(),
            gmv_minor: slices.iter().map(|slice| slice.reactivated_gmv_minor).sum(),
            dormant_at_start: dormant.len(),
            returned: back.intersection_len(&dormant),
            became_dormant: at_some_time.difference_len(&dormant),
        }
    }
}
