//! The RPCs of imports.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use siyu_grpc::{Ctx, parse, serve, serve_each};
use siyu_kernel::Fault;
use siyu_pg::page;
use siyu_proto::{
    order::v1::{
        self as proto, ExternalRefund, ImportError, ImportOrdersRequest, ImportOrdersResponse,
        ImportOutcome, ImportRefundsRequest, ImportRefundsResponse, ImportResult, ImportedRefund,
        ListImportedRefundsRequest, ListImportedRefundsResponse, ListQuarantinedOrdersRequest,
        ListQuarantinedOrdersResponse, QuarantinedOrder, SetStatusMappingRequest,
        SetStatusMappingResponse, StreamImportOrdersRequest, StreamImportOrdersResponse,
        import_service_server::ImportService,
    },
    r#type::v1::Money,
};
use tonic::{Request, Response, Status, Streaming, async_trait};
use uuid::Uuid;

use super::{
    batch::{self, Answer},
    domain::Outcome,
    refund, release, store,
};
use crate::{
    App, limits,
    order::domain::{OrderId, State},
};

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

    async fn import_refunds(
        &self,
        request: Request<ImportRefundsRequest>,
    ) -> Result<Response<ImportRefundsResponse>, Status> {
        serve(request, |ctx, message| import_refunds(self, ctx, message)).await
    }

    async fn list_imported_refunds(
        &self,
        request: Request<ListImportedRefundsRequest>,
    ) -> Result<Response<ListImportedRefundsResponse>, Status> {
        serve(request, |ctx, message| list_refunds(self, ctx, message)).await
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
        Answer::Waiting(Outcome::Unchanged) => bare(ImportOutcome::Unchanged),
        Answer::Waiting(Outcome::Created | Outcome::Updated) => bare(ImportOutcome::Waiting),
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

async fn import_refunds(
    app: &App,
    ctx: Ctx,
    request: ImportRefundsRequest,
) -> Result<ImportRefundsResponse, Fault> {
    let answers = refund::batch::import(app, &ctx, &request.refunds).await?;
    Ok(ImportRefundsResponse { results: answers.into_iter().map(show).collect() })
}

async fn list_refunds(
    app: &App,
    ctx: Ctx,
    request: ListImportedRefundsRequest,
) -> Result<ListImportedRefundsResponse, Fault> {
    let order: Option<OrderId> = parse::optional_id("order_id", &request.order_id)?;
    if order.is_some() && request.waiting {
        return Err(Fault::field("waiting", "a refund of an order does not wait for it"));
    }
    let page = page::Request::<(DateTime<Utc>, Uuid)>::parse(
        request.page_size,
        &request.page_token,
        limits::PAGE,
        format!("{} {}", request.order_id, request.waiting).as_bytes(),
    )?;
    let currency = app.directory.known(&ctx, &BTreeSet::new()).await?.currency;
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let filter = (order, request.waiting);
    let rows = refund::store::list(&mut tx, filter, page.after, page.fetch()).await?;
    let page = page.page(rows, |row| (row.created_at, row.id));
    let show = |row: refund::store::Row| ImportedRefund {
        order_id: row.order_id.map(|id| id.to_string()).unwrap_or_default(),
        create_time: Some(parse::timestamp(row.created_at)),
        refund: Some(ExternalRefund {
            platform: row.platform,
            shop_id: row.shop_id,
            order_no: row.platform_order_no,
            refund_no: row.refund_no,
            line_no: row.back.line_no,
            amount: Some(Money {
                currency_code: currency.code().to_owned(),
                minor_units: row.back.amount_minor,
            }),
            quantity: row.back.quantity,
            update_time: Some(parse::timestamp(row.version)),
        }),
    };
    Ok(ListImportedRefundsResponse {
        refunds: page.items.into_iter().map(show).collect(),
        next_page_token: page.next_token,
    })
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
