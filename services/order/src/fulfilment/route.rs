//! Which stores could fulfil an order, the best first (reference §3.7). Pure.
//!
//! A store is asked if it is open or opens before the promise, serves the method, is near enough and has capacity left. It
//! scores `distance + load + not the buyer's own store + further stores`, each weighted; the smallest wins, ties by the id of
//! the store. Where an order may be split, a store that lacks something gives what it has, and the next best give the rest.
//!
//! Of a distance that nobody knows the worst is assumed: a store with a radius is left out, a courier is not sent at all, and a
//! parcel counts as far as the farthest way that is known.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use siyu_kernel::Point;

use super::StoreId;

#[cfg(test)]
mod tests;

/// How goods come to the buyer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Method {
    /// The buyer comes.
    PickUp,
    /// Somebody brings it from the store.
    LocalDelivery,
    /// A carrier brings it.
    Parcel,
}

/// What an order needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Needs {
    /// Pieces by SKU, summed over the lines that share one (rule 19).
    pub pieces: BTreeMap<String, i64>,
    /// How they come to the buyer.
    pub method: Method,
    /// The store that the buyer belongs to.
    pub own_store: Option<StoreId>,
}

/// A store as routing sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The store.
    pub id: StoreId,
    /// When it opens, or an instant at which it is open; nothing: not before the promise.
    pub opens_at: Option<DateTime<Utc>>,
    /// What it serves.
    pub methods: Vec<Method>,
    /// How far the buyer is, in metres; nothing: not known.
    pub distance_m: Option<i64>,
    /// How far it serves, in metres; nothing: everywhere.
    pub radius_m: Option<i64>,
    /// How many orders it has to fulfil.
    pub load: i64,
    /// How many it can have; nothing: no bound.
    pub capacity: Option<i64>,
    /// Pieces that it has, by SKU.
    pub stock: BTreeMap<String, i64>,
}

/// Why a store is not asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeftOut {
    /// It does not open before the promise.
    Shut,
    /// It does not bring goods to buyers in this way.
    OtherMethod,
    /// The buyer is beyond its radius.
    TooFar,
    /// Nobody knows how far the buyer is.
    DistanceUnknown,
    /// It has as much to fulfil as it can.
    Full,
}

/// How a merchant routes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// What things weigh.
    pub weights: Weights,
    /// Whether several stores may fulfil one order.
    pub split: Split,
    /// How many stores are asked before headquarters decide.
    pub asked_max: usize,
}

/// What things weigh in a score: all in metres, so that "half a kilometre for each waiting order" can be said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Weights {
    /// A metre.
    pub distance: i64,
    /// An order that the store has to fulfil.
    pub load: i64,
    /// A store that is not the buyer's own.
    pub not_own: i64,
    /// Each store beyond the first.
    pub split: i64,
}

/// Whether several stores may fulfil one order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Split {
    /// One store has all of it.
    Never,
    /// At most so many stores.
    UpTo(usize),
}

/// A way to fulfil an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// Smaller is better.
    pub score: i64,
    /// Who gives what; the first is the store that is scored.
    pub parts: Vec<Part>,
}

/// What one store gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The store.
    pub store: StoreId,
    /// Pieces by SKU.
    pub pieces: BTreeMap<String, i64>,
}

impl Default for Policy {
    /// Half a kilometre for a waiting order, two for another store, five for a second parcel; three stores are asked.
    fn default() -> Self {
        Self {
            weights: Weights { distance: 1, load: 500, not_own: 2_000, split: 5_000 },
            split: Split::Never,
            asked_max: 3,
        }
    }
}

/// The ways to fulfil an order, the best first, no more than are asked. Empty: headquarters decide.
pub fn route(needs: &Needs, stores: &[Candidate], policy: &Policy) -> Vec<Route> {
    let able = stores.iter().filter(|store| store.left_out(needs).is_none());
    let farthest = able.clone().filter_map(|store| store.distance_m).max().unwrap_or(0);
    let score = |store: &Candidate| store.score(needs, &policy.weights, farthest);
    let mut able: Vec<(i64, &Candidate)> = able.map(|store| (score(store), store)).collect();
    able.sort_by_key(|(score, store)| (*score, store.id));
    let mut routes: Vec<Route> = able
        .iter()
        .filter_map(|(score, first)| {
            let parts = parts(needs, first, &able, policy.split)?;
            let further = i64::try_from(parts.len() - 1).expect("stores can be counted");
            let score = score.saturating_add(policy.weights.split.saturating_mul(further));
            Some(Route { score, parts })
        })
        .collect();
    routes.sort_by_key(|route| (route.score, route.parts[0].store));
    routes.truncate(policy.asked_max);
    routes
}

/// How far a buyer is from a store, in metres, by the best that is known of it: what the caller says, the great circle between
/// two points, or that it is the order's own store, which its buyer chose. Whoever fetches an order has no way that counts.
pub fn distance_m(
    method: Method,
    told: Option<i64>,
    (of_store, destination): (Option<Point>, Option<Point>),
    is_own: bool,
) -> Option<i64> {
    let circle = || of_store.zip(destination).map(|(from, to)| from.distance_m(to));
    match method {
        Method::PickUp => Some(0),
        Method::LocalDelivery => told.or_else(circle).or(is_own.then_some(0)),
        Method::Parcel => told.or_else(circle),
    }
}

/// Takes all that the first store has, then what the next best have of the rest; nothing if that does not do.
fn parts(
    needs: &Needs,
    first: &Candidate,
    able: &[(i64, &Candidate)],
    split: Split,
) -> Option<Vec<Part>> {
    let most = match split {
        Split::Never => 1,
        Split::UpTo(most) => most,
    };
    let others = able.iter().map(|(_, store)| *store).filter(|store| store.id != first.id);
    let (mut left, mut parts) = (needs.pieces.clone(), Vec::new());
    left.retain(|_, pieces| *pieces > 0);
    for store in std::iter::once(first).chain(others) {
        if left.is_empty() || parts.len() == most {
            break;
        }
        let pieces = store.give(&mut left);
        if !pieces.is_empty() {
            parts.push(Part { store: store.id, pieces });
        } else if parts.is_empty() {
            return None;
        }
    }
    (left.is_empty() && !parts.is_empty()).then_some(parts)
}

impl Candidate {
    /// Why the store is not asked, whatever it has; nothing: it may be.
    pub fn left_out(&self, needs: &Needs) -> Option<LeftOut> {
        if !self.methods.contains(&needs.method) {
            return Some(LeftOut::OtherMethod);
        }
        if self.opens_at.is_none() {
            return Some(LeftOut::Shut);
        }
        if self.capacity.is_some_and(|capacity| self.load >= capacity) {
            return Some(LeftOut::Full);
        }
        match (self.distance_m, self.radius_m) {
            (Some(distance), Some(radius)) => (distance > radius).then_some(LeftOut::TooFar),
            (Some(_), None) => None,
            (None, Some(_)) => Some(LeftOut::DistanceUnknown),
            (None, None) => (needs.method != Method::Parcel).then_some(LeftOut::DistanceUnknown),
        }
    }

    fn score(&self, needs: &Needs, weights: &Weights, farthest: i64) -> i64 {
        let is_other = needs.own_store.is_some_and(|own| own != self.id);
        let distance = weights.distance.saturating_mul(self.distance_m.unwrap_or(farthest));
        let load = weights.load.saturating_mul(self.load);
        let not_own = if is_other { weights.not_own } else { 0 };
        distance.saturating_add(load).saturating_add(not_own)
    }

    /// Takes what the store has off what is left.
    fn give(&self, left: &mut BTreeMap<String, i64>) -> BTreeMap<String, i64> {
        let mut given = BTreeMap::new();
        for (sku, wanted) in left.iter_mut() {
            let has = self.stock.get(sku).copied().unwrap_or(0).clamp(0, *wanted);
            if has > 0 {
                *wanted -= has;
                given.insert(sku.clone(), has);
            }
        }
        left.retain(|_, wanted| *wanted > 0);
        given
    }
}
