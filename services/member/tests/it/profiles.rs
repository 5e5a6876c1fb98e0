//! What is known of persons besides keys: sealed, masked where it is shown, and one profile of two persons who are one.

use siyu_grpc::fault;
use siyu_kernel::{Code, Fault, kind};
use siyu_proto::member::v1::*;
use siyu_testkit::id;

use crate::world::{MerchantId, World, fields};

pub(crate) async fn update(
    world: &World,
    who: MerchantId,
    person: &str,
    profile: Profile,
    paths: &[&str],
) -> Result<Profile, Fault> {
    let mask = prost_types::FieldMask { paths: paths.iter().map(ToString::to_string).collect() };
    let request = UpdateProfileRequest {
        person_id: person.into(),
        profile: Some(profile),
        update_mask: (!paths.is_empty()).then_some(mask),
    };
    let reply = world.profiles(who).update_profile(request).await.map_err(fault)?;
    Ok(reply.into_inner().profile.unwrap())
}

async fn get(world: &World, who: MerchantId, person: &str) -> Result<Profile, Fault> {
    let request = GetProfileRequest { person_id: person.into() };
    let reply = world.profiles(who).get_profile(request).await.map_err(fault)?;
    Ok(reply.into_inner().profile.unwrap())
}

pub(crate) fn lei() -> Profile {
    Profile {
        name: "李雷".into(),
        nickname: "Lei".into(),
        gender: Gender::Male.into(),
        birthday: "1990-05-17".into(),
        phone: "+8613912345678".into(),
        email: "lei.li@shop.cn".into(),
        city: "上海".into(),
        address: "中山路 1 号".into(),
        ..Default::default()
    }
}

#[tokio::test]
async fn a_profile_is_shown_masked_and_changed_field_by_field() {
    let world = World::new().await;
    let person = world.people(world.own, &["o"]).await.remove(0);
    assert_eq!(get(&world, world.own, &person).await.unwrap(), Profile::default());
    update(&world, world.own, &person, lei(), &[]).await.unwrap();
    let shown = get(&world, world.own, &person).await.unwrap();
    let personal = [&shown.name, &shown.birthday, &shown.phone, &shown.email, &shown.address];
    assert_eq!(personal, ["李**", "****-05-**", "+86***5678", "l***@shop.cn", "***"]);
    assert_eq!((shown.nickname.as_str(), shown.city.as_str()), ("Lei", "上海"));

    let han = Profile { nickname: "Han".into(), ..Default::default() };
    let changed = update(&world, world.own, &person, han.clone(), &["nickname", "city"]).await;
    let changed = changed.unwrap();
    assert_eq!((changed.nickname.as_str(), changed.city.as_str()), ("Han", ""));
    assert_eq!(changed.name, "李**", "what the mask does not name stays");
    update(&world, world.own, &person, han, &["nickname", "city"]).await.unwrap();
    let told: Vec<Vec<String>> =
        world.told::<ProfileChanged>().await.into_iter().map(|(_, _, fact)| fact.fields).collect();
    assert_eq!(told.len(), 2, "the same again is no change: {told:?}");
    assert_eq!(told[1], ["nickname", "city"]);
}

#[tokio::test]
async fn a_profile_of_another_merchant_is_not_there() {
    let world = World::new().await;
    let theirs = world.people(world.other, &["o"]).await.remove(0);
    update(&world, world.other, &theirs, lei(), &[]).await.unwrap();
    let unknown = id::<kind::Person>(1).to_string();
    for person in [&theirs, &unknown] {
        let refused = get(&world, world.own, person).await.unwrap_err();
        assert_eq!((refused.code(), refused.message()), (Code::NotFound, "person not found"));
        let refused = update(&world, world.own, person, lei(), &[]).await.unwrap_err();
        assert_eq!((refused.code(), refused.message()), (Code::NotFound, "person not found"));
    }
    assert_eq!(get(&world, world.other, &theirs).await.unwrap().nickname, "Lei");
}

#[tokio::test]
async fn what_a_profile_cannot_hold_is_refused_by_field() {
    let world = World::new().await;
    let person = world.people(world.own, &["o"]).await.remove(0);
    let bad = Profile { birthday: "17.5.1990".into(), phone: "139".into(), ..lei() };
    let refused = update(&world, world.own, &person, bad, &[]).await.unwrap_err();
    assert_eq!(fields(&refused), ["profile.birthday", "profile.phone"]);
    let refused = update(&world, world.own, &person, lei(), &["shoe_size"]).await.unwrap_err();
    assert_eq!(fields(&refused), ["update_mask"]);
}

#[tokio::test]
async fn a_merge_fills_gaps_and_its_end_takes_them_back() {
    let world = World::new().await;
    let two = world.people(world.own, &["a", "b"]).await;
    let (first, second) = (&two[0], &two[1]);
    let han = Profile { nickname: "Han".into(), ..Default::default() };
    update(&world, world.own, first, han, &[]).await.unwrap();
    world.clock.advance(chrono::TimeDelta::minutes(1));
    let city = Profile { city: "杭州".into(), nickname: "Mei".into(), ..Default::default() };
    update(&world, world.own, second, city, &[]).await.unwrap();
    let merge = world.join(world.own, first, second).await;
    for person in [first, second] {
        let shown = get(&world, world.own, person).await.unwrap();
        let told = (shown.nickname.as_str(), shown.city.as_str());
        assert_eq!(told, ("Mei", "杭州"), "the latest word counts");
    }
    world.part(world.own, &merge).await;
    let shown = get(&world, world.own, first).await.unwrap();
    assert_eq!((shown.nickname.as_str(), shown.city.as_str()), ("Han", ""));
    let shown = get(&world, world.own, second).await.unwrap();
    assert_eq!((shown.nickname.as_str(), shown.city.as_str()), ("Mei", "杭州"));

    // What is cleared after a merge stays cleared, though the alias had said it.
    world.join(world.own, first, second).await;
    world.clock.advance(chrono::TimeDelta::minutes(1));
    update(&world, world.own, second, Profile::default(), &["city"]).await.unwrap();
    assert_eq!(get(&world, world.own, first).await.unwrap().city, "");
}

/// The persons for whom a condition on the profile holds.
async fn found(world: &World, field: &str, values: &[&str]) -> Vec<String> {
    let condition = Condition {
        field: field.into(),
        operator: Operator::In.into(),
        values: values.iter().map(ToString::to_string).collect(),
        ..Default::default()
    };
    let filter = Filter { conditions: vec![condition], ..Default::default() };
    let audience = Audience { name: field.into(), filter: Some(filter), ..Default::default() };
    let request = CreateAudienceRequest { audience: Some(audience), ..Default::default() };
    let made = world.audiences(world.own).create_audience(request).await.unwrap().into_inner();
    let audience_id = made.audience.unwrap().id;
    let request =
        ListAudienceMembersRequest { audience_id: audience_id.clone(), ..Default::default() };
    let members = world.audiences(world.own).list_audience_members(request).await.unwrap();
    let request = DeleteAudienceRequest { audience_id };
    world.audiences(world.own).delete_audience(request).await.unwrap();
    members.into_inner().person_ids
}

#[tokio::test]
async fn persons_are_found_by_the_profile_that_is_shown_merged_or_not() {
    let world = World::new().await;
    let people = world.people(world.own, &["a", "b"]).await;
    let (a, b) = (people[0].as_str(), people[1].as_str());
    let said = |city: &str, gender: Gender| Profile {
        city: city.into(),
        gender: gender.into(),
        ..Default::default()
    };
    update(&world, world.own, a, said("Nanjing", Gender::Unspecified), &[]).await.unwrap();
    world.clock.advance(chrono::TimeDelta::seconds(1));
    update(&world, world.own, b, said("Suzhou", Gender::Female), &[]).await.unwrap();
    assert_eq!(found(&world, "profile.city", &["Nanjing"]).await, [a]);
    let merge = world.join(world.own, a, b).await;
    // The newest word counts, and gaps are filled: as the profile is shown.
    assert_eq!(get(&world, world.own, a).await.unwrap().city, "Suzhou");
    assert_eq!(found(&world, "profile.city", &["Nanjing"]).await, Vec::<String>::new());
    assert_eq!(found(&world, "profile.city", &["Suzhou"]).await, [a]);
    assert_eq!(found(&world, "profile.gender", &["female"]).await, [a]);
    // What is cleared for both is not found by the alias's word.
    update(&world, world.own, a, Profile::default(), &["gender"]).await.unwrap();
    assert_eq!(found(&world, "profile.gender", &["female"]).await, Vec::<String>::new());
    world.part(world.own, &merge).await;
    assert_eq!(found(&world, "profile.gender", &["female"]).await, [b], "it was only b's");
    assert_eq!(found(&world, "profile.city", &["Suzhou"]).await.len(), 2, "a took it over");
}

#[tokio::test]
async fn profiles_of_an_earlier_version_are_found_by_birthday_after_the_start() {
    let world = World::new().await;
    let people = world.people(world.own, &["a", "b"]).await;
    let born = |day: &str| Profile { birthday: day.into(), ..Default::default() };
    // The clock stands at eight in the morning of 1 June, in Shanghai.
    update(&world, world.own, &people[0], born("--06-03"), &[]).await.unwrap();
    update(&world, world.own, &people[1], born("1990-06-01"), &[]).await.unwrap();
    let mut tx = world.database.db().tenant(world.own).await.unwrap();
    for sql in ["update profiles set birth_digest = null", "delete from person_traits"] {
        sqlx::query(sql).execute(&mut *tx).await.unwrap();
    }
    tx.commit().await.unwrap();
    assert_eq!(found(&world, "profile.birthday_days", &["0", "2"]).await, Vec::<String>::new());
    for _ in 0..2 {
        world.app.prepare().await.unwrap();
    }
    assert_eq!(found(&world, "profile.birthday_days", &["2"]).await, [people[0].as_str()]);
    assert_eq!(found(&world, "profile.birthday_days", &["0"]).await, [people[1].as_str()]);
    assert_eq!(found(&world, "profile.birth_month", &["6"]).await.len(), 2);
    let mut tx = world.database.db().tenant_read(world.own).await.unwrap();
    let clear: i64 = sqlx::query_scalar(
        "select count(*) from person_traits t where t::text like '%06-0%' or t::text like '%0603%'",
    )
    .fetch_one(&mut *tx)
    .await
    .unwrap();
    assert_eq!(clear, 0, "the day stands nowhere");
}
