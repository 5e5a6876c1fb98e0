//! Group-buys (拼团): so many buyers who each order the same make the price of a group (reference §3.5, rule 26).
//!
//! | group | what happens | then |
//! | --- | --- | --- |
//! | pending | its opener pays | open, and the time begins |
//! | pending | its opener does not pay | cancelled |
//! | open | the last seat is paid in time | formed |
//! | open | its time is over | failed, or formed and simulated where the merchant wants that |
//!
//! A seat is taken when an order is placed and free again when the order ends unpaid, so a group never has more seats than its
//! size. What follows for the orders of a group that has formed or failed is a job's: each order for itself, so that two groups
//! never wait for each other's orders. A group that has formed stays so, whatever becomes of its orders.

pub mod domain;
pub(crate) mod job;
pub mod rpc;
pub mod store;

use chrono::{DateTime, Utc};
use siyu_events::NewEvent;
use siyu_grpc::{Ctx, parse};
use siyu_kernel::{Code, Fault, Id, kind::Person};
use siyu_pg::Tx;
use siyu_proto::order::v1::{self as proto, CartLine, GroupActivity, GroupBuySeat};

use crate::{
    App,
    market::{
        activity::{self, Activity, Kind},
        deal::{Deal, More, Offer, PayWindow, pieces},
        entry::take,
        store::Entry,
    },
    order::domain::OrderId,
    price::OfferKind,
};

use domain::{Group, GroupId, SeatRow, SeatState, State};

/// A seat that an order takes.
#[derive(Debug)]
pub(crate) enum Seat {
    /// In a new group.
    Opens(Box<Group>),
    /// In one that waits.
    Joins(GroupId),
}

/// Finds the seat that an order asks for; a group that is joined is locked.
pub(crate) async fn enter(
    tx: &mut Tx,
    ctx: &Ctx,
    asked: &GroupBuySeat,
    lines: &[CartLine],
    person: Id<Person>,
) -> Result<Deal, Fault> {
    let join: Option<GroupId> = parse::optional_id("group_buy.group_id", &asked.group_id)?;
    let activity: GroupActivity = activity::get(tx, &asked.activity_code).await?;
    let (seat, activity, unit_minor, pay) = match join {
        None => {
            activity.run().admit(ctx.now)?;
            let unit_minor = activity.unit_minor - activity.opener_off_minor;
            let group = Group::open(&activity, ctx.now);
            (Seat::Opens(Box::new(group)), activity, unit_minor, PayWindow::Usual)
        }
        Some(id) => {
            let group = store::lock(tx, id).await?.filter(|g| g.activity_code == activity.code);
            let group = group.ok_or_else(|| Fault::not_found("group"))?;
            let minutes = group.admit(ctx.now)?;
            let activity: GroupActivity = activity::decode(&group.definition)?;
            if activity.joiners_new_only && store::has_bought(tx, person).await? {
                let message = "only those may join who have bought nothing yet";
                return Err(refused("GROUP_FOR_NEW_CUSTOMERS", message));
            }
            let unit_minor = activity.unit_minor;
            (Seat::Joins(id), activity, unit_minor, PayWindow::AtMost(minutes))
        }
    };
    let pieces = pieces(lines, &activity.sku)?;
    if pieces > activity.quantity_max.max(1) {
        let most = activity.quantity_max.max(1);
        return Err(Fault::field("lines[0].quantity", format!("a seat is for {most} at most")));
    }
    take(tx, (Kind::GroupBuy, &activity.code), person, 1, activity.per_person.into()).await?;
    Ok(Deal {
        entry: Kind::GroupBuy.entry(&activity.code, person, 1),
        offer: Some(Offer { kind: OfferKind::GroupBuy, unit_minor }),
        pay,
        more: More::Group(seat),
    })
}

/// Takes the seat for an order. Fails with `GROUP_ALREADY_JOINED` when the person is in another group of the activity that
/// waits still.
pub(crate) async fn bind(
    app: &App,
    tx: &mut Tx,
    order: OrderId,
    seat: &Seat,
    entry: &Entry,
    now: DateTime<Utc>,
) -> Result<(), Fault> {
    let (group_id, opener) = match seat {
        Seat::Opens(group) => {
            let id = Id::from_uuid(app.ids.uuid());
            store::insert(tx, &Group { id, ..(**group).clone() }).await?;
            (id, true)
        }
        Seat::Joins(id) => (*id, false),
    };
    let row = SeatRow {
        order_id: order,
        group_id,
        person_id: entry.person_id,
        opener,
        state: SeatState::Reserved,
        created_at: now,
    };
    if store::insert_seat(tx, &row, &entry.code).await? {
        return Ok(());
    }
    let message = "the person is in another group of the activity";
    Err(refused("GROUP_ALREADY_JOINED", message))
}

/// The seat of an order is paid: it counts, and may make its group complete.
pub(crate) async fn paid(
    app: &App,
    tx: &mut Tx,
    order: OrderId,
    now: DateTime<Utc>,
) -> Result<(), Fault> {
    let (mut group, seat) = lock_of(tx, order).await?;
    let before = group.state;
    let state = group.pay(&seat, now);
    store::save(tx, &group).await?;
    store::save_seat(tx, order, state, state == SeatState::Paid && group.waits()).await?;
    if before != group.state && group.state == State::Formed {
        end(app, tx, &group, now).await?;
    }
    Ok(())
}

/// The order of a seat has ended before it was paid.
pub(crate) async fn ended(tx: &mut Tx, order: OrderId) -> Result<(), Fault> {
    let (mut group, seat) = lock_of(tx, order).await?;
    group.release(&seat);
    store::save(tx, &group).await?;
    store::save_seat(tx, order, SeatState::Released, false).await?;
    Ok(())
}

/// The order of a seat was refunded as a whole; its row is locked. A group that waits still has a seat for another then; one
/// that has formed stays as it is.
pub async fn refunded(tx: &mut Tx, order: OrderId) -> Result<(), Fault> {
    if store::seat(tx, order).await?.is_none() {
        return Ok(());
    }
    let (mut group, seat) = lock_of(tx, order).await?;
    group.leave(&seat);
    store::save(tx, &group).await?;
    store::save_seat(tx, order, SeatState::Refunded, false).await?;
    Ok(())
}

/// A group that the transaction has locked has come to its end: its seats wait for the job, and it is told.
pub(crate) async fn end(
    app: &App,
    tx: &mut Tx,
    group: &Group,
    now: DateTime<Utc>,
) -> Result<(), Fault> {
    let to = if group.state == State::Formed { SeatState::Forming } else { SeatState::Refunding };
    store::end_seats(tx, group.id, to).await?;
    let seats = store::seats(tx, group.id).await?;
    let told = Some(rpc::show(group, &seats)?);
    let id = app.ids.uuid();
    let event = match group.state {
        State::Formed => NewEvent::of(id, &group.id, now, &proto::GroupFormed { group: told }),
        State::Pending | State::Open | State::Failed | State::Cancelled => {
            NewEvent::of(id, &group.id, now, &proto::GroupFailed { group: told })
        }
    };
    Ok(siyu_events::append(tx, &[event]).await?)
}

async fn lock_of(tx: &mut Tx, order: OrderId) -> Result<(Group, SeatRow), Fault> {
    let gone = || Fault::internal("a seat without its group");
    let seat = store::seat(tx, order).await?.ok_or_else(gone)?;
    let group = store::lock(tx, seat.group_id).await?.ok_or_else(gone)?;
    // Under the lock of its group a seat changes no more.
    let seat = store::seat(tx, order).await?.ok_or_else(gone)?;
    Ok((group, seat))
}

fn refused(reason: &'static str, message: &'static str) -> Fault {
    Fault::new(Code::FailedPrecondition, reason, message)
}
