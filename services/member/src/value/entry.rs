//! What changed the balances of cards, in words: beside the ledger, which knows amounts, this knows stores, days and reasons.

pub mod store;

use chrono::{DateTime, Utc};
use siyu_grpc::parse::timestamp;
use siyu_kernel::Fault;
use siyu_pg::Tx;
use siyu_proto::member::v1 as proto;
use uuid::Uuid;

use super::{Buckets, IssuerId, StoreId, card::Card, policy::Terms};
use crate::{App, limits};

/// What changed a balance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Kind {
    /// A recharge, with its bonus.
    Recharge,
    /// A recharge was given back.
    RechargeRefund,
    /// A payment.
    Pay,
    /// A payment was given back.
    Refund,
    /// The card was redeemed.
    Redeem,
    /// A bonus expired.
    BonusExpired,
    /// Value went to another card.
    TransferOut,
    /// Value came from another card.
    TransferIn,
    /// Somebody corrected it.
    Adjust,
}

/// One change of one card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry<'a> {
    /// The card.
    pub card: &'a Card,
    /// What it was.
    pub kind: Kind,
    /// Where it happened; none: headquarters.
    pub store_id: Option<StoreId>,
    /// The id of what it was for.
    pub subject: String,
    /// What the buckets changed by.
    pub change: Buckets,
    /// What the merchant kept of the principal without giving anything for it.
    pub kept: i64,
}

/// A change as it is listed.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Row {
    /// The entry.
    pub id: Uuid,
    /// What it was.
    pub kind: Kind,
    /// Where it happened.
    pub store_id: Option<StoreId>,
    /// The id of what it was for.
    pub subject: String,
    /// What the principal changed by.
    pub principal_minor: i64,
    /// What the bonus changed by.
    pub bonus_minor: i64,
    /// When it happened.
    pub created_at: DateTime<Utc>,
}

/// Closes the days of an issuer, who is locked, that are over for good: they are summed once, and not by every recharge.
pub async fn close_days(
    tx: &mut Tx,
    terms: &Terms,
    issuer: IssuerId,
    now: DateTime<Utc>,
) -> Result<(), siyu_pg::Error> {
    store::close(tx, issuer, terms.day(now).plus(-limits::OPEN_DAYS)).await
}

/// Writes changes down, on the merchant's day of the instant. Changes of nothing are left out.
pub async fn write(
    app: &App,
    tx: &mut Tx,
    terms: &Terms,
    now: DateTime<Utc>,
    entries: &[Entry<'_>],
) -> Result<(), Fault> {
    let real: Vec<(Uuid, &Entry<'_>)> = entries
        .iter()
        .filter(|entry| entry.change != Buckets::default())
        .map(|entry| (app.ids.uuid(), entry))
        .collect();
    store::insert(tx, &real, terms.day(now), now).await?;
    Ok(())
}

impl Kind {
    /// The word in columns.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Recharge => "recharge",
            Self::RechargeRefund => "recharge_refund",
            Self::Pay => "pay",
            Self::Refund => "refund",
            Self::Redeem => "redeem",
            Self::BonusExpired => "bonus_expired",
            Self::TransferOut => "transfer_out",
            Self::TransferIn => "transfer_in",
            Self::Adjust => "adjust",
        }
    }
}

impl From<Row> for proto::ValueCardEntry {
    fn from(row: Row) -> Self {
        let kind = match row.kind {
            Kind::Recharge => proto::ValueEntryKind::Recharge,
            Kind::RechargeRefund => proto::ValueEntryKind::RechargeRefund,
            Kind::Pay => proto::ValueEntryKind::Pay,
            Kind::Refund => proto::ValueEntryKind::Refund,
            Kind::Redeem => proto::ValueEntryKind::Redeem,
            Kind::BonusExpired => proto::ValueEntryKind::BonusExpired,
            Kind::TransferOut => proto::ValueEntryKind::TransferOut,
            Kind::TransferIn => proto::ValueEntryKind::TransferIn,
            Kind::Adjust => proto::ValueEntryKind::Adjust,
        };
        Self {
            kind: kind.into(),
            principal_minor: row.principal_minor,
            bonus_minor: row.bonus_minor,
            store_id: row.store_id.map(|id| id.to_string()).unwrap_or_default(),
            subject: row.subject,
            change_time: Some(timestamp(row.created_at)),
        }
    }
}
