//! What is held becomes the merchant's.

use chrono::{DateTime, Utc};
use siyu_kernel::{Code, Fault, Id, kind::Merchant};
use siyu_pg::Tx;
use siyu_proto::order::v1 as proto;

use super::{About, Done, TRIES, lock, open_accounts, post, tell};
use crate::{
    App,
    guarantee::{
        books::Account,
        domain::{Completion, Guarantee, Release},
        store,
    },
    job, limits,
    order::domain::OrderId,
};

/// The buyer has everything: from when on what is held is released. Of several words the one that releases first counts; a
/// repeat changes nothing.
///
/// # Errors
/// `NOT_FOUND` when nothing was paid for the order.
pub async fn completed(
    tx: &mut Tx,
    order: OrderId,
    completion: Completion,
    at: DateTime<Utc>,
) -> Result<Guarantee, Fault> {
    let mut guarantee = lock(tx, order).await?;
    let from = completion.releasable_at(at);
    if guarantee.releasable_at.is_none_or(|before| from < before) {
        guarantee.releasable_at = Some(from);
        store::save(tx, &guarantee).await?;
    }
    Ok(guarantee)
}

/// The buyer has nothing after all: what is held is not released.
///
/// # Errors
/// `NOT_FOUND` when nothing was paid for the order; `GUARANTEE_RELEASED` when something was released.
pub async fn reopened(tx: &mut Tx, order: OrderId) -> Result<Guarantee, Fault> {
    let mut guarantee = lock(tx, order).await?;
    if guarantee.released_minor > 0 {
        let message = "what was paid is the merchant's already";
        return Err(Fault::new(Code::FailedPrecondition, "GUARANTEE_RELEASED", message));
    }
    guarantee.releasable_at = None;
    store::save(tx, &guarantee).await?;
    Ok(guarantee)
}

/// Releases what is held of an order, if it is due; gives what stands afterwards.
///
/// # Errors
/// `NOT_FOUND` when nothing was paid for the order; `STORE_CONFLICT` when others of the merchant were faster all the time.
pub async fn release(
    app: &App,
    tx: &mut Tx,
    order: OrderId,
    now: DateTime<Utc>,
) -> Result<Guarantee, Fault> {
    let mut guarantee = lock(tx, order).await?;
    if !guarantee.is_due(now) {
        return Ok(guarantee);
    }
    let books = guarantee.books();
    let shard = books.shard();
    let wanted = [
        Account::Advance,
        Account::Available(shard),
        Account::CommissionPayable(shard),
        Account::PlatformFee(shard),
    ];
    for _ in 0..TRIES {
        let open = open_accounts(tx, &books, &wanted, now).await?;
        let owed = -open[0].balance();
        let release = Release::of(guarantee.held_minor, owed, guarantee.terms());
        let transfers = books.on_release(guarantee.releases + 1, &release);
        match post(app, tx, &About::of(&guarantee, ""), transfers, now).await? {
            Done::Now => {
                guarantee.release(now);
                store::save(tx, &guarantee).await?;
                let shown = guarantee.show(None);
                let fact = proto::GuaranteeReleased { guarantee: Some(shown) };
                tell(app, tx, order, &fact, now).await?;
                return Ok(guarantee);
            }
            Done::Before => return Err(Fault::internal("a release without its row")),
            Done::Raced => {}
        }
    }
    Err(raced())
}

/// Releases some of what is due, each in a transaction of its own; gives how many. A step of a job: it is whole or has no
/// effect that a later one does not find. One that cannot be released holds up no other.
pub async fn release_due(app: &App, now: DateTime<Utc>) -> Result<usize, Fault> {
    let name = "order.release_guarantees";
    let mut jobs = app.db.system(name).await?;
    let due = store::due(&mut jobs, now, limits::RELEASES_BATCH).await?;
    drop(jobs);
    let mut count = 0;
    for (merchant, order) in due {
        let done = release_one(app, merchant, order, now).await;
        count += usize::from(done.is_ok());
        job::survived(name, merchant, &order, done)?;
    }
    Ok(count)
}

async fn release_one(
    app: &App,
    merchant: Id<Merchant>,
    order: OrderId,
    now: DateTime<Utc>,
) -> Result<(), Fault> {
    let mut tx = app.db.tenant(merchant).await?;
    release(app, &mut tx, order, now).await?;
    Ok(tx.commit().await?)
}

/// Others were faster all the time.
pub(super) fn raced() -> Fault {
    let message = "a concurrent change was faster, read again and repeat";
    Fault::new(Code::Aborted, "STORE_CONFLICT", message)
}
