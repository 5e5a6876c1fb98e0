//! Takes in one batch: read → who are the buyers → lock what is known → decide → write and publish → commit. A constant
//! number of statements, however many orders.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use prost::Message;
use siyu_grpc::Ctx;
use siyu_kernel::{Code, Fault, Id, Money, Violation, kind::Person};
use siyu_pg::Tx;
use siyu_proto::order::v1 as proto;

use super::{
    domain::{Draft, Incoming, Key, Outcome, TooLarge},
    keep,
    parse::{self, Reading, Surroundings},
    release,
    store::{self, Aside},
};
use crate::{
    App, buyer, limits,
    order::domain::{OrderId, State},
};

/// What became of one order, or refund, of a batch.
#[derive(Debug, Clone)]
pub enum Answer {
    /// It was taken in.
    Done(Outcome, OrderId),
    /// It was taken in, and its order has not come yet.
    Waiting(Outcome),
    /// It was put aside.
    Quarantined,
    /// It was refused.
    Rejected(Vec<Violation>),
}

/// An order of a batch after it was read.
enum Read {
    Sound(Box<Incoming>, Id<Person>),
    Aside(Box<Aside>),
    Wrong(Vec<Violation>),
}

/// What is known of the orders of a batch that were put aside, by their place in it.
#[derive(Debug, Default)]
pub struct Kept {
    /// Who bought, where the buyer's id may not be known any more: persons whose data were erased.
    pub erased: HashMap<usize, Id<Person>>,
    /// The version of each; empty for a batch that comes now.
    pub versions: Vec<DateTime<Utc>>,
}

/// Takes in a batch in a transaction of its own.
pub async fn import(
    app: &App,
    ctx: &Ctx,
    orders: &[proto::ExternalOrder],
) -> Result<Vec<Answer>, Fault> {
    let merchant = ctx.merchant()?;
    let mappings = {
        let mut tx = app.db.tenant_read(merchant).await?;
        store::mappings(&mut tx).await?
    };
    let read = read(app, ctx, orders, &mappings, &Kept::default()).await?;
    for _ in 0..limits::RACE_ATTEMPTS_MAX {
        let mut tx = app.db.tenant(merchant).await?;
        if let Some(answers) = write(app, &mut tx, ctx, &read).await? {
            tx.commit().await?;
            release::overtaken(app, ctx, &unknown_words(&read)).await?;
            return Ok(answers);
        }
    }
    Err(Fault::new(
        Code::Aborted,
        "ORDERS_CONTENDED",
        "other imports store the same orders at this moment",
    ))
}

/// Takes in orders that were put aside, in the transaction that lets them go.
pub async fn import_in(
    app: &App,
    tx: &mut Tx,
    ctx: &Ctx,
    orders: &[proto::ExternalOrder],
    mappings: &HashMap<(String, String), State>,
    kept: &Kept,
) -> Result<Option<Vec<Answer>>, Fault> {
    let read = read(app, ctx, orders, mappings, kept).await?;
    write(app, tx, ctx, &read).await
}

async fn read(
    app: &App,
    ctx: &Ctx,
    orders: &[proto::ExternalOrder],
    mappings: &HashMap<(String, String), State>,
    kept: &Kept,
) -> Result<Vec<Read>, Fault> {
    let codes: BTreeSet<&str> =
        orders.iter().map(|o| o.store_code.as_str()).filter(|code| !code.is_empty()).collect();
    let known = app.directory.known(ctx, &codes).await?;
    let around =
        Surroundings { currency: known.currency, stores: &known.stores, mappings, now: ctx.now };
    let read = |(i, order)| parse::read(order, &around, kept.versions.get(i).copied());
    let readings: Vec<Reading> = orders.iter().enumerate().map(read).collect();
    let persons = persons(app, ctx, orders, &readings, &kept.erased).await?;
    let finish = |((reading, order), person): ((Reading, _), Option<Id<Person>>)| {
        let order: &proto::ExternalOrder = order;
        match (reading, person) {
            (Reading::Order(incoming), Some(person)) => Read::Sound(incoming, person),
            (Reading::StatusUnknown { key, status, version }, Some(person_id)) => {
                let (id, order) = (app.ids.uuid(), order.clone());
                Read::Aside(Box::new(Aside { id, key, status, version, person_id, order }))
            }
            (Reading::Wrong(violations), _) => Read::Wrong(violations),
            (Reading::Order(_) | Reading::StatusUnknown { .. }, None) => {
                unreachable!("whoever bought a sound order was asked for")
            }
        }
    };
    Ok(readings.into_iter().zip(orders).zip(persons).map(finish).collect())
}

/// Who bought each order; none for those that are wrong. Of what is put aside too: who is erased later is to be found there.
async fn persons(
    app: &App,
    ctx: &Ctx,
    orders: &[proto::ExternalOrder],
    readings: &[Reading],
    erased: &HashMap<usize, Id<Person>>,
) -> Result<Vec<Option<Id<Person>>>, Fault> {
    fn key(reading: &Reading) -> Option<&Key> {
        match reading {
            Reading::Order(incoming) => Some(&incoming.key),
            Reading::StatusUnknown { key, .. } => Some(key),
            Reading::Wrong(_) => None,
        }
    }
    let keys: Vec<Option<&Key>> = readings.iter().map(key).collect();
    let all = || keys.iter().copied().zip(orders).enumerate();
    let buyer = |(i, (key, order)): (usize, (Option<&Key>, &proto::ExternalOrder))| {
        let key = key.filter(|_| !erased.contains_key(&i))?;
        Some((key.clone(), order.buyer_id.clone()))
    };
    let buyers: Vec<(Key, String)> = all().filter_map(buyer).collect();
    let asked = buyers.iter().map(|(key, buyer_id)| key.buyer(buyer_id)).collect();
    let known = app.directory.persons(ctx, asked).await?;
    let who = |(i, (key, order)): (usize, (Option<&Key>, &proto::ExternalOrder))| {
        let key = key?;
        Some(erased.get(&i).copied().unwrap_or_else(|| known[&key.buyer(&order.buyer_id)]))
    };
    Ok(all().map(who).collect())
}

/// Decides and writes; `None` when another import created one of the orders meanwhile.
async fn write(
    app: &App,
    tx: &mut Tx,
    ctx: &Ctx,
    read: &[Read],
) -> Result<Option<Vec<Answer>>, Fault> {
    let persons = buyers(tx, read).await?;
    store::enter(tx).await?;
    let keys = read.iter().filter_map(|one| match one {
        Read::Sound(incoming, _) => Some(&incoming.key),
        Read::Aside(_) | Read::Wrong(_) => None,
    });
    let mut drafts = keep::load(tx, &keys.collect()).await?;
    let decide = |one| decide(app, ctx, &mut drafts, &persons, one);
    let answers: Vec<Answer> = read.iter().map(decide).collect();
    if !keep::save(app, tx, ctx, drafts).await? {
        return Ok(None);
    }
    let aside = aside(read);
    if !aside.is_empty() {
        let persons: BTreeSet<Id<Person>> = aside.iter().map(|row| row.person_id).collect();
        let erased = buyer::store::erased(tx, &persons.into_iter().collect::<Vec<_>>()).await?;
        let payload = |row: &&Aside| {
            let is_erased = erased.contains(&row.person_id);
            if is_erased { release::without_buyer(&row.order) } else { row.order.encode_to_vec() }
        };
        let payloads = aside.iter().map(payload).collect();
        store::put_aside(tx, &aside, payloads, ctx.now).await?;
    }
    Ok(Some(answers))
}

/// What is to be put aside: each version once, as it came last, in the order of the keys, so that two imports never wait for
/// each other.
fn aside(read: &[Read]) -> Vec<&Aside> {
    let key = |aside: &Aside| (aside.key.clone(), aside.status.clone(), aside.version);
    let each = read.iter().filter_map(|one| match one {
        Read::Aside(aside) => Some((key(aside), aside.as_ref())),
        Read::Sound(..) | Read::Wrong(_) => None,
    });
    each.collect::<BTreeMap<_, _>>().into_values().collect()
}

/// The words that nobody knew when the batch was read, by platform.
fn unknown_words(read: &[Read]) -> BTreeSet<(&str, &str)> {
    aside(read).iter().map(|aside| (aside.key.platform.as_str(), aside.status.as_str())).collect()
}

/// Whom buyers turned out to be since the member service was asked; nobody is merged before the transaction ends.
async fn buyers(
    tx: &mut Tx,
    read: &[Read],
) -> Result<HashMap<Id<Person>, Id<Person>>, siyu_pg::Error> {
    let persons = read.iter().filter_map(|one| match one {
        Read::Sound(_, person) => Some(*person),
        Read::Aside(_) | Read::Wrong(_) => None,
    });
    let persons: BTreeSet<Id<Person>> = persons.collect();
    buyer::store::hold(tx).await?;
    buyer::store::canonical(tx, &persons.into_iter().collect::<Vec<_>>()).await
}

fn decide<'a>(
    app: &App,
    ctx: &Ctx,
    drafts: &mut HashMap<&'a Key, Draft>,
    persons: &HashMap<Id<Person>, Id<Person>>,
    one: &'a Read,
) -> Answer {
    let (incoming, person) = match one {
        Read::Sound(incoming, person) => (incoming, *persons.get(person).unwrap_or(person)),
        Read::Aside(_) => return Answer::Quarantined,
        Read::Wrong(violations) => return Answer::Rejected(violations.clone()),
    };
    let too_large = |error: TooLarge| {
        let (field, description) = match error {
            TooLarge::Lines(_) => ("lines", error.to_string()),
            TooLarge::Amount(most) => (
                "lines.paid",
                format!("must sum to at most {}", Money::new(incoming.currency, most)),
            ),
            TooLarge::Quantity(_) => ("lines.quantity", error.to_string()),
        };
        Answer::Rejected(vec![Violation { field: field.into(), description }])
    };
    if let Some(draft) = drafts.get_mut(&incoming.key) {
        let applied = draft.apply(incoming, person, &limits::ORDER);
        return applied.map_or_else(too_large, |outcome| Answer::Done(outcome, draft.id()));
    }
    if incoming.lines.is_empty() {
        let description = "is required for an order that is not known".to_owned();
        return Answer::Rejected(vec![Violation { field: "lines".into(), description }]);
    }
    if let Err(error) = limits::ORDER.check(incoming.lines.iter()) {
        return too_large(error);
    }
    let id = Id::from_uuid(app.ids.uuid());
    drafts.insert(&incoming.key, Draft::new(id, incoming, person, ctx.now));
    Answer::Done(Outcome::Created, id)
}
