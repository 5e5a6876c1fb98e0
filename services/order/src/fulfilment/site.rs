//! Sites: the stores that fulfil orders from their own stock, and how.

pub(crate) mod rpc;
pub mod store;

use std::collections::BTreeSet;

use siyu_kernel::{Fault, Violation};
use siyu_pg::Tx;
use siyu_proto::order::v1 as proto;

use super::{StoreId, route::Method};
use crate::location;

/// A site: the row.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Site {
    /// The stock of the store.
    pub location: String,
    /// What it serves: words of [`Method`].
    pub methods: Vec<String>,
    /// Whether it is not asked at present.
    pub paused: bool,
    /// How many parts of orders it can have; none: no bound.
    pub capacity: Option<i64>,
    /// How far it serves, in metres; none: everywhere.
    pub radius_m: Option<i64>,
}

/// Who takes something on, and where the pieces come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    /// The location; empty: wherever the pieces are.
    pub(crate) code: String,
    /// The store; nothing: headquarters.
    pub(crate) store_id: Option<StoreId>,
}

impl Method {
    const ALL: [Self; 3] = [Self::PickUp, Self::LocalDelivery, Self::Parcel];

    /// The word in columns.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PickUp => "pick_up",
            Self::LocalDelivery => "local",
            Self::Parcel => "parcel",
        }
    }

    /// The method that a contract's value names; `None` for "not given".
    const fn of_proto(method: proto::FulfilmentMethod) -> Option<Self> {
        match method {
            proto::FulfilmentMethod::Unspecified => None,
            proto::FulfilmentMethod::Parcel => Some(Self::Parcel),
            proto::FulfilmentMethod::PickUp => Some(Self::PickUp),
            proto::FulfilmentMethod::Local => Some(Self::LocalDelivery),
        }
    }

    const fn show(self) -> proto::FulfilmentMethod {
        match self {
            Self::PickUp => proto::FulfilmentMethod::PickUp,
            Self::LocalDelivery => proto::FulfilmentMethod::Local,
            Self::Parcel => proto::FulfilmentMethod::Parcel,
        }
    }
}

/// Reads a site, or says what is wrong with it.
fn read(field: &str, site: &proto::FulfilmentSite) -> Result<Site, Vec<Violation>> {
    let (mut methods, mut wrong) = (BTreeSet::new(), Vec::new());
    for (i, method) in site.methods.iter().enumerate() {
        let method = proto::FulfilmentMethod::try_from(*method).ok().and_then(Method::of_proto);
        let description = match method {
            Some(method) if methods.insert(method) => continue,
            Some(_) => "stands twice",
            None => "is not a known value",
        };
        let field = format!("{field}.methods[{i}]");
        wrong.push(Violation { field, description: description.to_owned() });
    }
    if !wrong.is_empty() {
        return Err(wrong);
    }
    let bound = |given: i64| (given > 0).then_some(given);
    Ok(Site {
        location: site.location_code.clone(),
        methods: methods.into_iter().map(|method| method.as_str().to_owned()).collect(),
        paused: site.paused,
        capacity: bound(site.capacity),
        radius_m: bound(site.radius_m),
    })
}

impl Site {
    /// What it serves.
    pub(crate) fn serves(&self) -> Vec<Method> {
        let has = |method: &Method| self.methods.iter().any(|word| word == method.as_str());
        Method::ALL.into_iter().filter(has).collect()
    }

    fn show(&self) -> proto::FulfilmentSite {
        proto::FulfilmentSite {
            location_code: self.location.clone(),
            methods: self.serves().into_iter().map(|method| method.show().into()).collect(),
            paused: self.paused,
            capacity: self.capacity.unwrap_or(0),
            radius_m: self.radius_m.unwrap_or(0),
        }
    }
}

/// Who is at a location: its store, or headquarters; an empty code is headquarters wherever the pieces are.
///
/// # Errors
/// A violation of `location_code`.
pub(crate) async fn place(tx: &mut Tx, code: &str) -> Result<Place, Fault> {
    if code.is_empty() {
        return Ok(Place { code: String::new(), store_id: None });
    }
    let found = location::store::of_codes(tx, &[code]).await?.pop();
    let unknown = || Fault::field("location_code", format!("no location has the code \"{code}\""));
    let found = found.ok_or_else(unknown)?;
    Ok(Place { code: found.code, store_id: found.store_id })
}

/// The store whose stock a location is.
///
/// # Errors
/// A violation of `location_code`.
pub(crate) async fn store_at(tx: &mut Tx, code: &str) -> Result<(StoreId, String), Fault> {
    let place = place(tx, code).await?;
    let none = || Fault::field("location_code", format!("\"{code}\" is not the stock of a store"));
    Ok((place.store_id.ok_or_else(none)?, place.code))
}
