//! The RPCs of blind boxes.

use std::collections::HashMap;

use prost::Message;
use siyu_grpc::{Ctx, parse, serve};
use siyu_kernel::Fault;
use siyu_pg::{Tx, page, replay};
use siyu_proto::order::v1::{
    BlindBox, BlindBoxOutcome, GetBlindBoxDrawRequest, GetBlindBoxDrawResponse, GetBlindBoxRequest,
    GetBlindBoxResponse, ListBlindBoxesRequest, ListBlindBoxesResponse, PublishBlindBoxRequest,
    PublishBlindBoxResponse, blind_box_service_server::BlindBoxService,
};
use tonic::{Request, Response, Status, async_trait};

use super::{
    domain::{self, Draw, State, VersionRow},
    store,
};
use crate::{
    App, limits,
    market::{activity, fair},
    order::domain::OrderId,
};

const PUBLISH: &str = "siyu.order.v1.BlindBoxService/PublishBlindBox";

#[async_trait]
impl BlindBoxService for App {
    async fn publish_blind_box(
        &self,
        request: Request<PublishBlindBoxRequest>,
    ) -> Result<Response<PublishBlindBoxResponse>, Status> {
        serve(request, |ctx, message| publish(self, ctx, message)).await
    }

    async fn get_blind_box(
        &self,
        request: Request<GetBlindBoxRequest>,
    ) -> Result<Response<GetBlindBoxResponse>, Status> {
        serve(request, async |ctx, message: GetBlindBoxRequest| {
            let version = (message.version > 0).then_some(message.version);
            let mut tx = self.db.tenant_read(ctx.merchant()?).await?;
            let row = store::find(&mut tx, &message.code, version).await?;
            let row = row.ok_or_else(|| Fault::not_found("blind box"))?;
            let blind_box = Some(show(&mut tx, &row).await?);
            Ok::<_, Fault>(GetBlindBoxResponse { blind_box })
        })
        .await
    }

    async fn list_blind_boxes(
        &self,
        request: Request<ListBlindBoxesRequest>,
    ) -> Result<Response<ListBlindBoxesResponse>, Status> {
        serve(request, |ctx, message| list(self, ctx, message)).await
    }

    async fn get_blind_box_draw(
        &self,
        request: Request<GetBlindBoxDrawRequest>,
    ) -> Result<Response<GetBlindBoxDrawResponse>, Status> {
        serve(request, |ctx, message| get_draw(self, ctx, message)).await
    }
}

async fn publish(
    app: &App,
    ctx: Ctx,
    request: PublishBlindBoxRequest,
) -> Result<PublishBlindBoxResponse, Fault> {
    let given = request.blind_box.clone().unwrap_or_default();
    let wrong = domain::check(&given);
    if !wrong.is_empty() {
        return Err(Fault::invalid(wrong));
    }
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    if let Some(reply) = replay::find(&mut tx, PUBLISH, &request.request_id, &request).await? {
        return Ok(reply);
    }
    store::hold(&mut tx, &given.code).await?;
    let before = store::find(&mut tx, &given.code, None).await?;
    let mut kept = BlindBox { version: 0, create_time: None, ..given };
    for prize in &mut kept.prizes {
        prize.drawn = 0;
    }
    let row = VersionRow {
        code: kept.code.clone(),
        version: before.map_or(0, |row| row.version) + 1,
        definition: kept.encode_to_vec(),
        reserved: 0,
        created_at: ctx.now,
    };
    store::insert(&mut tx, &row, &kept).await?;
    let reply = PublishBlindBoxResponse { blind_box: Some(show(&mut tx, &row).await?) };
    replay::keep(&mut tx, PUBLISH, &request.request_id, &reply).await?;
    tx.commit().await?;
    Ok(reply)
}

async fn list(
    app: &App,
    ctx: Ctx,
    request: ListBlindBoxesRequest,
) -> Result<ListBlindBoxesResponse, Fault> {
    let page =
        page::Request::<String>::parse(request.page_size, &request.page_token, limits::PAGE, b"")?;
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let rows = store::list(&mut tx, page.after.as_deref(), page.fetch()).await?;
    let page = page.page(rows, |row| row.code.clone());
    let boxes = show_all(&mut tx, &page.items).await?;
    Ok(ListBlindBoxesResponse { boxes, next_page_token: page.next_token })
}

async fn get_draw(
    app: &App,
    ctx: Ctx,
    request: GetBlindBoxDrawRequest,
) -> Result<GetBlindBoxDrawResponse, Fault> {
    let id: OrderId = parse::id("order_id", &request.order_id)?;
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let order = store::order(&mut tx, id).await?;
    let order = order.ok_or_else(|| Fault::not_found("order"))?;
    let draws = store::draws(&mut tx, id).await?;
    // Nothing is drawn any more from the seed of an order that has ended.
    let seed = match order.state {
        State::Reserved => String::new(),
        State::Drawn | State::Released => fair::hex(&order.seed),
    };
    Ok(GetBlindBoxDrawResponse {
        box_code: order.code,
        version: order.version,
        pieces: order.pieces,
        seed_sha256: fair::digest(&order.seed),
        seed,
        outcomes: draws.into_iter().map(show_draw).collect(),
    })
}

/// A version as it is shown, with what was drawn of it.
async fn show(tx: &mut Tx, row: &VersionRow) -> Result<BlindBox, Fault> {
    let mut shown = show_all(tx, std::slice::from_ref(row)).await?;
    Ok(shown.pop().expect("one version is shown as one"))
}

/// Versions as they are shown, with what was drawn of each.
async fn show_all(tx: &mut Tx, rows: &[VersionRow]) -> Result<Vec<BlindBox>, Fault> {
    let prizes = store::prizes_of(tx, rows).await?;
    let drawn: HashMap<(i64, &str), i64> =
        prizes.iter().map(|(place, row)| ((*place, row.prize.as_str()), row.drawn)).collect();
    let show = |(place, row): (i64, &VersionRow)| {
        let mut shown: BlindBox = activity::decode(&row.definition)?;
        for prize in &mut shown.prizes {
            prize.drawn = drawn.get(&(place, prize.code.as_str())).copied().unwrap_or(0);
        }
        shown.version = row.version;
        shown.create_time = Some(parse::timestamp(row.created_at));
        Ok(shown)
    };
    (0..).zip(rows).map(show).collect()
}

fn show_draw(draw: Draw) -> BlindBoxOutcome {
    BlindBoxOutcome {
        sequence: draw.seq,
        number: draw.number,
        prize: draw.prize,
        sku: draw.sku,
        guaranteed: draw.guaranteed,
    }
}
