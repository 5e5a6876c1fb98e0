//! The RPCs of promoters.

use siyu_events::NewEvent;
use siyu_grpc::{Ctx, parse, serve};
use siyu_kernel::{Fault, Id};
use siyu_pg::{page, replay};
use siyu_proto::distribution::v1::{
    self as proto, CreatePromoterRequest, CreatePromoterResponse, GetPromoterRequest,
    GetPromoterResponse, ListPromotersRequest, ListPromotersResponse, PromoterCreated,
    promoter_service_server::PromoterService,
};
use tonic::{Request, Response, Status, async_trait};
use uuid::Uuid;

use super::{Error, Promoter, store};
use crate::{App, buyer, commission, limits};

const CREATE: &str = "siyu.distribution.v1.PromoterService/CreatePromoter";

#[async_trait]
impl PromoterService for App {
    async fn create_promoter(
        &self,
        request: Request<CreatePromoterRequest>,
    ) -> Result<Response<CreatePromoterResponse>, Status> {
        serve(request, |ctx, message| create(self, ctx, message)).await
    }

    async fn get_promoter(
        &self,
        request: Request<GetPromoterRequest>,
    ) -> Result<Response<GetPromoterResponse>, Status> {
        serve(request, |ctx, message| get(self, ctx, message)).await
    }

    async fn list_promoters(
        &self,
        request: Request<ListPromotersRequest>,
    ) -> Result<Response<ListPromotersResponse>, Status> {
        serve(request, |ctx, message| list(self, ctx, message)).await
    }
}

async fn create(
    app: &App,
    ctx: Ctx,
    request: CreatePromoterRequest,
) -> Result<CreatePromoterResponse, Fault> {
    let named = parse::id("person_id", &request.person_id)?;
    let inviter_promoter_id =
        parse::optional_id("inviter_promoter_id", &request.inviter_promoter_id)?;
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    if let Some(reply) = replay::find(&mut tx, CREATE, &request.request_id, &request).await? {
        return Ok(reply);
    }
    // One human being is one promoter, under whichever id: no merge may come in between.
    buyer::store::hold(&mut tx).await?;
    let person_id = buyer::store::lead(&mut tx, named).await?;
    if store::is_promoter(&mut tx, person_id).await? {
        return Err(Error::Exists.into());
    }
    let id = Id::from_uuid(app.ids.uuid());
    let promoter = Promoter { id, person_id, inviter_promoter_id, created_at: ctx.now };
    store::insert(&mut tx, &promoter).await?;
    let shown: proto::Promoter = promoter.clone().into();
    let fact = PromoterCreated { promoter: Some(shown.clone()) };
    siyu_events::append(&mut tx, &[NewEvent::of(app.ids.uuid(), &promoter.id, ctx.now, &fact)])
        .await?;
    let reply = CreatePromoterResponse { promoter: Some(shown) };
    replay::keep(&mut tx, CREATE, &request.request_id, &reply).await?;
    tx.commit().await?;
    Ok(reply)
}

async fn get(
    app: &App,
    ctx: Ctx,
    request: GetPromoterRequest,
) -> Result<GetPromoterResponse, Fault> {
    let id = parse::id("promoter_id", &request.promoter_id)?;
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let promoter = store::find(&mut tx, id).await?.ok_or_else(|| Fault::not_found("promoter"))?;
    let mut shown: proto::Promoter = promoter.into();
    shown.commission_minor = commission::balance(&mut tx, id).await?;
    shown.commission_frozen_minor = commission::frozen(&mut tx, id).await?;
    Ok(GetPromoterResponse { promoter: Some(shown) })
}

async fn list(
    app: &App,
    ctx: Ctx,
    request: ListPromotersRequest,
) -> Result<ListPromotersResponse, Fault> {
    let page =
        page::Request::<Uuid>::parse(request.page_size, &request.page_token, limits::PAGE, b"")?;
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let rows = store::list(&mut tx, page.after, page.fetch()).await?;
    let page = page.page(rows, |promoter| promoter.id.uuid());
    Ok(ListPromotersResponse {
        promoters: page.items.into_iter().map(Into::into).collect(),
        next_page_token: page.next_token,
    })
}
