//! How far a price comes down. Pure.

use chrono::{DateTime, TimeDelta, Utc};
use siyu_kernel::{
    Fault, Id,
    kind::{self, Person},
};
use siyu_proto::order::v1::BargainActivity;

use super::refused;
use crate::{
    market::{
        activity::{Activity, Kind, Run},
        fair,
    },
    order::domain::OrderId,
};

/// The id of a bargain.
pub type BargainId = Id<kind::Bargain>;

/// A bargain: the row.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Bargain {
    /// The bargain.
    pub id: BargainId,
    /// The activity.
    pub activity_code: String,
    /// The encoded activity as it was when the bargain began.
    pub definition: Vec<u8>,
    /// Who bargains.
    pub person_id: Id<Person>,
    /// How far the price is from the floor.
    pub remaining_minor: i64,
    /// How many have to help still.
    pub cuts_left: i32,
    /// What cuts are drawn from.
    pub seed: Vec<u8>,
    /// Until when one may help and order, exclusive.
    pub deadline: DateTime<Utc>,
    /// The order that it went into.
    pub order_id: Option<OrderId>,
    /// When it began.
    pub created_at: DateTime<Utc>,
}

/// One help: the row.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Cut {
    /// Counts them from 1.
    pub seq: i32,
    /// Who helped.
    pub person_id: Id<Person>,
    /// How far the price came down.
    pub amount_minor: i64,
    /// When.
    pub created_at: DateTime<Utc>,
}

/// For how many hours a bargain lasts where the activity does not say.
const LIFE_HOURS: i32 = 24;

impl Activity for BargainActivity {
    const KIND: Kind = Kind::Bargain;
    const NAME: &'static str = "bargain activity";

    fn code(&self) -> &str {
        &self.code
    }

    fn run(&self) -> Run {
        Run { from: self.valid_time_from, to: self.valid_time_to, paused: self.paused }
    }

    fn check(&self) -> Vec<(&'static str, &'static str)> {
        let too_little = self.price_minor - self.floor_minor < i64::from(self.helpers);
        let wrong = ("floor_minor", "leaves less than a minor unit for each helper");
        too_little.then_some(wrong).into_iter().collect()
    }
}

/// How far a price comes down that is `remaining` from the floor, where `left` have to help still, this one included: the
/// last takes what remains, the others a uniform integer in `[1, floor(2·remaining/left) − 1]`, at most so much that a unit
/// is left for each who comes after (reference §3.5). A draw of 64 bits favours no amount by more than one in 2^29.
///
/// # Panics
/// When there is not a unit for each: a bargain begins with more and keeps it so.
pub fn cut(remaining: i64, left: i32, draw: u64) -> i64 {
    let left = i64::from(left);
    assert!(left >= 1 && remaining >= left, "there is a unit for each");
    if left == 1 {
        return remaining;
    }
    let most = (2 * remaining / left - 1).min(remaining - (left - 1)).max(1);
    let choices = u64::try_from(most).expect("it is positive");
    1 + i64::try_from(draw % choices).expect("less than an amount")
}

impl Bargain {
    /// One who begins now.
    pub fn begin(
        id: BargainId,
        activity: &BargainActivity,
        definition: Vec<u8>,
        person_id: Id<Person>,
        seed: Vec<u8>,
        now: DateTime<Utc>,
    ) -> Self {
        let hours = if activity.life_hours == 0 { LIFE_HOURS } else { activity.life_hours };
        Self {
            id,
            activity_code: activity.code.clone(),
            definition,
            person_id,
            remaining_minor: activity.price_minor - activity.floor_minor,
            cuts_left: activity.helpers,
            seed,
            deadline: now + TimeDelta::hours(hours.into()),
            order_id: None,
            created_at: now,
        }
    }

    /// No cut can be made any more, so that the seed may be shown.
    pub fn is_over(&self, now: DateTime<Utc>) -> bool {
        self.cuts_left == 0 || self.deadline <= now
    }

    /// Makes the next cut, of an activity that began with so many helpers.
    pub fn help(
        &mut self,
        person_id: Id<Person>,
        helpers: i32,
        now: DateTime<Utc>,
    ) -> Result<Cut, Fault> {
        if self.is_over(now) || self.order_id.is_some() {
            return Err(refused("BARGAIN_OVER", "the price comes down no further"));
        }
        let seq = helpers - self.cuts_left + 1;
        let draw = fair::draw(&self.seed, &format!("{}|{seq}", self.id));
        let amount_minor = cut(self.remaining_minor, self.cuts_left, draw);
        self.remaining_minor -= amount_minor;
        self.cuts_left -= 1;
        Ok(Cut { seq, person_id, amount_minor, created_at: now })
    }

    /// Refuses an order.
    pub fn admit_order(&self, sells_early: bool, now: DateTime<Utc>) -> Result<(), Fault> {
        if self.order_id.is_some() {
            return Err(refused("BARGAIN_ORDERED", "the bargain went into an order before"));
        }
        if self.deadline <= now {
            return Err(refused("BARGAIN_OVER", "the time of the bargain is over"));
        }
        if self.cuts_left > 0 && !sells_early {
            return Err(refused("BARGAIN_NOT_READY", "some have to help still"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn cuts_sum_to_the_way_to_the_floor_and_each_is_within_its_bounds(
            helpers in 1_i32..=200,
            beyond in 0_i64..=10_000_000_000,
            draws in prop::collection::vec(any::<u64>(), 200),
        ) {
            let way = i64::from(helpers) + beyond;
            let mut remaining = way;
            let mut sum = 0;
            for (left, draw) in (1..=helpers).rev().zip(draws) {
                let amount = cut(remaining, left, draw);
                let k = i64::from(left);
                prop_assert!(amount >= 1);
                if left > 1 {
                    prop_assert!(amount <= (2 * remaining / k - 1).max(1));
                    prop_assert!(amount <= remaining - (k - 1));
                }
                remaining -= amount;
                sum += amount;
                prop_assert!(remaining >= k - 1, "a unit for each who comes after");
            }
            prop_assert_eq!((remaining, sum), (0, way));
        }
    }

    #[test]
    fn a_cut_follows_from_its_draw() {
        // 1000 for 10: from 1 to 199.
        assert_eq!([0, 198, 199].map(|draw| cut(1_000, 10, draw)), [1, 199, 1]);
        // A unit for each: nothing else is possible.
        assert_eq!(cut(5, 5, u64::MAX), 1);
        assert_eq!(cut(777, 1, 5), 777);
    }

    #[test]
    fn a_floor_that_leaves_nothing_for_a_helper_is_refused() {
        let activity = |floor_minor| BargainActivity {
            price_minor: 100,
            floor_minor,
            helpers: 10,
            ..BargainActivity::default()
        };
        assert!(activity(90).check().is_empty());
        assert_eq!(activity(91).check()[0].0, "floor_minor");
    }
}
