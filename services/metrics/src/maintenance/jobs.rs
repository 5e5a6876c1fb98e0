//! The work that nobody asks for: folding changed days soon after they changed.

use std::{collections::HashMap, convert::Infallible, time::Duration};

use siyu_kernel::{Fault, Id, kind};
use siyu_runtime::{CancellationToken, pause};
use tokio::time::Instant;

use crate::{App, limits, merchant};

/// When a merchant may be folded next.
type Rests = HashMap<Id<kind::Merchant>, Instant>;

/// Folds changed days of all merchants until `cancel`. A merchant rests after a fold, the longer the fold took.
pub async fn fold(app: App, cancel: CancellationToken) -> Result<(), Infallible> {
    let mut rests = Rests::new();
    while !cancel.is_cancelled() {
        if let Err(fault) = fold_once(&app, &mut rests).await {
            tracing::warn!(?fault, "changed days could not be folded; they stay marked");
        }
        cancel.run_until_cancelled(pause(limits::FOLD_PAUSE)).await;
    }
    Ok(())
}

async fn fold_once(app: &App, rests: &mut Rests) -> Result<(), Fault> {
    let now = Instant::now();
    rests.retain(|_, until| *until > now);
    let mut tx = app.db.system("metrics.fold").await?;
    let dirty = merchant::store::dirty(&mut tx, limits::FOLD_MERCHANTS).await?;
    drop(tx);
    for merchant in dirty {
        if rests.contains_key(&merchant) {
            continue;
        }
        let start = Instant::now();
        app.cache.fold(merchant).await?;
        let took: Duration = start.elapsed();
        rests.insert(merchant, Instant::now() + took * limits::FOLD_REST);
    }
    Ok(())
}
