//! By what a person is connected: interest, trust, benefit (兴趣, 信任, 利益; reference §1.3). Computed from facts at the moment
//! of the question, so that each kind ends by itself.

pub mod domain;
pub mod store;

use siyu_grpc::{Ctx, parse};
use siyu_kernel::Fault;
use siyu_pg::Tx;
use siyu_proto::member::v1::{GetConnectionKindsRequest, GetConnectionKindsResponse, HeldKind};

use crate::{
    App, account,
    person::{self, PersonId},
};

pub(super) async fn get(
    app: &App,
    ctx: Ctx,
    request: GetConnectionKindsRequest,
) -> Result<GetConnectionKindsResponse, Fault> {
    let asked = parse::id("person_id", &request.person_id)?;
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let person = person::canonical(&mut tx, asked).await?;
    let points = account::points(&mut tx, &[person], ctx.now).await?;
    let available = points.get(&person).map_or(0, |points| points.available);
    Ok(GetConnectionKindsResponse { kinds: held(&mut tx, &ctx, person, available).await? })
}

/// What a person holds who has so many points.
pub(crate) async fn held(
    tx: &mut Tx,
    ctx: &Ctx,
    person: PersonId,
    points_available: i64,
) -> Result<Vec<HeldKind>, siyu_pg::Error> {
    let evidence = store::evidence(tx, person).await?;
    let held = domain::held(&evidence, points_available, ctx.now);
    Ok(held.into_iter().map(Into::into).collect())
}
