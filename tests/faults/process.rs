//! The suite itself is killed, or asked to end, while orders come in.

use siyu_tests::support::{HEAVY, LIMIT, Up, postgres_under, story, until};

use crate::import::Import;

#[test]
fn a_suite_that_was_killed_comes_back_with_everything_and_the_importer_goes_on_by_itself() {
    story(async {
        let _alone = HEAVY.lock().await;
        let mut up = Up::start().await;
        let import = Import::prepare(&up.place(), up.folder()).await;
        let importer = import.start("importer");
        import.until_stored(30).await;
        up.kill9();
        until("PostgreSQL has ended after its owner", LIMIT, async || {
            postgres_under(&up.data_dir()).is_empty().then_some(())
        })
        .await;
        up.start_again().await;
        let summary = import.end(importer).await;
        assert!(summary["reconnects"].as_u64().unwrap() > 0, "{summary}");
        import.assert_undisturbed().await;
        // The file once more: nothing is new.
        let again = import.end(import.start("again")).await;
        assert_eq!(again["unchanged"], import.rows, "{again}");
        import.assert_undisturbed().await;
        up.stop().await;
    });
}

#[test]
fn a_suite_that_is_asked_to_end_during_an_import_ends_in_order_and_the_importer_goes_on_later() {
    story(async {
        let _alone = HEAVY.lock().await;
        let mut up = Up::start().await;
        let import = Import::prepare(&up.place(), up.folder()).await;
        let importer = import.start("importer");
        import.until_stored(30).await;
        up.end().await;
        up.start_again().await;
        import.end(importer).await;
        import.assert_undisturbed().await;
        up.stop().await;
    });
}
