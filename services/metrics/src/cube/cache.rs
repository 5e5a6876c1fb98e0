//! Which merchants' cubes are in memory, and how they are brought up to date.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use siyu_kernel::{Fault, Id, Zone, kind};
use siyu_pg::{Db, Tx};
use tokio::sync::{OwnedRwLockReadGuard, RwLock};

use super::{
    Cubes,
    fold::{self, Rebuilt},
    store,
};
use crate::{
    engine::Scope,
    limits,
    merchant::{self, store::Merchant},
};

type MerchantId = Id<kind::Merchant>;

/// The cubes of merchants. Clones share them.
#[derive(Debug, Clone)]
pub struct Cache {
    db: Db,
    kept: Arc<Mutex<Kept>>,
}

#[derive(Debug, Default)]
struct Kept {
    cubes: HashMap<MerchantId, (Arc<RwLock<Cubes>>, u64)>,
    asked: u64,
}

/// The figures of a merchant as they are now, for as long as it is held.
#[derive(Debug)]
pub struct Current {
    /// The cubes.
    pub cubes: OwnedRwLockReadGuard<Cubes>,
    /// What is known of the merchant.
    pub merchant: Merchant,
    /// Where its days are cut.
    pub zone: Zone,
}

impl Cache {
    /// An empty cache over a database.
    pub fn new(db: Db) -> Self {
        Self { db, kept: Arc::default() }
    }

    /// The figures of a merchant with every fact that was taken in; folds what is not folded yet.
    pub async fn current(&self, id: MerchantId) -> Result<Current, Fault> {
        let slot = self.slot(id);
        let mut tx = self.db.tenant_read(id).await?;
        let known = merchant::store::find_marked(&mut tx).await?;
        drop(tx);
        if let Some(known) = known.filter(|known| known.dirty == 0)
            && let Some((merchant, zone)) = with_zone(Some(known.merchant))?
        {
            let cubes = slot.read_owned().await;
            if cubes.version == merchant.folded_version {
                return Ok(Current { cubes, merchant, zone });
            }
        }
        self.folded(id).await?.ok_or_else(|| Fault::not_found("merchant"))
    }

    /// Folds the changed days of a merchant and brings its cubes up to date.
    pub async fn fold(&self, id: MerchantId) -> Result<(), Fault> {
        self.folded(id).await.map(drop)
    }

    /// Folds, and gives the figures as they are then. What is said of the merchant was read while nobody could take in facts,
    /// so that it belongs to these figures and no others.
    async fn folded(&self, id: MerchantId) -> Result<Option<Current>, Fault> {
        let mut cubes = self.slot(id).write_owned().await;
        let mut tx = self.db.tenant(id).await?;
        let Some((mut merchant, zone)) = with_zone(merchant::store::lock(&mut tx).await?)? else {
            return Ok(None);
        };
        if cubes.version != merchant.folded_version {
            let blobs = store::since(&mut tx, cubes.version).await?;
            for scope in Scope::EVERY {
                let delta = store::delta(scope, &blobs).map_err(Fault::internal)?;
                cubes.of_mut(scope).apply(delta);
            }
            cubes.version = merchant.folded_version;
        }
        if store::count_dirty(&mut tx).await? > 0 {
            let version = merchant.folded_version + 1;
            let deltas = fold::fold(&mut tx, zone, &cubes, version).await?;
            if let Err(error) = tx.commit().await {
                // Whether it is stored is unknown: start anew from what is.
                *cubes = Cubes::default();
                return Err(error.into());
            }
            for (scope, delta) in deltas {
                cubes.of_mut(scope).apply(delta);
            }
            cubes.version = version;
            merchant.folded_version = version;
        }
        Ok(Some(Current { cubes: cubes.downgrade(), merchant, zone }))
    }

    /// Computes every aggregate of a merchant anew from its facts. What waits to be folded is folded first, in the same
    /// transaction, so that "equal" compares like with like while facts come in.
    pub async fn rebuild(&self, id: MerchantId) -> Result<Rebuilt, Fault> {
        let slot = self.slot(id);
        let mut cubes = slot.write().await;
        let mut tx = self.db.tenant(id).await?;
        let Some((known, zone)) = with_zone(merchant::store::lock(&mut tx).await?)? else {
            return Err(Fault::not_found("merchant"));
        };
        if bring_up_to_date(&mut tx, &mut cubes, &known).await.is_ok() {
            fold::fold(&mut tx, zone, &cubes, known.folded_version + 1).await?;
        } else {
            // Aggregates that cannot be read are what a rebuild is for.
            store::take_dirty(&mut tx).await?;
            *cubes = Cubes::default();
        }
        let rebuilt = fold::rebuild(&mut tx, zone, known.folded_version + 2).await?;
        *cubes = Cubes::default();
        tx.commit().await?;
        Ok(rebuilt)
    }

    fn slot(&self, id: MerchantId) -> Arc<RwLock<Cubes>> {
        // Nothing panics while the map is locked; were it so, the map would still be whole.
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.asked += 1;
        let asked = kept.asked;
        let (slot, last) = kept.cubes.entry(id).or_default();
        *last = asked;
        let slot = slot.clone();
        if kept.cubes.len() > limits::CUBES_MAX {
            let oldest = kept.cubes.iter().min_by_key(|(_, (_, last))| *last).map(|(id, _)| *id);
            oldest.and_then(|id| kept.cubes.remove(&id));
        }
        slot
    }
}

/// Brings the cubes to what is stored.
async fn bring_up_to_date(tx: &mut Tx, cubes: &mut Cubes, known: &Merchant) -> Result<(), Fault> {
    if cubes.version == known.folded_version {
        return Ok(());
    }
    let blobs = store::since(tx, cubes.version).await?;
    for scope in Scope::EVERY {
        let delta = store::delta(scope, &blobs).map_err(Fault::internal)?;
        cubes.of_mut(scope).apply(delta);
    }
    cubes.version = known.folded_version;
    Ok(())
}

/// The merchant and its zone; `None` while nothing, or not yet the zone, is known.
fn with_zone(known: Option<Merchant>) -> Result<Option<(Merchant, Zone)>, Fault> {
    let Some(known) = known else { return Ok(None) };
    let Some(name) = &known.zone else { return Ok(None) };
    let zone = Zone::parse(name).map_err(Fault::internal)?;
    Ok(Some((known, zone)))
}
