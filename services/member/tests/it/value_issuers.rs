//! What an issuer may owe, over many days.

use chrono::TimeDelta;
use siyu_kernel::Fault;
use siyu_proto::member::v1::*;

use crate::value::Till;

async fn fill(till: &Till, card_id: &str, amount_minor: i64) -> Result<(), Fault> {
    let card_id = card_id.into();
    let request = RechargeRequest { card_id, amount_minor, ..Default::default() };
    till.recharge(request).await.map(drop)
}

/// The days that are closed, with what was owed at their end.
async fn closed(till: &Till) -> Vec<(String, i64)> {
    let mut tx = till.world.database.db().tenant_read(till.world.own).await.unwrap();
    sqlx::query_as("select day::text, principal_minor from issuer_closings")
        .fetch_all(&mut *tx)
        .await
        .unwrap()
}

#[tokio::test]
async fn an_issuer_owes_at_most_its_limit_over_all_days_and_days_that_are_over_are_summed_once() {
    let till = Till::new().await;
    let issuer_id = till.issue(IssuerScale::Small, 1_000_000).await.id;
    let person_id = till.person("o").await;
    let open = OpenValueCardRequest { issuer_id, person_id, ..Default::default() };
    let card = till.open(open).await.unwrap().id;
    for _ in 0..3 {
        fill(&till, &card, 100_000).await.unwrap();
        till.world.clock.advance(TimeDelta::days(1));
    }
    assert_eq!(closed(&till).await, [("2024-06-01".to_owned(), 100_000)]);
    let beyond = fill(&till, &card, 100_001).await.unwrap_err();
    assert_eq!(beyond.reason(), "PREPAID_LIMIT_EXCEEDED");
    till.pay(&[(&card, 50_000)]).await.unwrap();
    assert_eq!(fill(&till, &card, 150_001).await.unwrap_err().reason(), "PREPAID_LIMIT_EXCEEDED");
    fill(&till, &card, 150_000).await.unwrap();
    assert_eq!(closed(&till).await, [("2024-06-02".to_owned(), 200_000)]);
    till.sound().await;

    // Nobody looks at days that are closed again.
    let mut owner = till.world.database.owner().await;
    let forget = "update value_entries set principal_minor = 0 where day <= '2024-06-02'";
    sqlx::query(forget).execute(&mut owner).await.unwrap();
    till.world.clock.advance(TimeDelta::days(7));
    assert_eq!(fill(&till, &card, 1).await.unwrap_err().reason(), "PREPAID_LIMIT_EXCEEDED");
    till.pay(&[(&card, 1)]).await.unwrap();
    fill(&till, &card, 1).await.unwrap();
    assert_eq!(closed(&till).await, [("2024-06-09".to_owned(), 400_000)]);
}
