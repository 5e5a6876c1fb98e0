use siyu_grpc::fault;
use siyu_kernel::{Code, kind};
use siyu_proto::member::v1::*;
use siyu_testkit::id;

use crate::{
    identity::{merge, merges},
    identity_undo::unmerge,
    value::Till,
    world::fields,
};

#[tokio::test]
async fn a_person_has_several_cards_with_numbers_that_tell_nothing_of_each_other() {
    let till = Till::new().await;
    let person = till.person("o").await;
    let (first, second) = (till.card(&person).await, till.card(&person).await);
    let request = ListValueCardsRequest { person_id: person.clone(), ..Default::default() };
    let reply = till.cards().list_value_cards(request).await.unwrap().into_inner();
    let ids: Vec<&str> = reply.cards.iter().map(|card| card.id.as_str()).collect();
    assert_eq!(ids, [&first, &second]);
    let (one, other) = (&reply.cards[0], &reply.cards[1]);
    assert_eq!((one.person_id.as_str(), one.currency_code.as_str()), (person.as_str(), "CNY"));
    assert_eq!(one.number.len(), 19);
    assert_ne!(one.number[1..10], other.number[1..10]);
    let request = FindValueCardRequest { number: other.number.clone() };
    let found = till.cards().find_value_card(request.clone()).await.unwrap().into_inner();
    assert_eq!(found.card.unwrap(), *other);
    // A number is the merchant's own.
    let call = till.world.call(till.world.other);
    let mut cards = value_card_service_client::ValueCardServiceClient::new(call);
    let unknown = fault(cards.find_value_card(request).await.unwrap_err());
    assert_eq!(unknown.code(), Code::NotFound);
}

#[tokio::test]
async fn a_card_is_of_a_person_and_an_issuer_that_exist() {
    let till = Till::new().await;
    let person = till.person("o").await;
    let nobody = OpenValueCardRequest::default();
    assert_eq!(fields(&till.open(nobody).await.unwrap_err()), ["person_id"]);
    let named = OpenValueCardRequest { person_id: person.clone(), ..Default::default() };
    let unknown = id::<kind::Issuer>(9).to_string();
    let refused = [
        OpenValueCardRequest { issuer_id: unknown, ..named.clone() },
        OpenValueCardRequest { store_id: id::<kind::Store>(9).to_string(), ..named.clone() },
        OpenValueCardRequest { person_id: id::<kind::Person>(9).to_string(), ..named },
    ];
    for (request, what) in refused.into_iter().zip(["issuer", "store", "person"]) {
        let refused = till.open(request).await.unwrap_err();
        assert_eq!(
            (refused.code(), refused.message()),
            (Code::NotFound, &*format!("{what} not found"))
        );
    }
}

#[tokio::test]
async fn a_frozen_card_does_not_pay_and_a_card_with_value_is_not_closed() {
    let till = Till::new().await;
    let card = till.filled(1_000, 0).await;
    till.freeze(&card).await;
    assert_eq!(till.pay(&[(&card, 1)]).await.unwrap_err().reason(), "VALUE_CARD_FROZEN");
    let thaw = UnfreezeValueCardRequest { request_id: till.fresh(), card_id: card.clone() };
    till.cards().unfreeze_value_card(thaw).await.unwrap();
    assert_eq!(till.close(&card).await.unwrap_err().reason(), "VALUE_CARD_NOT_EMPTY");
    till.pay(&[(&card, 1_000)]).await.unwrap();
    assert_eq!(till.close(&card).await.unwrap().state(), ValueCardState::Closed);
    assert_eq!(till.pay(&[(&card, 1)]).await.unwrap_err().reason(), "VALUE_CARD_CLOSED");
    let told = till.world.told::<ValueCardChanged>().await;
    let states: Vec<ValueCardState> =
        told.iter().map(|(_, _, fact)| fact.card.as_ref().unwrap().state()).collect();
    assert_eq!(
        states,
        [
            ValueCardState::Active,
            ValueCardState::Frozen,
            ValueCardState::Active,
            ValueCardState::Closed
        ]
    );
}

#[tokio::test]
async fn a_bearer_card_expires_and_its_value_does_not() {
    let till = Till::new().await;
    let bearer = OpenValueCardRequest { kind: ValueCardKind::Bearer.into(), ..Default::default() };
    let card = till.open(bearer).await.unwrap();
    assert!(card.expire_time.is_some() && card.person_id.is_empty());
    till.fill(&card.id, 1_000, 0).await;
    till.world.clock.advance(chrono::TimeDelta::days(3 * 365));
    assert_eq!(till.pay(&[(&card.id, 1)]).await.unwrap_err().reason(), "VALUE_CARD_EXPIRED");
    let renew = RenewValueCardRequest { request_id: till.fresh(), card_id: card.id.clone() };
    till.cards().renew_value_card(renew).await.unwrap();
    till.pay(&[(&card.id, 1_000)]).await.unwrap();
    // A named card has no end that could be put off.
    let named = till.filled(1, 0).await;
    let renew = RenewValueCardRequest { request_id: till.fresh(), card_id: named };
    let refused = fault(till.cards().renew_value_card(renew).await.unwrap_err());
    assert_eq!(refused.reason(), "VALUE_CARD_WITHOUT_EXPIRY");
}

#[tokio::test]
async fn cards_go_with_the_persons_they_belong_to_and_come_back() {
    let till = Till::new().await;
    let world = &till.world;
    let (survivor, loser) = (till.person("first").await, till.person("second").await);
    let card = till.card(&loser).await;
    till.fill(&card, 1_000, 100).await;
    let paid = till.pay(&[(&card, 110)]).await.unwrap();
    merge(world, &[&survivor, &loser]).await.unwrap();
    let moved = till.look(&card).await;
    assert_eq!((&moved.person_id, &moved.origin_person_id), (&survivor, &loser));
    // Either id finds it, and the survivor pays with it.
    for person_id in [&survivor, &loser] {
        let request = ListValueCardsRequest { person_id: person_id.clone(), ..Default::default() };
        let reply = till.cards().list_value_cards(request).await.unwrap().into_inner();
        assert_eq!(reply.cards[0].id, card);
    }
    let charges = crate::value::charges(&[(&card, 990)]);
    let request_id = till.fresh();
    let person_id = survivor.clone();
    let pay = PayValueRequest { request_id, charges, person_id, ..Default::default() };
    till.values().pay_value(pay).await.unwrap();
    let later = till.card(&loser).await;
    unmerge(world, &merges(world, "").await[0]).await.unwrap();
    let back = till.look(&card).await;
    assert_eq!((back.person_id.as_str(), back.origin_person_id.as_str()), (loser.as_str(), ""));
    assert_eq!(till.look(&later).await.person_id, survivor);
    till.refund(&paid.id, 0).await.unwrap();
    assert_eq!(till.has(&card).await, (100, 10));
    till.sound().await;
}

#[tokio::test]
async fn the_changes_of_a_card_are_listed_newest_first() {
    let till = Till::new().await;
    let card = till.filled(1_000, 100).await;
    let payment = till.pay(&[(&card, 110)]).await.unwrap();
    till.refund(&payment.id, 11).await.unwrap();
    let request = ListValueCardEntriesRequest { card_id: card, ..Default::default() };
    let reply = till.cards().list_value_card_entries(request).await.unwrap().into_inner();
    let seen: Vec<_> =
        reply.entries.iter().map(|e| (e.kind(), e.principal_minor, e.bonus_minor)).collect();
    assert_eq!(
        seen,
        [
            (ValueEntryKind::Refund, 10, 1),
            (ValueEntryKind::Pay, -100, -10),
            (ValueEntryKind::Recharge, 1_000, 100)
        ]
    );
    assert_eq!(reply.entries[0].subject, payment.id);
}

#[tokio::test]
async fn rules_are_kept_in_versions_and_never_change_what_was_in_force() {
    let till = Till::new().await;
    let at = |time: Option<prost_types::Timestamp>| {
        let mut issuers = till.issuers();
        async move {
            let request = GetPrepaidPolicyRequest { at_time: time };
            issuers.get_prepaid_policy(request).await.unwrap().into_inner().policy.unwrap()
        }
    };
    let defaults = at(None).await;
    assert_eq!((defaults.version, defaults.named_max_minor), (0, 500_000));
    let later = prost_types::Timestamp { seconds: 1_735_689_600, nanos: 0 };
    till.rule(|policy| {
        policy.effective_time = Some(later);
        policy.named_max_minor = 1;
    })
    .await;
    assert_eq!(at(None).await, defaults);
    assert_eq!(at(Some(later)).await.named_max_minor, 1);
    let past = prost_types::Timestamp { seconds: 1, nanos: 0 };
    let policy = PrepaidPolicy { effective_time: Some(past), ..defaults };
    let request = SetPrepaidPolicyRequest { request_id: till.fresh(), policy: Some(policy) };
    let refused = fault(till.issuers().set_prepaid_policy(request).await.unwrap_err());
    assert_eq!(fields(&refused), ["policy.effective_time"]);
    let all = ListPrepaidPoliciesRequest::default();
    let reply = till.issuers().list_prepaid_policies(all).await.unwrap().into_inner();
    assert_eq!(reply.policies.iter().map(|p| p.version).collect::<Vec<_>>(), [1]);
}
