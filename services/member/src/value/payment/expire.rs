//! Frees holds whose time is over. Nobody waits for it: such a hold cannot be taken any more, whether it has come round or not.

use siyu_grpc::Ctx;
use siyu_kernel::{Fault, Id};
use siyu_ledger::{Failure, Outcome, Transfer};
use siyu_proto::member::v1 as proto;
use siyu_runtime::Progress;

use super::{
    domain::{State, show},
    store,
};
use crate::{App, limits, publish, value::RELEASED, value::policy};

/// Frees some.
pub(crate) async fn once(app: &App) -> Result<Progress, Fault> {
    let now = app.clock.now();
    let mut jobs = app.db.system("member.value_holds").await?;
    let due = store::due(&mut jobs, now, limits::HOLDS_BATCH).await?;
    // Each in a transaction of its own: nobody waits for more than one of them.
    drop(jobs);
    let progress = if due.is_empty() { Progress::Idle } else { Progress::Worked };
    for (merchant, id) in due {
        let mut tx = app.db.tenant(merchant).await?;
        let (mut payment, parts) = super::lock(&mut tx, id).await?;
        if payment.state != State::Held || !payment.is_over(now) {
            continue;
        }
        let holds =
            parts.iter().flat_map(|part| [part.principal_transfer_id, part.bonus_transfer_id]);
        let expire = |hold| {
            let transfer = Id::from_uuid(app.ids.uuid());
            Transfer::expire_pending(transfer, RELEASED, hold).reference(id.uuid())
        };
        let transfers: Vec<Transfer> = holds.flatten().map(expire).collect();
        for outcome in siyu_ledger::post(&mut tx, &transfers, now).await? {
            match outcome {
                // The ledger's own job may have been there before.
                Outcome::Created(_)
                | Outcome::Exists(_)
                | Outcome::Failed(Failure::HoldExpired) => {}
                Outcome::Failed(failure) => return Err(failure.into()),
            }
        }
        payment.state = State::Expired;
        store::save(&mut tx, &payment, &parts).await?;
        let terms = policy::terms(&mut tx, now).await?;
        let fact =
            proto::ValueHoldReleased { payment: Some(show(&payment, &parts, terms.currency)) };
        let ctx = Ctx::internal(crate::NAME, Some(merchant), now);
        publish(app, &mut tx, &ctx, id.to_string(), &fact).await?;
        tx.commit().await?;
    }
    Ok(progress)
}
