use chrono::TimeDelta;
use siyu_proto::member::v1::*;

use crate::{
    value::{Till, charges},
    value_redemptions::{approve, ask},
};

async fn store(till: &Till, code: &str) -> String {
    let store = Store { code: code.into(), name: code.into(), ..Default::default() };
    let request = UpsertStoresRequest { stores: vec![store] };
    let reply = till.world.stores(till.world.own).upsert_stores(request).await.unwrap();
    reply.into_inner().stores[0].id.clone()
}

async fn card_of(till: &Till, store_id: &str) -> String {
    let person_id = till.person(&till.fresh()).await;
    let store_id = store_id.into();
    let open = OpenValueCardRequest { person_id, store_id, ..Default::default() };
    till.open(open).await.unwrap().id
}

async fn pay_in(till: &Till, card: &str, store_id: &str, amount: i64) -> ValuePayment {
    let request = PayValueRequest {
        request_id: till.fresh(),
        charges: charges(&[(card, amount)]),
        store_id: store_id.into(),
        ..Default::default()
    };
    till.values().pay_value(request).await.unwrap().into_inner().payment.unwrap()
}

async fn balance(till: &Till, day: &str) -> PrepaidBalance {
    let request = GetPrepaidBalanceRequest { issuer_id: till.issuer_id.clone(), day: day.into() };
    let reply = till.reports().get_prepaid_balance(request).await.unwrap();
    reply.into_inner().balance.unwrap()
}

#[tokio::test]
async fn the_balance_of_a_day_stays_what_it_was_and_custody_is_that_of_the_quarter_before() {
    let till = Till::new().await;
    // 1 June 08:00 in Shanghai.
    let card = till.filled(100_001, 10_000).await;
    till.pay(&[(&card, 1)]).await.unwrap();
    till.world.clock.advance(TimeDelta::hours(16));
    till.fill(&card, 5_000, 0).await;
    let first = balance(&till, "2024-06-01").await;
    assert_eq!((first.principal_minor, first.bonus_minor), (100_000, 10_000));
    assert_eq!(balance(&till, "").await.principal_minor, 105_000);
    assert_eq!(balance(&till, "2024-05-31").await.principal_minor, 0);
    let next = balance(&till, "2024-07-01").await;
    assert_eq!(next.custody_day, "2024-06-30");
    // A large issuer: 20 %.
    assert_eq!((next.custody_balance_minor, next.custody_required_minor), (105_000, 21_000));
    assert_eq!((next.limit_minor, next.near), (0, false));
}

#[tokio::test]
async fn stores_settle_what_was_paid_in_one_with_cards_of_another() {
    let till = Till::new().await;
    let (a, b) = (store(&till, "A").await, store(&till, "B").await);
    let (of_a, of_b) = (card_of(&till, &a).await, card_of(&till, &b).await);
    till.fill(&of_a, 1_000, 500).await;
    till.fill(&of_b, 1_000, 0).await;
    pay_in(&till, &of_a, &a, 150).await;
    let there = pay_in(&till, &of_a, &b, 300).await;
    till.refund(&there.id, 150).await.unwrap();
    pay_in(&till, &of_b, &a, 70).await;
    pay_in(&till, &of_b, "", 5).await;
    let request = |page_size, page_token: &str| ListValueSettlementsRequest {
        from_day: "2024-06-01".into(),
        to_day: "2024-06-02".into(),
        page_size,
        page_token: page_token.into(),
    };
    let reply = till.reports().list_value_settlements(request(0, "")).await.unwrap().into_inner();
    let rows: Vec<_> = reply
        .settlements
        .iter()
        .map(|s| (&s.issuing_store_id, &s.accepting_store_id, s.principal_minor, s.bonus_minor))
        .collect();
    let none = String::new();
    assert_eq!(rows, [(&a, &b, 100, 50), (&b, &none, 5, 0), (&b, &a, 70, 0)]);
    let mut token = String::new();
    for row in &reply.settlements {
        let page = till.reports().list_value_settlements(request(1, &token)).await.unwrap();
        let page = page.into_inner();
        assert_eq!(page.settlements, std::slice::from_ref(row));
        token = page.next_page_token;
    }
    assert_eq!(token, "");
}

#[tokio::test]
async fn liabilities_and_breakage_stand_by_issuer_and_store() {
    let till = Till::new().await;
    till.rule(|policy| {
        policy.redeem_fee_bp = 1_000;
        policy.cooling_off_days = 0;
    })
    .await;
    let a = store(&till, "A").await;
    let (gone, kept) = (card_of(&till, &a).await, card_of(&till, "").await);
    till.fill(&gone, 1_000, 200).await;
    till.fill(&kept, 700, 0).await;
    let asked = ask(&till, &gone, ValueFault::Consumer).await.unwrap();
    assert_eq!(asked.paid_out_minor, 900);
    approve(&till, &asked.id, "bert").await.unwrap();
    let request = ListValueLiabilitiesRequest::default();
    let reply = till.reports().list_value_liabilities(request).await.unwrap().into_inner();
    let row = |store_id: &str, principal, bonus, fees, lapsed| ValueLiability {
        issuer_id: till.issuer_id.clone(),
        store_id: store_id.into(),
        principal_minor: principal,
        bonus_minor: bonus,
        kept_minor: fees,
        lapsed_bonus_minor: lapsed,
    };
    assert_eq!(reply.liabilities, [row("", 700, 0, 0, 0), row(&a, 0, 0, 100, 200)]);
    let before = ListValueLiabilitiesRequest { day: "2024-05-31".into(), ..Default::default() };
    let reply = till.reports().list_value_liabilities(before).await.unwrap().into_inner();
    assert_eq!(reply.liabilities, []);
}
