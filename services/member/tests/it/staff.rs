use siyu_grpc::fault;
use siyu_kernel::{Code, Fault, kind};
use siyu_proto::member::v1::*;
use siyu_testkit::id;

use crate::{
    stores::upsert,
    world::{MerchantId, World, fields},
};

fn guide(code: &str) -> CreateStaffRequest {
    let staff = Staff { code: code.into(), name: "王芳".into(), ..Default::default() };
    CreateStaffRequest { request_id: String::new(), staff: Some(staff) }
}

fn guide_of(code: &str, store_id: &str) -> CreateStaffRequest {
    let mut request = guide(code);
    request.staff.as_mut().unwrap().store_id = store_id.into();
    request
}

async fn create(
    world: &World,
    who: MerchantId,
    request: CreateStaffRequest,
) -> Result<Staff, Fault> {
    let reply = world.staff(who).create_staff(request).await.map_err(fault)?;
    Ok(reply.into_inner().staff.unwrap())
}

async fn codes(world: &World, who: MerchantId, store_id: &str) -> Vec<String> {
    let mut request =
        ListStaffRequest { page_size: 1, store_id: store_id.into(), ..Default::default() };
    let mut codes = Vec::new();
    loop {
        let page = world.staff(who).list_staff(request.clone()).await.unwrap().into_inner();
        codes.extend(page.staff.into_iter().map(|staff| staff.code));
        if page.next_page_token.is_empty() {
            return codes;
        }
        request.page_token = page.next_page_token;
    }
}

#[tokio::test]
async fn an_employee_is_kept_as_given_and_is_a_guide_unless_said_otherwise() {
    let world = World::new().await;
    let mut request = guide("wf");
    let made = create(&world, world.own, request.clone()).await.unwrap();
    assert_eq!((made.code.as_str(), made.name.as_str()), ("wf", "王芳"));
    assert_eq!((made.role(), made.store_id.as_str()), (StaffRole::Guide, ""));
    let get = GetStaffRequest { staff_id: made.id.clone() };
    let found = world.staff(world.own).get_staff(get.clone()).await.unwrap().into_inner();
    assert_eq!(found.staff, Some(made));

    let foreign = fault(world.staff(world.other).get_staff(get).await.unwrap_err());
    assert_eq!((foreign.code(), foreign.message()), (Code::NotFound, "staff not found"));
    request.staff.as_mut().unwrap().role = 9;
    let odd = create(&world, world.own, request).await.unwrap_err();
    assert_eq!(fields(&odd), ["staff.role"]);
}

#[tokio::test]
async fn a_repeat_gets_the_first_reply_and_a_second_employee_with_the_code_is_refused() {
    let world = World::new().await;
    let protected = CreateStaffRequest { request_id: "one".into(), ..guide("wf") };
    let first = create(&world, world.own, protected.clone()).await.unwrap();
    assert_eq!(create(&world, world.own, protected).await.unwrap(), first);
    let taken = create(&world, world.own, guide("wf")).await.unwrap_err();
    assert_eq!((taken.code(), taken.reason()), (Code::AlreadyExists, "STAFF_CODE_TAKEN"));
    // Keys and codes are a merchant's own.
    let theirs = CreateStaffRequest { request_id: "one".into(), ..guide("wf") };
    assert_ne!(create(&world, world.other, theirs).await.unwrap().id, first.id);
}

#[tokio::test]
async fn a_store_that_is_unknown_or_a_strangers_is_not_found() {
    let world = World::new().await;
    let theirs = upsert(&world, world.other, &["S1"]).await.remove(0);
    let unknown = id::<kind::Store>(9).to_string();
    let refused = |store_id: String| {
        let world = &world;
        async move { create(world, world.own, guide_of("wf", &store_id)).await.unwrap_err() }
    };
    let (foreign, unknown) = (refused(theirs.id).await, refused(unknown).await);
    assert_eq!((unknown.code(), unknown.message()), (Code::NotFound, "store not found"));
    assert_eq!((foreign.code(), foreign.message()), (unknown.code(), unknown.message()));
    assert_eq!(foreign.metadata(), unknown.metadata());
    assert_eq!(codes(&world, world.own, "").await, Vec::<String>::new());
}

#[tokio::test]
async fn employees_are_listed_in_pages_oldest_first_of_one_store_or_of_all() {
    let world = World::new().await;
    let stores = upsert(&world, world.own, &["S1", "S2"]).await;
    for (code, store) in [("c", 0), ("a", 1), ("b", 0)] {
        create(&world, world.own, guide_of(code, &stores[store].id)).await.unwrap();
    }
    create(&world, world.own, guide("h")).await.unwrap();
    create(&world, world.other, guide("x")).await.unwrap();
    assert_eq!(codes(&world, world.own, "").await, ["c", "a", "b", "h"]);
    assert_eq!(codes(&world, world.own, &stores[0].id).await, ["c", "b"]);
    let first = ListStaffRequest { page_size: 1, ..Default::default() };
    let token =
        world.staff(world.own).list_staff(first).await.unwrap().into_inner().next_page_token;
    let other_filter = ListStaffRequest {
        page_token: token,
        store_id: stores[0].id.clone(),
        ..Default::default()
    };
    let refused = fault(world.staff(world.own).list_staff(other_filter).await.unwrap_err());
    assert_eq!(fields(&refused), ["page_token"]);
}
