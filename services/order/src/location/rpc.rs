//! The RPCs of locations.

use std::collections::BTreeSet;

use siyu_grpc::{Ctx, serve};
use siyu_kernel::{Code, Fault, Violation};
use siyu_pg::{OnConstraint, page};
use siyu_proto::order::v1::{
    self as proto, ListLocationsRequest, ListLocationsResponse, UpsertLocationsRequest,
    UpsertLocationsResponse, location_service_server::LocationService,
};
use tonic::{Request, Response, Status, async_trait};

use super::{
    domain::{self, Kind},
    store,
};
use crate::{App, limits};

#[async_trait]
impl LocationService for App {
    async fn upsert_locations(
        &self,
        request: Request<UpsertLocationsRequest>,
    ) -> Result<Response<UpsertLocationsResponse>, Status> {
        serve(request, |ctx, message| upsert(self, ctx, message)).await
    }

    async fn list_locations(
        &self,
        request: Request<ListLocationsRequest>,
    ) -> Result<Response<ListLocationsResponse>, Status> {
        serve(request, |ctx, message| list(self, ctx, message)).await
    }
}

async fn upsert(
    app: &App,
    ctx: Ctx,
    request: UpsertLocationsRequest,
) -> Result<UpsertLocationsResponse, Fault> {
    let asked = || request.locations.iter().map(|location| location.store_code.as_str());
    let stores: BTreeSet<&str> = asked().filter(|code| !code.is_empty()).collect();
    let known = app.directory.known(&ctx, &stores).await?;
    let (mut wanted, mut wrong, mut seen) = (Vec::new(), Vec::new(), BTreeSet::new());
    for (i, location) in request.locations.iter().enumerate() {
        let field = format!("locations[{i}]");
        if !seen.insert(&location.code) {
            let description = format!("\"{}\" stands twice", location.code);
            wrong.push(Violation { field: format!("{field}.code"), description });
        }
        match domain::read(&field, location, &known.stores, ctx.now) {
            Ok(location) => wanted.push(location),
            Err(violations) => wrong.extend(violations),
        }
    }
    if !wrong.is_empty() {
        return Err(Fault::invalid(wrong));
    }
    wanted.sort_by(|a, b| a.code.cmp(&b.code));
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    let taken = Fault::new(
        Code::AlreadyExists,
        "LOCATION_STORE_TAKEN",
        "another location is the stock of a store of the request",
    );
    store::upsert(&mut tx, &wanted).await.on_constraint("locations_store_id_key", taken)?;
    let codes: Vec<&str> = request.locations.iter().map(|l| l.code.as_str()).collect();
    let stand = store::of_codes(&mut tx, &codes).await?;
    tx.commit().await?;
    Ok(UpsertLocationsResponse {
        locations: stand.into_iter().map(domain::Location::show).collect(),
    })
}

async fn list(
    app: &App,
    ctx: Ctx,
    request: ListLocationsRequest,
) -> Result<ListLocationsResponse, Fault> {
    let kind = proto::LocationKind::try_from(request.kind)
        .map_err(|_| Fault::field("kind", "is not a known value"))?;
    let kind = Kind::of_proto(kind).map(Kind::as_str);
    let page = page::Request::<String>::parse(
        request.page_size,
        &request.page_token,
        limits::PAGE,
        kind.unwrap_or_default().as_bytes(),
    )?;
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    let rows = store::list(&mut tx, kind, page.after.as_deref(), page.fetch()).await?;
    let page = page.page(rows, |location| location.code.clone());
    Ok(ListLocationsResponse {
        locations: page.items.into_iter().map(domain::Location::show).collect(),
        next_page_token: page.next_token,
    })
}
