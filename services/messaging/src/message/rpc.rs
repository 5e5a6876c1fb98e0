//! The RPCs of messages.

use siyu_grpc::{Ctx, parse, serve};
use siyu_kernel::Fault;
use siyu_pg::page;
use siyu_proto::messaging::v1::{
    ListMessagesRequest, ListMessagesResponse, RecordReceiptsRequest, RecordReceiptsResponse,
    message_service_server::MessageService,
};
use tonic::{Request, Response, Status, async_trait};
use uuid::Uuid;

use super::{
    domain::State,
    receipt::{self, Receipt},
    store,
};
use crate::{App, campaign, limits};

#[async_trait]
impl MessageService for App {
    async fn list_messages(
        &self,
        request: Request<ListMessagesRequest>,
    ) -> Result<Response<ListMessagesResponse>, Status> {
        serve(request, |ctx, message| list(self, ctx, message)).await
    }

    async fn record_receipts(
        &self,
        request: Request<RecordReceiptsRequest>,
    ) -> Result<Response<RecordReceiptsResponse>, Status> {
        serve(request, |ctx, message| record(self, ctx, message)).await
    }
}

async fn list(
    app: &App,
    ctx: Ctx,
    request: ListMessagesRequest,
) -> Result<ListMessagesResponse, Fault> {
    let campaign_id = parse::id("campaign_id", &request.campaign_id)?;
    let state = State::read(request.state);
    if state.is_none() && request.state != 0 {
        return Err(Fault::field("state", "is not a state of messages"));
    }
    let filter = format!("{campaign_id} {}", request.state);
    let page = page::Request::<Uuid>::parse(
        request.page_size,
        &request.page_token,
        limits::PAGE,
        filter.as_bytes(),
    )?;
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    if campaign::store::find(&mut tx, campaign_id).await?.is_none() {
        return Err(Fault::not_found("campaign"));
    }
    let (after, limit) = (page.after.unwrap_or_default(), page.fetch());
    let rows = match state {
        Some(state) => store::list_in(&mut tx, campaign_id, state, after, limit).await?,
        None => store::list(&mut tx, campaign_id, after, limit).await?,
    };
    let page = page.page(rows, |message| message.id.uuid());
    Ok(ListMessagesResponse {
        messages: page.items.into_iter().map(Into::into).collect(),
        next_page_token: page.next_token,
    })
}

async fn record(
    app: &App,
    ctx: Ctx,
    request: RecordReceiptsRequest,
) -> Result<RecordReceiptsResponse, Fault> {
    let read = |(i, receipt)| Receipt::read(&format!("receipts[{i}]"), receipt, ctx.now);
    let receipts = request.receipts.iter().enumerate().map(read).collect::<Result<Vec<_>, _>>()?;
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    let applied = receipt::take(app, &mut tx, &receipts, ctx.now).await?;
    tx.commit().await?;
    let count = |n: usize| i32::try_from(n).expect("a request has at most 1000 receipts");
    Ok(RecordReceiptsResponse { applied: count(applied), ignored: count(receipts.len() - applied) })
}
