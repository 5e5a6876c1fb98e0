//! How messages reach their channel when nothing goes wrong.

use std::collections::HashSet;

use futures::future::join_all;
use siyu_messaging::channel::sandbox::Fate;
use siyu_proto::messaging::v1::{MessageState as S, *};
use siyu_runtime::Progress;
use siyu_testkit::merchant;

use crate::{
    provider::{Fake, Mood},
    world::World,
};

const LIFE: [S; 4] = [S::Submitted, S::Delivered, S::Read, S::Clicked];

#[tokio::test]
async fn a_campaign_through_the_sandbox_ends_as_the_fates_say() {
    let world = World::new().await;
    world.member.add(merchant(1), 1200);
    let campaign_id = world.start(1).await;
    world.app.run_until_idle().await.unwrap();
    let (state, counts) = world.look(&campaign_id).await;
    assert_eq!((state, counts.total), (CampaignState::Done, 1200));
    let told = world.told().await;
    let mut wanted = MessageCounts { total: 1200, ..Default::default() };
    let messages = world.all(1, &campaign_id).await;
    for message in &messages {
        let fate = Fate::of(message.id.parse().unwrap());
        let (count, state, steps): (&mut i64, S, &[S]) = match fate {
            Fate::Refused | Fate::Failed => {
                (&mut wanted.failed, S::Failed, &[S::Submitted, S::Failed])
            }
            Fate::Delivered => (&mut wanted.delivered, S::Delivered, &LIFE[..2]),
            Fate::Read => (&mut wanted.read, S::Read, &LIFE[..3]),
            Fate::Clicked => (&mut wanted.clicked, S::Clicked, &LIFE),
        };
        *count += 1;
        assert_eq!((message.state(), told[&message.id].as_slice()), (state, steps));
        assert_eq!(message.failure.is_empty(), state != S::Failed);
    }
    assert_eq!(counts, wanted);
    assert!(counts.failed > 0 && counts.delivered > counts.clicked, "{counts:?}");
    assert_eq!(messages.iter().map(|m| &m.person_id).collect::<HashSet<_>>().len(), 1200);
    assert_eq!(told.len(), 1200);
    assert_eq!(world.app.receive_once().await.unwrap(), Progress::Idle);
}

#[tokio::test]
async fn a_campaign_is_done_when_nothing_waits_and_not_before() {
    let provider = Fake::new(Mood::Before);
    let world = World::with(provider.clone()).await;
    world.member.add(merchant(1), 501);
    let campaign_id = world.start(1).await;
    world.prepare().await;
    let others = async {
        provider.held().await;
        provider.set(Mood::Fine);
        // The last message goes out while the others are under way.
        world.app.dispatch_once().await.unwrap();
        let (state, counts) = world.look(&campaign_id).await;
        assert_eq!((state, counts.queued, counts.submitted), (CampaignState::Running, 500, 1));
        provider.go();
    };
    let (dispatched, ()) = tokio::join!(world.app.dispatch_once(), others);
    dispatched.unwrap();
    let (state, counts) = world.look(&campaign_id).await;
    assert_eq!((state, counts.submitted), (CampaignState::Done, 501));
}

#[tokio::test]
async fn many_workers_hand_each_message_over_once() {
    let provider = Fake::new(Mood::Fine);
    let world = World::with(provider.clone()).await;
    world.member.add(merchant(1), 5000);
    let campaign_id = world.start(1).await;
    world.prepare().await;
    while world.look(&campaign_id).await.0 != CampaignState::Done {
        for done in join_all((0..4).map(|_| world.app.dispatch_once())).await {
            done.unwrap();
        }
    }
    assert_eq!((provider.sent(), provider.most()), (5000, 1));
    assert_eq!(world.look(&campaign_id).await.1.submitted, 5000);
    let told = world.told().await;
    assert!(told.len() == 5000 && told.values().all(|told| *told == [S::Submitted]));
}

#[tokio::test]
async fn campaigns_take_turns() {
    let provider = Fake::new(Mood::Fine);
    let world = World::with(provider.clone()).await;
    world.member.add(merchant(1), 1500);
    world.member.add(merchant(2), 2);
    let large_id = world.start(1).await;
    let small_id = world.start(2).await;
    world.prepare().await;
    for _ in 0..2 {
        world.app.dispatch_once().await.unwrap();
        world.advance(1);
    }
    assert_eq!(world.get(2, &small_id).await.unwrap().state(), CampaignState::Done);
    assert_eq!(world.look(&large_id).await.1.queued, 1000);
}
