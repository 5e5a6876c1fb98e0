//! What is sent and what is written down.

use super::*;
use crate::output::{Colour, Look};

const LOOK: Look = Look { width: 80, colour: Colour::Plain };

#[tokio::test]
async fn a_file_goes_in_whole_and_a_second_time_changes_nothing() {
    let suite = Suite::new(|_| None);
    let first = run(&suite, job(file(95), rejects_file("whole"))).await.unwrap();
    assert_eq!((first.rows, first.orders, first.created), (95, 95, 95));
    assert_eq!((first.rejected_rows, first.rejects_file, first.reconnects), (0, None, 0));
    assert_eq!(suite.batches(), (10, 10), "batches of the size that was asked for");
    let second = run(&suite, job(file(95), rejects_file("whole-2"))).await.unwrap();
    assert_eq!((second.created, second.unchanged), (0, 95));
    assert_eq!(suite.stored().0, 95);
}

#[tokio::test]
async fn every_cdnow_order_arrives() {
    let suite = Suite::new(|_| None);
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/data/cdnow/orders.csv.gz");
    let source = orders_file::open(Path::new(path)).unwrap();
    let job = Job { source, batch: 500, ..job("", rejects_file("cdnow")) };
    let summary = run(&suite, job).await.unwrap();
    assert_eq!(summary.created, 69_659);
    assert_eq!(suite.stored(), (69_659, 250_031_563));
}

#[tokio::test]
async fn a_file_without_orders_needs_no_stream() {
    let suite = Suite::new(|_| None);
    let summary = run(&suite, job(file(0), rejects_file("none"))).await.unwrap();
    assert_eq!((summary.rows, summary.orders, suite.batches().0), (0, 0, 0));
}

#[tokio::test]
async fn a_file_that_is_no_order_file_sends_nothing() {
    let suite = Suite::new(|_| None);
    let error = run(&suite, job(b"\x89PNG\0".to_vec(), rejects_file("png"))).await.unwrap_err();
    assert_eq!(error.to_string(), "orders.csv: this is not a CSV file: it has binary content");
    assert_eq!(suite.batches().0, 0);
}

#[tokio::test]
async fn bad_rows_are_written_down_with_line_column_and_reason_and_stop_nothing() {
    let text = "order_no,buyer_id,paid_at,amount,sku,note\n\
                A,a,2024-01-31,1.00,,x\n\
                B,b,yesterday,2.00,,x\n\
                C,c,2024-01-31,3.00,,x\n\
                C,c,2024-01-31,4.00,bad,\"y, z\"\n\
                D,d,2024-01-31\n\
                E,e,2024-01-31,5.00,,x\n\
                E,e,2024-01-31,-6,,x\n\
                F,f,2024-01-31,7,a, b,x\n";
    let suite = Suite::new(|_| None);
    let rejects = rejects_file("rows");
    let summary = run(&suite, job(text, rejects.clone())).await.unwrap();
    assert_eq!((summary.rows, summary.created, summary.rejected_orders), (8, 2, 1));
    assert_eq!(summary.rejected_rows, 6);
    assert_eq!(summary.rejects_file.as_ref(), Some(&rejects));
    assert_eq!(summary.ignored_columns, ["note"]);
    insta::assert_snapshot!("the_rejects_file", std::fs::read_to_string(&rejects).unwrap());
    let shown = summary.rejects_shown.join("\n");
    insta::assert_snapshot!("the_rejects_in_words", shown);
    std::fs::remove_file(rejects).unwrap();
}

#[tokio::test]
async fn a_mended_rejects_file_completes_the_import() {
    let text = "order_no,buyer_id,paid_at,amount\n\
                A,a,2024-01-31,1\nA,a,2024-01-31,two\nA,a,2024-01-31,3\n";
    let suite = Suite::new(|_| None);
    let rejects = rejects_file("mended");
    run(&suite, job(text, rejects.clone())).await.unwrap();
    assert_eq!(suite.stored(), (2, 400));
    let mended = std::fs::read_to_string(&rejects).unwrap().replace(",two,", ",2,");
    let again = run(&suite, job(mended, rejects_file("mended-2"))).await.unwrap();
    assert_eq!((again.updated, again.rejected_rows), (1, 0));
    assert_eq!(suite.stored(), (3, 600), "line 2 did not become line 1");
    std::fs::remove_file(rejects).unwrap();
}

#[tokio::test]
async fn an_order_whose_lines_are_spread_over_a_file_counts_once() {
    let mut rows: Vec<String> = Vec::new();
    for line in 1..=3 {
        rows.extend((1..=20).map(|n| format!("A{n},{line},b{n},2024-01-31,1")));
    }
    let text = format!("order_no,line_no,buyer_id,paid_at,amount\n{}\n", rows.join("\n"));
    let suite = Suite::new(|_| None);
    let first = run(&suite, job(text.clone(), rejects_file("spread"))).await.unwrap();
    assert_eq!((first.rows, first.orders), (60, 20));
    assert_eq!((first.created, first.updated, first.unchanged), (20, 0, 0));
    let text = format!("{text}A1,4,b1,2024-01-31,1\n");
    let second = run(&suite, job(text, rejects_file("spread-2"))).await.unwrap();
    assert_eq!((second.created, second.updated, second.unchanged), (0, 1, 19));
}

#[tokio::test]
async fn a_row_that_stands_twice_is_another_line_and_is_reported() {
    let text = "order_no,buyer_id,paid_at,amount\n\
                A,a,2024-01-31,1\nB,b,2024-01-31,2\nA,a,2024-01-31,1\nA,a,2024-01-31,3\n";
    let suite = Suite::new(|_| None);
    let summary = run(&suite, job(text, rejects_file("twice"))).await.unwrap();
    assert_eq!((suite.stored(), summary.repeated_rows), ((4, 700), 1));
    assert_eq!(summary.repeats_shown, ["line 4 is line 2 again"]);
    assert!(summary.text(LOOK).contains("Warning: 1 row"), "{}", summary.text(LOOK));
}

#[tokio::test]
async fn rows_that_stand_twice_can_be_kept_out_and_taken_in_later() {
    let text = "order_no,buyer_id,paid_at,amount\nA,a,2024-01-31,1\nA,a,2024-01-31,1\n";
    let suite = Suite::new(|_| None);
    let rejects = rejects_file("kept-out");
    let mut job_of = job(text, rejects.clone());
    job_of.options.repeated_rows = RepeatedRows::Reject;
    let summary = run(&suite, job_of).await.unwrap();
    assert_eq!((suite.stored(), summary.rejected_rows), ((1, 100), 1));
    let meant = std::fs::read_to_string(&rejects).unwrap();
    run(&suite, job(meant, rejects_file("kept-out-2"))).await.unwrap();
    assert_eq!(suite.stored(), (2, 200), "its line_no stands in the rejects file");
    std::fs::remove_file(rejects).unwrap();
}

#[tokio::test]
async fn numbered_lines_that_look_alike_are_no_repeats() {
    let text = "order_no,line_no,buyer_id,paid_at,amount\nA,1,a,2024-01-31,1\nA,2,a,2024-01-31,1\n";
    let suite = Suite::new(|_| None);
    let summary = run(&suite, job(text, rejects_file("alike"))).await.unwrap();
    assert_eq!((suite.stored(), summary.repeated_rows), ((2, 200), 0));
}

#[tokio::test]
async fn rejects_of_an_earlier_run_do_not_survive_a_clean_one() {
    let suite = Suite::new(|_| None);
    let rejects = rejects_file("stale");
    std::fs::write(&rejects, "old").unwrap();
    let summary = run(&suite, job(file(3), rejects.clone())).await.unwrap();
    assert_eq!((summary.rejects_file, rejects.exists()), (None, false));
}

#[test]
fn a_rejects_file_that_cannot_be_written_is_found_before_anything_is_sent() {
    let nowhere = Path::new("/no/such/folder/rejects.csv");
    let error = rejects::check(nowhere).unwrap_err().to_string();
    assert!(error.starts_with("cannot write the rejects file /no/such/folder"), "{error}");
    let somewhere = rejects_file("check");
    rejects::check(&somewhere).unwrap();
    assert!(!somewhere.exists(), "looking leaves nothing behind");
}

#[tokio::test]
async fn an_unknown_status_is_counted_apart() {
    let text = "order_no,buyer_id,paid_at,amount,status\nA,a,2024-01-31,1,martian\n";
    let suite = Suite::new(|_| None);
    let summary = run(&suite, job(text, rejects_file("status"))).await.unwrap();
    assert_eq!((summary.quarantined, summary.rejected_rows), (1, 0));
}

#[test]
fn the_summary_of_an_import_with_everything_in_it() {
    let summary = Summary {
        file: "orders.csv".to_owned(),
        merchant_id: "mch_1".to_owned(),
        merchant: "Demo".to_owned(),
        rows: 69_659,
        orders: 69_640,
        created: 69_000,
        updated: 12,
        unchanged: 600,
        quarantined: 8,
        rejected_orders: 20,
        rejected_rows: 23,
        rejects_file: Some("orders.csv.rejects.csv".into()),
        rejects_shown: vec![
            "line 7: amount: \"12,50\" must be a decimal number like 12.50".to_owned(),
        ],
        reconnects: 2,
        elapsed_ms: 4_210,
        rows_per_second: Some(16_546),
        ..Summary::default()
    };
    insta::assert_snapshot!("the_summary", summary.text(LOOK));
}
