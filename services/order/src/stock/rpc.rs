//! The RPCs of stock.

use siyu_grpc::serve;
use siyu_proto::order::v1::{
    AdjustStockRequest, AdjustStockResponse, CheckStockRequest, CheckStockResponse,
    GetStockRequest, GetStockResponse, ImportStockRequest, ImportStockResponse,
    ListMovementsRequest, ListMovementsResponse, ListReservationsRequest, ListReservationsResponse,
    ListStockRequest, ListStockResponse, SetBucketsRequest, SetBucketsResponse, SetSafetyRequest,
    SetSafetyResponse, TransferStockRequest, TransferStockResponse,
    stock_service_server::StockService,
};
use tonic::{Request, Response, Status, async_trait};

use super::{change, import, read};
use crate::App;

type Reply<T> = Result<Response<T>, Status>;

#[async_trait]
impl StockService for App {
    async fn import_stock(
        &self,
        request: Request<ImportStockRequest>,
    ) -> Reply<ImportStockResponse> {
        serve(request, |ctx, message| import::import(self, ctx, message)).await
    }

    async fn adjust_stock(
        &self,
        request: Request<AdjustStockRequest>,
    ) -> Reply<AdjustStockResponse> {
        serve(request, |ctx, message| change::adjust(self, ctx, message)).await
    }

    async fn set_safety(&self, request: Request<SetSafetyRequest>) -> Reply<SetSafetyResponse> {
        serve(request, |ctx, message| change::set_safety(self, ctx, message)).await
    }

    async fn set_buckets(&self, request: Request<SetBucketsRequest>) -> Reply<SetBucketsResponse> {
        serve(request, |ctx, message| change::set_buckets(self, ctx, message)).await
    }

    async fn transfer_stock(
        &self,
        request: Request<TransferStockRequest>,
    ) -> Reply<TransferStockResponse> {
        serve(request, |ctx, message| change::transfer(self, ctx, message)).await
    }

    async fn get_stock(&self, request: Request<GetStockRequest>) -> Reply<GetStockResponse> {
        serve(request, |ctx, message| read::get(self, ctx, message)).await
    }

    async fn list_stock(&self, request: Request<ListStockRequest>) -> Reply<ListStockResponse> {
        serve(request, |ctx, message| read::list(self, ctx, message)).await
    }

    async fn list_movements(
        &self,
        request: Request<ListMovementsRequest>,
    ) -> Reply<ListMovementsResponse> {
        serve(request, |ctx, message| read::movements(self, ctx, message)).await
    }

    async fn list_reservations(
        &self,
        request: Request<ListReservationsRequest>,
    ) -> Reply<ListReservationsResponse> {
        serve(request, |ctx, message| read::reservations(self, ctx, message)).await
    }

    async fn check_stock(&self, request: Request<CheckStockRequest>) -> Reply<CheckStockResponse> {
        serve(request, |ctx, message| read::check(self, ctx, message)).await
    }
}
