//! `siyu demo --once`, twice on one directory: the first look that a person has. What it leaves is the suite whose figures
//! `truth` looks at.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::Path,
};

use serde_json::Value;
use siyu::host::suite::{Options, Suite};
use siyu_pg::embedded::Durability;
use siyu_proto::member::v1::GetMerchantRequest;
use siyu_testkit::Scratch;
use siyu_tests::support::{
    Caller, Databases, Finished, HEAVY, Merchant, Place, ask, postgres_under, run_siyu, story,
};
use tokio::sync::OnceCell;

static DEMO: OnceCell<Demo> = OnceCell::const_new();

/// Two runs of the demo, and a suite on what they left.
pub(crate) struct Demo {
    first: Run,
    second: Run,
    pub(crate) merchant: Merchant,
    _suite: Suite,
    _scratch: Scratch,
}

struct Run {
    finished: Finished,
    left: Vec<u32>,
}

/// The demo, run by the first story that asks for it.
pub(crate) async fn demo() -> &'static Demo {
    DEMO.get_or_init(async || {
        let _alone = HEAVY.lock().await;
        let scratch = Scratch::new();
        let data_dir = scratch.path().join("demo");
        let (first, second) = (run(&data_dir).await, run(&data_dir).await);
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let durability = Durability::Volatile;
        let options = Options { data_dir: data_dir.clone(), grpc: any, http: any, durability };
        let suite = Suite::start(options).await.expect("what the demo left can be served");
        let operator = suite.operator_token().to_owned();
        let place = Place { http: suite.http(), operator, databases: Databases::under(&data_dir) };
        let token = std::fs::read_to_string(data_dir.join("demo.token"));
        let token = token.expect("the demo kept its token");
        let client = Caller::new(place.http, &token).await;
        let merchants = client.client().merchants();
        let reply =
            ask(GetMerchantRequest {}, async |q| merchants.clone().get_merchant(q).await).await;
        let merchant = Merchant::known(&place, reply.merchant.unwrap(), &token).await;
        Demo { first, second, merchant, _suite: suite, _scratch: scratch }
    })
    .await
}

async fn run(data_dir: &Path) -> Run {
    let data = data_dir.display().to_string();
    let any = "127.0.0.1:0";
    let args = ["demo", "--once", "--json", "--data-dir", &data, "--grpc", any, "--http", any];
    let finished = run_siyu(&args, &[]).await;
    assert_eq!(finished.code, Some(0), "{finished:?}");
    Run { finished, left: postgres_under(data_dir) }
}

#[test]
fn a_second_demo_imports_nothing_and_prints_the_same_object() {
    story(async {
        let demo = demo().await;
        let (first, second) = (&demo.first.finished, &demo.second.finished);
        let object = |run: &Finished| serde_json::from_str::<Value>(&run.stdout).unwrap();
        assert_eq!(object(first)["gmv_minor"], 250_031_563);
        assert_eq!(first.stdout, second.stdout);
        assert!(first.stderr.contains("created      69,659"), "{}", first.stderr);
        assert!(second.stderr.contains("nothing to import"), "{}", second.stderr);
        assert!(!second.stderr.contains("Imported"), "{}", second.stderr);
    });
}

#[test]
fn a_demo_leaves_no_process_behind() {
    story(async {
        let demo = demo().await;
        assert_eq!((&demo.first.left, &demo.second.left), (&vec![], &vec![]));
    });
}

#[test]
fn a_demo_says_nothing_that_sounds_like_a_mistake() {
    story(async {
        let demo = demo().await;
        for run in [&demo.first.finished, &demo.second.finished] {
            let stderr = &run.stderr;
            assert!(!stderr.contains("WARN") && !stderr.contains("ERROR"), "{stderr}");
        }
    });
}
