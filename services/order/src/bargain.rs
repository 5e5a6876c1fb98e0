//! Bargains (砍价): a buyer asks friends, and each brings the price down by an amount that is drawn, until so many have helped,
//! exactly (reference §3.5, rule 27). The number of helpers is fixed and shown; every amount is shown; a seed whose digest is
//! shown at the beginning fixes what will be drawn.

pub mod domain;
pub mod rpc;
pub mod store;

use siyu_grpc::{Ctx, parse};
use siyu_kernel::{Code, Fault, Id, kind::Person};
use siyu_pg::Tx;
use siyu_proto::order::v1::{BargainActivity, BargainDeal, CartLine};

use crate::{
    buyer,
    market::{
        activity::{self, Kind},
        deal::{Deal, More, Offer, PayWindow, pieces},
    },
    order::domain::OrderId,
    price::OfferKind,
};

use domain::{Bargain, BargainId};

/// What an order gets by a bargain of its buyer; the bargain is locked.
pub(crate) async fn enter(
    tx: &mut Tx,
    ctx: &Ctx,
    asked: &BargainDeal,
    lines: &[CartLine],
    person: Id<Person>,
) -> Result<Deal, Fault> {
    let id: BargainId = parse::id("bargain.bargain_id", &asked.bargain_id)?;
    let bargain = lock(tx, id).await?;
    if buyer::leads(tx, bargain.person_id).await? != person {
        return Err(Fault::not_found("bargain"));
    }
    let activity: BargainActivity = activity::decode(&bargain.definition)?;
    bargain.admit_order(activity.sells_early, ctx.now)?;
    if pieces(lines, &activity.sku)? != 1 {
        return Err(Fault::field("lines[0].quantity", "a bargain is for one piece"));
    }
    let unit_minor = activity.floor_minor + bargain.remaining_minor;
    Ok(Deal {
        entry: Kind::Bargain.entry(&bargain.activity_code, person, 0),
        offer: Some(Offer { kind: OfferKind::Bargain, unit_minor }),
        pay: PayWindow::Usual,
        more: More::Bargain(id),
    })
}

/// The bargain went into an order.
pub(crate) async fn bind(tx: &mut Tx, order: OrderId, bargain: BargainId) -> Result<(), Fault> {
    Ok(store::set_order(tx, bargain, order).await?)
}

/// The order has ended before it was paid: the bargain can be ordered again.
pub(crate) async fn ended(tx: &mut Tx, order: OrderId) -> Result<(), Fault> {
    Ok(store::clear_order(tx, order).await?)
}

async fn lock(tx: &mut Tx, id: BargainId) -> Result<Bargain, Fault> {
    store::lock(tx, id).await?.ok_or_else(|| Fault::not_found("bargain"))
}

pub(super) fn refused(reason: &'static str, message: &'static str) -> Fault {
    Fault::new(Code::FailedPrecondition, reason, message)
}
