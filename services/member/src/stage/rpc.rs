//! The RPCs of stages.

use siyu_grpc::{Ctx, parse, serve};
use siyu_kernel::Fault;
use siyu_pg::Tx;
use siyu_proto::member::v1::{
    self as proto, CountStagesRequest, CountStagesResponse, GetStageRequest, GetStageResponse,
    StageCount, stage_service_server::StageService,
};
use tonic::{Request, Response, Status, async_trait};

use super::store;
use crate::{
    App,
    person::{self, PersonId},
};

#[async_trait]
impl StageService for App {
    async fn get_stage(
        &self,
        request: Request<GetStageRequest>,
    ) -> Result<Response<GetStageResponse>, Status> {
        serve(request, |ctx, message| get(self, ctx, message)).await
    }

    async fn count_stages(
        &self,
        request: Request<CountStagesRequest>,
    ) -> Result<Response<CountStagesResponse>, Status> {
        serve(request, |ctx, _| count(self, ctx)).await
    }
}

async fn get(app: &App, ctx: Ctx, request: GetStageRequest) -> Result<GetStageResponse, Fault> {
    let asked = parse::id("person_id", &request.person_id)?;
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let person = person::canonical(&mut tx, asked).await?;
    Ok(show(&mut tx, &ctx, person).await?)
}

/// The stage of a person, with when each was entered: everybody is a consumer since first seen.
pub(crate) async fn show(
    tx: &mut Tx,
    ctx: &Ctx,
    person: PersonId,
) -> Result<GetStageResponse, siyu_pg::Error> {
    let created_at = person::store::find(tx, person).await?.map(|person| person.created_at);
    let entries = store::of(tx, person).await?;
    let traces = store::traces(tx, person).await?;
    let highest = entries.last().map_or(1, |entry| i32::from(entry.stage.rank()));
    // Somebody who was connected before there was a trace here was a consumer from then on.
    let first = created_at.into_iter().chain(entries.iter().map(|entry| entry.entered_at)).min();
    let consumer = proto::StageEntry {
        stage: proto::Stage::Consumer.into(),
        enter_time: first.map(parse::timestamp),
        implied: created_at > first,
    };
    Ok(GetStageResponse {
        stage: highest,
        entries: std::iter::once(consumer).chain(entries.into_iter().map(Into::into)).collect(),
        activity: traces.activity(ctx.now).into(),
    })
}

async fn count(app: &App, ctx: Ctx) -> Result<CountStagesResponse, Fault> {
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let (all, beyond) = store::count(&mut tx).await?;
    let beyond_sum: i64 = beyond.iter().map(|(_, persons)| persons).sum();
    let of = |stage: proto::Stage| {
        let number = i32::from(stage);
        let found = beyond.iter().find(|(beyond, _)| i32::from(beyond.rank()) == number);
        let persons = if stage == proto::Stage::Consumer {
            all - beyond_sum
        } else {
            found.map_or(0, |(_, persons)| *persons)
        };
        StageCount { stage: number, persons }
    };
    let stages = [
        proto::Stage::Consumer,
        proto::Stage::Connected,
        proto::Stage::Member,
        proto::Stage::Repeat,
        proto::Stage::Advocate,
        proto::Stage::Partner,
    ];
    Ok(CountStagesResponse { counts: stages.map(of).into() })
}
