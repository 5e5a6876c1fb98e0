//! The RPCs of promotions.

use std::collections::BTreeSet;

use prost::Message;
use siyu_grpc::{Ctx, parse, serve};
use siyu_kernel::{Fault, Violation};
use siyu_pg::page;
use siyu_proto::order::v1::{
    self as proto, GetPromotionRequest, GetPromotionResponse, ListPromotionsRequest,
    ListPromotionsResponse, UpsertPromotionsRequest, UpsertPromotionsResponse,
    promotion_service_server::PromotionService,
};
use tonic::{Request, Response, Status, async_trait};

use super::{
    domain::{self, Promotion},
    store,
};
use crate::{App, limits};

#[async_trait]
impl PromotionService for App {
    async fn upsert_promotions(
        &self,
        request: Request<UpsertPromotionsRequest>,
    ) -> Result<Response<UpsertPromotionsResponse>, Status> {
        serve(request, |ctx, message| upsert(self, ctx, message)).await
    }

    async fn get_promotion(
        &self,
        request: Request<GetPromotionRequest>,
    ) -> Result<Response<GetPromotionResponse>, Status> {
        serve(request, |ctx, message| get(self, ctx, message)).await
    }

    async fn list_promotions(
        &self,
        request: Request<ListPromotionsRequest>,
    ) -> Result<Response<ListPromotionsResponse>, Status> {
        serve(request, |ctx, message| list(self, ctx, message)).await
    }
}

async fn upsert(
    app: &App,
    ctx: Ctx,
    request: UpsertPromotionsRequest,
) -> Result<UpsertPromotionsResponse, Fault> {
    let (mut rows, mut wrong, mut seen) = (Vec::new(), Vec::new(), BTreeSet::new());
    for (i, promotion) in request.promotions.iter().enumerate() {
        let field = format!("promotions[{i}]");
        if !seen.insert(&promotion.code) {
            let description = format!("\"{}\" stands twice", promotion.code);
            wrong.push(Violation { field: format!("{field}.code"), description });
        }
        match domain::check(&field, promotion) {
            Ok((valid_from, valid_to)) => rows.push(Promotion {
                code: promotion.code.clone(),
                valid_from,
                valid_to,
                paused: promotion.paused,
                definition: promotion.encode_to_vec(),
                line_sku: domain::line_sku(promotion),
            }),
            Err(violations) => wrong.extend(violations),
        }
    }
    if !wrong.is_empty() {
        return Err(Fault::invalid(wrong));
    }
    rows.sort_by(|a, b| a.code.cmp(&b.code));
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    store::upsert(&mut tx, &rows, ctx.now).await?;
    tx.commit().await?;
    Ok(UpsertPromotionsResponse { promotions: request.promotions })
}

async fn get(
    app: &App,
    ctx: Ctx,
    request: GetPromotionRequest,
) -> Result<GetPromotionResponse, Fault> {
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let promotion = store::find(&mut tx, &request.code).await?;
    let promotion = promotion.ok_or_else(|| Fault::not_found("promotion"))?;
    Ok(GetPromotionResponse { promotion: Some(show(&promotion)?) })
}

async fn list(
    app: &App,
    ctx: Ctx,
    request: ListPromotionsRequest,
) -> Result<ListPromotionsResponse, Fault> {
    let at = parse::optional_instant("valid_time", request.valid_time)?;
    let filter = format!("{at:?}");
    let page = page::Request::<String>::parse(
        request.page_size,
        &request.page_token,
        limits::PAGE,
        filter.as_bytes(),
    )?;
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let rows = store::list(&mut tx, at, page.after.as_deref(), page.fetch()).await?;
    let page = page.page(rows, |promotion| promotion.code.clone());
    Ok(ListPromotionsResponse {
        promotions: page.items.iter().map(show).collect::<Result<_, _>>()?,
        next_page_token: page.next_token,
    })
}

/// The promotion as it was given.
pub(crate) fn show(promotion: &Promotion) -> Result<proto::Promotion, Fault> {
    proto::Promotion::decode(promotion.definition.as_slice()).map_err(Fault::internal)
}
