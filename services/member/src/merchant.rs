//! Merchants (商家): the tenants of the suite. A merchant's zone and currency never change, for every figure of it is cut
//! and kept in them.

pub mod rpc;
pub mod store;

use chrono::{DateTime, Utc};
use siyu_grpc::parse::timestamp;
use siyu_kernel::{Fault, Id, Zone, kind::Merchant as MerchantKind};
use siyu_pg::Tx;
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

/// The merchant of the transaction.
pub(crate) async fn own(tx: &mut Tx) -> Result<Merchant, Fault> {
    store::find(tx).await?.ok_or_else(|| Fault::not_found("merchant"))
}

/// The currency of the merchant of the transaction.
pub(crate) async fn currency(tx: &mut Tx) -> Result<String, Fault> {
    Ok(own(tx).await?.currency)
}

/// The zone of the merchant of the transaction.
pub(crate) async fn zone(tx: &mut Tx) -> Result<Zone, Fault> {
    Zone::parse(&own(tx).await?.zone).map_err(Fault::internal)
}
