//! How an audience becomes messages.

use siyu_proto::messaging::v1::*;
use siyu_runtime::Progress;
use siyu_testkit::merchant;

use crate::{
    provider::{Fake, Mood},
    world::{World, person},
};

async fn world(persons: u32) -> World {
    let world = World::with(Fake::new(Mood::Fine)).await;
    world.member.add(merchant(1), persons);
    world
}

async fn persons(world: &World, campaign_id: &str) -> Vec<String> {
    world.all(1, campaign_id).await.into_iter().map(|message| message.person_id).collect()
}

#[tokio::test]
async fn everyone_is_read_page_by_page() {
    let world = world(1200).await;
    let campaign_id = world.start(1).await;
    for total in [500, 1000, 1200] {
        assert_eq!(world.look(&campaign_id).await.0, CampaignState::Preparing);
        assert_eq!(world.app.prepare_once().await.unwrap(), Progress::Worked);
        assert_eq!(world.look(&campaign_id).await.1.total, total);
    }
    assert_eq!(world.look(&campaign_id).await.0, CampaignState::Running);
    assert_eq!(world.app.prepare_once().await.unwrap(), Progress::Idle);
    assert_eq!(persons(&world, &campaign_id).await, (1..=1200).map(person).collect::<Vec<_>>());
}

#[tokio::test]
async fn only_persons_with_the_growth_get_it() {
    let world = world(1200).await;
    let audience = Audience { growth_min: 1199, person_ids: vec![], ..Default::default() };
    let campaign_id = world.draft(1, Some(audience)).await;
    world.start_it(1, &campaign_id).await.unwrap();
    world.prepare().await;
    assert_eq!(persons(&world, &campaign_id).await, [person(1199), person(1200)]);
}

#[tokio::test]
async fn a_list_is_read_in_pages_without_strangers_and_doubles() {
    let world = world(700).await;
    let mut person_ids: Vec<String> = (1..=1000).rev().map(person).collect();
    person_ids.push(person(7));
    let audience = Audience { growth_min: 3, person_ids, ..Default::default() };
    let campaign_id = world.draft(1, Some(audience)).await;
    world.start_it(1, &campaign_id).await.unwrap();
    world.prepare().await;
    assert_eq!(persons(&world, &campaign_id).await, (3..=700).map(person).collect::<Vec<_>>());
    assert_eq!(world.look(&campaign_id).await.0, CampaignState::Running);
}

#[tokio::test]
async fn nobody_is_soon_done() {
    let world = world(0).await;
    let campaign_id = world.start(1).await;
    world.app.run_until_idle().await.unwrap();
    assert_eq!(world.look(&campaign_id).await, (CampaignState::Done, MessageCounts::default()));
    assert!(world.told().await.is_empty());
}

#[tokio::test]
async fn persons_of_another_merchant_do_not_get_it() {
    let world = world(3).await;
    world.member.add(merchant(2), 9);
    let campaign_id = world.start(1).await;
    let other_id = world.start(2).await;
    world.prepare().await;
    assert_eq!(
        (world.all(1, &campaign_id).await.len(), world.all(2, &other_id).await.len()),
        (3, 9)
    );
}

#[tokio::test]
async fn a_page_that_a_dead_worker_left_is_read_again_when_its_lease_has_ended() {
    let world = world(1200).await;
    let campaign_id = world.start(1).await;
    world.app.prepare_once().await.unwrap();
    world.member.hold();
    tokio::select! {
        _ = world.app.prepare_once() => panic!("the member service holds it"),
        () = world.member.held() => {}
    }
    world.advance(59);
    assert_eq!(world.app.prepare_once().await.unwrap(), Progress::Idle);
    world.advance(1);
    world.prepare().await;
    assert_eq!(persons(&world, &campaign_id).await, (1..=1200).map(person).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_worker_that_is_late_stores_nothing() {
    let world = world(3).await;
    let campaign_id = world.start(1).await;
    world.member.hold();
    let others = async {
        world.member.held().await;
        world.advance(60);
        world.prepare().await;
        assert_eq!(world.look(&campaign_id).await.0, CampaignState::Running);
        // What the first worker will be told by now.
        world.member.add(merchant(1), 5);
        world.member.go();
    };
    let (late, ()) = tokio::join!(world.app.prepare_once(), others);
    assert_eq!((late.unwrap(), world.member.calls()), (Progress::Worked, 2));
    assert_eq!(persons(&world, &campaign_id).await, [person(1), person(2), person(3)]);
}

#[tokio::test]
async fn a_worker_that_is_late_does_not_turn_others_back() {
    let world = world(1200).await;
    let campaign_id = world.start(1).await;
    world.member.hold();
    let others = async {
        world.member.held().await;
        world.advance(60);
        for _ in 0..2 {
            world.app.prepare_once().await.unwrap();
        }
        world.member.go();
    };
    let (late, ()) = tokio::join!(world.app.prepare_once(), others);
    late.unwrap();
    assert_eq!(world.look(&campaign_id).await.1.total, 1000);
    world.app.prepare_once().await.unwrap();
    let (state, counts) = world.look(&campaign_id).await;
    assert_eq!((state, counts.total), (CampaignState::Running, 1200));
}

#[tokio::test]
async fn a_page_that_was_stored_and_not_noted_adds_nothing_the_second_time() {
    let world = world(600).await;
    let campaign_id = world.start(1).await;
    world.app.prepare_once().await.unwrap();
    let mut owner = world.database.owner().await;
    let forget = "update campaigns set audience_cursor = null";
    sqlx::query("set role siyu_job").execute(&mut owner).await.unwrap();
    assert_eq!(sqlx::query(forget).execute(&mut owner).await.unwrap().rows_affected(), 1);
    world.prepare().await;
    assert_eq!(persons(&world, &campaign_id).await, (1..=600).map(person).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_member_service_that_is_away_is_asked_later_and_nobody_else_waits() {
    let world = world(3).await;
    world.member.add(merchant(2), 2);
    let campaign_id = world.start(1).await;
    world.member.fail(1);
    assert_eq!(world.app.prepare_once().await.unwrap(), Progress::Worked);
    assert_eq!(world.app.prepare_once().await.unwrap(), Progress::Idle);
    let other_id = world.start(2).await;
    world.app.run_until_idle().await.unwrap();
    assert_eq!(world.get(2, &other_id).await.unwrap().state(), CampaignState::Done);
    assert_eq!(world.look(&campaign_id).await.0, CampaignState::Preparing);
    world.advance(5);
    world.app.run_until_idle().await.unwrap();
    assert_eq!(world.look(&campaign_id).await.0, CampaignState::Done);
    assert_eq!(world.member.calls(), 3);
}

#[tokio::test]
async fn a_page_that_could_not_be_read_is_the_only_one_that_is_read_again() {
    let world = world(1200).await;
    let campaign_id = world.start(1).await;
    world.app.prepare_once().await.unwrap();
    world.member.fail(1);
    world.prepare().await;
    world.advance(5);
    world.prepare().await;
    assert_eq!(persons(&world, &campaign_id).await, (1..=1200).map(person).collect::<Vec<_>>());
    assert_eq!(world.member.calls(), 4);
}

#[tokio::test]
async fn a_small_audience_does_not_wait_for_a_large_one() {
    let world = world(2000).await;
    world.member.add(merchant(2), 2);
    let large_id = world.start(1).await;
    world.advance(1);
    let small_id = world.start(2).await;
    for _ in 0..2 {
        world.app.prepare_once().await.unwrap();
    }
    assert_eq!(world.get(2, &small_id).await.unwrap().state(), CampaignState::Running);
    assert_eq!(world.look(&large_id).await.1.total, 500);
}
