//! Routes orders: reads what an order needs and what the stores have, lets [`route`](super::route) decide, and asks the best.
//! An order is routed once by itself, when it is paid; what nobody took on may be routed anew.

mod candidates;
mod plan;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use chrono::TimeDelta;
use siyu_grpc::{Ctx, parse};
use siyu_kernel::{Code, Fault, Id, Violation, kind::Merchant};
use siyu_pg::{Tx, replay};
use siyu_proto::order::v1::{
    FulfilmentPolicy, RouteOrderRequest, RouteOrderResponse, SiteDistance,
};

use super::{
    StoreId,
    assignment::{
        Assignment, Event, State,
        act::{self, NewPart},
        follow,
        part::{self, Lines},
        show, store as assignments,
    },
    pickup::By,
    policy,
    route::{Method, Needs},
    site,
};
use crate::{
    App,
    checkout::store::{self as checkouts, Checkout, Delivery},
    directory::{Known, Shop},
    limits, location,
    order::{
        advance::{self, wrong_state},
        domain::{Order, OrderId, State as OrderState},
        lifecycle::Event as OrderEvent,
        store as orders,
    },
    stock::{self, Reservation},
};

use candidates::{Of, candidates};
use plan::{counted, plan, sum};

const ROUTE: &str = "siyu.order.v1.FulfilmentService/RouteOrder";

/// What the member service knows of the stores that fulfil orders.
#[derive(Debug, Clone, Default)]
pub(crate) struct Shops(Option<Arc<Known>>);

/// What is known beside the books.
#[derive(Debug, Default)]
pub(crate) struct Around {
    /// Where stores stand and when they are open.
    pub(crate) shops: Shops,
    /// How far stores are from the buyer, in metres, by location.
    pub(crate) distances: BTreeMap<String, i64>,
    /// A store that is not to be asked.
    pub(crate) except: Option<StoreId>,
}

impl Shops {
    /// A store that the member service knows.
    fn of(&self, store: StoreId) -> Option<&Shop> {
        self.0.as_ref()?.shops.get(&store)
    }
}

/// The stores whose opening hours have to be known before an order of the merchant is routed: those of the sites that are
/// compared.
pub(crate) async fn sites(app: &App, merchant: Id<Merchant>) -> Result<Vec<StoreId>, Fault> {
    let mut tx = app.db.tenant_read(merchant).await?;
    Ok(site::store::stores(&mut tx, limits::SITES_COMPARED).await?)
}

/// What the member service knows of stores. It is asked before an order is locked; without stores it is not asked.
pub(crate) async fn shops(app: &App, ctx: &Ctx, stores: &[StoreId]) -> Result<Shops, Fault> {
    if stores.is_empty() {
        return Ok(Shops::default());
    }
    Ok(Shops(Some(app.directory.shops(ctx, stores).await?)))
}

/// Both for a method that routes what nobody has taken on.
pub(crate) async fn look(app: &App, ctx: &Ctx) -> Result<Shops, Fault> {
    let stores = sites(app, ctx.merchant()?).await?;
    shops(app, ctx, &stores).await
}

/// Routes an order that has just been paid, if that has not been done.
pub(crate) async fn begin(
    app: &App,
    tx: &mut Tx,
    (order, shops): (Order, &Shops),
    by: By<'_>,
) -> Result<Order, Fault> {
    if !assignments::list(tx, order.id).await?.is_empty() {
        return Ok(order);
    }
    let mut desk = Desk::read(tx, &order, &[]).await?;
    let (location, lines) = whole(tx, &order, &desk).await?;
    let around = Around { shops: shops.clone(), ..Around::default() };
    let mut parts = open(tx, &order, &mut desk, (&location, &lines), &around, by).await?;
    if desk.rules.headquarters_accept {
        for part in parts.iter_mut().filter(|part| part.state == State::Headquarters) {
            *part = act::change(tx, (order.id, part.part), Event::Keep, by).await?;
        }
    }
    follow::known_parts(app, tx, order, parts, by).await
}

/// What is read once of an order before somebody is asked for it. The order is locked.
pub(crate) struct Desk {
    rules: FulfilmentPolicy,
    held: Vec<Reservation>,
    checkout: Checkout,
    /// The number of the next part.
    next: i32,
}

impl Desk {
    /// Reads it; `parts` are those that the order has.
    pub(crate) async fn read(
        tx: &mut Tx,
        order: &Order,
        parts: &[Assignment],
    ) -> Result<Self, Fault> {
        let checkout = checkouts::find(tx, order.id).await?;
        Ok(Self {
            rules: policy::read(tx).await?,
            held: stock::held(tx, order.id).await?,
            checkout: checkout.ok_or_else(|| Fault::internal("an own order has a checkout"))?,
            next: parts.last().map_or(1, |last| last.part + 1),
        })
    }
}

/// Everything of an order, and where it is reserved: at one location, as it was placed.
async fn whole(tx: &mut Tx, order: &Order, desk: &Desk) -> Result<(String, Lines), Fault> {
    let held = desk.held.first();
    let location = held.map(|held| held.key.key.location.clone()).unwrap_or_default();
    let lines = orders::lines(tx, order.id).await?;
    let lines = lines.iter().filter(|line| line.quantity > 0);
    Ok((location, lines.map(|line| (line.line_no, line.quantity)).collect()))
}

/// Asks for lines that are reserved at a location, in one part or several. The order is locked.
pub(crate) async fn open(
    tx: &mut Tx,
    order: &Order,
    desk: &mut Desk,
    (location, lines): (&str, &[(i32, i64)]),
    around: &Around,
    by: By<'_>,
) -> Result<Vec<Assignment>, Fault> {
    let rules = &desk.rules;
    let counted = counted(&desk.held, location, lines);
    let method = Method::from(desk.checkout.delivery_method);
    let needs = Needs { pieces: sum(&counted), method, own_store: order.store_id };
    let promise = by.now + TimeDelta::hours(rules.promise_hours.into());
    let destination = desk.checkout.destination();
    let of = Of { held: &desk.held, location, destination, open: (by.now, promise) };
    let candidates = candidates(tx, &needs, &of, around).await?;
    for (store, why) in candidates.iter().filter_map(|one| Some((one.id, one.left_out(&needs)?))) {
        tracing::debug!(order_id = %order.id, store_id = %store, ?why, "a store is not asked");
    }
    let plan = plan(&needs, &candidates, rules, lines, &counted);
    let accept_minutes = rules.accept_minutes;
    let mut parts = Vec::new();
    for (stores, lines) in &plan {
        let (order_id, part) = (order.id, desk.next);
        let new = NewPart { order_id, part, lines, stores, location, accept_minutes };
        parts.push(act::open(tx, &new, by).await?);
        desk.next += 1;
    }
    Ok(parts)
}

impl From<Delivery> for Method {
    fn from(delivery: Delivery) -> Self {
        match delivery {
            Delivery::Parcel => Self::Parcel,
            Delivery::PickUp => Self::PickUp,
            Delivery::Local => Self::LocalDelivery,
        }
    }
}

pub(crate) async fn anew(
    app: &App,
    ctx: Ctx,
    request: RouteOrderRequest,
) -> Result<RouteOrderResponse, Fault> {
    let id: OrderId = parse::id("order_id", &request.order_id)?;
    let shops = look(app, &ctx).await?;
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    if let Some(reply) = replay::find(&mut tx, ROUTE, &request.request_id, &request).await? {
        return Ok(reply);
    }
    let distances = distances(&mut tx, &request.distances).await?;
    let (order, _) = advance::lock(&mut tx, id, "").await?;
    if order.state != OrderState::Paid {
        return Err(wrong_state(&order, OrderEvent::Accepted));
    }
    let by = By { actor: &ctx.subject, reason: "routed anew", now: ctx.now };
    let around = Around { shops, distances, except: None };
    let parts = assignments::list(&mut tx, id).await?;
    let mut desk = Desk::read(&mut tx, &order, &parts).await?;
    for (location, lines) in waiting(&mut tx, &order, (&parts, &desk), by).await? {
        open(&mut tx, &order, &mut desk, (&location, &lines), &around, by).await?;
    }
    follow::parts(app, &mut tx, order, by).await?;
    let reply = RouteOrderResponse { assignments: show::standing(&mut tx, id).await? };
    replay::keep(&mut tx, ROUTE, &request.request_id, &reply).await?;
    tx.commit().await?;
    Ok(reply)
}

/// Withdraws the parts that nobody has taken on; gives what belongs to them, by location.
async fn waiting(
    tx: &mut Tx,
    order: &Order,
    (parts, desk): (&[Assignment], &Desk),
    by: By<'_>,
) -> Result<BTreeMap<String, Lines>, Fault> {
    if parts.is_empty() {
        return Ok(BTreeMap::from([whole(tx, order, desk).await?]));
    }
    let mut waiting: BTreeMap<String, Lines> = BTreeMap::new();
    for one in parts.iter().filter(|p| matches!(p.state, State::Offered | State::Headquarters)) {
        act::change(tx, (order.id, one.part), Event::Withdraw, by).await?;
        let of_part = part::store::lines(tx, (order.id, one.part)).await?;
        let lines = waiting.entry(one.location.clone()).or_default();
        for (line_no, pieces) in of_part.into_iter().filter(|(_, pieces)| *pieces > 0) {
            match lines.iter_mut().find(|(known, _)| *known == line_no) {
                Some((_, so_far)) => *so_far += pieces,
                None => lines.push((line_no, pieces)),
            }
        }
    }
    if waiting.is_empty() {
        let message = "every part of the order is taken on";
        return Err(Fault::new(Code::FailedPrecondition, "NOTHING_TO_ROUTE", message));
    }
    Ok(waiting)
}

/// Distances by location; a location that nobody knows or that stands twice is refused.
async fn distances(tx: &mut Tx, given: &[SiteDistance]) -> Result<BTreeMap<String, i64>, Fault> {
    let codes: BTreeSet<&str> = given.iter().map(|one| one.location_code.as_str()).collect();
    let known = location::store::known(tx, &codes).await?;
    let (mut distances, mut wrong) = (BTreeMap::new(), Vec::new());
    for (i, SiteDistance { location_code: code, distance_m }) in given.iter().enumerate() {
        let mut say = |description: String| {
            wrong.push(Violation { field: format!("distances[{i}].location_code"), description });
        };
        if !known.contains(code) {
            say(format!("no location has the code \"{code}\""));
        } else if distances.insert(code.clone(), *distance_m).is_some() {
            say(format!("\"{code}\" stands twice"));
        }
    }
    if wrong.is_empty() { Ok(distances) } else { Err(Fault::invalid(wrong)) }
}
