//! The RPCs of merchants.

use siyu_grpc::{Ctx, parse, serve};
use siyu_kernel::{Currency, Fault, Id, Zone};
use siyu_pg::{idempotency, page, replay};
use siyu_proto::member::v1::{
    CreateMerchantRequest, CreateMerchantResponse, GetMerchantRequest, GetMerchantResponse,
    ListMerchantsRequest, ListMerchantsResponse, LookupMerchantRequest, LookupMerchantResponse,
    MerchantCreated, merchant_service_server::MerchantService,
};
use tonic::{Request, Response, Status, async_trait};
use uuid::Uuid;

use super::{Merchant, store};
use crate::{App, limits, publish};

const CREATE: &str = "siyu.member.v1.MerchantService/CreateMerchant";

#[async_trait]
impl MerchantService for App {
    async fn create_merchant(
        &self,
        request: Request<CreateMerchantRequest>,
    ) -> Result<Response<CreateMerchantResponse>, Status> {
        serve(request, |ctx, message| create(self, ctx, message)).await
    }

    async fn get_merchant(
        &self,
        request: Request<GetMerchantRequest>,
    ) -> Result<Response<GetMerchantResponse>, Status> {
        serve(request, |ctx, _| get(self, ctx)).await
    }

    async fn lookup_merchant(
        &self,
        request: Request<LookupMerchantRequest>,
    ) -> Result<Response<LookupMerchantResponse>, Status> {
        serve(request, |_, message| lookup(self, message)).await
    }

    async fn list_merchants(
        &self,
        request: Request<ListMerchantsRequest>,
    ) -> Result<Response<ListMerchantsResponse>, Status> {
        serve(request, |_, message| list(self, message)).await
    }
}

async fn create(
    app: &App,
    ctx: Ctx,
    request: CreateMerchantRequest,
) -> Result<CreateMerchantResponse, Fault> {
    let or = |text: &str, default: &str| {
        if text.is_empty() { default.to_owned() } else { text.to_owned() }
    };
    let zone = Zone::parse(&or(&request.zone, "Asia/Shanghai"))
        .map_err(|error| Fault::field("zone", error))?;
    let currency = Currency::parse(&or(&request.currency_code, "CNY"))
        .map_err(|error| Fault::field("currency_code", error))?;
    let merchant = Merchant {
        id: Id::from_uuid(app.ids.uuid()),
        name: request.name.clone(),
        zone: zone.name().to_owned(),
        currency: currency.code().to_owned(),
        created_at: ctx.now,
    };
    // The request is the operator's, the rows are the merchant's: one transaction that acts as both.
    let mut both = app.db.system("member.create_merchant").await?;
    let tx = both.become_tenant(idempotency::PLATFORM).await?;
    if let Some(reply) = replay::find(tx, CREATE, &request.request_id, &request).await? {
        return Ok(reply);
    }
    let reply = CreateMerchantResponse { merchant: Some(merchant.clone().into()) };
    replay::keep(tx, CREATE, &request.request_id, &reply).await?;
    let tx = both.become_tenant(merchant.id).await?;
    store::insert(tx, &merchant).await?;
    let fact = MerchantCreated { merchant: Some(merchant.clone().into()) };
    publish(app, tx, &ctx, merchant.id.to_string(), &fact).await?;
    both.commit().await?;
    Ok(reply)
}

async fn get(app: &App, ctx: Ctx) -> Result<GetMerchantResponse, Fault> {
    let mut tx = app.db.tenant_lookup(ctx.merchant()?).await?;
    let merchant = store::find(&mut tx).await?.ok_or_else(|| Fault::not_found("merchant"))?;
    Ok(GetMerchantResponse { merchant: Some(merchant.into()) })
}

async fn lookup(
    app: &App,
    request: LookupMerchantRequest,
) -> Result<LookupMerchantResponse, Fault> {
    let id = parse::id("merchant_id", &request.merchant_id)?;
    let mut tx = app.db.system("member.lookup_merchant").await?;
    let merchant =
        store::find_any(&mut tx, id).await?.ok_or_else(|| Fault::not_found("merchant"))?;
    Ok(LookupMerchantResponse { merchant: Some(merchant.into()) })
}

async fn list(app: &App, request: ListMerchantsRequest) -> Result<ListMerchantsResponse, Fault> {
    let page =
        page::Request::<Uuid>::parse(request.page_size, &request.page_token, limits::PAGE, b"")?;
    let mut tx = app.db.system("member.list_merchants").await?;
    let rows = store::list(&mut tx, page.after, page.fetch()).await?;
    let page = page.page(rows, |merchant| merchant.id.uuid());
    Ok(ListMerchantsResponse {
        merchants: page.items.into_iter().map(Into::into).collect(),
        next_page_token: page.next_token,
    })
}
