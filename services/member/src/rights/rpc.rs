//! The RPCs of rights.

use siyu_grpc::serve;
use siyu_proto::member::v1::{
    ErasePersonRequest, ErasePersonResponse, ExportPersonalDataRequest, ExportPersonalDataResponse,
    ListRevealsRequest, ListRevealsResponse, RevealPersonalDataRequest, RevealPersonalDataResponse,
    privacy_service_server::PrivacyService,
};
use tonic::{Request, Response, Status, async_trait};

use super::{erasure, export, reveal};
use crate::App;

#[async_trait]
impl PrivacyService for App {
    async fn reveal_personal_data(
        &self,
        request: Request<RevealPersonalDataRequest>,
    ) -> Result<Response<RevealPersonalDataResponse>, Status> {
        serve(request, |ctx, message| reveal::reveal(self, ctx, message)).await
    }

    async fn list_reveals(
        &self,
        request: Request<ListRevealsRequest>,
    ) -> Result<Response<ListRevealsResponse>, Status> {
        serve(request, |ctx, message| reveal::list(self, ctx, message)).await
    }

    async fn export_personal_data(
        &self,
        request: Request<ExportPersonalDataRequest>,
    ) -> Result<Response<ExportPersonalDataResponse>, Status> {
        serve(request, |ctx, message| export::export(self, ctx, message)).await
    }

    async fn erase_person(
        &self,
        request: Request<ErasePersonRequest>,
    ) -> Result<Response<ErasePersonResponse>, Status> {
        serve(request, |ctx, message| erasure::erase(self, ctx, message)).await
    }
}
