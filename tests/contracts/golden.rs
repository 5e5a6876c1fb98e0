//! What callers, operators and other versions of the suite rely on, as texts that change only on purpose: a change here is
//! looked at in review. `INSTA_UPDATE=always cargo test -p siyu-tests --test contracts golden` writes them anew.

use std::{collections::BTreeSet, fmt::Write as _};

use siyu::host::{config::Config, services::Service};
use siyu_messaging::{
    campaign::domain::{Event as CampaignEvent, State as CampaignState},
    message::domain::State as MessageState,
};
use siyu_order::order::domain::State as OrderState;
use siyu_proto::order::v1::OrderState as WireState;

use crate::{files, methods, reasons, rust, schema};

#[test]
fn methods_with_who_may_call_them() {
    let mut text = String::new();
    for method in methods::all() {
        let stream = if method.rule.is_stream { " stream" } else { "" };
        let access = format!("{} {}", methods::audience(&method), method.scope());
        writeln!(text, "{}\n    {access}, {}{stream}", method.path(), methods::repeat(&method))
            .unwrap();
    }
    insta::assert_snapshot!(text);
}

#[test]
fn routes_of_rest() {
    let mut routes: Vec<String> = methods::all()
        .iter()
        .filter_map(|method| {
            let (verb, route, _) = method.http.as_ref()?;
            Some(format!("{route} {verb} {}", method.rule.method))
        })
        .collect();
    routes.sort();
    insta::assert_snapshot!(routes.join("\n"));
}

#[test]
fn reasons_of_errors() {
    let line = |(reason, packages): (String, BTreeSet<&str>)| {
        format!("{reason}: {}", packages.into_iter().collect::<Vec<_>>().join(", "))
    };
    insta::assert_snapshot!(reasons::all().into_iter().map(line).collect::<Vec<_>>().join("\n"));
}

#[test]
fn states_of_orders() {
    let mut text = String::new();
    for value in 1..=7 {
        let state = OrderState::of_proto(WireState::try_from(value).unwrap()).unwrap();
        let counts = if state.counts() { "a sale" } else { "no sale" };
        writeln!(text, "{value} {}: {counts}", state.as_str()).unwrap();
    }
    insta::assert_snapshot!(text);
}

#[test]
fn states_of_campaigns() {
    use CampaignEvent::{Cancel, Frozen, Settled, Start};
    use CampaignState::{Cancelled, Done, Draft, Preparing, Running};
    let mut text = String::new();
    for state in [Draft, Preparing, Running, Done, Cancelled] {
        for event in [Start, Frozen, Settled, Cancel] {
            let next = match state.on(event) {
                Ok(next) => next.as_str().to_owned(),
                Err(error) => format!("refused, {error}"),
            };
            writeln!(text, "{} and {event:?}: {next}", state.as_str()).unwrap();
        }
    }
    insta::assert_snapshot!(text);
}

#[test]
fn states_of_messages() {
    let mut text = String::new();
    for state in MessageState::ALL {
        let reported = if state.is_reported() { ", told by channels" } else { "" };
        writeln!(text, "{} {}{reported}", state.rank(), state.as_str()).unwrap();
        for later in MessageState::ALL {
            let told: Vec<&str> = state.told(later).map(MessageState::as_str).collect();
            if !told.is_empty() {
                writeln!(text, "    then {}: {}", later.as_str(), told.join(", ")).unwrap();
            }
        }
    }
    insta::assert_snapshot!(text);
}

#[test]
fn configuration_as_it_is_when_nobody_sets_anything() {
    insta::assert_snapshot!(siyu_runtime::config::effective(&Config::default()));
}

#[test]
fn names_of_telemetry() {
    const KINDS: [&str; 8] = [
        "u64_counter",
        "f64_counter",
        "i64_up_down_counter",
        "u64_histogram",
        "f64_histogram",
        "u64_gauge",
        "i64_gauge",
        "f64_gauge",
    ];
    let mut names = BTreeSet::new();
    for file in files::ending(".rs").filter(|file| file.path.contains("/src/")) {
        for three in rust::code(&file.text).windows(3) {
            let kind = KINDS.iter().find(|kind| three[0].is_word(kind));
            if let (Some(kind), Some(name)) = (kind, three[2].text()) {
                names.insert(format!("{name}: {kind}"));
            }
        }
    }
    assert!(names.iter().any(|name| name.starts_with("siyu.events.lag")), "{names:?}");
    insta::assert_snapshot!(names.into_iter().collect::<Vec<_>>().join("\n"));
}

#[tokio::test]
async fn schemas_of_the_databases() {
    for service in Service::ALL {
        let name = format!("schema_of_{}", service.name());
        insta::assert_snapshot!(name, schema::of(service).await);
    }
}
