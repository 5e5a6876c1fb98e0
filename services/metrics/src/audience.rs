//! Who is connected, who was reached, who brought whom: facts of members, messages and bindings, by person and instant.

pub mod events;
pub mod store;

use siyu_events::HandlerError;
use siyu_grpc::parse;
use siyu_pg::Tx;
use siyu_proto::member::v1::{Connection, ConnectionState};

use crate::{fact, merchant};

/// Keeps that a person connected to a channel account or left it.
pub async fn keep_connection(tx: &mut Tx, told: &Connection) -> Result<(), HandlerError> {
    let person_id = parse::id("person_id", &told.person_id).map_err(HandlerError::park)?;
    let time =
        told.state_time.ok_or_else(|| HandlerError::park("a connection without its time"))?;
    let at = parse::instant("state_time", time).map_err(HandlerError::park)?;
    merchant::lock_told(tx).await?;
    let person = fact::store::numbers(tx, &[person_id]).await?[&person_id];
    let edge = store::Edge {
        person: fact::column(person),
        channel: &told.channel,
        account_id: &told.account_id,
    };
    match told.state() {
        ConnectionState::Connected => store::connect(tx, &edge, at).await?,
        ConnectionState::Disconnected => store::disconnect(tx, &edge, at).await?,
        ConnectionState::Unspecified => {}
    }
    Ok(())
}
