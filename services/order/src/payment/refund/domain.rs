//! A refund of a payment and its states. Pure.
//!
//! | refund | send | unknown | absent | processing | succeeded | failed |
//! | --- | --- | --- | --- | --- | --- | --- |
//! | created | → sending | stays | stays | → processing | → succeeded | → failed |
//! | sending | stays | → unknown | stays | → processing | → succeeded | → failed |
//! | unknown | → sending | stays | stays | → processing | → succeeded | → failed |
//! | processing | stays | stays | stays | stays | → succeeded | → failed |
//! | succeeded | stays | stays | stays | stays | stays | stays |
//! | failed | stays | stays | stays | stays | stays | stays |
//!
//! A refund that is not known to have arrived is sent again under the same number, never made anew (rules 7, 8).

use chrono::{DateTime, Utc};
use siyu_kernel::{Id, kind};

use crate::claim::domain::PaymentId;

/// The id of a refund.
pub type RefundId = Id<kind::PaymentRefund>;

/// A refund: the row.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Refund {
    /// The refund.
    pub id: RefundId,
    /// The payment.
    pub payment_id: PaymentId,
    /// Counts the refunds of the payment, from 1.
    pub number: i32,
    /// What whoever asked for it knows it by.
    pub key: String,
    /// The account of the payment.
    pub account_code: String,
    /// The number that the payment company knows it by.
    pub out_refund_no: String,
    /// How much, in minor units of the payment's currency.
    pub amount_minor: i64,
    /// Why it was made.
    pub reason: String,
    /// The credential that asked for it; empty where an order's refund did, or where it goes back by itself.
    pub actor: String,
    /// How it stands.
    pub state: State,
    /// The payment company's own number.
    pub provider_no: String,
    /// What the payment company said when it failed.
    pub failure: String,
    /// How often in a row the payment company was asked without an end.
    pub tries: i32,
    /// When it is sent or asked for next.
    pub due_at: Option<DateTime<Utc>>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
}

/// How a refund stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum State {
    /// Stored here.
    Created,
    /// On its way.
    Sending,
    /// Whether it arrived is not known.
    Unknown,
    /// The payment company took it.
    Processing,
    /// The buyer has the money.
    Succeeded,
    /// It will not come about.
    Failed,
}

/// What happens to a refund.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// It goes to the payment company.
    Send,
    /// No answer came.
    Unknown,
    /// The payment company does not have it.
    Absent,
    /// The payment company took it.
    Processing,
    /// The buyer has the money.
    Succeeded,
    /// It will not come about.
    Failed,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Created,
        Self::Sending,
        Self::Unknown,
        Self::Processing,
        Self::Succeeded,
        Self::Failed,
    ];

    /// The word in columns.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Sending => "sending",
            Self::Unknown => "unknown",
            Self::Processing => "processing",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
        }
    }

    /// Where an event leads.
    #[must_use]
    pub const fn on(self, event: Event) -> Self {
        match (self, event) {
            (Self::Created | Self::Unknown, Event::Send) => Self::Sending,
            (Self::Sending, Event::Unknown) => Self::Unknown,
            (Self::Created | Self::Sending | Self::Unknown, Event::Processing) => Self::Processing,
            (
                Self::Created | Self::Sending | Self::Unknown | Self::Processing,
                Event::Succeeded,
            ) => Self::Succeeded,
            (Self::Created | Self::Sending | Self::Unknown | Self::Processing, Event::Failed) => {
                Self::Failed
            }
            (Self::Created | Self::Unknown, Event::Unknown | Event::Absent)
            | (Self::Sending, Event::Send | Event::Absent)
            | (
                Self::Processing,
                Event::Send | Event::Unknown | Event::Absent | Event::Processing,
            )
            | (
                Self::Succeeded | Self::Failed,
                Event::Send
                | Event::Unknown
                | Event::Absent
                | Event::Processing
                | Event::Succeeded
                | Event::Failed,
            ) => self,
        }
    }

    /// Whether nothing more happens to it.
    pub const fn is_ended(self) -> bool {
        match self {
            Self::Succeeded | Self::Failed => true,
            Self::Created | Self::Sending | Self::Unknown | Self::Processing => false,
        }
    }

    /// Whether its amount may not be refunded again: whatever has not failed.
    pub const fn counts(self) -> bool {
        match self {
            Self::Created | Self::Sending | Self::Unknown | Self::Processing | Self::Succeeded => {
                true
            }
            Self::Failed => false,
        }
    }
}

impl Event {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Send, Self::Unknown, Self::Absent, Self::Processing, Self::Succeeded, Self::Failed];
}

impl Refund {
    /// Takes an event, and says when the payment company is asked next.
    pub fn take(&mut self, event: Event, now: DateTime<Utc>, next: DateTime<Utc>) {
        let before = self.state;
        self.state = before.on(event);
        self.tries = match event {
            // Only what is known to have come about begins anew: what is sent again and again without an end is sent less often.
            Event::Processing | Event::Succeeded | Event::Failed if self.state != before => 0,
            // The answer to it counts.
            Event::Send => self.tries,
            Event::Processing
            | Event::Succeeded
            | Event::Failed
            | Event::Unknown
            | Event::Absent => self.tries.saturating_add(1),
        };
        self.due_at = (!self.state.is_ended()).then_some(next);
        if self.state.is_ended() && self.ended_at.is_none() {
            self.ended_at = Some(now);
        }
    }
}

/// What may still be refunded of an amount (rule 6), in minor units.
pub fn headroom<'a>(paid_minor: i64, refunds: impl IntoIterator<Item = &'a Refund>) -> i64 {
    let counted = refunds.into_iter().filter(|refund| refund.state.counts());
    paid_minor - counted.map(|refund| refund.amount_minor).sum::<i64>()
}

/// The number of a refund at the payment company.
pub fn out_refund_no(out_trade_no: &str, number: i32) -> String {
    format!("{out_trade_no}-r{number}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_in_the_documentation_is_the_table_of_the_code() {
        for state in State::ALL {
            let cells = Event::ALL.map(|event| {
                let next = state.on(event);
                if next == state { "stays".to_owned() } else { format!("→ {}", next.as_str()) }
            });
            let row = format!("//! | {} | {} |", state.as_str(), cells.join(" | "));
            assert!(include_str!("domain.rs").contains(&row), "{row}");
        }
    }

    fn fresh() -> Refund {
        Refund {
            id: Id::from_uuid(uuid::Uuid::nil()),
            payment_id: Id::from_uuid(uuid::Uuid::nil()),
            number: 1,
            key: String::new(),
            account_code: String::new(),
            out_refund_no: String::new(),
            amount_minor: 1,
            reason: String::new(),
            actor: String::new(),
            state: State::Created,
            provider_no: String::new(),
            failure: String::new(),
            tries: 0,
            due_at: None,
            created_at: DateTime::UNIX_EPOCH,
            ended_at: None,
        }
    }

    #[test]
    fn what_is_sent_without_an_end_is_sent_less_and_less_often() {
        let (at, mut refund) = (DateTime::UNIX_EPOCH, fresh());
        for round in 0..20 {
            assert_eq!(refund.tries, round);
            refund.take(Event::Send, at, at);
            refund.take(Event::Unknown, at, at);
        }
        refund.take(Event::Processing, at, at);
        assert_eq!((refund.state, refund.tries), (State::Processing, 0), "now it is under way");
        refund.take(Event::Processing, at, at);
        refund.take(Event::Unknown, at, at);
        assert_eq!(refund.tries, 2);
    }

    #[test]
    fn a_refund_counts_until_it_fails_and_is_not_made_undone() {
        for state in State::ALL {
            assert_eq!(state.counts(), state != State::Failed);
            for event in Event::ALL {
                assert!(!state.is_ended() || state.on(event) == state);
            }
        }
    }
}
