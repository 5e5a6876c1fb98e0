//! A payment and its states. Pure.
//!
//! | payment | capture | void | expire | refund |
//! | --- | --- | --- | --- | --- |
//! | held | → paid | → voided | → expired, once its time is over | refused |
//! | paid | refused | refused | refused | stays, never beyond what was taken |
//! | voided | refused | refused | refused | refused |
//! | expired | refused | refused | refused | refused |

use chrono::{DateTime, Utc};
use siyu_grpc::parse::timestamp;
use siyu_kernel::{Currency, Id, kind};
use siyu_ledger::TransferId;
use siyu_proto::member::v1 as proto;

use crate::{
    person::PersonId,
    value::{Buckets, CardId, Order, StoreId, buckets, error::Error},
};

/// The id of a payment.
pub type PaymentId = Id<kind::ValuePayment>;

/// A payment: the row.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Payment {
    /// The id.
    pub id: PaymentId,
    /// How it stands.
    pub state: State,
    /// Which bucket it took from.
    pub consumption_order: Order,
    /// Who paid.
    pub person_id: Option<PersonId>,
    /// Where.
    pub store_id: Option<StoreId>,
    /// The order as the caller knows it.
    pub order_reference: String,
    /// What was asked for.
    pub amount_minor: i64,
    /// What was taken.
    pub captured_minor: i64,
    /// What was given back.
    pub refunded_minor: i64,
    /// Until when a hold is good.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was taken.
    pub paid_at: Option<DateTime<Utc>>,
}

/// What one card gave: the row.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Part {
    /// The payment.
    pub payment_id: PaymentId,
    /// Counts from 0.
    pub position: i32,
    /// The card.
    pub card_id: CardId,
    /// From the principal.
    pub principal_minor: i64,
    /// From the bonus.
    pub bonus_minor: i64,
    /// Given back of the principal.
    pub refunded_principal_minor: i64,
    /// Given back of the bonus.
    pub refunded_bonus_minor: i64,
    /// The transfer that reserved, then the one that took the principal.
    pub principal_transfer_id: Option<TransferId>,
    /// The same of the bonus.
    pub bonus_transfer_id: Option<TransferId>,
}

/// How a payment stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum State {
    /// Reserved.
    Held,
    /// Taken.
    Paid,
    /// The hold was freed.
    Voided,
    /// The hold's time was over.
    Expired,
}

impl State {
    /// The word in columns.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Paid => "paid",
            Self::Voided => "voided",
            Self::Expired => "expired",
        }
    }
}

impl Payment {
    /// What a capture of an amount, or of all of it, takes from each part.
    pub fn capture(
        &self,
        parts: &[Part],
        amount: i64,
        now: DateTime<Utc>,
    ) -> Result<Vec<Buckets>, Error> {
        self.is_open(now)?;
        let amount = if amount == 0 { self.amount_minor } else { amount };
        if amount > self.amount_minor {
            return Err(Error::ExceedsHold);
        }
        Ok(buckets::share(amount, &parts.iter().map(Part::given).collect::<Vec<_>>()))
    }

    /// Whether the hold can be captured or voided.
    pub fn is_open(&self, now: DateTime<Utc>) -> Result<(), Error> {
        match self.state {
            State::Held if self.is_over(now) => Err(Error::HoldExpired),
            State::Held => Ok(()),
            State::Paid => Err(Error::HoldPosted),
            State::Voided => Err(Error::HoldVoided),
            State::Expired => Err(Error::HoldExpired),
        }
    }

    /// Whether the time of the hold is over.
    pub fn is_over(&self, now: DateTime<Utc>) -> bool {
        self.expires_at.is_some_and(|end| end <= now)
    }

    /// What a refund of an amount, or of all that is left, gives back to each part (rules 6, 34).
    pub fn refund(&self, parts: &[Part], amount: i64) -> Result<Vec<Buckets>, Error> {
        match self.state {
            State::Paid => {}
            State::Held | State::Voided | State::Expired => return Err(Error::NotPaid),
        }
        let left = self.captured_minor - self.refunded_minor;
        let amount = if amount == 0 { left } else { amount };
        if amount == 0 || amount > left {
            return Err(Error::ExceedsOriginal);
        }
        let given = parts.iter().map(|part| part.given().minus(part.refunded()));
        Ok(buckets::share(amount, &given.collect::<Vec<_>>()))
    }
}

impl Part {
    /// What the card gave.
    pub const fn given(&self) -> Buckets {
        Buckets::new(self.principal_minor, self.bonus_minor)
    }

    /// What it got back.
    pub const fn refunded(&self) -> Buckets {
        Buckets::new(self.refunded_principal_minor, self.refunded_bonus_minor)
    }
}

/// A payment in the words of the contract.
pub fn show(payment: &Payment, parts: &[Part], currency: Currency) -> proto::ValuePayment {
    let state = match payment.state {
        State::Held => proto::ValuePaymentState::Held,
        State::Paid => proto::ValuePaymentState::Paid,
        State::Voided => proto::ValuePaymentState::Voided,
        State::Expired => proto::ValuePaymentState::Expired,
    };
    let part = |part: &Part| proto::ValuePaymentPart {
        card_id: part.card_id.to_string(),
        principal_minor: part.principal_minor,
        bonus_minor: part.bonus_minor,
        refunded_principal_minor: part.refunded_principal_minor,
        refunded_bonus_minor: part.refunded_bonus_minor,
    };
    proto::ValuePayment {
        id: payment.id.to_string(),
        state: state.into(),
        consumption_order: proto::ConsumptionOrder::from(payment.consumption_order).into(),
        person_id: payment.person_id.map(|id| id.to_string()).unwrap_or_default(),
        order_reference: payment.order_reference.clone(),
        store_id: payment.store_id.map(|id| id.to_string()).unwrap_or_default(),
        currency_code: currency.code().to_owned(),
        amount_minor: payment.amount_minor,
        captured_minor: payment.captured_minor,
        refunded_minor: payment.refunded_minor,
        parts: parts.iter().map(part).collect(),
        expire_time: payment.expires_at.map(timestamp),
        create_time: Some(timestamp(payment.created_at)),
        pay_time: payment.paid_at.map(timestamp),
    }
}
