//! The RPCs of items.

use std::collections::{BTreeMap, BTreeSet};

use siyu_grpc::{Ctx, parse, serve, serve_each};
use siyu_kernel::{Code, Fault, Violation};
use siyu_pg::page;
use siyu_proto::order::v1::{
    self as proto, GetItemRequest, GetItemResponse, ListItemsRequest, ListItemsResponse,
    ListVisibleItemsRequest, ListVisibleItemsResponse, StreamUpsertItemsRequest,
    StreamUpsertItemsResponse, UpsertItemsRequest, UpsertItemsResponse,
    item_service_server::ItemService,
};
use tonic::{Request, Response, Status, Streaming, async_trait};

use super::{
    domain::{self, Item},
    store,
};
use crate::{App, limits};

#[async_trait]
impl ItemService for App {
    async fn upsert_items(
        &self,
        request: Request<UpsertItemsRequest>,
    ) -> Result<Response<UpsertItemsResponse>, Status> {
        serve(request, async |ctx: Ctx, message: UpsertItemsRequest| {
            let items = upsert(self, &ctx, &message.items).await?;
            Ok::<_, Fault>(UpsertItemsResponse { items })
        })
        .await
    }

    type StreamUpsertItemsStream = siyu_grpc::Replies<StreamUpsertItemsResponse>;

    async fn stream_upsert_items(
        &self,
        request: Request<Streaming<StreamUpsertItemsRequest>>,
    ) -> Result<Response<Self::StreamUpsertItemsStream>, Status> {
        let app = self.clone();
        serve_each(request, move |ctx, message: StreamUpsertItemsRequest| {
            let app = app.clone();
            async move {
                let items = upsert(&app, &ctx, &message.items).await?;
                Ok::<_, Fault>(StreamUpsertItemsResponse { items })
            }
        })
        .await
    }

    async fn get_item(
        &self,
        request: Request<GetItemRequest>,
    ) -> Result<Response<GetItemResponse>, Status> {
        serve(request, |ctx, message| get(self, ctx, message)).await
    }

    async fn list_items(
        &self,
        request: Request<ListItemsRequest>,
    ) -> Result<Response<ListItemsResponse>, Status> {
        serve(request, |ctx, message| list(self, ctx, message)).await
    }

    async fn list_visible_items(
        &self,
        request: Request<ListVisibleItemsRequest>,
    ) -> Result<Response<ListVisibleItemsResponse>, Status> {
        serve(request, |ctx, message| list_visible(self, ctx, message)).await
    }
}

/// Stores items, all or none; gives them as they are then, in the order given.
async fn upsert(app: &App, ctx: &Ctx, items: &[proto::Item]) -> Result<Vec<proto::Item>, Fault> {
    let currency = app.directory.known(ctx, &BTreeSet::new()).await?.currency;
    let (mut wanted, mut seen) = (Vec::new(), BTreeSet::new());
    let mut wrong = domain::shared_skus(items);
    for (i, item) in items.iter().enumerate() {
        let field = format!("items[{i}]");
        if !seen.insert(&item.code) {
            let description = format!("\"{}\" stands twice", item.code);
            wrong.push(Violation { field: format!("{field}.code"), description });
        }
        match domain::read(&field, item, currency, ctx.now) {
            Ok(item) => wanted.push(item),
            Err(violations) => wrong.extend(violations),
        }
    }
    if !wrong.is_empty() {
        return Err(Fault::invalid(wrong));
    }
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    let codes: Vec<&str> = items.iter().map(|item| item.code.as_str()).collect();
    let known = by_code(store::lock(&mut tx, &codes).await?);
    let mut changed: Vec<Item> = wanted
        .into_iter()
        .filter(|item| known.get(&item.code).is_none_or(|before| !before.same_as(item)))
        .collect();
    if !changed.is_empty() {
        // In the order of the codes, so that two calls never wait for each other.
        changed.sort_by(|a, b| a.code.cmp(&b.code));
        let given: u64 = changed.iter().map(|item| item.skus.len() as u64).sum();
        if store::upsert(&mut tx, &changed).await? < given {
            return Err(Fault::new(
                Code::AlreadyExists,
                "SKU_TAKEN",
                "a SKU of the request belongs to another item",
            ));
        }
    }
    let mut stand = by_code(store::lock(&mut tx, &codes).await?);
    tx.commit().await?;
    let shown = codes.iter().filter_map(|code| stand.remove(*code));
    Ok(shown.map(|item| item.show(currency)).collect())
}

fn by_code(items: Vec<Item>) -> BTreeMap<String, Item> {
    items.into_iter().map(|item| (item.code.clone(), item)).collect()
}

async fn get(app: &App, ctx: Ctx, request: GetItemRequest) -> Result<GetItemResponse, Fault> {
    let currency = app.directory.known(&ctx, &BTreeSet::new()).await?.currency;
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let item = store::find(&mut tx, &request.code).await?;
    let item = item.ok_or_else(|| Fault::not_found("item"))?;
    Ok(GetItemResponse { item: Some(item.show(currency)) })
}

async fn list(app: &App, ctx: Ctx, request: ListItemsRequest) -> Result<ListItemsResponse, Fault> {
    let page = page::Request::<String>::parse(
        request.page_size,
        &request.page_token,
        limits::PAGE,
        request.category.as_bytes(),
    )?;
    let currency = app.directory.known(&ctx, &BTreeSet::new()).await?.currency;
    let category = (!request.category.is_empty()).then_some(request.category.as_str());
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let rows = store::list(&mut tx, category, page.after.as_deref(), page.fetch()).await?;
    let page = page.page(rows, |item| item.code.clone());
    Ok(ListItemsResponse {
        items: page.items.into_iter().map(|item| item.show(currency)).collect(),
        next_page_token: page.next_token,
    })
}

async fn list_visible(
    app: &App,
    ctx: Ctx,
    request: ListVisibleItemsRequest,
) -> Result<ListVisibleItemsResponse, Fault> {
    let ListVisibleItemsRequest { store_code, channel, person_id, category, .. } = &request;
    let page = page::Request::<String>::parse(
        request.page_size,
        &request.page_token,
        limits::PAGE,
        format!("{:?}", (store_code, channel, person_id, category)).as_bytes(),
    )?;
    let person = parse::optional_id("person_id", person_id)?;
    let around = app.directory.around(&ctx, store_code, channel, person).await?;
    let category = (!category.is_empty()).then_some(category.as_str());
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let seen = (&around.sale, ctx.now);
    let after = page.after.as_deref();
    let rows = store::list_visible(&mut tx, category, seen, after, page.fetch()).await?;
    let page = page.page(rows, |item| item.code.clone());
    Ok(ListVisibleItemsResponse {
        items: page.items.into_iter().map(|item| item.show(around.known.currency)).collect(),
        next_page_token: page.next_token,
    })
}
