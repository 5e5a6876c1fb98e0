//! Concurrent changes of points share a transaction: one look, one lock, one commit for many of them.
//!
//! Each caller gets the answer to its own change, whatever became of the others'. A change that spoils the transaction for the
//! others is done by itself, and so are they.

use std::{
    collections::BTreeMap,
    fmt,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
};

use futures::future::join_all;
use siyu_kernel::{Code, Fault, Ids};
use siyu_pg::{Db, coalesce::Coalescer};
use siyu_proto::member::v1::PointsPosting;
use siyu_runtime::CancellationToken;

use super::{
    command::Command,
    post::{self, Posted},
};
use crate::limits;

type Lane = Coalescer<Command, PointsPosting, Fault>;
type Worker = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Where changes of points are handed in. Clones share it.
#[derive(Clone)]
pub(crate) struct Desk {
    lanes: Arc<[Lane]>,
    /// What works the lanes, until it is run.
    worker: Arc<Mutex<Option<Worker>>>,
}

impl Desk {
    /// A desk, whose work somebody has to [run](Self::run).
    pub(crate) fn new(db: &Db, ids: &Arc<dyn Ids>) -> Self {
        let lane = |_| {
            let (db, ids) = (db.clone(), Arc::clone(ids));
            Coalescer::new(limits::POINTS, move |commands| {
                let (db, ids) = (db.clone(), Arc::clone(&ids));
                async move { post_shared(&db, &*ids, &commands).await }
            })
        };
        let (lanes, workers): (Vec<Lane>, Vec<_>) = (0..limits::POINT_LANES).map(lane).unzip();
        let worker: Worker = Box::pin(async move { drop(join_all(workers).await) });
        Self { lanes: lanes.into(), worker: Arc::new(Mutex::new(Some(worker))) }
    }

    /// Works until it is cancelled. Changes under way are then told that the service stops; a repeat tells what became of them.
    pub(crate) async fn run(&self, cancel: CancellationToken) {
        let worker = self.worker.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(worker) = worker else { return cancel.cancelled().await };
        cancel.run_until_cancelled(worker).await;
    }

    /// Has a change made, in a transaction that it may share with others of the merchant.
    pub(crate) async fn post(&self, command: Command) -> Result<PointsPosting, Fault> {
        let lane = command.merchant.uuid().as_u128() % self.lanes.len() as u128;
        let lane = usize::try_from(lane).expect("there are few lanes");
        self.lanes[lane].call(command).await
    }
}

impl fmt::Debug for Desk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Desk").field("lanes", &self.lanes.len()).finish_non_exhaustive()
    }
}

/// Makes the changes merchant by merchant, each merchant's in one transaction; answers in the order of the commands.
async fn post_shared(
    db: &Db,
    ids: &dyn Ids,
    commands: &[Command],
) -> Vec<Result<PointsPosting, Fault>> {
    let mut shares: BTreeMap<_, Vec<usize>> = BTreeMap::new();
    for (i, command) in commands.iter().enumerate() {
        shares.entry(command.merchant).or_default().push(i);
    }
    let mut answers: Vec<Option<_>> = commands.iter().map(|_| None).collect();
    for positions in shares.into_values() {
        let share: Vec<&Command> = positions.iter().map(|&i| &commands[i]).collect();
        for (i, answer) in positions.into_iter().zip(post_share(db, ids, &share).await) {
            answers[i] = Some(answer);
        }
    }
    answers.into_iter().map(|answer| answer.expect("every command is of a share")).collect()
}

async fn post_share(
    db: &Db,
    ids: &dyn Ids,
    share: &[&Command],
) -> Vec<Result<PointsPosting, Fault>> {
    match post_together(db, ids, share).await {
        Ok(Some(answers)) => answers,
        Err(fault) if share.len() == 1 => vec![Err(fault)],
        // Then every repeat would wait for the database in vain.
        Err(fault) if matches!(fault.code(), Code::Unavailable | Code::DeadlineExceeded) => {
            let again = || Fault::new(fault.code(), fault.reason(), fault.message().to_owned());
            share.iter().map(|_| Err(again())).collect()
        }
        Ok(None) | Err(_) => {
            let mut answers = Vec::with_capacity(share.len());
            for command in share {
                let alone = post_together(db, ids, &[command]).await;
                let alone = alone.map(|answers| answers.map(|mut answers| answers.remove(0)));
                answers.push(alone.and_then(|answer| {
                    answer.unwrap_or_else(|| Err(Fault::internal("a lone change is answered")))
                }));
            }
            answers
        }
    }
}

/// One transaction; `None` when one of several changes must not be committed with the others.
async fn post_together(
    db: &Db,
    ids: &dyn Ids,
    share: &[&Command],
) -> Result<Option<Vec<Result<PointsPosting, Fault>>>, Fault> {
    let merchant = share.first().expect("a share has a command").merchant;
    let mut tx = db.tenant(merchant).await?;
    match post::post(&mut tx, ids, share).await? {
        Posted::Whole(answers) => {
            tx.commit().await?;
            Ok(Some(answers))
        }
        // Without a commit: what was counted for it does not stand.
        Posted::Spoiled(answers) if share.len() == 1 => Ok(Some(answers)),
        Posted::Spoiled(_) => Ok(None),
    }
}
