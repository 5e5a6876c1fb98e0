//! Work that one process of a cluster does at a time, over a connection of its own.
//!
//! The lock belongs to the very session that does the work. So when a connection breaks, nobody else can take the lock before
//! the server has ended whatever that connection had under way: two leaders never overlap, whatever the network does.

use siyu_pg::Db;
use sqlx::{ConnectOptions, PgConnection};

use crate::store;

/// The lock of the sequencer; one per database. The numbers are arbitrary, but must never change: old and new
/// processes run together while a new version is rolled out.
pub(crate) const SEQUENCER: i64 = 0x51_59_55_01;

/// The lock of the publisher.
pub(crate) const PUBLISHER: i64 = 0x51_59_55_02;

/// Opens a connection outside of the pool, which acts as the job role.
pub(crate) async fn open(db: &Db, job: &str) -> Result<PgConnection, siyu_pg::Error> {
    let mut conn = db.pool().connect_options().connect().await?;
    store::prepare_leader(&mut conn, job).await?;
    Ok(conn)
}
