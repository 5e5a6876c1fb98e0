//! Whatever was said about a person by whatever method, nothing of it is anywhere after erasing.

use chrono::TimeDelta;
use siyu_grpc::fault;
use siyu_kernel::{Clock, Fault};
use siyu_proto::member::v1::*;

use crate::{
    blacklist, connections, consents,
    erasure::{erase, logged, rows_with},
    identity::union,
    organisation::guide,
    owners::assign,
    persons::resolve,
    points,
    profiles::update,
    value::Till,
    world::{key, openid_of},
};

/// Stands in every text that is about the person, and in nothing else.
const MARK: &str = "zqxmark";

fn mark(what: &str) -> String {
    format!("{MARK} {what}")
}

fn phone(digits: &str) -> Identity {
    key(IdentityKind::Phone, "", &format!("+8613877{digits}"))
}

/// Everything that can be said about somebody, said.
struct Told {
    till: Till,
    /// The person, and whom it was merged with.
    persons: Vec<String>,
    /// Somebody else, who stays.
    other: String,
    merge_id: String,
    redemption_id: String,
}

async fn everything() -> Told {
    let till = Till::new().await;
    let world = &till.world;
    let keys = vec![
        openid_of("zqxmark-openid"),
        union("zqxmark-union"),
        phone("000001"),
        key(IdentityKind::Email, "", "zqxmark@home.cn"),
        key(IdentityKind::PlatformBuyer, "tmall/1", "zqxmark-buyer"),
    ];
    let person = resolve(world, world.own, vec![keys]).await.unwrap().remove(0).person_id;
    world.clock.advance(TimeDelta::seconds(1));
    let second = world.people(world.own, &["zqxmark-second"]).await.remove(0);
    let other = world.people(world.own, &["somebody-else"]).await.remove(0);
    profile(&till, &person).await;
    consent_and_list(&till, &person).await;
    marks(&till, &[&person, &second]).await;
    words(&till, &person, &other).await;
    let redemption_id = redemption(&till, &person).await;
    review(&till, &person).await;
    let merge_id = keys_and_merges(&till, &person, &second).await;
    Told { till, persons: vec![person, second], other, merge_id, redemption_id }
}

async fn profile(till: &Till, person: &str) {
    let all = Profile {
        name: mark("name"),
        nickname: mark("nickname"),
        gender: Gender::Female.into(),
        birthday: "1990-05-17".into(),
        phone: "+8613877000009".into(),
        email: "zqxmark.lei@shop.cn".into(),
        avatar_url: "https://shop.cn/zqxmark.png".into(),
        province: mark("province"),
        city: mark("city"),
        address: mark("address"),
        language: "zh-CN".into(),
        remark: mark("remark"),
        ..Default::default()
    };
    update(&till.world, till.world.own, person, all, &[]).await.unwrap();
}

async fn consent_and_list(till: &Till, person: &str) {
    let world = &till.world;
    let at = world.clock.now() - TimeDelta::hours(1);
    let granted = ConsentRecord {
        evidence: mark("evidence"),
        ..consents::decided(person, "sms", ConsentStatus::Granted, at)
    };
    consents::record(world, world.own, vec![granted]).await.unwrap();
    let request = WithdrawConsentRequest {
        request_id: "w".into(),
        person_id: person.into(),
        purpose: ConsentPurpose::Profiling.into(),
        channel: String::new(),
        source: "call".into(),
        evidence: mark("said so"),
    };
    world.consents(world.own).withdraw_consent(request).await.unwrap();
    for (entry, id) in [
        (blacklist::entry(person, BlacklistScope::Promotion), "b1"),
        (
            BlacklistEntry {
                key: Some(openid_of("zqxmark-openid")),
                ..blacklist::entry("", BlacklistScope::Purchase)
            },
            "b2",
        ),
    ] {
        let entry = BlacklistEntry { reason: mark("reason"), ..entry };
        blacklist::create(world, world.own, entry, id).await.unwrap();
    }
    let request = RevealPersonalDataRequest {
        request_id: "v".into(),
        person_id: person.into(),
        fields: vec![PersonalField::All.into()],
        reason: mark("why looked at"),
    };
    world.privacy(world.own).reveal_personal_data(request).await.unwrap();
}

/// Attributes, tags and connections of both, so that the merge leaves relics.
async fn marks(till: &Till, people: &[&str]) {
    let world = &till.world;
    let attribute = Attribute {
        code: "nick".into(),
        name: "nick".into(),
        r#type: AttributeType::Text.into(),
        ..Default::default()
    };
    let request = CreateAttributeRequest { attribute: Some(attribute), ..Default::default() };
    world.attributes(world.own).create_attribute(request).await.unwrap();
    let tag = Tag { name: "vip".into(), ..Default::default() };
    let request = CreateTagRequest { tag: Some(tag), ..Default::default() };
    let tag = world.tags(world.own).create_tag(request).await.unwrap().into_inner().tag.unwrap();
    for (n, person) in (1..).zip(people) {
        let value = AttributeValue {
            person_id: (*person).into(),
            code: "nick".into(),
            value: mark(&format!("attribute {n}")),
        };
        let request = SetPersonAttributesRequest { values: vec![value] };
        world.attributes(world.own).set_person_attributes(request).await.unwrap();
        let request = TagPersonsRequest {
            person_ids: vec![(*person).into()],
            tag_ids: vec![tag.id.clone()],
            source: mark("tag"),
            expire_time: None,
        };
        world.tags(world.own).tag_persons(request).await.unwrap();
        let edge = Connection { source: mark("source"), ..connections::on(person, 10 * n) };
        connections::record(world, world.own, vec![edge]).await.unwrap();
    }
}

/// What employees say when they do something.
async fn words(till: &Till, person: &str, other: &str) {
    let world = &till.world;
    let request = RelatePersonsRequest {
        person_id: person.into(),
        other_person_id: other.into(),
        kind: RelationKind::Household.into(),
        source: mark("relation"),
    };
    world.households(world.own).relate_persons(request).await.unwrap();
    let (anna, ben) = (guide(world, "anna", "").await, guide(world, "ben", "").await);
    assign(world, &[(person, &anna)]).await.unwrap();
    let request = RequestHandoversRequest {
        request_id: "h".into(),
        from_staff_id: anna,
        to_staff_id: ben,
        person_ids: vec![person.into()],
        message: mark("handover"),
        ..Default::default()
    };
    world.handovers(world.own).request_handovers(request).await.unwrap();
    let mut desk = world.points(world.own);
    let grant = GrantPointsRequest { reason: mark("gift"), ..points::grant("g1", person, 500) };
    desk.grant_points(grant).await.unwrap();
    let spend = SpendPointsRequest { reason: mark("spent"), ..points::spend("s1", person, 100) };
    let spent = desk.spend_points(spend).await.unwrap().into_inner().posting.unwrap();
    let revert = RevertPointsRequest {
        reason: mark("back"),
        ..points::revert("r1", &spent.transfer_id, 50)
    };
    desk.revert_points(revert).await.unwrap();
    let freeze = FreezePointsRequest { reason: mark("kept"), ..points::freeze("f1", person, 10) };
    desk.freeze_points(freeze).await.unwrap();
    let request = AdjustPointsRequest {
        request_id: "a1".into(),
        person_id: person.into(),
        points: -5,
        reason: mark("wrong"),
        ..Default::default()
    };
    desk.adjust_points(request).await.unwrap();
    let request = GrantGrowthRequest {
        request_id: "gg".into(),
        person_id: person.into(),
        growth: 100,
        reason: mark("growth"),
    };
    world.tiers(world.own).grant_growth(request).await.unwrap();
}

async fn redemption(till: &Till, person: &str) -> String {
    let card = till.card(person).await;
    till.fill(&card, 10_000, 0).await;
    let request = AdjustValueCardRequest {
        request_id: "ad".into(),
        card_id: card.clone(),
        principal_minor: 1,
        reason: mark("counted wrong"),
        ..Default::default()
    };
    till.cards().adjust_value_card(request).await.unwrap();
    let request = RequestRedemptionRequest {
        request_id: "rd".into(),
        card_id: card,
        fault: ValueFault::Merchant.into(),
        reason: mark("moves away"),
    };
    let asked = till.redemptions("anna").request_redemption(request).await.unwrap();
    let id = asked.into_inner().redemption.unwrap().id;
    let request = ApproveRedemptionRequest { request_id: "ra".into(), redemption_id: id.clone() };
    till.redemptions("bert").approve_redemption(request).await.unwrap();
    id
}

/// A conflict that somebody decided, and one that waits.
async fn review(till: &Till, person: &str) {
    let world = &till.world;
    for (n, waits) in [(1, false), (2, true)] {
        let stranger = vec![union(&format!("stranger-{n}")), openid_of(&format!("s-{n}"))];
        resolve(world, world.own, vec![stranger]).await.unwrap();
        let both = vec![union("zqxmark-union"), openid_of(&format!("s-{n}"))];
        let answer = resolve(world, world.own, vec![both]).await.unwrap().remove(0);
        assert!(answer.conflict && answer.person_id == person);
        if waits {
            continue;
        }
        let request = ListMergeReviewsRequest::default();
        let reviews = world.identity(world.own).list_merge_reviews(request).await.unwrap();
        let request = DecideMergeReviewRequest {
            review_id: reviews.into_inner().reviews[0].id.clone(),
            decision: MergeDecision::KeepApart.into(),
            note: mark("review"),
        };
        world.identity(world.own).decide_merge_review(request).await.unwrap();
    }
}

/// A key that is released, one that goes over to somebody else and back to nobody, a merge, its end, and another merge.
async fn keys_and_merges(till: &Till, person: &str, second: &str) -> String {
    let world = &till.world;
    let more = vec![openid_of("zqxmark-openid"), phone("000002")];
    resolve(world, world.own, vec![more]).await.unwrap();
    let request = ReleaseIdentityRequest {
        request_id: "rel".into(),
        identity: Some(phone("000002")),
        note: mark("sold the phone"),
    };
    world.identity(world.own).release_identity(request).await.unwrap();
    let mut merge_id = String::new();
    for (round, undo) in [("m1", true), ("m2", false)] {
        let request = MergePersonsRequest {
            request_id: round.into(),
            person_ids: vec![person.into(), second.into()],
            note: mark("merge"),
            ..Default::default()
        };
        let merged = world.identity(world.own).merge_persons(request).await.unwrap().into_inner();
        assert_eq!(merged.merges[0].note, mark("merge"));
        merge_id.clone_from(&merged.merges[0].id);
        if undo {
            let request = UnmergePersonsRequest {
                request_id: format!("u{round}"),
                merge_id: merge_id.clone(),
                note: mark("unmerge"),
            };
            world.identity(world.own).unmerge_persons(request).await.unwrap();
        }
    }
    merge_id
}

#[tokio::test]
async fn nothing_that_was_said_about_somebody_is_anywhere_after_erasing() {
    let log = logged();
    let told = everything().await;
    let world = &told.till.world;
    let before = rows_with(world, MARK).await;
    let tables: std::collections::BTreeSet<&str> =
        before.iter().filter_map(|row| row.split(':').next()).collect();
    // What stands sealed is not found even before; that a table is here shows that it had something to lose.
    let losing = [
        "connection_relics",
        "connections",
        "handovers",
        "identities",
        "merge_reviews",
        "person_attribute_relics",
        "person_attributes",
        "person_merges",
        "person_tag_relics",
        "person_tags",
        "point_notes",
        "profiles",
        "redemptions",
        "relations",
        "released_identities",
        "value_adjustments",
    ];
    let missing: Vec<&str> = losing.into_iter().filter(|table| !tables.contains(table)).collect();
    assert_eq!(missing, Vec::<&str>::new(), "{tables:?}");
    for untouched in ["event_log", "idempotency"] {
        assert!(!tables.contains(untouched), "{untouched} never had anything: {before:?}");
    }

    erase(world, &told.persons[1]).await;
    for word in [MARK, "3877000", "中山路"] {
        assert_eq!(rows_with(world, word).await, Vec::<String>::new(), "{word}");
    }
    let log = log();
    assert!(log.len() > 1000, "the log was written");
    assert!(!log.contains(MARK) && !log.contains("3877000"), "a log line tells something");
    // What others said about somebody else stays.
    assert!(!rows_with(world, "somebody-else").await.is_empty());
    assert!(world.person(world.own, &told.other).await.is_ok());
    let request =
        ListMergeReviewsRequest { state: MergeReviewState::Open.into(), ..Default::default() };
    let open = world.identity(world.own).list_merge_reviews(request).await.unwrap().into_inner();
    assert_eq!(open.reviews, [], "who has no face is nobody else");
    world.sound_ledger(world.own).await;
    assert!(allowed(&told).await.iter().all(|allowed| !allowed), "nothing is allowed any more");
}

async fn allowed(told: &Told) -> Vec<bool> {
    let world = &told.till.world;
    let request = CheckConsentsRequest {
        person_ids: told.persons.clone(),
        purpose: ConsentPurpose::Marketing.into(),
        channel: "sms".into(),
    };
    let reply = world.consents_inside(world.own).check_consents(request).await.unwrap();
    let reply = reply.into_inner();
    let withdrawn = i32::from(ConsentStatus::Withdrawn);
    assert_eq!(reply.status, vec![withdrawn; told.persons.len()]);
    reply.allowed
}

#[tokio::test]
async fn repeats_are_answered_with_what_is_left_and_nothing_is_said_anew() {
    let told = everything().await;
    let world = &told.till.world;
    let again = MergePersonsRequest {
        request_id: "m2".into(),
        person_ids: told.persons.clone(),
        note: mark("merge"),
        ..Default::default()
    };
    let reply = world.identity(world.own).merge_persons(again.clone()).await.unwrap().into_inner();
    assert_eq!(
        (reply.merges[0].id.as_str(), reply.merges[0].note.as_str()),
        (&*told.merge_id, &*mark("merge"))
    );
    let other = MergePersonsRequest { note: "another".into(), ..again };
    let refused = world.identity(world.own).merge_persons(other).await.map_err(fault).unwrap_err();
    assert_eq!(refused.reason(), "REQUEST_ID_REUSED");
    let approve = ApproveRedemptionRequest {
        request_id: "ra".into(),
        redemption_id: told.redemption_id.clone(),
    };
    let reply = told.till.redemptions("bert").approve_redemption(approve.clone()).await.unwrap();
    assert_eq!(reply.into_inner().redemption.unwrap().reason, mark("moves away"));

    erase(world, &told.persons[0]).await;
    let reply = told.till.redemptions("bert").approve_redemption(approve).await.unwrap();
    assert_eq!(reply.into_inner().redemption.unwrap().reason, "");
    for (what, result) in said_anew(&told).await {
        assert_eq!(result.unwrap_err().reason(), "PERSON_ERASED", "{what}");
    }
    let edge = Connection { source: mark("later"), ..connections::on(&told.persons[0], 99) };
    connections::record(world, world.own, vec![edge]).await.unwrap();
    let edges = connections::list(world, world.own, &told.persons[0]).await.unwrap();
    assert!(edges.iter().all(|edge| edge.source.is_empty()), "it comes and goes, from nowhere");
    assert_eq!(rows_with(world, MARK).await, Vec::<String>::new());
}

/// What would say something about somebody who was erased.
async fn said_anew(told: &Told) -> Vec<(&'static str, Result<(), Fault>)> {
    let world = &told.till.world;
    let person = told.persons[0].clone();
    let value =
        AttributeValue { person_id: person.clone(), code: "nick".into(), value: mark("new") };
    let attributes = SetPersonAttributesRequest { values: vec![value] };
    let relation = RelatePersonsRequest {
        person_id: told.other.clone(),
        other_person_id: person.clone(),
        kind: RelationKind::Companion.into(),
        source: mark("new"),
    };
    let merge = MergePersonsRequest {
        person_ids: vec![person, told.other.clone()],
        note: mark("new"),
        ..Default::default()
    };
    let unmerge = UnmergePersonsRequest {
        merge_id: told.merge_id.clone(),
        note: mark("new"),
        ..Default::default()
    };
    vec![
        (
            "attributes",
            world
                .attributes(world.own)
                .set_person_attributes(attributes)
                .await
                .map(drop)
                .map_err(fault),
        ),
        (
            "relation",
            world.households(world.own).relate_persons(relation).await.map(drop).map_err(fault),
        ),
        ("merge", world.identity(world.own).merge_persons(merge).await.map(drop).map_err(fault)),
        (
            "unmerge",
            world.identity(world.own).unmerge_persons(unmerge).await.map(drop).map_err(fault),
        ),
    ]
}
