//! Each of the six processes is killed once while orders come in.

use siyu::host::services::Service;
use siyu_tests::support::{HEAVY, Six, story};

use crate::import::Import;

#[test]
fn six_processes_of_which_each_is_killed_once_lose_nothing_and_count_nothing_twice() {
    story(async {
        let _alone = HEAVY.lock().await;
        let mut six = Six::start().await;
        let import = Import::prepare(&six.place(), six.folder()).await;
        let importer = import.start("importer");
        for (service, percent) in Service::ALL.into_iter().zip([15, 25, 35, 45, 55, 65]) {
            import.until_stored(percent).await;
            six.kill9(service);
            six.start_one(service);
            six.wait_for(service).await;
        }
        import.end(importer).await;
        import.assert_undisturbed().await;
        six.stop().await;
    });
}
