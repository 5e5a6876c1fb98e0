//! PostgreSQL is killed under the suite.

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use siyu_tests::support::{HEAVY, LIMIT, Up, story, until};

use crate::import::Import;

#[test]
fn a_database_that_is_killed_twice_during_an_import_loses_nothing() {
    story(async {
        let _alone = HEAVY.lock().await;
        let mut up = Up::start().await;
        let import = Import::prepare(&up.place(), up.folder()).await;
        let importer = import.start("importer");
        for percent in [25, 55] {
            import.until_stored(percent).await;
            let killed = up.postgres().unwrap();
            kill(Pid::from_raw(killed.try_into().unwrap()), Signal::SIGKILL).unwrap();
            until("another PostgreSQL runs", LIMIT, async || {
                up.postgres().filter(|found| *found != killed)
            })
            .await;
        }
        import.end(importer).await;
        assert!(up.is_running(), "the suite went on");
        import.assert_undisturbed().await;
        up.stop().await;
    });
}
