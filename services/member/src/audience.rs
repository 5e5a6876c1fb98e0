//! Audiences (人群): filters that a merchant saved. Who is in one is asked of the database each time; a snapshot keeps who was
//! in it at one instant.

pub mod members;
pub mod rpc;
pub mod store;

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use prost::Message as _;
use siyu_grpc::parse::timestamp;
use siyu_kernel::{Code, Fault, Id, Zone, kind};
use siyu_pg::Tx;
use siyu_proto::member::v1 as proto;

use crate::{
    attribute,
    filter::{self, Node, Terms},
    merchant,
    vault::Keys,
};

/// The id of an audience.
pub type AudienceId = Id<kind::Audience>;
/// The id of a snapshot.
pub type SnapshotId = Id<kind::Snapshot>;

/// An audience: the row.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Audience {
    /// The id.
    pub id: AudienceId,
    /// The name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// Whom it holds, encoded.
    pub filter: Vec<u8>,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

/// Who was in an audience at one instant: the row.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Snapshot {
    /// The id.
    pub id: SnapshotId,
    /// The audience.
    pub audience_id: AudienceId,
    /// How many persons.
    pub persons: i64,
    /// The instant.
    pub created_at: DateTime<Utc>,
}

/// Why something cannot be done with an audience.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Another audience has the name.
    #[error("another audience has the name")]
    NameTaken,
    /// The database.
    #[error(transparent)]
    Database(#[from] siyu_pg::Error),
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        let message = error.to_string();
        match error {
            Error::NameTaken => Self::new(Code::AlreadyExists, "AUDIENCE_NAME_TAKEN", message),
            Error::Database(error) => error.into(),
        }
    }
}

impl Audience {
    /// The filter that is stored.
    ///
    /// # Errors
    /// An internal fault when it cannot be decoded.
    pub fn filter(&self) -> Result<proto::Filter, Fault> {
        proto::Filter::decode(self.filter.as_slice()).map_err(Fault::internal)
    }

    /// The audience as callers see it.
    ///
    /// # Errors
    /// An internal fault when the filter that is stored cannot be decoded.
    pub fn show(self) -> Result<proto::Audience, Fault> {
        Ok(proto::Audience {
            filter: Some(self.filter()?),
            id: self.id.to_string(),
            name: self.name,
            description: self.description,
            create_time: Some(timestamp(self.created_at)),
            update_time: Some(timestamp(self.updated_at)),
        })
    }
}

impl From<Snapshot> for proto::Snapshot {
    fn from(snapshot: Snapshot) -> Self {
        Self {
            id: snapshot.id.to_string(),
            audience_id: snapshot.audience_id.to_string(),
            count: snapshot.persons,
            create_time: Some(timestamp(snapshot.created_at)),
        }
    }
}

/// What filters of the merchant are read against at an instant.
pub(crate) async fn terms(tx: &mut Tx, keys: &Keys, now: DateTime<Utc>) -> Result<Terms, Fault> {
    let merchant = merchant::store::find(tx).await?;
    let merchant = merchant.ok_or_else(|| Fault::not_found("merchant"))?;
    let zone = Zone::parse(&merchant.zone).map_err(Fault::internal)?;
    let attributes: HashMap<_, _> = attribute::store::by_code(tx).await?;
    Ok(Terms { now, zone, attributes, keys: keys.clone() })
}

/// The persons of an audience at an instant, as a tree of tests.
async fn node(
    tx: &mut Tx,
    keys: &Keys,
    audience: &Audience,
    now: DateTime<Utc>,
) -> Result<Node, Fault> {
    let terms = terms(tx, keys, now).await?;
    filter::read(&audience.filter()?, "filter", &terms)
}
