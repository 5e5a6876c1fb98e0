//! Posts transfers: lock, load, plan, write. A constant number of statements, however many transfers.

use std::collections::{BTreeSet, HashSet};

use chrono::{DateTime, Utc};
use siyu_pg::Tx;
use sqlx::PgConnection;

use crate::{
    Account, AccountId, Action, Draw, Error, Flags, LotId, MerchantId, Move, Movement, Outcome,
    Posted, Transfer, TransferId,
    plan::{Working, plan},
    store,
};

/// As in TigerBeetle: what one call takes at most, so that its locks and arrays have a bound.
pub const MAX_BATCH: usize = 8_190;

/// What one caller wants posted, at the caller's own instant.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Call<'a> {
    pub(crate) transfers: &'a [Transfer],
    pub(crate) now: DateTime<Utc>,
}

/// Posts transfers in order; the outcomes are in the same order. A refused transfer leaves no trace and does not disturb
/// the others, unless they are [linked](Transfer::linked). Everything becomes visible when the caller commits.
///
/// The accounts stay locked until then. A transaction that posts twice may wait for another one in a circle, and fails
/// with a conflict: put what belongs together into one slice.
///
/// # Errors
/// When the call as a whole failed; the caller drops the transaction. [`Error::TooMany`], [`Error::Raced`],
/// [`Error::Store`].
pub async fn post(
    tx: &mut Tx,
    transfers: &[Transfer],
    now: DateTime<Utc>,
) -> Result<Vec<Outcome>, Error> {
    let outcomes = post_calls(tx, &[Call { transfers, now }]).await?;
    Ok(outcomes.into_iter().next().expect("one call has one answer"))
}

/// Posts transfers that the caller expects to take effect, all of them.
///
/// # Errors
/// [`Error::Refused`] with the first one that was refused; the caller drops the transaction.
pub async fn post_all(
    tx: &mut Tx,
    transfers: &[Transfer],
    now: DateTime<Utc>,
) -> Result<Vec<Posted>, Error> {
    let outcomes = post(tx, transfers, now).await?;
    let refused = |(position, outcome): (usize, Outcome)| {
        outcome.posted().map_err(|failure| Error::Refused { position, failure })
    };
    outcomes.into_iter().enumerate().map(refused).collect()
}

/// Posts between accounts that this transaction has opened itself, where nothing but these is touched; else the usual way.
pub(crate) async fn post_first(
    tx: &mut Tx,
    opened: &[Account],
    transfers: &[Transfer],
    now: DateTime<Utc>,
) -> Result<Vec<Outcome>, Error> {
    let own = |id| opened.iter().any(|account| account.id == id);
    let is_first = |transfer: &Transfer| match transfer.action {
        Action::Post(movement) => own(movement.debit) && own(movement.credit),
        Action::Pending { .. }
        | Action::PostPending { .. }
        | Action::VoidPending { .. }
        | Action::ExpirePending { .. }
        | Action::Reverse { .. } => false,
    };
    let keeps_lots = opened.iter().any(|account| account.flags.has(Flags::LOTS));
    if keeps_lots || !transfers.iter().all(is_first) || transfers.len() > MAX_BATCH {
        return post(tx, transfers, now).await;
    }
    let merchant = tx.merchant();
    let mut work = Working::default();
    work.accounts.extend(opened.iter().map(|account| (account.id, *account)));
    let outcomes = plan(&mut work, transfers, now);
    write(tx, merchant, &work).await?;
    Ok(outcomes)
}

/// Posts what several callers want, one after the other; no chain reaches from one to the next.
pub(crate) async fn post_calls(
    tx: &mut Tx,
    calls: &[Call<'_>],
) -> Result<Vec<Vec<Outcome>>, Error> {
    let merchant = tx.merchant();
    let given = calls.iter().map(|call| call.transfers.len()).sum();
    if given > MAX_BATCH {
        return Err(Error::TooMany { given, most: MAX_BATCH });
    }
    if given == 0 {
        return Ok(vec![Vec::new(); calls.len()]);
    }
    let mut needs = Needs::default();
    calls.iter().flat_map(|call| call.transfers).for_each(|transfer| needs.add(transfer));
    let mut work = load(tx, merchant, needs).await?;
    let outcomes = calls.iter().map(|call| plan(&mut work, call.transfers, call.now)).collect();
    write(tx, merchant, &work).await?;
    Ok(outcomes)
}

/// What the transfers of a call name.
#[derive(Debug, Default)]
pub(crate) struct Needs {
    ids: HashSet<TransferId>,
    /// What is to be ended or reversed, and of that what is to be reversed.
    targets: HashSet<TransferId>,
    reversed: HashSet<TransferId>,
    accounts: BTreeSet<AccountId>,
    debited: HashSet<AccountId>,
    lots: HashSet<LotId>,
}

impl Needs {
    fn add(&mut self, transfer: &Transfer) {
        self.ids.insert(transfer.id);
        match transfer.action {
            Action::Post(movement) | Action::Pending { movement, .. } => self.movement(&movement),
            Action::PostPending { pending, .. }
            | Action::VoidPending { pending }
            | Action::ExpirePending { pending } => {
                self.targets.insert(pending);
            }
            Action::Reverse { of, draw, .. } => {
                self.targets.insert(of);
                self.reversed.insert(of);
                self.draw(draw);
            }
        }
    }

    /// What a join of accounts touches.
    pub(crate) fn joints(&mut self, accounts: impl IntoIterator<Item = AccountId>) {
        for account in accounts {
            self.accounts.insert(account);
            self.debited.insert(account);
        }
    }

    fn movement(&mut self, movement: &Movement) {
        self.accounts.extend([movement.debit, movement.credit]);
        self.debited.insert(movement.debit);
        self.draw(movement.draw);
    }

    fn draw(&mut self, draw: Draw) {
        if let Draw::Lot(id) = draw {
            self.lots.insert(id);
        }
    }
}

pub(crate) async fn load(
    conn: &mut PgConnection,
    merchant: MerchantId,
    mut needs: Needs,
) -> Result<Working, Error> {
    let mut work = Working::default();
    let targets: Vec<_> = needs.targets.iter().copied().collect();
    if !targets.is_empty() {
        for (id, debit, credit) in store::load::sides(conn, merchant, &targets).await? {
            needs.accounts.extend([debit, credit]);
            if needs.reversed.remove(&id) {
                needs.debited.insert(credit);
            }
        }
    }
    lock(conn, merchant, needs.accounts.clone(), &mut work).await?;

    // Only now: what was posted while this call waited for the locks must be seen.
    let named: Vec<_> = needs.ids.union(&needs.targets).copied().collect();
    store::load::records(conn, merchant, &named, &mut work).await?;
    load_ends(conn, merchant, &needs, &mut work).await?;
    load_lots(conn, merchant, &needs, &targets, &mut work).await?;
    Ok(work)
}

/// Locks accounts, and those that they are joined to. Who names both ends of a join may wait for somebody in a circle; that
/// is rare, and a conflict like any other.
async fn lock(
    conn: &mut PgConnection,
    merchant: MerchantId,
    mut wanted: BTreeSet<AccountId>,
    work: &mut Working,
) -> Result<(), Error> {
    while !wanted.is_empty() {
        let ids: Vec<_> = wanted.iter().copied().collect();
        let locked = store::accounts::lock(conn, merchant, &ids).await?;
        wanted = locked.iter().filter_map(|account| account.joined.to).collect();
        work.accounts.extend(locked.into_iter().map(|account| (account.id, account)));
        wanted.retain(|id| !work.accounts.contains_key(id));
    }
    Ok(())
}

/// Loads the accounts of transfers that exist already, where the slice names others: they may be joined to each other.
/// Nothing changes them, so they need no lock.
async fn load_ends(
    conn: &mut PgConnection,
    merchant: MerchantId,
    needs: &Needs,
    work: &mut Working,
) -> Result<(), Error> {
    let known = needs.ids.iter().filter_map(|id| work.records.get(id));
    let mut wanted: BTreeSet<_> = known.flat_map(|record| [record.debit, record.credit]).collect();
    loop {
        wanted.retain(|id| !work.accounts.contains_key(id));
        if wanted.is_empty() {
            return Ok(());
        }
        let ids: Vec<_> = wanted.iter().copied().collect();
        let found = store::accounts::list(conn, merchant, &ids).await?;
        wanted = found.iter().filter_map(|account| account.joined.to).collect();
        work.accounts.extend(found.into_iter().map(|account| (account.id, account)));
    }
}

/// Loads what the accounts with lots may need: what is left of those that are debited, the lots that a hold or an earlier
/// transfer touched, and what is owed.
async fn load_lots(
    conn: &mut PgConnection,
    merchant: MerchantId,
    needs: &Needs,
    targets: &[TransferId],
    work: &mut Working,
) -> Result<(), Error> {
    let keeps_lots = |account: &&Account| account.flags.has(Flags::LOTS);
    let with_lots: Vec<_> = work.accounts.values().filter(keeps_lots).map(|a| a.id).collect();
    if with_lots.is_empty() {
        return Ok(());
    }
    let mut ids = needs.lots.clone();
    ids.extend(with_lots.iter().map(|account| LotId::from_uuid(account.uuid())));
    if !targets.is_empty() {
        for step in store::load::moves(conn, merchant, targets).await? {
            ids.insert(step.lot);
            work.moves.entry(step.transfer).or_default().push(step);
        }
    }
    // A reversal of what the slice itself posts debits one of its accounts.
    let any = !needs.reversed.is_empty();
    // Between joined accounts units flow in either direction.
    let joints = work.accounts.values().filter_map(|a| Some([a.id, a.joined.to?]));
    let joined: HashSet<_> = joints.flatten().collect();
    let is_drawn = |id: &AccountId| any || needs.debited.contains(id) || joined.contains(id);
    let drawn: Vec<_> = with_lots.into_iter().filter(is_drawn).collect();
    let ids: Vec<_> = ids.into_iter().collect();
    for lot in store::load::lots(conn, merchant, &ids, &drawn).await? {
        work.load_lot(lot);
    }
    Ok(())
}

pub(crate) async fn write(
    conn: &mut PgConnection,
    merchant: MerchantId,
    work: &Working,
) -> Result<(), Error> {
    if work.created.is_empty() {
        return Ok(());
    }
    let records: Vec<_> = work.created.iter().map(|id| work.records[id]).collect();
    let touched: BTreeSet<_> = records.iter().flat_map(|r| [r.debit, r.credit]).collect();
    let accounts: Vec<_> = touched.iter().map(|id| work.accounts[id]).collect();
    store::write::transfers(conn, merchant, &records, &accounts).await?;

    let pending = |id: &TransferId| work.holds.get(id).map(|hold| (*id, *hold));
    let named = records.iter().map(|r| r.target.filter(|_| r.kind.ends_hold()).unwrap_or(r.id));
    let holds: Vec<_> = named.collect::<BTreeSet<_>>().iter().filter_map(pending).collect();
    if !holds.is_empty() {
        store::write::holds(conn, merchant, &holds).await?;
    }

    let moves: Vec<Move> =
        work.created.iter().filter_map(|id| work.moves.get(id)).flatten().copied().collect();
    if !moves.is_empty() {
        let touched: BTreeSet<_> = moves.iter().map(|step| step.lot).collect();
        let lots: Vec<_> = touched.iter().map(|id| work.lots[id]).collect();
        store::write::lots(conn, merchant, &lots, &moves).await?;
    }
    Ok(())
}
