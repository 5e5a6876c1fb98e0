//! What channels say of messages, whoever brings it: the RPC, or the sandbox.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use siyu_grpc::parse;
use siyu_kernel::Fault;
use siyu_pg::Tx;
use siyu_proto::messaging::v1 as proto;

use super::{
    domain::{Message, MessageId, State, Step},
    events, store,
};
use crate::App;

/// What a channel says of one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The channel's own id; counts once.
    pub id: String,
    /// The message.
    pub message_id: MessageId,
    /// What was reached.
    pub step: Step,
}

impl Receipt {
    /// Reads a receipt at a path of a request.
    ///
    /// # Errors
    /// A fault that names the field.
    pub fn read(path: &str, receipt: &proto::Receipt, now: DateTime<Utc>) -> Result<Self, Fault> {
        let field = |name: &str| format!("{path}.{name}");
        let state =
            State::read(receipt.state).filter(|state| state.is_reported()).ok_or_else(|| {
                Fault::field(field("state"), "must be sent, delivered, read, clicked or failed")
            })?;
        let at = parse::optional_instant(&field("occur_time"), receipt.occur_time)?;
        let at = at.ok_or_else(|| Fault::field(field("occur_time"), "is required"))?.min(now);
        Ok(Self {
            id: receipt.receipt_id.clone(),
            message_id: parse::id(&field("message_id"), &receipt.message_id)?,
            step: Step { state, at, failure: receipt.failure.clone() },
        })
    }
}

/// Takes receipts in; returns how many moved a message.
///
/// Those of one batch are read as one report: each message goes through them in the order of its life.
pub async fn take(
    app: &App,
    tx: &mut Tx,
    receipts: &[Receipt],
    now: DateTime<Utc>,
) -> Result<usize, siyu_pg::Error> {
    let ids: BTreeSet<MessageId> = receipts.iter().map(|receipt| receipt.message_id).collect();
    let known = store::lock(tx, &ids.into_iter().collect::<Vec<_>>()).await?;
    let mut known: HashMap<MessageId, Message> = known.into_iter().map(|m| (m.id, m)).collect();
    let mut fresh = fresh(tx, receipts, &known, now).await?;
    fresh.sort_by_key(|receipt| receipt.step.state.rank());
    let (mut applied, mut moved, mut told) = (0, BTreeSet::new(), Vec::new());
    for receipt in fresh {
        let message = known.get_mut(&receipt.message_id).expect("fresh receipts are of known ones");
        if let Some(reached) = message.take(&receipt.step) {
            applied += 1;
            moved.insert(receipt.message_id);
            told.extend(reached);
        }
    }
    let moved: Vec<&Message> = moved.iter().map(|id| &known[id]).collect();
    store::save(tx, &moved).await?;
    events::publish(app, tx, told, now).await?;
    Ok(applied)
}

/// The receipts of known messages whose ids never came before; of several with one id, the first.
async fn fresh<'a>(
    tx: &mut Tx,
    receipts: &'a [Receipt],
    known: &HashMap<MessageId, Message>,
    now: DateTime<Utc>,
) -> Result<Vec<&'a Receipt>, siyu_pg::Error> {
    let mut by_key: BTreeMap<(&str, &str), &'a Receipt> = BTreeMap::new();
    for receipt in receipts {
        if let Some(message) = known.get(&receipt.message_id) {
            by_key.entry((&message.channel, &receipt.id)).or_insert(receipt);
        }
    }
    // In the order of their keys, so that two batches never wait for each other.
    let rows: Vec<(&str, &Receipt)> =
        by_key.iter().map(|(key, receipt)| (key.0, *receipt)).collect();
    let new = store::insert_receipts(tx, &rows, now).await?;
    let is_new = |channel: &str, id: &str| new.contains(&(channel.to_owned(), id.to_owned()));
    Ok(by_key.into_iter().filter(|(key, _)| is_new(key.0, key.1)).map(|(_, r)| r).collect())
}
