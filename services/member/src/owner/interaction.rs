//! Interactions (互动): when persons and employees last had to do with each other. The latest of each kind stands, whatever
//! order facts arrive in.

pub mod store;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use siyu_grpc::{Ctx, parse};
use siyu_kernel::Fault;
use siyu_proto::member::v1::{
    self as proto, RecordInteractionsRequest, RecordInteractionsResponse,
};

use crate::{
    App,
    person::{self, PersonId},
    staff::{self, StaffId},
};

/// What a person and an employee had to do with each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Kind {
    /// The employee wrote.
    MessageToPerson,
    /// The person wrote.
    MessageFromPerson,
    /// They spoke on the phone.
    Call,
    /// They met in a store.
    Visit,
    /// The employee served an order.
    OrderServed,
}

/// One fact; the latest of its person, employee and kind counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interaction {
    /// The person.
    pub person_id: PersonId,
    /// The employee.
    pub staff_id: StaffId,
    /// What it was.
    pub kind: Kind,
    /// When.
    pub at: DateTime<Utc>,
}

impl Kind {
    /// The word in columns.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MessageToPerson => "message_to_person",
            Self::MessageFromPerson => "message_from_person",
            Self::Call => "call",
            Self::Visit => "visit",
            Self::OrderServed => "order_served",
        }
    }

    fn read(value: i32) -> Option<Self> {
        match proto::InteractionKind::try_from(value).ok()? {
            proto::InteractionKind::Unspecified => None,
            proto::InteractionKind::MessageToPerson => Some(Self::MessageToPerson),
            proto::InteractionKind::MessageFromPerson => Some(Self::MessageFromPerson),
            proto::InteractionKind::Call => Some(Self::Call),
            proto::InteractionKind::Visit => Some(Self::Visit),
            proto::InteractionKind::OrderServed => Some(Self::OrderServed),
        }
    }
}

fn read(field: &str, fact: &proto::Interaction, now: DateTime<Utc>) -> Result<Interaction, Fault> {
    let at = |name: &str| format!("{field}.{name}");
    let occur_time =
        fact.occur_time.ok_or_else(|| Fault::field(at("occur_time"), "is required"))?;
    let occurred_at = parse::instant(&at("occur_time"), occur_time)?;
    if occurred_at > now {
        return Err(Fault::field(at("occur_time"), "must not be in the future"));
    }
    Ok(Interaction {
        person_id: parse::id(&at("person_id"), &fact.person_id)?,
        staff_id: parse::id(&at("staff_id"), &fact.staff_id)?,
        kind: Kind::read(fact.kind)
            .ok_or_else(|| Fault::field(at("kind"), "is not a known value"))?,
        at: occurred_at,
    })
}

pub(super) async fn record(
    app: &App,
    ctx: Ctx,
    request: RecordInteractionsRequest,
) -> Result<RecordInteractionsResponse, Fault> {
    let mut facts = Vec::with_capacity(request.interactions.len());
    for (i, fact) in request.interactions.iter().enumerate() {
        facts.push(read(&format!("interactions[{i}]"), fact, ctx.now)?);
    }
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    let asked: Vec<PersonId> = facts.iter().map(|fact| fact.person_id).collect();
    let persons = person::hold_all(&mut tx, &asked).await?;
    if asked.iter().any(|id| !persons.contains_key(id)) {
        return Err(Fault::not_found("person"));
    }
    let staff: BTreeSet<StaffId> = facts.iter().map(|fact| fact.staff_id).collect();
    let staff: Vec<StaffId> = staff.into_iter().collect();
    if staff::store::departures(&mut tx, &staff).await?.len() < staff.len() {
        return Err(Fault::not_found("staff"));
    }
    // The latest of each, in their order, so that two calls never wait for each other.
    let mut latest: BTreeMap<(PersonId, StaffId, &str), Interaction> = BTreeMap::new();
    for fact in facts {
        let fact = Interaction { person_id: persons[&fact.person_id], ..fact };
        let known =
            latest.entry((fact.person_id, fact.staff_id, fact.kind.as_str())).or_insert(fact);
        known.at = known.at.max(fact.at);
    }
    let latest: Vec<Interaction> = latest.into_values().collect();
    let news = store::record(&mut tx, &latest).await?;
    tx.commit().await?;
    Ok(RecordInteractionsResponse { changed: i32::try_from(news).expect("at most 1000") })
}
