//! Merchants (商家): the tenants of the suite. A merchant's zone and currency never change, for every figure of it is cut
//! and kept in them.

pub mod rpc;
pub mod store;

use chrono::{DateTime, Utc};
use siyu_grpc::parse::timestamp;
use siyu_kernel::{Id, kind::Merchant as MerchantKind};
use siyu_proto::member::v1 as proto;

/// A tenant: the row.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Merchant {
    /// The id.
    pub id: Id<MerchantKind>,
    /// The name.
    pub name: String,
    /// The IANA zone of its days.
    pub zone: String,
    /// The ISO 4217 code of its figures.
    pub currency: String,
    /// When it was opened.
    pub created_at: DateTime<Utc>,
}

impl From<Merchant> for proto::Merchant {
    fn from(merchant: Merchant) -> Self {
        Self {
            id: merchant.id.to_string(),
            name: merchant.name,
            zone: merchant.zone,
            currency_code: merchant.currency,
            create_time: Some(timestamp(merchant.created_at)),
        }
    }
}
