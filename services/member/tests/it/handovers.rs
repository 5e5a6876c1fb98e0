//! Customers who pass from one employee to another by the rules of the platform.

use chrono::{DateTime, TimeDelta, Utc};
use siyu_grpc::fault;
use siyu_kernel::{Clock, Fault};
use siyu_proto::member::v1::*;
use siyu_runtime::Steps;
use tokio::task::JoinSet;

use crate::{
    organisation::{guide, leave},
    owners::{assign, owner, owner_at, spans},
    world::{World, fields},
};

struct Shop {
    world: World,
    people: Vec<String>,
    anna: String,
    ben: String,
}

fn request(from: &str, to: &str, people: &[String]) -> RequestHandoversRequest {
    RequestHandoversRequest {
        from_staff_id: from.into(),
        to_staff_id: to.into(),
        person_ids: people.into(),
        message: "您好".into(),
        ..Default::default()
    }
}

impl Shop {
    /// Two guides, and four persons of the first.
    async fn open() -> Self {
        let world = World::new().await;
        let people = world.people(world.own, &["a", "b", "c", "d"]).await;
        let (anna, ben) = (guide(&world, "anna", "").await, guide(&world, "ben", "").await);
        let pairs: Vec<(&str, &str)> = people.iter().map(|p| (p.as_str(), anna.as_str())).collect();
        assign(&world, &pairs).await.unwrap();
        Self { world, people, anna, ben }
    }

    async fn ask(&self, request: RequestHandoversRequest) -> Result<Vec<Handover>, Fault> {
        let mut client = self.world.handovers(self.world.own);
        Ok(client.request_handovers(request).await.map_err(fault)?.into_inner().handovers)
    }

    async fn accept(&self, handovers: &[Handover]) -> Result<Vec<Handover>, Fault> {
        let handover_ids = handovers.iter().map(|handover| handover.id.clone()).collect();
        let request = AcceptHandoversRequest { handover_ids, accept_time: None };
        let mut client = self.world.handovers(self.world.own);
        Ok(client.accept_handovers(request).await.map_err(fault)?.into_inner().handovers)
    }

    async fn refuse(&self, id: &str, failure: HandoverFailure) -> Result<Handover, Fault> {
        let request = RefuseHandoverRequest { handover_id: id.into(), failure: failure.into() };
        let mut client = self.world.handovers(self.world.own);
        let reply = client.refuse_handover(request).await.map_err(fault)?;
        Ok(reply.into_inner().handover.unwrap())
    }

    async fn get(&self, id: &str) -> Handover {
        let request = GetHandoverRequest { handover_id: id.into() };
        let reply = self.world.handovers(self.world.own).get_handover(request).await.unwrap();
        reply.into_inner().handover.unwrap()
    }

    /// Hands over one person and lets it take effect.
    async fn pass(&self, from: &str, to: &str, person: &str) -> Handover {
        let asked = self.ask(request(from, to, &[person.to_owned()])).await.unwrap();
        if asked[0].state() == HandoverState::Requested {
            self.accept(&asked).await.unwrap();
            self.hours(24).await;
        }
        self.get(&asked[0].id).await
    }

    async fn hours(&self, hours: i64) {
        self.world.clock.advance(TimeDelta::hours(hours));
        for job in self.world.app.jobs() {
            job.step().await.unwrap();
        }
    }

    fn now(&self) -> DateTime<Utc> {
        self.world.clock.now()
    }
}

#[tokio::test]
async fn a_customer_changes_hands_24_hours_after_the_platform_took_it() {
    let shop = Shop::open().await;
    let asked = shop.ask(request(&shop.anna, &shop.ben, &shop.people[..1])).await.unwrap();
    assert_eq!(asked[0].state(), HandoverState::Requested);
    shop.hours(1).await;
    let waiting = shop.accept(&asked).await.unwrap();
    assert_eq!(waiting[0].state(), HandoverState::Waiting);
    assert_eq!(shop.accept(&asked).await.unwrap(), waiting);
    let accepted = shop.now();
    shop.hours(23).await;
    // An order of this time is credited to who gives.
    assert_eq!(owner(&shop.world, &shop.people[0]).await, shop.anna);
    shop.hours(5).await;
    assert_eq!(owner(&shop.world, &shop.people[0]).await, shop.ben);
    let hour = |n| Some(accepted + TimeDelta::hours(n));
    assert_eq!(owner_at(&shop.world, &shop.people[0], hour(23)).await, shop.anna);
    assert_eq!(owner_at(&shop.world, &shop.people[0], hour(24)).await, shop.ben);
    let done = shop.get(&asked[0].id).await;
    assert_eq!((done.state(), done.failure()), (HandoverState::Done, HandoverFailure::Unspecified));
    assert_eq!(spans(&shop.world, &shop.people[0]).await[0].source(), OwnerSource::Handover);
    let late = shop.refuse(&asked[0].id, HandoverFailure::Unspecified).await.unwrap_err();
    assert_eq!(late.reason(), "HANDOVER_ENDED");
    let states: Vec<HandoverState> = shop
        .world
        .told::<HandoverChanged>()
        .await
        .into_iter()
        .map(|(_, _, fact)| fact.handover.unwrap().state())
        .collect();
    assert_eq!(states, [HandoverState::Requested, HandoverState::Waiting, HandoverState::Done]);
}

#[tokio::test]
async fn what_is_refused_fails_or_stays_unanswered_leaves_the_owner() {
    let shop = Shop::open().await;
    let asked = shop.ask(request(&shop.anna, &shop.ben, &shop.people)).await.unwrap();
    shop.accept(&asked[..3]).await.unwrap();
    let refused = shop.refuse(&asked[0].id, HandoverFailure::Unspecified).await.unwrap();
    assert_eq!(refused.state(), HandoverState::Refused);
    assert_eq!(shop.refuse(&asked[0].id, HandoverFailure::Unspecified).await.unwrap(), refused);
    let failed = shop.refuse(&asked[1].id, HandoverFailure::StaffLimit).await.unwrap();
    assert_eq!(
        (failed.state(), failed.failure()),
        (HandoverState::Failed, HandoverFailure::StaffLimit)
    );
    let odd = shop.refuse(&asked[2].id, HandoverFailure::NotOwner).await.unwrap_err();
    assert_eq!(fields(&odd), ["failure"]);
    // The third changes hands meanwhile, the fourth is never taken by the platform.
    let carla = guide(&shop.world, "carla", "").await;
    assign(&shop.world, &[(&shop.people[2], &carla)]).await.unwrap();
    shop.hours(24).await;
    let failures = [shop.get(&asked[2].id).await, shop.get(&asked[3].id).await];
    let failures = failures.map(|handover| (handover.state(), handover.failure()));
    assert_eq!(
        failures,
        [
            (HandoverState::Failed, HandoverFailure::OwnerChanged),
            (HandoverState::Failed, HandoverFailure::Unanswered)
        ]
    );
    for (person, holds) in [(0, &shop.anna), (1, &shop.anna), (2, &carla), (3, &shop.anna)] {
        assert_eq!(owner(&shop.world, &shop.people[person]).await, *holds, "{person}");
    }
}

#[tokio::test]
async fn a_customer_changes_hands_at_most_twice_in_90_natural_days() {
    let shop = Shop::open().await;
    let person = shop.people[0].clone();
    // The clock stands at 08:00 in Shanghai on the first of June.
    assert_eq!(shop.pass(&shop.anna, &shop.ben, &person).await.state(), HandoverState::Done);
    assert_eq!(shop.pass(&shop.ben, &shop.anna, &person).await.state(), HandoverState::Done);
    let third = shop.pass(&shop.anna, &shop.ben, &person).await;
    assert_eq!(
        (third.state(), third.failure()),
        (HandoverState::Failed, HandoverFailure::CustomerLimit)
    );
    // The first was asked for on 1 June: 29 August is the 90th day, 30 August begins at 16:00 UTC of the day before.
    let to = |text: &str| text.parse::<DateTime<Utc>>().unwrap() - shop.now();
    shop.world.clock.advance(to("2024-08-29T15:59:00Z"));
    let still = shop.pass(&shop.anna, &shop.ben, &person).await;
    assert_eq!(still.failure(), HandoverFailure::CustomerLimit);
    shop.world.clock.advance(to("2024-08-29T16:00:00Z"));
    assert_eq!(shop.pass(&shop.anna, &shop.ben, &person).await.state(), HandoverState::Done);
}

#[tokio::test]
async fn who_left_hands_over_within_a_year_and_without_that_limit() {
    let shop = Shop::open().await;
    let person = shop.people[0].clone();
    shop.pass(&shop.anna, &shop.ben, &person).await;
    shop.pass(&shop.ben, &shop.anna, &person).await;
    let resigned = RequestHandoversRequest {
        kind: HandoverKind::Resigned.into(),
        ..request(&shop.anna, &shop.ben, std::slice::from_ref(&person))
    };
    assert_eq!(shop.ask(resigned.clone()).await.unwrap_err().reason(), "STAFF_NOT_LEFT");
    leave(&shop.world, &shop.anna).await.unwrap();
    let on_job = request(&shop.anna, &shop.ben, std::slice::from_ref(&person));
    assert_eq!(shop.ask(on_job).await.unwrap_err().reason(), "STAFF_LEFT");
    let back = request(&shop.ben, &shop.anna, std::slice::from_ref(&person));
    assert_eq!(shop.ask(back).await.unwrap_err().reason(), "STAFF_LEFT");
    let asked = shop.ask(resigned.clone()).await.unwrap();
    shop.accept(&asked).await.unwrap();
    shop.hours(24).await;
    assert_eq!(owner(&shop.world, &person).await, shop.ben);
    shop.world.clock.advance(TimeDelta::days(365));
    assert_eq!(shop.ask(resigned).await.unwrap_err().reason(), "STAFF_LEFT_TOO_LONG");
}

#[tokio::test]
async fn the_limits_of_one_call_are_those_of_the_platform() {
    let shop = Shop::open().await;
    let sound = request(&shop.anna, &shop.ben, &shop.people);
    let long = RequestHandoversRequest { message: "您".repeat(201), ..sound.clone() };
    assert_eq!(fields(&shop.ask(long).await.unwrap_err()), ["message"]);
    let many =
        RequestHandoversRequest { person_ids: vec![shop.people[0].clone(); 101], ..sound.clone() };
    assert_eq!(fields(&shop.ask(many).await.unwrap_err()), ["person_ids"]);
    let selfish = request(&shop.anna, &shop.anna, &shop.people);
    assert_eq!(fields(&shop.ask(selfish).await.unwrap_err()), ["to_staff_id"]);
    let strange = shop.ask(request(&shop.ben, &shop.anna, &shop.people[..1])).await.unwrap();
    assert_eq!(strange[0].failure(), HandoverFailure::NotOwner);

    let keyed = RequestHandoversRequest { request_id: "one".into(), ..sound.clone() };
    let first = shop.ask(keyed.clone()).await.unwrap();
    assert_eq!(shop.ask(keyed).await.unwrap(), first);
    let second = shop.ask(sound).await.unwrap();
    assert!(second.iter().all(|handover| handover.failure() == HandoverFailure::UnderWay));
    let open = ListHandoversRequest {
        state: HandoverState::Requested.into(),
        from_staff_id: shop.anna.clone(),
        ..Default::default()
    };
    let open = shop.world.handovers(shop.world.own).list_handovers(open).await.unwrap();
    assert_eq!(open.into_inner().handovers.len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn sixteen_who_ask_for_one_customer_start_one_handover() {
    let shop = Shop::open().await;
    let mut calls = JoinSet::new();
    for _ in 0..16 {
        let request = request(&shop.anna, &shop.ben, &shop.people[..1]);
        let mut client = shop.world.handovers(shop.world.own);
        calls.spawn(async move { client.request_handovers(request).await.map_err(fault) });
    }
    let replies = calls.join_all().await;
    let states: Vec<HandoverState> =
        replies.into_iter().map(|reply| reply.unwrap().into_inner().handovers[0].state()).collect();
    let begun = states.iter().filter(|state| **state == HandoverState::Requested).count();
    assert_eq!(begun, 1, "{states:?}");
}
