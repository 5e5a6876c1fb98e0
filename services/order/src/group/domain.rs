//! What becomes of a group and of its seats. Pure.

use chrono::{DateTime, TimeDelta, Utc};
use prost::Message;
use siyu_kernel::{
    Code, Fault, Id,
    kind::{GroupBuy, Person},
};
use siyu_proto::order::v1::GroupActivity;
use uuid::Uuid;

use crate::{
    market::activity::{Activity, Kind, Run},
    order::domain::OrderId,
};

/// The id of a group.
pub type GroupId = Id<GroupBuy>;

/// A group: the row.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Group {
    /// The group.
    pub id: GroupId,
    /// The activity.
    pub activity_code: String,
    /// The encoded activity as it was when the group was opened.
    pub definition: Vec<u8>,
    /// Where it is in its life.
    pub state: State,
    /// How many make it complete.
    pub size: i32,
    /// How many seats are taken, paid or not.
    pub taken: i32,
    /// How many seats are paid.
    pub paid: i32,
    /// It counts as complete though it was short of members.
    pub simulated: bool,
    /// Until when it waits for others.
    pub deadline: Option<DateTime<Utc>>,
    /// When it was opened.
    pub created_at: DateTime<Utc>,
}

/// Where a group is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum State {
    /// Its opener has not paid yet.
    Pending,
    /// It waits for others.
    Open,
    /// It is complete.
    Formed,
    /// It was not complete in time.
    Failed,
    /// Its opener never paid.
    Cancelled,
}

/// A seat: the row.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct SeatRow {
    /// The order.
    pub order_id: OrderId,
    /// The group.
    pub group_id: GroupId,
    /// The buyer.
    pub person_id: Id<Person>,
    /// The buyer opened the group.
    pub opener: bool,
    /// Where it is in its life.
    pub state: SeatState,
    /// When it was taken.
    pub created_at: DateTime<Utc>,
}

/// Where a seat is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum SeatState {
    /// Its order waits for the payment.
    Reserved,
    /// It is paid.
    Paid,
    /// Its group is complete, and its order is to go on.
    Forming,
    /// Its order goes on.
    Formed,
    /// Its group failed, and its order is to be refunded.
    Refunding,
    /// Its order was refunded.
    Refunded,
    /// Its order ended before it was paid.
    Released,
}

/// For how many hours a group waits where the activity does not say.
const LIFE_HOURS: i32 = 24;

impl Activity for GroupActivity {
    const KIND: Kind = Kind::GroupBuy;
    const NAME: &'static str = "group activity";

    fn code(&self) -> &str {
        &self.code
    }

    fn run(&self) -> Run {
        Run { from: self.valid_time_from, to: self.valid_time_to, paused: self.paused }
    }

    fn check(&self) -> Vec<(&'static str, &'static str)> {
        let too_much = self.opener_off_minor > self.unit_minor;
        too_much.then_some(("opener_off_minor", "is more than unit_minor")).into_iter().collect()
    }
}

impl Group {
    /// A group whose opener has not paid yet.
    pub fn open(activity: &GroupActivity, now: DateTime<Utc>) -> Self {
        Self {
            id: Id::from_uuid(Uuid::nil()),
            activity_code: activity.code.clone(),
            definition: activity.encode_to_vec(),
            state: State::Pending,
            size: activity.size,
            taken: 0,
            paid: 0,
            simulated: false,
            deadline: None,
            created_at: now,
        }
    }

    /// Its time is not over, as far as is known.
    pub const fn waits(&self) -> bool {
        match self.state {
            State::Pending | State::Open => true,
            State::Formed | State::Failed | State::Cancelled => false,
        }
    }

    /// Refuses one more seat; gives for how many whole minutes the group waits still.
    pub fn admit(&self, now: DateTime<Utc>) -> Result<i32, Fault> {
        let refused = |reason, message: &'static str| {
            Err(Fault::new(Code::FailedPrecondition, reason, message))
        };
        match (self.state, self.deadline) {
            (State::Formed, _) => refused("GROUP_FULL", "the group is complete"),
            (State::Open, Some(deadline)) => {
                let minutes = (deadline - now).num_minutes();
                if minutes < 1 {
                    return refused("GROUP_OVER", "the time of the group is over");
                }
                if self.taken >= self.size {
                    return refused("GROUP_FULL", "every seat of the group is taken");
                }
                Ok(i32::try_from(minutes).expect("a month at most"))
            }
            (State::Pending, _) => refused("GROUP_OVER", "the opener of the group has not paid"),
            (State::Open | State::Failed | State::Cancelled, _) => {
                refused("GROUP_OVER", "the time of the group is over")
            }
        }
    }

    /// A seat is paid; gives what becomes of it. A payment that comes after the deadline does not complete a group, and one
    /// that comes after its end goes back, but for a group that has formed: that one has room for every seat it gave.
    pub fn pay(&mut self, seat: &SeatRow, now: DateTime<Utc>) -> SeatState {
        match self.state {
            State::Pending if seat.opener => {
                let activity = GroupActivity::decode(self.definition.as_slice());
                let hours = activity.map_or(0, |activity| activity.life_hours);
                let hours = if hours == 0 { LIFE_HOURS } else { hours };
                (self.state, self.paid) = (State::Open, self.paid + 1);
                self.deadline = Some(now + TimeDelta::hours(hours.into()));
                SeatState::Paid
            }
            State::Open => {
                self.paid += 1;
                let in_time = self.deadline.is_some_and(|deadline| now < deadline);
                if self.paid == self.size && in_time {
                    self.state = State::Formed;
                }
                SeatState::Paid
            }
            State::Formed => {
                self.paid += 1;
                SeatState::Forming
            }
            State::Pending | State::Failed | State::Cancelled => {
                self.paid += 1;
                SeatState::Refunding
            }
        }
    }

    /// A seat is given up before it was paid.
    pub fn release(&mut self, seat: &SeatRow) {
        if seat.state == SeatState::Reserved {
            self.taken -= 1;
            if seat.opener && self.state == State::Pending {
                self.state = State::Cancelled;
            }
        }
    }

    /// A paid seat is given up by a refund. Only a group that waits takes notice.
    pub fn leave(&mut self, seat: &SeatRow) {
        if self.state == State::Open && seat.state == SeatState::Paid {
            self.taken -= 1;
            self.paid -= 1;
        }
    }

    /// The time of an open group is over: it is complete if the merchant counts it so, and fails if not.
    pub fn time_out(&mut self, simulates: bool) {
        assert!(self.state == State::Open, "only an open group has a time");
        self.simulated = simulates && self.paid > 0;
        self.state = if self.simulated { State::Formed } else { State::Failed };
    }
}

#[cfg(test)]
mod tests;
