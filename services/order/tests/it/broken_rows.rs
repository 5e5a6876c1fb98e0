//! A row that cannot be written holds up no other of the job that works on it.

use chrono::TimeDelta;
use siyu_order::{
    fulfilment::assignment,
    guarantee::{
        act,
        domain::{Completion, Terms},
    },
};
use siyu_proto::order::v1::*;
use sqlx::AssertSqlSafe;

use crate::{
    fulfilment::store,
    till::{OrderId, Till},
    world::World,
};

impl World {
    /// Lets nobody change the row of an order, or lets everybody again.
    async fn break_row(&self, table: &str, order: OrderId) {
        let sql = format!(
            "create function broken() returns trigger language plpgsql as $$ begin raise exception 'broken'; end $$;
            create trigger broken before update on {table} for each row when (old.order_id = '{}')
                execute function broken()",
            order.uuid()
        );
        let mut owner = self.database.owner().await;
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut owner).await.unwrap();
    }

    async fn mend_row(&self, table: &str) {
        let mut owner = self.database.owner().await;
        let sql = format!("drop trigger broken on {table}");
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut owner).await.unwrap();
    }
}

#[tokio::test]
async fn money_that_cannot_be_released_holds_up_no_other() {
    let world = World::new().await;
    let (broken, sound) = (world.sold("1").await, world.sold("2").await);
    for id in [broken, sound] {
        world.hold(id, &[("1", 1_000)], Terms::default()).await;
        world.complete(id, Completion::Confirmed).await;
        world.clock.advance(TimeDelta::seconds(1));
    }
    world.break_row("guarantees", broken).await;
    assert_eq!(act::release_due(&world.app, world.now()).await.unwrap(), 1);
    assert_eq!(world.guarantee(sound).await.state(), GuaranteeState::Released);
    assert_eq!(world.guarantee(broken).await.state(), GuaranteeState::Held);
    world.mend_row("guarantees").await;
    assert_eq!(act::release_due(&world.app, world.now()).await.unwrap(), 1);
}

#[tokio::test]
async fn an_offer_that_cannot_be_passed_on_holds_up_no_other() {
    let world = World::new().await;
    let (broken, sound) = (world.sold("1").await, world.sold("2").await);
    for id in [broken, sound] {
        world.begin(id, &[store(1), store(2)]).await;
        world.clock.advance(TimeDelta::seconds(1));
    }
    world.clock.advance(TimeDelta::minutes(10));
    world.break_row("assignments", broken).await;
    let due = async || assignment::act::time_out_due(&world.app, world.now()).await.unwrap();
    assert_eq!(due().await, 1);
    world.mend_row("assignments").await;
    assert_eq!((due().await, due().await), (1, 0));
}

#[tokio::test]
async fn a_claim_that_cannot_be_closed_holds_up_no_other() {
    let till = Till::open().await;
    let broken = till.claim(1, 100).await;
    till.world.clock.advance(TimeDelta::seconds(1));
    let sound = till.claim(2, 100).await;
    till.world.break_row("payment_claims", broken).await;
    till.world.clock.advance(TimeDelta::minutes(16));
    till.work().await;
    assert_eq!(till.claim_of(sound).await.state(), ClaimState::Closed);
    assert_eq!(till.claim_of(broken).await.state(), ClaimState::Open);
    till.world.mend_row("payment_claims").await;
    till.work().await;
    assert_eq!(till.claim_of(broken).await.state(), ClaimState::Closed);
}
