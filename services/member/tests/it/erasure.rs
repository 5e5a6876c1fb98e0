//! Erased is erased: nothing personal is in any column, in any event, in any log line.

use std::{
    io::{self, Write},
    sync::Mutex,
};

use siyu_grpc::fault;
use siyu_kernel::Code;
use siyu_proto::member::v1::*;
use sqlx::AssertSqlSafe;
use tokio::task::JoinSet;

use crate::{
    blacklist, consents,
    persons::resolve,
    privacy::{known, reveals},
    profiles::{lei, update},
    world::{World, key, openid_of},
};

/// What must be nowhere, ever: these are sealed from the first moment.
const PERSONAL: [&str; 9] = [
    "+8613800138000",
    "13800138000",
    "private.lei",
    "李雷",
    "1990-05-17",
    "+8613912345678",
    "lei.li",
    "中山路",
    "sells coupons",
];

static LOG: Mutex<Vec<u8>> = Mutex::new(Vec::new());

struct Log;

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LOG.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What was logged, from now on, when it is asked for. The first test of the process to ask has the log; others write into it,
/// too, and none of a test's own words.
pub(crate) fn logged() -> impl FnOnce() -> String {
    let _ = tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::DEBUG)
        .with_writer(|| Log)
        .try_init();
    || String::from_utf8_lossy(&LOG.lock().unwrap()).into_owned()
}

/// Every row of every table that holds a text, in clear or as bytes.
pub(crate) async fn rows_with(world: &World, text: &str) -> Vec<String> {
    let hex = text.bytes().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
    let mut tx = world.database.db().system("test.dump").await.unwrap();
    let tables: Vec<String> = sqlx::query_scalar(
        "select tablename::text from pg_tables where schemaname = 'public' order by tablename",
    )
    .fetch_all(&mut *tx)
    .await
    .unwrap();
    assert!(tables.len() > 15, "{tables:?}");
    let mut found = Vec::new();
    for table in tables {
        let dump = format!("select t::text from {table} as t");
        let rows: Vec<String> =
            sqlx::query_scalar(AssertSqlSafe(dump)).fetch_all(&mut *tx).await.unwrap();
        let holds = |row: &&String| row.contains(text) || row.contains(&hex);
        found.extend(rows.iter().filter(holds).map(|row| format!("{table}: {row}")));
    }
    found
}

pub(crate) async fn erase(world: &World, person: &str) -> prost_types::Timestamp {
    let request =
        ErasePersonRequest { person_id: person.into(), reason: "the customer asked".into() };
    let reply = world.privacy(world.own).erase_person(request).await.unwrap().into_inner();
    reply.erase_time.unwrap()
}

#[tokio::test]
async fn no_personal_datum_stands_in_clear_and_after_erasing_no_key_either() {
    let log = logged();
    let world = World::new().await;
    let person = known(&world).await;
    let phone = key(IdentityKind::Phone, "", "+8613800138000");
    let found = FindPersonRequest { identity: Some(phone.clone()) };
    world.persons(world.own).find_person(found.clone()).await.unwrap();
    for word in PERSONAL {
        assert_eq!(rows_with(&world, word).await, Vec::<String>::new(), "{word} before");
    }
    assert!(!rows_with(&world, "o-secret").await.is_empty(), "what is there is found");

    let at = erase(&world, &person).await;
    for word in PERSONAL.into_iter().chain(["o-secret"]) {
        assert_eq!(rows_with(&world, word).await, Vec::<String>::new(), "{word} after");
    }
    let log = log();
    assert!(log.len() > 1000, "the log was written: {log}");
    for word in PERSONAL.into_iter().chain(["o-secret"]) {
        assert!(!log.contains(word), "{word} is in the log");
    }
    for sealed in ["profiles", "identity_addresses"] {
        let mut tx = world.database.db().tenant_read(world.own).await.unwrap();
        let rows = format!("select count(*) from {sealed}");
        let left: i64 = sqlx::query_scalar(AssertSqlSafe(rows)).fetch_one(&mut *tx).await.unwrap();
        assert_eq!(left, 0, "{sealed}");
    }
    let told = world.told::<PersonErased>().await;
    let fact = PersonErased { person_id: person.clone(), alias_ids: vec![], erase_time: Some(at) };
    assert_eq!(told, [(world.own, person.clone(), fact)]);

    assert_eq!(erase(&world, &person).await, at, "a repeat changes nothing");
    let refused = world.persons(world.own).find_person(found).await.map_err(fault).unwrap_err();
    assert_eq!(refused.code(), Code::NotFound);
    let again = resolve(&world, world.own, vec![vec![openid_of("o-secret"), phone]]).await.unwrap();
    assert!(again[0].created && again[0].person_id != person, "who comes again is somebody new");
    let still = world.person(world.own, &person).await.unwrap();
    assert_eq!(still.identities.len(), 3, "the ledgers' owner stays");
    assert_eq!(reveals(&world, &person).await[0].fields, ["erased"]);
    assert_eq!(erase(&world, &again[0].person_id).await, at, "the same keys are erased once more");
}

#[tokio::test]
async fn nothing_new_is_said_of_somebody_who_was_erased() {
    let world = World::new().await;
    let person = known(&world).await;
    erase(&world, &person).await;
    let refused = update(&world, world.own, &person, lei(), &[]).await.unwrap_err();
    assert_eq!((refused.code(), refused.reason()), (Code::FailedPrecondition, "PERSON_ERASED"));
    let at = siyu_kernel::Clock::now(&world.clock);
    let granted = consents::decided(&person, "sms", ConsentStatus::Granted, at);
    let refused = consents::record(&world, world.own, vec![granted]).await.unwrap_err();
    assert_eq!(refused.reason(), "PERSON_ERASED");
    let request = RevealPersonalDataRequest {
        person_id: person.clone(),
        fields: vec![PersonalField::All.into()],
        reason: "x".into(),
        ..Default::default()
    };
    let refused = world.privacy(world.own).reveal_personal_data(request).await;
    assert_eq!(refused.map_err(fault).unwrap_err().reason(), "PERSON_ERASED");
    let foreign = ErasePersonRequest { person_id: person, reason: "x".into() };
    let refused = world.privacy(world.other).erase_person(foreign).await;
    assert_eq!(refused.map_err(fault).unwrap_err().code(), Code::NotFound);
}

#[tokio::test]
async fn aliases_are_erased_with_the_person_and_a_listed_key_with_its_holder() {
    let world = World::new().await;
    let people = world.people(world.own, &["first-key", "second-key"]).await;
    update(&world, world.own, &people[1], lei(), &[]).await.unwrap();
    let by_key = BlacklistEntry {
        key: Some(openid_of("second-key")),
        ..blacklist::entry("", BlacklistScope::All)
    };
    blacklist::create(&world, world.own, by_key, "").await.unwrap();
    world.join(world.own, &people[0], &people[1]).await;
    erase(&world, &people[1]).await;
    for word in ["first-key", "second-key", "李雷"] {
        assert_eq!(rows_with(&world, word).await, Vec::<String>::new(), "{word}");
    }
    let told = world.told::<PersonErased>().await;
    assert_eq!((told[0].1.as_str(), &told[0].2.alias_ids), (&*people[0], &vec![people[1].clone()]));
    let request =
        CheckBlacklistRequest { person_ids: people, scope: BlacklistScope::Purchase.into() };
    let reply = world.blacklist(world.own).check_blacklist(request).await.unwrap().into_inner();
    assert_eq!(reply.listed, [true, true], "the person stays on the list");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn whatever_is_said_while_somebody_is_erased_is_not_left_behind() {
    let world = World::new().await;
    let keys: Vec<String> = (0..12).map(|n| format!("k{n}")).collect();
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    let people = world.people(world.own, &keys).await;
    for (n, person) in people.iter().enumerate() {
        let mut calls = JoinSet::new();
        for _ in 0..4 {
            let (mut profiles, person_id) = (world.profiles(world.own), person.clone());
            let profile = Some(lei());
            calls.spawn(async move {
                let request = UpdateProfileRequest { person_id, profile, update_mask: None };
                drop(profiles.update_profile(request).await);
            });
        }
        let (mut privacy, person_id) = (world.privacy(world.own), person.clone());
        calls.spawn(async move {
            let request = ErasePersonRequest { person_id, reason: "asked".into() };
            privacy.erase_person(request).await.unwrap();
        });
        let mut persons = world.persons(world.own);
        let more = key(IdentityKind::Phone, "", &format!("+86138001380{n:02}"));
        let identities = vec![openid_of(&format!("k{n}")), more];
        calls.spawn(async move {
            let sets = vec![IdentitySet { identities }];
            persons.resolve_persons(ResolvePersonsRequest { sets }).await.unwrap();
        });
        calls.join_all().await;
    }
    let mut tx = world.database.db().tenant_read(world.own).await.unwrap();
    let profiles: i64 =
        sqlx::query_scalar("select count(*) from profiles").fetch_one(&mut *tx).await.unwrap();
    assert_eq!(profiles, 0);
    let living_keys: i64 = sqlx::query_scalar(
        "select count(*) from identities join persons on persons.id = identities.person_id
        where erased_at is not null and value not like 'erased:%'",
    )
    .fetch_one(&mut *tx)
    .await
    .unwrap();
    assert_eq!(living_keys, 0, "who was erased has no key that finds anybody");
}
