//! Touches (触点行为): signs of interest. The latest two of each kind stand, whatever order they arrive in.

pub mod store;

use std::collections::BTreeSet;

use siyu_grpc::{Ctx, parse};
use siyu_kernel::Fault;
use siyu_proto::member::v1::{self as proto, RecordTouchesRequest, RecordTouchesResponse};

use crate::{
    App,
    person::{self, PersonId},
};

/// Less of a live stream is no sign of interest (reference §1.3).
const LIVE_SECONDS_MIN: i32 = 60;

/// The word in columns for a kind; none for one that is not known.
fn word(kind: i32) -> Option<&'static str> {
    match proto::TouchKind::try_from(kind).ok()? {
        proto::TouchKind::Unspecified => None,
        proto::TouchKind::Live => Some("live"),
        proto::TouchKind::Content => Some("content"),
        proto::TouchKind::ContentGroup => Some("content_group"),
    }
}

pub(super) async fn record(
    app: &App,
    ctx: Ctx,
    request: RecordTouchesRequest,
) -> Result<RecordTouchesResponse, Fault> {
    let mut read = Vec::with_capacity(request.touches.len());
    for (i, touch) in request.touches.iter().enumerate() {
        let at = |name: &str| format!("touches[{i}].{name}");
        let person: PersonId = parse::id(&at("person_id"), &touch.person_id)?;
        let kind =
            word(touch.kind).ok_or_else(|| Fault::field(at("kind"), "is not a known value"))?;
        let occurred_at = parse::optional_instant(&at("occur_time"), touch.occur_time)?
            .ok_or_else(|| Fault::field(at("occur_time"), "is required"))?;
        if occurred_at > ctx.now {
            return Err(Fault::field(at("occur_time"), "must not be in the future"));
        }
        if kind != "live" || touch.seconds >= LIVE_SECONDS_MIN {
            read.push((person, kind, occurred_at));
        }
    }
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    let named: Vec<PersonId> = read.iter().map(|(person, ..)| *person).collect();
    let persons = person::hold_all(&mut tx, &named).await?;
    // In one order, so that two calls never wait for each other; the same instant twice is one sign.
    let mut signs = BTreeSet::new();
    for (person, kind, at) in read {
        let person = persons.get(&person).ok_or_else(|| Fault::not_found("person"))?;
        signs.insert((*person, kind, at));
    }
    let signs: Vec<_> = signs.into_iter().collect();
    let changed = store::record(&mut tx, &signs).await?;
    tx.commit().await?;
    Ok(RecordTouchesResponse { changed: i32::try_from(changed).expect("at most 1000") })
}
