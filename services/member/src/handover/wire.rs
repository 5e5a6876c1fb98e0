//! Hand-overs in the words of the contract.

use siyu_grpc::parse::timestamp;
use siyu_proto::member::v1 as proto;

use super::domain::{Failure, Handover, Kind, State};

impl Kind {
    /// Reads a value of the contract.
    pub fn read(value: i32) -> Option<Self> {
        Some(match proto::HandoverKind::try_from(value).ok()? {
            proto::HandoverKind::Unspecified | proto::HandoverKind::OnJob => Self::OnJob,
            proto::HandoverKind::Resigned => Self::Resigned,
        })
    }
}

impl State {
    /// Reads a value of the contract.
    pub fn read(value: i32) -> Option<Self> {
        match proto::HandoverState::try_from(value).ok()? {
            proto::HandoverState::Unspecified => None,
            proto::HandoverState::Requested => Some(Self::Requested),
            proto::HandoverState::Waiting => Some(Self::Waiting),
            proto::HandoverState::Done => Some(Self::Done),
            proto::HandoverState::Refused => Some(Self::Refused),
            proto::HandoverState::Failed => Some(Self::Failed),
        }
    }
}

impl From<Handover> for proto::Handover {
    fn from(handover: Handover) -> Self {
        use proto::{HandoverFailure as F, HandoverKind as K, HandoverState as S};
        let kind = match handover.kind {
            Kind::OnJob => K::OnJob,
            Kind::Resigned => K::Resigned,
        };
        let state = match handover.state {
            State::Requested => S::Requested,
            State::Waiting => S::Waiting,
            State::Done => S::Done,
            State::Refused => S::Refused,
            State::Failed => S::Failed,
        };
        let failure = match handover.failure {
            Failure::None => F::Unspecified,
            Failure::CustomerLimit => F::CustomerLimit,
            Failure::NotOwner => F::NotOwner,
            Failure::UnderWay => F::UnderWay,
            Failure::Unanswered => F::Unanswered,
            Failure::OwnerChanged => F::OwnerChanged,
            Failure::StaffLimit => F::StaffLimit,
            Failure::Platform => F::Platform,
        };
        Self {
            id: handover.id.to_string(),
            person_id: handover.person_id.to_string(),
            from_staff_id: handover.from_staff_id.to_string(),
            to_staff_id: handover.to_staff_id.to_string(),
            to_store_id: handover.to_store_id.map(|id| id.to_string()).unwrap_or_default(),
            kind: kind.into(),
            state: state.into(),
            failure: failure.into(),
            message: handover.message,
            request_time: Some(timestamp(handover.requested_at)),
            accept_time: handover.accepted_at.map(timestamp),
            due_time: handover.due_at.map(timestamp),
            end_time: handover.ended_at.map(timestamp),
        }
    }
}
