//! What a person owns: points and growth, from the ledger. Balances are derived from postings and never edited.

pub mod rpc;

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use siyu_kernel::{Fault, Id};
use siyu_ledger::{
    Account, AccountCode, AccountId, AccountKey, Asset, Flags, Funds, Joint, NewAccount,
    TransferCode,
};
use siyu_pg::Tx;
use uuid::Uuid;

use crate::{
    App,
    person::{Merge, PersonId, Unmerge},
};

/// Points, in whole points (积分).
pub const POINTS: Asset = Asset::new("points");
/// Growth value, in whole units (成长值).
pub const GROWTH: Asset = Asset::new("growth");

/// What a person holds.
pub const HELD: AccountCode = AccountCode::new(1);
/// What the merchant has given out: the other side of every earning.
pub const ISSUED: AccountCode = AccountCode::new(2);

/// What lapsed: the merchant's account of points and growth that nobody used in time.
pub const LAPSED: AccountCode = AccountCode::new(3);

/// An order was paid, or counts with another amount.
pub const ORDER_EARNED: TransferCode = TransferCode::new(1);
/// An earning was taken back because the order changed or no longer counts.
pub const ORDER_TAKEN_BACK: TransferCode = TransferCode::new(2);
/// Points were given by hand or for a task.
pub const POINTS_GRANTED: TransferCode = TransferCode::new(3);
/// Points were spent.
pub const POINTS_SPENT: TransferCode = TransferCode::new(4);
/// Points were reserved.
pub const POINTS_FROZEN: TransferCode = TransferCode::new(5);
/// Reserved points were spent.
pub const POINTS_CONSUMED: TransferCode = TransferCode::new(6);
/// Reserved points are free again.
pub const POINTS_UNFROZEN: TransferCode = TransferCode::new(7);
/// Reserved units are free again because nobody took them in time.
pub const FREEZE_EXPIRED: TransferCode = TransferCode::new(8);
/// Spent points came back.
pub const POINTS_REVERTED: TransferCode = TransferCode::new(9);
/// Somebody corrected the points.
pub const POINTS_ADJUSTED: TransferCode = TransferCode::new(10);
/// The time of points or growth was over.
pub const POINTS_LAPSED: TransferCode = TransferCode::new(11);
/// Points for reaching a tier.
pub const TIER_GIFT: TransferCode = TransferCode::new(12);
/// Growth was given, for a task for example.
pub const GROWTH_GRANTED: TransferCode = TransferCode::new(13);
/// Points for signing in.
pub const SIGNED_IN: TransferCode = TransferCode::new(14);
/// Points for a birthday.
pub const BIRTHDAY: TransferCode = TransferCode::new(15);

/// Two persons turned out to be one, or that was undone.
pub const MERGED: TransferCode = TransferCode::new(40);

/// The points of a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Points {
    /// What can be spent now.
    pub available: i64,
    /// All, pending ones too; negative after a refund of points that were spent.
    pub total: i64,
}

/// The account of a person: points and growth lie in lots with times of their own, and may be owed.
pub fn held(id: Uuid, person: PersonId, asset: Asset) -> NewAccount {
    NewAccount::new(Id::from_uuid(id), person.uuid(), HELD, asset).flags(Flags::LOTS)
}

/// The account of what the merchant has given out.
pub fn issued(id: Uuid, asset: Asset) -> NewAccount {
    NewAccount::new(Id::from_uuid(id), Uuid::nil(), ISSUED, asset)
}

/// The points of persons; who has never earned any is not among them.
pub async fn points(
    tx: &mut Tx,
    persons: &[PersonId],
    now: DateTime<Utc>,
) -> Result<HashMap<PersonId, Points>, siyu_ledger::Error> {
    let keys: Vec<AccountKey> = persons.iter().map(|person| key(*person, POINTS)).collect();
    let all = persons.iter().zip(siyu_ledger::funds(tx, &keys, now).await?);
    let held = |(person, funds): (&PersonId, Option<Funds>)| {
        let Funds { balance, available } = funds?;
        Some((*person, Points { available, total: balance }))
    };
    Ok(all.filter_map(held).collect())
}

/// What the account of a person is found by.
pub const fn key(person: PersonId, asset: Asset) -> AccountKey {
    AccountKey { owner: person.uuid(), code: HELD, asset }
}

/// The word for a reason.
pub fn reason(code: TransferCode) -> &'static str {
    match code {
        ORDER_EARNED => "order_earned",
        ORDER_TAKEN_BACK => "order_taken_back",
        POINTS_GRANTED => "granted",
        POINTS_SPENT => "spent",
        POINTS_FROZEN => "frozen",
        POINTS_CONSUMED => "consumed",
        POINTS_UNFROZEN => "unfrozen",
        FREEZE_EXPIRED => "freeze_expired",
        POINTS_REVERTED => "reverted",
        POINTS_ADJUSTED => "adjusted",
        POINTS_LAPSED => "lapsed",
        MERGED => "merged",
        TIER_GIFT => "tier_gift",
        GROWTH_GRANTED => "growth_granted",
        SIGNED_IN => "signed_in",
        BIRTHDAY => "birthday",
        _ => "other",
    }
}

/// Whether a transfer is one of points or growth, and of nothing else that the ledger keeps.
pub fn is_of_points(code: TransferCode) -> bool {
    code.get() < 20
}

/// Joins every account of the loser, of whatever kind, to the survivor's: balances, lots, holds and debts go over, and each
/// posting of it says by which merge.
pub(crate) async fn on_merge(app: &App, tx: &mut Tx, merge: &Merge) -> Result<(), Fault> {
    let from = siyu_ledger::accounts_of(tx, merge.loser.uuid()).await?;
    let to = |account: &Account| {
        let key = AccountKey { owner: merge.survivor.uuid(), ..account.key };
        NewAccount { id: Id::from_uuid(app.ids.uuid()), key, flags: account.flags }
    };
    let to = siyu_ledger::open(tx, &from.iter().map(to).collect::<Vec<_>>(), merge.at).await?;
    let pairs = from.iter().zip(to);
    let joints: Vec<Joint> = pairs.map(|(from, to)| Joint { from: from.id, to: to.id }).collect();
    Ok(siyu_ledger::join(tx, &joints, merge.id.uuid(), MERGED, merge.at).await?)
}

/// Parts the accounts again.
pub(crate) async fn on_unmerge(_app: &App, tx: &mut Tx, unmerge: &Unmerge) -> Result<(), Fault> {
    let accounts = siyu_ledger::accounts_of(tx, unmerge.loser.uuid()).await?;
    let joined = accounts.iter().filter(|a| a.joined.by == Some(unmerge.id.uuid()));
    let ids: Vec<AccountId> = joined.map(|account| account.id).collect();
    Ok(siyu_ledger::part(tx, &ids, unmerge.at).await?)
}
