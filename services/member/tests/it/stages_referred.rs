//! Whoever brought many is not looked through for each of them.

use chrono::TimeDelta;
use siyu_grpc::parse::timestamp;
use siyu_kernel::kind;
use siyu_proto::{distribution::v1 as distribution, member::v1::Stage};
use siyu_testkit::id;

use crate::{
    orders::{Orders, paid, paid_at},
    stages::{Distribution, stage},
    world::World,
};

#[tokio::test]
async fn of_whom_a_person_brought_only_those_are_looked_at_of_whom_something_changed() {
    let world = World::new().await;
    let people = world.people(world.own, &["promoter", "old", "new", "alias"]).await;
    let (orders, distribution) = (Orders::new(&world).await, Distribution::new(&world).await);
    for person in &people[1..3] {
        let fact = distribution::CustomerBound {
            binding: Some(distribution::Binding {
                person_id: person.clone(),
                promoter_id: id::<kind::Promoter>(1).to_string(),
                bind_time: Some(timestamp(paid_at() + TimeDelta::hours(1))),
                ..Default::default()
            }),
            promoter_person_id: people[0].clone(),
        };
        distribution.tell(&world, &fact).await;
    }
    // Both bought before they were brought. Then one turns out to have been brought before, and nothing is said of it.
    orders.tell(world.own, &[paid(1, &people[1], 500), paid(2, &people[2], 500)]).await;
    assert_eq!(stage(&world, &people[0]).await.stage(), Stage::Consumer);
    let old: siyu_kernel::Id<kind::Person> = people[1].parse().unwrap();
    let mut owner = world.database.owner().await;
    sqlx::query("update referrals set bound_at = $2 where person_id = $1")
        .bind(old)
        .bind(paid_at() - TimeDelta::hours(1))
        .execute(&mut owner)
        .await
        .unwrap();
    orders.tell(world.own, &[paid(3, &people[2], 500)]).await;
    assert_eq!(stage(&world, &people[0]).await.stage(), Stage::Consumer);
    // A merge looks at everybody.
    let merge = world.join(world.own, &people[0], &people[3]).await;
    assert_eq!(stage(&world, &people[0]).await.stage(), Stage::Advocate);
    world.part(world.own, &merge).await;
    assert_eq!(stage(&world, &people[0]).await.stage(), Stage::Advocate);
    assert_eq!(stage(&world, &people[3]).await.stage(), Stage::Consumer);
}
