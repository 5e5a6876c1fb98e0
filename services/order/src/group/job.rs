//! Ends groups whose time is over, and lets the orders of groups that have formed or failed follow: each for itself, so that
//! what goes wrong with one holds up no other.

use chrono::{DateTime, Utc};
use siyu_kernel::{Fault, Id, kind::Merchant};
use siyu_pg::Tx;
use siyu_proto::order::v1::GroupActivity;
use siyu_runtime::Progress;

use super::{
    domain::{GroupId, SeatState, State},
    end, store,
};
use crate::{
    App, job, limits,
    market::activity,
    order::{
        advance::{Cause, advance, lock},
        domain::{Order, OrderId},
        lifecycle::Event,
    },
    refund::{self, request},
};

const ACTOR: &str = "order.groups";

/// Ends some groups, and goes on with some orders.
pub(crate) async fn once(app: &App) -> Result<Progress, Fault> {
    let now = app.clock.now();
    let mut jobs = app.db.system(ACTOR).await?;
    let groups = store::due_groups(&mut jobs, now, limits::JOB_BATCH).await?;
    let seats = store::due_seats(&mut jobs, now, limits::JOB_BATCH).await?;
    drop(jobs);
    let ended = job::each(ACTOR, groups, |merchant, id| time_out(app, merchant, id, now)).await?;
    let followed =
        job::each(ACTOR, seats, |merchant, id| follow_or_wait(app, merchant, id, now)).await?;
    Ok(ended.or(followed))
}

async fn time_out(
    app: &App,
    merchant: Id<Merchant>,
    id: GroupId,
    now: DateTime<Utc>,
) -> Result<(), Fault> {
    let mut tx = app.db.tenant(merchant).await?;
    let found = store::lock(&mut tx, id).await?;
    // It may have formed between the look and the lock.
    let Some(mut group) = found.filter(|group| group.state == State::Open) else { return Ok(()) };
    let activity: GroupActivity = activity::decode(&group.definition)?;
    group.time_out(activity.simulates);
    store::save(&mut tx, &group).await?;
    end(app, &mut tx, &group, now).await?;
    Ok(tx.commit().await?)
}

/// A seat that cannot follow now is put off, so that those behind it come first.
async fn follow_or_wait(
    app: &App,
    merchant: Id<Merchant>,
    id: OrderId,
    now: DateTime<Utc>,
) -> Result<(), Fault> {
    let followed = follow(app, merchant, id, now).await;
    if followed.is_err() {
        let mut tx = app.db.tenant(merchant).await?;
        store::put_off(&mut tx, id, now + limits::SEAT_PAUSE).await?;
        tx.commit().await?;
    }
    followed
}

/// The order of a seat goes on, or is refunded. Its row is locked first, as by whoever else changes it.
async fn follow(
    app: &App,
    merchant: Id<Merchant>,
    id: OrderId,
    now: DateTime<Utc>,
) -> Result<(), Fault> {
    let mut tx = app.db.tenant(merchant).await?;
    let (order, _) = lock(&mut tx, id, "").await?;
    let Some(seat) = store::seat(&mut tx, id).await? else { return Ok(()) };
    let is_next = |event: Event| event.next(order.state).is_some();
    match seat.state {
        SeatState::Forming if is_next(Event::GroupFormed) => {
            let cause = Cause { key: "group", actor: ACTOR, reason: "", now };
            advance(app, &mut tx, id, Event::GroupFormed, cause).await?;
            store::save_seat(&mut tx, id, SeatState::Formed, false).await?;
        }
        SeatState::Refunding if is_next(Event::Refunded) => {
            give_back(app, &mut tx, &order, now).await?;
        }
        // Somebody refunded it before.
        SeatState::Forming | SeatState::Refunding => {
            store::save_seat(&mut tx, id, SeatState::Refunded, false).await?;
        }
        SeatState::Reserved
        | SeatState::Paid
        | SeatState::Formed
        | SeatState::Refunded
        | SeatState::Released => return Ok(()),
    }
    Ok(tx.commit().await?)
}

/// Gives back what is left of an order, unless a refund of it is open: what that one comes to is known when it has ended. The
/// seat is refunded when the order is, not before.
async fn give_back(app: &App, tx: &mut Tx, order: &Order, now: DateTime<Utc>) -> Result<(), Fault> {
    if !refund::store::is_open(tx, order.id).await? {
        let reason = "the group was not complete in time";
        let key = format!("{}-group", order.id);
        if !request::whole(app, tx, order, &key, (ACTOR, reason), now).await? {
            tracing::warn!(order = %order.id, "the refund of a failed group was refused and waits for somebody");
        }
    }
    Ok(store::put_off(tx, order.id, now + limits::SEAT_PAUSE).await?)
}
