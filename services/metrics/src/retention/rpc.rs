//! The RPCs of retention.

use siyu_grpc::{Ctx, serve};
use siyu_kernel::Fault;
use siyu_proto::metrics::v1::{
    Cohort as WireCohort, GetCohortsRequest, GetCohortsResponse, GetDormancyRequest,
    GetDormancyResponse, GetRepeatRequest, GetRepeatResponse, RepeatWithin,
    retention_service_server::RetentionService,
};
use tonic::{Request, Response, Status, async_trait};

use crate::{
    App,
    engine::Month,
    look::{self, count, ratio},
};

/// The limits that are asked for most.
const USUAL_DAYS: [i32; 4] = [30, 90, 180, 365];

#[async_trait]
impl RetentionService for App {
    async fn get_repeat(
        &self,
        request: Request<GetRepeatRequest>,
    ) -> Result<Response<GetRepeatResponse>, Status> {
        serve(request, |ctx, message| repeat(self, ctx, message)).await
    }

    async fn get_cohorts(
        &self,
        request: Request<GetCohortsRequest>,
    ) -> Result<Response<GetCohortsResponse>, Status> {
        serve(request, |ctx, message| cohorts(self, ctx, message)).await
    }

    async fn get_dormancy(
        &self,
        request: Request<GetDormancyRequest>,
    ) -> Result<Response<GetDormancyResponse>, Status> {
        serve(request, |ctx, message| dormancy(self, ctx, message)).await
    }
}

async fn repeat(
    app: &App,
    ctx: Ctx,
    request: GetRepeatRequest,
) -> Result<GetRepeatResponse, Fault> {
    let days = if request.days.is_empty() { USUAL_DAYS.to_vec() } else { request.days };
    if let Some(i) = days.iter().position(|days| !(1..=3650).contains(days)) {
        return Err(Fault::field(format!("days[{i}]"), "must be from 1 to 3650"));
    }
    let current = app.cache.current(ctx.merchant()?).await?;
    let cube = &current.cubes.all;
    let today = current.zone.day(ctx.now);
    let look = look::look(cube, &request.from_day, &request.to_day, &request.as_of_day, today)?;
    let repeats = cube.repeat(look.window, &days, look.as_of);
    let within = repeats.iter().map(|repeat| RepeatWithin {
        days: repeat.within_days,
        persons: count(repeat.repeated),
        rate: Some(ratio(repeat.rate())),
        complete: repeat.complete,
    });
    Ok(GetRepeatResponse {
        basis: Some(look::basis(&current, look)),
        cohort: repeats.first().map_or(0, |repeat| count(repeat.persons)),
        within: within.collect(),
    })
}

async fn cohorts(
    app: &App,
    ctx: Ctx,
    request: GetCohortsRequest,
) -> Result<GetCohortsResponse, Fault> {
    let current = app.cache.current(ctx.merchant()?).await?;
    let cube = &current.cubes.all;
    let today = current.zone.day(ctx.now);
    let look = look::look(cube, &request.from_day, &request.to_day, &request.as_of_day, today)?;
    let (from, to) = (Month::of(look.window.start()), Month::of(look.window.end().plus(-1)));
    let columns = Month::of(look.as_of).since(from) + 1;
    let columns = u16::try_from(columns.max(0)).expect("a look is bounded");
    let cohorts = cube.cohorts(from, to, columns, look.as_of);
    let shown = cohorts.rows.iter().filter(|row| row.size > 0).map(|row| WireCohort {
        month: row.month.first_day().date().format("%Y-%m").to_string(),
        size: count(row.size),
        active: row.active.iter().map_while(|active| active.map(count)).collect(),
    });
    Ok(GetCohortsResponse { basis: Some(look::basis(&current, look)), cohorts: shown.collect() })
}

async fn dormancy(
    app: &App,
    ctx: Ctx,
    request: GetDormancyRequest,
) -> Result<GetDormancyResponse, Fault> {
    let current = app.cache.current(ctx.merchant()?).await?;
    let cube = &current.cubes.all;
    let today = current.zone.day(ctx.now);
    let look = look::look(cube, &request.from_day, &request.to_day, &request.as_of_day, today)?;
    let dormancy = cube.dormancy(look.as_of);
    let back = cube.reactivation(look.window);
    Ok(GetDormancyResponse {
        basis: Some(look::basis(&current, look)),
        active: count(dormancy.active),
        quiet: count(dormancy.quiet),
        drowsy: count(dormancy.drowsy),
        dormant: count(dormancy.dormant),
        lost: count(dormancy.lost),
        reactivated_persons: count(back.persons),
        reactivations: count(back.events),
        reactivated_gmv_minor: back.gmv_minor,
        dormant_at_start: count(back.dormant_at_start),
        reactivation_rate: Some(ratio(back.rate())),
    })
}
