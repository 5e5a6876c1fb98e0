//! The suite that the stories of a process share: each opens a merchant of its own in it, as merchants share an
//! installation.

use std::net::{Ipv4Addr, SocketAddr};

use siyu::host::suite::{Options, Suite};
use siyu_pg::embedded::Durability;
use siyu_testkit::Scratch;
use tokio::sync::OnceCell;

use super::place::{Databases, Place};

static SUITE: OnceCell<(Place, Suite, Scratch)> = OnceCell::const_new();

/// The suite in one process, started by the first story that asks for it. It ends with the process.
pub async fn suite() -> &'static Place {
    let (place, _, _) = SUITE
        .get_or_init(async || {
            let scratch = Scratch::new();
            let data_dir = scratch.path().join("suite");
            let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
            let durability = Durability::Volatile;
            let options = Options { data_dir: data_dir.clone(), grpc: any, http: any, durability };
            let suite = Suite::start(options).await;
            let suite = suite.unwrap_or_else(|failure| panic!("no suite for stories: {failure}"));
            let operator = suite.operator_token().to_owned();
            let place =
                Place { http: suite.http(), operator, databases: Databases::under(&data_dir) };
            (place, suite, scratch)
        })
        .await;
    place
}
