//! The RPCs of price lists.

use std::collections::BTreeSet;

use siyu_grpc::{Ctx, serve};
use siyu_kernel::{Fault, Violation};
use siyu_pg::{Tx, page};
use siyu_proto::order::v1::{
    self as proto, GetPriceListRequest, GetPriceListResponse, ListListedPricesRequest,
    ListListedPricesResponse, ListPriceListsRequest, ListPriceListsResponse,
    SetListedPricesRequest, SetListedPricesResponse, UpsertPriceListsRequest,
    UpsertPriceListsResponse, price_list_service_server::PriceListService,
};
use tonic::{Request, Response, Status, async_trait};

use super::{
    domain::{self, ListedPrice, PriceList},
    store,
};
use crate::{App, limits};

#[async_trait]
impl PriceListService for App {
    async fn upsert_price_lists(
        &self,
        request: Request<UpsertPriceListsRequest>,
    ) -> Result<Response<UpsertPriceListsResponse>, Status> {
        serve(request, |ctx, message| upsert(self, ctx, message)).await
    }

    async fn get_price_list(
        &self,
        request: Request<GetPriceListRequest>,
    ) -> Result<Response<GetPriceListResponse>, Status> {
        serve(request, |ctx, message| get(self, ctx, message)).await
    }

    async fn list_price_lists(
        &self,
        request: Request<ListPriceListsRequest>,
    ) -> Result<Response<ListPriceListsResponse>, Status> {
        serve(request, |ctx, message| list(self, ctx, message)).await
    }

    async fn set_listed_prices(
        &self,
        request: Request<SetListedPricesRequest>,
    ) -> Result<Response<SetListedPricesResponse>, Status> {
        serve(request, |ctx, message| set_prices(self, ctx, message)).await
    }

    async fn list_listed_prices(
        &self,
        request: Request<ListListedPricesRequest>,
    ) -> Result<Response<ListListedPricesResponse>, Status> {
        serve(request, |ctx, message| list_prices(self, ctx, message)).await
    }
}

async fn upsert(
    app: &App,
    ctx: Ctx,
    request: UpsertPriceListsRequest,
) -> Result<UpsertPriceListsResponse, Fault> {
    let (mut wanted, mut wrong, mut seen) = (Vec::new(), Vec::new(), BTreeSet::new());
    for (i, list) in request.price_lists.iter().enumerate() {
        let field = format!("price_lists[{i}]");
        if !seen.insert(&list.code) {
            let description = format!("\"{}\" stands twice", list.code);
            wrong.push(Violation { field: format!("{field}.code"), description });
        }
        match domain::read(&field, list, ctx.now) {
            Ok(list) => wanted.push(list),
            Err(violations) => wrong.extend(violations),
        }
    }
    if !wrong.is_empty() {
        return Err(Fault::invalid(wrong));
    }
    wanted.sort_by(|a, b| a.code.cmp(&b.code));
    let codes: Vec<&str> = request.price_lists.iter().map(|list| list.code.as_str()).collect();
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    store::upsert(&mut tx, &wanted).await?;
    let stand = store::of_codes(&mut tx, &codes).await?;
    tx.commit().await?;
    Ok(UpsertPriceListsResponse { price_lists: stand.into_iter().map(PriceList::show).collect() })
}

async fn get(
    app: &App,
    ctx: Ctx,
    request: GetPriceListRequest,
) -> Result<GetPriceListResponse, Fault> {
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let list = known(&mut tx, &request.code).await?;
    Ok(GetPriceListResponse { price_list: Some(list.show()) })
}

async fn known(tx: &mut Tx, code: &str) -> Result<PriceList, Fault> {
    store::of_codes(tx, &[code]).await?.pop().ok_or_else(|| Fault::not_found("price list"))
}

async fn list(
    app: &App,
    ctx: Ctx,
    request: ListPriceListsRequest,
) -> Result<ListPriceListsResponse, Fault> {
    let page =
        page::Request::<String>::parse(request.page_size, &request.page_token, limits::PAGE, b"")?;
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let rows = store::list(&mut tx, page.after.as_deref(), page.fetch()).await?;
    let page = page.page(rows, |list| list.code.clone());
    Ok(ListPriceListsResponse {
        price_lists: page.items.into_iter().map(PriceList::show).collect(),
        next_page_token: page.next_token,
    })
}

async fn set_prices(
    app: &App,
    ctx: Ctx,
    request: SetListedPricesRequest,
) -> Result<SetListedPricesResponse, Fault> {
    let (mut seen, mut wrong) = (BTreeSet::new(), Vec::new());
    let put = request.prices.iter().map(|price| &price.sku).enumerate();
    let put = put.map(|(i, sku)| (format!("prices[{i}].sku"), sku));
    let removed = request.removed_skus.iter().enumerate();
    let removed = removed.map(|(i, sku)| (format!("removed_skus[{i}]"), sku));
    for (field, sku) in put.chain(removed) {
        if !seen.insert(sku) {
            wrong.push(Violation { field, description: format!("\"{sku}\" stands twice") });
        }
    }
    if !wrong.is_empty() {
        return Err(Fault::invalid(wrong));
    }
    let price =
        |price: proto::ListedPrice| ListedPrice { sku: price.sku, unit_minor: price.unit_minor };
    let prices: Vec<ListedPrice> = request.prices.into_iter().map(price).collect();
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    if !store::lock(&mut tx, &request.list_code).await? {
        return Err(Fault::not_found("price list"));
    }
    let mut changed = store::put(&mut tx, &request.list_code, &prices).await?;
    changed += store::remove(&mut tx, &request.list_code, &request.removed_skus).await?;
    tx.commit().await?;
    Ok(SetListedPricesResponse { changed: i64::try_from(changed).expect("a request is short") })
}

async fn list_prices(
    app: &App,
    ctx: Ctx,
    request: ListListedPricesRequest,
) -> Result<ListListedPricesResponse, Fault> {
    let page = page::Request::<String>::parse(
        request.page_size,
        &request.page_token,
        limits::PAGE,
        request.list_code.as_bytes(),
    )?;
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    known(&mut tx, &request.list_code).await?;
    let after = page.after.as_deref();
    let rows = store::prices(&mut tx, &request.list_code, after, page.fetch()).await?;
    let page = page.page(rows, |price| price.sku.clone());
    let show =
        |price: ListedPrice| proto::ListedPrice { sku: price.sku, unit_minor: price.unit_minor };
    Ok(ListListedPricesResponse {
        prices: page.items.into_iter().map(show).collect(),
        next_page_token: page.next_token,
    })
}
