//! Receipts as channels send them: late, twice, out of order.

use siyu_proto::messaging::v1::{MessageState as S, *};
use siyu_testkit::merchant;

use crate::{
    provider::{Fake, Mood},
    world::{World, receipt},
};

/// A campaign to `n` persons whose messages are submitted.
async fn submitted(n: u32) -> (World, String, Vec<String>) {
    let world = World::with(Fake::new(Mood::Fine)).await;
    world.member.add(merchant(1), n);
    let campaign_id = world.start(1).await;
    world.app.run_until_idle().await.unwrap();
    let ids = world.all(1, &campaign_id).await.into_iter().map(|message| message.id).collect();
    (world, campaign_id, ids)
}

/// An order without pattern of `n` things.
fn shuffled(n: usize, seed: usize) -> impl Iterator<Item = usize> {
    // Steps of a size that shares no divisor with the number of places reach each place once.
    let step = [7, 11, 13, 17, 19][seed % 5];
    assert!(!n.is_multiple_of(step));
    (0..n).map(move |i| (i * step + seed) % n)
}

#[tokio::test]
async fn shuffled_and_doubled_receipts_lead_to_the_same_figures() {
    let (world, campaign_id, ids) = submitted(8).await;
    let lives: [&[S]; 8] = [
        &[],
        &[S::Sent],
        &[S::Sent, S::Failed],
        &[S::Failed, S::Delivered],
        &[S::Sent, S::Delivered],
        &[S::Sent, S::Delivered, S::Read],
        &[S::Sent, S::Delivered, S::Read, S::Clicked],
        &[S::Clicked],
    ];
    let mut all = Vec::new();
    for (id, life) in ids.iter().zip(lives) {
        all.extend(life.iter().map(|&state| receipt(&format!("{id}{state:?}"), id, state)));
    }
    let mut applied = 0;
    for round in 0..3 {
        let order: Vec<Receipt> = shuffled(all.len(), round).map(|i| all[i].clone()).collect();
        for batch in order.chunks(3) {
            applied += world.record(1, batch.to_vec()).await.unwrap().0;
        }
    }
    assert!((7..=15).contains(&applied), "{applied}");
    let counts = MessageCounts {
        total: 8,
        submitted: 1,
        sent: 1,
        failed: 1,
        delivered: 2,
        read: 1,
        clicked: 2,
        ..Default::default()
    };
    assert_eq!(world.look(&campaign_id).await.1, counts);
    let told = world.told().await;
    let of = |i: usize| told[&ids[i]].as_slice();
    assert_eq!(of(1), [S::Submitted]);
    assert_eq!(of(2), [S::Submitted, S::Failed]);
    assert!(of(3).ends_with(&[S::Delivered]), "{:?}", of(3));
    assert_eq!(of(5), [S::Submitted, S::Delivered, S::Read]);
    assert_eq!(of(6), [S::Submitted, S::Delivered, S::Read, S::Clicked]);
    assert_eq!(of(7), of(6));
}

#[tokio::test]
async fn a_receipt_counts_once_by_its_id_whatever_it_says_the_second_time() {
    let (world, _, ids) = submitted(2).await;
    let said = vec![
        receipt("r", &ids[0], S::Delivered),
        receipt("r", &ids[0], S::Read),
        receipt("r", &ids[1], S::Read),
    ];
    assert_eq!(world.record(1, said.clone()).await.unwrap(), (1, 2));
    for one in said {
        assert_eq!(world.record(1, vec![one]).await.unwrap(), (0, 1));
    }
    let told = world.told().await;
    assert_eq!(told[&ids[0]], [S::Submitted, S::Delivered]);
    assert_eq!(told[&ids[1]], [S::Submitted]);
}

#[tokio::test]
async fn a_batch_is_read_in_the_order_of_a_life() {
    let (world, campaign_id, ids) = submitted(1).await;
    let at = |state, seconds| Receipt {
        occur_time: Some(prost_types::Timestamp { seconds, nanos: 0 }),
        ..receipt(&format!("{state:?}"), &ids[0], state)
    };
    let batch = vec![at(S::Read, 300), at(S::Sent, 100), at(S::Delivered, 200)];
    assert_eq!(world.record(1, batch).await.unwrap(), (3, 0));
    let message = world.all(1, &campaign_id).await.remove(0);
    assert_eq!((message.state(), message.state_time.unwrap().seconds), (S::Read, 300));

    let ahead = at(S::Clicked, 4_000_000_000);
    assert_eq!(world.record(1, vec![ahead]).await.unwrap(), (1, 0));
    let message = world.all(1, &campaign_id).await.remove(0);
    assert_eq!(message.state_time.unwrap().seconds, 1_717_200_000, "a time ahead is read as now");
}

#[tokio::test]
async fn a_failure_says_why_until_a_delivery_refutes_it() {
    let (world, campaign_id, ids) = submitted(1).await;
    world.record(1, vec![receipt("a", &ids[0], S::Failed)]).await.unwrap();
    let message = world.all(1, &campaign_id).await.remove(0);
    assert_eq!((message.state(), message.failure.as_str()), (S::Failed, "full"));
    world.record(1, vec![receipt("b", &ids[0], S::Delivered)]).await.unwrap();
    let message = world.all(1, &campaign_id).await.remove(0);
    assert_eq!((message.state(), message.failure.as_str()), (S::Delivered, ""));
    assert_eq!(world.told().await[&ids[0]], [S::Submitted, S::Failed, S::Delivered]);
}

#[tokio::test]
async fn batches_that_cross_each_other_do_not_wait_for_each_other() {
    let (world, campaign_id, ids) = submitted(100).await;
    let all: Vec<Receipt> = ids.iter().map(|id| receipt(id, id, S::Read)).collect();
    let mut back = all.clone();
    back.reverse();
    for _ in 0..5 {
        let (a, b) = tokio::join!(world.record(1, all.clone()), world.record(1, back.clone()));
        a.unwrap();
        b.unwrap();
    }
    assert_eq!(world.look(&campaign_id).await.1.read, 100);
    assert!(world.told().await.values().all(|told| *told == [S::Submitted, S::Delivered, S::Read]));
}

#[tokio::test]
async fn a_receipt_that_is_faster_than_the_answer_wins() {
    let provider = Fake::new(Mood::After);
    let world = World::with(provider.clone()).await;
    world.member.add(merchant(1), 1);
    let campaign_id = world.start(1).await;
    world.prepare().await;
    let id = world.all(1, &campaign_id).await.remove(0).id;
    let faster = async {
        provider.held().await;
        world.record(1, vec![receipt("r", &id, S::Delivered)]).await.unwrap();
        provider.go();
    };
    let (dispatched, ()) = tokio::join!(world.app.dispatch_once(), faster);
    dispatched.unwrap();
    let (state, counts) = world.look(&campaign_id).await;
    assert_eq!((state, counts.delivered), (CampaignState::Done, 1));
    assert_eq!(world.told().await[&id], [S::Submitted, S::Delivered]);
}
