//! The next step of a tender at the member service.

use prost::Message;
use siyu_grpc::{Call, fault, parse};
use siyu_kernel::{Fault, Id, kind};
use siyu_proto::member::v1::{
    CaptureHoldRequest, ConsumeFrozenPointsRequest, FreezePointsRequest, HoldValueRequest,
    PointsPosting, UnfreezePointsRequest, VoidHoldRequest,
    points_service_client::PointsServiceClient,
    stored_value_service_client::StoredValueServiceClient,
};
use uuid::Uuid;

use super::domain::{Answer, Kind, State, Tender, is_refusal};

/// Takes the step that a tender waits for. A fault leaves open whether it was taken: try again.
pub(super) async fn step(member: Call, tender: &Tender) -> Result<Option<Answer>, Fault> {
    let answer = match (tender.state, tender.hold_id) {
        (State::Planned, _) => hold(member, tender).await.map(Answer::Held),
        // Whether something is held is not known: the same call again tells, and holds at most once.
        (State::Voiding, None) => match hold(member, tender).await {
            Ok(id) => Ok(Answer::Held(id)),
            Err(fault) if is_refusal(&fault) => Ok(Answer::Free),
            Err(fault) => Err(fault),
        },
        (State::Voiding, Some(id)) => match void(member, tender, id).await {
            Ok(()) => Ok(Answer::Free),
            Err(fault) if matches!(fault.reason(), "HOLD_VOIDED" | "HOLD_EXPIRED") => {
                Ok(Answer::Free)
            }
            Err(fault) => Err(fault),
        },
        (State::Capturing, Some(id)) => capture(member, tender, id).await.map(Answer::Captured),
        (State::Capturing, None) => Err(Fault::internal("a tender is taken that was never held")),
        (State::Held | State::Captured | State::Voided | State::Stuck, _) => return Ok(None),
    };
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(fault) if is_refusal(&fault) => Ok(Some(Answer::Refused(fault.reason()))),
        Err(fault) => Err(fault),
    }
}

async fn hold(member: Call, tender: &Tender) -> Result<Uuid, Fault> {
    let request_id = tender.request_id("hold");
    match tender.kind {
        Kind::Value => {
            let charges =
                HoldValueRequest::decode(tender.charges.as_slice()).map_err(Fault::internal)?;
            let request = HoldValueRequest { request_id, ..charges };
            let mut client = StoredValueServiceClient::new(member);
            let reply = client.hold_value(request).await.map_err(fault)?.into_inner();
            let payment = reply.payment.unwrap_or_default();
            parse::id::<kind::ValuePayment>("payment.id", &payment.id)
                .map(Id::uuid)
                .map_err(Fault::internal)
        }
        Kind::Points => {
            let request = FreezePointsRequest {
                request_id,
                person_id: tender.person_id.to_string(),
                points: tender.points,
                expire_time: Some(parse::timestamp(tender.hold_until)),
                order_id: tender.order_id.to_string(),
                reason: String::new(),
            };
            let mut client = PointsServiceClient::new(member);
            let reply = client.freeze_points(request).await.map_err(fault)?.into_inner();
            transfer(reply.posting)
        }
    }
}

async fn capture(member: Call, tender: &Tender, hold: Uuid) -> Result<Option<Uuid>, Fault> {
    let request_id = tender.request_id("take");
    match tender.kind {
        Kind::Value => {
            let payment_id = Id::<kind::ValuePayment>::from_uuid(hold).to_string();
            let request = CaptureHoldRequest { request_id, payment_id, amount_minor: 0 };
            let mut client = StoredValueServiceClient::new(member);
            client.capture_hold(request).await.map_err(fault)?;
            Ok(None)
        }
        Kind::Points => {
            let freeze_id = Id::<kind::Transfer>::from_uuid(hold).to_string();
            let request = ConsumeFrozenPointsRequest { request_id, freeze_id, points: 0 };
            let mut client = PointsServiceClient::new(member);
            let reply = client.consume_frozen_points(request).await.map_err(fault)?.into_inner();
            transfer(reply.posting).map(Some)
        }
    }
}

async fn void(member: Call, tender: &Tender, hold: Uuid) -> Result<(), Fault> {
    let request_id = tender.request_id("free");
    match tender.kind {
        Kind::Value => {
            let payment_id = Id::<kind::ValuePayment>::from_uuid(hold).to_string();
            let request = VoidHoldRequest { request_id, payment_id };
            let mut client = StoredValueServiceClient::new(member);
            client.void_hold(request).await.map_err(fault)?;
        }
        Kind::Points => {
            let freeze_id = Id::<kind::Transfer>::from_uuid(hold).to_string();
            let request = UnfreezePointsRequest { request_id, freeze_id };
            let mut client = PointsServiceClient::new(member);
            client.unfreeze_points(request).await.map_err(fault)?;
        }
    }
    Ok(())
}

fn transfer(posting: Option<PointsPosting>) -> Result<Uuid, Fault> {
    let posting = posting.unwrap_or_default();
    parse::id::<kind::Transfer>("posting.transfer_id", &posting.transfer_id)
        .map(Id::uuid)
        .map_err(Fault::internal)
}
