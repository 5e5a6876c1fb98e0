//! Audiences over their methods: saved, counted, listed, streamed and frozen.

use siyu_grpc::fault;
use siyu_kernel::{Code, Fault, kind};
use siyu_proto::member::v1::*;
use siyu_testkit::id;

use crate::{
    orders::{Orders, paid},
    world::{MerchantId, World, fields},
};

pub(crate) fn condition(field: &str, operator: Operator, values: &[&str]) -> Filter {
    let condition = Condition {
        field: field.into(),
        operator: operator.into(),
        values: values.iter().map(|&value| value.to_owned()).collect(),
        ..Default::default()
    };
    Filter { conditions: vec![condition], ..Default::default() }
}

async fn create(
    world: &World,
    who: MerchantId,
    name: &str,
    filter: Filter,
) -> Result<Audience, Fault> {
    let audience = Audience { name: name.into(), filter: Some(filter), ..Default::default() };
    let request = CreateAudienceRequest { audience: Some(audience), ..Default::default() };
    let reply = world.audiences(who).create_audience(request).await.map_err(fault)?;
    Ok(reply.into_inner().audience.unwrap())
}

async fn count(world: &World, who: MerchantId, audience_id: &str) -> Result<i64, Fault> {
    let request = CountAudienceRequest { audience_id: audience_id.into(), filter: None };
    let reply = world.audiences(who).count_audience(request).await.map_err(fault)?;
    Ok(reply.into_inner().count)
}

async fn listed(world: &World, audience_id: &str, snapshot_id: &str, size: i32) -> Vec<String> {
    let mut request = ListAudienceMembersRequest {
        audience_id: audience_id.into(),
        snapshot_id: snapshot_id.into(),
        page_size: size,
        ..Default::default()
    };
    let mut all = Vec::new();
    loop {
        let reply = world.audiences(world.own).list_audience_members(request.clone()).await;
        let page = reply.unwrap().into_inner();
        assert!(page.person_ids.len() <= usize::try_from(size).unwrap());
        all.extend(page.person_ids);
        if page.next_page_token.is_empty() {
            return all;
        }
        request.page_token = page.next_page_token;
    }
}

async fn streamed(world: &World, request: StreamAudienceMembersRequest) -> Vec<String> {
    let reply = world.audiences(world.own).stream_audience_members(request).await.unwrap();
    let (mut stream, mut all) = (reply.into_inner(), Vec::new());
    while let Some(some) = stream.message().await.unwrap() {
        assert!(!some.person_ids.is_empty());
        all.extend(some.person_ids);
    }
    all
}

/// Thirty persons of whom every third bought something, in the order of their ids.
async fn start() -> (World, Orders, Vec<String>, Vec<String>) {
    let world = World::new().await;
    let orders = Orders::new(&world).await;
    let names: Vec<String> = (0..30).map(|n| format!("p{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut people = world.people(world.own, &names).await;
    people.sort();
    let buyers: Vec<String> = people.iter().step_by(3).cloned().collect();
    let told: Vec<_> = (1..).zip(&buyers).map(|(n, buyer)| paid(n, buyer, 10_000)).collect();
    orders.tell(world.own, &told).await;
    (world, orders, people, buyers)
}

#[tokio::test]
async fn an_audience_is_counted_listed_and_streamed_as_it_is_now() {
    let (world, orders, people, buyers) = start().await;
    let bought = condition("orders.count", Operator::AtLeast, &["1"]);
    let audience = create(&world, world.own, "buyers", bought).await.unwrap();
    assert_eq!(count(&world, world.own, &audience.id).await.unwrap(), 10);
    for size in [1, 3, 10, 1000] {
        assert_eq!(listed(&world, &audience.id, "", size).await, buyers, "pages of {size}");
    }
    let request =
        StreamAudienceMembersRequest { audience_id: audience.id.clone(), ..Default::default() };
    assert_eq!(streamed(&world, request.clone()).await, buyers);
    let after = StreamAudienceMembersRequest { after_person_id: buyers[6].clone(), ..request };
    assert_eq!(streamed(&world, after).await, buyers[7..], "a stream goes on where it broke");
    orders.tell(world.own, &[paid(99, &people[1], 5)]).await;
    assert_eq!(count(&world, world.own, &audience.id).await.unwrap(), 11);
}

#[tokio::test]
async fn a_snapshot_keeps_who_was_there() {
    let (world, orders, people, buyers) = start().await;
    let bought = condition("orders.spend", Operator::Above, &["0"]);
    let audience = create(&world, world.own, "buyers", bought).await.unwrap();
    let request =
        SnapshotAudienceRequest { audience_id: audience.id.clone(), request_id: "once".into() };
    let take = || world.audiences(world.own);
    let snapshot = take().snapshot_audience(request.clone()).await.unwrap().into_inner();
    let snapshot = snapshot.snapshot.unwrap();
    assert_eq!((snapshot.count, &snapshot.audience_id), (10, &audience.id));
    orders.tell(world.own, &[paid(99, &people[1], 5)]).await;
    let again = take().snapshot_audience(request).await.unwrap().into_inner().snapshot.unwrap();
    assert_eq!(again, snapshot, "a repeat returns the first");
    let request = DeleteAudienceRequest { audience_id: audience.id };
    take().delete_audience(request).await.unwrap();
    for size in [1, 4, 1000] {
        assert_eq!(listed(&world, "", &snapshot.id, size).await, buyers, "pages of {size}");
    }
    let request = StreamAudienceMembersRequest { snapshot_id: snapshot.id, ..Default::default() };
    assert_eq!(streamed(&world, request).await, buyers);
}

#[tokio::test]
async fn an_audience_is_changed_and_deleted_and_its_name_is_its_own() {
    let world = World::new().await;
    let first = create(&world, world.own, "all", Filter::default()).await.unwrap();
    let second = create(&world, world.own, "none", Filter::default()).await.unwrap();
    let taken = create(&world, world.own, "all", Filter::default()).await.unwrap_err();
    assert_eq!(taken.reason(), "AUDIENCE_NAME_TAKEN");
    let update = |audience_id: &str, name: &str, filter: Filter| UpdateAudienceRequest {
        audience_id: audience_id.into(),
        audience: Some(Audience { name: name.into(), filter: Some(filter), ..Default::default() }),
    };
    let nobody = Filter { r#match: Match::Any.into(), ..Default::default() };
    let request = update(&second.id, "all", nobody.clone());
    let taken = world.audiences(world.own).update_audience(request).await.map_err(fault);
    assert_eq!(taken.unwrap_err().reason(), "AUDIENCE_NAME_TAKEN");
    let request = update(&second.id, "nobody", nobody.clone());
    let changed = world.audiences(world.own).update_audience(request).await.unwrap().into_inner();
    assert_eq!(changed.audience.unwrap().filter, Some(nobody));
    let request = ListAudiencesRequest::default();
    let all = world.audiences(world.own).list_audiences(request).await.unwrap().into_inner();
    let names: Vec<&str> = all.audiences.iter().map(|audience| audience.name.as_str()).collect();
    assert_eq!(names, ["all", "nobody"]);
    let request = DeleteAudienceRequest { audience_id: first.id.clone() };
    world.audiences(world.own).delete_audience(request.clone()).await.unwrap();
    let gone = world.audiences(world.own).delete_audience(request).await.map_err(fault);
    assert_eq!(gone.unwrap_err().code(), Code::NotFound);
}

#[tokio::test]
async fn an_audience_of_another_merchant_is_answered_like_none() {
    let (world, _, _, buyers) = start().await;
    let theirs = create(&world, world.other, "all", Filter::default()).await.unwrap();
    let unknown = id::<kind::Audience>(7).to_string();
    let of = async |id: &str| count(&world, world.own, id).await.unwrap_err();
    let (foreign, nobodys) = (of(&theirs.id).await, of(&unknown).await);
    assert_eq!((foreign.code(), foreign.message()), (nobodys.code(), nobodys.message()));
    assert_eq!(count(&world, world.other, &theirs.id).await.unwrap(), 0, "nobody of ours");
    // A person of ours, named by them, is nobody.
    let filter = condition("person.id", Operator::In, &[&buyers[0]]);
    let named = create(&world, world.other, "named", filter).await.unwrap();
    assert_eq!(count(&world, world.other, &named.id).await.unwrap(), 0);
}

#[tokio::test]
async fn a_filter_that_cannot_be_read_is_not_saved() {
    let world = World::new().await;
    let wrong = condition("orders.count", Operator::AtLeast, &["many"]);
    let refused = create(&world, world.own, "x", wrong.clone()).await.unwrap_err();
    assert_eq!(fields(&refused), ["audience.filter.conditions[0].values[0]"]);
    let request = CountAudienceRequest { audience_id: String::new(), filter: Some(wrong) };
    let refused = world.audiences(world.own).count_audience(request).await.map_err(fault);
    assert_eq!(fields(&refused.unwrap_err()), ["filter.conditions[0].values[0]"]);
}

#[tokio::test]
async fn every_field_is_described() {
    let world = World::new().await;
    let reply = world.audiences(world.own).describe_fields(DescribeFieldsRequest {}).await;
    let described = reply.unwrap().into_inner().fields;
    assert_eq!(described.len(), siyu_member::filter::catalogue::FIELDS.len());
    let of = |name: &str| described.iter().find(|field| field.name == name).unwrap();
    assert_eq!(of("lifecycle.dormancy").choices.len(), 5);
    assert!(of("orders.spend").windowed && of("category.spend").argument == "the category");
}
