use siyu_grpc::fault;
use siyu_kernel::{Code, Fault, kind};
use siyu_proto::member::v1::*;
use siyu_testkit::id;

use crate::{
    orders::{Orders, paid},
    world::{MerchantId, World, fields, key, openid_of},
};

pub(crate) async fn resolve(
    world: &World,
    who: MerchantId,
    sets: Vec<Vec<Identity>>,
) -> Result<Vec<ResolvedPerson>, Fault> {
    let set = |identities| IdentitySet { identities };
    let request = ResolvePersonsRequest { sets: sets.into_iter().map(set).collect() };
    let reply = world.persons(who).resolve_persons(request).await.map_err(fault)?;
    Ok(reply.into_inner().persons)
}

async fn find(world: &World, who: MerchantId, identity: Identity) -> Result<Person, Fault> {
    let request = FindPersonRequest { identity: Some(identity) };
    let reply = world.persons(who).find_person(request).await.map_err(fault)?.into_inner();
    Ok(reply.person.unwrap())
}

fn phone(number: &str) -> Identity {
    key(IdentityKind::Phone, "", number)
}

#[tokio::test]
async fn keys_that_came_together_find_one_person_for_ever() {
    let world = World::new().await;
    let (union, open) = (key(IdentityKind::Unionid, "a1", "U"), openid_of("o"));
    let first = resolve(&world, world.own, vec![vec![union.clone(), open.clone()]]).await.unwrap();
    assert!(first[0].created && !first[0].conflict);
    let again = resolve(&world, world.own, vec![vec![open], vec![union], vec![openid_of("p")]]);
    let again = again.await.unwrap();
    let created: Vec<bool> = again.iter().map(|answer| answer.created).collect();
    assert_eq!(created, [false, false, true]);
    assert!(again[..2].iter().all(|answer| answer.person_id == first[0].person_id));
    let told = world.told::<PersonCreated>().await;
    let told: Vec<&str> = told.iter().map(|(_, subject, _)| subject.as_str()).collect();
    assert_eq!(told, [&first[0].person_id, &again[2].person_id]);
}

#[tokio::test]
async fn phones_and_addresses_are_found_as_given_and_shown_masked() {
    let world = World::new().await;
    let address = key(IdentityKind::Email, "", "anna.li@Shop.CN");
    let keys = vec![phone("+8613800138000"), address, openid_of("oABC")];
    let made = resolve(&world, world.own, vec![keys]).await.unwrap().remove(0);
    for known in [phone("+8613800138000"), key(IdentityKind::Email, "", "anna.li@shop.cn")] {
        let person = find(&world, world.own, known).await.unwrap();
        assert_eq!(person.id, made.person_id);
        let shown: Vec<&str> = person.identities.iter().map(|k| k.value.as_str()).collect();
        assert_eq!(shown, ["a***@shop.cn", "oABC", "+86***8000"]);
    }
    let request = GetPersonRequest { person_id: made.person_id.clone(), brief: true };
    let brief = world.persons(world.own).get_person(request).await.unwrap().into_inner();
    let whole = world.person(world.own, &made.person_id).await.unwrap();
    let expected = Person { identities: Vec::new(), ..whole };
    assert_eq!(brief.person, Some(expected), "who has no points is without keys then");
    let masked = find(&world, world.own, phone("+8613800138001")).await.unwrap_err();
    assert_eq!((masked.code(), masked.message()), (Code::NotFound, "person not found"));
}

#[tokio::test]
async fn addresses_of_an_earlier_version_are_concealed_at_the_start() {
    let world = World::new().await;
    let made = world.people(world.own, &["o"]).await.remove(0);
    let mut tx = world.database.db().tenant(world.own).await.unwrap();
    for (kind, value) in [("phone", "+8613800138000"), ("email", "anna.li@shop.cn")] {
        sqlx::query(
            "insert into identities (merchant_id, kind, scope, value, person_id, created_at)
            select merchant_id, $2, '', $3, person_id, created_at from identities where merchant_id = $1 limit 1",
        )
        .bind(world.own)
        .bind(kind)
        .bind(value)
        .execute(&mut *tx)
        .await
        .unwrap();
    }
    tx.commit().await.unwrap();
    for _ in 0..2 {
        world.app.prepare().await.unwrap();
        let person = find(&world, world.own, phone("+8613800138000")).await.unwrap();
        assert_eq!(person.id, made);
        let shown: Vec<&str> = person.identities.iter().map(|k| k.value.as_str()).collect();
        assert_eq!(shown, ["a***@shop.cn", "o", "+86***8000"]);
    }
}

#[tokio::test]
async fn every_bad_key_is_named_by_its_place() {
    let world = World::new().await;
    for (bad, field) in [
        (phone("13800138000"), "value"),
        (key(IdentityKind::Phone, "x", "+8613800138000"), "scope"),
        (key(IdentityKind::Openid, "", "o"), "scope"),
        (key(IdentityKind::Email, "", "nobody"), "value"),
        (Identity { kind: 77, ..openid_of("o") }, "kind"),
    ] {
        let sets = vec![vec![openid_of("fine")], vec![openid_of("fine"), bad.clone()]];
        let refused = resolve(&world, world.own, sets).await.unwrap_err();
        assert_eq!(fields(&refused), [format!("sets[1].identities[1].{field}")], "{bad:?}");
        let refused = find(&world, world.own, bad).await.unwrap_err();
        assert_eq!(fields(&refused), [format!("identity.{field}")]);
    }
    assert_eq!(world.told::<PersonCreated>().await, [], "nothing of a refused request is kept");
}

#[tokio::test]
async fn one_key_is_another_person_at_another_merchant() {
    let world = World::new().await;
    let ours = world.people(world.own, &["o"]).await.remove(0);
    let theirs = world.people(world.other, &["o"]).await.remove(0);
    assert_ne!(ours, theirs);
    let unknown = id::<kind::Person>(1).to_string();
    let foreign = world.person(world.own, &theirs).await.unwrap_err();
    let unknown = world.person(world.own, &unknown).await.unwrap_err();
    assert_eq!((foreign.code(), foreign.message()), (unknown.code(), unknown.message()));
    assert_eq!((foreign.reason(), foreign.metadata()), (unknown.reason(), unknown.metadata()));
    let list = ListPersonsRequest::default();
    let shown = world.persons(world.own).list_persons(list).await.unwrap().into_inner().persons;
    assert_eq!(shown.iter().map(|person| &person.id).collect::<Vec<_>>(), [&ours]);
}

#[tokio::test]
async fn persons_are_listed_in_pages_though_more_come_meanwhile() {
    let world = World::new().await;
    let mut made = world.people(world.own, &["a", "b", "c"]).await;
    let mut request = ListPersonsRequest { page_size: 2, ..Default::default() };
    let page = world.persons(world.own).list_persons(request.clone()).await.unwrap().into_inner();
    let mut seen: Vec<String> = page.persons.into_iter().map(|person| person.id).collect();
    made.extend(world.people(world.own, &["d", "e"]).await);
    request.page_token = page.next_page_token;
    request.page_size = 1000;
    let rest = world.persons(world.own).list_persons(request).await.unwrap().into_inner();
    seen.extend(rest.persons.into_iter().map(|person| person.id));
    assert_eq!((seen, rest.next_page_token.as_str()), (made, ""));
}

#[tokio::test]
async fn persons_are_sorted_and_filtered_from_the_first_to_the_last() {
    let world = World::new().await;
    let orders = Orders::new(&world).await;
    let people = world.people(world.own, &["a", "b", "c", "d"]).await;
    let bought = [(1, 1, 90_000), (2, 3, 10_000), (3, 2, 90_000)];
    for (order, person, minor) in bought {
        orders.tell(world.own, &[paid(order, &people[person], minor)]).await;
    }
    let listed = async |asked: ListPersonsRequest| {
        let mut request = ListPersonsRequest { page_size: 1, ..asked };
        let mut seen = Vec::new();
        loop {
            let page = world.persons(world.own).list_persons(request.clone()).await;
            let page = page.unwrap().into_inner();
            let place = |person: Person| people.iter().position(|id| *id == person.id).unwrap();
            seen.extend(page.persons.into_iter().map(place));
            if page.next_page_token.is_empty() {
                return seen;
            }
            request.page_token = page.next_page_token;
        }
    };
    let by = |sort: PersonSort| ListPersonsRequest { sort: sort.into(), ..Default::default() };
    assert_eq!(listed(by(PersonSort::Unspecified)).await, [0, 1, 2, 3]);
    assert_eq!(listed(by(PersonSort::Newest)).await, [3, 2, 1, 0]);
    assert_eq!(listed(by(PersonSort::Growth)).await, [2, 1, 3, 0]);
    let rich = ListPersonsRequest { growth_min: 1, ..by(PersonSort::Growth) };
    assert_eq!(listed(rich).await, [2, 1, 3]);
    let none = ListPersonsRequest { tier_min: 99, ..by(PersonSort::Newest) };
    assert!(listed(none).await.is_empty());
    let page = ListPersonsRequest { page_size: 1, ..by(PersonSort::Growth) };
    let page = world.persons(world.own).list_persons(page).await.unwrap().into_inner();
    let other = ListPersonsRequest { page_token: page.next_page_token, ..Default::default() };
    let refused = world.persons(world.own).list_persons(other).await.map_err(fault).unwrap_err();
    assert_eq!(refused.violations()[0].field, "page_token", "a token is good for its sequence");
}
