//! How a merchant routes orders.

pub mod store;

use prost::Message;
use siyu_grpc::Ctx;
use siyu_kernel::Fault;
use siyu_pg::Tx;
use siyu_proto::order::v1::{
    FulfilmentPolicy, GetFulfilmentPolicyResponse, RoutingWeights, SetFulfilmentPolicyRequest,
    SetFulfilmentPolicyResponse,
};

use super::route::{self, Split, Weights};
use crate::{App, limits};

/// The rules in force, with the usual ones where the merchant has said nothing.
pub(crate) async fn read(tx: &mut Tx) -> Result<FulfilmentPolicy, Fault> {
    let stored = store::find(tx).await?;
    let stored = stored.map(|definition| FulfilmentPolicy::decode(definition.as_slice()));
    let stored = stored.transpose().map_err(Fault::internal)?.unwrap_or_default();
    let or = |given: i32, usual: i32| if given == 0 { usual } else { given };
    let usual = route::Policy::default().weights;
    let weights = stored.weights.unwrap_or(RoutingWeights {
        distance: usual.distance,
        load: usual.load,
        not_own: usual.not_own,
        split: usual.split,
    });
    Ok(FulfilmentPolicy {
        accept_minutes: or(stored.accept_minutes, limits::ACCEPT_MINUTES),
        asked_max: or(stored.asked_max, limits::STORES_ASKED),
        split_max: or(stored.split_max, 1),
        weights: Some(weights),
        pickup_days: or(stored.pickup_days, limits::PICKUP_DAYS),
        headquarters_accept: stored.headquarters_accept,
        promise_hours: or(stored.promise_hours, limits::PROMISE_HOURS),
    })
}

/// The rules as routing sees them.
pub(crate) fn of(policy: &FulfilmentPolicy) -> route::Policy {
    let usual = route::Policy::default();
    let weights = policy.weights.map_or(usual.weights, |weights| Weights {
        distance: weights.distance,
        load: weights.load,
        not_own: weights.not_own,
        split: weights.split,
    });
    let split = match usize::try_from(policy.split_max) {
        Ok(most) if most > 1 => Split::UpTo(most),
        Ok(_) | Err(_) => Split::Never,
    };
    let asked_max = usize::try_from(policy.asked_max).unwrap_or(usual.asked_max);
    route::Policy { weights, split, asked_max }
}

pub(crate) async fn set(
    app: &App,
    ctx: Ctx,
    request: SetFulfilmentPolicyRequest,
) -> Result<SetFulfilmentPolicyResponse, Fault> {
    let given = request.policy.unwrap_or_default();
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    store::save(&mut tx, &given.encode_to_vec(), ctx.now).await?;
    let policy = read(&mut tx).await?;
    tx.commit().await?;
    Ok(SetFulfilmentPolicyResponse { policy: Some(policy) })
}

pub(crate) async fn get(app: &App, ctx: Ctx) -> Result<GetFulfilmentPolicyResponse, Fault> {
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    Ok(GetFulfilmentPolicyResponse { policy: Some(read(&mut tx).await?) })
}
