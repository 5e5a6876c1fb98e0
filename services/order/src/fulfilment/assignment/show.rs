//! Assignments as the contract shows them.

use siyu_grpc::parse::timestamp;
use siyu_kernel::Fault;
use siyu_pg::Tx;
use siyu_proto::order::v1 as proto;

use super::{Assignment, State, part, store};
use crate::order::domain::OrderId;

/// The parts of an order that are not withdrawn.
pub(crate) async fn standing(tx: &mut Tx, order: OrderId) -> Result<Vec<proto::Assignment>, Fault> {
    let mut parts = store::list(tx, order).await?;
    parts.retain(|part| part.state != State::Withdrawn);
    all(tx, &parts).await
}

/// Assignments with what belongs to them.
pub(crate) async fn all(
    tx: &mut Tx,
    assignments: &[Assignment],
) -> Result<Vec<proto::Assignment>, Fault> {
    let keys: Vec<(OrderId, i32)> =
        assignments.iter().map(|one| (one.order_id, one.part)).collect();
    let lines = part::store::of_many(tx, &keys).await?;
    let of = |assignment: &Assignment| {
        let own = lines.iter().filter(|(order, part, ..)| {
            *order == assignment.order_id.uuid() && *part == assignment.part
        });
        let line = |&(_, _, line_no, quantity): &(_, _, i32, i64)| proto::FulfilmentLine {
            line_no,
            quantity,
        };
        show(assignment, own.map(line).collect())
    };
    Ok(assignments.iter().map(of).collect())
}

/// One assignment with what belongs to it.
pub(crate) async fn one(tx: &mut Tx, assignment: &Assignment) -> Result<proto::Assignment, Fault> {
    let lines = part::store::lines(tx, (assignment.order_id, assignment.part)).await?;
    let line = |(line_no, quantity)| proto::FulfilmentLine { line_no, quantity };
    Ok(show(assignment, lines.into_iter().map(line).collect()))
}

fn show(assignment: &Assignment, lines: Vec<proto::FulfilmentLine>) -> proto::Assignment {
    proto::Assignment {
        order_id: assignment.order_id.to_string(),
        part: assignment.part,
        state: proto::AssignmentState::from(assignment.state).into(),
        turn: assignment.turn,
        store_id: assignment.store_id.map(|id| id.to_string()).unwrap_or_default(),
        location_code: assignment.location.clone(),
        lines,
        candidate_store_ids: assignment.candidates.iter().map(ToString::to_string).collect(),
        expire_time: assignment.expires_at.map(timestamp),
        update_time: Some(timestamp(assignment.updated_at)),
    }
}

impl State {
    /// The state that a contract's value names; `None` for "not given".
    pub const fn of_proto(state: proto::AssignmentState) -> Option<Self> {
        Some(match state {
            proto::AssignmentState::Unspecified => return None,
            proto::AssignmentState::Offered => Self::Offered,
            proto::AssignmentState::Accepted => Self::Accepted,
            proto::AssignmentState::Headquarters => Self::Headquarters,
            proto::AssignmentState::Done => Self::Done,
            proto::AssignmentState::Withdrawn => Self::Withdrawn,
        })
    }
}

impl From<State> for proto::AssignmentState {
    fn from(state: State) -> Self {
        match state {
            State::Offered => Self::Offered,
            State::Accepted => Self::Accepted,
            State::Headquarters => Self::Headquarters,
            State::Done => Self::Done,
            State::Withdrawn => Self::Withdrawn,
        }
    }
}
