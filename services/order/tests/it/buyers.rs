//! Buyers who turn out to be one person, and not after all.

use siyu_events::Consumer;
use siyu_kernel::kind;
use siyu_proto::{
    member::v1::{Merge, PersonMerged, PersonUnmerged},
    order::v1::*,
};
use siyu_testkit::{Sibling, id, merchant};

use crate::world::{World, order, version, yuan};

struct Members {
    sibling: Sibling,
    consumer: Consumer,
}

impl Members {
    async fn new(world: &World) -> Self {
        let sibling = Sibling::new("member", &world.clock).await;
        let subscription = world.app.subscriptions().remove(0);
        let consumer = sibling.consumer(world.database.db(), subscription);
        Self { sibling, consumer }
    }

    async fn merged(&self, world: &World, survivor: &str, loser: &str) {
        let fact = PersonMerged { merge: Some(merge(survivor, loser)) };
        let at = siyu_kernel::Clock::now(&world.clock);
        self.sibling.tell(merchant(1), &loser, at, &fact).await;
        self.sibling.deliver(&self.consumer).await;
    }

    async fn unmerged(&self, world: &World, survivor: &str, loser: &str) {
        let fact = PersonUnmerged {
            merge: Some(merge(survivor, loser)),
            survivor_person_id: survivor.into(),
            person_ids: vec![loser.into()],
        };
        let at = siyu_kernel::Clock::now(&world.clock);
        self.sibling.tell(merchant(1), &loser, at, &fact).await;
        self.sibling.deliver(&self.consumer).await;
    }
}

fn merge(survivor: &str, loser: &str) -> Merge {
    Merge {
        id: id::<kind::Merge>(1).to_string(),
        survivor_person_id: survivor.into(),
        loser_person_id: loser.into(),
        ..Default::default()
    }
}

async fn of(world: &World, person: &str) -> Vec<(String, String, i64)> {
    let request = ListOrdersRequest { person_id: person.into(), ..Default::default() };
    let reply = world.orders(1).list_orders(request).await.unwrap().into_inner();
    let mut orders: Vec<_> = reply
        .orders
        .into_iter()
        .map(|order| (order.platform_order_no, order.person_id, order.revision))
        .collect();
    orders.sort();
    orders
}

#[tokio::test]
async fn orders_follow_their_buyer_and_are_told_as_revisions() {
    let world = World::new().await;
    let members = Members::new(&world).await;
    let by = |buyer: &str, no: &str| ExternalOrder { buyer_id: buyer.into(), ..order(no, &[100]) };
    world.import(&[by("anna", "A"), by("bo", "B")]).await;
    let people: Vec<String> =
        world.told().await.iter().map(|told| told.facts().person_id.clone()).collect();
    let (anna, bo) = (people[0].as_str(), people[1].as_str());
    for _ in 0..2 {
        members.merged(&world, anna, bo).await;
        let both = vec![("A".into(), anna.to_owned(), 1), ("B".into(), anna.to_owned(), 2)];
        assert_eq!(of(&world, anna).await, both, "told twice, it happens once");
        assert_eq!(of(&world, bo).await, both, "an alias leads to them");
    }
    let told = world.told().await;
    assert_eq!((told.len(), told[2].brief()), (3, ("revised", 100, 2)));
    assert_eq!((told[2].facts().person_id.as_str(), told[2].facts().lines.len()), (anna, 1));
    // An import that asked before the merge writes after it.
    let later = version(by("bo", "B"), 4_000);
    let more = OrderLine { paid: Some(yuan(150)), ..later.lines[0].clone() };
    world.import(&[ExternalOrder { lines: vec![more], ..later }, by("bo", "C")]).await;
    let owners = of(&world, anna).await.into_iter().map(|(no, _, revision)| (no, revision));
    let owners: Vec<(String, i64)> = owners.collect();
    assert_eq!(owners, [("A".into(), 1), ("B".into(), 3), ("C".into(), 1)]);

    members.unmerged(&world, anna, bo).await;
    assert_eq!(of(&world, bo).await, [("B".into(), bo.to_owned(), 4)], "what came later stays");
    assert_eq!(of(&world, anna).await.len(), 2);
    let last = world.told().await.pop().unwrap();
    assert_eq!((last.facts().person_id.as_str(), last.facts().paid_minor), (bo, 150));
    world.import(&[by("bo", "D")]).await;
    assert_eq!(of(&world, bo).await.len(), 2, "the id is its own again");
}
