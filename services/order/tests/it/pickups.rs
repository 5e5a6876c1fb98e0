//! Orders that their buyers fetch, over the methods.

use chrono::TimeDelta;
use futures::future::join_all;
use siyu_grpc::fault;
use siyu_kernel::{Code, Fault};
use siyu_proto::order::v1::*;

use crate::{depot::Depot, market::reason, stock::figures};

impl Depot {
    async fn code(&self, order_id: &str) -> Result<PickupCode, Fault> {
        let request = IssuePickupCodeRequest { order_id: order_id.into() };
        let reply = self.world.fulfilment(1).issue_pickup_code(request).await.map_err(fault)?;
        Ok(reply.into_inner().pickup.unwrap())
    }

    async fn show(&self, key: &str, location: &str, code: &str) -> Result<Order, Fault> {
        let request = VerifyPickupCodeRequest {
            request_id: key.into(),
            location_code: location.into(),
            code: code.into(),
        };
        loop {
            let mut client = self.world.fulfilment(1);
            match client.verify_pickup_code(request.clone()).await.map_err(fault) {
                // A till that found the service busy asks again.
                Err(busy) if busy.code() == Code::Unavailable => {}
                reply => return Ok(reply?.into_inner().order.unwrap()),
            }
        }
    }

    async fn undo(&self, key: &str, order_id: &str) -> Result<PickupCode, Fault> {
        let request = ReversePickupRequest {
            request_id: key.into(),
            order_id: order_id.into(),
            reason: "wrong shelf".into(),
        };
        let reply = self.world.fulfilment(1).reverse_pickup(request).await.map_err(fault)?;
        Ok(reply.into_inner().pickup.unwrap())
    }

    /// An order that waits in the first store, and its code.
    async fn waiting(&self, key: &str) -> (String, PickupCode) {
        let id = self.buy(self.cart_by(key, DeliveryMethod::PickUp, "north")).await;
        self.accept(&format!("take {key}"), &id, (1, "north"), &[]).await.unwrap();
        let code = self.code(&id).await.unwrap();
        (id, code)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_tills_that_verify_a_code_at_once_one_hands_the_order_over() {
    let depot = Depot::new(&["north"]).await;
    let (id, code) = depot.waiting("a").await;
    assert_eq!(depot.state(&id).await, OrderState::ReadyForPickup);
    assert_eq!(figures(&depot.world, "scarf", "north").await, (10, 2, 8));
    let keys: Vec<String> = (0..64).map(|n| format!("till {n}")).collect();
    let shown = join_all(keys.iter().map(|key| depot.show(key, "north", &code.code))).await;
    let (good, refused): (Vec<_>, Vec<_>) = shown.into_iter().partition(Result::is_ok);
    assert_eq!((good.len(), refused.len()), (1, 63));
    for refused in refused {
        assert_eq!(reason(refused), "PICKUP_USED");
    }
    let order = good.into_iter().next().unwrap().unwrap();
    assert_eq!((order.state(), order.lines.len()), (OrderState::PickedUp, 2));
    assert_eq!(figures(&depot.world, "scarf", "north").await, (8, 0, 8));
    assert_eq!(figures(&depot.world, "dress-m", "north").await, (9, 0, 9));
    let verified = "select count(*) from pickup_events where kind = 'verified'";
    assert_eq!(depot.world.count(verified).await, 1);
    // What was paid is the merchant's a day later.
    depot.world.clock.advance(TimeDelta::hours(24) - TimeDelta::seconds(1));
    depot.work().await;
    assert_eq!(depot.held(&id).await.state(), GuaranteeState::Held);
    depot.world.clock.advance(TimeDelta::seconds(1));
    depot.work().await;
    assert_eq!(depot.held(&id).await.state(), GuaranteeState::Released);
    depot.books().await;
}

#[tokio::test]
async fn a_code_is_good_in_its_own_store_and_a_till_that_was_cut_off_repeats_the_call() {
    let depot = Depot::new(&["north", "south"]).await;
    let (id, code) = depot.waiting("a").await;
    assert_eq!(depot.code(&id).await.unwrap(), code, "the buyer is shown it again");
    assert_eq!(reason(depot.show("t", "south", &code.code).await), "PICKUP_CODE_WRONG");
    assert_eq!(reason(depot.show("t", "north", "nothing").await), "PICKUP_CODE_WRONG");
    let refused = depot.show("t", "main", &code.code).await.unwrap_err();
    assert_eq!(refused.violations()[0].field, "location_code");
    // The same request id, with the right code now.
    let order = depot.show("t", "north", &code.code).await.unwrap();
    assert_eq!(depot.show("t", "north", &code.code).await.unwrap(), order, "a repeat");
    assert_eq!(reason(depot.show("u", "north", &code.code).await), "PICKUP_USED");
    assert_eq!(depot.world.count("select sum(failures)::bigint from pickup_failures").await, 2);
    let request = VerifyPickupCodeRequest {
        request_id: "t".into(),
        location_code: "north".into(),
        code: code.code,
    };
    let theirs = fault(depot.world.fulfilment(2).verify_pickup_code(request).await.unwrap_err());
    assert_eq!(theirs.violations()[0].field, "location_code");
    let request = IssuePickupCodeRequest { order_id: id };
    let theirs = fault(depot.world.fulfilment(2).issue_pickup_code(request).await.unwrap_err());
    assert_eq!(theirs.code(), Code::NotFound);
}

#[tokio::test]
async fn a_store_that_tries_wrong_codes_is_stopped_over_the_method_too() {
    let depot = Depot::new(&["north"]).await;
    let (_, first) = depot.waiting("first").await;
    let (_, code) = depot.waiting("a").await;
    // A code that was good begins no hour: the first wrong one does.
    depot.show("good", "north", &first.code).await.unwrap();
    depot.world.clock.advance(TimeDelta::minutes(59));
    for n in 0..40 {
        let wrong = depot.show(&format!("{n}"), "north", "x").await;
        assert_eq!(reason(wrong), "PICKUP_CODE_WRONG");
    }
    depot.world.clock.advance(TimeDelta::minutes(59));
    let stopped = depot.show("t", "north", &code.code).await.unwrap_err();
    assert_eq!((stopped.code(), stopped.reason()), (Code::ResourceExhausted, "PICKUP_ATTEMPTS"));
    depot.world.clock.advance(TimeDelta::minutes(1));
    depot.show("t", "north", &code.code).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn codes_that_are_guessed_all_at_once_are_stopped_as_if_one_came_after_the_other() {
    let depot = Depot::new(&["north"]).await;
    let (_, code) = depot.waiting("a").await;
    let guesses: Vec<(String, String)> = (0..120)
        .map(|n| (format!("g{n}"), format!("{:08}", 7_919 * n)))
        .filter(|(_, guess)| *guess != code.code)
        .collect();
    let shown = join_all(guesses.iter().map(|(key, guess)| depot.show(key, "north", guess))).await;
    let reasons: Vec<&str> = shown.into_iter().map(reason).collect();
    let of = |wanted: &str| reasons.iter().filter(|reason| **reason == wanted).count();
    assert_eq!((of("PICKUP_CODE_WRONG"), of("PICKUP_ATTEMPTS")), (40, guesses.len() - 40));
    assert_eq!(depot.world.count("select sum(failures)::bigint from pickup_failures").await, 40);
    assert_eq!(reason(depot.show("t", "north", &code.code).await), "PICKUP_ATTEMPTS");
}

#[tokio::test]
async fn a_code_whose_time_is_over_is_renewed_and_one_of_a_refunded_order_ends() {
    let depot = Depot::new(&["north"]).await;
    let (id, code) = depot.waiting("a").await;
    depot.world.clock.advance(TimeDelta::days(7));
    assert_eq!(reason(depot.show("t", "north", &code.code).await), "PICKUP_EXPIRED");
    let other = depot.code(&id).await.unwrap();
    assert_ne!(other.code, code.code);
    depot.refund("r", &id, crate::refunds::whole()).await.unwrap();
    depot.work().await;
    assert_eq!(reason(depot.show("t", "north", &other.code).await), "PICKUP_CODE_WRONG");
    assert_eq!(reason(depot.code(&id).await), "PART_NOT_TAKEN");
    assert_eq!(figures(&depot.world, "scarf", "north").await, (10, 0, 10));
    depot.books().await;
}

#[tokio::test]
async fn taking_a_pickup_back_is_written_down_and_nothing_is_released_meanwhile() {
    let depot = Depot::new(&["north"]).await;
    let (id, code) = depot.waiting("a").await;
    assert_eq!(reason(depot.undo("u", &id).await), "PICKUP_NOT_USED");
    depot.show("t", "north", &code.code).await.unwrap();
    let other = depot.undo("u", &id).await.unwrap();
    assert_eq!(depot.undo("u", &id).await.unwrap(), other, "a repeat");
    assert_eq!(depot.state(&id).await, OrderState::ReadyForPickup);
    assert_eq!(figures(&depot.world, "scarf", "north").await, (10, 2, 8));
    depot.world.clock.advance(TimeDelta::days(2));
    depot.work().await;
    assert_eq!(depot.held(&id).await.held_minor, 30_000);
    assert_eq!(reason(depot.show("v", "north", &code.code).await), "PICKUP_CODE_WRONG");
    depot.show("v", "north", &other.code).await.unwrap();
    assert_eq!(figures(&depot.world, "scarf", "north").await, (8, 0, 8));
    depot.world.clock.advance(TimeDelta::days(1));
    depot.work().await;
    assert_eq!(depot.held(&id).await.state(), GuaranteeState::Released);
    assert_eq!(reason(depot.undo("w", &id).await), "GUARANTEE_RELEASED");
    let kept =
        "select count(*) from pickup_events where kind = 'reversed' and reason = 'wrong shelf'";
    assert_eq!(depot.world.count(kept).await, 1);
    depot.books().await;
}

#[tokio::test]
async fn what_is_fetched_is_not_sent_and_what_is_sent_is_not_fetched() {
    let depot = Depot::new(&["north"]).await;
    let (id, _) = depot.waiting("a").await;
    assert_eq!(reason(depot.ship("1", &id, 1, &[]).await), "DELIVERY_METHOD_WRONG");
    let sent = depot.taken("b").await;
    assert_eq!(reason(depot.code(&sent).await), "DELIVERY_METHOD_WRONG");
    let kept = depot.buy(depot.cart_by("c", DeliveryMethod::PickUp, "")).await;
    depot.accept("c", &kept, (1, ""), &[]).await.unwrap();
    assert_eq!(reason(depot.code(&kept).await), "PART_NOT_TAKEN", "the buyer knows no store");
    let asked = depot.buy(depot.cart_by("d", DeliveryMethod::PickUp, "north")).await;
    assert_eq!(depot.parts(&asked).await[0].store_id, depot.stores[0]);
}

#[tokio::test]
async fn an_order_that_is_fetched_is_taken_on_as_a_whole() {
    let depot = Depot::new(&["north"]).await;
    let id = depot.buy(depot.cart_by("a", DeliveryMethod::PickUp, "north")).await;
    let some = [crate::depot::line(2, 1)];
    assert_eq!(reason(depot.accept("1", &id, (1, "north"), &some).await), "PICKUP_NOT_DIVIDED");
    assert_eq!(depot.state(&id).await, OrderState::Paid, "nothing of it was taken on");
    // All of it by name is all of it.
    let all = [crate::depot::line(1, 1), crate::depot::line(2, 2)];
    depot.accept("2", &id, (1, "north"), &all).await.unwrap();
    let code = depot.code(&id).await.unwrap();
    depot.show("t", "north", &code.code).await.unwrap();
    assert_eq!(figures(&depot.world, "scarf", "north").await, (8, 0, 8));
    assert_eq!(figures(&depot.world, "dress-m", "north").await, (9, 0, 9));
    depot.books().await;
}
