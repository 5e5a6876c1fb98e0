//! Hand-overs (客户转接, 在职/离职继承): a customer passes from one employee to another by the rules of WeCom. Until one is done
//! the customer belongs to who gives. A customer has at most one under way.
//!
//! | state | accept | refuse | fail | time is over |
//! | --- | --- | --- | --- | --- |
//! | requested | → waiting | → refused | → failed | → failed: unanswered |
//! | waiting | – | → refused | → failed | → done, or failed: owner changed |
//! | done | refused: ended | refused: ended | refused: ended | – |
//! | refused | refused: ended | – | refused: ended | – |
//! | failed | refused: ended | refused: ended | – | – |

pub mod domain;
pub mod finish;
pub mod rpc;
pub mod store;
mod wire;

use siyu_grpc::Ctx;
use siyu_kernel::Fault;
use siyu_pg::Tx;
use siyu_proto::member::v1::HandoverChanged;

use self::domain::{Event, Failure, Handover};
use crate::{App, person::Merge, publish_all};

/// Two persons are one: what was under way for the one who disappears, and for the other if the owner changed, comes to
/// nothing, for the platform knows them by the old owner.
pub(crate) async fn on_merge(
    app: &App,
    tx: &mut Tx,
    ctx: &Ctx,
    merge: &Merge,
) -> Result<(), Fault> {
    let Some(mut open) = store::lock_open(tx, merge.loser).await? else { return Ok(()) };
    open.take(Event::Fail(Failure::OwnerChanged), ctx.now)?;
    store::save(tx, &[open.clone()]).await?;
    tell(app, tx, ctx, &[open]).await?;
    Ok(())
}

async fn tell(
    app: &App,
    tx: &mut Tx,
    ctx: &Ctx,
    handovers: &[Handover],
) -> Result<(), siyu_pg::Error> {
    let fact = |handover: &Handover| {
        // What the customer is told is between the two, and the log of facts forgets nothing.
        let told = Handover { message: String::new(), ..handover.clone() };
        (handover.id.to_string(), HandoverChanged { handover: Some(told.into()) })
    };
    publish_all(app, tx, ctx, &handovers.iter().map(fact).collect::<Vec<_>>()).await
}
