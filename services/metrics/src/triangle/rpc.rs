//! The RPC of the triangle.

use siyu_grpc::{Ctx, parse, serve};
use siyu_kernel::{Fault, LocalDay};
use siyu_pg::Tx;
use siyu_proto::metrics::v1::{
    GetTriangleRequest, GetTriangleResponse, Pillars as WirePillars, SetTriangleBaselineRequest,
    SetTriangleBaselineResponse, triangle_service_server::TriangleService,
};
use tonic::{Request, Response, Status, async_trait};

use super::{
    baseline::{self, Baseline},
    inputs, store,
};
use crate::{
    App,
    cube::cache::Current,
    engine::triangle::{Baseline as Values, Flag, Inputs, Pillars, Triangle},
    look::{self, count},
};

#[async_trait]
impl TriangleService for App {
    async fn get_triangle(
        &self,
        request: Request<GetTriangleRequest>,
    ) -> Result<Response<GetTriangleResponse>, Status> {
        serve(request, |ctx, message| triangle(self, ctx, message)).await
    }

    async fn set_triangle_baseline(
        &self,
        request: Request<SetTriangleBaselineRequest>,
    ) -> Result<Response<SetTriangleBaselineResponse>, Status> {
        serve(request, |ctx, message| set_baseline(self, ctx, message)).await
    }
}

async fn triangle(
    app: &App,
    ctx: Ctx,
    request: GetTriangleRequest,
) -> Result<GetTriangleResponse, Fault> {
    let merchant = ctx.merchant()?;
    let current = app.cache.current(merchant).await?;
    let last = last_day(&current, &ctx)?;
    let as_of = look::day(&current.cubes.all, "as_of_day", &request.as_of_day, last)?;
    let mut tx = app.db.tenant_read(merchant).await?;
    let now = inputs::gather(&mut tx, &current, as_of).await?;
    let pillars = Pillars::of(&now);
    let baseline = if let Some(frozen) = store::latest(&mut tx).await? {
        Baseline::of(&frozen)?
    } else {
        let day = baseline::day_for(current.cubes.all.span(), as_of);
        let taken = take(&mut tx, &current, day).await?;
        drop(tx);
        // A look into the past must not decide what the present is compared with.
        let is_of_the_present = as_of >= last && taken.is_complete();
        if is_of_the_present { baseline::freeze_first(app, &ctx, taken).await? } else { taken }
    };
    let compared = Triangle::of(pillars.values(), &Values { values: baseline.values() });
    Ok(GetTriangleResponse {
        basis: Some(look::basis_of_day(&current, as_of)?),
        current: Some(show(&now, &pillars)),
        baseline_day: baseline.day.to_string(),
        baseline_version: baseline.version,
        baseline: Some(baseline.pillars),
        area: compared.map(|triangle| triangle.area),
        index: compared.map(|triangle| triangle.index),
        balance: compared.map(|triangle| triangle.balance),
        shares: compared.map(|triangle| triangle.shapley_index.to_vec()).unwrap_or_default(),
        flags: pillars.flags.iter().map(|flag| word(*flag).to_owned()).collect(),
    })
}

async fn set_baseline(
    app: &App,
    ctx: Ctx,
    request: SetTriangleBaselineRequest,
) -> Result<SetTriangleBaselineResponse, Fault> {
    let merchant = ctx.merchant()?;
    let current = app.cache.current(merchant).await?;
    let last = last_day(&current, &ctx)?;
    let usual = baseline::day_for(current.cubes.all.span(), last);
    let day = parse::optional_day("day", &request.day)?.unwrap_or(usual);
    if day > last {
        return Err(Fault::field("day", "must not be after the last day with an order"));
    }
    let mut tx = app.db.tenant_read(merchant).await?;
    let taken = take(&mut tx, &current, day).await?.checked()?;
    drop(tx);
    let frozen = baseline::replace(app, &ctx, taken).await?;
    Ok(SetTriangleBaselineResponse {
        baseline: Some(frozen.pillars),
        baseline_day: frozen.day.to_string(),
        baseline_version: frozen.version,
    })
}

/// The last day with an order; today without one.
fn last_day(current: &Current, ctx: &Ctx) -> Result<LocalDay, Fault> {
    look::day(&current.cubes.all, "day", "", current.zone.day(ctx.now))
}

/// The pillars at the end of a day, not frozen.
async fn take(tx: &mut Tx, current: &Current, day: LocalDay) -> Result<Baseline, Fault> {
    let then = inputs::gather(tx, current, day).await?;
    Ok(Baseline { version: 0, day, pillars: show(&then, &Pillars::of(&then)) })
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
