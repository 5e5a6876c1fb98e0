//! What persons agreed to: per purpose and channel, with proof, and never by default.

use chrono::{DateTime, TimeDelta, Utc};
use siyu_grpc::{fault, parse::timestamp};
use siyu_kernel::{Clock, Code, Fault, kind};
use siyu_proto::member::v1::*;
use siyu_testkit::id;

use crate::world::{MerchantId, World, fields};

use ConsentPurpose::{Marketing, ThirdPartySharing};
use ConsentStatus::{Granted, Withdrawn};

fn at(world: &World, minutes: i64) -> DateTime<Utc> {
    world.clock.now() - TimeDelta::hours(10) + TimeDelta::minutes(minutes)
}

pub(crate) fn decided(
    person: &str,
    channel: &str,
    status: ConsentStatus,
    at: DateTime<Utc>,
) -> ConsentRecord {
    ConsentRecord {
        person_id: person.into(),
        purpose: Marketing.into(),
        channel: channel.into(),
        status: status.into(),
        text_version: "2024-01".into(),
        decide_time: Some(timestamp(at)),
        source: "mini_program".into(),
        ..Default::default()
    }
}

pub(crate) async fn record(
    world: &World,
    who: MerchantId,
    records: Vec<ConsentRecord>,
) -> Result<(i32, i32), Fault> {
    let request = RecordConsentsRequest { records };
    let reply = world.consents(who).record_consents(request).await.map_err(fault)?.into_inner();
    Ok((reply.recorded, reply.changed))
}

async fn allowed(world: &World, who: MerchantId, persons: &[&str], channel: &str) -> Vec<bool> {
    let request = CheckConsentsRequest {
        person_ids: persons.iter().map(ToString::to_string).collect(),
        purpose: Marketing.into(),
        channel: channel.into(),
    };
    let reply = world.consents_inside(who).check_consents(request).await.unwrap();
    reply.into_inner().allowed
}

async fn withdraw(world: &World, person: &str, channel: &str) {
    let request = WithdrawConsentRequest {
        request_id: format!("w{person}{channel}"),
        person_id: person.into(),
        purpose: Marketing.into(),
        channel: channel.into(),
        source: "sms_reply".into(),
        ..Default::default()
    };
    for _ in 0..2 {
        world.consents(world.own).withdraw_consent(request.clone()).await.unwrap();
    }
}

#[tokio::test]
async fn nothing_is_allowed_that_was_not_granted_for_its_channel() {
    let world = World::new().await;
    let people = world.people(world.own, &["a", "b"]).await;
    let theirs = world.people(world.other, &["a"]).await.remove(0);
    let unknown = id::<kind::Person>(1).to_string();
    let grant = decided(&people[0], "sms", Granted, at(&world, 0));
    assert_eq!(record(&world, world.own, vec![grant]).await.unwrap(), (1, 1));
    let foreign = decided(&theirs, "sms", Granted, at(&world, 0));
    record(&world, world.other, vec![foreign]).await.unwrap();
    let asked = [people[1].as_str(), &people[0], &theirs, &unknown, &people[0]];
    let told = allowed(&world, world.own, &asked, "sms").await;
    assert_eq!(told, [false, true, false, false, true]);
    assert_eq!(allowed(&world, world.own, &asked, "wecom").await, [false; 5]);
    assert_eq!(allowed(&world, world.own, &asked, "").await, [false; 5]);
}

#[tokio::test]
async fn the_latest_decision_counts_whatever_order_decisions_come_in() {
    let world = World::new().await;
    let person = world.people(world.own, &["a"]).await.remove(0);
    let p = person.as_str();
    let grant = decided(p, "sms", Granted, at(&world, 1));
    let withdrawal = decided(p, "sms", Withdrawn, at(&world, 2));
    let (grant, withdrawal) = (vec![grant], vec![withdrawal]);
    assert_eq!(record(&world, world.own, withdrawal.clone()).await.unwrap(), (1, 1));
    assert_eq!(record(&world, world.own, grant.clone()).await.unwrap(), (1, 0), "kept as proof");
    assert_eq!(record(&world, world.own, grant.clone()).await.unwrap(), (0, 0), "a repeat");
    assert_eq!(allowed(&world, world.own, &[p], "sms").await, [false]);
    let same_instant = vec![decided(p, "sms", Granted, at(&world, 2))];
    assert_eq!(record(&world, world.own, same_instant).await.unwrap(), (1, 0));
    assert_eq!(allowed(&world, world.own, &[p], "sms").await, [false], "the withdrawal counts");
    let again = vec![decided(p, "sms", Granted, at(&world, 3))];
    assert_eq!(record(&world, world.own, again).await.unwrap(), (1, 1));
    assert_eq!(allowed(&world, world.own, &[p], "sms").await, [true]);
    let told: Vec<i32> = world
        .told::<ConsentChanged>()
        .await
        .into_iter()
        .map(|(_, _, fact)| fact.consent.unwrap().status)
        .collect();
    assert_eq!(told, [i32::from(Withdrawn), i32::from(Granted)]);
}

#[tokio::test]
async fn a_withdrawal_holds_at_once_for_one_channel_or_for_all() {
    let world = World::new().await;
    let people = world.people(world.own, &["a", "b"]).await;
    let mut records = Vec::new();
    for person in &people {
        for channel in ["sms", "wecom"] {
            // The clock of a partner is a minute ahead: a withdrawal now withdraws that, too.
            let ahead = world.clock.now() + TimeDelta::minutes(1);
            records.push(decided(person, channel, Granted, ahead));
        }
    }
    assert_eq!(record(&world, world.own, records).await.unwrap(), (4, 4));
    let both = [people[0].as_str(), &people[1]];
    withdraw(&world, &people[0], "sms").await;
    withdraw(&world, &people[1], "").await;
    assert_eq!(allowed(&world, world.own, &both, "sms").await, [false, false]);
    assert_eq!(allowed(&world, world.own, &both, "wecom").await, [true, false]);
    let request = GetConsentsRequest { person_id: people[1].clone() };
    let reply = world.consents(world.own).get_consents(request).await.unwrap().into_inner();
    let shown: Vec<(String, i32)> =
        reply.consents.into_iter().map(|c| (c.channel, c.status)).collect();
    let withdrawn = i32::from(Withdrawn);
    let all = ["", "sms", "wecom"].map(|channel| (channel.to_owned(), withdrawn));
    assert_eq!(shown, all, "what is in force is shown, not what was said before");
    let anew = decided(&people[1], "sms", Granted, world.clock.now() + TimeDelta::minutes(2));
    record(&world, world.own, vec![anew]).await.unwrap();
    assert_eq!(allowed(&world, world.own, &both, "sms").await, [false, true]);
}

#[tokio::test]
async fn after_a_merge_the_latest_decision_of_the_two_counts_until_it_is_undone() {
    let world = World::new().await;
    let people = world.people(world.own, &["a", "b"]).await;
    let (first, second) = (people[0].as_str(), people[1].as_str());
    let records = vec![
        decided(first, "sms", Granted, at(&world, 1)),
        decided(second, "sms", Withdrawn, at(&world, 2)),
        decided(first, "wecom", Withdrawn, at(&world, 1)),
        decided(second, "wecom", Granted, at(&world, 2)),
        // The same decision came in for both.
        decided(first, "email", Granted, at(&world, 5)),
        decided(second, "email", Granted, at(&world, 5)),
    ];
    record(&world, world.own, records.clone()).await.unwrap();
    let told = async |who: &[&str]| {
        let mut told = Vec::new();
        for channel in ["sms", "wecom", "email"] {
            told.push(allowed(&world, world.own, who, channel).await);
        }
        told
    };
    let merge = world.join(world.own, first, second).await;
    let both = [first, second];
    assert_eq!(told(&both).await, [[false; 2], [true; 2], [true; 2]]);
    assert_eq!(record(&world, world.own, records).await.unwrap(), (0, 0), "repeats are known");
    world.part(world.own, &merge).await;
    assert_eq!(told(&both).await, [[true, false], [false, true], [true, true]]);
}

#[tokio::test]
async fn decisions_are_listed_with_their_proof_and_separate_purposes_are_marked() {
    let world = World::new().await;
    let person = world.people(world.own, &["a"]).await.remove(0);
    let mut sharing = decided(&person, "", Granted, at(&world, 3));
    sharing.purpose = ThirdPartySharing.into();
    sharing.evidence = "signed by hand".into();
    let records = vec![decided(&person, "sms", Granted, at(&world, 1)), sharing];
    record(&world, world.own, records).await.unwrap();
    let mut request =
        ListConsentRecordsRequest { person_id: person.clone(), page_size: 1, ..Default::default() };
    let mut seen = Vec::new();
    loop {
        let page = world.consents(world.own).list_consent_records(request.clone()).await.unwrap();
        let page = page.into_inner();
        seen.extend(page.records);
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            break;
        }
    }
    let told: Vec<(i32, &str, &str)> =
        seen.iter().map(|r| (r.purpose, r.recorded_by.as_str(), r.evidence.as_str())).collect();
    let (marketing, sharing) = (Marketing.into(), ThirdPartySharing.into());
    assert_eq!(told, [(sharing, "test", ""), (marketing, "test", "")]);
    let request = GetConsentsRequest { person_id: person };
    let reply = world.consents(world.own).get_consents(request).await.unwrap().into_inner();
    let separate: Vec<(i32, bool)> =
        reply.consents.iter().map(|c| (c.purpose, c.separate)).collect();
    assert_eq!(separate, [(marketing, false), (sharing, true)]);
}

#[tokio::test]
async fn a_decision_that_is_none_is_refused_by_its_place() {
    let world = World::new().await;
    let person = world.people(world.own, &["a"]).await.remove(0);
    let good = decided(&person, "sms", Granted, at(&world, 1));
    let future = decided(&person, "sms", Granted, world.clock.now() + TimeDelta::hours(1));
    for (bad, field) in [
        (ConsentRecord { text_version: String::new(), ..good.clone() }, "text_version"),
        (ConsentRecord { purpose: 99, ..good.clone() }, "purpose"),
        (ConsentRecord { status: 99, ..good.clone() }, "status"),
        (future, "decide_time"),
    ] {
        let refused = record(&world, world.own, vec![good.clone(), bad]).await.unwrap_err();
        assert_eq!(fields(&refused), [format!("records[1].{field}")]);
    }
    let theirs = world.people(world.other, &["a"]).await.remove(0);
    let foreign = decided(&theirs, "sms", Granted, at(&world, 1));
    let refused = record(&world, world.own, vec![good, foreign]).await.unwrap_err();
    assert_eq!((refused.code(), refused.message()), (Code::NotFound, "person not found"));
    assert_eq!(world.told::<ConsentChanged>().await, [], "nothing of a refused request is kept");
}
