//! Where a refund is, and what moves it. Pure.
//!
//! | from | event | to |
//! | --- | --- | --- |
//! | requested | agree, goods to be sent back | agreed |
//! | requested | agree | processing |
//! | requested, agreed, `return_shipped` | reject | rejected |
//! | requested, agreed | withdraw | withdrawn |
//! | agreed | `return_shipped` | `return_shipped` |
//! | agreed, `return_shipped` | `return_received` | processing |
//! | processing | every part done | succeeded |
//! | processing | cash refused, nothing given back | failed |
//!
//! Money goes first, for only a payment company can refuse it; stored value and points follow. A part of them that the member
//! service refuses leaves the refund in processing, for a person to look at: its money stays in refund clearing, for it is
//! the buyer's, and [`Refund::retry`] has it tried once more when whatever was in the way is gone.

use chrono::{DateTime, Utc};
use siyu_kernel::{Code, Fault, Id, kind};
use siyu_proto::order::v1 as proto;

use crate::order::domain::OrderId;

/// The id of a refund.
pub type RefundId = Id<kind::Refund>;

/// A refund: the row.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Refund {
    /// The refund.
    pub id: RefundId,
    /// The order.
    pub order_id: OrderId,
    /// Counts the refunds of the order.
    pub number: i32,
    /// The caller's key.
    pub request_id: String,
    /// SHA-256 of the request.
    pub fingerprint: Vec<u8>,
    /// Where it is in its life.
    pub state: State,
    /// An encoded `RefundPlan`.
    pub plan: Vec<u8>,
    /// Why it was asked for.
    pub reason: String,
    /// Whether the goods are to be sent back first.
    pub needs_return: bool,
    /// What goes back through the payment.
    pub cash_minor: i64,
    /// How that stands.
    pub cash: Part,
    /// What goes back to stored value.
    pub value_minor: i64,
    /// How that stands.
    pub value: Part,
    /// Points that go back.
    pub points: i64,
    /// How they stand.
    pub points_part: Part,
    /// What was said when a part was refused.
    pub failure: String,
    /// Who asked for it.
    pub actor: String,
    /// An encoded `RefundPlan` that holds rewards only: what was done with them. `None`: as planned.
    pub rewards: Option<Vec<u8>>,
    /// When the next step is due.
    pub due_at: Option<DateTime<Utc>>,
    /// How often it was tried.
    pub attempts: i32,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
}

/// Where a refund is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum State {
    /// Asked for.
    Requested,
    /// Agreed to; the goods are to be sent back.
    Agreed,
    /// The goods are on their way back.
    ReturnShipped,
    /// The money is on its way.
    Processing,
    /// Everything was given back.
    Succeeded,
    /// Refused by the payment company; nothing was given back.
    Failed,
    /// Refused by the merchant.
    Rejected,
    /// Withdrawn.
    Withdrawn,
}

/// How one way of a refund stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Part {
    /// Nothing goes this way.
    Nothing,
    /// It is to be given back.
    Waiting,
    /// It was given back.
    Done,
    /// It was refused.
    Failed,
}

/// A word that does not fit where the refund is.
fn wrong_state(state: State) -> Fault {
    let state = state.as_str();
    let message = format!("the refund is {state}");
    Fault::new(Code::FailedPrecondition, "REFUND_STATE_WRONG", message).with("state", state)
}

/// What is decided of a refund, or what became known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// The merchant agrees.
    Agree,
    /// The merchant refuses.
    Reject,
    /// Who asked no longer wants it.
    Withdraw,
    /// The goods are on their way back.
    ReturnShipped,
    /// The goods came back.
    ReturnReceived,
}

impl State {
    /// The word in columns.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Agreed => "agreed",
            Self::ReturnShipped => "return_shipped",
            Self::Processing => "processing",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Rejected => "rejected",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// What it would give back counts as given: also while it is not decided (rule 31).
    pub const fn counts(self) -> bool {
        match self {
            Self::Requested
            | Self::Agreed
            | Self::ReturnShipped
            | Self::Processing
            | Self::Succeeded => true,
            Self::Failed | Self::Rejected | Self::Withdrawn => false,
        }
    }

    /// Nothing becomes of it any more.
    pub const fn is_ended(self) -> bool {
        match self {
            Self::Requested | Self::Agreed | Self::ReturnShipped | Self::Processing => false,
            Self::Succeeded | Self::Failed | Self::Rejected | Self::Withdrawn => true,
        }
    }

    /// Where an event leads; `None` where it cannot happen.
    pub const fn next(self, event: Event, needs_return: bool) -> Option<Self> {
        match (event, self) {
            (Event::Agree, Self::Requested) if needs_return => Some(Self::Agreed),
            (Event::Agree, Self::Requested)
            | (Event::ReturnReceived, Self::Agreed | Self::ReturnShipped) => Some(Self::Processing),
            (Event::Reject, Self::Requested | Self::Agreed | Self::ReturnShipped) => {
                Some(Self::Rejected)
            }
            (Event::Withdraw, Self::Requested | Self::Agreed) => Some(Self::Withdrawn),
            (Event::ReturnShipped, Self::Agreed) => Some(Self::ReturnShipped),
            _ => None,
        }
    }

    /// An event that has happened already: the same again has no effect.
    pub const fn is_after(self, event: Event, needs_return: bool) -> bool {
        match event {
            Event::Agree if needs_return => {
                matches!(
                    self,
                    Self::Agreed | Self::ReturnShipped | Self::Processing | Self::Succeeded
                )
            }
            Event::Agree | Event::ReturnReceived => {
                matches!(self, Self::Processing | Self::Succeeded)
            }
            Event::Reject => matches!(self, Self::Rejected),
            Event::Withdraw => matches!(self, Self::Withdrawn),
            Event::ReturnShipped => {
                matches!(self, Self::ReturnShipped | Self::Processing | Self::Succeeded)
            }
        }
    }

    /// The word in the contract.
    pub const fn show(self) -> proto::RefundState {
        match self {
            Self::Requested => proto::RefundState::Requested,
            Self::Agreed => proto::RefundState::Agreed,
            Self::ReturnShipped => proto::RefundState::ReturnShipped,
            Self::Processing => proto::RefundState::Processing,
            Self::Succeeded => proto::RefundState::Succeeded,
            Self::Failed => proto::RefundState::Failed,
            Self::Rejected => proto::RefundState::Rejected,
            Self::Withdrawn => proto::RefundState::Withdrawn,
        }
    }

    /// The state that a contract's value names; `None` for "not given".
    pub const fn of_proto(state: proto::RefundState) -> Option<Self> {
        Some(match state {
            proto::RefundState::Unspecified => return None,
            proto::RefundState::Requested => Self::Requested,
            proto::RefundState::Agreed => Self::Agreed,
            proto::RefundState::ReturnShipped => Self::ReturnShipped,
            proto::RefundState::Processing => Self::Processing,
            proto::RefundState::Succeeded => Self::Succeeded,
            proto::RefundState::Failed => Self::Failed,
            proto::RefundState::Rejected => Self::Rejected,
            proto::RefundState::Withdrawn => Self::Withdrawn,
        })
    }
}

impl Part {
    /// A part of so much.
    pub const fn of(amount: i64) -> Self {
        if amount > 0 { Self::Waiting } else { Self::Nothing }
    }

    /// There is nothing left to give back.
    pub const fn is_settled(self) -> bool {
        matches!(self, Self::Nothing | Self::Done)
    }
}

impl Refund {
    /// Takes an event; says whether anything changed. Fails with `REFUND_STATE_WRONG`.
    pub fn take(&mut self, event: Event, now: DateTime<Utc>) -> Result<bool, Fault> {
        let Some(next) = self.state.next(event, self.needs_return) else {
            if self.state.is_after(event, self.needs_return) {
                return Ok(false);
            }
            return Err(wrong_state(self.state));
        };
        self.state = next;
        self.ended_at = next.is_ended().then_some(now);
        self.due_at = (next == State::Processing).then_some(now);
        Ok(true)
    }

    /// Has the parts that were refused tried once more, under the same numbers; says whether there are any. Fails with
    /// `REFUND_STATE_WRONG` where the money is not on its way.
    pub fn retry(&mut self, now: DateTime<Utc>) -> Result<bool, Fault> {
        match self.state {
            State::Processing => {}
            State::Succeeded => return Ok(false),
            State::Requested
            | State::Agreed
            | State::ReturnShipped
            | State::Failed
            | State::Rejected
            | State::Withdrawn => return Err(wrong_state(self.state)),
        }
        let mut again = false;
        for part in [&mut self.value, &mut self.points_part] {
            if *part == Part::Failed {
                (*part, again) = (Part::Waiting, true);
            }
        }
        if again {
            self.failure.clear();
            (self.due_at, self.attempts) = (Some(now), 0);
        }
        Ok(again)
    }

    /// Whether it goes on only when somebody says so: a part was refused, and no other waits.
    pub fn is_stuck(&self) -> bool {
        let parts = [self.cash, self.value, self.points_part];
        self.state == State::Processing
            && parts.contains(&Part::Failed)
            && !parts.contains(&Part::Waiting)
    }

    /// Ends a refund in processing whose parts have all come to an end; says whether it did.
    pub fn conclude(&mut self, now: DateTime<Utc>) -> bool {
        if self.state != State::Processing {
            return false;
        }
        let rest = [self.value, self.points_part];
        self.state = if self.cash.is_settled() && rest.iter().all(|part| part.is_settled()) {
            State::Succeeded
        } else if self.cash == Part::Failed {
            State::Failed
        } else {
            return false;
        };
        (self.ended_at, self.due_at) = (Some(now), None);
        true
    }

    /// The request id of a part at the member service.
    pub fn member_request_id(&self, part: &str) -> String {
        format!("{}-{part}", self.id)
    }
}

#[cfg(test)]
mod tests;
