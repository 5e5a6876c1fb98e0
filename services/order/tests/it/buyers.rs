//! Buyers who turn out to be one person, and not after all.

use siyu_events::Consumer;
use siyu_kernel::kind;
use siyu_proto::{
    member::v1::{Merge, PersonErased, PersonMerged, PersonUnmerged},
    order::v1::*,
};
use siyu_testkit::{Sibling, id, merchant};

use crate::{
    quarantine::{aside, explain, odd},
    world::{World, order, version, yuan},
};

pub(crate) struct Members {
    sibling: Sibling,
    consumer: Consumer,
}

impl Members {
    pub(crate) async fn new(world: &World) -> Self {
        let sibling = Sibling::new("member", &world.clock).await;
        let subscription = world.app.subscriptions().remove(0);
        let consumer = sibling.consumer(world.database.db(), subscription);
        Self { sibling, consumer }
    }

    pub(crate) async fn merged(&self, world: &World, survivor: &str, loser: &str) {
        let fact = PersonMerged { merge: Some(merge(survivor, loser)) };
        let at = siyu_kernel::Clock::now(&world.clock);
        self.sibling.tell(merchant(1), &loser, at, &fact).await;
        self.sibling.deliver(&self.consumer).await;
    }

    pub(crate) async fn unmerged(&self, world: &World, survivor: &str, loser: &str) {
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

impl Members {
    pub(crate) async fn erased(&self, world: &World, person: &str, aliases: &[&str]) {
        let fact = PersonErased {
            person_id: person.into(),
            alias_ids: aliases.iter().map(ToString::to_string).collect(),
            erase_time: None,
        };
        let at = siyu_kernel::Clock::now(&world.clock);
        self.sibling.tell(merchant(1), &person, at, &fact).await;
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

/// How many rows hold a text, as bytes or in clear.
async fn holding(world: &World, text: &str) -> i64 {
    let hex = text.bytes().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
    let mut tx = world.database.db().tenant_read(merchant(1)).await.unwrap();
    let rows: Vec<String> = sqlx::query_scalar("select q::text from quarantined_orders q")
        .fetch_all(&mut *tx)
        .await
        .unwrap();
    let holds = |row: &&String| row.contains(&hex) || row.contains(text);
    i64::try_from(rows.iter().filter(holds).count()).unwrap()
}

#[tokio::test]
async fn what_was_put_aside_of_somebody_who_is_erased_loses_the_buyers_id_and_still_counts() {
    let world = World::new().await;
    let members = Members::new(&world).await;
    let by = |buyer: &str, no: &str| ExternalOrder { buyer_id: buyer.into(), ..odd(no, 100) };
    let known = ExternalOrder { buyer_id: "anna-secret".into(), ..order("K", &[7]) };
    let waiting = [by("anna-secret", "A"), by("anna-alias", "B"), by("bo", "C"), known];
    let results = world.import(&waiting).await;
    assert_eq!(results[0].outcome(), ImportOutcome::Quarantined);
    // The key is the buyer's only name here: who it is, the member service knows.
    let anna = world.told().await[0].facts().person_id.clone();
    let alias = world.member.who(merchant(1), "anna-alias");
    assert_eq!((holding(&world, "anna-secret").await, holding(&world, "anna-alias").await), (1, 1));

    members.erased(&world, &anna, &[&alias]).await;
    members.erased(&world, &anna, &[&alias]).await;
    assert_eq!((holding(&world, "anna").await, holding(&world, "bo").await), (0, 1));
    let mut buyers: Vec<(String, String)> =
        aside(&world, 1).await.into_iter().map(|o| (o.order_no, o.buyer_id)).collect();
    buyers.sort();
    let told = |no: &str, buyer: &str| (no.to_owned(), buyer.to_owned());
    assert_eq!(buyers, [told("A", ""), told("B", ""), told("C", "bo")]);
    // An import that asked before the erasure and stores after it leaves nothing either.
    world.import(&[by("anna-secret", "D")]).await;
    assert_eq!(holding(&world, "anna").await, 0);

    assert_eq!(explain(&world, 1, "trade_odd", OrderState::Paid).await.unwrap(), 4);
    let orders: Vec<String> = of(&world, &anna).await.into_iter().map(|(no, ..)| no).collect();
    assert_eq!(orders, ["A", "D", "K"], "they are the person's, who has no face");
    assert_eq!(of(&world, &alias).await.len(), 1);
}
