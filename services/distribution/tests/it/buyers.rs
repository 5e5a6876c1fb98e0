//! Customers and promoters who turn out to be one person, and not after all.

use siyu_events::Consumer;
use siyu_grpc::fault;
use siyu_kernel::{Clock, kind};
use siyu_proto::{
    distribution::v1::{
        BindCustomerRequest, BindOutcome, CreatePromoterRequest, CustomerBound,
        ListPromotersRequest,
    },
    member::v1::{Merge, PersonErased, PersonMerged, PersonUnmerged},
};
use siyu_testkit::{Sibling, id, merchant};

use crate::world::{World, generous, hour, person};

/// A member service that a test plays, and the consumer that follows it.
pub(crate) struct Members {
    sibling: Sibling,
    consumer: Consumer,
}

impl Members {
    pub(crate) async fn new(world: &World) -> Self {
        let sibling = Sibling::new("member", &world.clock).await;
        let follows = |s: &siyu_events::Subscription| s.source() == "member";
        let subscription = world.app.subscriptions().into_iter().find(follows).unwrap();
        let consumer = sibling.consumer(world.database.db(), subscription);
        Self { sibling, consumer }
    }

    pub(crate) async fn merged(&self, world: &World, survivor: u32, loser: u32) {
        let fact = PersonMerged { merge: Some(merge(survivor, loser)) };
        self.sibling.tell(merchant(1), &person(loser), world.clock.now(), &fact).await;
        self.sibling.deliver(&self.consumer).await;
    }

    pub(crate) async fn unmerged(&self, world: &World, survivor: u32, loser: u32) {
        let fact = PersonUnmerged {
            merge: Some(merge(survivor, loser)),
            survivor_person_id: person(survivor),
            person_ids: vec![person(loser)],
        };
        self.sibling.tell(merchant(1), &person(loser), world.clock.now(), &fact).await;
        self.sibling.deliver(&self.consumer).await;
    }
}

fn merge(survivor: u32, loser: u32) -> Merge {
    Merge {
        id: id::<kind::Merge>(loser).to_string(),
        survivor_person_id: person(survivor),
        loser_person_id: person(loser),
        ..Default::default()
    }
}

#[tokio::test]
async fn of_two_bindings_the_earliest_that_has_not_expired_stays() {
    for (first, second) in [(-5, -3), (-3, -5)] {
        let world = World::new().await;
        let members = Members::new(&world).await;
        world.set_rule(generous()).await.unwrap();
        let (one, other) = (world.promoter(1, "").await, world.promoter(2, "").await);
        world.click(10, &one, first).await;
        world.click(11, &other, second).await;
        let earliest = if first < second { &one } else { &other };
        for _ in 0..2 {
            members.merged(&world, 10, 11).await;
            for n in [10, 11] {
                assert_eq!(world.bound_to(n, hour(0)).await.as_ref(), Some(earliest));
            }
        }
        members.unmerged(&world, 10, 11).await;
        assert_eq!(world.bound_to(10, hour(0)).await.as_ref(), Some(&one));
        assert_eq!(world.bound_to(11, hour(0)).await.as_ref(), Some(&other));
    }
}

#[tokio::test]
async fn nobody_brings_himself_under_another_id() {
    let world = World::new().await;
    let members = Members::new(&world).await;
    world.set_rule(generous()).await.unwrap();
    let promoter = world.promoter(21, "").await;
    let both = world.promoter(22, "").await;
    members.merged(&world, 20, 21).await;
    members.merged(&world, 20, 22).await;
    for n in [20, 21, 22] {
        for own in [&promoter, &both] {
            assert_eq!(world.click(n, own, -1).await.0, BindOutcome::Self_, "{n}");
        }
    }
    members.unmerged(&world, 20, 21).await;
    assert_eq!(world.click(20, &promoter, -1).await.0, BindOutcome::Bound);
}

/// The persons of all promoters, sorted.
async fn promoting(world: &World) -> Vec<String> {
    let request = ListPromotersRequest::default();
    let reply = world.promoters(1).list_promoters(request).await.unwrap().into_inner();
    let mut persons: Vec<String> = reply.promoters.into_iter().map(|p| p.person_id).collect();
    persons.sort();
    persons
}

#[tokio::test]
async fn one_human_being_is_one_promoter_under_whichever_id() {
    let world = World::new().await;
    let members = Members::new(&world).await;
    let create = async |n: u32| {
        let request = CreatePromoterRequest { person_id: person(n), ..Default::default() };
        let reply = world.promoters(1).create_promoter(request).await.map_err(fault);
        reply.map(|reply| reply.into_inner().promoter.unwrap().person_id)
    };
    create(11).await.unwrap();
    members.merged(&world, 10, 11).await;
    for n in [10, 11] {
        assert_eq!(create(n).await.unwrap_err().reason(), "PROMOTER_EXISTS", "{n}");
    }
    // The undoing of the merge finds the place free.
    members.unmerged(&world, 10, 11).await;
    assert_eq!(promoting(&world).await, [person(11)]);
    members.merged(&world, 10, 12).await;
    assert_eq!(create(12).await.unwrap(), person(10), "who an alias is leads");
    assert_eq!(promoting(&world).await, [person(10), person(11)]);
    // Both are promoters: the loser stays one, and no third comes about.
    members.merged(&world, 10, 11).await;
    assert_eq!(promoting(&world).await, [person(10), person(11)]);
    for n in [10, 11, 12] {
        assert_eq!(create(n).await.unwrap_err().reason(), "PROMOTER_EXISTS", "{n}");
    }
    assert_eq!(members.consumer.count_parked().await.unwrap(), 0);
}

#[tokio::test]
async fn a_promoter_that_stayed_with_an_alias_is_given_back_too() {
    let world = World::new().await;
    let members = Members::new(&world).await;
    world.promoter(1, "").await;
    world.promoter(3, "").await;
    // The third goes to the second, and stays there when the first, a promoter too, takes the second.
    members.merged(&world, 2, 3).await;
    members.merged(&world, 1, 2).await;
    assert_eq!(promoting(&world).await, [person(1), person(2)]);
    members.unmerged(&world, 1, 3).await;
    assert_eq!(promoting(&world).await, [person(1), person(3)]);
    assert_eq!(members.consumer.count_parked().await.unwrap(), 0);
}

/// How many bindings come from somewhere.
async fn sourced(world: &World) -> i64 {
    let mut tx = world.database.db().tenant_read(merchant(1)).await.unwrap();
    sqlx::query_scalar("select count(*) from bindings where source <> ''")
        .fetch_one(&mut *tx)
        .await
        .unwrap()
}

#[tokio::test]
async fn where_a_binding_came_from_is_forgotten_with_the_person_and_never_told() {
    let world = World::new().await;
    let members = Members::new(&world).await;
    world.set_rule(generous()).await.unwrap();
    let promoter = world.promoter(1, "").await;
    for n in [10, 11, 12] {
        let request = BindCustomerRequest {
            person_id: person(n),
            promoter_id: promoter.clone(),
            source: "anna's poster".into(),
            ..Default::default()
        };
        world.bindings(1).bind_customer(request).await.unwrap();
    }
    assert_eq!(sourced(&world).await, 3);
    let fact =
        PersonErased { person_id: person(10), alias_ids: vec![person(11)], ..Default::default() };
    members.sibling.tell(merchant(1), &person(10), world.clock.now(), &fact).await;
    members.sibling.deliver(&members.consumer).await;
    assert_eq!(sourced(&world).await, 1);
    assert_eq!(
        world.bound_to(10, hour(1)).await.as_ref(),
        Some(&promoter),
        "who brought whom stays"
    );
    for event in siyu_testkit::told(world.app.log()).await {
        if let Some(fact) = event.decode::<CustomerBound>().unwrap() {
            assert_eq!(fact.binding.unwrap().source, "");
        }
    }
}
