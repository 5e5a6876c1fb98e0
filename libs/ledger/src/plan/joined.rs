//! Accounts that are joined to another, because their owners turned out to be one. Nothing in the journal is rewritten:
//! units go over by ordinary transfers, each lot with its own times.
//!
//! Invariant: between transfers, a joined account has nothing but what open holds reserve and what has expired. A transfer
//! that would take more from it first draws the missing units from the account that it is joined to; what a transfer puts
//! into it or sets free goes on to that account. So the end of an old hold, the reversal of an old transfer, and a transfer
//! of somebody who has not heard of the join all come out as if there were one account.

use chrono::{DateTime, Utc};
use siyu_kernel::Id;
use uuid::{Builder, Uuid};

use super::{apply, lots::Shift, working::Working};
use crate::{
    Account, AccountId, Action, Draw, Failure, Flags, Joined, LotId, LotTerms, Movement, Outcome,
    Transfer, TransferCode, TransferId,
};

/// Applies a transfer, with what joins make of it.
pub(super) fn apply(
    work: &mut Working,
    transfer: &Transfer,
    now: DateTime<Utc>,
) -> Result<Outcome, Failure> {
    let asked = as_known(work, transfer);
    let known = work.records.contains_key(&transfer.id);
    let Some(sides) = Sides::of(work, &asked).filter(|sides| !known && sides.any_joined(work))
    else {
        return apply::apply(work, &asked, now);
    };
    let mut flow = Flow { work, cause: transfer.id.uuid(), now };
    if let Some((amount, draw)) = sides.takes {
        flow.draw_over(sides.debit, amount, draw, sides.origin)?;
    }
    let outcome = apply::apply(flow.work, &asked, now)?;
    flow.pass_on(sides.debit)?;
    flow.pass_on(sides.credit)?;
    Ok(outcome)
}

/// Passes on what an account has that has just been joined.
pub(crate) fn join(
    work: &mut Working,
    account: AccountId,
    now: DateTime<Utc>,
) -> Result<(), Failure> {
    let cause = work.accounts[&account].joined.by.expect("it has just been joined");
    Flow { work, cause, now }.pass_on(account)
}

/// A transfer that was posted for an account before or after it was joined is the same one when it names the other account.
fn as_known(work: &Working, transfer: &Transfer) -> Transfer {
    let (Some(known), Action::Post(movement) | Action::Pending { movement, .. }) =
        (work.records.get(&transfer.id), transfer.action)
    else {
        return *transfer;
    };
    let one = |asked, stands| if end(work, asked) == end(work, stands) { stands } else { asked };
    let movement = Movement {
        debit: one(movement.debit, known.debit),
        credit: one(movement.credit, known.credit),
        ..movement
    };
    let action = match transfer.action {
        Action::Pending { expires_at, .. } => Action::Pending { movement, expires_at },
        Action::Post(_)
        | Action::PostPending { .. }
        | Action::VoidPending { .. }
        | Action::ExpirePending { .. }
        | Action::Reverse { .. } => Action::Post(movement),
    };
    Transfer { action, ..*transfer }
}

/// Where the units of an account end up.
fn end(work: &Working, mut account: AccountId) -> AccountId {
    while let Some(next) = work.accounts.get(&account).and_then(|a| a.joined.to) {
        account = next;
    }
    account
}

/// The accounts of a transfer, and what it takes that no hold has reserved.
#[derive(Debug, Clone, Copy)]
struct Sides {
    debit: AccountId,
    credit: AccountId,
    takes: Option<(i64, Draw)>,
    /// What it reverses.
    origin: Option<TransferId>,
}

impl Sides {
    fn of(work: &Working, transfer: &Transfer) -> Option<Self> {
        let of_movement = |movement: Movement| Self {
            debit: movement.debit,
            credit: movement.credit,
            takes: Some((movement.amount, movement.draw)),
            origin: None,
        };
        match transfer.action {
            Action::Post(movement) | Action::Pending { movement, .. } => {
                Some(of_movement(movement))
            }
            Action::PostPending { pending, .. }
            | Action::VoidPending { pending }
            | Action::ExpirePending { pending } => {
                let hold = work.records.get(&pending)?;
                Some(Self { debit: hold.debit, credit: hold.credit, takes: None, origin: None })
            }
            Action::Reverse { of, amount, draw, .. } => {
                let target = work.records.get(&of)?;
                let left = target.amount - work.reversed.get(&of).copied().unwrap_or(0);
                Some(Self {
                    debit: target.credit,
                    credit: target.debit,
                    takes: Some((amount.unwrap_or(left).min(left), draw)),
                    origin: Some(of),
                })
            }
        }
    }

    fn any_joined(&self, work: &Working) -> bool {
        let joined = |id| work.accounts.get(id).is_some_and(|a| a.joined.to.is_some());
        joined(&self.debit) || joined(&self.credit)
    }
}

/// What one transfer sets in motion between joined accounts.
struct Flow<'a> {
    work: &'a mut Working,
    /// The transfer, or the reference of the join: the ids of what follows from it come from here.
    cause: Uuid,
    now: DateTime<Utc>,
}

impl Flow<'_> {
    /// Gives a joined account what it is about to give away and does not have.
    fn draw_over(
        &mut self,
        account: AccountId,
        amount: i64,
        draw: Draw,
        origin: Option<TransferId>,
    ) -> Result<(), Failure> {
        let Some((account, from, by, code)) = self.joined(account) else { return Ok(()) };
        if matches!(draw, Draw::Lot(_)) {
            return Ok(());
        }
        let lots = account.flags.has(Flags::LOTS);
        let limited = account.flags.has(Flags::DEBITS_MUST_NOT_EXCEED_CREDITS);
        if !lots && !limited && draw != Draw::Covered {
            // It may owe for a moment.
            return Ok(());
        }
        let has = if lots { self.available(account.id) } else { account.unheld() };
        let mut lack = amount - has.max(0);
        if lack <= 0 {
            return Ok(());
        }
        // The lot that an old lot has become there gives first, as the old one would have.
        let origin = origin.map(|of| Id::from_uuid(mixed(by, of.uuid(), 0)));
        self.draw_over(from, lack, draw, origin)?;
        if lots {
            let sources = Shift::new(self.work, Id::from_uuid(self.cause), self.now)
                .sources(from, draw, origin)?;
            for lot in sources {
                let lot = self.work.lots[&lot];
                let part = lack.min(lot.free());
                if part > 0 {
                    let terms = LotTerms {
                        available_at: lot.terms.available_at.min(self.now),
                        expires_at: lot.terms.expires_at.filter(|end| *end > self.now),
                        ..lot.terms
                    };
                    let movement = Movement::new(from, account.id, part).lot(terms);
                    self.post(by, code, lot.id.uuid(), movement.draw(Draw::Lot(lot.id)))?;
                    lack -= part;
                }
            }
        }
        if lack > 0 {
            let movement = Movement::new(from, account.id, lack).draw(draw);
            self.post(by, code, from.uuid(), movement)?;
        }
        Ok(())
    }

    /// Passes on what a joined account has free, or settles what it owes.
    fn pass_on(&mut self, account: AccountId) -> Result<(), Failure> {
        let Some((account, to, by, code)) = self.joined(account) else { return Ok(()) };
        let owed = if account.flags.has(Flags::LOTS) {
            let mut free: Vec<_> = self
                .work
                .lots_of(account.id)
                .filter(|lot| lot.free() > 0 && !lot.is_overdraft() && !lot.is_expired(self.now))
                .copied()
                .collect();
            free.sort_by_key(crate::Lot::draw_order);
            for lot in free {
                let movement = Movement::new(account.id, to, lot.free()).lot(lot.terms);
                self.post(by, code, lot.id.uuid(), movement.draw(Draw::Lot(lot.id)))?;
            }
            let overdraft = LotId::from_uuid(account.id.uuid());
            self.work.lots.get(&overdraft).map_or(0, |lot| -lot.remaining)
        } else {
            if account.unheld() > 0 {
                let movement = Movement::new(account.id, to, account.unheld());
                self.post(by, code, account.id.uuid(), movement)?;
            }
            -account.balance() - account.credits_pending
        };
        if owed > 0 {
            let draw =
                if account.flags.has(Flags::LOTS) { Draw::Overdraft } else { Draw::ByLimits };
            self.draw_over(to, owed, draw, None)?;
            self.post(by, code, account.id.uuid(), Movement::new(to, account.id, owed).draw(draw))?;
        }
        self.pass_on(to)
    }

    fn joined(&self, account: AccountId) -> Option<(Account, AccountId, Uuid, TransferCode)> {
        let account = *self.work.accounts.get(&account)?;
        let Joined { to: Some(to), by: Some(by), code: Some(code) } = account.joined else {
            return None;
        };
        self.work.accounts.contains_key(&to).then_some((account, to, by, code))
    }

    fn available(&self, account: AccountId) -> i64 {
        let lots = self.work.lots_of(account);
        lots.filter(|lot| lot.is_overdraft() || lot.is_available(self.now))
            .map(crate::Lot::free)
            .sum()
    }

    fn post(
        &mut self,
        by: Uuid,
        code: TransferCode,
        about: Uuid,
        movement: Movement,
    ) -> Result<(), Failure> {
        let mut ids = (0..).map(|n| Id::from_uuid(mixed(self.cause, about, n)));
        let id = ids.find(|id| !self.work.records.contains_key(id)).expect("ids are endless");
        let transfer = Transfer::post(id, code, movement).reference(by);
        apply::apply(self.work, &transfer, self.now).map(|_| ())
    }
}

/// The id of the transfer that undoes what went over because of a join.
pub(crate) fn derive(transfer: Uuid, reference: Uuid) -> TransferId {
    Id::from_uuid(mixed(transfer, reference, u64::MAX))
}

/// An id for what follows from a transfer, the same whenever it is asked for: neither clock nor chance is at hand here. The
/// mixing is that of `SplitMix`; what goes in is as good as random already.
fn mixed(cause: Uuid, about: Uuid, turn: u64) -> Uuid {
    let (cause, about) = (cause.as_u64_pair(), about.as_u64_pair());
    let high = [cause.0 ^ turn, about.0, cause.1, about.1];
    let low = [about.1 ^ turn, cause.1, about.0, cause.0];
    let fold = |words: [u64; 4]| words.into_iter().fold(0, |sum, word| mix(sum ^ word));
    let bytes = Uuid::from_u64_pair(fold(high), fold(low)).into_bytes();
    Builder::from_custom_bytes(bytes).into_uuid()
}

const fn mix(x: u64) -> u64 {
    let x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}
