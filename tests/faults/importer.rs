//! The client is killed.

use siyu_tests::support::{HEAVY, Up, story};

use crate::import::Import;

#[test]
fn an_importer_that_was_killed_goes_on_where_it_was_when_it_is_started_again() {
    story(async {
        let _alone = HEAVY.lock().await;
        let up = Up::start().await;
        let import = Import::prepare(&up.place(), up.folder()).await;
        let mut importer = import.start("first");
        import.until_stored(30).await;
        assert!(importer.is_running(), "it ended before it could be killed");
        importer.kill9();
        let summary = import.end(import.start("second")).await;
        let known = summary["unchanged"].as_u64().unwrap();
        assert!(known >= import.rows * 30 / 100, "what was stored is left alone: {summary}");
        import.assert_undisturbed().await;
        up.stop().await;
    });
}
