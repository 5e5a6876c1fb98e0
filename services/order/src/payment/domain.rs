//! An attempt to pay and its states. Pure.
//!
//! | payment | sent | refused | close | `provider_closed` | kept | surplus | mismatched |
//! | --- | --- | --- | --- | --- | --- | --- | --- |
//! | created | → pending | → failed | → closing | → closed | → succeeded | → surplus | → `held_for_review` |
//! | pending | stays | stays | → closing | → closed | → succeeded | → surplus | → `held_for_review` |
//! | closing | stays | stays | stays | → closed | → succeeded | → surplus | → `held_for_review` |
//! | closed | → closing | stays | stays | stays | → succeeded | → surplus | → `held_for_review` |
//! | failed | → closing | stays | stays | stays | → succeeded | → surplus | → `held_for_review` |
//! | succeeded | stays | stays | stays | stays | stays | stays | stays |
//! | surplus | stays | stays | stays | stays | stays | stays | stays |
//! | `held_for_review` | stays | stays | stays | stays | stays | stays | stays |
//!
//! `sent`: the payment company took the attempt. A closed or failed one that turns out to be there is closed once more. What
//! is paid never goes back (rule 17): only its refunds move.

mod settlement;

use chrono::{DateTime, Utc};
use siyu_kernel::{Currency, Fault};

pub use settlement::{Late, Mismatch, Settlement, settle};

use super::provider::Paid;
use crate::{
    claim::domain::PaymentId,
    order::domain::{CurrencyColumn, OrderId},
};

/// An attempt: the row.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Payment {
    /// The payment.
    pub id: PaymentId,
    /// The order.
    pub order_id: OrderId,
    /// Counts the attempts of the order, from 1.
    pub seq: i32,
    /// The key of the request that began it.
    pub request_id: String,
    /// The account with the payment company.
    pub account_code: String,
    /// The way that the buyer pays.
    pub method: Method,
    /// What the buyer reads on the bill.
    pub description: String,
    /// The buyer at the payment company.
    pub payer_id: String,
    /// The number that the payment company knows it by.
    pub out_trade_no: String,
    /// What is to be paid, in minor units.
    pub amount_minor: i64,
    /// In which currency.
    #[sqlx(try_from = "String")]
    pub currency: CurrencyColumn,
    /// How it stands.
    pub state: State,
    /// What the buyer's device needs, encoded.
    pub prepay: Vec<u8>,
    /// The payment company's own number.
    pub provider_no: String,
    /// What the payment company says was paid, in minor units.
    pub paid_minor: Option<i64>,
    /// In which currency.
    pub paid_currency: Option<String>,
    /// Why it failed or is held.
    pub problem: String,
    /// How often in a row the payment company was asked without an end.
    pub tries: i32,
    /// When it is asked next.
    pub due_at: Option<DateTime<Utc>>,
    /// When the payment company itself closes it.
    pub expires_at: DateTime<Utc>,
    /// When the buyer paid.
    pub succeeded_at: Option<DateTime<Utc>>,
    /// When it was begun.
    pub created_at: DateTime<Utc>,
}

/// The way that the buyer pays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Method {
    /// Scans a code.
    Native,
    /// Inside the payment company's own app.
    Jsapi,
    /// From another app.
    App,
    /// In cash, which is recorded.
    Cash,
    /// By a transfer, which is recorded.
    Transfer,
    /// By a card terminal of somebody else's, which is recorded.
    Pos,
}

/// How an attempt stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum State {
    /// Stored here.
    Created,
    /// The payment company has it.
    Pending,
    /// The payment company is asked to close it.
    Closing,
    /// Closed without a payment.
    Closed,
    /// The payment company did not take it.
    Failed,
    /// Paid, and kept.
    Succeeded,
    /// Paid, and refunded by itself.
    Surplus,
    /// Paid, but not what was asked for.
    HeldForReview,
}

/// What happens to an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// The payment company took it.
    Sent,
    /// The payment company did not take it.
    Refused,
    /// It is not to be paid any more.
    Close,
    /// The payment company closed it, or never had it.
    ProviderClosed,
    /// It is paid and settles its claim.
    Kept,
    /// It is paid and settles nothing.
    Surplus,
    /// It is paid, and what was paid does not fit.
    Mismatched,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Created,
        Self::Pending,
        Self::Closing,
        Self::Closed,
        Self::Failed,
        Self::Succeeded,
        Self::Surplus,
        Self::HeldForReview,
    ];

    /// The word in columns.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Pending => "pending",
            Self::Closing => "closing",
            Self::Closed => "closed",
            Self::Failed => "failed",
            Self::Succeeded => "succeeded",
            Self::Surplus => "surplus",
            Self::HeldForReview => "held_for_review",
        }
    }

    /// Where an event leads.
    #[must_use]
    pub const fn on(self, event: Event) -> Self {
        match (self, event) {
            (Self::Created, Event::Sent) => Self::Pending,
            (Self::Created, Event::Refused) => Self::Failed,
            (Self::Created | Self::Pending, Event::Close)
            | (Self::Closed | Self::Failed, Event::Sent) => Self::Closing,
            (Self::Created | Self::Pending | Self::Closing, Event::ProviderClosed) => Self::Closed,
            (
                Self::Created | Self::Pending | Self::Closing | Self::Closed | Self::Failed,
                Event::Kept,
            ) => Self::Succeeded,
            (
                Self::Created | Self::Pending | Self::Closing | Self::Closed | Self::Failed,
                Event::Surplus,
            ) => Self::Surplus,
            (
                Self::Created | Self::Pending | Self::Closing | Self::Closed | Self::Failed,
                Event::Mismatched,
            ) => Self::HeldForReview,
            (Self::Pending | Self::Closing, Event::Sent | Event::Refused)
            | (Self::Closing, Event::Close)
            | (
                Self::Closed | Self::Failed,
                Event::Refused | Event::Close | Event::ProviderClosed,
            )
            | (
                Self::Succeeded | Self::Surplus | Self::HeldForReview,
                Event::Sent
                | Event::Refused
                | Event::Close
                | Event::ProviderClosed
                | Event::Kept
                | Event::Surplus
                | Event::Mismatched,
            ) => self,
        }
    }

    /// Whether the payment company is still to be asked.
    pub const fn is_open(self) -> bool {
        match self {
            Self::Created | Self::Pending | Self::Closing => true,
            Self::Closed | Self::Failed | Self::Succeeded | Self::Surplus | Self::HeldForReview => {
                false
            }
        }
    }

    /// Whether money came.
    pub const fn is_paid(self) -> bool {
        match self {
            Self::Succeeded | Self::Surplus | Self::HeldForReview => true,
            Self::Created | Self::Pending | Self::Closing | Self::Closed | Self::Failed => false,
        }
    }
}

impl Event {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Sent,
        Self::Refused,
        Self::Close,
        Self::ProviderClosed,
        Self::Kept,
        Self::Surplus,
        Self::Mismatched,
    ];
}

/// Whether a claim that is being closed can end: nobody takes money for it any more.
pub fn all_ended(attempts: impl IntoIterator<Item = State>) -> bool {
    attempts.into_iter().all(|state| !state.is_open())
}

impl Payment {
    /// What does not fit in what the payment company says was paid to an account.
    pub fn mismatch(&self, paid: &Paid, payee: &str) -> Option<Mismatch> {
        if paid.payee != payee {
            Some(Mismatch::Payee)
        } else if paid.currency != self.currency.0 {
            Some(Mismatch::Currency)
        } else if paid.amount_minor != self.amount_minor {
            Some(Mismatch::Amount)
        } else {
            None
        }
    }

    /// Puts down what was paid.
    pub fn record(&mut self, paid: &Paid) {
        self.provider_no.clone_from(&paid.provider_no);
        self.paid_minor = Some(paid.amount_minor);
        self.paid_currency = Some(paid.currency.to_string());
        self.succeeded_at = Some(paid.paid_at);
    }

    /// Takes an event and says when the payment company is asked next.
    pub fn take(&mut self, event: Event, next: DateTime<Utc>) {
        let before = self.state;
        self.state = before.on(event);
        if self.state != before {
            self.tries = 0;
        }
        self.due_at = self.state.is_open().then_some(next);
    }

    /// The currency in which it is paid or was asked for.
    pub const fn currency(&self) -> Currency {
        self.currency.0
    }

    /// The currency of what was paid, which may be another one; where nothing was, that in which it was asked for.
    pub fn paid_in(&self) -> Result<Currency, Fault> {
        let paid = self.paid_currency.as_deref();
        paid.map_or_else(
            || Ok(self.currency()),
            |code| Currency::parse(code).map_err(Fault::internal),
        )
    }
}

/// The number of an attempt at the payment company: 26 characters of the order's id, a dash, the attempt. WeChat Pay takes 6
/// to 32 characters, digits, letters and `_-|*`.
pub fn out_trade_no(order: OrderId, seq: i32) -> String {
    let text = order.to_string();
    let body = text.split_once('_').map_or(text.as_str(), |(_, body)| body);
    format!("{body}-{seq}")
}

#[cfg(test)]
mod tests;
