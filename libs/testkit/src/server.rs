//! One volatile PostgreSQL server per test process.

use siyu_pg::embedded::{Durability, Options, Server};
use tokio::sync::OnceCell;

use crate::scratch;

static SERVER: OnceCell<Server> = OnceCell::const_new();

/// The server of this process, started by the first test that asks for it. It ends with the process.
pub async fn postgres() -> &'static Server {
    SERVER.get_or_init(start).await
}

async fn start() -> Server {
    scratch::remove_left_behind();
    let mut options = Options::new(scratch::of_process("pg"), Durability::Volatile);
    options.pristine_cache = Some(scratch::pristine_cache());
    Server::start(options).await.unwrap_or_else(|err| panic!("no database for tests: {err}"))
}
