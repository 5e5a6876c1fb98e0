//! The stores of merchants and their regions.

use siyu_grpc::serve;
use siyu_kernel::{Fault, kind};
use siyu_proto::member::v1::{
    region_service_server::RegionService, store_service_server::StoreService, *,
};
use siyu_testkit::id;
use tonic::{Request, Status};

use super::{Member, MerchantId, Reply};

/// The same hours on every day of the week.
pub(crate) fn daily(open_minute: i32, close_minute: i32) -> Vec<OpeningSpan> {
    (1..=7).map(|weekday| OpeningSpan { weekday, open_minute, close_minute }).collect()
}

impl Member {
    /// Opens a store of a merchant, round the clock; gives its id.
    pub(crate) fn open(&self, merchant: MerchantId, code: &str, n: u32) -> String {
        let id = id::<kind::Store>(n).to_string();
        let hours = OpeningHours { weekly: daily(0, 1_440), exceptions: Vec::new() };
        let store =
            Store { id: id.clone(), code: code.into(), hours: Some(hours), ..Store::default() };
        let mut known = self.0.known.lock().unwrap();
        known.stores.entry(merchant).or_default().insert(code.into(), store);
        id
    }

    /// Makes a region of a merchant known, in another one or at the top; gives its id.
    pub(crate) fn found(&self, merchant: MerchantId, code: &str, parent: &str, n: u32) -> String {
        let id = id::<kind::Region>(n).to_string();
        let (code, parent_code) = (code.to_owned(), parent.to_owned());
        let region =
            Region { id: id.clone(), code: code.clone(), parent_code, ..Region::default() };
        let mut known = self.0.known.lock().unwrap();
        known.regions.entry(merchant).or_default().insert(code, region);
        id
    }

    /// Puts a store into a region.
    pub(crate) fn put_into(&self, merchant: MerchantId, store: &str, region_id: &str) {
        self.change(merchant, store, |store| store.region_id = Some(region_id.to_owned()));
    }

    /// Changes a store; whoever remembers it knows nothing of this.
    pub(crate) fn change(&self, merchant: MerchantId, store: &str, how: impl FnOnce(&mut Store)) {
        let mut known = self.0.known.lock().unwrap();
        how(known.stores.get_mut(&merchant).unwrap().get_mut(store).unwrap());
    }
}

#[tonic::async_trait]
impl StoreService for Member {
    async fn list_stores(&self, request: Request<ListStoresRequest>) -> Reply<ListStoresResponse> {
        serve(request, async |ctx, request: ListStoresRequest| {
            let merchant = self.enter(&ctx)?;
            let known = self.0.known.lock().unwrap();
            let stores = known.stores.get(&merchant).cloned().unwrap_or_default();
            // Pages of two, whatever is asked for: a caller has to go on.
            let mut rest = stores.into_values().filter(|s| s.code > request.page_token);
            let page: Vec<Store> = rest.by_ref().take(2).collect();
            let more = rest.next().and_then(|_| page.last()).map(|last| last.code.clone());
            let next_page_token = more.unwrap_or_default();
            Ok::<_, Fault>(ListStoresResponse { stores: page, next_page_token })
        })
        .await
    }

    async fn get_store(&self, _: Request<GetStoreRequest>) -> Reply<GetStoreResponse> {
        Err(Status::unimplemented("not asked"))
    }

    async fn upsert_stores(&self, _: Request<UpsertStoresRequest>) -> Reply<UpsertStoresResponse> {
        Err(Status::unimplemented("not asked"))
    }
}

#[tonic::async_trait]
impl RegionService for Member {
    async fn list_regions(
        &self,
        request: Request<ListRegionsRequest>,
    ) -> Reply<ListRegionsResponse> {
        serve(request, async |ctx, _: ListRegionsRequest| {
            let merchant = self.enter(&ctx)?;
            let known = self.0.known.lock().unwrap();
            let regions = known.regions.get(&merchant).cloned().unwrap_or_default();
            let regions = regions.into_values().collect();
            Ok::<_, Fault>(ListRegionsResponse { regions, next_page_token: String::new() })
        })
        .await
    }

    async fn get_region(&self, _: Request<GetRegionRequest>) -> Reply<GetRegionResponse> {
        Err(Status::unimplemented("not asked"))
    }

    async fn upsert_regions(
        &self,
        _: Request<UpsertRegionsRequest>,
    ) -> Reply<UpsertRegionsResponse> {
        Err(Status::unimplemented("not asked"))
    }
}
