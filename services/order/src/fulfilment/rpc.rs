//! The RPCs of fulfilment.

use siyu_grpc::{Ctx, serve};
use siyu_proto::order::v1::{
    AcceptAssignmentRequest, AcceptAssignmentResponse, AssignOrderRequest, AssignOrderResponse,
    ConfirmReceiptRequest, ConfirmReceiptResponse, GetFulfilmentPolicyRequest,
    GetFulfilmentPolicyResponse, IssuePickupCodeRequest, IssuePickupCodeResponse,
    ListAssignmentsRequest, ListAssignmentsResponse, ListFulfilmentSitesRequest,
    ListFulfilmentSitesResponse, ListParcelsRequest, ListParcelsResponse, RejectAssignmentRequest,
    RejectAssignmentResponse, ReversePickupRequest, ReversePickupResponse, RouteOrderRequest,
    RouteOrderResponse, SetFulfilmentPolicyRequest, SetFulfilmentPolicyResponse, ShipParcelRequest,
    ShipParcelResponse, SignParcelRequest, SignParcelResponse, UpsertFulfilmentSitesRequest,
    UpsertFulfilmentSitesResponse, VerifyPickupCodeRequest, VerifyPickupCodeResponse,
    fulfilment_service_server::FulfilmentService,
};
use tonic::{Request, Response, Status, async_trait};

use super::{assignment, parcel, pickup, policy, receipt, routing, site};
use crate::App;

type Reply<T> = Result<Response<T>, Status>;

#[async_trait]
impl FulfilmentService for App {
    async fn upsert_fulfilment_sites(
        &self,
        request: Request<UpsertFulfilmentSitesRequest>,
    ) -> Reply<UpsertFulfilmentSitesResponse> {
        serve(request, |ctx, message| site::rpc::upsert(self, ctx, message)).await
    }

    async fn list_fulfilment_sites(
        &self,
        request: Request<ListFulfilmentSitesRequest>,
    ) -> Reply<ListFulfilmentSitesResponse> {
        serve(request, |ctx, message| site::rpc::list(self, ctx, message)).await
    }

    async fn set_fulfilment_policy(
        &self,
        request: Request<SetFulfilmentPolicyRequest>,
    ) -> Reply<SetFulfilmentPolicyResponse> {
        serve(request, |ctx, message| policy::set(self, ctx, message)).await
    }

    async fn get_fulfilment_policy(
        &self,
        request: Request<GetFulfilmentPolicyRequest>,
    ) -> Reply<GetFulfilmentPolicyResponse> {
        serve(request, |ctx: Ctx, _: GetFulfilmentPolicyRequest| policy::get(self, ctx)).await
    }

    async fn route_order(&self, request: Request<RouteOrderRequest>) -> Reply<RouteOrderResponse> {
        serve(request, |ctx, message| routing::anew(self, ctx, message)).await
    }

    async fn list_assignments(
        &self,
        request: Request<ListAssignmentsRequest>,
    ) -> Reply<ListAssignmentsResponse> {
        serve(request, |ctx, message| assignment::rpc::list(self, ctx, message)).await
    }

    async fn accept_assignment(
        &self,
        request: Request<AcceptAssignmentRequest>,
    ) -> Reply<AcceptAssignmentResponse> {
        serve(request, |ctx, message| assignment::rpc::accept(self, ctx, message)).await
    }

    async fn reject_assignment(
        &self,
        request: Request<RejectAssignmentRequest>,
    ) -> Reply<RejectAssignmentResponse> {
        serve(request, |ctx, message| assignment::rpc::reject(self, ctx, message)).await
    }

    async fn assign_order(
        &self,
        request: Request<AssignOrderRequest>,
    ) -> Reply<AssignOrderResponse> {
        serve(request, |ctx, message| assignment::rpc::assign(self, ctx, message)).await
    }

    async fn ship_parcel(&self, request: Request<ShipParcelRequest>) -> Reply<ShipParcelResponse> {
        serve(request, |ctx, message| parcel::rpc::ship(self, ctx, message)).await
    }

    async fn sign_parcel(&self, request: Request<SignParcelRequest>) -> Reply<SignParcelResponse> {
        serve(request, |ctx, message| parcel::rpc::sign(self, ctx, message)).await
    }

    async fn list_parcels(
        &self,
        request: Request<ListParcelsRequest>,
    ) -> Reply<ListParcelsResponse> {
        serve(request, |ctx, message| parcel::rpc::list(self, ctx, message)).await
    }

    async fn issue_pickup_code(
        &self,
        request: Request<IssuePickupCodeRequest>,
    ) -> Reply<IssuePickupCodeResponse> {
        serve(request, |ctx, message| pickup::rpc::issue(self, ctx, message)).await
    }

    async fn verify_pickup_code(
        &self,
        request: Request<VerifyPickupCodeRequest>,
    ) -> Reply<VerifyPickupCodeResponse> {
        serve(request, |ctx, message| pickup::rpc::verify(self, ctx, message)).await
    }

    async fn reverse_pickup(
        &self,
        request: Request<ReversePickupRequest>,
    ) -> Reply<ReversePickupResponse> {
        serve(request, |ctx, message| pickup::rpc::reverse(self, ctx, message)).await
    }

    async fn confirm_receipt(
        &self,
        request: Request<ConfirmReceiptRequest>,
    ) -> Reply<ConfirmReceiptResponse> {
        serve(request, |ctx, message| receipt::confirm(self, ctx, message)).await
    }
}
