//! The RPCs of regions.

use std::collections::{BTreeMap, BTreeSet};

use siyu_grpc::{Ctx, parse, serve};
use siyu_kernel::{Fault, Id, Violation};
use siyu_pg::page;
use siyu_proto::member::v1::{
    self as proto, GetRegionRequest, GetRegionResponse, ListRegionsRequest, ListRegionsResponse,
    RegionChanged, UpsertRegionsRequest, UpsertRegionsResponse,
    region_service_server::RegionService,
};
use tonic::{Request, Response, Status, async_trait};

use super::{
    domain::{self, Tree},
    store::{self, Shown},
};
use crate::{App, limits, publish_all};

#[async_trait]
impl RegionService for App {
    async fn upsert_regions(
        &self,
        request: Request<UpsertRegionsRequest>,
    ) -> Result<Response<UpsertRegionsResponse>, Status> {
        serve(request, |ctx, message| upsert(self, ctx, message)).await
    }

    async fn get_region(
        &self,
        request: Request<GetRegionRequest>,
    ) -> Result<Response<GetRegionResponse>, Status> {
        serve(request, |ctx, message| get(self, ctx, message)).await
    }

    async fn list_regions(
        &self,
        request: Request<ListRegionsRequest>,
    ) -> Result<Response<ListRegionsResponse>, Status> {
        serve(request, |ctx, message| list(self, ctx, message)).await
    }
}

async fn upsert(
    app: &App,
    ctx: Ctx,
    request: UpsertRegionsRequest,
) -> Result<UpsertRegionsResponse, Fault> {
    check_codes(&request.regions)?;
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    let standing = store::lock_tree(&mut tx).await?;
    let new_id = || Id::from_uuid(app.ids.uuid());
    let tree = domain::upsert(standing, &request.regions, new_id, ctx.now)?;
    let changed: Vec<_> = tree.changed.iter().map(|code| &tree.regions[code]).collect();
    store::upsert(&mut tx, &changed).await?;
    let shown = show_all(&tree);
    let facts: Vec<(String, RegionChanged)> = tree
        .changed
        .iter()
        .map(|code| shown[code].clone())
        .map(|region| (region.id.clone(), RegionChanged { region: Some(region) }))
        .collect();
    publish_all(app, &mut tx, &ctx, &facts).await?;
    tx.commit().await?;
    let regions = request.regions.iter().map(|region| shown[&region.code].clone()).collect();
    Ok(UpsertRegionsResponse { regions })
}

fn check_codes(regions: &[proto::Region]) -> Result<(), Fault> {
    let mut seen = BTreeSet::new();
    let twice = |(i, region): (usize, &proto::Region)| {
        (!seen.insert(region.code.clone())).then(|| Violation {
            field: format!("regions[{i}].code"),
            description: format!("\"{}\" stands twice", region.code),
        })
    };
    let wrong: Vec<Violation> = regions.iter().enumerate().filter_map(twice).collect();
    if wrong.is_empty() { Ok(()) } else { Err(Fault::invalid(wrong)) }
}

/// The regions on the wire, by code.
fn show_all(tree: &Tree) -> BTreeMap<String, proto::Region> {
    let codes: BTreeMap<_, &str> =
        tree.regions.values().map(|region| (region.id, region.code.as_str())).collect();
    let show = |(code, region): (&String, &domain::Region)| {
        let parent = region.parent_id.map_or(String::new(), |id| codes[&id].to_owned());
        (code.clone(), region.clone().show(parent))
    };
    tree.regions.iter().map(show).collect()
}

async fn get(app: &App, ctx: Ctx, request: GetRegionRequest) -> Result<GetRegionResponse, Fault> {
    let id = parse::id("region_id", &request.region_id)?;
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let found = store::find(&mut tx, id).await?.ok_or_else(|| Fault::not_found("region"))?;
    Ok(GetRegionResponse { region: Some(show(found)) })
}

async fn list(
    app: &App,
    ctx: Ctx,
    request: ListRegionsRequest,
) -> Result<ListRegionsResponse, Fault> {
    let page =
        page::Request::<String>::parse(request.page_size, &request.page_token, limits::PAGE, b"")?;
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let rows = store::list(&mut tx, page.after.as_deref(), page.fetch()).await?;
    let page = page.page(rows, |row| row.region.code.clone());
    Ok(ListRegionsResponse {
        regions: page.items.into_iter().map(show).collect(),
        next_page_token: page.next_token,
    })
}

fn show(row: Shown) -> proto::Region {
    row.region.show(row.parent_code)
}
