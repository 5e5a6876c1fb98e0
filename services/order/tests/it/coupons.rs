use chrono::TimeDelta;
use futures::future::join_all;
use prost_types::Timestamp;
use siyu_kernel::{Code, Fault};
use siyu_proto::order::v1::{
    coupon_template::{Does, Validity},
    *,
};
use siyu_testkit::merchant;

use crate::{
    quotes::{quote_for, shop},
    world::{NOW, World},
};

#[expect(clippy::unnecessary_wraps, reason = "a message field is an Option")]
fn stamp(seconds: i64) -> Option<Timestamp> {
    Some(Timestamp { seconds, nanos: 0 })
}

fn template(code: &str, does: Does) -> CouponTemplate {
    CouponTemplate {
        code: code.into(),
        name: format!("coupon {code}"),
        owner: CouponOwner::Shop.into(),
        per_person: 1,
        does: Some(does),
        validity: Some(Validity::Relative(RelativeValidity { start_after_days: 0, days: 7 })),
        ..CouponTemplate::default()
    }
}

pub(crate) fn off(code: &str, minor_units: i64) -> CouponTemplate {
    template(code, Does::AmountOff(AmountOff { minor_units }))
}

pub(crate) async fn save(
    world: &World,
    templates: &[CouponTemplate],
) -> Result<Vec<CouponTemplate>, Fault> {
    let request = UpsertCouponTemplatesRequest { templates: templates.to_vec() };
    let reply = world.coupons(1).upsert_coupon_templates(request).await;
    Ok(reply.map_err(siyu_grpc::fault)?.into_inner().templates)
}

pub(crate) async fn claim(
    world: &World,
    key: &str,
    code: &str,
    person: &str,
) -> Result<Coupon, Fault> {
    let request = ClaimCouponRequest {
        request_id: key.into(),
        template_code: code.into(),
        person_id: person.into(),
    };
    let reply = world.coupons(1).claim_coupon(request).await.map_err(siyu_grpc::fault)?;
    Ok(reply.into_inner().coupon.unwrap())
}

async fn list(world: &World, person: &str, show_expired: bool) -> Vec<String> {
    let mut request = ListCouponsRequest {
        person_id: person.into(),
        show_expired,
        page_size: 2,
        ..ListCouponsRequest::default()
    };
    let mut codes = Vec::new();
    loop {
        let page = world.coupons(1).list_coupons(request.clone()).await.unwrap().into_inner();
        codes.extend(page.coupons.into_iter().map(|coupon| coupon.template.unwrap().code));
        if page.next_page_token.is_empty() {
            return codes;
        }
        request.page_token = page.next_page_token;
    }
}

fn reason(refused: Result<Coupon, Fault>) -> (Code, &'static str) {
    let fault = refused.unwrap_err();
    (fault.code(), fault.reason().to_owned().leak())
}

#[tokio::test]
async fn a_coupon_keeps_what_its_template_promised_when_it_was_claimed() {
    let world = World::new().await;
    let ann = world.member.meet(merchant(1), 1);
    save(&world, &[off("ten", 1_000)]).await.unwrap();
    let first = claim(&world, "1", "ten", &ann).await.unwrap();
    // Seven days of Shanghai, the first of them the day of the claim: it ends at the midnight that begins the 8th of June.
    assert_eq!(first.valid_time_from, stamp(NOW));
    assert_eq!(first.valid_time_to, stamp(NOW + 7 * 86_400 - 8 * 3_600));
    assert_eq!(first.state(), CouponState::Issued);
    let mut other = off("ten", 1);
    other.per_person = 2;
    save(&world, &[other]).await.unwrap();
    assert_eq!(claim(&world, "1", "ten", &ann).await.unwrap(), first, "a repeat");
    let second = claim(&world, "2", "ten", &ann).await.unwrap();
    let promised = |coupon: &Coupon| coupon.template.clone().unwrap().does.unwrap();
    assert_eq!(promised(&first), Does::AmountOff(AmountOff { minor_units: 1_000 }));
    assert_eq!(promised(&second), Does::AmountOff(AmountOff { minor_units: 1 }));
    assert_eq!(save(&world, &[off("ten", 1)]).await.unwrap()[0].claimed, 2);
    assert_eq!(list(&world, &ann, false).await.len(), 2);
    world.clock.advance(TimeDelta::days(7));
    assert_eq!(list(&world, &ann, false).await.len(), 0);
    assert_eq!(list(&world, &ann, true).await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_sixty_four_claims_at_once_of_the_last_coupon_one_succeeds() {
    let world = World::new().await;
    let mut last = off("last", 1_000);
    last.total = 1;
    save(&world, &[last]).await.unwrap();
    let persons: Vec<String> = (1..=64).map(|n| world.member.meet(merchant(1), n)).collect();
    let claims = persons.iter().map(|person| claim(&world, person, "last", person));
    let (won, lost): (Vec<_>, Vec<_>) = join_all(claims).await.into_iter().partition(Result::is_ok);
    assert_eq!((won.len(), lost.len()), (1, 63));
    for refused in lost {
        assert_eq!(reason(refused), (Code::FailedPrecondition, "COUPONS_GONE"));
    }
    assert_eq!(world.count("select claimed from coupon_templates").await, 1);
    assert_eq!(world.count("select count(*) from coupons").await, 1);
    assert_eq!(world.count("select count(*) from coupon_claims").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_person_claims_no_more_than_the_template_allows_whatever_is_tried_at_once() {
    let world = World::new().await;
    let mut three = off("three", 1_000);
    (three.total, three.per_person) = (100, 3);
    save(&world, &[three]).await.unwrap();
    let ann = world.member.meet(merchant(1), 1);
    let keys: Vec<String> = (0..32).map(|n| format!("{n}")).collect();
    let claims = keys.iter().map(|key| claim(&world, key, "three", &ann));
    let (won, lost): (Vec<_>, Vec<_>) = join_all(claims).await.into_iter().partition(Result::is_ok);
    assert_eq!((won.len(), lost.len()), (3, 29));
    for refused in lost {
        assert_eq!(reason(refused), (Code::FailedPrecondition, "COUPON_LIMIT_REACHED"));
    }
    let claimed = world.count("select claimed from coupon_templates").await;
    assert_eq!(claimed, 3, "a refused claim takes none of the total");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_claim_fifty_times_at_once_is_one_claim_with_one_answer() {
    let world = World::new().await;
    let mut many = off("many", 1_000);
    many.per_person = 50;
    save(&world, &[many]).await.unwrap();
    let ann = world.member.meet(merchant(1), 1);
    let bob = world.member.meet(merchant(1), 2);
    let claims = (0..50).map(|_| claim(&world, "once", "many", &ann));
    let replies: Vec<Coupon> =
        join_all(claims).await.into_iter().collect::<Result<_, _>>().unwrap();
    assert!(replies.iter().all(|reply| *reply == replies[0]));
    assert_eq!(world.count("select count(*) from coupons").await, 1);
    let other = claim(&world, "once", "many", &bob).await;
    assert_eq!(reason(other), (Code::AlreadyExists, "REQUEST_ID_REUSED"));
}

#[tokio::test]
async fn who_or_what_cannot_be_claimed_for_is_named() {
    let world = World::new().await;
    let ann = world.member.meet(merchant(1), 1);
    let stranger = world.member.meet(merchant(2), 2);
    let mut later = off("later", 1);
    later.claim_time_from = stamp(NOW + 1);
    let mut over = off("over", 1);
    over.claim_time_to = stamp(NOW);
    let mut paused = off("paused", 1);
    paused.paused = true;
    save(&world, &[later, over, paused, off("now", 1)]).await.unwrap();
    for code in ["later", "over", "paused"] {
        let refused = claim(&world, code, code, &ann).await;
        assert_eq!(reason(refused), (Code::FailedPrecondition, "COUPON_NOT_CLAIMABLE"), "{code}");
    }
    for (code, person) in [("none", &ann), ("now", &stranger)] {
        assert_eq!(reason(claim(&world, "x", code, person).await).0, Code::NotFound, "{code}");
    }
    world.clock.advance(TimeDelta::seconds(1));
    claim(&world, "later", "later", &ann).await.unwrap();
}

#[tokio::test]
async fn templates_that_contradict_themselves_are_refused_by_field() {
    let world = World::new().await;
    let mut nothing = off("nothing", 1);
    (nothing.does, nothing.validity) = (None, None);
    let mut turned = off("turned", 1);
    (turned.claim_time_from, turned.claim_time_to) = (stamp(NOW), stamp(NOW));
    let mut fixed = off("fixed", 1);
    let (valid_time_from, valid_time_to) = (stamp(NOW), stamp(NOW));
    fixed.validity = Some(Validity::Fixed(FixedValidity { valid_time_from, valid_time_to }));
    let mut beyond = template("beyond", Does::AmountOff(AmountOff { minor_units: 0 }));
    let no_day = RelativeValidity { start_after_days: 0, days: 0 };
    beyond.validity = Some(Validity::Relative(no_day));
    let templates = [nothing, turned.clone(), fixed, turned, beyond];
    let refused = save(&world, &templates).await.unwrap_err();
    let fields: Vec<&str> = refused.violations().iter().map(|v| v.field.as_str()).collect();
    let expected = [
        "templates[0].does",
        "templates[0].validity",
        "templates[1].claim_time_to",
        "templates[2].fixed.valid_time_to",
        "templates[3].code",
        "templates[3].claim_time_to",
        "templates[4].amount_off.minor_units",
        "templates[4].relative.days",
    ];
    assert_eq!(fields, expected);
}

#[tokio::test]
async fn a_quote_finds_the_best_coupons_of_the_buyer_or_uses_the_chosen_ones() {
    let world = shop().await;
    let ann = world.member.meet(merchant(1), 1);
    let mut brand = template("brand", Does::RateOff(RateOff { rate_bp: 9_000, max_minor: 0 }));
    (brand.owner, brand.stacks) = (CouponOwner::Brand.into(), true);
    let mut ten = off("ten", 1_000);
    ten.stacks = true;
    let ship = template("ship", Does::ShippingOff(AmountOff { minor_units: 300 }));
    let mut far = off("far", 9_000);
    far.threshold_minor = 20_001;
    save(&world, &[brand, ten, ship, far]).await.unwrap();
    let mut ids = std::collections::BTreeMap::new();
    for code in ["brand", "ten", "ship", "far"] {
        ids.insert(claim(&world, code, code, &ann).await.unwrap().id, code);
    }
    let request = QuoteCartRequest { person_id: ann.clone(), ..QuoteCartRequest::default() };
    let priced = quote_for(&world, request.clone(), &[("dress-m", 1)]).await.unwrap();
    let verdicts: std::collections::BTreeMap<&str, (bool, i64, CouponUnusable, i64)> = priced
        .coupons
        .iter()
        .map(|v| (ids[&v.coupon_id], (v.used, v.off_minor, v.unusable(), v.missing_minor)))
        .collect();
    let fine = CouponUnusable::Unspecified;
    let expected = [
        ("brand", (true, 1_900, fine, 0)),
        ("far", (false, 0, CouponUnusable::BelowThreshold, 1)),
        ("ship", (true, 300, fine, 0)),
        ("ten", (true, 1_000, fine, 0)),
    ];
    assert_eq!(verdicts, expected.into());
    assert_eq!(priced.payable.unwrap().minor_units, 20_000 - 1_000 - 1_900 + 500);
    let ten = ids.iter().find(|(_, code)| **code == "ten").unwrap().0.clone();
    let chosen = QuoteCartRequest { coupons_chosen: true, coupon_ids: vec![ten], ..request };
    let priced = quote_for(&world, chosen, &[("dress-m", 1)]).await.unwrap();
    assert_eq!(priced.payable.unwrap().minor_units, 20_000 - 1_000 + 800);
}

#[tokio::test]
async fn a_coupon_for_a_store_or_a_channel_is_of_no_use_elsewhere() {
    let world = shop().await;
    let ann = world.member.meet(merchant(1), 1);
    world.member.open(merchant(1), "S1", 1);
    world.member.open(merchant(1), "S2", 2);
    let scope =
        Scope { stores: vec!["S1".into()], channels: vec!["app".into()], ..Scope::default() };
    save(&world, &[CouponTemplate { scope: Some(scope), ..off("there", 1_000) }]).await.unwrap();
    claim(&world, "1", "there", &ann).await.unwrap();
    for (store, channel, off) in
        [("S1", "app", 1_000), ("S2", "app", 0), ("S1", "web", 0), ("", "", 0)]
    {
        let request = QuoteCartRequest {
            person_id: ann.clone(),
            store_code: store.into(),
            channel: channel.into(),
            ..QuoteCartRequest::default()
        };
        let priced = quote_for(&world, request, &[("dress-m", 1)]).await.unwrap();
        let [verdict] = priced.coupons.as_slice() else { panic!("{priced:?}") };
        assert_eq!((verdict.off_minor, verdict.used), (off, off > 0), "{store} {channel}");
        let of_no_use = verdict.unusable() == CouponUnusable::NothingEligible;
        assert_eq!(of_no_use, off == 0, "{store} {channel}");
    }
}
