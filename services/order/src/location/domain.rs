//! What a location is. Pure.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use siyu_grpc::parse;
use siyu_kernel::{Id, Violation, kind::Store};
use siyu_proto::order::v1 as proto;

/// What a location is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Kind {
    /// A store.
    Store,
    /// A warehouse.
    Warehouse,
}

/// A location: the row.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Location {
    /// The merchant's own key.
    pub code: String,
    /// The name.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// The merchant's own key of the store; empty without one.
    pub store_code: String,
    /// The store, of the member service.
    pub store_id: Option<Id<Store>>,
    /// When it was created here.
    pub created_at: DateTime<Utc>,
    /// When it was last changed here.
    pub updated_at: DateTime<Utc>,
}

impl Kind {
    /// The word of the column.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Store => "store",
            Self::Warehouse => "warehouse",
        }
    }

    /// The kind that a request names; none where it names none.
    pub const fn of_proto(kind: proto::LocationKind) -> Option<Self> {
        match kind {
            proto::LocationKind::Unspecified => None,
            proto::LocationKind::Store => Some(Self::Store),
            proto::LocationKind::Warehouse => Some(Self::Warehouse),
        }
    }
}

impl From<Kind> for proto::LocationKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Store => Self::Store,
            Kind::Warehouse => Self::Warehouse,
        }
    }
}

/// Reads a location, or says what is wrong with it.
pub fn read(
    field: &str,
    location: &proto::Location,
    stores: &HashMap<String, Id<Store>>,
    now: DateTime<Utc>,
) -> Result<Location, Vec<Violation>> {
    let mut wrong = Vec::new();
    let mut say = |name: &str, description: String| {
        wrong.push(Violation { field: format!("{field}.{name}"), description });
    };
    let kind = proto::LocationKind::try_from(location.kind).ok().and_then(Kind::of_proto);
    if kind.is_none() {
        say("kind", "is not a known value".to_owned());
    }
    let store_code = &location.store_code;
    let store_id = stores.get(store_code).copied();
    if !store_code.is_empty() && kind == Some(Kind::Warehouse) {
        say("store_code", "a warehouse is not the stock of a store".to_owned());
    } else if !store_code.is_empty() && store_id.is_none() {
        say("store_code", format!("no store has the code \"{store_code}\""));
    }
    let Some(kind) = kind.filter(|_| wrong.is_empty()) else { return Err(wrong) };
    Ok(Location {
        code: location.code.clone(),
        name: location.name.clone(),
        kind,
        store_code: store_code.clone(),
        store_id,
        created_at: now,
        updated_at: now,
    })
}

impl Location {
    /// As callers see it.
    pub fn show(self) -> proto::Location {
        proto::Location {
            code: self.code,
            name: self.name,
            kind: proto::LocationKind::from(self.kind).into(),
            store_code: self.store_code,
            store_id: self.store_id.map(|id| id.to_string()).unwrap_or_default(),
            create_time: Some(parse::timestamp(self.created_at)),
            update_time: Some(parse::timestamp(self.updated_at)),
        }
    }
}
