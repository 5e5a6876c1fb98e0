//! The RPCs of points: each change is handed in at the desk, which may post it together with others.

use siyu_grpc::serve;
use siyu_proto::member::v1::{
    AdjustPointsRequest, AdjustPointsResponse, ConsumeFrozenPointsRequest,
    ConsumeFrozenPointsResponse, FreezePointsRequest, FreezePointsResponse, GetPointsRequest,
    GetPointsResponse, GrantPointsRequest, GrantPointsResponse, ListPointLotsRequest,
    ListPointLotsResponse, ListPointMovesRequest, ListPointMovesResponse, RevertPointsRequest,
    RevertPointsResponse, SpendPointsRequest, SpendPointsResponse, UnfreezePointsRequest,
    UnfreezePointsResponse, points_service_server::PointsService,
};
use tonic::{Request, Response, Status, async_trait};

use super::{command::Command, read};
use crate::{App, vault};

#[async_trait]
impl PointsService for App {
    async fn grant_points(
        &self,
        request: Request<GrantPointsRequest>,
    ) -> Result<Response<GrantPointsResponse>, Status> {
        serve(request, async |ctx, message| {
            let keys = vault::keys(self, ctx.merchant()?).await?;
            let posting = self.desk.post(Command::grant(&ctx, &keys, &message)?).await?;
            Ok::<_, siyu_kernel::Fault>(GrantPointsResponse { posting: Some(posting) })
        })
        .await
    }

    async fn spend_points(
        &self,
        request: Request<SpendPointsRequest>,
    ) -> Result<Response<SpendPointsResponse>, Status> {
        serve(request, async |ctx, message| {
            let keys = vault::keys(self, ctx.merchant()?).await?;
            let posting = self.desk.post(Command::spend(&ctx, &keys, &message)?).await?;
            Ok::<_, siyu_kernel::Fault>(SpendPointsResponse { posting: Some(posting) })
        })
        .await
    }

    async fn freeze_points(
        &self,
        request: Request<FreezePointsRequest>,
    ) -> Result<Response<FreezePointsResponse>, Status> {
        serve(request, async |ctx, message| {
            let keys = vault::keys(self, ctx.merchant()?).await?;
            let posting = self.desk.post(Command::freeze(&ctx, &keys, &message)?).await?;
            Ok::<_, siyu_kernel::Fault>(FreezePointsResponse { posting: Some(posting) })
        })
        .await
    }

    async fn consume_frozen_points(
        &self,
        request: Request<ConsumeFrozenPointsRequest>,
    ) -> Result<Response<ConsumeFrozenPointsResponse>, Status> {
        serve(request, async |ctx, message| {
            let keys = vault::keys(self, ctx.merchant()?).await?;
            let posting = self.desk.post(Command::consume(&ctx, &keys, &message)?).await?;
            Ok::<_, siyu_kernel::Fault>(ConsumeFrozenPointsResponse { posting: Some(posting) })
        })
        .await
    }

    async fn unfreeze_points(
        &self,
        request: Request<UnfreezePointsRequest>,
    ) -> Result<Response<UnfreezePointsResponse>, Status> {
        serve(request, async |ctx, message| {
            let keys = vault::keys(self, ctx.merchant()?).await?;
            let posting = self.desk.post(Command::unfreeze(&ctx, &keys, &message)?).await?;
            Ok::<_, siyu_kernel::Fault>(UnfreezePointsResponse { posting: Some(posting) })
        })
        .await
    }

    async fn revert_points(
        &self,
        request: Request<RevertPointsRequest>,
    ) -> Result<Response<RevertPointsResponse>, Status> {
        serve(request, async |ctx, message| {
            let keys = vault::keys(self, ctx.merchant()?).await?;
            let posting = self.desk.post(Command::revert(&ctx, &keys, &message)?).await?;
            Ok::<_, siyu_kernel::Fault>(RevertPointsResponse { posting: Some(posting) })
        })
        .await
    }

    async fn adjust_points(
        &self,
        request: Request<AdjustPointsRequest>,
    ) -> Result<Response<AdjustPointsResponse>, Status> {
        serve(request, async |ctx, message| {
            let keys = vault::keys(self, ctx.merchant()?).await?;
            let posting = self.desk.post(Command::adjust(&ctx, &keys, &message)?).await?;
            Ok::<_, siyu_kernel::Fault>(AdjustPointsResponse { posting: Some(posting) })
        })
        .await
    }

    async fn get_points(
        &self,
        request: Request<GetPointsRequest>,
    ) -> Result<Response<GetPointsResponse>, Status> {
        serve(request, |ctx, message| read::get(self, ctx, message)).await
    }

    async fn list_point_lots(
        &self,
        request: Request<ListPointLotsRequest>,
    ) -> Result<Response<ListPointLotsResponse>, Status> {
        serve(request, |ctx, message| read::list_lots(self, ctx, message)).await
    }

    async fn list_point_moves(
        &self,
        request: Request<ListPointMovesRequest>,
    ) -> Result<Response<ListPointMovesResponse>, Status> {
        serve(request, |ctx, message| read::list_moves(self, ctx, message)).await
    }
}
