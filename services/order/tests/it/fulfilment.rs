//! Pick-up codes, parcels and assignments, over the functions that the steps of an order call.

use chrono::{DateTime, TimeDelta, Utc};
use siyu_kernel::{Code, Fault, kind};
use siyu_order::{
    fulfilment::{
        StoreId,
        assignment::{self, Event, State},
        parcel::{self, NewParcel, Reached},
        pickup::{self, By, Pickup, Verdict},
    },
    order::domain::OrderId,
};
use siyu_runtime::random_bytes;
use siyu_testkit::id;

use crate::world::{World, order};

pub(crate) fn store(n: u32) -> StoreId {
    id::<kind::Store>(n)
}

const fn by<'a>(actor: &'a str, reason: &'a str, now: DateTime<Utc>) -> By<'a> {
    By { actor, reason, now }
}

impl World {
    pub(crate) async fn issue(&self, order: OrderId, store: StoreId) -> Pickup {
        let (mut tx, now) = (self.tx().await, self.now());
        let (who, until) = (by("till", "", now), now + TimeDelta::days(2));
        let at = (order, store);
        let issued = pickup::issue(&self.app, &mut tx, random_bytes, at, until, who).await;
        tx.commit().await.unwrap();
        issued.unwrap()
    }

    pub(crate) async fn verify(&self, store: StoreId, code: &str) -> Verdict {
        let mut tx = self.tx().await;
        let who = by("clerk", "", self.now());
        let verdict = pickup::verify(&self.app, &mut tx, store, code, who).await.unwrap();
        if verdict == Verdict::Wrong {
            pickup::count_wrong(&mut tx, store, self.now()).await.unwrap();
        }
        tx.commit().await.unwrap();
        verdict
    }

    async fn reverse(&self, order: OrderId, store: StoreId) -> Result<Pickup, Fault> {
        let (mut tx, now) = (self.tx().await, self.now());
        let (who, until) = (by("manager", "wrong shelf", now), now + TimeDelta::days(2));
        let at = (order, store);
        let pickup = pickup::reverse(&self.app, &mut tx, random_bytes, at, until, who).await?;
        tx.commit().await?;
        Ok(pickup)
    }

    async fn void(&self, order: OrderId, store: StoreId) -> Result<(), Fault> {
        let mut tx = self.tx().await;
        let who = by("till", "cancelled", self.now());
        pickup::void(&self.app, &mut tx, (order, store), who).await?;
        Ok(tx.commit().await?)
    }

    pub(crate) async fn ship(
        &self,
        order: OrderId,
        no: &str,
        lines: &[(i32, i64)],
    ) -> Result<(parcel::Parcel, Reached), Fault> {
        let new = NewParcel {
            order_id: order,
            part: 1,
            store_id: None,
            carrier: "sf".into(),
            tracking_no: no.into(),
            lines: lines.to_vec(),
        };
        let mut tx = self.tx().await;
        let shipped = parcel::ship(&self.app, &mut tx, new, self.now()).await?;
        tx.commit().await?;
        Ok(shipped)
    }

    pub(crate) async fn change(
        &self,
        order: OrderId,
        event: Event,
    ) -> Result<assignment::Assignment, Fault> {
        let mut tx = self.tx().await;
        let who = by("store", "", self.now());
        let changed = assignment::act::change(&mut tx, (order, 1), event, who).await?;
        tx.commit().await?;
        Ok(changed)
    }

    pub(crate) async fn begin(&self, order: OrderId, stores: &[StoreId]) {
        let mut tx = self.tx().await;
        let who = by("order", "", self.now());
        assignment::act::begin(&mut tx, (order, 1), stores, who).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// Words of a column, in the order of the rows.
    async fn words(&self, sql: &'static str) -> Vec<String> {
        let mut owner = self.database.owner().await;
        sqlx::query_scalar(sql).fetch_all(&mut owner).await.unwrap()
    }
}

fn reason(refused: Result<impl std::fmt::Debug, Fault>) -> String {
    refused.unwrap_err().reason().to_owned()
}

#[tokio::test]
async fn a_code_is_good_once_and_at_its_own_store() {
    let world = World::new().await;
    let sold = world.sold("1").await;
    let code = world.issue(sold, store(1)).await.code;
    assert_eq!(world.issue(sold, store(1)).await.code, code, "the buyer is shown it again");
    assert_eq!(world.verify(store(2), code.expose()).await, Verdict::Wrong);
    assert_eq!(world.verify(store(1), "12").await, Verdict::Wrong);
    let Verdict::Good(used) = world.verify(store(1), code.expose()).await else { panic!() };
    assert_eq!((used.order_id, used.used_at), (sold, Some(world.now())));
    let again = world.verify(store(1), code.expose()).await;
    assert_eq!(reason(again.good()), "PICKUP_USED");
    assert_eq!(reason(world.void(sold, store(1)).await), "PICKUP_USED");
}

#[tokio::test]
async fn a_code_ends_at_the_deadline_or_with_the_order() {
    let world = World::new().await;
    let (first, second) = (world.sold("1").await, world.sold("2").await);
    let code = world.issue(first, store(1)).await.code;
    world.void(first, store(1)).await.unwrap();
    world.void(first, store(1)).await.unwrap();
    assert_eq!(reason(world.verify(store(1), code.expose()).await.good()), "PICKUP_CODE_WRONG");
    let other = world.issue(first, store(1)).await;
    assert_eq!((other.issue, other.state), (2, pickup::State::Issued));
    let code = world.issue(second, store(1)).await.code;
    world.clock.advance(TimeDelta::days(2));
    assert_eq!(reason(world.verify(store(1), code.expose()).await.good()), "PICKUP_EXPIRED");
    assert_eq!(reason(world.void(second, store(9)).await), "NOT_FOUND");
}

#[tokio::test]
async fn taking_a_verification_back_is_written_down_and_makes_another_code() {
    let world = World::new().await;
    let sold = world.sold("1").await;
    let code = world.issue(sold, store(1)).await.code;
    assert_eq!(reason(world.reverse(sold, store(1)).await), "PICKUP_NOT_USED");
    let _ = world.verify(store(1), code.expose()).await;
    let other = world.reverse(sold, store(1)).await.unwrap();
    assert_ne!(other.code, code);
    assert_eq!(world.verify(store(1), code.expose()).await, Verdict::Wrong);
    assert!(matches!(world.verify(store(1), other.code.expose()).await, Verdict::Good(_)));
    let audit = "select concat_ws(' ', kind, issue, actor, nullif(reason, '')) from pickup_events order by id";
    let expected = [
        "issued 1 till",
        "verified 1 clerk",
        "reversed 1 manager wrong shelf",
        "issued 2 manager wrong shelf",
        "verified 2 clerk",
    ];
    assert_eq!(world.words(audit).await, expected);
}

#[tokio::test]
async fn a_store_that_tries_wrong_codes_is_stopped_for_a_while() {
    let world = World::new().await;
    let sold = world.sold("1").await;
    let code = world.issue(sold, store(1)).await.code;
    for n in 0..40 {
        let wrong = format!("x{n:07}");
        assert_eq!(world.verify(store(1), &wrong).await, Verdict::Wrong);
    }
    let stopped = world.verify(store(1), code.expose()).await.good().unwrap_err();
    assert_eq!((stopped.code(), stopped.reason()), (Code::ResourceExhausted, "PICKUP_ATTEMPTS"));
    let elsewhere = world.issue(sold, store(2)).await.code;
    assert!(matches!(world.verify(store(2), elsewhere.expose()).await, Verdict::Good(_)));
    world.clock.advance(TimeDelta::hours(1));
    assert!(matches!(world.verify(store(1), code.expose()).await, Verdict::Good(_)));
}

#[tokio::test]
async fn an_order_leaves_in_parcels_and_each_piece_in_one_of_them() {
    let world = World::new().await;
    let mut ordered = order("1", &[1_000, 500]);
    ordered.lines[0].quantity = 3;
    let sold: OrderId = world.import(&[ordered]).await[0].order_id.parse().unwrap();
    let (first, reached) = world.ship(sold, "a", &[(1, 1), (1, 1)]).await.unwrap();
    assert_eq!(reached, Reached::Part);
    assert_eq!(reason(world.ship(sold, "a", &[(2, 1)]).await), "PARCEL_KNOWN");
    let refused = world.ship(sold, "b", &[(1, 2)]).await.unwrap_err();
    assert_eq!(refused.violations()[0].field, "lines[0].quantity");
    let (second, reached) = world.ship(sold, "b", &[(1, 1), (2, 1)]).await.unwrap();
    assert_eq!(reached, Reached::All);
    let mut tx = world.tx().await;
    let (now, later) = (world.now(), world.now() + TimeDelta::days(1));
    let sign = parcel::sign;
    assert_eq!(sign(&mut tx, second.id, now).await.unwrap().1, Reached::Part);
    assert_eq!(sign(&mut tx, second.id, later).await.unwrap().0.signed_at, Some(now));
    assert_eq!(sign(&mut tx, first.id, later).await.unwrap().1, Reached::All);
    assert_eq!(reason(sign(&mut tx, id(99), now).await), "NOT_FOUND");
    assert_eq!(parcel::store::list(&mut tx, sold).await.unwrap().len(), 2);
}

#[tokio::test]
async fn offers_that_nobody_answers_go_on_to_the_next_store_and_to_headquarters() {
    let world = World::new().await;
    let sold = world.sold("1").await;
    world.begin(sold, &[store(1), store(2)]).await;
    world.begin(sold, &[store(3)]).await;
    let due = async || assignment::act::time_out_due(&world.app, world.now()).await.unwrap();
    assert_eq!(due().await, 0);
    world.clock.advance(TimeDelta::minutes(10));
    assert_eq!(due().await, 1);
    assert_eq!(due().await, 0);
    assert_eq!(reason(world.change(sold, Event::Accept(store(1))).await), "ASSIGNED_ELSEWHERE");
    let mut tx = world.tx().await;
    let loads = assignment::store::loads(&mut tx, &[store(1), store(2), store(1)]).await.unwrap();
    assert_eq!(loads, [0, 1, 0]);
    world.change(sold, Event::Accept(store(2))).await.unwrap();
    let after = world.change(sold, Event::Refuse(store(2))).await.unwrap();
    assert_eq!((after.state, after.store_id), (State::Headquarters, None));
    let written = "select concat_ws(' ', turn, kind) from assignment_events order by turn";
    let expected = ["1 begun", "2 timed_out", "3 accepted", "4 refused"];
    assert_eq!(world.words(written).await, expected);
}
