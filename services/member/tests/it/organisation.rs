//! Regions, what a store belongs to and cost, who works where, and who may see what.

use siyu_grpc::fault;
use siyu_kernel::{Code, Fault, kind};
use siyu_proto::{member::v1::*, r#type::v1::Money};
use siyu_testkit::id;
use tokio::task::JoinSet;

use crate::{
    stores::{store, try_upsert, upsert},
    world::{World, fields},
};

fn region(code: &str, parent_code: &str) -> Region {
    Region {
        code: code.into(),
        name: format!("region {code}"),
        parent_code: parent_code.into(),
        ..Default::default()
    }
}

async fn put(world: &World, regions: Vec<Region>) -> Result<Vec<Region>, Fault> {
    let request = UpsertRegionsRequest { regions };
    let reply = world.regions(world.own).upsert_regions(request).await.map_err(fault)?;
    Ok(reply.into_inner().regions)
}

async fn codes(world: &World) -> Vec<(String, String)> {
    let mut request = ListRegionsRequest { page_size: 2, ..Default::default() };
    let mut all = Vec::new();
    loop {
        let reply = world.regions(world.own).list_regions(request.clone()).await.unwrap();
        let page = reply.into_inner();
        all.extend(page.regions.into_iter().map(|region| (region.code, region.parent_code)));
        if page.next_page_token.is_empty() {
            return all;
        }
        request.page_token = page.next_page_token;
    }
}

/// Adds an employee; answers with what stands.
pub(crate) async fn hire(world: &World, staff: Staff) -> Result<Staff, Fault> {
    let request = CreateStaffRequest { staff: Some(staff), ..Default::default() };
    let reply = world.staff(world.own).create_staff(request).await.map_err(fault)?;
    Ok(reply.into_inner().staff.unwrap())
}

/// A guide who works in a store, or in none.
pub(crate) async fn guide(world: &World, code: &str, store_id: &str) -> String {
    let staff = Staff {
        code: code.into(),
        name: code.into(),
        store_id: store_id.into(),
        ..Default::default()
    };
    hire(world, staff).await.unwrap().id
}

pub(crate) async fn leave(world: &World, staff_id: &str) -> Result<Staff, Fault> {
    let request = EndEmploymentRequest { staff_id: staff_id.into(), ..Default::default() };
    let reply = world.staff(world.own).end_employment(request).await.map_err(fault)?;
    Ok(reply.into_inner().staff.unwrap())
}

async fn reached(world: &World, staff_id: &str) -> Vec<String> {
    let mut request = ListReachableStoresRequest {
        staff_id: staff_id.into(),
        page_size: 1,
        ..Default::default()
    };
    let mut all = Vec::new();
    loop {
        let reply = world.staff(world.own).list_reachable_stores(request.clone()).await.unwrap();
        let page = reply.into_inner();
        all.extend(page.stores.into_iter().map(|store| store.code));
        if page.next_page_token.is_empty() {
            return all;
        }
        request.page_token = page.next_page_token;
    }
}

#[tokio::test]
async fn regions_form_a_tree_that_is_changed_as_a_whole() {
    let world = World::new().await;
    let made = put(
        &world,
        vec![region("sh", "east"), region("east", ""), region("bj", "north"), region("north", "")],
    );
    let made = made.await.unwrap();
    assert_eq!(made[0].parent_code, "east");
    let tree = [("bj", "north"), ("east", ""), ("north", ""), ("sh", "east")];
    let tree = tree.map(|(code, parent)| (code.to_owned(), parent.to_owned()));
    assert_eq!(codes(&world).await, tree);
    assert_eq!(world.told::<RegionChanged>().await.len(), 4);

    let circle = put(&world, vec![region("x", ""), region("east", "sh")]).await.unwrap_err();
    assert_eq!((circle.code(), circle.reason()), (Code::FailedPrecondition, "REGION_CYCLE"));
    let orphan = put(&world, vec![region("x", "nowhere")]).await.unwrap_err();
    assert_eq!((orphan.code(), orphan.message()), (Code::NotFound, "region not found"));
    let twice = put(&world, vec![region("x", ""), region("x", "")]).await.unwrap_err();
    assert_eq!(fields(&twice), ["regions[1].code"]);
    assert_eq!(codes(&world).await, tree);
    // The same again is no news.
    put(&world, vec![region("sh", "east")]).await.unwrap();
    assert_eq!(world.told::<RegionChanged>().await.len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_who_would_close_a_circle_together_do_not() {
    let world = World::new().await;
    put(&world, vec![region("a", ""), region("b", "")]).await.unwrap();
    let mut calls = JoinSet::new();
    for n in 0..8 {
        let mut client = world.regions(world.own);
        let (code, parent) = if n % 2 == 0 { ("a", "b") } else { ("b", "a") };
        let request = UpsertRegionsRequest { regions: vec![region(code, parent)] };
        calls.spawn(async move { client.upsert_regions(request).await.map_err(fault).err() });
    }
    let refused: Vec<Fault> = calls.join_all().await.into_iter().flatten().collect();
    assert!(refused.iter().all(|fault| fault.reason() == "REGION_CYCLE"), "{refused:?}");
    assert_eq!(refused.len(), 4);
    let roots = codes(&world).await.into_iter().filter(|(_, parent)| parent.is_empty()).count();
    assert_eq!(roots, 1);
}

#[tokio::test]
async fn a_store_keeps_region_and_cost_when_a_caller_does_not_know_them() {
    let world = World::new().await;
    let east = put(&world, vec![region("east", "")]).await.unwrap().remove(0);
    let cost = |code: &str, minor| Money { currency_code: code.into(), minor_units: minor };
    let full = Store {
        region_id: Some(east.id.clone()),
        opening_cost: Some(cost("CNY", 8_800_000)),
        ..store("S1")
    };
    let made = try_upsert(&world, world.own, vec![full]).await.unwrap().remove(0);
    assert_eq!(made.region_id(), east.id);
    assert_eq!(made.opening_cost, Some(cost("CNY", 8_800_000)));
    let old_client = Store { name: "renamed".into(), ..store("S1") };
    let kept = try_upsert(&world, world.own, vec![old_client]).await.unwrap().remove(0);
    assert_eq!((kept.name.as_str(), kept.region_id()), ("renamed", east.id.as_str()));
    assert_eq!(kept.opening_cost, Some(cost("CNY", 8_800_000)));
    let none = Store { region_id: Some(String::new()), ..store("S1") };
    let none = try_upsert(&world, world.own, vec![none]).await.unwrap().remove(0);
    assert_eq!(none.region_id(), "");

    let bad = Store { opening_cost: Some(cost("USD", 1)), ..store("S2") };
    let negative = Store { opening_cost: Some(cost("CNY", -1)), ..store("S3") };
    let refused = try_upsert(&world, world.own, vec![bad, negative]).await.unwrap_err();
    let named = ["stores[0].opening_cost.currency_code", "stores[1].opening_cost.minor_units"];
    assert_eq!(fields(&refused), named);
    let unknown = Store { region_id: Some(id::<kind::Region>(7).to_string()), ..store("S4") };
    let refused = try_upsert(&world, world.own, vec![unknown]).await.unwrap_err();
    assert_eq!((refused.code(), refused.message()), (Code::NotFound, "region not found"));
}

#[tokio::test]
async fn everybody_reaches_the_stores_of_their_place_in_the_tree() {
    let world = World::new().await;
    let regions = vec![region("east", ""), region("sh", "east"), region("pudong", "sh")];
    let regions = put(&world, regions).await.unwrap();
    let places = [("A", Some(0)), ("B", Some(1)), ("C", Some(2)), ("D", None)];
    let places = places.map(|(code, at)| Store {
        region_id: at.map(|n: usize| regions[n].id.clone()),
        ..store(code)
    });
    let stores = try_upsert(&world, world.own, places.into()).await.unwrap();
    let staff = |code: &str, role: StaffRole| Staff {
        code: code.into(),
        name: code.into(),
        role: role.into(),
        ..Default::default()
    };
    let boss = hire(&world, staff("boss", StaffRole::Headquarters)).await.unwrap();
    let manager = Staff {
        region_id: regions[1].id.clone(),
        store_id: stores[3].id.clone(),
        ..staff("rm", StaffRole::RegionManager)
    };
    let manager = hire(&world, manager).await.unwrap();
    let guide = Staff {
        store_id: stores[0].id.clone(),
        further_store_ids: vec![stores[2].id.clone(), stores[0].id.clone()],
        wecom_userid: "wf".into(),
        ..staff("g", StaffRole::Guide)
    };
    let guide = hire(&world, guide).await.unwrap();
    assert_eq!(guide.further_store_ids, [stores[2].id.clone()]);
    assert_eq!(reached(&world, &boss.id).await, ["A", "B", "C", "D"]);
    assert_eq!(reached(&world, &manager.id).await, ["B", "C", "D"]);
    assert_eq!(reached(&world, &guide.id).await, ["A", "C"]);
    let left = leave(&world, &guide.id).await.unwrap();
    assert!(left.leave_time.is_some());
    assert_eq!(reached(&world, &guide.id).await, Vec::<String>::new());
    // The userid is free again, the code is not.
    let next = Staff { wecom_userid: "wf".into(), ..staff("g2", StaffRole::Guide) };
    hire(&world, next.clone()).await.unwrap();
    let taken = hire(&world, Staff { code: "g3".into(), ..next }).await.unwrap_err();
    assert_eq!((taken.code(), taken.reason()), (Code::AlreadyExists, "WECOM_USERID_TAKEN"));
    let lost = hire(&world, staff("rm2", StaffRole::RegionManager)).await.unwrap_err();
    assert_eq!(fields(&lost), ["staff.region_id"]);
}

#[tokio::test]
async fn employees_are_changed_until_they_left_and_found_by_what_they_do() {
    let world = World::new().await;
    let stores = upsert(&world, world.own, &["A", "B"]).await;
    let one = guide(&world, "one", &stores[0].id).await;
    let two = guide(&world, "two", &stores[1].id).await;
    let change = |staff: Staff| UpdateStaffRequest {
        staff_id: one.clone(),
        staff: Some(staff),
        ..Default::default()
    };
    let managed = Staff {
        code: "one".into(),
        name: "One".into(),
        role: StaffRole::StoreManager.into(),
        store_id: stores[0].id.clone(),
        further_store_ids: vec![stores[1].id.clone()],
        ..Default::default()
    };
    let reply = world.staff(world.own).update_staff(change(managed.clone())).await.unwrap();
    let stands = reply.into_inner().staff.unwrap();
    assert_eq!((stands.role(), stands.name.as_str()), (StaffRole::StoreManager, "One"));
    let renamed = Staff { code: "uno".into(), ..managed.clone() };
    let refused = world.staff(world.own).update_staff(change(renamed)).await.map_err(fault);
    assert_eq!(fields(&refused.unwrap_err()), ["staff.code"]);

    leave(&world, &two).await.unwrap();
    let find = async |request: ListStaffRequest| -> Vec<String> {
        let reply = world.staff(world.own).list_staff(request).await.unwrap().into_inner();
        reply.staff.into_iter().map(|staff| staff.code).collect()
    };
    let all = ListStaffRequest::default;
    assert_eq!(find(all()).await, ["one", "two"]);
    let of_b = ListStaffRequest { store_id: stores[1].id.clone(), ..all() };
    assert_eq!(find(of_b.clone()).await, ["one", "two"]);
    let active = ListStaffRequest { state: StaffState::Active.into(), ..of_b };
    assert_eq!(find(active).await, ["one"]);
    let left = ListStaffRequest { state: StaffState::Left.into(), ..all() };
    assert_eq!(find(left).await, ["two"]);
    let guides = ListStaffRequest { role: StaffRole::Guide.into(), ..all() };
    assert_eq!(find(guides).await, ["two"]);
    assert_eq!(leave(&world, &two).await.unwrap_err().reason(), "STAFF_LEFT");
    assert_eq!(world.told::<StaffChanged>().await.len(), 4);
}
