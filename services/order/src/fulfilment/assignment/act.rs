//! What happens to assignments, each in the transaction of its cause.

use chrono::{DateTime, Utc};
use siyu_kernel::{Fault, Id, kind::Merchant};
use siyu_pg::Tx;

use super::{Asked, Assignment, Error, Event, store};
use crate::{
    App,
    fulfilment::{StoreId, pickup::By},
    job, limits,
    order::domain::OrderId,
};

/// Offers a part of an order to the best store, or gives the assignment that is there.
pub async fn begin(
    tx: &mut Tx,
    (order, part): (OrderId, i32),
    stores: &[StoreId],
    by: By<'_>,
) -> Result<Assignment, Fault> {
    let asked = |store: &StoreId| Asked { store: *store, opens_at: by.now };
    let stores: Vec<Asked> = stores.iter().map(asked).collect();
    let assignment = Assignment::begin((order, part), &stores, limits::ACCEPT_MINUTES, by.now);
    if store::insert(tx, &assignment, &[], by).await? {
        return Ok(assignment);
    }
    find(tx, order, part).await
}

/// A part that nobody has been asked for yet.
#[derive(Debug)]
pub(crate) struct NewPart<'a> {
    /// The order.
    pub(crate) order_id: OrderId,
    /// The part, which the order does not have.
    pub(crate) part: i32,
    /// Lines with pieces.
    pub(crate) lines: &'a [(i32, i64)],
    /// Who is asked, the best first.
    pub(crate) stores: &'a [Asked],
    /// Where its pieces are reserved.
    pub(crate) location: &'a str,
    /// How long a store may answer.
    pub(crate) accept_minutes: i32,
}

/// Makes a part and offers it. The order is locked, so that its parts are counted by one at a time.
pub(crate) async fn open(tx: &mut Tx, new: &NewPart<'_>, by: By<'_>) -> Result<Assignment, Fault> {
    let of = (new.order_id, new.part);
    let assignment = Assignment::begin(of, new.stores, new.accept_minutes, by.now);
    let assignment = Assignment { location: new.location.to_owned(), ..assignment };
    if store::insert(tx, &assignment, new.lines, by).await? {
        return Ok(assignment);
    }
    Err(Error::Raced.into())
}

/// Lets something happen to an assignment, and gives what stands afterwards. Of several at once one succeeds.
///
/// # Errors
/// `NOT_FOUND`; `ASSIGNED_ELSEWHERE`; `OFFER_EXPIRED`; `OFFER_STANDS`; `ASSIGNMENT_ENDED`; `STORE_CONFLICT`.
pub async fn change(
    tx: &mut Tx,
    (order, part): (OrderId, i32),
    event: Event,
    by: By<'_>,
) -> Result<Assignment, Fault> {
    let assignment = find(tx, order, part).await?;
    let Some(next) = assignment.after(event, by.now)? else { return Ok(assignment) };
    let next = Assignment { updated_at: by.now, ..next };
    if !store::save(tx, &next, &assignment, by.now).await? {
        return Err(Error::Raced.into());
    }
    let about = match event {
        Event::Assign(store) => Some(store),
        Event::Keep => None,
        Event::Accept(_) | Event::Refuse(_) | Event::TimeOut | Event::Finish | Event::Withdraw => {
            assignment.store_id
        }
    };
    store::insert_event(tx, &next, event.as_str(), about, by).await?;
    Ok(next)
}

const JOB: &str = "order.assignments";

/// Asks the next store for offers that nobody answered, each in a transaction of its own; gives how many. A step of a job. One
/// that cannot be passed on holds up no other.
pub async fn time_out_due(app: &App, now: DateTime<Utc>) -> Result<usize, Fault> {
    let mut jobs = app.db.system(JOB).await?;
    let due = store::due(&mut jobs, now, limits::ASSIGNMENTS_BATCH).await?;
    drop(jobs);
    let mut passed = 0;
    for (merchant, order, part) in due {
        let done = time_out(app, merchant, (order, part), now).await;
        passed += usize::from(done.as_ref().is_ok_and(|is_passed| *is_passed));
        job::survived(JOB, merchant, &(order, part), done.map(drop))?;
    }
    Ok(passed)
}

/// Asks the next store for a part, unless the store answered at the last moment; says which.
async fn time_out(
    app: &App,
    merchant: Id<Merchant>,
    of: (OrderId, i32),
    now: DateTime<Utc>,
) -> Result<bool, Fault> {
    let mut tx = app.db.tenant(merchant).await?;
    let by = By { actor: JOB, reason: "", now };
    match change(&mut tx, of, Event::TimeOut, by).await {
        Ok(_) => tx.commit().await?,
        Err(fault) if is_late(&fault) => return Ok(false),
        Err(fault) => return Err(fault),
    }
    Ok(true)
}

fn is_late(fault: &Fault) -> bool {
    ["OFFER_STANDS", "ASSIGNMENT_ENDED", "STORE_CONFLICT"].contains(&fault.reason())
}

/// The assignment of a part.
pub(crate) async fn find(tx: &mut Tx, order: OrderId, part: i32) -> Result<Assignment, Fault> {
    store::find(tx, order, part).await?.ok_or_else(|| Fault::not_found("assignment"))
}
