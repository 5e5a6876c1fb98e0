//! Concurrent reservations share a transaction: one lock of the stock that everybody wants, one write, one commit for many of
//! them (rule 19). For orders that are not stored yet: what they reserve has an end soon, and an order that comes to be
//! [claims](super::claim) it. So a crash between the two leaves pieces that come back by themselves.

use std::{
    collections::BTreeMap,
    fmt,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
};

use chrono::{DateTime, Utc};
use futures::future::join_all;
use siyu_kernel::{Code, Fault, Id, Ids, kind::Merchant};
use siyu_pg::{Db, coalesce::Coalescer};
use siyu_runtime::CancellationToken;

use super::{
    demand::{Request, Shortage},
    hold,
};
use crate::limits;

/// Done, or what the order cannot have.
type Answer = Result<(), Vec<Shortage>>;
type Lane = Coalescer<Ask, Answer, Fault>;
type Worker = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Where reservations are handed in. Clones share it.
#[derive(Clone)]
pub struct Desk {
    lanes: Arc<[Lane]>,
    /// What works the lanes, until it is run.
    worker: Arc<Mutex<Option<Worker>>>,
}

/// What one caller asks for.
#[derive(Debug)]
struct Ask {
    merchant: Id<Merchant>,
    request: Request,
    now: DateTime<Utc>,
}

impl Desk {
    /// A desk, whose work somebody has to [run](Self::run).
    pub(crate) fn new(db: &Db, ids: &Arc<dyn Ids>) -> Self {
        let lane = |_| {
            let (db, ids) = (db.clone(), Arc::clone(ids));
            Coalescer::new(limits::RESERVATIONS, move |asks| {
                let (db, ids) = (db.clone(), Arc::clone(&ids));
                async move { reserve_shared(&db, &*ids, &asks).await }
            })
        };
        let lanes = (0..limits::RESERVATION_LANES).map(lane);
        let (lanes, workers): (Vec<Lane>, Vec<_>) = lanes.unzip();
        let worker: Worker = Box::pin(async move { drop(join_all(workers).await) });
        Self { lanes: lanes.into(), worker: Arc::new(Mutex::new(Some(worker))) }
    }

    /// Works until it is cancelled. Reservations under way are then told that the service stops; those that were made end by
    /// themselves.
    pub(crate) async fn run(&self, cancel: CancellationToken) {
        let worker = self.worker.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(worker) = worker else { return cancel.cancelled().await };
        cancel.run_until_cancelled(worker).await;
    }

    /// Reserves what an order wants, everything or nothing, and commits. An order that has reserved before keeps what it has, be
    /// it something else, and gets nothing in addition, so that a repeat changes nothing.
    ///
    /// # Errors
    /// `OVERLOADED` when too many wait; the fault of the database.
    pub(crate) async fn reserve(
        &self,
        merchant: Id<Merchant>,
        request: Request,
        now: DateTime<Utc>,
    ) -> Result<Answer, Fault> {
        let lane = merchant.uuid().as_u128() % self.lanes.len() as u128;
        let lane = usize::try_from(lane).expect("there are few lanes");
        self.lanes[lane].call(Ask { merchant, request, now }).await
    }
}

impl fmt::Debug for Desk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Desk").field("lanes", &self.lanes.len()).finish_non_exhaustive()
    }
}

/// Reserves merchant by merchant, each merchant's in one transaction; answers in the order of the asks.
async fn reserve_shared(db: &Db, ids: &dyn Ids, asks: &[Ask]) -> Vec<Result<Answer, Fault>> {
    let mut shares: BTreeMap<_, Vec<usize>> = BTreeMap::new();
    for (i, ask) in asks.iter().enumerate() {
        shares.entry(ask.merchant).or_default().push(i);
    }
    let mut answers: Vec<Option<_>> = asks.iter().map(|_| None).collect();
    for (merchant, positions) in shares {
        let share: Vec<&Ask> = positions.iter().map(|&i| &asks[i]).collect();
        for (i, answer) in positions.into_iter().zip(reserve_share(db, ids, merchant, &share).await)
        {
            answers[i] = Some(answer);
        }
    }
    answers.into_iter().map(|answer| answer.expect("every ask is of a share")).collect()
}

async fn reserve_share(
    db: &Db,
    ids: &dyn Ids,
    merchant: Id<Merchant>,
    share: &[&Ask],
) -> Vec<Result<Answer, Fault>> {
    match reserve_together(db, ids, merchant, share).await {
        Ok(answers) => answers.into_iter().map(Ok).collect(),
        Err(fault) if share.len() == 1 => vec![Err(fault)],
        // Then every repeat would wait for the database in vain.
        Err(fault) if matches!(fault.code(), Code::Unavailable | Code::DeadlineExceeded) => {
            let again = || Fault::new(fault.code(), fault.reason(), fault.message().to_owned());
            share.iter().map(|_| Err(again())).collect()
        }
        // One of them spoils it for the others: each for itself, so that only that one fails.
        Err(_) => {
            let mut answers = Vec::with_capacity(share.len());
            for &ask in share {
                let alone = reserve_together(db, ids, merchant, &[ask]).await;
                answers.push(alone.map(|mut answers| answers.remove(0)));
            }
            answers
        }
    }
}

async fn reserve_together(
    db: &Db,
    ids: &dyn Ids,
    merchant: Id<Merchant>,
    share: &[&Ask],
) -> Result<Vec<Answer>, Fault> {
    let now = share.iter().map(|ask| ask.now).max().expect("a share has an ask");
    let requests: Vec<&Request> = share.iter().map(|ask| &ask.request).collect();
    let mut tx = db.tenant(merchant).await?;
    let answers = hold::reserve_ahead(&mut tx, &requests, now, ids).await?;
    tx.commit().await?;
    Ok(answers)
}
