//! The life of a hand-over and the limits of the platform (reference §2.9). Pure.

use chrono::{DateTime, Months, TimeDelta, Utc};
use siyu_kernel::{Code, Fault, Id, Zone, kind};

use crate::{person::PersonId, shop::StoreId, staff::StaffId};

/// The id of a hand-over.
pub type HandoverId = Id<kind::Handover>;

/// How long a customer may refuse, and how long the platform may take to answer.
pub const WAIT: TimeDelta = TimeDelta::hours(24);
/// A customer changes hands at most so often within [`LIMIT_DAYS`].
pub const LIMIT: usize = 2;
/// Natural days of the merchant's zone, today included.
const LIMIT_DAYS: i32 = 90;
/// After so long nobody takes over from who left.
const RESIGNED_MONTHS: Months = Months::new(12);
/// What the customer is told, in characters.
const MESSAGE_CHARS_MAX: usize = 200;

/// A hand-over: the row.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Handover {
    /// The id.
    pub id: HandoverId,
    /// The customer.
    pub person_id: PersonId,
    /// Who gives.
    pub from_staff_id: StaffId,
    /// Who takes.
    pub to_staff_id: StaffId,
    /// The store of who takes.
    pub to_store_id: Option<StoreId>,
    /// Whether who gives works here.
    pub kind: Kind,
    /// Where it is in its life.
    pub state: State,
    /// Why it failed.
    pub failure: Failure,
    /// What the customer is told.
    pub message: String,
    /// When it was asked for.
    pub requested_at: DateTime<Utc>,
    /// When the platform took it.
    pub accepted_at: Option<DateTime<Utc>>,
    /// When it takes effect or, not taken, fails; none: it has ended.
    pub due_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
}

/// Whether who gives works here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Kind {
    /// Yes (在职继承).
    OnJob,
    /// Left (离职继承).
    Resigned,
}

/// Where a hand-over is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum State {
    /// Asked for.
    Requested,
    /// The customer may refuse.
    Waiting,
    /// It took effect.
    Done,
    /// The customer refused.
    Refused,
    /// It cannot be done.
    Failed,
}

/// Why a hand-over failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Failure {
    /// It has not.
    #[sqlx(rename = "")]
    None,
    /// The customer changed hands too often.
    CustomerLimit,
    /// The customer does not belong to who gives.
    NotOwner,
    /// Another one is under way.
    UnderWay,
    /// The platform did not take it in time.
    Unanswered,
    /// The customer came to belong to somebody else.
    OwnerChanged,
    /// The new owner cannot have more customers.
    StaffLimit,
    /// Another reason of the platform.
    Platform,
}

/// What happens to a hand-over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// The platform took it at an instant.
    Accept(DateTime<Utc>),
    /// The customer refused.
    Refuse,
    /// It cannot be done.
    Fail(Failure),
    /// Its time is over, and the customer still belongs to who gives.
    Done,
}

/// Why a hand-over cannot be asked for or go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It has ended.
    #[error("the hand-over has ended")]
    Ended,
    /// Who gives works here.
    #[error("the employee who gives works here")]
    NotLeft,
    /// Who gives left too long ago.
    #[error("the employee who gives left more than a year ago")]
    LeftTooLong,
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        let reason = match error {
            Error::Ended => "HANDOVER_ENDED",
            Error::NotLeft => "STAFF_NOT_LEFT",
            Error::LeftTooLong => "STAFF_LEFT_TOO_LONG",
        };
        Self::new(Code::FailedPrecondition, reason, error.to_string())
    }
}

/// Since when hand-overs of a customer count against the limit: the first instant of the 90 natural days that end today.
pub fn counted_since(zone: Zone, now: DateTime<Utc>) -> DateTime<Utc> {
    zone.start_of(zone.day(now).plus(1 - LIMIT_DAYS))
}

/// Whether who gives may, as far as work and leave go.
pub fn check_giver(
    kind: Kind,
    left_at: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Result<(), Fault> {
    match (kind, left_at) {
        (Kind::OnJob, Some(_)) => Err(crate::staff::Error::Left.into()),
        (Kind::Resigned, None) => Err(Error::NotLeft.into()),
        (Kind::Resigned, Some(left_at)) if left_at + RESIGNED_MONTHS < now => {
            Err(Error::LeftTooLong.into())
        }
        (Kind::OnJob, None) | (Kind::Resigned, Some(_)) => Ok(()),
    }
}

/// Whether the customer may be told this.
pub fn check_message(message: &str) -> Result<(), Fault> {
    if message.chars().count() > MESSAGE_CHARS_MAX {
        return Err(Fault::field(
            "message",
            format!("must have at most {MESSAGE_CHARS_MAX} characters"),
        ));
    }
    Ok(())
}

impl Handover {
    /// Lets something happen. A repeat of what ended it changes nothing.
    pub fn take(&mut self, event: Event, now: DateTime<Utc>) -> Result<(), Error> {
        match (self.state, event) {
            (State::Requested, Event::Accept(at)) => {
                self.state = State::Waiting;
                self.accepted_at = Some(at);
                self.due_at = Some(at + WAIT);
            }
            (State::Waiting, Event::Accept(_))
            | (State::Refused, Event::Refuse)
            | (State::Failed, Event::Fail(_)) => {}
            (State::Requested | State::Waiting, Event::Refuse) => self.end(State::Refused, now),
            (State::Requested | State::Waiting, Event::Fail(failure)) => {
                self.failure = failure;
                self.end(State::Failed, now);
            }
            (State::Waiting, Event::Done) => {
                // It holds from when it was due, however late this is looked at.
                let due_at = self.due_at.unwrap_or(now);
                self.end(State::Done, due_at);
            }
            (State::Requested, Event::Done)
            | (State::Done, _)
            | (State::Refused, Event::Accept(_) | Event::Fail(_) | Event::Done)
            | (State::Failed, Event::Accept(_) | Event::Refuse | Event::Done) => {
                return Err(Error::Ended);
            }
        }
        Ok(())
    }

    fn end(&mut self, state: State, at: DateTime<Utc>) {
        self.state = state;
        self.due_at = None;
        self.ended_at = Some(at);
    }
}

impl Kind {
    /// The word in columns.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OnJob => "on_job",
            Self::Resigned => "resigned",
        }
    }
}

impl State {
    /// The word in columns.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Waiting => "waiting",
            Self::Done => "done",
            Self::Refused => "refused",
            Self::Failed => "failed",
        }
    }
}

impl Failure {
    /// The word in columns.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "",
            Self::CustomerLimit => "customer_limit",
            Self::NotOwner => "not_owner",
            Self::UnderWay => "under_way",
            Self::Unanswered => "unanswered",
            Self::OwnerChanged => "owner_changed",
            Self::StaffLimit => "staff_limit",
            Self::Platform => "platform",
        }
    }
}

#[cfg(test)]
mod tests;
