//! Joins accounts whose owners turned out to be one, and parts them again.

use chrono::{DateTime, Utc};
use siyu_pg::Tx;
use uuid::Uuid;

use crate::{
    Account, AccountId, Action, Draw, Error, Expired, Flags, Joined, Kind, LotId, Record, Transfer,
    TransferCode, TransferId, plan, post,
    post::{Needs, load, write},
    query,
    record::micros,
    store,
};

/// One account to be joined to another of the same asset and with the same limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Joint {
    /// Whose units go over.
    pub from: AccountId,
    /// Who has them from then on.
    pub to: AccountId,
}

/// Joins accounts: what they have free goes over, each lot with its own times, and what they owe with it; from then on
/// nothing stays in them but what open holds reserve. Holds and earlier transfers keep their ids and can be ended and
/// reversed as before. All transfers between the two bear the reference and the code.
///
/// # Errors
/// [`Error::AccountDiffers`] when two accounts do not go together, or one is joined already; [`Error::AccountNotFound`];
/// [`Error::Refused`] when a limit forbids it.
pub async fn join(
    tx: &mut Tx,
    joints: &[Joint],
    reference: Uuid,
    code: TransferCode,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    if joints.is_empty() {
        return Ok(());
    }
    let merchant = tx.merchant();
    let mut needs = Needs::default();
    needs.joints(joints.iter().flat_map(|joint| [joint.from, joint.to]));
    let mut work = load(tx, merchant, needs).await?;
    let mut joined = Vec::with_capacity(joints.len());
    for joint in joints {
        let find = |id: AccountId| work.accounts.get(&id).ok_or(Error::AccountNotFound(id));
        let (from, to) = (*find(joint.from)?, *find(joint.to)?);
        check(&from, &to)?;
        let from = Account {
            joined: Joined { to: Some(to.id), by: Some(reference), code: Some(code) },
            ..from
        };
        work.accounts.insert(from.id, from);
        joined.push(from);
    }
    store::accounts::save_joined(tx, merchant, &joined).await?;
    for (position, joint) in joints.iter().enumerate() {
        plan::join(&mut work, joint.from, micros(now))
            .map_err(|failure| Error::Refused { position, failure })?;
    }
    write(tx, merchant, &work).await
}

fn check(from: &Account, to: &Account) -> Result<(), Error> {
    let differs = |field| Err(Error::AccountDiffers { id: from.id, field });
    match () {
        () if from.key.asset != to.key.asset => differs("asset"),
        () if from.flags != to.flags => differs("flags"),
        () if from.id == to.id => differs("id"),
        () if from.joined.to.is_some() => differs("join"),
        () => Ok(()),
    }
}

/// Parts accounts from those that they are joined to: whatever went over because of the join goes back, so that the account
/// has again what it had, less and more what later ends and reversals of its own old transfers made of it. What the other
/// account earned and spent meanwhile is its own; where it has spent the units, it owes. An account that may not owe gives
/// back what it still has. What expired meanwhile does not come back.
///
/// # Errors
/// [`Error::AccountNotFound`]; [`Error::AccountDiffers`] when one is not joined.
pub async fn part(tx: &mut Tx, accounts: &[AccountId], now: DateTime<Utc>) -> Result<(), Error> {
    let merchant = tx.merchant();
    let joined = query::balances(tx, accounts).await?;
    let apart: Vec<Account> =
        joined.iter().map(|account| Account { joined: Joined::default(), ..*account }).collect();
    store::accounts::save_joined(tx, merchant, &apart).await?;
    for account in &joined {
        let Joined { to: Some(to), by: Some(by), code: Some(code) } = account.joined else {
            return Err(Error::AccountDiffers { id: account.id, field: "join" });
        };
        // One account after the other: what one may give depends on what another one took.
        let transfers = back(tx, account, to, (by, code), micros(now)).await?;
        post::post_all(tx, &transfers, now).await?;
    }
    Ok(())
}

/// The reversals of everything that went between an account and the one that it was joined to.
async fn back(
    tx: &mut Tx,
    account: &Account,
    other: AccountId,
    (by, code): (Uuid, TransferCode),
    now: DateTime<Utc>,
) -> Result<Vec<Transfer>, Error> {
    let merchant = tx.merchant();
    let between = |record: &Record| {
        record.kind == Kind::Post
            && record.code == code
            && [(account.id, other), (other, account.id)].contains(&(record.debit, record.credit))
    };
    let went: Vec<Record> = query::about(tx, by).await?.into_iter().filter(between).collect();
    let ids: Vec<TransferId> = went.iter().map(|record| record.id).collect();
    let mut known = plan::Working::default();
    store::load::records(tx, merchant, &ids, &mut known).await?;
    let lots: Vec<LotId> = ids.iter().map(|id| LotId::from_uuid(id.uuid())).collect();
    for lot in store::load::lots(tx, merchant, &lots, &[]).await? {
        known.load_lot(lot);
    }
    let mut purses = Purses::open(tx, account, other, now).await?;
    // What it drew from the other account goes back first, so that lots of origin are there for what follows; an account
    // that may not owe must have it first.
    let (came, gone): (Vec<Record>, Vec<Record>) =
        went.into_iter().partition(|record| record.credit == account.id);
    let order = if purses.limited { [gone, came] } else { [came, gone] };
    let draw = if account.flags.has(Flags::LOTS) && !purses.limited {
        Draw::Overdraft
    } else {
        Draw::ByLimits
    };
    let mut transfers = Vec::new();
    for record in order.into_iter().flatten() {
        let outward = record.debit == account.id;
        let mut left = record.amount - known.reversed.get(&record.id).copied().unwrap_or(0);
        let lot = known.lots.get(&LotId::from_uuid(record.id.uuid()));
        if let Some(lot) = lot.filter(|lot| outward && lot.is_expired(now)) {
            left = left.min(lot.free());
        }
        let amount = purses.take(outward, left);
        if amount > 0 {
            let (of, amount, expired) = (record.id, Some(amount), Expired::Forfeit);
            let action = Action::Reverse { of, amount, draw, expired };
            let reverse = Transfer::reverse(plan::derive(of.uuid(), by), code, of);
            transfers.push(Transfer { action, ..reverse }.reference(by));
        }
    }
    Ok(transfers)
}

/// How much two accounts that may not owe can give each other.
struct Purses {
    limited: bool,
    own: i64,
    others: i64,
}

impl Purses {
    async fn open(
        tx: &mut Tx,
        account: &Account,
        other: AccountId,
        now: DateTime<Utc>,
    ) -> Result<Self, Error> {
        let limited = account.flags.has(Flags::DEBITS_MUST_NOT_EXCEED_CREDITS);
        if !limited {
            return Ok(Self { limited, own: 0, others: 0 });
        }
        let mut end = other;
        while let Some(next) = query::balances(tx, &[end]).await?[0].joined.to {
            end = next;
        }
        let available = query::available(tx, &[account.id, end], now).await?;
        Ok(Self { limited, own: available[0].max(0), others: available[1].max(0) })
    }

    /// As much as can be given back of what had gone out to the other account, or had come from it.
    fn take(&mut self, outward: bool, wanted: i64) -> i64 {
        if !self.limited {
            return wanted;
        }
        let (from, to) = if outward {
            (&mut self.others, &mut self.own)
        } else {
            (&mut self.own, &mut self.others)
        };
        let amount = wanted.min(*from);
        *from -= amount;
        *to += amount;
        amount
    }
}
