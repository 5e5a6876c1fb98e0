//! The RPCs of bargains.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use prost::Message;
use siyu_grpc::{Ctx, parse, serve};
use siyu_kernel::{Fault, Id};
use siyu_pg::replay;
use siyu_proto::order::v1::{
    self as proto, BargainActivity, GetBargainRequest, GetBargainResponse, HelpBargainRequest,
    HelpBargainResponse, ListBargainActivitiesRequest, ListBargainActivitiesResponse,
    StartBargainRequest, StartBargainResponse, UpsertBargainActivitiesRequest,
    UpsertBargainActivitiesResponse, bargain_service_server::BargainService,
};
use tonic::{Request, Response, Status, async_trait};

use super::{
    domain::{Bargain, BargainId, Cut},
    lock, refused, store,
};
use crate::{
    App, buyer,
    market::{
        activity::{self, Activity},
        fair,
    },
};

const START: &str = "siyu.order.v1.BargainService/StartBargain";
const HELP: &str = "siyu.order.v1.BargainService/HelpBargain";

#[async_trait]
impl BargainService for App {
    async fn upsert_bargain_activities(
        &self,
        request: Request<UpsertBargainActivitiesRequest>,
    ) -> Result<Response<UpsertBargainActivitiesResponse>, Status> {
        serve(request, async |ctx, message: UpsertBargainActivitiesRequest| {
            activity::upsert(self, &ctx, "activities", &message.activities).await?;
            Ok::<_, Fault>(UpsertBargainActivitiesResponse { activities: message.activities })
        })
        .await
    }

    async fn list_bargain_activities(
        &self,
        request: Request<ListBargainActivitiesRequest>,
    ) -> Result<Response<ListBargainActivitiesResponse>, Status> {
        serve(request, async |ctx, message: ListBargainActivitiesRequest| {
            let (activities, next_page_token) =
                activity::list(self, &ctx, message.page_size, &message.page_token).await?;
            Ok::<_, Fault>(ListBargainActivitiesResponse { activities, next_page_token })
        })
        .await
    }

    async fn start_bargain(
        &self,
        request: Request<StartBargainRequest>,
    ) -> Result<Response<StartBargainResponse>, Status> {
        serve(request, |ctx, message| start(self, ctx, message)).await
    }

    async fn help_bargain(
        &self,
        request: Request<HelpBargainRequest>,
    ) -> Result<Response<HelpBargainResponse>, Status> {
        serve(request, |ctx, message| help(self, ctx, message)).await
    }

    async fn get_bargain(
        &self,
        request: Request<GetBargainRequest>,
    ) -> Result<Response<GetBargainResponse>, Status> {
        serve(request, async |ctx, message: GetBargainRequest| {
            let id: BargainId = parse::id("bargain_id", &message.bargain_id)?;
            let mut tx = self.db.tenant_read(ctx.merchant()?).await?;
            let bargain = store::find(&mut tx, id).await?;
            let bargain = bargain.ok_or_else(|| Fault::not_found("bargain"))?;
            let cuts = store::cuts(&mut tx, id).await?;
            Ok::<_, Fault>(GetBargainResponse { bargain: Some(show(&bargain, &cuts, ctx.now)?) })
        })
        .await
    }
}

async fn start(
    app: &App,
    ctx: Ctx,
    request: StartBargainRequest,
) -> Result<StartBargainResponse, Fault> {
    let asked = parse::id("person_id", &request.person_id)?;
    let person = app.directory.person(&ctx, asked).await?;
    // A merge of persons waits, so that nobody counts as two.
    let mut tx = buyer::store::begin(&app.db, ctx.merchant()?).await?;
    if let Some(reply) = replay::find(&mut tx, START, &request.request_id, &request).await? {
        return Ok(reply);
    }
    let person = buyer::leads(&mut tx, person).await?;
    let activity: BargainActivity = activity::get(&mut tx, &request.activity_code).await?;
    activity.run().admit(ctx.now)?;
    let (id, seed) = (Id::from_uuid(app.ids.uuid()), (app.random)().to_vec());
    let definition = activity.encode_to_vec();
    let bargain = Bargain::begin(id, &activity, definition, person, seed, ctx.now);
    store::clear(&mut tx, &activity.code, person, ctx.now).await?;
    if !store::insert(&mut tx, &bargain).await? {
        return Err(refused("BARGAIN_BEGUN", "the person is in a bargain of the activity"));
    }
    let reply = StartBargainResponse { bargain: Some(show(&bargain, &[], ctx.now)?) };
    replay::keep(&mut tx, START, &request.request_id, &reply).await?;
    tx.commit().await?;
    Ok(reply)
}

async fn help(
    app: &App,
    ctx: Ctx,
    request: HelpBargainRequest,
) -> Result<HelpBargainResponse, Fault> {
    let id: BargainId = parse::id("bargain_id", &request.bargain_id)?;
    let asked = parse::id("person_id", &request.person_id)?;
    let zone = app.directory.known(&ctx, &BTreeSet::new()).await?.zone;
    let person = app.directory.person(&ctx, asked).await?;
    // A merge of persons waits, so that nobody counts as two.
    let mut tx = buyer::store::begin(&app.db, ctx.merchant()?).await?;
    if let Some(reply) = replay::find(&mut tx, HELP, &request.request_id, &request).await? {
        return Ok(reply);
    }
    let person = buyer::leads(&mut tx, person).await?;
    // From here on until the commit others wait: so the last cut is one, and it ends at the floor.
    let mut bargain = lock(&mut tx, id).await?;
    if buyer::leads(&mut tx, bargain.person_id).await? == person {
        return Err(refused("BARGAIN_OWN", "nobody helps in one's own bargain"));
    }
    let activity: BargainActivity = activity::decode(&bargain.definition)?;
    let cut = bargain.help(person, activity.helpers, ctx.now)?;
    if !store::insert_cut(&mut tx, &bargain, &cut).await? {
        return Err(refused("BARGAIN_HELPED", "the person has helped in this bargain before"));
    }
    let limit = if activity.helps_per_day == 0 { i32::MAX } else { activity.helps_per_day };
    let day = zone.day(ctx.now).date();
    if !store::count_help(&mut tx, &activity.code, person, day, limit).await? {
        let message = "the person has helped as often today as one may";
        return Err(refused("BARGAIN_HELPS_SPENT", message));
    }
    let reply = HelpBargainResponse {
        cut: Some(show_cut(&cut)),
        bargain: Some(show(&bargain, &[], ctx.now)?),
    };
    replay::keep(&mut tx, HELP, &request.request_id, &reply).await?;
    tx.commit().await?;
    Ok(reply)
}

fn show(bargain: &Bargain, cuts: &[Cut], now: DateTime<Utc>) -> Result<proto::Bargain, Fault> {
    let activity: BargainActivity = activity::decode(&bargain.definition)?;
    Ok(proto::Bargain {
        id: bargain.id.to_string(),
        person_id: bargain.person_id.to_string(),
        price_minor: activity.floor_minor + bargain.remaining_minor,
        activity: Some(activity),
        helpers_left: bargain.cuts_left,
        deadline_time: Some(parse::timestamp(bargain.deadline)),
        order_id: bargain.order_id.map(|id| id.to_string()).unwrap_or_default(),
        seed_sha256: fair::digest(&bargain.seed),
        seed: if bargain.is_over(now) { fair::hex(&bargain.seed) } else { String::new() },
        cuts: cuts.iter().map(show_cut).collect(),
        create_time: Some(parse::timestamp(bargain.created_at)),
    })
}

fn show_cut(cut: &Cut) -> proto::BargainCut {
    proto::BargainCut {
        sequence: cut.seq,
        person_id: cut.person_id.to_string(),
        amount_minor: cut.amount_minor,
        create_time: Some(parse::timestamp(cut.created_at)),
    }
}
