//! What an operator does with parked events.

use siyu_events::ParkedFilter;
use siyu_testkit::merchant;

use crate::support::{Act, Recorder, Transport, World};

async fn numbers(world: &World) -> Vec<i64> {
    world.effects().await.iter().map(|effect| effect.n).collect()
}

#[tokio::test]
async fn a_replay_that_fails_keeps_the_event_and_all_behind_it() {
    let world = World::new(Transport::Pull).await;
    world.tell(1, &[("ord_a", 1), ("ord_a", 2), ("ord_b", 3), ("ord_b", 4)]).await;
    let recorder = Recorder::default();
    recorder.act(1, Act::Park);
    recorder.act(3, Act::Park);
    let consumer = world.consume(&recorder).await;
    consumer.run_until(world.log.stamp_all().await.unwrap()).await.unwrap();
    recorder.mend();
    recorder.act(1, Act::Park);
    let replayed = consumer.replay_parked(&ParkedFilter::default()).await.unwrap();
    assert_eq!((replayed.done, replayed.failed), (2, 1));
    assert_eq!(numbers(&world).await, [3, 4]);
    let parked = consumer.parked(&ParkedFilter::default(), 0, 10).await.unwrap();
    let left: Vec<_> = parked.iter().map(|p| (p.position, p.attempts)).collect();
    assert_eq!(left, [(1, 2), (2, 0)]);

    // Giving the first up frees those behind it.
    assert!(!consumer.discard_parked(merchant(2), 1).await.unwrap(), "of another merchant");
    assert!(consumer.discard_parked(merchant(1), 1).await.unwrap());
    let replayed = consumer.replay_parked(&ParkedFilter::default()).await.unwrap();
    assert_eq!((replayed.done, replayed.failed), (1, 0));
    assert_eq!(numbers(&world).await, [3, 4, 2]);
}

#[tokio::test]
async fn a_replay_can_be_narrowed_to_a_merchant_or_a_subject() {
    let world = World::new(Transport::Pull).await;
    world.tell(1, &[("ord_a", 1), ("ord_b", 2)]).await;
    world.tell(2, &[("ord_a", 3)]).await;
    let recorder = Recorder::default();
    (1..=3).for_each(|n| recorder.act(n, Act::Park));
    let consumer = world.consume(&recorder).await;
    consumer.run_until(world.log.stamp_all().await.unwrap()).await.unwrap();
    recorder.mend();
    let of_second = ParkedFilter { merchant: Some(merchant(2)), subject: None };
    consumer.replay_parked(&of_second).await.unwrap();
    assert_eq!(numbers(&world).await, [3]);
    let of_b = ParkedFilter { merchant: None, subject: Some("ord_b".to_owned()) };
    consumer.replay_parked(&of_b).await.unwrap();
    assert_eq!(numbers(&world).await, [3, 2]);
    assert_eq!(consumer.count_parked().await.unwrap(), 1);
}

#[tokio::test]
async fn a_page_of_parked_events_goes_on_after_the_last_position() {
    let world = World::new(Transport::Pull).await;
    let facts: Vec<(&str, i64)> = (1..=250).map(|n| ("ord_a", n)).collect();
    world.tell(1, &facts).await;
    let recorder = Recorder::default();
    recorder.act(1, Act::Park);
    let consumer = world.consume(&recorder).await;
    consumer.run_until(world.log.stamp_all().await.unwrap()).await.unwrap();
    let mut after = 0;
    let mut seen = Vec::new();
    loop {
        let page = consumer.parked(&ParkedFilter::default(), after, 100).await.unwrap();
        let Some(last) = page.last() else { break };
        after = last.position;
        seen.extend(page.iter().map(|parked| parked.position));
    }
    assert!(seen.into_iter().eq(1..=250));
    // More than one transaction of a replay.
    recorder.mend();
    assert_eq!(consumer.replay_parked(&ParkedFilter::default()).await.unwrap().done, 250);
    assert!(numbers(&world).await.into_iter().eq(1..=250));
}

#[tokio::test]
async fn an_event_that_fails_while_others_are_parked_is_given_up_after_its_attempts_too() {
    let world = World::new(Transport::Pull).await;
    world.tell(1, &[("ord_a", 1)]).await;
    let recorder = Recorder::default();
    recorder.act(1, Act::Park);
    recorder.act(2, Act::Retry(u32::MAX));
    let consumer = world.consume(&recorder).await;
    consumer.run_until(world.log.stamp_all().await.unwrap()).await.unwrap();
    world.tell(1, &[("ord_b", 2), ("ord_c", 3)]).await;
    consumer.run_until(world.log.stamp_all().await.unwrap()).await.unwrap();
    let parked = consumer.parked(&ParkedFilter::default(), 0, 10).await.unwrap();
    let seen: Vec<_> = parked.iter().map(|p| (p.position, p.attempts)).collect();
    assert_eq!(seen, [(1, 1), (2, 3)]);
    assert_eq!(numbers(&world).await, [3]);
}

#[tokio::test]
async fn a_parked_event_holds_up_its_own_aggregate_and_slows_no_other() {
    let world = World::new(Transport::Pull).await;
    world.tell(1, &[("ord_a", 1)]).await;
    let recorder = Recorder::default();
    recorder.act(1, Act::Park);
    let consumer = world.consume(&recorder).await;
    consumer.run_until(world.log.stamp_all().await.unwrap()).await.unwrap();
    assert_eq!(consumer.count_parked().await.unwrap(), 1);

    // Others go on in one call, as ever; where the aggregate itself comes, its events wait.
    recorder.calls.lock().unwrap().clear();
    world.tell(1, &[("ord_b", 2), ("ord_c", 3), ("ord_d", 4)]).await;
    consumer.run_until(world.log.stamp_all().await.unwrap()).await.unwrap();
    assert_eq!(*recorder.calls.lock().unwrap(), [vec![2, 3, 4]]);
    world.tell(1, &[("ord_b", 5), ("ord_a", 6)]).await;
    consumer.run_until(world.log.stamp_all().await.unwrap()).await.unwrap();
    assert_eq!(*recorder.calls.lock().unwrap(), [vec![2, 3, 4], vec![5]]);
    assert_eq!(consumer.count_parked().await.unwrap(), 2);
}
