//! What a store is. Pure.

use chrono::{DateTime, NaiveDate, Utc};
use prost::Message;
use siyu_grpc::parse::{self, timestamp};
use siyu_kernel::{Id, IdError, Point, Violation, Zone, kind};
use siyu_proto::{member::v1 as proto, r#type::v1::Money};

use crate::{merchant::Merchant, region::RegionId};

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
    /// The region that it belongs to.
    pub region_id: Option<RegionId>,
    /// What opening it cost, in minor units of the merchant's currency; 0: not known.
    pub opening_cost_minor: i64,
    /// How far north it stands, in millionths of a degree; none: not known, like the longitude.
    pub latitude_e6: Option<i32>,
    /// How far east.
    pub longitude_e6: Option<i32>,
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

/// Reads a store of the contract; ids and times are set by the caller. What is not given stays as in `before`.
pub fn read(
    field: &str,
    store: &proto::Store,
    before: Option<&Store>,
    merchant: &Merchant,
    (id, now): (StoreId, DateTime<Utc>),
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
    let zone = if store.zone.is_empty() { &merchant.zone } else { &store.zone };
    if let Err(error) = Zone::parse(zone) {
        refuse("zone", error.to_string());
    }
    let hours = store.hours.clone().unwrap_or_default();
    for (name, description) in wrong_hours(&hours) {
        refuse(&name, description);
    }
    let region_id = match store.region_id.as_deref() {
        None => before.and_then(|store| store.region_id),
        Some("") => None,
        Some(text) => text.parse().map_or_else(
            |error: IdError| {
                refuse("region_id", error.to_string());
                None
            },
            Some,
        ),
    };
    let opening_cost_minor = match &store.opening_cost {
        None => before.map_or(0, |store| store.opening_cost_minor),
        Some(cost) if cost.currency_code != merchant.currency => {
            let text = format!("must be {}, the merchant's currency", merchant.currency);
            refuse("opening_cost.currency_code", text);
            0
        }
        Some(cost) if cost.minor_units < 0 => {
            refuse("opening_cost.minor_units", "must not be negative".into());
            0
        }
        Some(cost) => cost.minor_units,
    };
    let point = match &store.point {
        None => before.and_then(Store::point),
        Some(point) => parse::point(&format!("{field}.point"), point).unwrap_or_else(|fault| {
            wrong.extend(fault.violations().iter().cloned());
            None
        }),
    };
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
        region_id,
        opening_cost_minor,
        latitude_e6: point.map(Point::latitude_e6),
        longitude_e6: point.map(Point::longitude_e6),
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

    /// Where it stands, if that is known.
    fn point(&self) -> Option<Point> {
        Point::new(self.latitude_e6?, self.longitude_e6?).ok()
    }

    /// The store on the wire, with its cost in the currency of its merchant.
    pub fn show(self, currency: &str) -> proto::Store {
        let kind = match self.kind {
            Kind::Direct => proto::StoreKind::Direct,
            Kind::Franchise => proto::StoreKind::Franchise,
        };
        let hours = proto::OpeningHours::decode(self.hours.as_slice());
        let point = self.point().map(parse::geo_point);
        proto::Store {
            id: self.id.to_string(),
            code: self.code,
            name: self.name,
            kind: kind.into(),
            zone: self.zone,
            hours: Some(hours.expect("the row holds what was encoded")),
            area_centi_sqm: self.area_centi_sqm,
            create_time: Some(timestamp(self.created_at)),
            update_time: Some(timestamp(self.updated_at)),
            region_id: Some(self.region_id.map(|id| id.to_string()).unwrap_or_default()),
            opening_cost: Some(Money {
                currency_code: currency.to_owned(),
                minor_units: self.opening_cost_minor,
            }),
            point,
        }
    }
}
