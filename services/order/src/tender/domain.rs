//! What a tender is, and where it goes. Pure.
//!
//! | state | what is done | done | refused |
//! | --- | --- | --- | --- |
//! | planned | hold | held | voided |
//! | held | nothing: it waits for the order | | |
//! | capturing | capture | captured | stuck |
//! | voiding | free, after learning of a hold that may have been made | voided | voided if nothing is held any more, or stuck |
//! | captured, voided, stuck | nothing | | |

use chrono::{DateTime, TimeDelta, Utc};
use siyu_kernel::{Code, Fault, Id, kind::Person};
use siyu_proto::order::v1 as proto;
use uuid::Uuid;

use crate::order::domain::OrderId;

/// A tender: the row.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Tender {
    /// The order.
    pub order_id: OrderId,
    /// What it is.
    pub kind: Kind,
    /// Where it is in its life.
    pub state: State,
    /// What it pays; of points: what they take off.
    pub amount_minor: i64,
    /// The points; 0 for stored value.
    pub points: i64,
    /// An encoded `HoldValueRequest`; empty for points.
    pub charges: Vec<u8>,
    /// The buyer.
    pub person_id: Id<Person>,
    /// The hold, of the member service.
    pub hold_id: Option<Uuid>,
    /// The transfer that took the points.
    pub capture_id: Option<Uuid>,
    /// What the member service said when it refused.
    pub failure: String,
    /// Until when it is held.
    pub hold_until: DateTime<Utc>,
    /// How often the step was tried.
    pub attempts: i32,
}

/// What a tender is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Kind {
    /// Stored value, from one card or several: all or none.
    Value,
    /// Points.
    Points,
}

/// Where a tender is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum State {
    /// To be held.
    Planned,
    /// Held.
    Held,
    /// To be taken.
    Capturing,
    /// Taken.
    Captured,
    /// To be freed.
    Voiding,
    /// Free, or never held.
    Voided,
    /// It could not be taken or freed: for a person to look at.
    Stuck,
}

/// What an answer of the member service means for a tender.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It was held, under this id.
    Held(Uuid),
    /// It was taken, by this transfer where points were.
    Captured(Option<Uuid>),
    /// Nothing of it is held.
    Free,
    /// It was refused, for this reason.
    Refused(&'static str),
}

/// A fault that says that something was not done, as opposed to one that leaves it open. That this service may not ask, or
/// asks for what the other one does not have yet, says nothing of the tender: a token or a release is put right, and the
/// same step comes off.
pub fn is_refusal(fault: &Fault) -> bool {
    match fault.code() {
        Code::InvalidArgument | Code::NotFound | Code::AlreadyExists | Code::FailedPrecondition => {
            true
        }
        Code::PermissionDenied
        | Code::Unauthenticated
        | Code::Unimplemented
        | Code::Aborted
        | Code::ResourceExhausted
        | Code::DeadlineExceeded
        | Code::Unavailable
        | Code::Internal => false,
    }
}

/// How long after a failed attempt the next one is made: doubled from two seconds on, ten minutes at most.
pub fn pause(attempts: i32) -> TimeDelta {
    TimeDelta::seconds((2_i64 << attempts.clamp(0, 9)).min(600))
}

impl State {
    /// Where an answer leads; the state itself where it says nothing new.
    #[must_use]
    pub const fn after(self, answer: &Answer) -> Self {
        match (self, answer) {
            (Self::Planned, Answer::Held(_)) => Self::Held,
            (Self::Planned, Answer::Refused(_)) | (Self::Voiding, Answer::Free) => Self::Voided,
            (Self::Capturing, Answer::Captured(_)) => Self::Captured,
            (Self::Capturing | Self::Voiding, Answer::Refused(_)) => Self::Stuck,
            // A hold that came about while its order ended: known now, and freed by the next step.
            (state, _) => state,
        }
    }

    /// The word in the contract.
    pub const fn show(self) -> proto::TenderState {
        match self {
            Self::Planned => proto::TenderState::Planned,
            Self::Held => proto::TenderState::Held,
            Self::Capturing => proto::TenderState::Capturing,
            Self::Captured => proto::TenderState::Captured,
            Self::Voiding => proto::TenderState::Voiding,
            Self::Voided => proto::TenderState::Voided,
            Self::Stuck => proto::TenderState::Stuck,
        }
    }
}

impl Tender {
    /// There is a step to be taken.
    pub const fn waits(&self) -> bool {
        match self.state {
            State::Planned | State::Capturing | State::Voiding => true,
            State::Held | State::Captured | State::Voided | State::Stuck => false,
        }
    }

    /// The request id of a step at the member service.
    pub fn request_id(&self, step: &str) -> String {
        let kind = match self.kind {
            Kind::Value => "value",
            Kind::Points => "points",
        };
        format!("{}-{step}-{kind}", self.order_id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_answer_in_every_state_leads_where_the_table_says() {
        use State::{Captured, Capturing, Held, Planned, Stuck, Voided, Voiding};

        let answers = [
            Answer::Held(Uuid::nil()),
            Answer::Captured(None),
            Answer::Free,
            Answer::Refused("INSUFFICIENT_BALANCE"),
        ];
        let of = |state: State| answers.clone().map(|answer| state.after(&answer));
        assert_eq!(of(Planned), [Held, Planned, Planned, Voided]);
        assert_eq!(of(Held), [Held; 4]);
        assert_eq!(of(Capturing), [Capturing, Captured, Capturing, Stuck]);
        assert_eq!(of(Voiding), [Voiding, Voiding, Voided, Stuck]);
        for ended in [Captured, Voided, Stuck] {
            assert_eq!(of(ended), [ended; 4]);
        }
    }

    #[test]
    fn what_is_wrong_between_two_services_refuses_nothing() {
        let is_refused = |code| is_refusal(&Fault::new(code, "ANY", "as the test wishes"));
        for code in [Code::Unauthenticated, Code::PermissionDenied, Code::Unimplemented] {
            assert!(!is_refused(code), "{code:?}");
        }
        assert!(is_refused(Code::FailedPrecondition) && !is_refused(Code::Unavailable));
    }

    #[test]
    fn pauses_grow_and_have_a_bound() {
        assert_eq!([0, 1, 4, 8, 40].map(|n| pause(n).num_seconds()), [2, 4, 32, 512, 600]);
    }
}
