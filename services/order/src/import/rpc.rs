//! The RPCs of imports.

use chrono::{DateTime, Utc};
use siyu_grpc::{Ctx, parse, serve, serve_each};
use siyu_kernel::Fault;
use siyu_pg::page;
use siyu_proto::order::v1::{
    self as proto, ImportError, ImportOrdersRequest, ImportOrdersResponse, ImportOutcome,
    ImportResult, ListQuarantinedOrdersRequest, ListQuarantinedOrdersResponse, QuarantinedOrder,
    SetStatusMappingRequest, SetStatusMappingResponse, StreamImportOrdersRequest,
    StreamImportOrdersResponse, import_service_server::ImportService,
};
use tonic::{Request, Response, Status, Streaming, async_trait};
use uuid::Uuid;

use super::{
    batch::{self, Answer},
    domain::Outcome,
    release, store,
};
use crate::{App, limits, order::domain::State};

#[async_trait]
impl ImportService for App {
    async fn import_orders(
        &self,
        request: Request<ImportOrdersRequest>,
    ) -> Result<Response<ImportOrdersResponse>, Status> {
        serve(request, |ctx, message| import(self, ctx, message)).await
    }

    type StreamImportOrdersStream = siyu_grpc::Replies<StreamImportOrdersResponse>;

    async fn stream_import_orders(
        &self,
        request: Request<Streaming<StreamImportOrdersRequest>>,
    ) -> Result<Response<Self::StreamImportOrdersStream>, Status> {
        let app = self.clone();
        serve_each(request, move |ctx, message: StreamImportOrdersRequest| {
            let app = app.clone();
            async move {
                let answers = batch::import(&app, &ctx, &message.orders).await?;
                Ok::<_, Fault>(StreamImportOrdersResponse {
                    results: answers.into_iter().map(show).collect(),
                })
            }
        })
        .await
    }

    async fn list_quarantined_orders(
        &self,
        request: Request<ListQuarantinedOrdersRequest>,
    ) -> Result<Response<ListQuarantinedOrdersResponse>, Status> {
        serve(request, |ctx, message| list(self, ctx, message)).await
    }

    async fn set_status_mapping(
        &self,
        request: Request<SetStatusMappingRequest>,
    ) -> Result<Response<SetStatusMappingResponse>, Status> {
        serve(request, |ctx, message| set_mapping(self, ctx, message)).await
    }
}

async fn import(
    app: &App,
    ctx: Ctx,
    request: ImportOrdersRequest,
) -> Result<ImportOrdersResponse, Fault> {
    let answers = batch::import(app, &ctx, &request.orders).await?;
    Ok(ImportOrdersResponse { results: answers.into_iter().map(show).collect() })
}

fn show(answer: Answer) -> ImportResult {
    let bare =
        |outcome: ImportOutcome| ImportResult { outcome: outcome.into(), ..Default::default() };
    match answer {
        Answer::Done(outcome, id) => {
            let outcome = match outcome {
                Outcome::Created => ImportOutcome::Created,
                Outcome::Updated => ImportOutcome::Updated,
                Outcome::Unchanged => ImportOutcome::Unchanged,
            };
            ImportResult { order_id: id.to_string(), ..bare(outcome) }
        }
        Answer::Quarantined => bare(ImportOutcome::Quarantined),
        Answer::Rejected(violations) => {
            let error = |v: siyu_kernel::Violation| ImportError {
                field: v.field,
                description: v.description,
            };
            ImportResult {
                errors: violations.into_iter().map(error).collect(),
                ..bare(ImportOutcome::Rejected)
            }
        }
    }
}

async fn list(
    app: &App,
    ctx: Ctx,
    request: ListQuarantinedOrdersRequest,
) -> Result<ListQuarantinedOrdersResponse, Fault> {
    let page = page::Request::<(DateTime<Utc>, Uuid)>::parse(
        request.page_size,
        &request.page_token,
        limits::PAGE,
        b"",
    )?;
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let rows = store::list_aside(&mut tx, page.after, page.fetch()).await?;
    let page = page.page(rows, |row| (row.created_at, row.id.uuid()));
    let show = |row: store::QuarantinedRow| {
        Ok(QuarantinedOrder {
            id: row.id.to_string(),
            order: Some(release::decode(&row)?),
            create_time: Some(parse::timestamp(row.created_at)),
        })
    };
    Ok(ListQuarantinedOrdersResponse {
        quarantined_orders: page.items.into_iter().map(show).collect::<Result<_, Fault>>()?,
        next_page_token: page.next_token,
    })
}

async fn set_mapping(
    app: &App,
    ctx: Ctx,
    request: SetStatusMappingRequest,
) -> Result<SetStatusMappingResponse, Fault> {
    let wire = proto::OrderState::try_from(request.state).ok();
    let state = wire
        .and_then(State::of_proto)
        .ok_or_else(|| Fault::field("state", "is not a known value"))?;
    let status = request.status.trim().to_lowercase();
    {
        let mut tx = app.db.tenant(ctx.merchant()?).await?;
        store::set_mapping(&mut tx, &request.platform, &status, state).await?;
        tx.commit().await?;
    }
    let released = release::all(app, &ctx, &request.platform, &status).await?;
    Ok(SetStatusMappingResponse { released })
}
