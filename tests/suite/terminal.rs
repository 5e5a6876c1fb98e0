//! What a merchant does from a terminal: the program says what the API says, in JSON for scripts, with exit codes that mean
//! something.

use std::fs;

use serde_json::Value;
use siyu_testkit::Scratch;
use siyu_tests::support::{
    Finished, Place, Sheet, assert_same, free_addr, reference, report, run_siyu, run_until_idle,
    story, suite,
};

async fn siyu(place: &Place, token: &str, args: &[&str]) -> Finished {
    let server = format!("http://{}", place.http);
    run_siyu(args, &[("SIYU_TOKEN", token), ("SIYU_SERVER", &server)]).await
}

fn object(finished: &Finished) -> Value {
    assert_eq!(finished.code, Some(0), "{finished:?}");
    serde_json::from_str(&finished.stdout).unwrap_or_else(|error| panic!("{error}: {finished:?}"))
}

#[test]
fn a_merchant_is_opened_filled_reported_and_checked_from_a_terminal() {
    story(async {
        let (place, scratch) = (suite().await, Scratch::new());
        let args = ["merchant", "create", "--name", "Blue", "--zone", "America/New_York"];
        let args = [&args[..], &["--currency", "USD", "--json"]].concat();
        let opened = object(&siyu(place, &place.operator, &args).await);
        let token = opened["token"].as_str().unwrap();
        let file = scratch.path().join("orders.csv");
        let sheet = Sheet::cdnow(150);
        fs::write(&file, sheet.csv()).unwrap();
        let path = file.display().to_string();
        let args = ["import", "orders", &path, "--platform", "cdnow", "--json"];
        let summary = object(&siyu(place, token, &args).await);
        assert_eq!(summary["created"], sheet.rows.len(), "{summary}");
        assert_eq!(summary["merchant_id"], opened["merchant_id"]);
        run_until_idle(place).await;

        let report = object(&siyu(place, token, &["report", "--json"]).await);
        assert_eq!(report["orders"], sheet.rows.len());
        assert_eq!((&report["merchant"], &report["consistent"]), (&"Blue".into(), &true.into()));
        let checked = object(&siyu(place, token, &["ledger", "check", "--json"]).await);
        assert_eq!(checked["sound"], true, "{checked}");
        let services: Vec<&Value> =
            checked["ledgers"].as_array().unwrap().iter().map(|l| &l["service"]).collect();
        assert_eq!(services, ["member", "order", "distribution"]);
        assert_eq!(checked["stock"]["findings"], Value::Array(Vec::new()), "{checked}");
        let rebuilt = object(&siyu(place, token, &["metrics", "rebuild", "--json"]).await);
        assert_eq!(
            (&rebuilt["equal"], &rebuilt["facts"]),
            (&true.into(), &sheet.rows.len().into())
        );
    });
}

#[test]
fn the_report_of_the_program_is_the_report_of_the_api() {
    story(async {
        let merchant = &reference().await.merchant;
        let finished = siyu(&merchant.place, merchant.caller.token(), &["report", "--json"]).await;
        let mut printed = object(&finished);
        for name in ["merchant", "merchant_id", "facts_version"] {
            printed.as_object_mut().unwrap().remove(name);
        }
        assert_same("the report", &printed, &report(merchant).await);
        let args = ["report", "--json", "--from", "1997-03-01", "--to", "1997-04-01"];
        let march = object(&siyu(&merchant.place, merchant.caller.token(), &args).await);
        assert_eq!(march["months"].as_array().unwrap().len(), 1);
        let of_year = printed["months"].as_array().unwrap();
        assert_eq!(march["months"][0], of_year[2], "a month is the same in every window");
    });
}

#[test]
fn exit_codes_say_what_went_wrong() {
    story(async {
        let place = suite().await;
        let merchant = &reference().await.merchant;
        let token = merchant.caller.token();
        let nowhere = Place { http: free_addr(), ..place.clone() };
        let cases: [(&Place, &str, &[&str], i32, &str); 6] = [
            (place, token, &["report", "--from", "1998-01-01", "--to", "1997-01-01"], 2, "--to"),
            (place, token, &["report", "--from", "yesterday"], 2, "--from"),
            (place, "syt_nobody", &["report"], 4, "SIYU_TOKEN"),
            (&nowhere, token, &["report"], 4, "siyu up"),
            (place, token, &["import", "orders", "/nowhere.csv"], 1, "/nowhere.csv"),
            (
                place,
                token,
                &["merchant", "create", "--name", "n", "--zone", "UTC", "--currency", "USD"],
                4,
                "SIYU_TOKEN",
            ),
        ];
        for (place, token, args, code, words) in cases {
            let finished = siyu(place, token, args).await;
            assert_eq!(finished.code, Some(code), "{args:?}: {finished:?}");
            assert!(finished.stderr.contains(words), "{args:?}: {finished:?}");
            assert_eq!(finished.stdout, "", "{args:?}");
        }
    });
}
