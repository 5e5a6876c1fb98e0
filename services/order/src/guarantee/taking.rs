//! Where refunds and disputes take from, and what an open dispute holds meanwhile. Pure.

use siyu_ledger::{Transfer, TransferId};
use uuid::Uuid;

use super::{
    books::{Account, Books, Part},
    dispute::Dispute,
};

/// What refunds and disputes can take of, in the order of [`Books::sources`], and what is owed already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing(pub Vec<Part>);

/// What a dispute holds of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hold {
    /// The transfer that holds it.
    pub id: TransferId,
    /// The account.
    pub account: Account,
    /// How much.
    pub amount: i64,
}

/// What an open dispute holds, and how often it has held something.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Holds {
    /// What it holds now.
    pub open: Vec<Hold>,
    /// How often it has held something.
    pub made: usize,
}

/// A refund as it is posted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taking {
    /// Where it takes from.
    pub parts: Vec<Part>,
    /// The transfers, those of an open dispute included.
    pub transfers: Vec<Transfer>,
    /// What the dispute holds afterwards.
    pub frozen_minor: i64,
}

impl Standing {
    /// What can be taken of an account.
    pub fn amount(&self, account: Account) -> i64 {
        self.0.iter().filter(|part| part.0 == account).map(|part| part.1).sum()
    }

    /// With what a dispute no longer holds.
    fn freed(mut self, holds: &[Hold]) -> Self {
        for part in &mut self.0 {
            part.1 += holds.iter().filter(|h| h.account == part.0).map(|h| h.amount).sum::<i64>();
        }
        self
    }

    /// Takes as much as there is of what is wanted, account by account.
    fn take(&mut self, wanted: i64) -> Vec<Part> {
        let (mut left, mut taken) = (wanted, Vec::new());
        for (account, amount) in &mut self.0 {
            let part = left.min(*amount).max(0);
            if part > 0 {
                (left, *amount) = (left - part, *amount - part);
                taken.push((*account, part));
            }
        }
        taken
    }
}

/// Takes a refund: of what is held, then of what is the merchant's; what is still short is advanced. An open dispute gives
/// way, for it is what the dispute was about, and holds what is left of it anew.
pub fn take_refund(
    books: &Books,
    mut standing: Standing,
    dispute: Option<(&Dispute, &Holds)>,
    refund: Uuid,
    amount: i64,
) -> Taking {
    let mut transfers = Vec::new();
    if let Some((dispute, holds)) = dispute {
        let ids: Vec<TransferId> = holds.open.iter().map(|hold| hold.id).collect();
        transfers.extend(books.unfreeze(dispute.id.uuid(), &ids));
        standing = standing.freed(&holds.open);
    }
    let mut parts = standing.take(amount);
    let short = amount - parts.iter().map(|part| part.1).sum::<i64>();
    if short > 0 {
        parts.push((Account::Advance, short));
    }
    transfers.extend(books.on_refund(refund, &parts));
    let mut frozen_minor = 0;
    if let Some((dispute, holds)) = dispute {
        let again = standing.take((dispute.amount_minor - amount).max(0));
        frozen_minor = again.iter().map(|part| part.1).sum();
        transfers.extend(books.freeze(dispute.id.uuid(), holds.made, &again));
    }
    Taking { parts, transfers, frozen_minor }
}

/// Freezes what there is of a disputed amount; gives the transfers, and how much they freeze.
pub fn take_dispute(
    books: &Books,
    mut standing: Standing,
    dispute: Uuid,
    amount: i64,
) -> (Vec<Transfer>, i64) {
    let parts = standing.take(amount);
    let frozen = parts.iter().map(|part| part.1).sum();
    (books.freeze(dispute, 0, &parts), frozen)
}
