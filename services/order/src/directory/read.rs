//! Reads a merchant with its stores and regions, page by page.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, Utc};
use siyu_grpc::{Ctx, Peer, fault, parse};
use siyu_kernel::{Currency, Fault, Id, Zone, kind::Region};
use siyu_proto::member::v1::{
    GetMerchantRequest, ListRegionsRequest, ListStoresRequest, Store,
    merchant_service_client::MerchantServiceClient, region_service_client::RegionServiceClient,
    store_service_client::StoreServiceClient,
};

use super::{Known, Shop};
use crate::limits;

/// Everything that is remembered of the merchant of a call.
pub(super) async fn known(member: &Peer, ctx: &Ctx) -> Result<Known, Fault> {
    let call = member.as_service_within(ctx);
    let mut merchants = MerchantServiceClient::new(call.clone());
    let reply = merchants.get_merchant(GetMerchantRequest {}).await.map_err(fault)?.into_inner();
    let merchant = reply.merchant.unwrap_or_default();
    let mut known = Known {
        currency: Currency::parse(&merchant.currency_code).map_err(Fault::internal)?,
        zone: Zone::parse(&merchant.zone).map_err(Fault::internal)?,
        stores: HashMap::new(),
        regions: HashMap::new(),
        shops: HashMap::new(),
        read_at: ctx.now,
    };
    let mut stores = StoreServiceClient::new(call.clone());
    let mut request = ListStoresRequest { page_size: 1000, ..Default::default() };
    let mut of_store = Vec::new();
    loop {
        let page = stores.list_stores(request.clone()).await.map_err(fault)?.into_inner();
        for mut store in page.stores {
            let id = parse::id("store.id", &store.id).map_err(Fault::internal)?;
            known.shops.insert(id, shop(&mut store, known.zone, ctx.now)?);
            let region = store.region_id.unwrap_or_default();
            let region = parse::optional_id("store.region_id", &region);
            if let Some(region) = region.map_err(Fault::internal)? {
                of_store.push((store.code.clone(), region));
            }
            known.stores.insert(store.code, id);
        }
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    if !of_store.is_empty() {
        let parents = parents(RegionServiceClient::new(call)).await?;
        let path = |(code, region)| (code, path(&parents, region));
        known.regions = of_store.into_iter().map(path).collect();
    }
    Ok(known)
}

/// Where a store stands and when it is open; without a zone of its own, by the clock of the merchant. Exceptions that are not
/// near are left out: thousands of stores are remembered, some with those of a year.
fn shop(store: &mut Store, zone: Zone, now: DateTime<Utc>) -> Result<Shop, Fault> {
    let zone = match store.zone.as_str() {
        "" => zone,
        own => Zone::parse(own).map_err(Fault::internal)?,
    };
    let mut hours = store.hours.take().unwrap_or_default();
    let today = zone.local(now).date();
    hours.exceptions.retain(|exception| {
        let day = exception.day.parse::<NaiveDate>();
        day.is_ok_and(|day| day.signed_duration_since(today).abs() <= limits::EXCEPTIONS_NEAR)
    });
    let point = store.point.as_ref().map(|point| parse::point("store.point", point));
    let point = point.transpose().map_err(Fault::internal)?.flatten();
    Ok(Shop { point, hours: parse::opening_hours(zone, &hours) })
}

/// The region that each region is part of; none for those at the top.
async fn parents(
    mut client: RegionServiceClient<siyu_grpc::Call>,
) -> Result<HashMap<Id<Region>, Option<Id<Region>>>, Fault> {
    let (mut ids, mut codes) = (HashMap::new(), Vec::new());
    let mut request = ListRegionsRequest { page_size: 1000, ..Default::default() };
    loop {
        let page = client.list_regions(request.clone()).await.map_err(fault)?.into_inner();
        for region in page.regions {
            let id = parse::id("region.id", &region.id).map_err(Fault::internal)?;
            ids.insert(region.code, id);
            codes.push((id, region.parent_code));
        }
        if page.next_page_token.is_empty() {
            let parent = |(id, code): (_, String)| (id, ids.get(&code).copied());
            return Ok(codes.into_iter().map(parent).collect());
        }
        request.page_token = page.next_page_token;
    }
}

/// A region and all that it is part of; ends where a tree that is being changed would lead back.
fn path(parents: &HashMap<Id<Region>, Option<Id<Region>>>, of: Id<Region>) -> Vec<Id<Region>> {
    let mut path = Vec::new();
    let mut next = Some(of);
    while let Some(region) = next.filter(|region| !path.contains(region)) {
        path.push(region);
        next = parents.get(&region).copied().flatten();
    }
    path
}
