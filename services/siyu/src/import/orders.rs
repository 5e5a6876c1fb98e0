//! What became of each order over a run, however its lines are spread over the file: an order counts once. Some 30 bytes an
//! order are kept.

use std::collections::HashMap;

use siyu_proto::order::v1::ImportOutcome;

use crate::orders_file::fingerprint;

/// The fate of every order that was answered, by the fingerprint of its number.
#[derive(Debug, Default)]
pub(super) struct Orders(HashMap<u64, Fate>);

/// How many orders had which fate.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) orders: u64,
    pub(super) created: u64,
    pub(super) updated: u64,
    pub(super) unchanged: u64,
    pub(super) quarantined: u64,
    pub(super) rejected: u64,
}

#[derive(Debug, Clone, Copy, Default)]
struct Fate {
    /// The most that a part of it did.
    stored: Option<Stored>,
    quarantined: bool,
    rejected: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stored {
    Unchanged,
    Updated,
    Created,
}

impl Orders {
    /// Notes what became of an order, or of a part of one.
    pub(super) fn note(&mut self, order_no: &str, outcome: ImportOutcome) {
        let fate = self.0.entry(fingerprint(order_no)).or_default();
        match outcome {
            ImportOutcome::Created => fate.stored = fate.stored.max(Some(Stored::Created)),
            ImportOutcome::Updated => fate.stored = fate.stored.max(Some(Stored::Updated)),
            ImportOutcome::Unchanged => fate.stored = fate.stored.max(Some(Stored::Unchanged)),
            ImportOutcome::Quarantined => fate.quarantined = true,
            ImportOutcome::Rejected => fate.rejected = true,
            // A newer suite may know more; the order was taken. Refunds alone wait.
            ImportOutcome::Unspecified | ImportOutcome::Waiting => {}
        }
    }

    pub(super) fn counts(&self) -> Counts {
        let mut counts = Counts { orders: self.0.len() as u64, ..Counts::default() };
        for fate in self.0.values() {
            counts.created += u64::from(fate.stored == Some(Stored::Created));
            counts.updated += u64::from(fate.stored == Some(Stored::Updated));
            counts.unchanged += u64::from(fate.stored == Some(Stored::Unchanged));
            counts.quarantined += u64::from(fate.quarantined);
            counts.rejected += u64::from(fate.rejected);
        }
        counts
    }
}

#[cfg(test)]
mod tests {
    use ImportOutcome as O;

    use super::*;

    #[test]
    fn an_order_counts_once_by_the_most_that_was_done_with_it() {
        let mut orders = Orders::default();
        let parts = [
            ("A", O::Updated),
            ("B", O::Unchanged),
            ("A", O::Created),
            ("B", O::Updated),
            ("C", O::Unchanged),
            ("D", O::Quarantined),
            ("A", O::Unchanged),
            ("E", O::Created),
            ("E", O::Rejected),
        ];
        for (order_no, outcome) in parts {
            orders.note(order_no, outcome);
        }
        let counts = orders.counts();
        assert_eq!((counts.orders, counts.created, counts.updated, counts.unchanged), (5, 2, 1, 1));
        assert_eq!((counts.quarantined, counts.rejected), (1, 1));
    }
}
