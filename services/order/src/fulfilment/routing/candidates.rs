//! Reads the stores that could be asked, with what they have and how far they are.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use siyu_kernel::{Fault, Point};
use siyu_pg::Tx;

use super::Around;
use crate::{
    fulfilment::{
        StoreId,
        assignment::store as assignments,
        route::{Candidate, Method, Needs, distance_m},
        site::store::{self as sites, Able},
    },
    limits,
    stock::{self, Key, Reservation},
};

/// What is to be fulfilled of an order.
pub(super) struct Of<'a> {
    /// What is reserved for the order.
    pub(super) held: &'a [Reservation],
    /// Where what is asked for is reserved.
    pub(super) location: &'a str,
    /// Where the goods go, if that is known.
    pub(super) destination: Option<Point>,
    /// Within which time a store has to be open: from now on, before the promise.
    pub(super) open: (DateTime<Utc>, DateTime<Utc>),
}

/// The stores that could be asked, with what they have. An order that is fetched is offered to the store that its buyer chose. A
/// store that the member service does not know is nowhere and shut.
pub(super) async fn candidates(
    tx: &mut Tx,
    needs: &Needs,
    of: &Of<'_>,
    around: &Around,
) -> Result<Vec<Candidate>, Fault> {
    if needs.pieces.is_empty() {
        return Ok(Vec::new());
    }
    let mut able = sites::able(tx, needs.method.as_str(), limits::SITES_COMPARED).await?;
    able.retain(|able| around.except != Some(able.store_id));
    if needs.method == Method::PickUp {
        able.retain(|able| needs.own_store == Some(able.store_id));
    }
    if able.is_empty() {
        return Ok(Vec::new());
    }
    let stores: Vec<StoreId> = able.iter().map(|able| able.store_id).collect();
    let loads = assignments::loads(tx, &stores).await?;
    let at = |sku: &String, location: &str| Key { sku: sku.clone(), location: location.to_owned() };
    let keys: BTreeSet<Key> = able
        .iter()
        .flat_map(|able| needs.pieces.keys().map(|sku| at(sku, &able.site.location)))
        .collect();
    let places = stock::look(tx, &keys.iter().collect()).await?;
    let channel = of.held.first().map_or("", |held| held.key.channel.as_str());
    let has = |sku: &String, location: &str| {
        let key = at(sku, location);
        let free = places.get(&key).map_or(0, |place| place.available_to(channel)).max(0);
        // What the order itself holds there is there for it.
        let own = if location == of.location { needs.pieces[sku] } else { 0 };
        (sku.clone(), free + own)
    };
    let candidate = |(able, load): (Able, i64)| {
        let (code, shop) = (&able.site.location, around.shops.of(able.store_id));
        let points = (shop.and_then(|shop| shop.point), of.destination);
        let told = around.distances.get(code).copied();
        let is_own = needs.own_store == Some(able.store_id);
        Candidate {
            id: able.store_id,
            opens_at: shop.and_then(|shop| shop.hours.opens(of.open.0, of.open.1)),
            methods: able.site.serves(),
            distance_m: distance_m(needs.method, told, points, is_own),
            radius_m: able.site.radius_m,
            load,
            capacity: able.site.capacity,
            stock: needs.pieces.keys().map(|sku| has(sku, code)).collect(),
        }
    };
    Ok(able.into_iter().zip(loads).map(candidate).collect())
}
