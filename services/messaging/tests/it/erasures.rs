//! What channels said of messages to somebody who is erased.

use siyu_kernel::Clock;
use siyu_messaging::App;
use siyu_proto::{
    member::v1::PersonErased,
    messaging::v1::{MessageMoved, MessageState as S},
};
use siyu_testkit::{Sibling, merchant, told};

use crate::{
    provider::{Fake, Mood},
    world::{World, person, receipt},
};

#[tokio::test]
async fn why_a_message_failed_is_kept_until_the_person_is_erased_and_never_told() {
    let world = World::with(Fake::new(Mood::Fine)).await;
    world.member.add(merchant(1), 3);
    let campaign_id = world.start(1).await;
    world.app.run_until_idle().await.unwrap();
    for (n, message) in (0..).zip(world.all(1, &campaign_id).await) {
        let mut failed = receipt(&format!("r{n}"), &message.id, S::Failed);
        failed.failure = format!("no such number 1380013800{n}");
        assert_eq!(world.record(1, vec![failed]).await.unwrap(), (1, 0));
    }
    let sibling = Sibling::new("member", &world.clock).await;
    let consumer = sibling.consumer(world.database.db(), App::subscriptions().remove(0));
    let fact =
        PersonErased { person_id: person(1), alias_ids: vec![person(2)], ..Default::default() };
    for _ in 0..2 {
        sibling.tell(merchant(1), &person(1), world.clock.now(), &fact).await;
        sibling.deliver(&consumer).await;
    }
    for message in world.all(1, &campaign_id).await {
        let is_left = message.person_id == person(3);
        assert_eq!((message.state(), message.failure.is_empty()), (S::Failed, !is_left));
    }
    for event in told(world.app.log()).await {
        let fact = event.decode::<MessageMoved>().unwrap().unwrap();
        assert_eq!(fact.message.unwrap().failure, "", "no word of a channel is told");
    }
}
