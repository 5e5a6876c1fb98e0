//! Transfers as they are asked for. What became of them: [`Record`](crate::Record) and [`Outcome`](crate::Outcome).

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use crate::{AccountId, LotId, LotTerms, TransferId};

/// Why something was transferred, in the numbering of the owning service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, sqlx::Type)]
#[sqlx(transparent)]
pub struct TransferCode(i16);

/// A transfer to post. Its id is its idempotency key: the same transfer again changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transfer {
    /// Its id, drawn by whoever wants the transfer and kept over retries.
    pub id: TransferId,
    /// What it does.
    pub action: Action,
    /// Whether it is bound to the next one of the slice: a chain takes effect as a whole or not at all, and a repeat that
    /// finds only a part of it in the journal is refused.
    pub linked: bool,
    /// Why.
    pub code: TransferCode,
    /// What it is about: an order, a refund, a campaign.
    pub reference: Option<Uuid>,
    /// A number for the owning service, for example a line of the order; the ledger does not look at it.
    pub user_data: i64,
}

/// What a transfer does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Moves units at once (single-phase).
    Post(Movement),
    /// Reserves units to be moved later (two-phase): a hold.
    Pending {
        /// What is to be moved.
        movement: Movement,
        /// From when on it can no longer be posted or voided, and the expiry job releases it.
        expires_at: Option<DateTime<Utc>>,
    },
    /// Moves what a pending transfer reserved; what is beyond `amount` is released.
    PostPending {
        /// The pending transfer.
        pending: TransferId,
        /// How much; all of it if not given.
        amount: Option<i64>,
    },
    /// Releases what a pending transfer reserved.
    VoidPending {
        /// The pending transfer.
        pending: TransferId,
    },
    /// Releases what a pending transfer reserved, once its time is over.
    ExpirePending {
        /// The pending transfer.
        pending: TransferId,
    },
    /// Moves back what an earlier transfer moved. All reversals of one transfer together never exceed it.
    Reverse {
        /// A posted or post-pending transfer.
        of: TransferId,
        /// How much; all that is left if not given.
        amount: Option<i64>,
        /// What it may draw on at the account that had received the units.
        draw: Draw,
        /// What becomes of units whose lot of origin has expired meanwhile.
        expired: Expired,
    },
}

/// Units on their way from one account to another of the same asset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Movement {
    /// Where they are taken from.
    pub debit: AccountId,
    /// Where they are put.
    pub credit: AccountId,
    /// How many, in the smallest unit; 1 or more.
    pub amount: i64,
    /// What may be drawn on at the debit account.
    pub draw: Draw,
    /// When they may be used at the credit account, if it keeps lots; at once and for ever if not given.
    pub lot: Option<LotTerms>,
}

/// What a debit may draw on. The limits of the account hold in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Draw {
    /// An account with lots: what is available. Other accounts: whatever their limits allow.
    #[default]
    ByLimits,
    /// What is available, also at an account that may owe: for a withdrawal from what a claw-back may drive negative.
    Covered,
    /// An account with lots: also what is not yet available, and then it owes. Later credits settle that first.
    Overdraft,
    /// That lot and no other, available or not: for its expiry.
    Lot(LotId),
}

/// What becomes of units that return to a lot that has expired meanwhile (rule 48).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expired {
    /// They return to it, of no use, and the expiry job takes them.
    Forfeit,
    /// They return as a new lot that can be used until then.
    Restore {
        /// The expiry of the new lot.
        until: DateTime<Utc>,
    },
}

impl TransferCode {
    /// Numbers a reason.
    ///
    /// # Panics
    /// When the number is not positive, so a bad constant does not compile.
    #[must_use]
    pub const fn new(number: i16) -> Self {
        assert!(number > 0, "codes are positive");
        Self(number)
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> i16 {
        self.0
    }
}

impl Expired {
    /// The usual grace: usable for so many more days.
    #[must_use]
    pub fn restore_days(now: DateTime<Utc>, days: u16) -> Self {
        Self::Restore { until: now + TimeDelta::days(i64::from(days)) }
    }
}

impl Movement {
    /// `amount` units from `debit` to `credit`.
    #[must_use]
    pub const fn new(debit: AccountId, credit: AccountId, amount: i64) -> Self {
        Self { debit, credit, amount, draw: Draw::ByLimits, lot: None }
    }

    /// Sets what it may draw on.
    #[must_use]
    pub const fn draw(self, draw: Draw) -> Self {
        Self { draw, ..self }
    }

    /// Sets when the units may be used at the credit account.
    #[must_use]
    pub const fn lot(self, terms: LotTerms) -> Self {
        Self { lot: Some(terms), ..self }
    }
}

impl Transfer {
    const fn new(id: TransferId, code: TransferCode, action: Action) -> Self {
        Self { id, action, linked: false, code, reference: None, user_data: 0 }
    }

    /// Moves units at once.
    #[must_use]
    pub const fn post(id: TransferId, code: TransferCode, movement: Movement) -> Self {
        Self::new(id, code, Action::Post(movement))
    }

    /// Reserves units until they are posted, voided or expired.
    #[must_use]
    pub const fn pending(
        id: TransferId,
        code: TransferCode,
        movement: Movement,
        expires_at: Option<DateTime<Utc>>,
    ) -> Self {
        Self::new(id, code, Action::Pending { movement, expires_at })
    }

    /// Moves all that a pending transfer reserved.
    #[must_use]
    pub const fn post_pending(id: TransferId, code: TransferCode, pending: TransferId) -> Self {
        Self::new(id, code, Action::PostPending { pending, amount: None })
    }

    /// Releases what a pending transfer reserved.
    #[must_use]
    pub const fn void_pending(id: TransferId, code: TransferCode, pending: TransferId) -> Self {
        Self::new(id, code, Action::VoidPending { pending })
    }

    /// Releases what a pending transfer reserved, once its time is over; for the expiry job.
    #[must_use]
    pub const fn expire_pending(id: TransferId, code: TransferCode, pending: TransferId) -> Self {
        Self::new(id, code, Action::ExpirePending { pending })
    }

    /// Moves back all that is left of an earlier transfer: exactly to the lots of origin, forfeiting what has expired,
    /// and only as far as the receiver's balance allows. Other policies: [`Action::Reverse`].
    #[must_use]
    pub const fn reverse(id: TransferId, code: TransferCode, of: TransferId) -> Self {
        let (draw, expired) = (Draw::ByLimits, Expired::Forfeit);
        Self::new(id, code, Action::Reverse { of, amount: None, draw, expired })
    }

    /// Posts or reverses only a part.
    ///
    /// # Panics
    /// When it neither posts a pending transfer nor reverses one: only those have a whole to take a part of.
    #[must_use]
    pub const fn part(mut self, part: i64) -> Self {
        let (Action::PostPending { amount, .. } | Action::Reverse { amount, .. }) =
            &mut self.action
        else {
            panic!("only post-pending and reverse take a part of something");
        };
        *amount = Some(part);
        self
    }

    /// Binds it to the next one of the slice.
    #[must_use]
    pub const fn linked(self) -> Self {
        Self { linked: true, ..self }
    }

    /// Says what it is about.
    #[must_use]
    pub const fn reference(self, reference: Uuid) -> Self {
        Self { reference: Some(reference), ..self }
    }

    /// Attaches a number.
    #[must_use]
    pub const fn user_data(self, user_data: i64) -> Self {
        Self { user_data, ..self }
    }
}
