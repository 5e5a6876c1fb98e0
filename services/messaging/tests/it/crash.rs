//! Workers and channels that fail at the worst moment.

use siyu_messaging::limits;
use siyu_proto::messaging::v1::{MessageState as S, *};
use siyu_runtime::Progress;
use siyu_testkit::merchant;

use crate::{
    provider::{Fake, Mood},
    world::World,
};

/// A worker that dies while the provider holds its batch.
async fn die(world: &World, provider: &Fake) {
    tokio::select! {
        _ = world.app.dispatch_once() => panic!("the provider holds it"),
        () = provider.held() => {}
    }
}

/// A campaign to three persons, and a worker that dies with their messages.
async fn orphaned(mood: Mood) -> (World, std::sync::Arc<Fake>, String) {
    let provider = Fake::new(mood);
    let world = World::with(provider.clone()).await;
    world.member.add(merchant(1), 3);
    let campaign_id = world.start(1).await;
    world.prepare().await;
    die(&world, &provider).await;
    provider.set(Mood::Fine);
    (world, provider, campaign_id)
}

async fn assert_all_reached_once(world: &World, provider: &Fake, campaign_id: &str) {
    assert_eq!(provider.sent(), 3);
    let (state, counts) = world.look(campaign_id).await;
    assert_eq!((state, counts.submitted), (CampaignState::Done, 3));
    assert!(world.told().await.values().all(|told| *told == [S::Submitted]));
}

#[tokio::test]
async fn what_a_dead_worker_left_is_handed_over_when_its_lease_has_ended() {
    for (mood, handed) in [(Mood::Before, 1), (Mood::After, 2)] {
        let (world, provider, campaign_id) = orphaned(mood).await;
        world.advance(59);
        assert_eq!(world.app.dispatch_once().await.unwrap(), Progress::Idle);
        assert_eq!(world.look(&campaign_id).await.0, CampaignState::Running);
        world.advance(1);
        world.app.run_until_idle().await.unwrap();
        assert_eq!(provider.most(), handed, "{mood:?}");
        assert_all_reached_once(&world, &provider, &campaign_id).await;
    }
}

#[tokio::test]
async fn a_worker_that_comes_back_late_records_nothing() {
    let provider = Fake::new(Mood::After);
    let world = World::with(provider.clone()).await;
    world.member.add(merchant(1), 3);
    let campaign_id = world.start(1).await;
    world.prepare().await;
    let others = async {
        provider.held().await;
        provider.set(Mood::Lost);
        world.advance(60);
        // The second worker owns the messages now, and has no answer yet.
        world.app.dispatch_once().await.unwrap();
        provider.go();
    };
    let (late, ()) = tokio::join!(world.app.dispatch_once(), others);
    late.unwrap();
    let (state, counts) = world.look(&campaign_id).await;
    assert_eq!((state, counts.queued), (CampaignState::Running, 3));
    assert!(world.told().await.is_empty());
    provider.set(Mood::Fine);
    world.advance(5);
    world.app.run_until_idle().await.unwrap();
    assert_all_reached_once(&world, &provider, &campaign_id).await;
}

#[tokio::test]
async fn a_worker_that_fails_late_takes_nothing_from_another() {
    let provider = Fake::new(Mood::LostLate);
    let world = World::with(provider.clone()).await;
    world.member.add(merchant(1), 3);
    let campaign_id = world.start(1).await;
    world.prepare().await;
    let others = async {
        provider.held().await;
        world.advance(60);
        // The second worker owns the messages for a minute, and dies.
        die(&world, &provider).await;
        provider.go();
    };
    let (late, ()) = tokio::join!(world.app.dispatch_once(), others);
    late.unwrap();
    provider.set(Mood::Fine);
    world.advance(59);
    assert_eq!(world.app.dispatch_once().await.unwrap(), Progress::Idle);
    world.advance(1);
    world.app.run_until_idle().await.unwrap();
    assert_all_reached_once(&world, &provider, &campaign_id).await;
}

#[tokio::test]
async fn a_channel_that_does_not_answer_is_asked_again_later() {
    for mood in [Mood::Lost, Mood::Short] {
        let provider = Fake::new(mood);
        let world = World::with(provider.clone()).await;
        world.member.add(merchant(1), 3);
        let campaign_id = world.start(1).await;
        world.prepare().await;
        assert_eq!(world.app.dispatch_once().await.unwrap(), Progress::Worked);
        assert_eq!(world.app.dispatch_once().await.unwrap(), Progress::Idle);
        assert_eq!(world.look(&campaign_id).await.1.queued, 3);
        provider.set(Mood::Fine);
        world.advance(5);
        world.app.run_until_idle().await.unwrap();
        assert_all_reached_once(&world, &provider, &campaign_id).await;
    }
}

#[tokio::test]
async fn a_channel_that_never_answers_is_given_up() {
    let provider = Fake::new(Mood::Before);
    let world = World::with(provider.clone()).await;
    world.member.add(merchant(1), 3);
    let campaign_id = world.start(1).await;
    world.prepare().await;
    let time = async {
        provider.held().await;
        tokio::time::pause();
        tokio::time::advance(limits::SUBMIT_TIMEOUT).await;
        tokio::time::resume();
    };
    let (dispatched, ()) = tokio::join!(world.app.dispatch_once(), time);
    assert_eq!(dispatched.unwrap(), Progress::Worked);
    assert_eq!((provider.sent(), world.look(&campaign_id).await.1.queued), (0, 3));
}

#[tokio::test]
async fn after_a_cancellation_what_a_dead_worker_left_is_looked_up_and_not_sent() {
    for (mood, submitted) in [(Mood::Before, 0), (Mood::After, 3)] {
        let (world, provider, campaign_id) = orphaned(mood).await;
        world.cancel(1, &campaign_id).await.unwrap();
        world.app.run_until_idle().await.unwrap();
        assert_eq!(world.look(&campaign_id).await.1.queued, 3, "it may still be under way");
        world.advance(60);
        world.app.run_until_idle().await.unwrap();
        let (state, counts) = world.look(&campaign_id).await;
        let wanted =
            MessageCounts { total: 3, submitted, cancelled: 3 - submitted, ..Default::default() };
        assert_eq!((state, counts), (CampaignState::Cancelled, wanted));
        assert_eq!(i64::try_from(provider.sent()).unwrap(), submitted);
        assert_eq!(i64::try_from(world.told().await.len()).unwrap(), submitted);
    }
}
