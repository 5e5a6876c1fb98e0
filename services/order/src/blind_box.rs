//! Blind boxes (盲盒): what may be in them, with which probability, for everybody to read, and draws that everybody can compute
//! anew (reference §3.5, rule 28; the regulator's guideline of June 2023).
//!
//! A version never changes, and an order is drawn from the version that its buyer saw. A version is sold only while there is
//! enough of each prize for everybody who may draw it: so the published odds hold for every box that is sold, and no draw is
//! ever turned into something else.

pub mod domain;
pub mod rpc;
pub mod store;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use siyu_grpc::Ctx;
use siyu_kernel::{Code, Fault, Id, kind::Person};
use siyu_pg::Tx;
use siyu_proto::order::v1::{AgeBand, BlindBox, BlindBoxEntry, CartLine};

use crate::{
    App, buyer, limits,
    market::{
        activity::{self, Kind},
        deal::{Deal, More, PayWindow, pieces},
        entry::take,
        store::Entry as Taken,
    },
    order::domain::OrderId,
};

use domain::{Age, BoxOrder, State, run};

/// What an order of boxes keeps.
#[derive(Debug)]
pub(crate) struct Entry {
    version: i32,
    seed: Vec<u8>,
    age: Age,
    guardian_consent: bool,
}

/// What an order gets by a box; the version is locked.
pub(crate) async fn enter(
    app: &App,
    tx: &mut Tx,
    ctx: &Ctx,
    asked: &BlindBoxEntry,
    lines: &[CartLine],
    person: Id<Person>,
) -> Result<Deal, Fault> {
    let age = match (asked.age(), asked.guardian_consent) {
        (AgeBand::Adult, _) => Age::Adult,
        (AgeBand::AgeBand8To17, true) => Age::Minor,
        (AgeBand::AgeBand8To17, false) => {
            return Err(refused("BOX_AGE_REFUSED", "a guardian has to agree"));
        }
        (AgeBand::Under8 | AgeBand::Unspecified, _) => {
            return Err(refused("BOX_AGE_REFUSED", "nothing is sold to children under 8"));
        }
    };
    let row = store::lock_latest(tx, &asked.box_code).await?;
    let row = row.ok_or_else(|| Fault::not_found("blind box"))?;
    if row.version != asked.version {
        let message = "there is a newer version, with other odds";
        return Err(refused("BOX_VERSION_OLD", message).with("version", row.version));
    }
    let definition: BlindBox = activity::decode(&row.definition)?;
    run(&definition).admit(ctx.now)?;
    let pieces = pieces(lines, &definition.sku)?;
    if pieces > limits::BOX_PIECES_MAX {
        let most = limits::BOX_PIECES_MAX;
        return Err(Fault::field("lines[0].quantity", format!("may be {most} boxes at most")));
    }
    let prizes = store::prizes_of(tx, std::slice::from_ref(&row)).await?;
    if prizes.iter().any(|(_, prize)| !prize.suffices(row.reserved + pieces)) {
        return Err(refused("BOX_SOLD_OUT", "there is not enough of each prize for all who draw"));
    }
    take(tx, (Kind::BlindBox, &row.code), person, pieces, definition.per_person).await?;
    Ok(Deal {
        entry: Kind::BlindBox.entry(&row.code, person, pieces),
        offer: None,
        pay: PayWindow::Usual,
        more: More::BlindBox(Entry {
            version: row.version,
            seed: (app.random)().to_vec(),
            age,
            guardian_consent: asked.guardian_consent,
        }),
    })
}

/// Reserves the boxes of an order.
pub(crate) async fn bind(
    tx: &mut Tx,
    order: OrderId,
    entry: &Entry,
    taken: &Taken,
) -> Result<(), Fault> {
    let order = BoxOrder {
        order_id: order,
        code: taken.code.clone(),
        version: entry.version,
        person_id: taken.person_id,
        pieces: taken.taken,
        seed: entry.seed.clone(),
        age: entry.age,
        guardian_consent: entry.guardian_consent,
        state: State::Reserved,
    };
    Ok(store::insert_order(tx, &order).await?)
}

/// The order is paid: its boxes are drawn, once.
pub(crate) async fn draw(tx: &mut Tx, order: OrderId, now: DateTime<Utc>) -> Result<(), Fault> {
    let gone = || Fault::internal("an order of boxes without its box");
    let order = store::order(tx, order).await?.ok_or_else(gone)?;
    let row = store::lock(tx, &order.code, order.version).await?.ok_or_else(gone)?;
    let definition: BlindBox = activity::decode(&row.definition)?;
    let person = buyer::leads(tx, order.person_id).await?;
    let dry = store::lock_dry(tx, &order.code, person).await?;
    let (draws, dry) = domain::draw(&definition, &order, dry);
    let mut counts: BTreeMap<&str, i64> = BTreeMap::new();
    for draw in &draws {
        *counts.entry(&draw.prize).or_default() += 1;
    }
    store::insert_draws(tx, order.order_id, &draws, now).await?;
    store::count_drawn(tx, &order, &counts).await?;
    store::save_dry(tx, &order.code, person, dry).await?;
    Ok(store::settle(tx, &order, State::Drawn).await?)
}

/// The order has ended before it was paid: its boxes are free for others.
pub(crate) async fn ended(tx: &mut Tx, order: OrderId) -> Result<(), Fault> {
    let gone = || Fault::internal("an order of boxes without its box");
    let order = store::order(tx, order).await?.ok_or_else(gone)?;
    store::lock(tx, &order.code, order.version).await?.ok_or_else(gone)?;
    Ok(store::settle(tx, &order, State::Released).await?)
}

fn refused(reason: &'static str, message: &'static str) -> Fault {
    Fault::new(Code::FailedPrecondition, reason, message)
}
