//! Stored value in the ledger. Each card has four accounts: its two buckets, and the other side of each. Nothing is shared by
//! cards, so two cards never wait for each other; what an issuer owes is the sum over its cards.

use chrono::{DateTime, Utc};
use siyu_kernel::{Currency, Fault, Id};
use siyu_ledger::{
    AccountId, Asset, Draw, Failure, Flags, Lot, LotTerms, Movement, NewAccount, Outcome, Transfer,
    TransferCode, TransferId,
};
use siyu_pg::Tx;
use uuid::Uuid;

use super::{
    BONUS, Buckets, CardId, MOVED, OUTSIDE_BONUS, OUTSIDE_PRINCIPAL, PRINCIPAL, error::Error,
};
use crate::App;

/// The accounts of a card.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub struct Purse {
    /// What is owed of what was paid in.
    #[sqlx(rename = "principal_account_id")]
    pub principal: AccountId,
    /// What is owed of what was given on top.
    #[sqlx(rename = "bonus_account_id")]
    pub bonus: AccountId,
    /// The other side of the principal.
    #[sqlx(rename = "outside_principal_account_id")]
    pub outside_principal: AccountId,
    /// The other side of the bonus.
    #[sqlx(rename = "outside_bonus_account_id")]
    pub outside_bonus: AccountId,
}

/// What a card has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Balance {
    /// All of it, holds included, expired bonus not.
    pub total: Buckets,
    /// What can be spent now.
    pub available: Buckets,
}

/// What both buckets of one card are moved by.
#[derive(Debug, Clone, Copy, Default)]
pub struct Posted {
    /// The transfer of the principal, if there is any.
    pub principal: Option<TransferId>,
    /// The transfer of the bonus.
    pub bonus: Option<TransferId>,
}

/// Transfers that take effect together or not at all.
#[derive(Debug)]
pub struct Chain<'a> {
    app: &'a App,
    reference: Uuid,
    transfers: Vec<Transfer>,
}

/// Opens the accounts of a new card.
pub async fn open(
    app: &App,
    tx: &mut Tx,
    card: CardId,
    currency: Currency,
    now: DateTime<Utc>,
) -> Result<Purse, Fault> {
    let account = |code, flags| {
        let id = Id::from_uuid(app.ids.uuid());
        NewAccount::new(id, card.uuid(), code, Asset::from(currency)).flags(flags)
    };
    let accounts = [
        account(PRINCIPAL, Flags::DEBITS_MUST_NOT_EXCEED_CREDITS),
        account(BONUS, Flags::LOTS),
        account(OUTSIDE_PRINCIPAL, Flags::NONE),
        account(OUTSIDE_BONUS, Flags::NONE),
    ];
    let open = siyu_ledger::open(tx, &accounts, now).await?;
    Ok(Purse {
        principal: open[0].id,
        bonus: open[1].id,
        outside_principal: open[2].id,
        outside_bonus: open[3].id,
    })
}

/// What can be spent of each card now.
pub async fn available(
    tx: &mut Tx,
    purses: &[Purse],
    now: DateTime<Utc>,
) -> Result<Vec<Buckets>, Fault> {
    let ids: Vec<AccountId> = purses.iter().flat_map(|p| [p.principal, p.bonus]).collect();
    let amounts = siyu_ledger::available(tx, &ids, now).await?;
    Ok(amounts.chunks_exact(2).map(|pair| Buckets::new(pair[0], pair[1])).collect())
}

/// What each card has.
pub async fn balances(
    tx: &mut Tx,
    purses: &[Purse],
    now: DateTime<Utc>,
) -> Result<Vec<Balance>, Fault> {
    let ids: Vec<AccountId> = purses.iter().flat_map(|p| [p.principal, p.bonus]).collect();
    let accounts = siyu_ledger::balances(tx, &ids).await?;
    let available = available(tx, purses, now).await?;
    let pairs = accounts.chunks_exact(2).zip(available);
    Ok(pairs
        .map(|(pair, available)| Balance {
            total: Buckets::new(pair[0].balance(), available.bonus + pair[1].debits_pending),
            available,
        })
        .collect())
}

impl<'a> Chain<'a> {
    /// A chain without links; all of them refer to one thing.
    pub fn about(app: &'a App, reference: Uuid) -> Self {
        Self { app, reference, transfers: Vec::new() }
    }

    /// Takes from both buckets.
    pub fn take(&mut self, code: TransferCode, purse: &Purse, amount: Buckets) -> Posted {
        Posted {
            principal: self.post(code, purse.principal, purse.outside_principal, amount.principal),
            bonus: self.post(code, purse.bonus, purse.outside_bonus, amount.bonus),
        }
    }

    /// Puts into both buckets; the bonus as a lot with its own times.
    pub fn put(
        &mut self,
        code: TransferCode,
        purse: &Purse,
        amount: Buckets,
        bonus: LotTerms,
    ) -> Posted {
        let into = Movement::new(purse.outside_bonus, purse.bonus, amount.bonus).lot(bonus);
        Posted {
            principal: self.post(code, purse.outside_principal, purse.principal, amount.principal),
            bonus: self.link(|id| Transfer::post(id, code, into), amount.bonus),
        }
    }

    /// Reserves of both buckets; without an end until somebody ends it.
    pub fn hold(
        &mut self,
        code: TransferCode,
        purse: &Purse,
        amount: Buckets,
        expires_at: Option<DateTime<Utc>>,
    ) -> Posted {
        let principal = Movement::new(purse.principal, purse.outside_principal, amount.principal);
        let bonus = Movement::new(purse.bonus, purse.outside_bonus, amount.bonus);
        let mut hold = |movement: Movement| {
            self.link(|id| Transfer::pending(id, code, movement, expires_at), movement.amount)
        };
        Posted { principal: hold(principal), bonus: hold(bonus) }
    }

    /// Takes an amount of a hold and frees the rest of it.
    pub fn capture(
        &mut self,
        code: TransferCode,
        hold: Option<TransferId>,
        amount: i64,
    ) -> Option<TransferId> {
        let hold = hold?;
        if amount == 0 {
            self.release(hold);
            return None;
        }
        self.link(|id| Transfer::post_pending(id, code, hold).part(amount), amount)
    }

    /// Frees a hold.
    pub fn release(&mut self, hold: TransferId) {
        self.link(|id| Transfer::void_pending(id, super::RELEASED, hold), 1);
    }

    /// Moves a part of an earlier transfer back. A bonus that has expired there meanwhile comes back as a new lot.
    pub fn reverse(
        &mut self,
        code: TransferCode,
        of: Option<TransferId>,
        amount: i64,
        expired: siyu_ledger::Expired,
    ) {
        let Some(of) = of else { return };
        let action = siyu_ledger::Action::Reverse {
            of,
            amount: Some(amount),
            draw: Draw::ByLimits,
            expired,
        };
        self.link(|id| Transfer { action, ..Transfer::reverse(id, code, of) }, amount);
    }

    /// Moves principal, and bonus lot by lot, each with its own times, to another card. The lots are those of the card as it
    /// stands; they must cover the bonus.
    pub fn give(
        &mut self,
        from: &Purse,
        to: &Purse,
        amount: Buckets,
        lots: &[Lot],
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        self.post(MOVED, from.principal, to.principal, amount.principal);
        let mut usable: Vec<&Lot> =
            lots.iter().filter(|lot| lot.is_available(now) && lot.free() > 0).collect();
        usable.sort_by_key(|lot| {
            (lot.terms.expires_at.is_none(), lot.terms.expires_at, lot.terms.earned_at, lot.id)
        });
        let mut left = amount.bonus;
        for lot in usable {
            let part = left.min(lot.free());
            left -= part;
            let movement = Movement::new(from.bonus, to.bonus, part);
            let movement = movement.draw(Draw::Lot(lot.id)).lot(lot.terms);
            self.link(|id| Transfer::post(id, MOVED, movement), part);
        }
        if left > 0 { Err(Error::InsufficientBalance) } else { Ok(()) }
    }

    /// Moves units from one account to another.
    pub fn post(
        &mut self,
        code: TransferCode,
        debit: AccountId,
        credit: AccountId,
        amount: i64,
    ) -> Option<TransferId> {
        self.link(|id| Transfer::post(id, code, Movement::new(debit, credit, amount)), amount)
    }

    /// Posts all of them.
    pub async fn run(mut self, tx: &mut Tx, now: DateTime<Utc>) -> Result<(), Fault> {
        let Some(last) = self.transfers.len().checked_sub(1) else { return Ok(()) };
        self.transfers[..last].iter_mut().for_each(|transfer| transfer.linked = true);
        let failure = |outcome| match outcome {
            Outcome::Failed(Failure::LinkedFailed) | Outcome::Created(_) | Outcome::Exists(_) => {
                None
            }
            Outcome::Failed(failure) => Some(failure),
        };
        let outcomes = siyu_ledger::post(tx, &self.transfers, now).await?;
        match outcomes.into_iter().find_map(failure) {
            Some(failure) => Err(failure.into()),
            None => Ok(()),
        }
    }

    /// Adds a transfer, unless it moves nothing.
    fn link(
        &mut self,
        make: impl FnOnce(TransferId) -> Transfer,
        amount: i64,
    ) -> Option<TransferId> {
        if amount == 0 {
            return None;
        }
        let id = Id::from_uuid(self.app.ids.uuid());
        self.transfers.push(make(id).reference(self.reference));
        Some(id)
    }
}
