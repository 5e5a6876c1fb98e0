//! The jobs as tasks of a process.

use std::time::Duration;

use siyu_proto::messaging::v1::*;
use siyu_runtime::{Policy, Tasks};
use siyu_testkit::merchant;

use crate::world::World;

#[tokio::test]
async fn tasks_bring_a_campaign_to_its_end_and_stop_when_they_are_told() {
    let world = World::new().await;
    world.member.add(merchant(1), 700);
    let tasks = Tasks::new();
    for job in world.app.jobs() {
        tasks.spawn(job.name(), Policy::Shutdown, move |cancel| job.clone().run(cancel));
    }
    let sequencer = world.app.log().sequencer();
    tasks.spawn("messaging.sequencer", Policy::Shutdown, move |c| sequencer.clone().run(c));
    let campaign_id = world.start(1).await;
    let mut position = 0;
    while world.look(&campaign_id).await.1.submitted > 0 || position == 0 {
        let wait = Duration::from_secs(10);
        let run = tokio::select! {
            run = world.app.log().read_or_wait(position, 5000, wait) => run.unwrap(),
            failure = tasks.failure() => panic!("{failure}"),
        };
        let last = run.events.last().map(|event| event.position);
        assert!(last.is_some() || run.head > position, "facts come within the time");
        position = last.unwrap_or(position);
    }
    let mut names = tasks.running();
    names.sort();
    let wanted = ["dispatch", "prepare", "receive", "sequencer"].map(|n| format!("messaging.{n}"));
    assert_eq!(names, wanted);
    let report = tasks.shutdown(Duration::from_secs(10)).await;
    assert_eq!((report.failure, report.aborted), (None, vec![]));
    world.app.run_until_idle().await.unwrap();
    let (state, counts) = world.look(&campaign_id).await;
    assert_eq!((state, counts.total, counts.queued), (CampaignState::Done, 700, 0));
}
