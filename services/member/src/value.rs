//! Stored value (储值): what a person paid in ahead (principal, 本金) and was given on top (bonus, 赠金), on cards of a legal
//! entity. Balances are those of the ledger; this capability says what may change them, and keeps what they changed for.
//!
//! Locks are taken in one order, so that no two calls wait for each other: the request id, then what the call is about (a
//! recharge, payment, redemption or gift), then the issuer, then cards by id, then accounts of the ledger.

pub mod adjust;
pub mod books;
pub mod buckets;
pub mod card;
pub mod entry;
pub mod error;
pub mod expiry;
pub mod gift;
pub mod issuer;
pub mod merge;
pub mod payment;
pub mod policy;
pub mod recharge;
pub mod redemption;
pub mod report;

use siyu_kernel::{Fault, Id, kind};
use siyu_ledger::{AccountCode, TransferCode};
use siyu_pg::Tx;

use crate::shop;

pub use buckets::{Buckets, Order};
pub use error::Error;
pub(crate) use merge::{on_merge, on_unmerge};

/// The id of a legal entity that issues cards.
pub type IssuerId = Id<kind::Issuer>;
/// The id of a card.
pub type CardId = Id<kind::ValueCard>;
/// The id of a store.
pub type StoreId = Id<kind::Store>;

/// What a card owes its holder of what was paid in.
pub const PRINCIPAL: AccountCode = AccountCode::new(10);
/// What a card owes its holder of what was given on top, in lots.
pub const BONUS: AccountCode = AccountCode::new(11);
/// Where principal comes from and goes to.
pub const OUTSIDE_PRINCIPAL: AccountCode = AccountCode::new(12);
/// Where bonus comes from and goes to.
pub const OUTSIDE_BONUS: AccountCode = AccountCode::new(13);

/// Something was paid in, with its bonus.
pub const RECHARGED: TransferCode = TransferCode::new(20);
/// A card paid.
pub const PAID: TransferCode = TransferCode::new(21);
/// A card reserved what it may pay.
pub const HELD: TransferCode = TransferCode::new(22);
/// A hold was taken.
pub const CAPTURED: TransferCode = TransferCode::new(23);
/// A hold was freed.
pub const RELEASED: TransferCode = TransferCode::new(24);
/// A payment was given back.
pub const REFUNDED: TransferCode = TransferCode::new(25);
/// A recharge was given back.
pub const RECHARGE_REFUNDED: TransferCode = TransferCode::new(26);
/// Principal that the merchant kept: a fee, or bonus that was spent of a recharge that was given back.
pub const KEPT: TransferCode = TransferCode::new(27);
/// Value went from one card to another.
pub const MOVED: TransferCode = TransferCode::new(28);
/// A bonus expired.
pub const BONUS_EXPIRED: TransferCode = TransferCode::new(29);
/// A card was redeemed.
pub const REDEEMED: TransferCode = TransferCode::new(30);

/// Somebody corrected a card.
pub const ADJUSTED: TransferCode = TransferCode::new(31);

/// Asks whether a store that a request names exists.
pub(crate) async fn known_store(tx: &mut Tx, store: Option<StoreId>) -> Result<(), Fault> {
    let Some(id) = store else { return Ok(()) };
    match shop::store::find(tx, id).await? {
        Some(_) => Ok(()),
        None => Err(Fault::not_found("store")),
    }
}
