//! From changed days to aggregates: read the facts of the days, build their cells, plan what follows, write. Everything
//! is computed from facts, so a fold that is repeated, or done by another process, writes the same bytes.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use prost::Message;
use siyu_grpc::parse;
use siyu_kernel::{Fault, Id, LocalDay, OpeningHours, Zone, kind};
use siyu_pg::Tx;
use siyu_proto::member::v1::OpeningHours as Wire;

use super::{
    Cubes,
    store::{self, Blob},
};
use crate::{
    engine::{Cube, DayCell, Delta, Fact, Scope},
    fact, limits, merchant,
};

/// What a rebuild found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rebuilt {
    /// Facts that were read.
    pub facts: i64,
    /// Days that were computed.
    pub days: i64,
    /// The aggregates before and after are equal, byte for byte.
    pub equal: bool,
}

/// Folds the marked days of the transaction's merchant, which is locked, into `cubes`, which show what is stored. The
/// caller commits and then applies the deltas.
pub async fn fold(
    tx: &mut Tx,
    zone: Zone,
    cubes: &Cubes,
    version: i64,
) -> Result<Vec<(Scope, Delta)>, Fault> {
    let days = store::take_dirty(tx).await?;
    let cells = cells(tx, zone, &days).await?;
    let mut deltas = Vec::new();
    for (scope, fresh) in cells {
        let delta = cubes.of(scope).plan(fresh);
        store::save(tx, &store::blobs(scope, &delta), version).await?;
        deltas.push((scope, delta));
    }
    merchant::store::save_folded(tx, version).await?;
    Ok(deltas)
}

/// Computes every aggregate anew and writes what stands differently, of the transaction's merchant, which is locked and has
/// no marked day.
pub async fn rebuild(tx: &mut Tx, zone: Zone, version: i64) -> Result<Rebuilt, Fault> {
    let (days, facts) = fact::store::days(tx).await?;
    let mut fresh: BTreeMap<(i16, i16, i32), Vec<u8>> = BTreeMap::new();
    for (scope, cells) in cells(tx, zone, &days).await? {
        let delta = Cube::default().plan(cells);
        let blobs = store::blobs(scope, &delta).into_iter().filter(|blob| !blob.bytes.is_empty());
        fresh.extend(blobs.map(|blob| ((blob.scope, blob.kind, blob.key), blob.bytes)));
    }
    let stored: BTreeMap<(i16, i16, i32), Vec<u8>> = store::since(tx, 0)
        .await?
        .into_iter()
        .map(|blob| ((blob.scope, blob.kind, blob.key), blob.bytes))
        .collect();
    let keys: BTreeSet<_> = fresh.keys().chain(stored.keys()).copied().collect();
    let differs = |key: &(i16, i16, i32)| {
        let (new, old) = (
            fresh.get(key).cloned().unwrap_or_default(),
            stored.get(key).cloned().unwrap_or_default(),
        );
        (new != old).then_some(Blob { scope: key.0, kind: key.1, key: key.2, bytes: new })
    };
    let changed: Vec<Blob> = keys.iter().filter_map(differs).collect();
    store::save(tx, &changed, version).await?;
    merchant::store::save_folded(tx, version).await?;
    let days = i64::try_from(days.len()).expect("days are few");
    Ok(Rebuilt { facts, days, equal: changed.is_empty() })
}

/// The cells of days in both scopes; a day without a sale gets an empty one.
async fn cells(
    tx: &mut Tx,
    zone: Zone,
    days: &[i32],
) -> Result<Vec<(Scope, Vec<(LocalDay, DayCell)>)>, Fault> {
    let hours = hours(tx, zone).await?;
    let mut cells: Vec<(Scope, Vec<(LocalDay, DayCell)>)> =
        Scope::EVERY.map(|scope| (scope, Vec::with_capacity(days.len()))).into();
    for chunk in days.chunks(limits::FOLD_DAYS) {
        let mut by_day: BTreeMap<i32, Vec<Fact>> =
            chunk.iter().map(|&day| (day, Vec::new())).collect();
        for row in fact::store::of_days(tx, chunk).await? {
            let fact = row.fact(!hours.of(row.store_id).is_open(row.paid_at()));
            by_day.entry(fact.day.0).or_default().push(fact);
        }
        for (scope, cells) in &mut cells {
            for (&day, facts) in &by_day {
                let taken = facts.iter().filter(|fact| scope.takes(fact.domain));
                cells.push((LocalDay(day), DayCell::build(taken).map_err(Fault::internal)?));
            }
        }
    }
    Ok(cells)
}

/// The hours of every store, and those of an order without one.
struct Hours {
    stores: HashMap<Id<kind::Store>, OpeningHours>,
    without: OpeningHours,
}

impl Hours {
    fn of(&self, store: Option<Id<kind::Store>>) -> &OpeningHours {
        store.and_then(|store| self.stores.get(&store)).unwrap_or(&self.without)
    }
}

async fn hours(tx: &mut Tx, zone: Zone) -> Result<Hours, Fault> {
    let calendar = |row: merchant::store::Store| {
        let own = Zone::parse(&row.zone).map_err(Fault::internal)?;
        let wire = Wire::decode(row.hours.as_slice()).map_err(Fault::internal)?;
        Ok((row.store_id, parse::opening_hours(own, &wire)))
    };
    let stores = merchant::store::stores(tx)
        .await?
        .into_iter()
        .map(calendar)
        .collect::<Result<_, Fault>>()?;
    Ok(Hours { stores, without: OpeningHours::without_store(zone) })
}
