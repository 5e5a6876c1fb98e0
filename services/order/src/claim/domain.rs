//! The claim of an order and its states. Pure.
//!
//! | claim | success | revive | close | ended |
//! | --- | --- | --- | --- | --- |
//! | open | → paid | refused | → closing | refused |
//! | closing | → paid | refused | stays | → closed |
//! | paid | refused: surplus | refused | refused | refused |
//! | closed | refused: late | → paid | stays | stays |
//!
//! `success`: money came that fits. `revive`: it came late, and what was ordered can be had again. `ended`: no payment company
//! takes money for it any more.

use chrono::{DateTime, Utc};
use siyu_kernel::{Id, kind};

use super::charge::Cash;
use crate::order::domain::{CurrencyColumn, OrderId};

/// The id of a payment.
pub type PaymentId = Id<kind::Payment>;

/// A claim: the row, of which some columns have names of their own, for it is read together with payments.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Claim {
    /// The order.
    pub order_id: OrderId,
    /// What is to be paid, in minor units: what the books hold.
    pub cash_minor: i64,
    /// In which currency.
    #[sqlx(rename = "claim_currency", try_from = "String")]
    pub currency: CurrencyColumn,
    /// What the buyer is charged for it, in minor units.
    pub charge_minor: i64,
    /// In which currency.
    #[sqlx(try_from = "String")]
    pub charge_currency: CurrencyColumn,
    /// How it stands.
    #[sqlx(rename = "claim_state")]
    pub state: State,
    /// Until when it may be paid, exclusive.
    pub deadline_at: DateTime<Utc>,
    /// How many payments were begun.
    pub attempts: i32,
    /// The payment that settled it.
    pub payment_id: Option<PaymentId>,
    /// When it was paid or closed.
    pub settled_at: Option<DateTime<Utc>>,
    /// When it was opened.
    #[sqlx(rename = "claim_created_at")]
    pub created_at: DateTime<Utc>,
}

/// How a claim stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum State {
    /// It may be paid.
    Open,
    /// Payment companies are asked to close its payments.
    Closing,
    /// It was paid.
    Paid,
    /// It was closed unpaid.
    Closed,
}

/// What happens to a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// Money came that fits.
    Success,
    /// Money came late, and what was ordered can be had again.
    Revive,
    /// It is not to be paid any more.
    Close,
    /// No payment company takes money for it any more.
    Ended,
}

/// The claim does not take the event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a claim that is {} does not take {event:?}", .state.as_str())]
pub struct Refused {
    /// How it stands.
    pub state: State,
    /// What it does not take.
    pub event: Event,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Open, Self::Closing, Self::Paid, Self::Closed];

    /// The word in columns.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closing => "closing",
            Self::Paid => "paid",
            Self::Closed => "closed",
        }
    }

    /// Where an event leads.
    pub const fn on(self, event: Event) -> Result<Self, Refused> {
        match (self, event) {
            (Self::Open | Self::Closing, Event::Success) | (Self::Closed, Event::Revive) => {
                Ok(Self::Paid)
            }
            (Self::Open | Self::Closing, Event::Close) => Ok(Self::Closing),
            (Self::Closing | Self::Closed, Event::Ended) | (Self::Closed, Event::Close) => {
                Ok(Self::Closed)
            }
            (Self::Open, Event::Revive | Event::Ended)
            | (Self::Closing, Event::Revive)
            | (Self::Paid, Event::Success | Event::Revive | Event::Close | Event::Ended)
            | (Self::Closed, Event::Success) => Err(Refused { state: self, event }),
        }
    }
}

impl Event {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Success, Self::Revive, Self::Close, Self::Ended];
}

impl Claim {
    /// A claim that is opened now. Nothing to pay is paid at once (rule 18).
    pub fn open(
        order_id: OrderId,
        cash: Cash,
        deadline_at: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Self {
        let (state, settled_at) =
            if cash.minor == 0 { (State::Paid, Some(now)) } else { (State::Open, None) };
        let charged = cash.charged();
        Self {
            order_id,
            cash_minor: cash.minor,
            currency: CurrencyColumn(cash.currency),
            charge_minor: charged.minor,
            charge_currency: CurrencyColumn(charged.currency),
            state,
            deadline_at,
            attempts: 0,
            payment_id: None,
            settled_at,
            created_at: now,
        }
    }

    /// Whether the buyer is charged in another currency than the merchant's.
    pub fn is_charged_elsewhere(&self) -> bool {
        self.charge_currency != self.currency
    }

    /// Whether a payment may be begun.
    pub fn is_payable(&self, now: DateTime<Utc>) -> bool {
        self.state == State::Open && now < self.deadline_at
    }

    /// Takes an event; the payment is the one that settles it.
    pub fn take(
        &mut self,
        event: Event,
        payment: Option<PaymentId>,
        now: DateTime<Utc>,
    ) -> Result<(), Refused> {
        let before = self.state;
        self.state = before.on(event)?;
        if self.state == before {
            return Ok(());
        }
        match self.state {
            State::Paid => (self.payment_id, self.settled_at) = (payment, Some(now)),
            State::Closed => self.settled_at = Some(now),
            State::Open | State::Closing => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_in_the_documentation_is_the_table_of_the_code() {
        let cell = |state: State, event: Event| match state.on(event) {
            Ok(next) if next == state => "stays".to_owned(),
            Ok(next) => format!("→ {}", next.as_str()),
            Err(_) => "refused".to_owned(),
        };
        let rows = State::ALL.map(|state| {
            let cells = Event::ALL.map(|event| cell(state, event));
            format!("//! | {} | {} |", state.as_str(), cells.join(" | "))
        });
        let source = include_str!("domain.rs").replace(": surplus", "").replace(": late", "");
        for row in rows {
            assert!(source.contains(&row), "{row}");
        }
    }
}
