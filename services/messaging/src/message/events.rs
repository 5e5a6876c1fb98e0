//! What messages tell.

use chrono::{DateTime, Utc};
use siyu_events::NewEvent;
use siyu_pg::Tx;
use siyu_proto::messaging::v1::MessageMoved;

use super::domain::Message;
use crate::App;

/// Appends what there is to tell of messages that are locked, in the transaction that moves them.
pub async fn publish(
    app: &App,
    tx: &mut Tx,
    told: Vec<Message>,
    now: DateTime<Utc>,
) -> Result<(), siyu_pg::Error> {
    let event = |message: Message| {
        let id = message.id;
        // The words of a channel may tell who it was, and the log of facts forgets nothing.
        let message = Message { failure: String::new(), ..message };
        let fact = MessageMoved { message: Some(message.into()) };
        NewEvent::of(app.ids.uuid(), &id, now, &fact)
    };
    siyu_events::append(tx, &told.into_iter().map(event).collect::<Vec<_>>()).await
}
