//! What time ends: holds are released, lots lapse. For a job that comes round every so often; nobody waits for it, since
//! an expired hold cannot be posted and an expired lot cannot be spent, whether it has come round or not.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use siyu_kernel::{Id, Ids};
use siyu_pg::SystemTx;
use uuid::Uuid;

use crate::{
    AccountCode, Asset, Draw, Error, MAX_BATCH, MerchantId, Movement, NewAccount, Outcome,
    Transfer, TransferCode, open, post,
    record::micros,
    store::{self, due::DueLot},
};

/// How lots of one kind of account lapse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LotExpiry {
    /// The kind of accounts.
    pub of: AccountCode,
    /// The merchant's account that receives what lapsed; opened without an owner and without limits where it is missing.
    pub into: AccountCode,
    /// The reason on the transfers.
    pub code: TransferCode,
}

/// What lapsed of one lot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lapsed {
    /// Whose ledger it is.
    pub merchant: MerchantId,
    /// Whose account had it.
    pub owner: Uuid,
    /// What it counted.
    pub asset: Asset,
    /// How many units.
    pub amount: i64,
}

/// Releases holds whose time is over, of all merchants, the longest over first; gives how many. Fewer than `limit`
/// means that none is left. The caller commits.
pub async fn expire_holds(
    tx: &mut SystemTx,
    ids: &dyn Ids,
    code: TransferCode,
    now: DateTime<Utc>,
    limit: u16,
) -> Result<usize, Error> {
    tx.become_job().await?;
    let due = store::due::holds(tx, micros(now), bounded(limit)).await?;
    let mut expired = 0;
    for (merchant, holds) in by_merchant(due) {
        let expire = |pending| Transfer::expire_pending(Id::from_uuid(ids.uuid()), code, pending);
        let transfers: Vec<_> = holds.into_iter().map(expire).collect();
        let tenant = tx.become_tenant(merchant).await?;
        // One that somebody ended meanwhile is refused, which is as well.
        expired += created(&post(tenant, &transfers, now).await?);
    }
    Ok(expired)
}

/// Moves what lapsed out of its lots, one transfer for each lot, of all merchants, the longest over first; gives how
/// many. Units that an open hold reserves stay until it ends. The caller commits.
pub async fn expire_lots(
    tx: &mut SystemTx,
    ids: &dyn Ids,
    expiry: LotExpiry,
    now: DateTime<Utc>,
    limit: u16,
) -> Result<usize, Error> {
    Ok(lapse_lots(tx, ids, expiry, now, limit).await?.len())
}

/// The same, for a caller who acts on it: gives whose units lapsed, merchant by merchant.
pub async fn lapse_lots(
    tx: &mut SystemTx,
    ids: &dyn Ids,
    expiry: LotExpiry,
    now: DateTime<Utc>,
    limit: u16,
) -> Result<Vec<Lapsed>, Error> {
    tx.become_job().await?;
    let due = store::due::lots(tx, expiry.of, micros(now), bounded(limit)).await?;
    let mut lapsed = Vec::new();
    for (merchant, lots) in by_merchant(due.into_iter().map(|lot| (lot.merchant_id, lot))) {
        let tenant = tx.become_tenant(merchant).await?;
        let sinks: Vec<_> = lots
            .iter()
            .map(|lot| {
                NewAccount::new(Id::from_uuid(ids.uuid()), Uuid::nil(), expiry.into, lot.asset)
            })
            .collect();
        let sinks = open(tenant, &sinks, now).await?;
        let lapse = |(lot, sink): (&DueLot, &crate::Account)| {
            let movement = Movement::new(lot.account_id, sink.id, lot.free);
            let id = Id::from_uuid(ids.uuid());
            Transfer::post(id, expiry.code, movement.draw(Draw::Lot(lot.id)))
        };
        let transfers: Vec<_> = lots.iter().zip(&sinks).map(lapse).collect();
        // A lot that somebody drew on meanwhile is refused, and taken the next time.
        let outcomes = post(tenant, &transfers, now).await?;
        let taken = lots.iter().zip(outcomes).filter(|(_, outcome)| is_created(outcome));
        lapsed.extend(taken.map(|(lot, _)| Lapsed {
            merchant,
            owner: lot.owner_id,
            asset: lot.asset,
            amount: lot.free,
        }));
    }
    Ok(lapsed)
}

/// Lots of one kind of account whose time is over, those that are so the longest, merchant by merchant: for a service that says
/// more of their end than a transfer can, and posts it itself by [`Draw::Lot`].
pub async fn due_lots(
    tx: &mut SystemTx,
    of: AccountCode,
    now: DateTime<Utc>,
    limit: u16,
) -> Result<BTreeMap<MerchantId, Vec<DueLot>>, Error> {
    tx.become_job().await?;
    let lots = store::due::lots(tx, of, micros(now), bounded(limit)).await?;
    Ok(by_merchant(lots.into_iter().map(|lot| (lot.merchant_id, lot))))
}

fn bounded(limit: u16) -> i64 {
    i64::from(limit).min(i64::try_from(MAX_BATCH).expect("a batch is small"))
}

/// In the order of the merchants, as every transaction of several merchants: no two wait in a circle.
fn by_merchant<T>(rows: impl IntoIterator<Item = (MerchantId, T)>) -> BTreeMap<MerchantId, Vec<T>> {
    let mut groups: BTreeMap<_, Vec<T>> = BTreeMap::new();
    for (merchant, row) in rows {
        groups.entry(merchant).or_default().push(row);
    }
    groups
}

fn created(outcomes: &[Outcome]) -> usize {
    outcomes.iter().filter(|outcome| is_created(outcome)).count()
}

const fn is_created(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Created(_))
}
