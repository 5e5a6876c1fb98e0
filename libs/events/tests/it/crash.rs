//! A crash at every point where a consumer waits: whatever was under way is dropped, a new one goes on.

use crate::support::{Act, Recorder, Transport, World, cut_after};

/// Runs consumers one after the other; each lives one wait longer than the one before it, until one comes to its end.
async fn crash_everywhere(transport: Transport) {
    let world = World::new(transport).await;
    let mut n = 0;
    let mut finished = 0;
    let mut crashes = 0;
    for polls in 1_usize.. {
        n += 1;
        world.tell(1, &[("ord_a", n), ("ord_b", n)]).await;
        world.tell(2, &[("ord_a", n)]).await;
        let recorder = Recorder::default();
        if polls % 3 == 0 {
            recorder.act(n, Act::Retry(2));
        }
        let head = world.log.stamp_all().await.unwrap();
        let consumer = world.consume(&recorder).await;
        match cut_after(polls, consumer.run_until(head)).await {
            None => crashes += 1,
            Some(outcome) => {
                outcome.unwrap();
                finished += 1;
            }
        }
        // The way is not the same each time: go on a little after the first that came through.
        if finished == 10 {
            break;
        }
    }
    let head = world.log.stamp_all().await.unwrap();
    world.consume(&Recorder::default()).await.run_until(head).await.unwrap();
    assert!(crashes > 10, "a consumer waits at more than {crashes} points");
    world.assert_exactly_once().await;
}

#[tokio::test]
async fn a_crash_at_any_point_neither_loses_nor_repeats_an_effect_over_pull() {
    crash_everywhere(Transport::Pull).await;
}

#[tokio::test]
async fn a_crash_at_any_point_neither_loses_nor_repeats_an_effect_over_nats() {
    crash_everywhere(Transport::Nats).await;
}

#[tokio::test]
async fn a_crash_at_any_point_of_a_replay_neither_loses_nor_repeats_an_effect() {
    let world = World::new(Transport::Pull).await;
    let recorder = Recorder::default();
    recorder.act(1, Act::Park);
    world.tell(1, &[("ord_a", 1), ("ord_b", 1), ("ord_a", 2)]).await;
    let consumer = world.consume(&recorder).await;
    consumer.run_until(world.log.stamp_all().await.unwrap()).await.unwrap();
    assert_eq!(consumer.count_parked().await.unwrap(), 3);
    recorder.mend();
    let filter = siyu_events::ParkedFilter::default();
    for polls in 1.. {
        if let Some(outcome) = cut_after(polls, consumer.replay_parked(&filter)).await {
            outcome.unwrap();
            break;
        }
    }
    assert_eq!(consumer.count_parked().await.unwrap(), 0);
    world.assert_exactly_once().await;
}
