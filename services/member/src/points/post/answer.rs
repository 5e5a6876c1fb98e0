//! What became of changes, in the words of the contract; repeats are told from other requests here.

use std::collections::HashMap;

use siyu_grpc::parse::timestamp;
use siyu_kernel::Fault;
use siyu_ledger::{Failure, Outcome, Posted as Entry, Record, TransferId};
use siyu_pg::Tx;
use siyu_proto::member::v1::PointsPosting;

use crate::points::{
    Error,
    command::{Change, Command},
    store,
};

/// Whether one of the changes with this id was made now.
pub(super) fn is_created(
    id: TransferId,
    commands: &[&Command],
    outcomes: &[Result<Outcome, Fault>],
) -> bool {
    let of = commands.iter().zip(outcomes).filter(|(command, _)| command.id == id);
    of.into_iter().any(|(_, outcome)| matches!(outcome, Ok(Outcome::Created(_))))
}

/// The transfers that stand under the ids of changes that differ from them: of a repeat, where the times that the rules gave
/// moved on meanwhile, or of another request.
pub(super) async fn earlier(
    tx: &mut Tx,
    commands: &[&Command],
    outcomes: &[Result<Outcome, Fault>],
) -> Result<HashMap<TransferId, Record>, Fault> {
    let differs = |outcome: &Result<Outcome, Fault>| {
        matches!(outcome, Ok(Outcome::Failed(Failure::ExistsWithDifferent { .. })))
    };
    let both = commands.iter().zip(outcomes);
    let ids: Vec<TransferId> =
        both.filter(|(_, outcome)| differs(outcome)).map(|(command, _)| command.id).collect();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    Ok(siyu_ledger::transfers(tx, &ids).await?)
}

/// Keeps what was said about the changes that were made now.
pub(super) async fn keep_notes(
    tx: &mut Tx,
    commands: &[&Command],
    outcomes: &[Result<Outcome, Fault>],
) -> Result<(), Fault> {
    let both = commands.iter().zip(outcomes);
    let said = both.filter(|(command, outcome)| {
        let note = &command.note;
        let is_empty = note.action.is_empty() && note.reason.is_empty();
        matches!(outcome, Ok(Outcome::Created(_))) && !is_empty
    });
    let notes: Vec<_> = said.map(|(command, _)| (command.id, &command.note)).collect();
    if !notes.is_empty() {
        store::insert_notes(tx, &notes).await?;
    }
    Ok(())
}

/// What the caller is told.
pub(super) fn answer(
    command: &Command,
    outcome: Outcome,
    earlier: &HashMap<TransferId, Record>,
) -> Result<PointsPosting, Fault> {
    let entry = match outcome {
        Outcome::Created(entry) | Outcome::Exists(entry) => entry,
        Outcome::Failed(Failure::ExistsWithDifferent { .. }) => {
            let record = earlier.get(&command.id);
            let record = record.filter(|record| record.user_data == command.fingerprint);
            Entry::from(record.ok_or(Error::RequestIdReused)?)
        }
        Outcome::Failed(failure) => return Err(failure.into()),
    };
    let balance_after = match command.change {
        Change::Grant { .. } | Change::Revert { .. } => entry.credit_balance,
        Change::Adjust { points, .. } if points > 0 => entry.credit_balance,
        Change::Spend { .. }
        | Change::Freeze { .. }
        | Change::Consume { .. }
        | Change::Unfreeze { .. }
        | Change::Adjust { .. } => entry.debit_balance,
    };
    Ok(PointsPosting {
        transfer_id: command.id.to_string(),
        points: entry.amount,
        balance_after,
        post_time: Some(timestamp(entry.posted_at)),
    })
}
