use chrono::TimeDelta;
use siyu_grpc::fault;
use siyu_kernel::{Code, Fault};
use siyu_proto::member::v1::*;

use crate::value::Till;

pub(crate) async fn ask(
    till: &Till,
    card_id: &str,
    blame: ValueFault,
) -> Result<Redemption, Fault> {
    let request = RequestRedemptionRequest {
        request_id: till.fresh(),
        card_id: card_id.into(),
        fault: blame.into(),
        reason: "moves away".into(),
    };
    let reply = till.redemptions("anna").request_redemption(request).await.map_err(fault)?;
    Ok(reply.into_inner().redemption.unwrap())
}

pub(crate) async fn approve(
    till: &Till,
    id: &str,
    operator: &str,
) -> Result<ApproveRedemptionResponse, Fault> {
    let request = ApproveRedemptionRequest { request_id: till.fresh(), redemption_id: id.into() };
    let reply = till.redemptions(operator).approve_redemption(request).await.map_err(fault)?;
    Ok(reply.into_inner())
}

pub(crate) async fn reject(till: &Till, id: &str) -> Result<Redemption, Fault> {
    let request = RejectRedemptionRequest { request_id: till.fresh(), redemption_id: id.into() };
    let reply = till.redemptions("bert").reject_redemption(request).await.map_err(fault)?;
    Ok(reply.into_inner().redemption.unwrap())
}

async fn quote(till: &Till, card_id: &str, blame: ValueFault) -> Redemption {
    let request = QuoteRedemptionRequest { card_id: card_id.into(), fault: blame.into() };
    let reply = till.redemptions("anna").quote_redemption(request).await.unwrap();
    reply.into_inner().redemption.unwrap()
}

#[tokio::test]
async fn a_card_is_paid_out_by_ratio_or_list_price_and_its_bonus_voids() {
    let till = Till::new().await;
    let card = till.filled(300_000, 100_000).await;
    till.pay(&[(&card, 359_400)]).await.unwrap();
    let by_list = quote(&till, &card, ValueFault::Consumer).await;
    assert_eq!((by_list.paid_out_minor, by_list.kept_minor), (0, 30_450));
    let asked = ask(&till, &card, ValueFault::Merchant).await.unwrap();
    assert_eq!((asked.principal_minor, asked.bonus_minor), (30_450, 10_150));
    assert_eq!(asked.paid_out_minor, 30_450);
    // What was asked for is reserved until somebody decides.
    assert_eq!(till.has(&card).await, (0, 0));
    let own = approve(&till, &asked.id, "anna").await.unwrap_err();
    assert_eq!(own.reason(), "SAME_OPERATOR");
    let paid = approve(&till, &asked.id, "bert").await.unwrap();
    let redemption = paid.redemption.unwrap();
    assert_eq!((redemption.state(), &*redemption.decided_by), (RedemptionState::Approved, "bert"));
    assert_eq!(paid.card.unwrap().state(), ValueCardState::Closed);
    let unsaid = Redemption { reason: String::new(), ..redemption };
    assert_eq!(till.world.told::<ValueRedeemed>().await[0].2.redemption, Some(unsaid));
    for refused in
        [approve(&till, &asked.id, "bert").await.err(), reject(&till, &asked.id).await.err()]
    {
        assert_eq!(refused.unwrap().reason(), "REDEMPTION_DECIDED");
    }
    till.sound().await;
}

#[tokio::test]
async fn a_rejected_redemption_leaves_the_card_as_it_was() {
    let till = Till::new().await;
    let card = till.filled(1_000, 100).await;
    let asked = ask(&till, &card, ValueFault::Consumer).await.unwrap();
    let again = ask(&till, &card, ValueFault::Consumer).await.unwrap_err();
    assert_eq!(again.reason(), "NOTHING_TO_REFUND");
    let pay = till.pay(&[(&card, 1)]).await.unwrap_err();
    assert_eq!(pay.reason(), "INSUFFICIENT_BALANCE");
    reject(&till, &asked.id).await.unwrap();
    assert_eq!(till.has(&card).await, (1_000, 100));
    let only = |state: RedemptionState| ListRedemptionsRequest {
        state: state.into(),
        ..Default::default()
    };
    for (state, count) in [(RedemptionState::Rejected, 1), (RedemptionState::Requested, 0)] {
        let reply = till.redemptions("anna").list_redemptions(only(state)).await.unwrap();
        assert_eq!(reply.into_inner().redemptions.len(), count);
    }
    till.sound().await;
}

#[tokio::test]
async fn there_is_a_fee_after_the_days_of_cooling_off_unless_the_merchant_is_at_fault() {
    let till = Till::new().await;
    till.rule(|policy| {
        policy.redeem_fee_bp = 500;
        policy.redeem_fee_max_minor = 4_000;
    })
    .await;
    let card = till.filled(100_000, 10_000).await;
    till.world.clock.advance(TimeDelta::days(6));
    let early = quote(&till, &card, ValueFault::Consumer).await;
    assert_eq!((early.paid_out_minor, early.fee_minor, early.cooling_off), (100_000, 0, true));
    till.world.clock.advance(TimeDelta::days(1));
    let late = quote(&till, &card, ValueFault::Consumer).await;
    assert_eq!((late.paid_out_minor, late.fee_minor, late.cooling_off), (96_000, 4_000, false));
    let merchant = quote(&till, &card, ValueFault::Merchant).await;
    assert_eq!((merchant.paid_out_minor, merchant.fee_minor), (100_000, 0));
    // Spent bonus of recharges that are used up is nobody's any more.
    till.pay(&[(&card, 110_000)]).await.unwrap();
    till.fill(&card, 20_000, 0).await;
    let fresh = quote(&till, &card, ValueFault::Consumer).await;
    assert_eq!((fresh.paid_out_minor, fresh.kept_minor), (20_000, 0));
}

#[tokio::test]
async fn of_many_approvals_at_once_one_pays() {
    let till = std::sync::Arc::new(Till::new().await);
    let card = till.filled(1_000, 0).await;
    let asked = ask(&till, &card, ValueFault::Consumer).await.unwrap().id;
    let mut set = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let (till, asked) = (till.clone(), asked.clone());
        set.spawn(async move { approve(&till, &asked, "bert").await.is_ok() });
    }
    let paid = set.join_all().await.into_iter().filter(|done| *done).count();
    assert_eq!(paid, 1);
    let unknown = siyu_testkit::id::<siyu_kernel::kind::Redemption>(9).to_string();
    assert_eq!(approve(&till, &unknown, "bert").await.unwrap_err().code(), Code::NotFound);
    till.sound().await;
}
