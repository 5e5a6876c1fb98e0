//! An order that cannot go on by itself holds up no other.

use chrono::TimeDelta;

use crate::checkouts::{Buyer, by_card, card};

#[tokio::test]
async fn an_order_that_cannot_go_on_by_itself_holds_up_no_other() {
    let buyer = Buyer::new().await;
    let sql =
        "update orders set platform = 'broken' where id = (select min(id::text)::uuid from orders)";
    buyer.world.member.give(&card(1), 100_000);
    for key in ["a", "b"] {
        buyer.place(by_card(buyer.cart(key), 1, 30_000)).await.unwrap();
    }
    // Nothing in the service does so: an order that waits to be routed is not one of ours.
    let mut owner = buyer.world.database.owner().await;
    sqlx::query(sql).execute(&mut owner).await.unwrap();
    buyer.work().await;
    let waits = "select count(*) from checkouts where ripe_at is not null";
    assert_eq!(buyer.world.count(waits).await, 1);

    let buyer = Buyer::new().await;
    buyer.world.member.give(&card(1), 100_000);
    buyer.world.member.lose_answers(100);
    for key in ["a", "b"] {
        buyer.place(by_card(buyer.cart(key), 1, 10_000)).await.unwrap_err();
    }
    let mut owner = buyer.world.database.owner().await;
    sqlx::query(sql).execute(&mut owner).await.unwrap();
    buyer.world.clock.advance(TimeDelta::hours(1));
    buyer.work().await;
    let ended = "select count(*) from orders where state = 'cancelled'";
    assert_eq!(buyer.world.count(ended).await, 1);
}
