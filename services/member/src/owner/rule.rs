//! Gives persons to employees by the rule: what it needs is read for all persons at once, then each is decided in turn.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use siyu_grpc::{Ctx, parse};
use siyu_kernel::Fault;
use siyu_pg::Tx;
use siyu_proto::member::v1::{self as proto, RuleCase};

use super::{
    assign::{self, Change},
    domain::{self, Candidates, Decision, Holder, Presence, Source, Standing},
    interaction, store,
};
use crate::{
    App,
    person::{self, PersonId},
    shop::{self, StoreId},
    staff::{self, StaffId},
};

/// One person for the rule.
struct Case {
    person_id: PersonId,
    channel: Option<StaffId>,
    store: Option<StoreId>,
    serving: Option<StaffId>,
}

/// What is known of employees and stores.
struct Known {
    /// Who was named, and whether they work here; owners too.
    staff: HashMap<StaffId, Presence>,
    /// Who serves in each store, sorted, and whose turn it was last.
    turns: BTreeMap<StoreId, (Vec<StaffId>, Option<StaffId>)>,
    /// Who served the last order.
    guides: HashMap<PersonId, StaffId>,
    /// When a person and the owner last had to do with each other.
    seen: HashMap<PersonId, DateTime<Utc>>,
}

/// Applies the rule to persons, each named once; the answers come in their order.
pub(super) async fn apply(
    app: &App,
    tx: &mut Tx,
    ctx: &Ctx,
    cases: &[RuleCase],
) -> Result<Vec<proto::RuleAnswer>, Fault> {
    let cases = read(tx, cases).await?;
    let standing = assign::lock(tx, cases.iter().map(|case| case.person_id)).await?;
    let mut known = look_up(tx, &cases, &standing).await?;
    let (mut changes, mut answers) = (Vec::new(), Vec::new());
    for case in &cases {
        let stands = &standing[&case.person_id];
        let decision = domain::decide(holder(stands, &known), candidates(case, &known), ctx.now);
        let (outcome, staff) = match decision {
            Decision::Keep => (proto::RuleOutcome::Kept, stands.staff_id),
            Decision::Nobody => (proto::RuleOutcome::Nobody, stands.staff_id),
            Decision::Give(staff, source) => {
                changes.push(change(stands, (staff, case.store), source, ctx.now));
                (proto::RuleOutcome::Assigned, Some(staff))
            }
            Decision::Turn => {
                let staff = known.take_turn(case.store.expect("a turn is one of a store"));
                changes.push(change(stands, (staff, case.store), Source::RoundRobin, ctx.now));
                (proto::RuleOutcome::Assigned, Some(staff))
            }
        };
        answers.push(proto::RuleAnswer {
            person_id: case.person_id.to_string(),
            outcome: outcome.into(),
            staff_id: staff.map(|id| id.to_string()).unwrap_or_default(),
        });
    }
    for (store, (_, last)) in &known.turns {
        store::save_turn(tx, *store, *last).await?;
    }
    assign::apply(app, tx, ctx, changes).await?;
    Ok(answers)
}

async fn read(tx: &mut Tx, cases: &[RuleCase]) -> Result<Vec<Case>, Fault> {
    let mut read = Vec::with_capacity(cases.len());
    for (i, case) in cases.iter().enumerate() {
        let at = |name: &str| format!("cases[{i}].{name}");
        read.push(Case {
            person_id: parse::id(&at("person_id"), &case.person_id)?,
            channel: parse::optional_id(&at("channel_staff_id"), &case.channel_staff_id)?,
            store: parse::optional_id(&at("store_id"), &case.store_id)?,
            serving: parse::optional_id(&at("serving_staff_id"), &case.serving_staff_id)?,
        });
    }
    let asked: Vec<PersonId> = read.iter().map(|case| case.person_id).collect();
    let persons = person::hold_all(tx, &asked).await?;
    let mut seen = BTreeSet::new();
    for (i, case) in read.iter_mut().enumerate() {
        let person = persons.get(&case.person_id).ok_or_else(|| Fault::not_found("person"))?;
        if !seen.insert(*person) {
            return Err(Fault::field(format!("cases[{i}].person_id"), "stands twice"));
        }
        case.person_id = *person;
    }
    Ok(read)
}

async fn look_up(
    tx: &mut Tx,
    cases: &[Case],
    standing: &BTreeMap<PersonId, Standing>,
) -> Result<Known, Fault> {
    let named: BTreeSet<StaffId> =
        cases.iter().flat_map(|case| [case.channel, case.serving]).flatten().collect();
    let owners = standing.values().filter_map(|standing| standing.staff_id);
    let all: BTreeSet<StaffId> = named.iter().copied().chain(owners).collect();
    let all: Vec<StaffId> = all.into_iter().collect();
    let presence = |(id, left): (StaffId, Option<DateTime<Utc>>)| {
        (id, if left.is_some() { Presence::Left } else { Presence::Here })
    };
    let staff: HashMap<StaffId, Presence> =
        staff::store::departures(tx, &all).await?.into_iter().map(presence).collect();
    if named.iter().any(|id| !staff.contains_key(id)) {
        return Err(Fault::not_found("staff"));
    }
    // In the order of the stores, after the persons: as everybody who locks both.
    let stores: BTreeSet<StoreId> = cases.iter().filter_map(|case| case.store).collect();
    let mut turns = BTreeMap::new();
    for store in stores {
        shop::store::find(tx, store).await?.ok_or_else(|| Fault::not_found("store"))?;
        let last = store::lock_turn(tx, store).await?;
        turns.insert(store, (staff::store::serving(tx, store).await?, last));
    }
    let persons: Vec<PersonId> = standing.keys().copied().collect();
    let guides = interaction::store::last_guides(tx, &persons).await?.into_iter().collect();
    let pairs: Vec<(PersonId, StaffId)> =
        standing.values().filter_map(|s| Some((s.person_id, s.staff_id?))).collect();
    let seen = interaction::store::latest(tx, &pairs).await?.into_iter().collect();
    Ok(Known { staff, turns, guides, seen })
}

fn holder(standing: &Standing, known: &Known) -> Option<Holder> {
    let (staff_id, since_at) = (standing.staff_id?, standing.since_at?);
    Some(Holder {
        staff_id,
        since_at,
        interacted_at: known.seen.get(&standing.person_id).copied(),
        presence: known.staff[&staff_id],
    })
}

fn candidates(case: &Case, known: &Known) -> Candidates {
    let here = |id: Option<StaffId>| id.filter(|id| known.staff[id] == Presence::Here);
    Candidates {
        channel: here(case.channel),
        turn: case.store.is_some_and(|store| !known.turns[&store].0.is_empty()),
        last_order: known.guides.get(&case.person_id).copied(),
        serving: here(case.serving),
    }
}

fn change(
    standing: &Standing,
    (staff, store): (StaffId, Option<StoreId>),
    source: Source,
    now: DateTime<Utc>,
) -> Change {
    // Clocks of two processes differ a little: what holds since later ends no earlier.
    let since = standing.since_at.map_or(now, |held| held.max(now));
    Change { standing: standing.clone(), to: Some((staff, store)), source, since }
}

impl Known {
    fn take_turn(&mut self, store: StoreId) -> StaffId {
        let (serving, last) = self.turns.get_mut(&store).expect("every store of a case is known");
        let next = domain::turn(serving, *last).expect("somebody serves");
        *last = Some(next);
        next
    }
}
