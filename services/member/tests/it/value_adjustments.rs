//! Cards that somebody corrects, and what becomes of cards whose purchase is given back.

use siyu_grpc::fault;
use siyu_kernel::{Code, Fault};
use siyu_proto::member::v1::*;

use crate::{
    points::time,
    value::Till,
    value_gifts::{accept, give, transfer},
    world::fields,
};

pub(crate) async fn adjust(
    till: &Till,
    request: AdjustValueCardRequest,
) -> Result<ValueCard, Fault> {
    let reply = till.cards().adjust_value_card(request).await.map_err(fault)?;
    Ok(reply.into_inner().card.unwrap())
}

pub(crate) fn by(
    till: &Till,
    card_id: &str,
    principal_minor: i64,
    bonus_minor: i64,
) -> AdjustValueCardRequest {
    AdjustValueCardRequest {
        request_id: till.fresh(),
        card_id: card_id.into(),
        principal_minor,
        bonus_minor,
        reason: "counted wrong".into(),
        ..Default::default()
    }
}

#[tokio::test]
async fn each_bucket_is_corrected_by_itself_as_an_entry_and_never_below_nothing() {
    let till = Till::new().await;
    let card = till.filled(1_000, 300).await;
    let first = by(&till, &card, -400, 50);
    let shown = adjust(&till, first.clone()).await.unwrap();
    assert_eq!((shown.available_principal_minor, shown.available_bonus_minor), (600, 350));
    assert_eq!(adjust(&till, first.clone()).await.unwrap(), shown, "a repeat changes nothing");
    let other = AdjustValueCardRequest { principal_minor: -401, ..first };
    assert_eq!(adjust(&till, other).await.unwrap_err().reason(), "REQUEST_ID_REUSED");
    for (principal, bonus) in [(-601, 0), (0, -351), (500, -351)] {
        let refused = adjust(&till, by(&till, &card, principal, bonus)).await.unwrap_err();
        assert_eq!(refused.reason(), "INSUFFICIENT_BALANCE");
    }
    assert_eq!(till.has(&card).await, (600, 350), "all or nothing");
    let request = ListValueCardEntriesRequest { card_id: card.clone(), ..Default::default() };
    let entries = till.cards().list_value_card_entries(request).await.unwrap().into_inner().entries;
    let newest = &entries[0];
    assert_eq!(newest.kind(), ValueEntryKind::Adjust);
    assert_eq!((newest.principal_minor, newest.bonus_minor), (-400, 50));
    let nothing = adjust(&till, by(&till, &card, 0, 0)).await.unwrap_err();
    assert_eq!(fields(&nothing), ["principal_minor"]);
    let of_nobody = adjust(&till, by(&till, &crate::value::nobody(), 1, 0)).await.unwrap_err();
    assert_eq!(of_nobody.code(), Code::NotFound);
    till.sound().await;
}

#[tokio::test]
async fn bonus_by_hand_has_its_own_end_and_value_by_hand_keeps_to_the_limits() {
    let till = Till::new().await;
    let card = till.filled(1_000, 0).await;
    let end = Some(time("2024-06-02T00:00:00Z"));
    let request = AdjustValueCardRequest { bonus_expire_time: end, ..by(&till, &card, 0, 70) };
    adjust(&till, request.clone()).await.unwrap();
    assert_eq!(till.has(&card).await, (1_000, 70));
    let without = AdjustValueCardRequest { request_id: till.fresh(), bonus_minor: -1, ..request };
    assert_eq!(fields(&adjust(&till, without).await.unwrap_err()), ["bonus_expire_time"]);
    till.world.clock.advance(chrono::TimeDelta::days(1));
    till.run_jobs().await;
    assert_eq!(till.has(&card).await, (1_000, 0));
    let beyond = adjust(&till, by(&till, &card, 499_001, 0)).await.unwrap_err();
    assert_eq!(beyond.reason(), "PREPAID_LIMIT_EXCEEDED");
    adjust(&till, by(&till, &card, 499_000, 0)).await.unwrap();
    till.freeze(&card).await;
    let frozen = adjust(&till, by(&till, &card, -1, 0)).await.unwrap_err();
    assert_eq!(frozen.reason(), "VALUE_CARD_FROZEN");
    till.sound().await;
}

/// Rule 59: whoever gives a bought card back gets no more than is left of it, wherever the rest went.
#[tokio::test]
async fn a_purchase_of_a_card_is_given_back_net_of_what_went_on_from_it() {
    let till = Till::new().await;
    let person = till.person("buyer").await;
    let card = till.card(&person).await;
    let bought = till.fill(&card, 1_000, 0).await;
    till.pay(&[(&card, 150)]).await.unwrap();
    let other = till.filled(1, 0).await;
    transfer(&till, &card, &other, 250).await.unwrap();
    let gift = give(&till, &card, 200).await;
    let back = till.take_back(&bought.id, ValueFault::Consumer).await.unwrap();
    assert_eq!(back.refunded_minor, 400, "what was spent and given away is not paid out again");
    assert_eq!(till.has(&card).await, (0, 0), "the card pays no more");
    assert_eq!(till.pay(&[(&card, 1)]).await.unwrap_err().reason(), "INSUFFICIENT_BALANCE");
    let friend = till.person("friend").await;
    let accepted = accept(&till, &gift.code, &friend).await.unwrap().card.unwrap();
    assert_eq!(accepted.available_principal_minor, 200, "the gift is somebody else's");
    let again = till.take_back(&bought.id, ValueFault::Consumer).await.unwrap_err();
    assert_eq!(again.reason(), "RECHARGE_REFUNDED");
    let everywhere = 150 + 250 + 200 + 400;
    assert_eq!(everywhere, bought.principal_minor);
    till.sound().await;
}
