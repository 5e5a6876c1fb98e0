//! Cancellations in the middle of everything.

use siyu_proto::messaging::v1::{MessageState as S, *};
use siyu_runtime::Progress;
use siyu_testkit::merchant;

use crate::{
    provider::{Fake, Mood},
    world::{World, receipt},
};

#[tokio::test]
async fn what_is_under_way_arrives_and_the_rest_is_withdrawn() {
    let provider = Fake::new(Mood::Before);
    let world = World::with(provider.clone()).await;
    world.member.add(merchant(1), 1200);
    let campaign_id = world.start(1).await;
    world.prepare().await;
    let others = async {
        provider.held().await;
        assert_eq!(world.cancel(1, &campaign_id).await.unwrap().state(), CampaignState::Cancelled);
        world.app.run_until_idle().await.unwrap();
        let (_, counts) = world.look(&campaign_id).await;
        assert_eq!((counts.queued, counts.cancelled), (500, 700));
        provider.go();
    };
    let (dispatched, ()) = tokio::join!(world.app.dispatch_once(), others);
    dispatched.unwrap();
    world.app.run_until_idle().await.unwrap();
    let (state, counts) = world.look(&campaign_id).await;
    let wanted =
        MessageCounts { total: 1200, submitted: 500, cancelled: 700, ..Default::default() };
    assert_eq!((state, counts), (CampaignState::Cancelled, wanted));
    assert_eq!((provider.sent(), world.told().await.len()), (500, 500));
}

#[tokio::test]
async fn a_campaign_that_is_cancelled_while_it_is_prepared_sends_nothing() {
    let provider = Fake::new(Mood::Fine);
    let world = World::with(provider.clone()).await;
    world.member.add(merchant(1), 1200);
    let campaign_id = world.start(1).await;
    world.member.hold();
    let others = async {
        world.member.held().await;
        world.cancel(1, &campaign_id).await.unwrap();
        world.member.go();
    };
    let (prepared, ()) = tokio::join!(world.app.prepare_once(), others);
    prepared.unwrap();
    assert_eq!(
        world.look(&campaign_id).await,
        (CampaignState::Cancelled, MessageCounts::default())
    );

    let campaign_id = world.start(1).await;
    world.app.prepare_once().await.unwrap();
    assert_eq!(
        world.app.dispatch_once().await.unwrap(),
        Progress::Worked,
        "the first one is settled"
    );
    assert_eq!(world.look(&campaign_id).await.1.queued, 500, "it is not running yet");
    world.cancel(1, &campaign_id).await.unwrap();
    world.app.run_until_idle().await.unwrap();
    let wanted = MessageCounts { total: 500, cancelled: 500, ..Default::default() };
    assert_eq!(world.look(&campaign_id).await, (CampaignState::Cancelled, wanted));
    assert_eq!((provider.sent(), world.told().await.len()), (0, 0));
}

#[tokio::test]
async fn after_the_reply_to_a_cancellation_nothing_is_handed_over() {
    let provider = Fake::new(Mood::Fine);
    let world = World::with(provider.clone()).await;
    world.member.add(merchant(1), 3000);
    let campaign_id = world.start(1).await;
    world.prepare().await;
    let work = async { while world.app.dispatch_once().await.unwrap() == Progress::Worked {} };
    let cancel = async {
        // Some batches are out already when the merchant thinks again.
        while provider.sent() < 1000 {
            tokio::task::yield_now().await;
        }
        world.cancel(1, &campaign_id).await.unwrap()
    };
    let ((), cancelled) = tokio::join!(work, cancel);
    assert_eq!(cancelled.state(), CampaignState::Cancelled);
    world.app.run_until_idle().await.unwrap();
    let (_, counts) = world.look(&campaign_id).await;
    let sent = i64::try_from(provider.sent()).unwrap();
    assert_eq!((counts.submitted, counts.cancelled), (sent, 3000 - sent));
    assert!((1000..=2000).contains(&sent), "{sent}");
}

#[tokio::test]
async fn a_receipt_for_a_withdrawn_message_is_believed() {
    let world = World::with(Fake::new(Mood::Fine)).await;
    world.member.add(merchant(1), 1);
    let campaign_id = world.start(1).await;
    world.prepare().await;
    world.cancel(1, &campaign_id).await.unwrap();
    world.app.run_until_idle().await.unwrap();
    let message = world.all(1, &campaign_id).await.remove(0);
    assert_eq!(message.state(), S::Cancelled);
    let delivered = receipt("r", &message.id, S::Delivered);
    assert_eq!(world.record(1, vec![delivered]).await.unwrap(), (1, 0));
    assert_eq!(world.told().await[&message.id], [S::Submitted, S::Delivered]);
}
