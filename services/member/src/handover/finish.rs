//! Ends hand-overs whose time is over: those that wait take effect, those that the platform never took fail.

use siyu_grpc::Ctx;
use siyu_kernel::Fault;
use siyu_pg::Tx;
use siyu_runtime::Progress;

use super::{
    domain::{Event, Failure, Handover, HandoverId, State},
    store, tell,
};
use crate::{
    App, NAME, limits,
    owner::{
        Source,
        assign::{self, Change},
        domain::Standing,
    },
    person::{self, PersonId},
};

/// Ends some.
pub async fn once(app: &App) -> Result<Progress, Fault> {
    let now = app.clock.now();
    let mut jobs = app.db.system("member.finish_handovers").await?;
    let due = store::due(&mut jobs, now, limits::HANDOVER_BATCH).await?;
    // One merchant at a time: a transaction holds the persons of one.
    let Some(merchant) = due.first().map(|(merchant, ..)| *merchant) else {
        return Ok(Progress::Idle);
    };
    let of_one: Vec<_> = due.into_iter().filter(|(of, ..)| *of == merchant).collect();
    let tx = jobs.become_tenant(merchant).await?;
    let ctx = Ctx::internal(NAME, Some(merchant), now);
    // Persons first, as everybody does; what has ended meanwhile is not due any more.
    let persons: Vec<PersonId> = of_one.iter().map(|(_, person, _)| *person).collect();
    person::hold_all(tx, &persons).await?;
    let mut standing = assign::lock(tx, persons).await?;
    let mut ids: Vec<HandoverId> = of_one.iter().map(|(.., id)| *id).collect();
    ids.sort_unstable();
    let mut done = Progress::Idle;
    for mut handover in store::lock(tx, &ids).await? {
        if handover.due_at.is_none_or(|due_at| due_at > now) {
            continue;
        }
        let standing = standing.remove(&handover.person_id).expect("every person is locked");
        end(app, tx, &ctx, &mut handover, standing).await?;
        done = Progress::Worked;
    }
    jobs.commit().await?;
    Ok(done)
}

async fn end(
    app: &App,
    tx: &mut Tx,
    ctx: &Ctx,
    handover: &mut Handover,
    standing: Standing,
) -> Result<(), Fault> {
    let effect = handover.due_at.expect("it is due");
    let is_owner = standing.staff_id == Some(handover.from_staff_id);
    let event = match handover.state {
        State::Requested => Event::Fail(Failure::Unanswered),
        State::Waiting if is_owner => Event::Done,
        State::Waiting | State::Done | State::Refused | State::Failed => {
            Event::Fail(Failure::OwnerChanged)
        }
    };
    handover.take(event, ctx.now)?;
    if event == Event::Done {
        let since = standing.since_at.map_or(effect, |held| held.max(effect));
        let to = Some((handover.to_staff_id, handover.to_store_id));
        let change = Change { standing, to, source: Source::Handover, since };
        assign::apply(app, tx, ctx, vec![change]).await?;
    }
    store::save(tx, std::slice::from_ref(handover)).await?;
    tell(app, tx, ctx, std::slice::from_ref(handover)).await?;
    Ok(())
}
