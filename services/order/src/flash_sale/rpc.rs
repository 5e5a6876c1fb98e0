//! The RPCs of flash sales.

use siyu_grpc::serve;
use siyu_kernel::Fault;
use siyu_proto::order::v1::{
    ListFlashSalesRequest, ListFlashSalesResponse, UpsertFlashSalesRequest,
    UpsertFlashSalesResponse, flash_sale_service_server::FlashSaleService,
};
use tonic::{Request, Response, Status, async_trait};

use crate::{App, market::activity};

#[async_trait]
impl FlashSaleService for App {
    async fn upsert_flash_sales(
        &self,
        request: Request<UpsertFlashSalesRequest>,
    ) -> Result<Response<UpsertFlashSalesResponse>, Status> {
        serve(request, async |ctx, message: UpsertFlashSalesRequest| {
            activity::upsert(self, &ctx, "sales", &message.sales).await?;
            Ok::<_, Fault>(UpsertFlashSalesResponse { sales: message.sales })
        })
        .await
    }

    async fn list_flash_sales(
        &self,
        request: Request<ListFlashSalesRequest>,
    ) -> Result<Response<ListFlashSalesResponse>, Status> {
        serve(request, async |ctx, message: ListFlashSalesRequest| {
            let (sales, next_page_token) =
                activity::list(self, &ctx, message.page_size, &message.page_token).await?;
            Ok::<_, Fault>(ListFlashSalesResponse { sales, next_page_token })
        })
        .await
    }
}
