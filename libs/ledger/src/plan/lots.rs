//! What transfers do to lots: feed, draw, hold, return, settle (reference §2.5, rules 46-49).
//!
//! Invariant: the remainders of an account's lots, its overdraft among them, sum to its balance, and their reservations
//! to its pending debits. What is owed is settled by the next units that come in or become free, so an account owes
//! only while it has no unexpired units free.

use chrono::{DateTime, Utc};
use siyu_kernel::Id;

use super::working::Working;
use crate::{AccountId, Draw, Expired, Failure, Lot, LotId, LotTerms, Move, MoveKind, TransferId};

/// The moves of one transfer, as they are made.
pub(super) struct Shift<'a> {
    work: &'a mut Working,
    transfer: TransferId,
    now: DateTime<Utc>,
    pub(super) moves: Vec<Move>,
}

impl<'a> Shift<'a> {
    pub(super) const fn new(
        work: &'a mut Working,
        transfer: TransferId,
        now: DateTime<Utc>,
    ) -> Self {
        Self { work, transfer, now, moves: Vec::new() }
    }

    /// A credit becomes a lot; what is owed is settled from it.
    pub(super) fn feed(
        &mut self,
        account: AccountId,
        amount: i64,
        terms: Option<LotTerms>,
    ) -> Result<(), Failure> {
        let id: LotId = Id::from_uuid(self.transfer.uuid());
        if id == overdraft(account) || self.work.lots.contains_key(&id) {
            return Err(Failure::ExistsWithDifferent { field: "lot" });
        }
        self.create(account, amount, terms.unwrap_or(LotTerms::from(self.now)), MoveKind::Feed);
        self.settle(account, vec![id]);
        Ok(())
    }

    /// A debit takes units from lots. A reversal names its origin, whose lot gives first.
    pub(super) fn draw(
        &mut self,
        account: AccountId,
        amount: i64,
        draw: Draw,
        origin: Option<TransferId>,
    ) -> Result<(), Failure> {
        let sources = self.sources(account, draw, origin)?;
        if draw != Draw::Overdraft {
            self.check(account, &sources, amount, draw)?;
        }
        let owed = self.take(&sources, amount, |part| (MoveKind::Draw, -part, 0));
        if owed > 0 {
            self.owe(account, owed);
        }
        Ok(())
    }

    /// A pending debit reserves units of lots; their expiry does not take them while they are held.
    pub(super) fn hold(
        &mut self,
        account: AccountId,
        amount: i64,
        draw: Draw,
    ) -> Result<(), Failure> {
        if draw == Draw::Overdraft {
            return Err(Failure::HoldOverdraws);
        }
        let sources = self.sources(account, draw, None)?;
        self.check(account, &sources, amount, draw)?;
        self.take(&sources, amount, |part| (MoveKind::Hold, 0, part));
        Ok(())
    }

    /// A hold ends: its first `amount` units are drawn, the others are free again.
    pub(super) fn end_hold(&mut self, pending: TransferId, amount: i64) {
        let held = self.moves_of(pending, MoveKind::Hold);
        let mut left = amount;
        for part in &held {
            let drawn = left.min(part.held);
            left -= drawn;
            let kind = if drawn > 0 { MoveKind::Draw } else { MoveKind::Release };
            self.change(part.lot, kind, -drawn, -part.held);
        }
        assert_eq!(left, 0, "a hold on lots reserved all its units");
        if let Some(first) = held.first() {
            self.settle(first.account, held.iter().map(|part| part.lot).collect());
        }
    }

    /// A reversal returns what `of` drew to the lots of origin, last drawn first; `before` units of it are back already.
    pub(super) fn give_back(
        &mut self,
        account: AccountId,
        of: TransferId,
        before: i64,
        amount: i64,
        expired: Expired,
    ) {
        let mut drawn = self.moves_of(of, MoveKind::Draw);
        drawn.retain(|part| part.account == account);
        let (mut skip, mut left, mut fresh) = (before, amount, 0);
        let mut earned_at = self.now;
        let mut returned = Vec::new();
        for part in drawn.iter().rev() {
            let skipped = skip.min(-part.remaining);
            skip -= skipped;
            let back = left.min(-part.remaining - skipped);
            left -= back;
            if back == 0 {
                continue;
            }
            let lot = self.work.lots[&part.lot];
            let restore = lot.is_expired(self.now) && expired != Expired::Forfeit;
            // Of what was owed, a part may be settled since; those units come back as a new lot.
            let fits = match (lot.is_overdraft(), restore) {
                (true, _) => back.min(-lot.remaining),
                (false, true) => 0,
                (false, false) => back,
            };
            if fits > 0 {
                self.change(lot.id, MoveKind::Return, fits, 0);
                returned.push(lot.id);
            }
            fresh += back - fits;
            if restore {
                earned_at = earned_at.min(lot.terms.earned_at);
            }
        }
        assert_eq!((skip, left), (0, 0), "a posted debit drew all its units from lots");
        if fresh > 0 {
            let expires_at = expired.until();
            let terms = LotTerms { earned_at, available_at: self.now, expires_at };
            returned.push(self.create(account, fresh, terms, MoveKind::Return));
        }
        self.settle(account, returned);
    }

    /// The lots that may be drawn on, in their order, without the overdraft.
    pub(super) fn sources(
        &self,
        account: AccountId,
        draw: Draw,
        origin: Option<TransferId>,
    ) -> Result<Vec<LotId>, Failure> {
        if let Draw::Lot(id) = draw {
            let lot = self.work.lots.get(&id).filter(|lot| lot.account == account);
            return match lot.filter(|lot| !lot.is_overdraft()) {
                Some(lot) => Ok(vec![lot.id]),
                None => Err(Failure::LotNotFound),
            };
        }
        let origin = origin.map(|transfer| LotId::from_uuid(transfer.uuid()));
        let rank = |lot: &Lot| match () {
            () if Some(lot.id) == origin => Some(0),
            () if lot.is_available(self.now) => Some(1),
            // Not yet available. Before the account owes, it gives these.
            () if draw == Draw::Overdraft && !lot.is_expired(self.now) => Some(2),
            () => None,
        };
        let free = self.work.lots_of(account).filter(|lot| lot.free() > 0 && !lot.is_overdraft());
        let mut sources: Vec<_> =
            free.filter_map(|lot| Some((rank(lot)?, lot.draw_order(), lot.id))).collect();
        sources.sort_unstable();
        Ok(sources.into_iter().map(|(_, _, id)| id).collect())
    }

    fn check(
        &self,
        account: AccountId,
        sources: &[LotId],
        amount: i64,
        draw: Draw,
    ) -> Result<(), Failure> {
        let free: i64 = sources.iter().map(|id| self.work.lots[id].free()).sum();
        let owed = match draw {
            Draw::Lot(_) => 0,
            Draw::ByLimits | Draw::Covered | Draw::Overdraft => {
                self.work.lots.get(&overdraft(account)).map_or(0, |lot| lot.remaining)
            }
        };
        if amount > free + owed { Err(Failure::ExceedsLots) } else { Ok(()) }
    }

    /// Takes from one lot after the other and says how much is missing.
    fn take(
        &mut self,
        sources: &[LotId],
        amount: i64,
        step: impl Fn(i64) -> (MoveKind, i64, i64),
    ) -> i64 {
        let mut left = amount;
        for &id in sources {
            let part = left.min(self.work.lots[&id].free());
            if part > 0 {
                let (kind, remaining, held) = step(part);
                self.change(id, kind, remaining, held);
                left -= part;
            }
        }
        left
    }

    fn owe(&mut self, account: AccountId, amount: i64) {
        let id = overdraft(account);
        if !self.work.lots.contains_key(&id) {
            let terms = LotTerms::from(self.now);
            self.work.put_lot(Lot { id, account, amount: 0, remaining: 0, held: 0, terms });
        }
        self.change(id, MoveKind::Draw, -amount, 0);
    }

    /// New or freed units go to what is owed first (rule 49); expired ones are of no use for it.
    fn settle(&mut self, account: AccountId, mut lots: Vec<LotId>) {
        let id = overdraft(account);
        let mut owed = self.work.lots.get(&id).map_or(0, |lot| -lot.remaining);
        if owed == 0 {
            return;
        }
        lots.retain(|lot| *lot != id && !self.work.lots[lot].is_expired(self.now));
        lots.sort_by_key(|lot| self.work.lots[lot].draw_order());
        for lot in lots {
            let part = owed.min(self.work.lots[&lot].free());
            if part > 0 {
                self.change(lot, MoveKind::Settle, -part, 0);
                self.change(id, MoveKind::Settle, part, 0);
                owed -= part;
            }
        }
    }

    fn create(
        &mut self,
        account: AccountId,
        amount: i64,
        terms: LotTerms,
        kind: MoveKind,
    ) -> LotId {
        let id = Id::from_uuid(self.transfer.uuid());
        self.work.put_lot(Lot { id, account, amount, remaining: 0, held: 0, terms });
        self.change(id, kind, amount, 0);
        id
    }

    fn change(&mut self, id: LotId, kind: MoveKind, remaining: i64, held: i64) {
        let mut lot = self.work.lots[&id];
        lot.remaining += remaining;
        lot.held += held;
        self.work.put_lot(lot);
        let position = i32::try_from(self.moves.len()).expect("a transfer moves few lots");
        let (transfer, account) = (self.transfer, lot.account);
        self.moves.push(Move { transfer, position, account, lot: id, kind, remaining, held });
    }

    fn moves_of(&self, transfer: TransferId, kind: MoveKind) -> Vec<Move> {
        let moves = self.work.moves.get(&transfer).into_iter().flatten();
        moves.filter(|part| part.kind == kind).copied().collect()
    }
}

/// The lot that stands for what an account owes has the account's own id.
fn overdraft(account: AccountId) -> LotId {
    Id::from_uuid(account.uuid())
}
