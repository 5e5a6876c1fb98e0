//! Gives persons to employees: ends what held, begins what holds, tells it.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use siyu_grpc::Ctx;
use siyu_kernel::Fault;
use siyu_pg::Tx;
use siyu_proto::member::v1::OwnerChanged;

use super::{
    domain::{Error, Source, Span, Standing},
    store,
};
use crate::{App, person::PersonId, publish_all, shop::StoreId, staff::StaffId};

/// A person who changes hands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Change {
    /// What stands, locked.
    pub(crate) standing: Standing,
    /// Who gets the person, in which store; none: nobody.
    pub(crate) to: Option<(StaffId, Option<StoreId>)>,
    /// How it comes about.
    pub(crate) source: Source,
    /// Since when it holds.
    pub(crate) since: DateTime<Utc>,
}

/// Locks what stands for persons, by person.
pub(crate) async fn lock(
    tx: &mut Tx,
    persons: impl IntoIterator<Item = PersonId>,
) -> Result<BTreeMap<PersonId, Standing>, siyu_pg::Error> {
    let mut persons: Vec<PersonId> = persons.into_iter().collect();
    persons.sort_unstable();
    persons.dedup();
    let standing = store::lock(tx, &persons).await?;
    Ok(standing.into_iter().map(|standing| (standing.person_id, standing)).collect())
}

/// Makes changes; who has the owner already, in the same store, stays untouched. Returns how many changed hands.
pub(crate) async fn apply(
    app: &App,
    tx: &mut Tx,
    ctx: &Ctx,
    changes: Vec<Change>,
) -> Result<usize, Fault> {
    let (mut ends, mut begins, mut saved, mut facts) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for Change { standing, to, source, since } in changes {
        if to.map(|(staff, _)| staff) == standing.staff_id
            && to.is_none_or(|(_, store)| store == standing.store_id)
        {
            continue;
        }
        if let Some(held_since) = standing.since_at {
            if since < held_since {
                return Err(Error::SinceTooEarly.into());
            }
            ends.push((standing.person_id, standing.span, since));
        }
        let span = to.map(|(staff_id, store_id)| Span {
            person_id: standing.person_id,
            number: standing.span + 1,
            staff_id,
            store_id,
            source,
            since_at: since,
            until_at: None,
            recorded_at: ctx.now,
        });
        let before_staff_id = standing.staff_id.map(|id| id.to_string()).unwrap_or_default();
        let fact = OwnerChanged { span: span.clone().map(Into::into), before_staff_id };
        facts.push((standing.person_id.to_string(), fact));
        saved.push(Standing {
            person_id: standing.person_id,
            span: span.as_ref().map_or(standing.span, |span| span.number),
            staff_id: to.map(|(staff, _)| staff),
            store_id: to.and_then(|(_, store)| store),
            since_at: to.map(|_| since),
            source: to.map(|_| source),
        });
        begins.extend(span);
    }
    if !saved.is_empty() {
        store::end_spans(tx, &ends, ctx.now).await?;
        store::insert_spans(tx, &begins).await?;
        store::save(tx, &saved).await?;
        publish_all(app, tx, ctx, &facts).await?;
    }
    Ok(saved.len())
}
