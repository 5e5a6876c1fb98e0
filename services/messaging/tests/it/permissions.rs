//! What persons decided counts until the moment of sending, and not as it was when the campaign was prepared.

use std::collections::HashMap;

use siyu_messaging::{campaign::purpose::Consent, limits};
use siyu_proto::{
    member::v1::{BlacklistScope, ConsentPurpose, ConsentStatus},
    messaging::v1::{MessageState as S, *},
};
use siyu_testkit::merchant;

use crate::{
    provider::{Fake, Mood},
    world::{World, person},
};

/// State and reason of each person's message.
async fn fates(world: &World, campaign_id: &str) -> HashMap<String, (S, String)> {
    let all = world.all(1, campaign_id).await;
    all.into_iter().map(|m| (m.person_id.clone(), (m.state(), m.failure))).collect()
}

#[tokio::test]
async fn who_refuses_after_the_campaign_was_prepared_gets_no_message_any_more() {
    let provider = Fake::new(Mood::Fine);
    let world = World::with(provider.clone()).await;
    world.member.add(merchant(1), 6);
    world.member.decide(&person(1), ConsentPurpose::Marketing, ConsentStatus::Granted);
    let campaign_id = world.start(1).await;
    world.prepare().await;
    assert_eq!(world.look(&campaign_id).await.1.queued, 6);
    // Everything is queued. Now they think again.
    world.member.decide(&person(2), ConsentPurpose::Marketing, ConsentStatus::Withdrawn);
    world.member.decide(&person(3), ConsentPurpose::Service, ConsentStatus::Withdrawn);
    world.member.list(&person(4), BlacklistScope::Marketing);
    world.member.list(&person(5), BlacklistScope::Purchase);
    world.member.list(&person(6), BlacklistScope::All);
    world.app.run_until_idle().await.unwrap();
    let fates = fates(&world, &campaign_id).await;
    let wanted = [
        (1, S::Submitted, ""),
        (2, S::Cancelled, "consent_withdrawn"),
        (3, S::Submitted, ""),
        (4, S::Cancelled, "blacklisted"),
        (5, S::Submitted, ""),
        (6, S::Cancelled, "blacklisted"),
    ];
    for (n, state, reason) in wanted {
        assert_eq!(fates[&person(n)], (state, reason.to_owned()), "person {n}");
    }
    let (state, counts) = world.look(&campaign_id).await;
    assert_eq!((state, counts.submitted, counts.cancelled), (CampaignState::Done, 3, 3));
    assert_eq!(
        (provider.sent(), world.told().await.len()),
        (3, 3),
        "of the others nothing is told"
    );
}

#[tokio::test]
async fn what_is_no_advertising_reaches_all_but_those_who_refused_it() {
    let provider = Fake::new(Mood::Fine);
    let world = World::with(provider.clone()).await;
    world.member.add(merchant(1), 4);
    world.member.decide(&person(1), ConsentPurpose::Marketing, ConsentStatus::Withdrawn);
    world.member.decide(&person(2), ConsentPurpose::Service, ConsentStatus::Withdrawn);
    world.member.list(&person(3), BlacklistScope::Marketing);
    world.member.list(&person(4), BlacklistScope::All);
    provider.ask_for(Consent::Granted);
    let request = CreateCampaignRequest {
        name: "your parcel".into(),
        channel: "sandbox".into(),
        text: "it is on its way".into(),
        purpose: CampaignPurpose::Service.into(),
        ..Default::default()
    };
    let reply = world.campaigns(1).create_campaign(request).await.unwrap().into_inner();
    let campaign = reply.campaign.unwrap();
    assert_eq!(campaign.purpose(), CampaignPurpose::Service);
    world.start_it(1, &campaign.id).await.unwrap();
    world.app.run_until_idle().await.unwrap();
    let fates = fates(&world, &campaign.id).await;
    let states = [1, 2, 3, 4].map(|n| fates[&person(n)].0);
    assert_eq!(states, [S::Submitted, S::Cancelled, S::Submitted, S::Cancelled]);
}

#[tokio::test]
async fn over_a_channel_that_needs_it_only_who_agreed_is_written_to() {
    let provider = Fake::new(Mood::Fine);
    let world = World::with(provider.clone()).await;
    world.member.add(merchant(1), 3);
    world.member.decide(&person(1), ConsentPurpose::Marketing, ConsentStatus::Granted);
    world.member.decide(&person(2), ConsentPurpose::Profiling, ConsentStatus::Granted);
    provider.ask_for(Consent::Granted);
    let campaign_id = world.start(1).await;
    world.app.run_until_idle().await.unwrap();
    let fates = fates(&world, &campaign_id).await;
    assert_eq!(fates[&person(1)].0, S::Submitted);
    for n in [2, 3] {
        assert_eq!(fates[&person(n)], (S::Cancelled, "consent_missing".to_owned()));
    }
}

#[tokio::test]
async fn without_an_answer_nothing_is_sent_and_a_batch_is_asked_about_at_once() {
    let provider = Fake::new(Mood::Fine);
    let world = World::with(provider.clone()).await;
    world.member.add(merchant(1), 400);
    let campaign_id = world.start(1).await;
    world.prepare().await;
    world.member.be_silent(2);
    world.app.dispatch_once().await.unwrap();
    let (_, counts) = world.look(&campaign_id).await;
    assert_eq!((provider.sent(), counts.queued), (0, 400), "it waits");
    world.clock.advance(limits::RETRY_PAUSE);
    let before = world.member.questions();
    world.app.run_until_idle().await.unwrap();
    assert_eq!((provider.sent(), world.member.questions() - before), (400, 2));
}

#[tokio::test]
async fn what_a_dead_worker_sent_is_not_said_to_be_stopped() {
    let provider = Fake::new(Mood::Lost);
    let world = World::with(provider.clone()).await;
    world.member.add(merchant(1), 2);
    let campaign_id = world.start(1).await;
    world.prepare().await;
    // Both are out, and nobody here knows.
    world.app.dispatch_once().await.unwrap();
    assert_eq!((provider.sent(), world.look(&campaign_id).await.1.queued), (2, 2));
    world.member.decide(&person(1), ConsentPurpose::Marketing, ConsentStatus::Withdrawn);
    provider.set(Mood::Fine);
    world.clock.advance(limits::RETRY_PAUSE);
    world.app.run_until_idle().await.unwrap();
    let fates = fates(&world, &campaign_id).await;
    assert_eq!(fates[&person(1)], (S::Submitted, String::new()), "it is out");
    assert_eq!(
        (provider.sent(), provider.most()),
        (2, 2),
        "the refused one was not handed over again"
    );
    assert_eq!(provider.handed(&world.all(1, &campaign_id).await[0]), 1);
}
