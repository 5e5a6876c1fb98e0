//! Commission (佣金): what promoters earn from paid orders, in a ledger of its own (rules 64–72, 77).

pub mod domain;
pub mod events;
pub mod rpc;
pub mod store;

use chrono::{DateTime, Utc};
use siyu_kernel::{Currency, Id};
use siyu_ledger::{AccountCode, Asset, NewAccount, TransferCode};
use siyu_pg::Tx;
use uuid::Uuid;

use crate::promoter::PromoterId;
use domain::Rule;

pub use events::subscription;

/// What a promoter has earned; may be owed after a refund.
pub const EARNED: AccountCode = AccountCode::new(1);
/// What the merchant has given: the other side of every accrual.
pub const EXPENSE: AccountCode = AccountCode::new(2);

/// An order earned, or earned more.
pub const ACCRUED: TransferCode = TransferCode::new(1);
/// An order earned less than before: clawed back.
pub const CLAWED_BACK: TransferCode = TransferCode::new(2);
/// The buyer objects to the order: nobody is paid for it meanwhile.
pub const FROZEN: TransferCode = TransferCode::new(3);
/// Somebody decided, or the order earns another amount.
pub const UNFROZEN: TransferCode = TransferCode::new(4);

/// The rule for what happens at an instant.
pub async fn rule_at(tx: &mut Tx, at: DateTime<Utc>) -> Result<Rule, siyu_pg::Error> {
    Ok(Rule::at(&store::rules(tx).await?, at))
}

/// What a promoter has earned and not lost again, over all currencies of the merchant: there is one.
pub async fn balance(tx: &mut Tx, promoter: PromoterId) -> Result<i64, siyu_ledger::Error> {
    let accounts = siyu_ledger::accounts_of(tx, promoter.uuid()).await?;
    Ok(accounts.iter().map(siyu_ledger::Account::balance).sum())
}

/// What of it disputes freeze.
pub async fn frozen(tx: &mut Tx, promoter: PromoterId) -> Result<i64, siyu_ledger::Error> {
    let accounts = siyu_ledger::accounts_of(tx, promoter.uuid()).await?;
    Ok(accounts.iter().map(|account| account.debits_pending).sum())
}

/// The account of a promoter.
pub fn earned(id: Uuid, promoter: PromoterId, currency: Currency) -> NewAccount {
    NewAccount::new(Id::from_uuid(id), promoter.uuid(), EARNED, Asset::from(currency))
}

/// The account of what the merchant gives.
pub fn expense(id: Uuid, currency: Currency) -> NewAccount {
    NewAccount::new(Id::from_uuid(id), Uuid::nil(), EXPENSE, Asset::from(currency))
}
