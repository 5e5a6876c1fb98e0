//! What the points of an order wait for: their time, the completion of the order, the end of a dispute. Pure.

use chrono::{DateTime, TimeDelta, Utc};
use siyu_kernel::Zone;
use siyu_ledger::LotTerms;

use crate::points::domain::{NOT_YET, Policy, Vesting};

/// From when until when a buyer objected to an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Objection {
    /// When it was opened.
    pub opened_at: DateTime<Utc>,
    /// When somebody decided; none while it is open.
    pub closed_at: Option<DateTime<Utc>>,
}

/// What decides when the points of an order can be spent.
#[derive(Debug, Clone, Copy)]
pub struct Wait<'a> {
    /// When the order was paid.
    pub paid_at: DateTime<Utc>,
    /// The buyer has what was bought.
    pub is_completed: bool,
    /// Every dispute of the order, the oldest first.
    pub disputes: &'a [Objection],
}

impl Wait<'_> {
    /// When the points can be spent, after what was settled before. While somebody objects they wait on (rule 30), and the time
    /// of an objection does not count (rule 75). What could be spent when it was opened can be spent.
    pub fn terms(
        &self,
        policy: &Policy,
        settled: Option<DateTime<Utc>>,
        zone: Zone,
        now: DateTime<Utc>,
    ) -> LotTerms {
        let terms = LotTerms::from(self.paid_at);
        match policy.vesting {
            Vesting::AfterPayment { days } => {
                let planned = self.paid_at + TimeDelta::days(i64::from(days));
                let at = self.after_disputes(planned);
                // What waits for somebody does not expire meanwhile.
                let expires_at = (at < NOT_YET)
                    .then(|| policy.expires_at(self.paid_at + (at - planned), zone))
                    .flatten();
                LotTerms { available_at: at, expires_at, ..terms }
            }
            Vesting::AtCompletion => {
                let is_free = self.disputes.iter().all(|dispute| dispute.closed_at.is_some());
                let ripe = (self.is_completed && is_free).then_some(now);
                let at = settled.or(ripe).unwrap_or(NOT_YET);
                let expires_at = (at < NOT_YET).then(|| policy.expires_at(at, zone)).flatten();
                LotTerms { available_at: at, expires_at, ..terms }
            }
        }
    }

    /// Whether these terms put others in the place of those that were given with the points.
    pub fn moves(&self, policy: &Policy, settled: Option<DateTime<Utc>>, terms: &LotTerms) -> bool {
        let is_set = terms.available_at < NOT_YET;
        match policy.vesting {
            Vesting::AfterPayment { .. } => {
                !self.disputes.is_empty() && settled != is_set.then_some(terms.available_at)
            }
            Vesting::AtCompletion => settled.is_none() && is_set,
        }
    }

    fn after_disputes(&self, planned: DateTime<Utc>) -> DateTime<Utc> {
        let mut at = planned;
        for dispute in self.disputes.iter().filter(|dispute| dispute.opened_at < planned) {
            match dispute.closed_at {
                Some(closed_at) => at += (closed_at - dispute.opened_at).max(TimeDelta::zero()),
                None => return NOT_YET,
            }
        }
        at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(n: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::days(20_000 + n)
    }

    fn available(
        disputes: &[(i64, Option<i64>)],
        vesting: Vesting,
        completed: bool,
    ) -> Option<i64> {
        let disputes: Vec<Objection> = disputes
            .iter()
            .map(|&(opened, closed)| Objection {
                opened_at: day(opened),
                closed_at: closed.map(day),
            })
            .collect();
        let wait = Wait { paid_at: day(0), is_completed: completed, disputes: &disputes };
        let policy = Policy { vesting, ..Policy::default() };
        let terms = wait.terms(&policy, None, Zone::SHANGHAI, day(20));
        (terms.available_at < NOT_YET).then(|| (terms.available_at - day(0)).num_days())
    }

    #[test]
    fn the_time_of_an_objection_does_not_count() {
        let week = Vesting::AfterPayment { days: 7 };
        for (disputes, expected) in [
            (&[][..], Some(7)),
            (&[(3, None)], None),
            (&[(3, Some(5))], Some(9)),
            (&[(3, Some(5)), (6, Some(16))], Some(19)),
            (&[(3, Some(5)), (6, None)], None),
            // Opened when the points could be spent already.
            (&[(7, None)], Some(7)),
        ] {
            assert_eq!(available(disputes, week, false), expected, "{disputes:?}");
        }
    }

    #[test]
    fn what_waits_for_the_completion_waits_for_the_end_of_disputes_too() {
        let done = Vesting::AtCompletion;
        assert_eq!(available(&[], done, false), None);
        assert_eq!(available(&[], done, true), Some(20));
        assert_eq!(available(&[(3, None)], done, true), None);
        assert_eq!(available(&[(3, Some(5))], done, true), Some(20));
    }
}
