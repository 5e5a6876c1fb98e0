//! What a store is. Pure.

use chrono::{DateTime, NaiveDate, Utc};
use prost::Message;
use siyu_grpc::parse::timestamp;
use siyu_kernel::{Id, Violation, Zone, kind};
use siyu_proto::member::v1 as proto;

/// The id of a store.
pub type StoreId = Id<kind::Store>;

/// A store: the row.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Store {
    /// The id.
    pub id: StoreId,
    /// The merchant's own key.
    pub code: String,
    /// The name.
    pub name: String,
    /// Who runs it.
    pub kind: Kind,
    /// The IANA zone of its clock.
    pub zone: String,
    /// When it is open: an encoded `OpeningHours`.
    pub hours: Vec<u8>,
    /// The selling floor in hundredths of a square metre.
    pub area_centi_sqm: i64,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

/// Who runs a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Kind {
    /// The merchant (直营).
    Direct,
    /// A franchisee (加盟).
    Franchise,
}

impl Kind {
    /// The word in columns.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Franchise => "franchise",
        }
    }
}

/// Reads a store of the contract; ids and times are set by the caller.
pub fn read(
    field: &str,
    store: &proto::Store,
    id: StoreId,
    merchant_zone: &str,
    now: DateTime<Utc>,
) -> Result<Store, Vec<Violation>> {
    let mut wrong = Vec::new();
    let mut refuse = |name: &str, description: String| {
        wrong.push(Violation { field: format!("{field}.{name}"), description });
    };
    let kind = match proto::StoreKind::try_from(store.kind) {
        Ok(proto::StoreKind::Unspecified | proto::StoreKind::Direct) => Kind::Direct,
        Ok(proto::StoreKind::Franchise) => Kind::Franchise,
        Err(_) => {
            refuse("kind", "is not a known value".into());
            Kind::Direct
        }
    };
    let zone = if store.zone.is_empty() { merchant_zone } else { &store.zone };
    if let Err(error) = Zone::parse(zone) {
        refuse("zone", error.to_string());
    }
    let hours = store.hours.clone().unwrap_or_default();
    for (name, description) in wrong_hours(&hours) {
        refuse(&name, description);
    }
    if !wrong.is_empty() {
        return Err(wrong);
    }
    Ok(Store {
        id,
        code: store.code.clone(),
        name: store.name.clone(),
        kind,
        zone: zone.to_owned(),
        hours: hours.encode_to_vec(),
        area_centi_sqm: store.area_centi_sqm,
        created_at: now,
        updated_at: now,
    })
}

fn wrong_hours(hours: &proto::OpeningHours) -> Vec<(String, String)> {
    let mut wrong = Vec::new();
    let mut check_span = |path: String, span: &proto::OpeningSpan| {
        if span.close_minute <= span.open_minute || span.close_minute - span.open_minute > 1440 {
            let text = "must be after open_minute by at most a day".to_owned();
            wrong.push((format!("{path}.close_minute"), text));
        }
    };
    for (i, span) in hours.weekly.iter().enumerate() {
        check_span(format!("hours.weekly[{i}]"), span);
    }
    for (i, exception) in hours.exceptions.iter().enumerate() {
        for (j, span) in exception.spans.iter().enumerate() {
            check_span(format!("hours.exceptions[{i}].spans[{j}]"), span);
        }
    }
    for (i, exception) in hours.exceptions.iter().enumerate() {
        if exception.day.parse::<NaiveDate>().is_err() {
            let text = "must be a day like 2024-10-01".to_owned();
            wrong.push((format!("hours.exceptions[{i}].day"), text));
        }
    }
    wrong
}

impl Store {
    /// Says the same as another version, but for the times.
    pub fn same_as(&self, other: &Self) -> bool {
        let bare = |store: &Self| Self {
            id: self.id,
            created_at: self.created_at,
            updated_at: self.updated_at,
            ..store.clone()
        };
        bare(self) == bare(other)
    }
}

impl From<Store> for proto::Store {
    fn from(store: Store) -> Self {
        let kind = match store.kind {
            Kind::Direct => proto::StoreKind::Direct,
            Kind::Franchise => proto::StoreKind::Franchise,
        };
        Self {
            id: store.id.to_string(),
            code: store.code,
            name: store.name,
            kind: kind.into(),
            zone: store.zone,
            hours: Some(
                proto::OpeningHours::decode(store.hours.as_slice())
                    .expect("the row holds what was encoded"),
            ),
            area_centi_sqm: store.area_centi_sqm,
            create_time: Some(timestamp(store.created_at)),
            update_time: Some(timestamp(store.updated_at)),
        }
    }
}
