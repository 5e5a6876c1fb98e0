//! The RPCs of stores.

use std::collections::{BTreeMap, BTreeSet};

use siyu_grpc::{Ctx, parse, serve};
use siyu_kernel::{Fault, Id, Violation};
use siyu_pg::page;
use siyu_proto::member::v1::{
    GetStoreRequest, GetStoreResponse, ListStoresRequest, ListStoresResponse, StoreChanged,
    UpsertStoresRequest, UpsertStoresResponse, store_service_server::StoreService,
};
use tonic::{Request, Response, Status, async_trait};

use super::{
    domain::{self, Store},
    store,
};
use crate::{
    App, limits,
    merchant::{self, Merchant},
    publish_all,
    region::{self, RegionId},
};

#[async_trait]
impl StoreService for App {
    async fn upsert_stores(
        &self,
        request: Request<UpsertStoresRequest>,
    ) -> Result<Response<UpsertStoresResponse>, Status> {
        serve(request, |ctx, message| upsert(self, ctx, message)).await
    }

    async fn get_store(
        &self,
        request: Request<GetStoreRequest>,
    ) -> Result<Response<GetStoreResponse>, Status> {
        serve(request, |ctx, message| get(self, ctx, message)).await
    }

    async fn list_stores(
        &self,
        request: Request<ListStoresRequest>,
    ) -> Result<Response<ListStoresResponse>, Status> {
        serve(request, |ctx, message| list(self, ctx, message)).await
    }
}

async fn upsert(
    app: &App,
    ctx: Ctx,
    request: UpsertStoresRequest,
) -> Result<UpsertStoresResponse, Fault> {
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    let merchant =
        merchant::store::find(&mut tx).await?.ok_or_else(|| Fault::not_found("merchant"))?;
    let codes: Vec<&str> = request.stores.iter().map(|s| s.code.as_str()).collect();
    let known: BTreeMap<String, Store> =
        store::lock(&mut tx, &codes).await?.into_iter().map(|s| (s.code.clone(), s)).collect();
    let mut stores = read_all(app, &ctx, &request, &merchant, &known)?;
    let regions: BTreeSet<RegionId> = stores.iter().filter_map(|s| s.region_id).collect();
    let regions: Vec<RegionId> = regions.into_iter().collect();
    if region::store::existing(&mut tx, &regions).await?.len() < regions.len() {
        return Err(Fault::not_found("region"));
    }
    let mut changed = Vec::new();
    for wanted in &mut stores {
        match known.get(&wanted.code) {
            Some(before) if before.same_as(wanted) => *wanted = before.clone(),
            Some(before) => {
                wanted.id = before.id;
                wanted.created_at = before.created_at;
                changed.push(wanted.clone());
            }
            None => changed.push(wanted.clone()),
        }
    }
    // In the order of the codes, so that two calls that create the same ones never wait for each other.
    changed.sort_by(|a, b| a.code.cmp(&b.code));
    // Two calls that create one code at the same moment: the later one's id lost, read what stands.
    store::upsert(&mut tx, &changed).await?;
    let stand: BTreeMap<String, Store> =
        store::lock(&mut tx, &codes).await?.into_iter().map(|s| (s.code.clone(), s)).collect();
    let facts: Vec<(String, StoreChanged)> = changed
        .iter()
        .map(|s| stand[&s.code].clone())
        .map(|s| (s.id.to_string(), StoreChanged { store: Some(s.show(&merchant.currency)) }))
        .collect();
    publish_all(app, &mut tx, &ctx, &facts).await?;
    tx.commit().await?;
    Ok(UpsertStoresResponse {
        stores: codes.iter().map(|code| stand[*code].clone().show(&merchant.currency)).collect(),
    })
}

fn read_all(
    app: &App,
    ctx: &Ctx,
    request: &UpsertStoresRequest,
    merchant: &Merchant,
    known: &BTreeMap<String, Store>,
) -> Result<Vec<Store>, Fault> {
    let (mut stores, mut wrong, mut seen) = (Vec::new(), Vec::new(), BTreeSet::new());
    for (i, wanted) in request.stores.iter().enumerate() {
        let field = format!("stores[{i}]");
        if !seen.insert(&wanted.code) {
            let description = format!("\"{}\" stands twice", wanted.code);
            wrong.push(Violation { field: format!("{field}.code"), description });
        }
        let before = known.get(&wanted.code);
        let fresh = (Id::from_uuid(app.ids.uuid()), ctx.now);
        match domain::read(&field, wanted, before, merchant, fresh) {
            Ok(store) => stores.push(store),
            Err(violations) => wrong.extend(violations),
        }
    }
    if wrong.is_empty() { Ok(stores) } else { Err(Fault::invalid(wrong)) }
}

async fn get(app: &App, ctx: Ctx, request: GetStoreRequest) -> Result<GetStoreResponse, Fault> {
    let id = parse::id("store_id", &request.store_id)?;
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let store = store::find(&mut tx, id).await?.ok_or_else(|| Fault::not_found("store"))?;
    let currency = merchant::currency(&mut tx).await?;
    Ok(GetStoreResponse { store: Some(store.show(&currency)) })
}

async fn list(
    app: &App,
    ctx: Ctx,
    request: ListStoresRequest,
) -> Result<ListStoresResponse, Fault> {
    let page =
        page::Request::<String>::parse(request.page_size, &request.page_token, limits::PAGE, b"")?;
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let rows = store::list(&mut tx, page.after.as_deref(), page.fetch()).await?;
    let page = page.page(rows, |store| store.code.clone());
    let currency = merchant::currency(&mut tx).await?;
    Ok(ListStoresResponse {
        stores: page.items.into_iter().map(|store| store.show(&currency)).collect(),
        next_page_token: page.next_token,
    })
}
