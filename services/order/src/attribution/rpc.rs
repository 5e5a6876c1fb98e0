//! The RPCs of attribution.

use siyu_grpc::{Ctx, parse, serve};
use siyu_kernel::{Fault, Violation};
use siyu_proto::order::v1::{
    GetAttributionRequest, GetAttributionResponse, LiveSource, ProductClick,
    RecordProductClicksRequest, RecordProductClicksResponse,
    attribution_service_server::AttributionService,
};
use tonic::{Request, Response, Status, async_trait};

use super::store::{self, Click};
use crate::{App, limits, order::domain::OrderId};

#[async_trait]
impl AttributionService for App {
    async fn record_product_clicks(
        &self,
        request: Request<RecordProductClicksRequest>,
    ) -> Result<Response<RecordProductClicksResponse>, Status> {
        serve(request, |ctx, message| record(self, ctx, message)).await
    }

    async fn get_attribution(
        &self,
        request: Request<GetAttributionRequest>,
    ) -> Result<Response<GetAttributionResponse>, Status> {
        serve(request, async |ctx: Ctx, message: GetAttributionRequest| {
            let id: OrderId = parse::id("order_id", &message.order_id)?;
            let mut tx = self.db.tenant_read(ctx.merchant()?).await?;
            let click = store::of_orders(&mut tx, &[id]).await?.remove(&id);
            let click = click.ok_or_else(|| Fault::not_found("attribution"))?;
            Ok::<_, Fault>(GetAttributionResponse { click: Some(show(click)) })
        })
        .await
    }
}

async fn record(
    app: &App,
    ctx: Ctx,
    request: RecordProductClicksRequest,
) -> Result<RecordProductClicksResponse, Fault> {
    let (mut clicks, mut wrong) = (Vec::new(), Vec::new());
    for (i, click) in request.clicks.iter().enumerate() {
        match read(&format!("clicks[{i}]"), click, &ctx) {
            Ok(click) => clicks.push(click),
            Err(fault) => wrong.extend(fault.violations().iter().cloned()),
        }
    }
    if !wrong.is_empty() {
        return Err(Fault::invalid(wrong));
    }
    // In one order, so that two calls with the same clicks never wait for each other.
    clicks.sort_by(|a, b| {
        (a.person_id, &a.sku, a.clicked_at).cmp(&(b.person_id, &b.sku, b.clicked_at))
    });
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    let recorded = store::insert(&mut tx, &clicks).await?;
    tx.commit().await?;
    Ok(RecordProductClicksResponse {
        recorded: i64::try_from(recorded).expect("a thousand at most"),
    })
}

fn read(field: &str, click: &ProductClick, ctx: &Ctx) -> Result<Click, Fault> {
    let at = format!("{field}.click_time");
    let clicked_at = parse::instant(&at, click.click_time.unwrap_or_default())?;
    if clicked_at > ctx.now + limits::PAY_TIME_AHEAD_MAX {
        let description = "lies in the future".to_owned();
        return Err(Fault::invalid(vec![Violation { field: at, description }]));
    }
    Ok(Click {
        person_id: parse::id(&format!("{field}.person_id"), &click.person_id)?,
        sku: click.sku.clone(),
        clicked_at,
        room_id: click.room_id.clone(),
        session_id: click.session_id.clone(),
        anchor_id: click.anchor_id.clone(),
        slot: click.slot,
    })
}

fn show(click: Click) -> ProductClick {
    ProductClick {
        person_id: click.person_id.to_string(),
        sku: click.sku,
        room_id: click.room_id,
        session_id: click.session_id,
        anchor_id: click.anchor_id,
        slot: click.slot,
        click_time: Some(parse::timestamp(click.clicked_at)),
    }
}

/// A click as the facts of its order show it.
pub(crate) fn live(click: &Click) -> LiveSource {
    LiveSource {
        room_id: click.room_id.clone(),
        session_id: click.session_id.clone(),
        anchor_id: click.anchor_id.clone(),
        slot: click.slot,
        sku: click.sku.clone(),
        click_time: Some(parse::timestamp(click.clicked_at)),
    }
}
