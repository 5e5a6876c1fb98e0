//! The accounts, holds and lots that a slice of transfers works on, with an undo log for refused chains.

use std::collections::HashMap;

use chrono::{DateTime, Utc};

use crate::{Account, AccountId, Lot, LotId, Move, Record, TransferId};

/// How a hold stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HoldState {
    /// Units are reserved.
    Open,
    /// A post-pending transfer moved them.
    Posted,
    /// A void-pending transfer released them.
    Voided,
    /// Time released them.
    Expired,
}

/// A pending transfer's life: open, then posted, voided or expired by one other transfer, for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Hold {
    pub(crate) state: HoldState,
    pub(crate) expires_at: Option<DateTime<Utc>>,
    pub(crate) ended_by: Option<TransferId>,
}

/// Everything that a slice touches, as it stands after the transfers applied so far.
#[derive(Debug, Default)]
pub(crate) struct Working {
    pub(crate) accounts: HashMap<AccountId, Account>,
    /// Transfers that the slice names: those that exist under its ids, and those it ends or reverses.
    pub(crate) records: HashMap<TransferId, Record>,
    pub(crate) holds: HashMap<TransferId, Hold>,
    /// How much of a transfer earlier reversals moved back.
    pub(crate) reversed: HashMap<TransferId, i64>,
    pub(crate) lots: HashMap<LotId, Lot>,
    pub(crate) lots_of: HashMap<AccountId, Vec<LotId>>,
    pub(crate) moves: HashMap<TransferId, Vec<Move>>,
    /// The transfers that took effect, in order.
    pub(crate) created: Vec<TransferId>,
    undo: Vec<Undo>,
}

/// A point to roll back to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mark(usize);

#[derive(Debug)]
enum Undo {
    Account(Account),
    Created(TransferId),
    Hold(TransferId, Option<Hold>),
    Reversed(TransferId, Option<i64>),
    Lot(Lot),
    NewLot(Lot),
}

impl HoldState {
    pub(crate) const ALL: [Self; 4] = [Self::Open, Self::Posted, Self::Voided, Self::Expired];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Posted => "posted",
            Self::Voided => "voided",
            Self::Expired => "expired",
        }
    }
}

impl Working {
    /// Puts a lot of the store in.
    pub(crate) fn load_lot(&mut self, lot: Lot) {
        if self.lots.insert(lot.id, lot).is_none() {
            self.lots_of.entry(lot.account).or_default().push(lot.id);
        }
    }

    /// The lots of an account.
    pub(crate) fn lots_of(&self, account: AccountId) -> impl Iterator<Item = &Lot> {
        let ids = self.lots_of.get(&account).into_iter().flatten();
        ids.map(|id| &self.lots[id])
    }

    pub(crate) fn put_account(&mut self, account: Account) {
        let old = self.accounts.insert(account.id, account);
        self.undo.push(Undo::Account(old.expect("accounts are loaded, not created here")));
    }

    pub(crate) fn put_lot(&mut self, lot: Lot) {
        if let Some(old) = self.lots.insert(lot.id, lot) {
            self.undo.push(Undo::Lot(old));
        } else {
            self.lots_of.entry(lot.account).or_default().push(lot.id);
            self.undo.push(Undo::NewLot(lot));
        }
    }

    pub(crate) fn put_hold(&mut self, pending: TransferId, hold: Hold) {
        let old = self.holds.insert(pending, hold);
        self.undo.push(Undo::Hold(pending, old));
    }

    pub(crate) fn put_reversed(&mut self, of: TransferId, sum: i64) {
        let old = self.reversed.insert(of, sum);
        self.undo.push(Undo::Reversed(of, old));
    }

    /// Adds a transfer to the journal, with what it did to lots.
    pub(crate) fn create(&mut self, record: Record, moves: Vec<Move>) {
        let known = self.records.insert(record.id, record);
        assert!(known.is_none(), "a transfer is created once");
        if !moves.is_empty() {
            self.moves.insert(record.id, moves);
        }
        self.created.push(record.id);
        self.undo.push(Undo::Created(record.id));
    }

    pub(crate) const fn mark(&self) -> Mark {
        Mark(self.undo.len())
    }

    /// Makes it as it was at the mark.
    pub(crate) fn roll_back(&mut self, mark: Mark) {
        for undo in self.undo.drain(mark.0..).rev() {
            match undo {
                Undo::Account(old) => {
                    self.accounts.insert(old.id, old);
                }
                Undo::Created(id) => {
                    self.records.remove(&id);
                    self.moves.remove(&id);
                    assert_eq!(self.created.pop(), Some(id), "undone in reverse order");
                }
                Undo::Hold(pending, old) => restore(&mut self.holds, pending, old),
                Undo::Reversed(of, old) => restore(&mut self.reversed, of, old),
                Undo::Lot(old) => {
                    self.lots.insert(old.id, old);
                }
                Undo::NewLot(lot) => {
                    self.lots.remove(&lot.id);
                    let popped = self.lots_of.get_mut(&lot.account).and_then(Vec::pop);
                    assert_eq!(popped, Some(lot.id), "undone in reverse order");
                }
            }
        }
    }
}

fn restore<V>(map: &mut HashMap<TransferId, V>, key: TransferId, old: Option<V>) {
    match old {
        Some(old) => map.insert(key, old),
        None => map.remove(&key),
    };
}
