//! What is held, who gets it and where a refund takes from. Pure.
//!
//! | a guarantee is | when |
//! | --- | --- |
//! | held | something is held |
//! | released | nothing is held, and something was released |
//! | refunded | nothing is held, and nothing was released |
//!
//! It is released from `releasable_at` on, while no dispute is open (rule 30): at once when the buyer confirms or the time
//! to confirm is over, a day after goods were picked up.

use chrono::{DateTime, TimeDelta, Utc};
use siyu_grpc::parse::timestamp;
use siyu_proto::order::v1 as proto;

use super::{
    Error,
    books::{Account, Books, Part},
    dispute::Dispute,
};
use crate::{
    limits,
    order::domain::{CurrencyColumn, OrderId},
};

#[cfg(test)]
mod tests;

/// What is held of an order: the row.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Guarantee {
    /// The order.
    pub order_id: OrderId,
    /// Of every amount.
    #[sqlx(try_from = "String")]
    pub currency: CurrencyColumn,
    /// What was paid.
    pub paid_minor: i64,
    /// What is held now.
    pub held_minor: i64,
    /// What was released, commission and fee included.
    pub released_minor: i64,
    /// What was taken for refunds, less what came back.
    pub refunded_minor: i64,
    /// The part of it that was advanced.
    pub advanced_minor: i64,
    /// What a release sets aside for commission.
    pub commission_bp: i32,
    /// What a release takes for the platform.
    pub fee_bp: i32,
    /// How often it was released.
    pub releases: i32,
    /// A dispute is open.
    pub disputed: bool,
    /// From when on it is released.
    pub releasable_at: Option<DateTime<Utc>>,
    /// When it was released last.
    pub released_at: Option<DateTime<Utc>>,
    /// When it was paid.
    pub created_at: DateTime<Utc>,
}

/// What is taken off a release, in basis points of what is released; agreed when the order is paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Terms {
    /// For those who brought the customer.
    pub commission_bp: i32,
    /// For the platform.
    pub fee_bp: i32,
}

/// How a buyer came to have everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Completion {
    /// The buyer said so.
    Confirmed,
    /// The time to say so is over.
    AutoConfirmed,
    /// A pick-up code was verified.
    PickedUp,
}

/// Who gets what of a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Release {
    /// Commission payable: floored, the rest is the merchant's.
    pub commission: i64,
    /// The platform: floored, too.
    pub fee: i64,
    /// What the merchant owed.
    pub recovered: i64,
    /// The merchant.
    pub available: i64,
}

impl Terms {
    /// Refuses rates that take more than there is.
    pub const fn check(self) -> Result<Self, Error> {
        let all = self.commission_bp as i64 + self.fee_bp as i64;
        if self.commission_bp < 0 || self.fee_bp < 0 || all > 10_000 {
            return Err(Error::Rates);
        }
        Ok(self)
    }
}

impl Completion {
    /// From when on what is held is released (reference §3.8).
    pub fn releasable_at(self, at: DateTime<Utc>) -> DateTime<Utc> {
        match self {
            Self::Confirmed | Self::AutoConfirmed => at,
            Self::PickedUp => at + TimeDelta::hours(limits::PICKED_UP_RELEASE_HOURS),
        }
    }
}

impl Release {
    /// Divides what is held of an order of a merchant who owes so much.
    pub fn of(held: i64, owed: i64, terms: Terms) -> Self {
        let share = |bp: i32| {
            let exact = i128::from(held) * i128::from(bp) / 10_000;
            i64::try_from(exact).expect("a share is not larger than the whole")
        };
        let (commission, fee) = (share(terms.commission_bp), share(terms.fee_bp));
        let rest = held - commission - fee;
        let recovered = rest.min(owed);
        Self { commission, fee, recovered, available: rest - recovered }
    }
}

impl Guarantee {
    /// The books of the order.
    pub const fn books(&self) -> Books {
        Books::of(self.order_id.uuid(), self.currency.0)
    }

    /// What is taken off a release.
    pub const fn terms(&self) -> Terms {
        Terms { commission_bp: self.commission_bp, fee_bp: self.fee_bp }
    }

    /// What was paid and did not go back.
    pub const fn left_minor(&self) -> i64 {
        self.paid_minor - self.refunded_minor
    }

    /// Whether it is released at an instant.
    pub fn is_due(&self, now: DateTime<Utc>) -> bool {
        self.held_minor > 0 && !self.disputed && self.releasable_at.is_some_and(|at| at <= now)
    }

    /// Everything held is released.
    pub const fn release(&mut self, now: DateTime<Utc>) {
        self.released_minor += self.held_minor;
        self.held_minor = 0;
        self.releases += 1;
        self.released_at = Some(now);
    }

    /// A refund takes parts of it.
    pub fn refund(&mut self, parts: &[Part]) {
        for (account, amount) in parts {
            self.shift(*account, -amount);
        }
    }

    /// A part comes back to an account, or goes from it.
    pub fn shift(&mut self, account: Account, amount: i64) {
        self.refunded_minor -= amount;
        match account {
            Account::Held => self.held_minor += amount,
            Account::Advance => self.advanced_minor -= amount,
            Account::BuyerClearing
            | Account::RefundClearing
            | Account::Suspense
            | Account::Available(_)
            | Account::CommissionPayable(_)
            | Account::PlatformFee(_) => {}
        }
    }

    /// The state in the contract.
    pub const fn state(&self) -> proto::GuaranteeState {
        match (self.held_minor, self.released_minor) {
            (1.., _) => proto::GuaranteeState::Held,
            (_, 1..) => proto::GuaranteeState::Released,
            (..1, ..1) => proto::GuaranteeState::Refunded,
        }
    }

    /// In the contract.
    pub fn show(&self, dispute: Option<&Dispute>) -> proto::Guarantee {
        proto::Guarantee {
            order_id: self.order_id.to_string(),
            state: self.state().into(),
            currency_code: self.currency.0.code().to_owned(),
            paid_minor: self.paid_minor,
            held_minor: self.held_minor,
            released_minor: self.released_minor,
            refunded_minor: self.refunded_minor,
            advanced_minor: self.advanced_minor,
            commission_bp: self.commission_bp,
            fee_bp: self.fee_bp,
            dispute: dispute.map(|dispute| dispute.show(self.currency.0)),
            releasable_time: self.releasable_at.map(timestamp),
            release_time: self.released_at.map(timestamp),
            create_time: Some(timestamp(self.created_at)),
        }
    }
}

/// Refuses an amount that is not left of what was paid; 0 stands for all of it.
pub fn disputed_amount(guarantee: &Guarantee, asked: i64) -> Result<i64, Error> {
    match (asked, guarantee.left_minor()) {
        (_, 0) => Err(Error::NothingToDispute),
        (0, left) => Ok(left),
        (asked, left) if asked > left => Err(Error::ExceedsPaid),
        (asked, _) => Ok(asked),
    }
}
