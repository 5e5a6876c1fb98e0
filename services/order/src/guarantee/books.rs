//! The accounts of the order ledger, and the transfers between them. Pure. Every id follows from what it is for.

use sha2::{Digest, Sha256};
use siyu_kernel::{Currency, Id};
use siyu_ledger::{
    AccountCode, AccountId, Asset, Flags, Movement, NewAccount, Transfer, TransferCode, TransferId,
};
use uuid::{Builder, Uuid};

use super::domain::Release;
use crate::limits;

/// A tender pays.
pub const PAID: TransferCode = TransferCode::new(1);
/// A release reaches the merchant.
pub const RELEASED: TransferCode = TransferCode::new(2);
/// A release sets commission aside.
pub const COMMISSION: TransferCode = TransferCode::new(3);
/// A release pays the platform.
pub const FEE: TransferCode = TransferCode::new(4);
/// A release settles what was advanced.
pub const RECOVERED: TransferCode = TransferCode::new(5);
/// A refund takes of what is held.
pub const REFUNDED: TransferCode = TransferCode::new(6);
/// A refund takes of what is the merchant's already.
pub const CHARGED: TransferCode = TransferCode::new(7);
/// A refund is paid in advance for the merchant.
pub const ADVANCED: TransferCode = TransferCode::new(8);
/// A refund reaches the buyer.
pub const REFUND_PAID: TransferCode = TransferCode::new(9);
/// A refund failed and goes back to where it came from.
pub const REFUND_RETURNED: TransferCode = TransferCode::new(10);
/// A dispute freezes.
pub const FROZEN: TransferCode = TransferCode::new(11);
/// A dispute freezes no more.
pub const UNFROZEN: TransferCode = TransferCode::new(12);
/// Money came that belongs to no order.
pub const SUSPENDED: TransferCode = TransferCode::new(13);
/// Such money found where it belongs, or went back.
pub const UNSUSPENDED: TransferCode = TransferCode::new(14);

/// An account, seen from one order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Account {
    /// The outside: negative by what came in and has not gone back. Of the order.
    BuyerClearing,
    /// Paid and not released. Of the order.
    Held,
    /// Decided to go back and not there yet. Of the order.
    RefundClearing,
    /// Belongs to no order. Of the payment.
    Suspense,
    /// The merchant's to have. One of the shards.
    Available(u8),
    /// Set aside for commission. One of the shards.
    CommissionPayable(u8),
    /// The platform's. One of the shards.
    PlatformFee(u8),
    /// Advanced for the merchant, who owes it: negative by that.
    Advance,
}

/// The accounts that an order uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Books {
    order: Uuid,
    currency: Currency,
}

/// An account and an amount of it.
pub type Part = (Account, i64);

/// A part of a refund that goes back to where it came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Returned {
    /// The transfer that had taken it.
    pub of: TransferId,
    /// How much.
    pub amount: i64,
}

impl Account {
    const fn code(self) -> AccountCode {
        AccountCode::new(match self {
            Self::BuyerClearing => 1,
            Self::Held => 2,
            Self::RefundClearing => 3,
            Self::Suspense => 4,
            Self::Available(_) => 5,
            Self::CommissionPayable(_) => 6,
            Self::PlatformFee(_) => 7,
            Self::Advance => 8,
        })
    }

    const fn flags(self) -> Flags {
        match self {
            Self::BuyerClearing => Flags::NONE,
            Self::Advance => Flags::CREDITS_MUST_NOT_EXCEED_DEBITS,
            Self::Held
            | Self::RefundClearing
            | Self::Suspense
            | Self::Available(_)
            | Self::CommissionPayable(_)
            | Self::PlatformFee(_) => Flags::DEBITS_MUST_NOT_EXCEED_CREDITS,
        }
    }

    /// What a refund that takes of it is.
    const fn refund_code(self) -> TransferCode {
        match self {
            Self::Available(_) => CHARGED,
            Self::Advance => ADVANCED,
            Self::BuyerClearing
            | Self::Held
            | Self::RefundClearing
            | Self::Suspense
            | Self::CommissionPayable(_)
            | Self::PlatformFee(_) => REFUNDED,
        }
    }
}

impl Books {
    /// The books of an order, or of a payment that belongs to none.
    pub const fn of(order: Uuid, currency: Currency) -> Self {
        Self { order, currency }
    }

    /// The shard that the order uses.
    pub fn shard(&self) -> u8 {
        // The last byte of an id is random.
        self.order.as_bytes()[15] % limits::SHARDS
    }

    /// The account of that kind.
    pub fn account(&self, account: Account) -> NewAccount {
        let owner = match account {
            Account::BuyerClearing
            | Account::Held
            | Account::RefundClearing
            | Account::Suspense => self.order,
            Account::Available(shard)
            | Account::CommissionPayable(shard)
            | Account::PlatformFee(shard) => Uuid::from_u128(u128::from(shard) + 1),
            Account::Advance => Uuid::nil(),
        };
        let part = [account.code().get().to_string(), self.currency.code().to_owned()];
        let id = Id::from_uuid(derive(owner, "account", &part.join(" ")));
        NewAccount::new(id, owner, account.code(), Asset::from(self.currency))
            .flags(account.flags())
    }

    /// The id of an account.
    pub fn id(&self, account: Account) -> AccountId {
        self.account(account).id
    }

    /// Where refunds and disputes take from, in the order in which they do.
    pub fn sources(&self) -> Vec<Account> {
        let own = self.shard();
        let others = (0..limits::SHARDS).filter(|shard| *shard != own);
        let available = std::iter::once(own).chain(others).map(Account::Available);
        std::iter::once(Account::Held)
            .chain(available)
            .chain(std::iter::once(Account::Advance))
            .collect()
    }

    /// What each tender paid, by its key.
    pub fn on_paid(&self, tenders: &[(String, i64)]) -> Vec<Transfer> {
        let paid = |(key, amount): &(String, i64)| {
            self.post(PAID, (self.order, key), (Account::BuyerClearing, Account::Held), *amount)
        };
        tenders.iter().filter(|(_, amount)| *amount > 0).map(paid).collect()
    }

    /// What a release gives to whom. `turn` counts the releases of the order: a refund that fails afterwards makes another.
    pub fn on_release(&self, turn: i32, release: &Release) -> Vec<Transfer> {
        let shard = self.shard();
        let parts = [
            (COMMISSION, Account::CommissionPayable(shard), release.commission),
            (FEE, Account::PlatformFee(shard), release.fee),
            (RECOVERED, Account::Advance, release.recovered),
            (RELEASED, Account::Available(shard), release.available),
        ];
        parts
            .into_iter()
            .filter(|(_, _, amount)| *amount > 0)
            .map(|(code, to, amount)| {
                let part = format!("{} {turn}", code.get());
                self.post(code, (self.order, &part), (Account::Held, to), amount)
            })
            .collect()
    }

    /// What a refund takes of which accounts.
    pub fn on_refund(&self, refund: Uuid, parts: &[Part]) -> Vec<Transfer> {
        let take = |&(from, amount): &Part| {
            let part = format!("{from:?}");
            let ends = (from, Account::RefundClearing);
            self.post(from.refund_code(), (refund, &part), ends, amount)
        };
        parts.iter().map(take).collect()
    }

    /// What of a refund reaches the buyer over one tender.
    pub fn on_refund_paid(&self, refund: Uuid, tender: &str, amount: i64) -> Transfer {
        let ends = (Account::RefundClearing, Account::BuyerClearing);
        self.post(REFUND_PAID, (refund, tender), ends, amount)
    }

    /// What of a refund goes back to where it came from, because a tender did not take it.
    pub fn on_refund_failed(
        &self,
        refund: Uuid,
        tender: &str,
        parts: &[Returned],
        to_merchant: i64,
    ) -> Vec<Transfer> {
        let back = |part: &Returned| {
            let about = format!("{tender} {}", part.of);
            let id = transfer_id(refund, REFUND_RETURNED, &about);
            Transfer::reverse(id, REFUND_RETURNED, part.of).part(part.amount).reference(refund)
        };
        let mut transfers: Vec<Transfer> = parts.iter().map(back).collect();
        if to_merchant > 0 {
            let ends = (Account::RefundClearing, Account::Available(self.shard()));
            transfers.push(self.post(REFUND_RETURNED, (refund, tender), ends, to_merchant));
        }
        transfers
    }

    /// Freezes parts for a dispute. `first` counts what was frozen for it before.
    pub fn freeze(&self, dispute: Uuid, first: usize, parts: &[Part]) -> Vec<Transfer> {
        let hold = |(n, &(from, amount)): (usize, &Part)| {
            let id = transfer_id(dispute, FROZEN, &n.to_string());
            let movement = Movement::new(self.id(from), self.id(Account::RefundClearing), amount);
            Transfer::pending(id, FROZEN, movement, None).reference(dispute)
        };
        (first..).zip(parts).map(hold).collect()
    }

    /// Frees what was frozen.
    pub fn unfreeze(&self, dispute: Uuid, holds: &[TransferId]) -> Vec<Transfer> {
        let free = |hold: &TransferId| {
            let id = transfer_id(dispute, UNFROZEN, &hold.to_string());
            Transfer::void_pending(id, UNFROZEN, *hold).reference(dispute)
        };
        holds.iter().map(free).collect()
    }

    /// Puts money aside that belongs to no order: the books are those of the payment.
    pub fn on_suspended(&self, amount: i64) -> Transfer {
        let ends = (Account::BuyerClearing, Account::Suspense);
        self.post(SUSPENDED, (self.order, ""), ends, amount)
    }

    /// Ends that: it went back to the buyer, or is counted as the payment of an order from here on.
    pub fn on_unsuspended(&self) -> Transfer {
        let of = transfer_id(self.order, SUSPENDED, "");
        let id = transfer_id(self.order, UNSUSPENDED, "");
        Transfer::reverse(id, UNSUSPENDED, of).reference(self.order)
    }

    fn post(
        &self,
        code: TransferCode,
        (about, part): (Uuid, &str),
        (from, to): (Account, Account),
        amount: i64,
    ) -> Transfer {
        let movement = Movement::new(self.id(from), self.id(to), amount);
        Transfer::post(transfer_id(about, code, part), code, movement).reference(about)
    }
}

/// The id of the transfer for a part of something.
fn transfer_id(about: Uuid, code: TransferCode, part: &str) -> TransferId {
    Id::from_uuid(derive(about, &code.get().to_string(), part))
}

/// An id that follows from what it is for, the same whenever it is asked for.
fn derive(about: Uuid, purpose: &str, part: &str) -> Uuid {
    let digest = Sha256::new()
        .chain_update(about.as_bytes())
        .chain_update(purpose.as_bytes())
        .chain_update([0])
        .chain_update(part.as_bytes())
        .finalize();
    let (bytes, _) = digest.split_first_chunk().expect("a digest has more than 16 bytes");
    Builder::from_custom_bytes(*bytes).into_uuid()
}
