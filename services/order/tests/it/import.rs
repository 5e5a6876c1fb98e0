use siyu_proto::order::v1::{ImportOutcome as O, *};
use siyu_testkit::merchant;

use crate::world::{Told, World, at, order, outcomes, status, version, yuan};

#[tokio::test]
async fn an_order_is_taken_in_once_and_brought_up_to_date_by_newer_versions() {
    let world = World::new().await;
    let first = version(order("A", &[500, 250]), 0);
    let made = world.import(std::slice::from_ref(&first)).await.remove(0);
    assert_eq!(made.outcome(), O::Created);
    assert_eq!(outcomes(&world.import(std::slice::from_ref(&first)).await), [O::Unchanged]);
    let newer = status(version(order("A", &[400]), 60), "shipped");
    let updated = world.import(&[newer]).await.remove(0);
    assert_eq!((updated.outcome(), &updated.order_id), (O::Updated, &made.order_id));
    assert_eq!(outcomes(&world.import(&[first]).await), [O::Unchanged]);

    let stands = world.get(1, &made.order_id).await.unwrap();
    assert_eq!((stands.state(), stands.revision), (OrderState::Shipped, 2));
    assert_eq!((stands.paid, stands.quantity), (Some(yuan(650)), 2));
    let lines: Vec<i64> =
        stands.lines.iter().map(|l| l.paid.as_ref().unwrap().minor_units).collect();
    assert_eq!(lines, [400, 250], "a line that is not mentioned stays");
    let told: Vec<_> = world.told().await.iter().map(Told::brief).collect();
    assert_eq!(told, [("paid", 750, 1), ("revised", 650, 2)]);
}

#[tokio::test]
async fn everything_that_is_said_of_an_order_is_kept_and_told() {
    let world = World::new().await;
    let store_id = world.member.open(merchant(1), "S1", 7);
    let mut given = order("A", &[1_050]);
    given.domain = Domain::Private.into();
    given.channel = "mini_program".into();
    given.store_code = "S1".into();
    given.platform_subsidy = Some(yuan(99));
    given.lines[0].quantity = 3;
    given.lines[0].sku = "sku-1".into();
    given.lines[0].category = "茶".into();
    let made = world.import(std::slice::from_ref(&given)).await.remove(0);
    let stands = world.get(1, &made.order_id).await.unwrap();
    assert_eq!((stands.platform.as_str(), stands.shop_id.as_str()), ("tmall", "shop"));
    assert_eq!((stands.platform_order_no.as_str(), stands.quantity), ("A", 3));
    assert_eq!((stands.domain(), stands.channel.as_str()), (Domain::Private, "mini_program"));
    assert_eq!((&stands.store_id, stands.pay_time), (&store_id, Some(at(-3_600))));
    assert_eq!((stands.lines.clone(), stands.create_time), (given.lines, Some(at(0))));
    let facts = world.told().await.remove(0).facts().clone();
    assert_eq!((&facts.order_id, &facts.person_id), (&made.order_id, &stands.person_id));
    assert_eq!((facts.paid_minor, facts.quantity, facts.imported), (1_050, 3, true));
    assert_eq!((&facts.store_id, facts.channel.as_str()), (&store_id, "mini_program"));
    let line = LineFacts {
        line_no: 1,
        sku: "sku-1".into(),
        category: "茶".into(),
        quantity: 3,
        paid_minor: 1_050,
    };
    assert_eq!(facts.lines, [line]);
}

#[tokio::test]
async fn an_order_that_comes_twice_in_one_batch_is_one_order() {
    let world = World::new().await;
    let (old, new) = (version(order("A", &[100]), 1), version(order("A", &[300]), 2));
    let results = world.import(&[old.clone(), new, old]).await;
    assert_eq!(outcomes(&results), [O::Created, O::Updated, O::Unchanged]);
    assert!(results.iter().all(|result| result.order_id == results[0].order_id));
    let told: Vec<_> = world.told().await.iter().map(Told::brief).collect();
    assert_eq!(told, [("paid", 300, 1)]);
}

#[tokio::test]
async fn an_order_tells_its_life_and_nothing_before_it_is_paid() {
    let world = World::new().await;
    let mut unpaid = status(version(order("A", &[100]), 1), "created");
    unpaid.pay_time = None;
    world.import(&[unpaid]).await;
    assert_eq!(world.told().await, []);
    for (seconds, word) in [(2, "paid"), (3, "completed"), (4, "refunded"), (5, "closed")] {
        world.import(&[status(version(order("A", &[100]), seconds), word)]).await;
    }
    let told: Vec<_> = world.told().await.iter().map(Told::brief).collect();
    let expected = [("paid", 100, 2), ("revised", 100, 3), ("voided", 100, 4), ("revised", 100, 5)];
    assert_eq!(told, expected);
}

#[tokio::test]
async fn one_number_is_another_order_in_another_shop_or_at_another_merchant() {
    let world = World::new().await;
    let own = order("A", &[100]);
    let shop = ExternalOrder { shop_id: "second".into(), ..own.clone() };
    let platform = ExternalOrder { platform: "jd".into(), ..own.clone() };
    let results = world.import(&[own.clone(), shop, platform]).await;
    assert_eq!(outcomes(&results), [O::Created; 3]);
    let theirs = world.try_import(2, &[own]).await.unwrap();
    assert_eq!(outcomes(&theirs), [O::Created]);
    // One buyer's id is a person of each shop, and of each merchant.
    let mut persons = Vec::new();
    for result in &results {
        persons.push(world.get(1, &result.order_id).await.unwrap().person_id);
    }
    persons.push(world.get(2, &theirs[0].order_id).await.unwrap().person_id);
    persons.sort_unstable();
    persons.dedup();
    assert_eq!(persons.len(), 4);
}

#[tokio::test]
async fn an_order_can_turn_out_to_be_of_another_buyer() {
    let world = World::new().await;
    let made = world.import(&[version(order("A", &[100]), 1)]).await.remove(0);
    let before = world.get(1, &made.order_id).await.unwrap().person_id;
    let other = ExternalOrder { buyer_id: "second".into(), ..version(order("A", &[100]), 2) };
    assert_eq!(outcomes(&world.import(&[other]).await), [O::Updated]);
    let after = world.get(1, &made.order_id).await.unwrap().person_id;
    assert_ne!(after, before);
    let told = world.told().await;
    let persons: Vec<&str> = told.iter().map(|told| told.facts().person_id.as_str()).collect();
    assert_eq!(persons, [&before, &after]);
}
