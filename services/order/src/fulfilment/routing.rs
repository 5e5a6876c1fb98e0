//! Routes orders: reads what an order needs and what the stores have, lets [`route`](super::route) decide, and asks the best.
//! An order is routed once by itself, when it is paid; what nobody took on may be routed anew.

use std::collections::{BTreeMap, BTreeSet};

use siyu_grpc::{Ctx, parse};
use siyu_kernel::{Code, Fault, Violation};
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
    route::{self, Candidate, Method, Needs, Route, Split},
    site,
};
use crate::{
    App,
    checkout::store::{self as checkouts, Delivery},
    limits, location,
    order::{
        advance::{self, wrong_state},
        domain::{Order, OrderId, State as OrderState},
        lifecycle::Event as OrderEvent,
        store as orders,
    },
    stock::{self, Key, Reservation},
};

const ROUTE: &str = "siyu.order.v1.FulfilmentService/RouteOrder";

/// What is known beside the books.
#[derive(Debug, Default)]
pub(crate) struct Around {
    /// How far stores are from the buyer, in metres, by location.
    pub(crate) distances: BTreeMap<String, i64>,
    /// A store that is not to be asked.
    pub(crate) except: Option<StoreId>,
}

/// Routes an order that has just been paid, if that has not been done.
pub(crate) async fn begin(
    app: &App,
    tx: &mut Tx,
    order: Order,
    by: By<'_>,
) -> Result<Order, Fault> {
    if !assignments::list(tx, order.id).await?.is_empty() {
        return Ok(order);
    }
    let (location, lines) = whole(tx, &order).await?;
    let parts = open(tx, &order, (&location, &lines), &Around::default(), by).await?;
    if policy::read(tx).await?.headquarters_accept {
        for part in parts.iter().filter(|part| part.state == State::Headquarters) {
            act::change(tx, (order.id, part.part), Event::Keep, by).await?;
        }
    }
    follow::parts(app, tx, order, by).await
}

/// Everything of an order, and where it is reserved: at one location, as it was placed.
async fn whole(tx: &mut Tx, order: &Order) -> Result<(String, Lines), Fault> {
    let held = stock::held(tx, order.id).await?;
    let location = held.first().map(|held| held.key.key.location.clone()).unwrap_or_default();
    let lines = orders::lines(tx, order.id).await?;
    let lines = lines.iter().filter(|line| line.quantity > 0);
    Ok((location, lines.map(|line| (line.line_no, line.quantity)).collect()))
}

/// Asks for lines that are reserved at a location, in one part or several. The order is locked.
pub(crate) async fn open(
    tx: &mut Tx,
    order: &Order,
    (location, lines): (&str, &[(i32, i64)]),
    around: &Around,
    by: By<'_>,
) -> Result<Vec<Assignment>, Fault> {
    let rules = policy::read(tx).await?;
    let held = stock::held(tx, order.id).await?;
    let counted = counted(&held, location, lines);
    let checkout = checkouts::find(tx, order.id).await?;
    let checkout = checkout.ok_or_else(|| Fault::internal("an own order without a checkout"))?;
    let method = Method::from(checkout.delivery_method);
    let needs = Needs { pieces: sum(&counted), method, own_store: order.store_id };
    let candidates = candidates(tx, &needs, (&held, location), around).await?;
    let plan = plan(&needs, &candidates, &rules, lines, &counted);
    let mut next = assignments::list(tx, order.id).await?.last().map_or(1, |last| last.part + 1);
    let mut parts = Vec::new();
    for (stores, lines) in &plan {
        let accept_minutes = rules.accept_minutes;
        let (order_id, part) = (order.id, next);
        let new = NewPart { order_id, part, lines, stores, location, accept_minutes };
        parts.push(act::open(tx, &new, by).await?);
        next += 1;
    }
    Ok(parts)
}

/// What is counted of lines at a location: line, SKU, pieces.
fn counted(held: &[Reservation], location: &str, lines: &[(i32, i64)]) -> Vec<(i32, String, i64)> {
    let of_line = |reservation: &Reservation| {
        let key = &reservation.key;
        let asked = lines.iter().find(|(line_no, _)| *line_no == key.line_no)?;
        let pieces = asked.1.min(reservation.held);
        let is_here = key.key.location == location && pieces > 0;
        is_here.then(|| (key.line_no, key.key.sku.clone(), pieces))
    };
    held.iter().filter_map(of_line).collect()
}

fn sum(counted: &[(i32, String, i64)]) -> BTreeMap<String, i64> {
    let mut pieces: BTreeMap<String, i64> = BTreeMap::new();
    for (_, sku, quantity) in counted {
        *pieces.entry(sku.clone()).or_default() += quantity;
    }
    pieces
}

/// The stores that could be asked, with what they have. An order that is fetched is offered to the store that its buyer chose.
async fn candidates(
    tx: &mut Tx,
    needs: &Needs,
    (held, location): (&[Reservation], &str),
    around: &Around,
) -> Result<Vec<Candidate>, Fault> {
    if needs.pieces.is_empty() {
        return Ok(Vec::new());
    }
    let mut sites = site::store::able(tx, needs.method.as_str(), limits::SITES_COMPARED).await?;
    sites.retain(|able| around.except != Some(able.store_id));
    if needs.method == Method::PickUp {
        sites.retain(|able| needs.own_store == Some(able.store_id));
    }
    let stores: Vec<StoreId> = sites.iter().map(|able| able.store_id).collect();
    let loads = assignments::loads(tx, &stores).await?;
    let at = |sku: &String, location: &str| Key { sku: sku.clone(), location: location.to_owned() };
    let keys: BTreeSet<Key> = sites
        .iter()
        .flat_map(|able| needs.pieces.keys().map(|sku| at(sku, &able.site.location)))
        .collect();
    let places = stock::look(tx, &keys.iter().collect()).await?;
    let channel = held.first().map_or("", |held| held.key.channel.as_str());
    let has = |sku: &String, of: &str| {
        let key = at(sku, of);
        let free = places.get(&key).map_or(0, |place| place.available_to(channel)).max(0);
        // What the order itself holds there is there for it.
        let own = if of == location { needs.pieces[sku] } else { 0 };
        (sku.clone(), free + own)
    };
    let candidate = |(able, load): (site::store::Able, i64)| {
        let code = &able.site.location;
        let is_own = needs.own_store == Some(able.store_id) && needs.method != Method::Parcel;
        Candidate {
            id: able.store_id,
            is_open: !able.site.paused,
            methods: able.site.serves(),
            distance_m: around.distances.get(code).copied().or(is_own.then_some(0)),
            radius_m: able.site.radius_m,
            load,
            capacity: able.site.capacity,
            stock: needs.pieces.keys().map(|sku| has(sku, code)).collect(),
        }
    };
    Ok(sites.into_iter().zip(loads).map(candidate).collect())
}

/// Who is asked for what: parts with the stores to ask, the best first. Pure.
fn plan(
    needs: &Needs,
    candidates: &[Candidate],
    rules: &FulfilmentPolicy,
    lines: &[(i32, i64)],
    counted: &[(i32, String, i64)],
) -> Vec<(Vec<StoreId>, Lines)> {
    let rules = policy::of(rules);
    let fetched = needs.method == Method::PickUp;
    let rules = if fetched { route::Policy { split: Split::Never, ..rules } } else { rules };
    let routes = route::route(needs, candidates, &rules);
    let Some(best) = routes.first() else { return vec![(Vec::new(), lines.to_vec())] };
    if best.parts.len() == 1 {
        let whole = routes.iter().filter(|route| route.parts.len() == 1);
        return vec![(whole.map(|route| route.parts[0].store).collect(), lines.to_vec())];
    }
    let alone = route::Policy { split: Split::Never, ..rules };
    divide(best, lines, counted)
        .into_iter()
        .map(|(part, lines)| {
            let needs = Needs { pieces: part.pieces.clone(), ..needs.clone() };
            let others = route::route(&needs, candidates, &alone);
            let others = others.iter().map(|route| route.parts[0].store);
            let others = others.filter(|store| *store != part.store);
            let stores = std::iter::once(part.store).chain(others).take(rules.asked_max);
            (stores.collect(), lines)
        })
        .collect()
}

/// The lines of each part of a route. What is not counted goes with the first part.
fn divide<'a>(
    of: &'a Route,
    lines: &[(i32, i64)],
    counted: &[(i32, String, i64)],
) -> Vec<(&'a route::Part, Lines)> {
    let mut left = counted.to_vec();
    let mut parts: Vec<(&route::Part, Lines)> = Vec::new();
    for part in &of.parts {
        let (mut pieces, mut own) = (part.pieces.clone(), Lines::new());
        for (line_no, sku, open) in &mut left {
            let Some(given) = pieces.get_mut(sku) else { continue };
            let taken = (*open).min(*given);
            if taken > 0 {
                (*open, *given) = (*open - taken, *given - taken);
                own.push((*line_no, taken));
            }
        }
        parts.push((part, own));
    }
    let given: Lines = parts.iter().flat_map(|(_, own)| own.clone()).collect();
    let rest = part::less(lines, &given);
    if let Some((_, first)) = parts.first_mut() {
        first.extend(rest);
    }
    parts
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
    let around = Around { distances, except: None };
    for (location, lines) in waiting(&mut tx, &order, by).await? {
        open(&mut tx, &order, (&location, &lines), &around, by).await?;
    }
    follow::parts(app, &mut tx, order, by).await?;
    let reply = RouteOrderResponse { assignments: show::standing(&mut tx, id).await? };
    replay::keep(&mut tx, ROUTE, &request.request_id, &reply).await?;
    tx.commit().await?;
    Ok(reply)
}

/// Withdraws the parts that nobody has taken on; gives what belongs to them, by location.
async fn waiting(tx: &mut Tx, order: &Order, by: By<'_>) -> Result<BTreeMap<String, Lines>, Fault> {
    let parts = assignments::list(tx, order.id).await?;
    if parts.is_empty() {
        return Ok(BTreeMap::from([whole(tx, order).await?]));
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

#[cfg(test)]
mod tests {
    use siyu_kernel::Id;
    use uuid::Uuid;

    use super::*;

    fn candidate(n: u128, a: i64, b: i64) -> Candidate {
        Candidate {
            id: Id::from_uuid(Uuid::from_u128(n)),
            is_open: true,
            methods: vec![Method::Parcel],
            distance_m: None,
            radius_m: None,
            load: i64::try_from(n).unwrap(),
            capacity: None,
            stock: [("a", a), ("b", b)].map(|(sku, n)| (sku.to_owned(), n)).into(),
        }
    }

    fn rules(split_max: i32) -> FulfilmentPolicy {
        FulfilmentPolicy { split_max, asked_max: 3, ..FulfilmentPolicy::default() }
    }

    /// What stores are asked for, by their numbers: of two lines with "a", one with "b", one that is not counted.
    fn asked(split_max: i32, candidates: &[Candidate]) -> Vec<(Vec<u128>, Lines)> {
        let lines = [(1, 2), (2, 1), (3, 1), (4, 1)];
        let counted =
            [(1, "a", 2), (2, "a", 1), (3, "b", 1)].map(|(line, sku, n)| (line, sku.to_owned(), n));
        let (pieces, method) = (sum(&counted), Method::Parcel);
        let needs = Needs { pieces, method, own_store: None };
        let plan = plan(&needs, candidates, &rules(split_max), &lines, &counted);
        let number = |store: StoreId| store.uuid().as_u128();
        plan.into_iter().map(|(s, l)| (s.into_iter().map(number).collect(), l)).collect()
    }

    #[test]
    fn one_store_that_has_everything_is_asked_and_then_the_next() {
        let all = vec![(1, 2), (2, 1), (3, 1), (4, 1)];
        let stores = [candidate(2, 9, 9), candidate(1, 9, 9), candidate(3, 9, 0)];
        assert_eq!(asked(1, &stores), [(vec![1, 2], all.clone())]);
        assert_eq!(asked(1, &[candidate(1, 2, 9)]), [(vec![], all)], "headquarters");
    }

    #[test]
    fn stores_that_share_an_order_are_asked_for_what_each_has() {
        let stores = [candidate(1, 2, 0), candidate(2, 9, 1), candidate(3, 1, 1)];
        // The second has all of it, for a longer queue than the split costs.
        assert_eq!(asked(2, &stores)[0].0, [2]);
        let stores = [candidate(1, 2, 0), candidate(2, 1, 1), candidate(3, 1, 1)];
        let expected = [(vec![1], vec![(1, 2), (4, 1)]), (vec![2, 3], vec![(2, 1), (3, 1)])];
        assert_eq!(asked(2, &stores), expected);
        let pieces: i64 = asked(2, &stores).iter().flat_map(|(_, l)| l).map(|(_, n)| n).sum();
        assert_eq!(pieces, 5, "each piece in one part");
    }
}
