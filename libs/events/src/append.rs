//! The only way to publish a fact: a row in the transaction of the change.

use siyu_pg::Tx;

use crate::{NewEvent, store, telemetry};

/// Appends facts of the transaction's merchant, in the order of the slice. They are published if, and only if, the
/// transaction commits.
///
/// The transaction must hold the row lock of each event's subject already: then the log has the changes of one subject in
/// their order. A payload above [`crate::limits::MAX_DATA_BYTES`] violates `event_log_data_check`.
pub async fn append(tx: &mut Tx, events: &[NewEvent]) -> Result<(), siyu_pg::Error> {
    if events.is_empty() {
        return Ok(());
    }
    let merchant = tx.merchant();
    store::log::insert(tx, merchant, &telemetry::trace_parent(), events).await?;
    tx.signal_on_commit();
    Ok(())
}
