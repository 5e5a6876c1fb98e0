//! One transfer: the checks in their order, the counters, the lots, the record.

use chrono::{DateTime, Utc};

use super::{
    counters::{self, Step},
    lots::Shift,
    working::{Hold, HoldState, Working},
};
use crate::{
    Account, AccountId, Action, Draw, Expired, Failure, Flags, Kind, LotTerms, Movement, Outcome,
    Posted, Record, Transfer, TransferId,
    record::{micros, micros_of},
};

pub(super) fn apply(
    work: &mut Working,
    transfer: &Transfer,
    now: DateTime<Utc>,
) -> Result<Outcome, Failure> {
    if let Some(known) = work.records.get(&transfer.id) {
        return match known.difference(transfer) {
            None => Ok(Outcome::Exists(Posted::from(known))),
            Some(field) => Err(Failure::ExistsWithDifferent { field }),
        };
    }
    let mut op = Op { work, transfer, now: micros(now) };
    match transfer.action {
        Action::Post(movement) => op.post(&movement),
        Action::Pending { movement, expires_at } => op.hold(&movement, expires_at.map(micros)),
        Action::PostPending { pending, amount } => op.post_pending(pending, amount),
        Action::VoidPending { pending } => op.release(pending, Kind::VoidPending),
        Action::ExpirePending { pending } => op.release(pending, Kind::ExpirePending),
        Action::Reverse { of, amount, draw, expired } => op.reverse(of, amount, draw, expired),
    }
}

struct Op<'a> {
    work: &'a mut Working,
    transfer: &'a Transfer,
    now: DateTime<Utc>,
}

/// What a record says beyond the transfer's own fields.
#[derive(Debug, Clone, Copy)]
struct Facts {
    kind: Kind,
    amount: i64,
    target: Option<TransferId>,
    draw: Draw,
    lot: Option<LotTerms>,
    until: Option<DateTime<Utc>>,
}

impl Op<'_> {
    fn post(&mut self, movement: &Movement) -> Result<Outcome, Failure> {
        let (debit, credit) = self.sides(movement)?;
        check_covered(&debit, movement)?;
        let after = (
            counters::debit(&debit, movement.amount, Step::Post)?,
            counters::credit(&credit, movement.amount, Step::Post)?,
        );
        let mut shift = Shift::new(self.work, self.transfer.id, self.now);
        if debit.flags.has(Flags::LOTS) {
            shift.draw(debit.id, movement.amount, movement.draw, None)?;
        }
        if credit.flags.has(Flags::LOTS) {
            shift.feed(credit.id, movement.amount, movement.lot.map(micros_of))?;
        }
        let moves = shift.moves;
        Ok(self.record(after, Facts::of(Kind::Post, movement, None), moves))
    }

    fn hold(
        &mut self,
        movement: &Movement,
        expires_at: Option<DateTime<Utc>>,
    ) -> Result<Outcome, Failure> {
        let (debit, credit) = self.sides(movement)?;
        if expires_at.is_some_and(|end| end <= self.now) {
            return Err(Failure::HoldTooShort);
        }
        check_covered(&debit, movement)?;
        let after = (
            counters::debit(&debit, movement.amount, Step::Reserve)?,
            counters::credit(&credit, movement.amount, Step::Reserve)?,
        );
        let mut shift = Shift::new(self.work, self.transfer.id, self.now);
        if debit.flags.has(Flags::LOTS) {
            shift.hold(debit.id, movement.amount, movement.draw)?;
        }
        let moves = shift.moves;
        let hold = Hold { state: HoldState::Open, expires_at, ended_by: None };
        self.work.put_hold(self.transfer.id, hold);
        Ok(self.record(after, Facts::of(Kind::Pending, movement, expires_at), moves))
    }

    fn post_pending(
        &mut self,
        pending: TransferId,
        amount: Option<i64>,
    ) -> Result<Outcome, Failure> {
        let (target, hold) = self.open_hold(pending)?;
        if hold.is_over(self.now) {
            return Err(Failure::HoldExpired);
        }
        let amount = amount.unwrap_or(target.amount);
        if amount <= 0 {
            return Err(Failure::AmountNotPositive);
        }
        if amount > target.amount {
            return Err(Failure::ExceedsHold);
        }
        let step = Step::End { reserved: target.amount };
        let (debit, credit) = (self.account(target.debit)?, self.account(target.credit)?);
        let after =
            (counters::debit(&debit, amount, step)?, counters::credit(&credit, amount, step)?);
        let mut shift = Shift::new(self.work, self.transfer.id, self.now);
        if debit.flags.has(Flags::LOTS) {
            shift.end_hold(pending, amount);
        }
        if credit.flags.has(Flags::LOTS) {
            shift.feed(credit.id, amount, target.lot)?;
        }
        let moves = shift.moves;
        self.end(pending, hold, HoldState::Posted);
        Ok(self.record(after, Facts::about(Kind::PostPending, amount, pending), moves))
    }

    fn release(&mut self, pending: TransferId, kind: Kind) -> Result<Outcome, Failure> {
        let (target, hold) = self.open_hold(pending)?;
        let state = match (kind == Kind::ExpirePending, hold.is_over(self.now)) {
            (true, true) => HoldState::Expired,
            (true, false) => return Err(Failure::HoldNotExpired),
            (false, true) => return Err(Failure::HoldExpired),
            (false, false) => HoldState::Voided,
        };
        let step = Step::End { reserved: target.amount };
        let (debit, credit) = (self.account(target.debit)?, self.account(target.credit)?);
        let after = (counters::debit(&debit, 0, step)?, counters::credit(&credit, 0, step)?);
        let mut shift = Shift::new(self.work, self.transfer.id, self.now);
        if debit.flags.has(Flags::LOTS) {
            shift.end_hold(pending, 0);
        }
        let moves = shift.moves;
        self.end(pending, hold, state);
        Ok(self.record(after, Facts::about(kind, target.amount, pending), moves))
    }

    fn reverse(
        &mut self,
        of: TransferId,
        amount: Option<i64>,
        draw: Draw,
        expired: Expired,
    ) -> Result<Outcome, Failure> {
        let target = *self.work.records.get(&of).ok_or(Failure::TargetNotFound)?;
        if !matches!(target.kind, Kind::Post | Kind::PostPending) {
            return Err(Failure::TargetOfOtherKind);
        }
        let before = self.work.reversed.get(&of).copied().unwrap_or(0);
        let left = target.amount - before;
        let amount = amount.unwrap_or(left);
        if left == 0 || amount > left {
            return Err(Failure::ExceedsOriginal);
        }
        let movement = Movement::new(target.credit, target.debit, amount).draw(draw);
        let (debit, credit) = self.sides(&movement)?;
        check_covered(&debit, &movement)?;
        let after = (
            counters::debit(&debit, amount, Step::Post)?,
            counters::credit(&credit, amount, Step::Post)?,
        );
        let mut shift = Shift::new(self.work, self.transfer.id, self.now);
        if debit.flags.has(Flags::LOTS) {
            shift.draw(debit.id, amount, draw, Some(of))?;
        }
        if credit.flags.has(Flags::LOTS) {
            shift.give_back(credit.id, of, before, amount, expired);
        }
        let moves = shift.moves;
        self.work.put_reversed(of, before + amount);
        let facts =
            Facts { draw, until: expired.until(), ..Facts::about(Kind::Reverse, amount, of) };
        Ok(self.record(after, facts, moves))
    }

    /// Both accounts of a movement, if units may go from one to the other.
    fn sides(&self, movement: &Movement) -> Result<(Account, Account), Failure> {
        if movement.amount <= 0 {
            return Err(Failure::AmountNotPositive);
        }
        if movement.debit == movement.credit {
            return Err(Failure::SameAccount);
        }
        let find = |id| self.work.accounts.get(&id).copied();
        let debit = find(movement.debit).ok_or(Failure::DebitAccountNotFound)?;
        let credit = find(movement.credit).ok_or(Failure::CreditAccountNotFound)?;
        if debit.key.asset != credit.key.asset {
            return Err(Failure::AssetsDiffer);
        }
        let names_lot = matches!(movement.draw, Draw::Lot(_)) && !debit.flags.has(Flags::LOTS);
        if names_lot || movement.lot.is_some() && !credit.flags.has(Flags::LOTS) {
            return Err(Failure::NoLots);
        }
        Ok((debit, credit))
    }

    /// A target that somebody committed while the accounts were being locked is as if it came too late.
    fn account(&self, id: AccountId) -> Result<Account, Failure> {
        self.work.accounts.get(&id).copied().ok_or(Failure::TargetNotFound)
    }

    fn open_hold(&self, pending: TransferId) -> Result<(Record, Hold), Failure> {
        let target = *self.work.records.get(&pending).ok_or(Failure::TargetNotFound)?;
        let hold = *self.work.holds.get(&pending).ok_or(Failure::TargetOfOtherKind)?;
        match hold.state {
            HoldState::Open => Ok((target, hold)),
            HoldState::Posted => Err(Failure::AlreadyPosted),
            HoldState::Voided => Err(Failure::AlreadyVoided),
            HoldState::Expired => Err(Failure::HoldExpired),
        }
    }

    fn end(&mut self, pending: TransferId, hold: Hold, state: HoldState) {
        self.work.put_hold(pending, Hold { state, ended_by: Some(self.transfer.id), ..hold });
    }

    fn record(
        &mut self,
        (debit, credit): (Account, Account),
        facts: Facts,
        moves: Vec<crate::Move>,
    ) -> Outcome {
        let record = Record {
            id: self.transfer.id,
            kind: facts.kind,
            debit: debit.id,
            credit: credit.id,
            amount: facts.amount,
            target: facts.target,
            code: self.transfer.code,
            reference: self.transfer.reference,
            user_data: self.transfer.user_data,
            draw: facts.draw,
            lot: facts.lot,
            until: facts.until,
            debit_entry: debit.entries,
            credit_entry: credit.entries,
            debit_balance: debit.balance(),
            credit_balance: credit.balance(),
            posted_at: self.now,
        };
        self.work.put_account(debit);
        self.work.put_account(credit);
        self.work.create(record, moves);
        Outcome::Created(Posted::from(&record))
    }
}

impl Facts {
    fn of(kind: Kind, movement: &Movement, until: Option<DateTime<Utc>>) -> Self {
        let lot = movement.lot.map(micros_of);
        Self { kind, amount: movement.amount, target: None, draw: movement.draw, lot, until }
    }

    const fn about(kind: Kind, amount: i64, target: TransferId) -> Self {
        Self { kind, amount, target: Some(target), draw: Draw::ByLimits, lot: None, until: None }
    }
}

impl Hold {
    fn is_over(&self, now: DateTime<Utc>) -> bool {
        self.expires_at.is_some_and(|end| end <= now)
    }
}

/// Accounts with lots are covered by their lots.
fn check_covered(debit: &Account, movement: &Movement) -> Result<(), Failure> {
    let asked = movement.draw == Draw::Covered && !debit.flags.has(Flags::LOTS);
    if asked && movement.amount > debit.unheld() {
        return Err(Failure::ExceedsCredits);
    }
    Ok(())
}
