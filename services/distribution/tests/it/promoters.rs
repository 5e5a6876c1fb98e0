use siyu_grpc::fault;
use siyu_kernel::{Code, Fault, kind};
use siyu_proto::distribution::v1::*;
use siyu_testkit::id;
use tokio::task::JoinSet;

use crate::world::{World, fields, person};

fn wanted(n: u32) -> CreatePromoterRequest {
    CreatePromoterRequest { person_id: person(n), ..Default::default() }
}

async fn create(
    world: &World,
    who: u32,
    request: CreatePromoterRequest,
) -> Result<Promoter, Fault> {
    let reply = world.promoters(who).create_promoter(request).await.map_err(fault)?;
    Ok(reply.into_inner().promoter.unwrap())
}

#[tokio::test]
async fn a_person_becomes_a_promoter_once() {
    let world = World::new().await;
    let protected = CreatePromoterRequest { request_id: "one".into(), ..wanted(1) };
    let made = create(&world, 1, protected.clone()).await.unwrap();
    assert_eq!((made.person_id.clone(), made.commission_minor), (person(1), 0));
    assert_eq!(create(&world, 1, protected).await.unwrap(), made);
    let again = create(&world, 1, wanted(1)).await.unwrap_err();
    assert_eq!((again.code(), again.reason()), (Code::AlreadyExists, "PROMOTER_EXISTS"));
    let told = world.told::<PromoterCreated>().await;
    assert_eq!(told, [PromoterCreated { promoter: Some(made.clone()) }]);
    // Elsewhere the same person is another one's promoter.
    assert_ne!(create(&world, 2, wanted(1)).await.unwrap().id, made.id);
}

#[tokio::test]
async fn of_many_who_make_one_person_a_promoter_one_does() {
    let world = World::new().await;
    let mut calls = JoinSet::new();
    for n in 0..16 {
        let mut promoters = world.promoters(1);
        let request = CreatePromoterRequest { request_id: format!("{n}"), ..wanted(1) };
        calls.spawn(async move { promoters.create_promoter(request).await.map_err(fault) });
    }
    let replies = calls.join_all().await;
    assert_eq!(replies.iter().filter(|reply| reply.is_ok()).count(), 1);
    let refused = replies.iter().filter_map(|reply| reply.as_ref().err());
    assert!(refused.into_iter().all(|fault| fault.reason() == "PROMOTER_EXISTS"));
    assert_eq!(world.count("select count(*) from promoters").await, 1);
    assert_eq!(world.told::<PromoterCreated>().await.len(), 1);
}

#[tokio::test]
async fn an_inviter_who_is_unknown_or_a_strangers_is_not_found() {
    let world = World::new().await;
    let theirs = create(&world, 2, wanted(1)).await.unwrap().id;
    let mut refused = Vec::new();
    for inviter_promoter_id in [theirs, id::<kind::Promoter>(9).to_string()] {
        let request = CreatePromoterRequest { inviter_promoter_id, ..wanted(2) };
        let fault = create(&world, 1, request).await.unwrap_err();
        refused.push((fault.code(), fault.message().to_owned(), fault.metadata().clone()));
    }
    assert_eq!((refused[0].0, refused[0].1.as_str()), (Code::NotFound, "promoter not found"));
    assert_eq!(refused[0], refused[1]);
    let odd = CreatePromoterRequest { inviter_promoter_id: person(1), ..wanted(2) };
    assert_eq!(fields(&create(&world, 1, odd).await.unwrap_err()), ["inviter_promoter_id"]);
    assert_eq!(world.count("select count(*) from promoters").await, 1);
}

#[tokio::test]
async fn promoters_are_listed_in_pages_oldest_first_and_are_a_merchants_own() {
    let world = World::new().await;
    let mut made = Vec::new();
    for n in 1..=5 {
        made.push(world.promoter(n, "").await);
    }
    create(&world, 2, wanted(1)).await.unwrap();
    let mut request = ListPromotersRequest { page_size: 2, ..Default::default() };
    let mut seen = Vec::new();
    loop {
        let page = world.promoters(1).list_promoters(request.clone()).await.unwrap().into_inner();
        seen.extend(page.promoters.into_iter().map(|promoter| promoter.id));
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    assert_eq!(seen, made);
    let get = GetPromoterRequest { promoter_id: made[0].clone() };
    let foreign = fault(world.promoters(2).get_promoter(get).await.unwrap_err());
    assert_eq!((foreign.code(), foreign.message()), (Code::NotFound, "promoter not found"));
}
