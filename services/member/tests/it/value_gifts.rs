use chrono::TimeDelta;
use siyu_grpc::fault;
use siyu_kernel::{Code, Fault};
use siyu_proto::member::v1::*;

use crate::value::Till;

pub(crate) async fn transfer(
    till: &Till,
    from: &str,
    to: &str,
    amount_minor: i64,
) -> Result<TransferValueResponse, Fault> {
    let request = TransferValueRequest {
        request_id: till.fresh(),
        card_id: from.into(),
        to_card_id: to.into(),
        amount_minor,
    };
    Ok(till.gifts().transfer_value(request).await.map_err(fault)?.into_inner())
}

pub(crate) async fn give(till: &Till, card: &str, amount_minor: i64) -> CreateValueGiftResponse {
    give_some(till, card, amount_minor).await.unwrap()
}

pub(crate) async fn give_some(
    till: &Till,
    card: &str,
    amount_minor: i64,
) -> Result<CreateValueGiftResponse, Fault> {
    let request = CreateValueGiftRequest {
        request_id: till.fresh(),
        card_id: card.into(),
        amount_minor,
        valid_hours: 0,
    };
    Ok(till.gifts().create_value_gift(request).await.map_err(fault)?.into_inner())
}

pub(crate) async fn accept(
    till: &Till,
    code: &str,
    person: &str,
) -> Result<AcceptValueGiftResponse, Fault> {
    let request = AcceptValueGiftRequest {
        request_id: till.fresh(),
        code: code.into(),
        person_id: person.into(),
    };
    Ok(till.gifts().accept_value_gift(request).await.map_err(fault)?.into_inner())
}

pub(crate) async fn cancel(till: &Till, gift_id: &str) -> Result<ValueGift, Fault> {
    let request = CancelValueGiftRequest { request_id: till.fresh(), gift_id: gift_id.into() };
    let reply = till.gifts().cancel_value_gift(request).await.map_err(fault)?.into_inner();
    Ok(reply.gift.unwrap())
}

#[tokio::test]
async fn value_goes_to_another_card_in_its_ratio_and_bonus_keeps_its_times() {
    let till = Till::new().await;
    let from = till.filled(1, 0).await;
    let plan = RechargePlan {
        pay_minor: 999,
        bonus_minor: 500,
        bonus_valid_days: 10,
        ..Default::default()
    };
    let plan_id = till.offer(plan).await.unwrap().id;
    let ask = RechargeRequest { card_id: from.clone(), plan_id, ..Default::default() };
    till.recharge(ask).await.unwrap();
    let to = till.filled(100, 0).await;
    let moved = transfer(&till, &from, &to, 300).await.unwrap();
    assert_eq!((moved.principal_minor, moved.bonus_minor), (200, 100));
    assert_eq!((till.has(&from).await, till.has(&to).await), ((800, 400), (300, 100)));
    till.world.clock.advance(TimeDelta::days(10));
    till.run_jobs().await;
    assert_eq!((till.has(&from).await, till.has(&to).await), ((800, 0), (300, 0)));
    let beyond = transfer(&till, &from, &to, 801).await.unwrap_err();
    assert_eq!(beyond.reason(), "INSUFFICIENT_BALANCE");
    let itself = transfer(&till, &from, &from, 1).await.unwrap_err();
    assert_eq!(crate::world::fields(&itself), ["to_card_id"]);
    till.sound().await;
}

#[tokio::test]
async fn value_stays_with_its_issuer_and_within_the_limit_of_the_card() {
    let till = Till::new().await;
    let (from, full) = (till.filled(1_000, 0).await, till.filled(500_000, 0).await);
    let refused = transfer(&till, &from, &full, 1).await.unwrap_err();
    assert_eq!(refused.reason(), "PREPAID_LIMIT_EXCEEDED");
    let issuer_id = till.issue(IssuerScale::Small, 0).await.id;
    let person_id = till.person("o").await;
    let open = OpenValueCardRequest { issuer_id, person_id, ..Default::default() };
    let other = till.open(open).await.unwrap().id;
    let refused = transfer(&till, &from, &other, 1).await.unwrap_err();
    assert_eq!(refused.reason(), "VALUE_ISSUERS_DIFFER");
}

#[tokio::test]
async fn a_gift_is_a_card_for_whoever_has_the_code_once() {
    let till = Till::new().await;
    let from = till.filled(1_000, 500).await;
    let made = give(&till, &from, 300).await;
    let gift = made.gift.unwrap();
    assert_eq!((gift.principal_minor, gift.bonus_minor), (200, 100));
    assert_eq!(till.has(&from).await, (800, 400));
    let waiting = till.pay(&[(&gift.card_id, 1)]).await.unwrap_err();
    assert_eq!(waiting.reason(), "VALUE_CARD_CLOSED");
    let friend = till.person("friend").await;
    let wrong = accept(&till, "0123456789abcdef0123456789abcdef", &friend).await.unwrap_err();
    assert_eq!(wrong.code(), Code::NotFound);
    let taken = accept(&till, &made.code, &friend).await.unwrap();
    let card = taken.card.unwrap();
    assert_eq!((&card.person_id, &card.origin_card_id), (&friend, &from));
    assert_eq!(till.has(&card.id).await, (200, 100));
    let twice = accept(&till, &made.code, &friend).await.unwrap_err();
    assert_eq!(twice.reason(), "GIFT_ENDED");
    assert_eq!(cancel(&till, &gift.id).await.unwrap_err().reason(), "GIFT_ENDED");
    till.pay(&[(&card.id, 300)]).await.unwrap();
    till.sound().await;
}

#[tokio::test]
async fn the_code_of_a_gift_is_told_again_and_kept_nowhere() {
    let till = Till::new().await;
    let from = till.filled(1_000, 0).await;
    let request = CreateValueGiftRequest {
        request_id: till.fresh(),
        card_id: from,
        amount_minor: 300,
        valid_hours: 0,
    };
    let made = till.gifts().create_value_gift(request.clone()).await.unwrap().into_inner();
    let again = till.gifts().create_value_gift(request).await.unwrap().into_inner();
    assert_eq!(again, made);
    let mut tx = till.world.database.db().tenant_read(till.world.own).await.unwrap();
    let kept: Vec<Vec<u8>> =
        sqlx::query_scalar("select reply from idempotency where method like '%CreateValueGift'")
            .fetch_all(&mut *tx)
            .await
            .unwrap();
    let code = made.code.as_bytes();
    assert!(kept.len() == 1 && code.len() == 32, "{kept:?} {code:?}");
    assert!(kept[0].windows(code.len()).all(|part| part != code), "the code is in the reply");
    let friend = till.person("friend").await;
    accept(&till, &made.code, &friend).await.unwrap();
}

#[tokio::test]
async fn a_gift_that_nobody_accepts_goes_back() {
    let till = Till::new().await;
    let from = till.filled(1_000, 500).await;
    let cancelled = give(&till, &from, 300).await;
    let gift = cancel(&till, &cancelled.gift.unwrap().id).await.unwrap();
    assert_eq!(gift.state(), ValueGiftState::Cancelled);
    assert_eq!(till.has(&from).await, (1_000, 500));
    // The whole of it, and the card is closed meanwhile.
    let made = give(&till, &from, 1_500).await;
    till.close(&from).await.unwrap();
    till.world.clock.advance(TimeDelta::hours(24));
    let friend = till.person("friend").await;
    let late = accept(&till, &made.code, &friend).await.unwrap_err();
    assert_eq!(late.reason(), "GIFT_ENDED");
    till.run_jobs().await;
    let request = GetValueGiftRequest { gift_id: made.gift.unwrap().id };
    let gift = till.gifts().get_value_gift(request).await.unwrap().into_inner().gift.unwrap();
    assert_eq!(gift.state(), ValueGiftState::Expired);
    assert_eq!(till.has(&from).await, (1_000, 500));
    assert_eq!(till.look(&gift.card_id).await.state(), ValueCardState::Closed);
    till.sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_gift_is_accepted_or_cancelled_never_both() {
    let till = std::sync::Arc::new(Till::new().await);
    let from = till.filled(1_000, 0).await;
    let friend = till.person("friend").await;
    for _ in 0..4 {
        let made = give(&till, &from, 100).await;
        let (id, code) = (made.gift.unwrap().id, made.code);
        let mut set = tokio::task::JoinSet::new();
        for n in 0..6 {
            let (till, id, code, friend) = (till.clone(), id.clone(), code.clone(), friend.clone());
            set.spawn(async move {
                if n < 3 {
                    accept(&till, &code, &friend).await.is_ok()
                } else {
                    cancel(&till, &id).await.is_ok()
                }
            });
        }
        assert_eq!(set.join_all().await.into_iter().filter(|done| *done).count(), 1);
    }
    till.sound().await;
}
