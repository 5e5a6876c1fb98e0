//! Services behind the gateway that are made up: merchants 1 to 9 exist, merchant 1 has a store.

use std::{collections::BTreeMap, sync::Arc};

use siyu_grpc::{App, Ctx, Server, Settings, Upstream, serve};
use siyu_kernel::{Code, Fault};
use siyu_proto::{
    event::v1::{
        event_log_service_server::{EventLogService, EventLogServiceServer},
        *,
    },
    member::v1::{
        merchant_service_server::{MerchantService, MerchantServiceServer},
        store_service_server::{StoreService, StoreServiceServer},
        *,
    },
};
use siyu_runtime::Readiness;
use siyu_testkit::{FixedClock, id, merchant};
use tonic::{Request, Response, Status};

use crate::world::assertions;

pub(crate) fn upstreams(clock: &FixedClock) -> BTreeMap<&'static str, Upstream> {
    // One server stands for all; what it does not serve is unknown to it.
    let upstream = Upstream::in_process(app(clock));
    let services = ["member", "order", "distribution", "messaging", "metrics"];
    services.into_iter().map(|service| (service, upstream.clone())).collect()
}

pub(crate) fn app(clock: &FixedClock) -> App {
    Server::new(Settings::default(), assertions(), Arc::new(clock.clone()), Readiness::new())
        .service(MerchantServiceServer::new(Fake))
        .service(StoreServiceServer::new(Fake))
        .service(EventLogServiceServer::new(Fake))
        .build()
        .unwrap()
}

#[derive(Debug, Clone, Copy)]
struct Fake;

type Reply<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl MerchantService for Fake {
    /// Tells the request id in the name, and knows no zone on Mars.
    async fn create_merchant(
        &self,
        request: Request<CreateMerchantRequest>,
    ) -> Reply<CreateMerchantResponse> {
        serve(request, async |_, request: CreateMerchantRequest| {
            if request.zone.starts_with("Mars") {
                return Err(Fault::field("zone", "is on another planet"));
            }
            let merchant = Merchant {
                id: merchant(1).to_string(),
                name: format!("{}/{}", request.name, request.request_id),
                zone: request.zone,
                currency_code: request.currency_code,
                create_time: None,
            };
            Ok(CreateMerchantResponse { merchant: Some(merchant) })
        })
        .await
    }

    async fn get_merchant(
        &self,
        request: Request<GetMerchantRequest>,
    ) -> Reply<GetMerchantResponse> {
        serve(request, async |ctx: Ctx, _| {
            let id = ctx.merchant()?.to_string();
            // The trace shows that the gateway handed one on.
            let merchant = Merchant { id, name: ctx.trace_parent, ..Merchant::default() };
            Ok::<_, Fault>(GetMerchantResponse { merchant: Some(merchant) })
        })
        .await
    }

    async fn lookup_merchant(
        &self,
        request: Request<LookupMerchantRequest>,
    ) -> Reply<LookupMerchantResponse> {
        serve(request, async |_, request: LookupMerchantRequest| {
            let exists = (1..10).any(|n| merchant(n).to_string() == request.merchant_id);
            if !exists {
                return Err(Fault::not_found("merchant"));
            }
            let merchant = Merchant { id: request.merchant_id, ..Merchant::default() };
            Ok(LookupMerchantResponse { merchant: Some(merchant) })
        })
        .await
    }

    async fn list_merchants(
        &self,
        request: Request<ListMerchantsRequest>,
    ) -> Reply<ListMerchantsResponse> {
        serve(request, async |_, _| Ok::<_, Fault>(ListMerchantsResponse::default())).await
    }
}

#[tonic::async_trait]
impl StoreService for Fake {
    /// Gives back what it got, with ids.
    async fn upsert_stores(
        &self,
        request: Request<UpsertStoresRequest>,
    ) -> Reply<UpsertStoresResponse> {
        serve(request, async |_, mut request: UpsertStoresRequest| {
            for store in &mut request.stores {
                store.id = id::<siyu_kernel::kind::Store>(1).to_string();
            }
            Ok::<_, Fault>(UpsertStoresResponse { stores: request.stores })
        })
        .await
    }

    /// One store of merchant 1, and ids by which it fails in every way.
    async fn get_store(&self, request: Request<GetStoreRequest>) -> Reply<GetStoreResponse> {
        serve(request, async |ctx: Ctx, request: GetStoreRequest| {
            let fault = |code, reason| Err(Fault::new(code, reason, "as you wished"));
            match request.store_id.as_str() {
                "panic" => panic!("as you wished"),
                "never" => std::future::pending().await,
                "state" => fault(Code::FailedPrecondition, "STORE_CLOSED"),
                "aborted" => fault(Code::Aborted, "STORE_BUSY"),
                "exists" => fault(Code::AlreadyExists, "STORE_EXISTS"),
                "reused" => fault(Code::InvalidArgument, "REQUEST_ID_REUSED"),
                "exhausted" => fault(Code::ResourceExhausted, "STORE_FULL"),
                "unavailable" => fault(Code::Unavailable, "STORE_AWAY"),
                "internal" => Err(Fault::internal("the cause is secret")),
                store if store == store_id() && ctx.merchant()? == merchant(1) => {
                    let store = Store { id: store.to_owned(), ..Store::default() };
                    Ok(GetStoreResponse { store: Some(store) })
                }
                _ => Err(Fault::not_found("store")),
            }
        })
        .await
    }

    async fn list_stores(&self, request: Request<ListStoresRequest>) -> Reply<ListStoresResponse> {
        serve(request, async |_, request: ListStoresRequest| {
            let next_page_token = format!("{}/{}", request.page_size, request.page_token);
            Ok::<_, Fault>(ListStoresResponse { stores: Vec::new(), next_page_token })
        })
        .await
    }
}

/// The one store.
pub(crate) fn store_id() -> String {
    id::<siyu_kernel::kind::Store>(1).to_string()
}

#[tonic::async_trait]
impl EventLogService for Fake {
    async fn read_events(&self, request: Request<ReadEventsRequest>) -> Reply<ReadEventsResponse> {
        serve(request, async |_, _| Ok::<_, Fault>(ReadEventsResponse::default())).await
    }

    async fn get_head(&self, request: Request<GetHeadRequest>) -> Reply<GetHeadResponse> {
        serve(request, async |_, _| Ok::<_, Fault>(GetHeadResponse::default())).await
    }
}
