//! Sites and the rules of routing over the methods.

use std::collections::BTreeSet;

use siyu_grpc::Ctx;
use siyu_kernel::{Fault, Violation};
use siyu_pg::page;
use siyu_proto::order::v1::{
    ListFulfilmentSitesRequest, ListFulfilmentSitesResponse, UpsertFulfilmentSitesRequest,
    UpsertFulfilmentSitesResponse,
};

use super::{Site, read, store};
use crate::{App, limits, location};

pub(crate) async fn upsert(
    app: &App,
    ctx: Ctx,
    request: UpsertFulfilmentSitesRequest,
) -> Result<UpsertFulfilmentSitesResponse, Fault> {
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    let asked: Vec<&str> = request.sites.iter().map(|site| site.location_code.as_str()).collect();
    let known = location::store::of_codes(&mut tx, &asked).await?;
    let stores: BTreeSet<&str> =
        known.iter().filter(|l| l.store_id.is_some()).map(|l| l.code.as_str()).collect();
    let (mut sites, mut wrong, mut seen) = (Vec::new(), Vec::new(), BTreeSet::new());
    for (i, site) in request.sites.iter().enumerate() {
        let code = site.location_code.as_str();
        let mut say = |description: String| {
            wrong.push(Violation { field: format!("sites[{i}].location_code"), description });
        };
        if !seen.insert(code) {
            say(format!("\"{code}\" stands twice"));
        } else if !stores.contains(code) {
            say(format!("\"{code}\" is not the stock of a store"));
        }
        match read(&format!("sites[{i}]"), site) {
            Ok(site) => sites.push(site),
            Err(violations) => wrong.extend(violations),
        }
    }
    if !wrong.is_empty() {
        return Err(Fault::invalid(wrong));
    }
    let reply = sites.iter().map(Site::show).collect();
    // By location, so that two calls never wait for each other.
    sites.sort_by(|a, b| a.location.cmp(&b.location));
    for site in &sites {
        store::upsert(&mut tx, site, ctx.now).await?;
    }
    tx.commit().await?;
    Ok(UpsertFulfilmentSitesResponse { sites: reply })
}

pub(crate) async fn list(
    app: &App,
    ctx: Ctx,
    request: ListFulfilmentSitesRequest,
) -> Result<ListFulfilmentSitesResponse, Fault> {
    let page =
        page::Request::<String>::parse(request.page_size, &request.page_token, limits::PAGE, b"")?;
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let rows = store::list(&mut tx, page.after.as_deref(), page.fetch()).await?;
    let page = page.page(rows, |site| site.location.clone());
    Ok(ListFulfilmentSitesResponse {
        sites: page.items.iter().map(Site::show).collect(),
        next_page_token: page.next_token,
    })
}
