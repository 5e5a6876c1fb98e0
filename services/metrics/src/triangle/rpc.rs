//! The RPC of the triangle.

use siyu_grpc::{Ctx, serve};
use siyu_kernel::Fault;
use siyu_proto::metrics::v1::{
    GetTriangleRequest, GetTriangleResponse, Pillars as WirePillars,
    triangle_service_server::TriangleService,
};
use tonic::{Request, Response, Status, async_trait};

use super::inputs;
use crate::{
    App,
    engine::triangle::{Baseline, Flag, Inputs, Pillars, Triangle},
    look::{self, count},
};

/// The baseline is the same look so many days earlier.
const BASELINE_DAYS: i32 = 365;

#[async_trait]
impl TriangleService for App {
    async fn get_triangle(
        &self,
        request: Request<GetTriangleRequest>,
    ) -> Result<Response<GetTriangleResponse>, Status> {
        serve(request, |ctx, message| triangle(self, ctx, message)).await
    }
}

async fn triangle(
    app: &App,
    ctx: Ctx,
    request: GetTriangleRequest,
) -> Result<GetTriangleResponse, Fault> {
    let merchant = ctx.merchant()?;
    let current = app.cache.current(merchant).await?;
    let as_of =
        look::day(&current.cubes.all, "as_of_day", &request.as_of_day, current.zone.day(ctx.now))?;
    let earlier = as_of.plus(-BASELINE_DAYS);
    let mut tx = app.db.tenant_read(merchant).await?;
    let now = inputs::gather(&mut tx, &current, as_of).await?;
    let then = inputs::gather(&mut tx, &current, earlier).await?;
    let (pillars, before) = (Pillars::of(&now), Pillars::of(&then));
    let compared = Triangle::of(pillars.values(), &Baseline { values: before.values() });
    Ok(GetTriangleResponse {
        basis: Some(look::basis_of_day(&current, as_of)?),
        current: Some(show(&now, &pillars)),
        baseline: Some(show(&then, &before)),
        baseline_day: earlier.to_string(),
        area: compared.map(|triangle| triangle.area),
        index: compared.map(|triangle| triangle.index),
        balance: compared.map(|triangle| triangle.balance),
        shares: compared.map(|triangle| triangle.shapley_index.to_vec()).unwrap_or_default(),
        flags: pillars.flags.iter().map(|flag| word(*flag).to_owned()).collect(),
    })
}

fn show(inputs: &Inputs, pillars: &Pillars) -> WirePillars {
    WirePillars {
        connected: inputs.connections.map_or(0, |connections| count(connections.connected)),
        reach: pillars.property.second.value(),
        property_power: pillars.property.value,
        repeat_rate: pillars.value.first.value(),
        lifetime_value_minor: pillars.value.second.value(),
        customer_value_minor: pillars.value.value,
        referral: pillars.referral.first.value(),
        influence: pillars.referral.second.value(),
        referral_rate: pillars.referral.value,
    }
}

const fn word(flag: Flag) -> &'static str {
    match flag {
        Flag::ReachUnmeasured => "reach_unmeasured",
        Flag::ConnectionsUnmeasured => "connections_unmeasured",
        Flag::ReferralUnmeasured => "referral_unmeasured",
        Flag::InfluenceBreadth => "influence_mode=breadth",
        Flag::InfluenceUnmeasured => "influence_unmeasured",
        Flag::ValueUnmeasured => "value_unmeasured",
    }
}
