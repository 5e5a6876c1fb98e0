//! Ends groups whose time is over, and lets the orders of groups that have formed or failed follow: each for itself.

use chrono::{DateTime, Utc};
use siyu_kernel::{Fault, Id, kind::Merchant};
use siyu_proto::order::v1::GroupActivity;
use siyu_runtime::Progress;

use super::{
    domain::{GroupId, SeatState, State},
    end, store,
};
use crate::{
    App, limits,
    market::activity,
    order::{
        advance::{Cause, advance, lock},
        domain::OrderId,
        lifecycle::Event,
    },
    refund::request,
};

const ACTOR: &str = "order.groups";

/// Ends some groups, and goes on with some orders.
pub(crate) async fn once(app: &App) -> Result<Progress, Fault> {
    let now = app.clock.now();
    let mut jobs = app.db.system(ACTOR).await?;
    let groups = store::due_groups(&mut jobs, now, limits::JOB_BATCH).await?;
    let seats = store::due_seats(&mut jobs, limits::JOB_BATCH).await?;
    drop(jobs);
    let worked = !groups.is_empty() || !seats.is_empty();
    for (merchant, id) in groups {
        time_out(app, merchant, id, now).await?;
    }
    for (merchant, id) in seats {
        follow(app, merchant, id, now).await?;
    }
    Ok(if worked { Progress::Worked } else { Progress::Idle })
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
    let to = match seat.state {
        SeatState::Forming if is_next(Event::GroupFormed) => {
            let cause = Cause { key: "group", actor: ACTOR, reason: "", now };
            advance(app, &mut tx, id, Event::GroupFormed, cause).await?;
            SeatState::Formed
        }
        SeatState::Refunding if is_next(Event::Refunded) => {
            let reason = "the group was not complete in time";
            let key = format!("{id}-group");
            request::whole(app, &mut tx, &order, &key, (ACTOR, reason), now).await?;
            SeatState::Refunded
        }
        // Somebody refunded it before.
        SeatState::Forming | SeatState::Refunding => SeatState::Refunded,
        SeatState::Reserved
        | SeatState::Paid
        | SeatState::Formed
        | SeatState::Refunded
        | SeatState::Released => return Ok(()),
    };
    store::save_seat(&mut tx, id, to, false).await?;
    Ok(tx.commit().await?)
}
