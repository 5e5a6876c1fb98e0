//! A file with mistakes: what is wrong is told by line, column and reason, and stops nothing; what is no order file at all
//! is refused before anything is stored.

use std::{fs, path::Path};

use serde_json::Value;
use siyu_testkit::Scratch;
use siyu_tests::support::{
    Finished, Merchant, Sheet, assert_same, report, run_siyu, run_until_idle, story, suite,
};

const ROWS: usize = 300;

/// Runs `siyu import orders` for a merchant.
async fn import(merchant: &Merchant, file: &Path, more: &[&str]) -> Finished {
    let file = file.display().to_string();
    let server = format!("http://{}", merchant.place.http);
    let args =
        [&["import", "orders", &file, "--platform", "cdnow", "--json", "--server", &server], more];
    run_siyu(&args.concat(), &[("SIYU_TOKEN", merchant.caller.token())]).await
}

fn sheet() -> Sheet {
    let mut sheet = Sheet::cdnow(200);
    sheet.rows.truncate(ROWS);
    sheet
}

/// The file with three mistakes: a day that is none, a negative amount, a currency that does not exist.
fn with_mistakes(sheet: &Sheet) -> Sheet {
    let mut bad = sheet.clone();
    for (row, good, wrong) in
        [(9, "1997-", "1997-13-"), (99, ",USD,", ",USD,-"), (199, "USD", "XXQ")]
    {
        bad.rows[row] = bad.rows[row].replacen(good, wrong, 1);
        assert_ne!(bad.rows[row], sheet.rows[row]);
    }
    bad
}

#[test]
fn bad_rows_are_told_and_kept_and_stop_nothing_and_can_be_mended() {
    story(async {
        let (scratch, sheet) = (Scratch::new(), sheet());
        let clean = Merchant::open(suite().await, "America/New_York", "USD").await;
        clean.import(&sheet).await;
        let merchant = Merchant::open(suite().await, "America/New_York", "USD").await;
        let file = scratch.path().join("orders.csv");
        fs::write(&file, with_mistakes(&sheet).csv()).unwrap();

        let finished = import(&merchant, &file, &[]).await;
        assert_eq!(finished.code, Some(3), "{finished:?}");
        let summary: Value = serde_json::from_str(&finished.stdout).unwrap();
        assert_eq!((&summary["created"], &summary["rejected_rows"]), (&297.into(), &3.into()));
        let rejects = scratch.path().join("orders.csv.rejects.csv");
        assert_eq!(summary["rejects_file"], rejects.display().to_string());
        let shown: Vec<&str> = summary["rejects_shown"]
            .as_array()
            .unwrap()
            .iter()
            .map(|s| s.as_str().unwrap())
            .collect();
        for (line, (start, what)) in shown.iter().zip([
            ("line 11: paid_at: \"1997-13-", ""),
            ("line 101: amount: \"-", "must not be negative"),
            ("line 201: currency: ", "XXQ"),
        ]) {
            assert!(line.starts_with(start) && line.contains(what), "{shown:#?}");
        }

        // The rejects file, mended, is an order file like any other.
        let text = fs::read_to_string(&rejects).unwrap();
        assert!(text.lines().next().unwrap().contains("reject_line,reject_column,reject_reason"));
        let mended = text
            .replacen("1997-13-", "1997-", 1)
            .replacen(",USD,-", ",USD,", 1)
            .replacen("XXQ", "USD", 1);
        fs::write(&file, mended).unwrap();
        let finished = import(&merchant, &file, &[]).await;
        assert_eq!(finished.code, Some(0), "{finished:?}");
        run_until_idle(&merchant.place).await;
        assert_same("the report", &report(&merchant).await, &report(&clean).await);
    });
}

#[test]
fn what_is_no_order_file_is_refused_with_a_reason_and_nothing_is_stored() {
    story(async {
        let scratch = Scratch::new();
        let merchant = Merchant::open(suite().await, "America/New_York", "USD").await;
        let png = [b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".as_slice(), &[0; 64]].concat();
        // A gzip header, and nothing in it that could be unpacked.
        let broken_gzip = [b"\x1f\x8b\x08\0\0\0\0\0\0\x03".as_slice(), &[0xff; 200]].concat();
        let cases: [(&str, &[u8], &str); 6] = [
            ("picture.csv", &png, "not a CSV file"),
            ("packed.csv.gz", &broken_gzip, "cannot be read"),
            ("book.xlsx", b"PK\x03\x04\x14\0\x06\0", "Excel"),
            ("empty.csv", b"", "empty"),
            ("columns.csv", b"number,name\n1,2\n", "order_no"),
            ("words.csv", b"Dear customers,\nthis is a letter.\n", "order_no"),
        ];
        for (name, bytes, words) in cases {
            let file = scratch.path().join(name);
            fs::write(&file, bytes).unwrap();
            let finished = import(&merchant, &file, &[]).await;
            assert_eq!(finished.code, Some(1), "{name}: {finished:?}");
            assert!(finished.stderr.contains(words), "{name}: {finished:?}");
            assert!(finished.stderr.contains(name), "{name}: {finished:?}");
        }
        assert_eq!(merchant.count("/v1/orders", "orders").await, 0);
        assert_eq!(merchant.count("/v1/persons", "persons").await, 0);
    });
}

#[test]
fn a_file_of_another_merchant_is_not_imported_by_mistake() {
    story(async {
        let scratch = Scratch::new();
        let merchant = Merchant::open(suite().await, "America/New_York", "USD").await;
        let file = scratch.path().join("orders.csv");
        fs::write(&file, sheet().csv()).unwrap();
        let other = merchant.record.id.replacen('0', "1", 1);
        let finished = import(&merchant, &file, &["--merchant", &other]).await;
        assert_eq!(finished.code, Some(2), "{finished:?}");
        assert!(finished.stderr.contains(&other), "{finished:?}");
        let server = format!("http://{}", merchant.place.http);
        let path = file.display().to_string();
        let args = ["import", "orders", &path, "--server", &server];
        let finished = run_siyu(&args, &[("SIYU_TOKEN", "syt_nobody")]).await;
        assert_eq!(finished.code, Some(4), "{finished:?}");
        assert_eq!(merchant.count("/v1/orders", "orders").await, 0);
    });
}
