//! What becomes of coupons after their claim: many at once, given on, redeemed in a store, taken back, followed over a merge.

use chrono::TimeDelta;
use futures::future::join_all;
use siyu_grpc::fault;
use siyu_kernel::{Code, Fault};
use siyu_proto::order::v1::*;
use siyu_testkit::merchant;

use crate::{
    buyers::Members,
    coupons::{claim, off, save},
    world::World,
};

struct Shop {
    world: World,
    ann: String,
    bob: String,
}

impl Shop {
    async fn new(templates: &[CouponTemplate]) -> Self {
        let world = World::new().await;
        let ann = world.member.meet(merchant(1), 1);
        let bob = world.member.meet(merchant(1), 2);
        world.member.open(merchant(1), "S1", 1);
        world.member.open(merchant(1), "S2", 2);
        save(&world, templates).await.unwrap();
        Self { world, ann, bob }
    }

    async fn claim_many(
        &self,
        key: &str,
        code: &str,
        persons: &[String],
        mode: ClaimMode,
    ) -> Result<Vec<ClaimResult>, Fault> {
        let request = ClaimCouponsRequest {
            request_id: key.into(),
            template_code: code.into(),
            person_ids: persons.to_vec(),
            mode: mode.into(),
            order_id: String::new(),
        };
        let reply = self.world.coupons(1).claim_coupons(request).await.map_err(fault)?;
        Ok(reply.into_inner().results)
    }

    async fn transfer(&self, key: &str, coupon: &str, to: &str) -> Result<Coupon, Fault> {
        let request = TransferCouponRequest {
            request_id: key.into(),
            coupon_id: coupon.into(),
            to_person_id: to.into(),
        };
        let reply = self.world.coupons(1).transfer_coupon(request).await.map_err(fault)?;
        Ok(reply.into_inner().coupon.unwrap())
    }

    async fn code(&self, key: &str, coupon: &str, valid_minutes: i32) -> Result<String, Fault> {
        let request = IssueRedemptionCodeRequest {
            request_id: key.into(),
            coupon_id: coupon.into(),
            valid_minutes,
        };
        let reply = self.world.coupons(1).issue_redemption_code(request).await.map_err(fault)?;
        Ok(reply.into_inner().code)
    }

    async fn redeem(&self, key: &str, code: &str, store: &str) -> Result<Coupon, Fault> {
        let request = RedeemCouponRequest {
            request_id: key.into(),
            code: code.into(),
            store_code: store.into(),
        };
        let reply = self.world.coupons(1).redeem_coupon(request).await.map_err(fault)?;
        Ok(reply.into_inner().coupon.unwrap())
    }

    async fn reverse(&self, key: &str, coupon: &str) -> Result<Coupon, Fault> {
        let request = ReverseRedemptionRequest {
            request_id: key.into(),
            coupon_id: coupon.into(),
            reason: "the wrong guest".into(),
        };
        let reply = self.world.coupons(1).reverse_redemption(request).await.map_err(fault)?;
        Ok(reply.into_inner().coupon.unwrap())
    }

    async fn void(&self, coupon: &str) -> Result<Coupon, Fault> {
        let request = VoidCouponRequest { coupon_id: coupon.into(), reason: "a mistake".into() };
        let reply = self.world.coupons(1).void_coupon(request).await.map_err(fault)?;
        Ok(reply.into_inner().coupon.unwrap())
    }

    async fn events(&self, coupon: &str) -> Vec<(CouponEventKind, String)> {
        let mut request = ListCouponEventsRequest {
            coupon_id: coupon.into(),
            page_size: 1,
            ..Default::default()
        };
        let mut events = Vec::new();
        loop {
            let reply = self.world.coupons(1).list_coupon_events(request.clone()).await.unwrap();
            let page = reply.into_inner();
            events.extend(page.events.into_iter().map(|event| (event.kind(), event.reason)));
            if page.next_page_token.is_empty() {
                return events;
            }
            request.page_token = page.next_page_token;
        }
    }

    async fn held(&self, person: &str) -> usize {
        let request = ListCouponsRequest { person_id: person.into(), ..Default::default() };
        self.world.coupons(1).list_coupons(request).await.unwrap().into_inner().coupons.len()
    }
}

fn reason<T: std::fmt::Debug>(refused: Result<T, Fault>) -> &'static str {
    refused.unwrap_err().reason()
}

fn giving(code: &str, per_person: i32, transfers_max: i32) -> CouponTemplate {
    CouponTemplate { per_person, transfers_max, ..off(code, 1_000) }
}

#[tokio::test]
async fn many_get_a_coupon_all_or_none_or_each_who_may() {
    use ClaimOutcome::{Claimed, Gone, LimitReached};
    let shop = Shop::new(&[CouponTemplate { total: 5, ..off("five", 100) }]).await;
    let persons: Vec<String> = (1..=6).map(|n| shop.world.member.meet(merchant(1), n)).collect();
    let all = ClaimMode::AllOrNone;
    assert_eq!(reason(shop.claim_many("a", "five", &persons, all).await), "COUPONS_GONE");
    assert_eq!(shop.world.count("select claimed from coupon_templates").await, 0);
    let first = shop.claim_many("b", "five", &persons[..2], all).await.unwrap();
    assert_eq!(shop.claim_many("b", "five", &persons[..2], all).await.unwrap(), first, "a repeat");
    assert_eq!(
        reason(shop.claim_many("c", "five", &persons[1..3], all).await),
        "COUPON_LIMIT_REACHED"
    );
    let each = shop.claim_many("d", "five", &persons, ClaimMode::Each).await.unwrap();
    let outcomes: Vec<ClaimOutcome> = each.iter().map(ClaimResult::outcome).collect();
    assert_eq!(outcomes, [LimitReached, LimitReached, Claimed, Claimed, Claimed, Gone]);
    assert!(each.iter().all(|r| r.coupon_id.is_empty() == (r.outcome() != Claimed)));
    assert_eq!(shop.world.count("select claimed from coupon_templates").await, 5);
    assert_eq!(shop.world.count("select count(*) from coupons").await, 5);
    assert_eq!(shop.world.count("select sum(own) from coupon_claims").await, 5);
    let twice = [persons[0].clone(), persons[0].clone()];
    let refused = shop.claim_many("e", "five", &twice, all).await.unwrap_err();
    assert_eq!(refused.violations()[0].field, "person_ids[1]");
}

#[tokio::test(flavor = "multi_thread")]
async fn claims_for_many_and_for_one_at_once_never_give_more_than_there_are() {
    let shop = Shop::new(&[CouponTemplate { total: 50, ..off("fifty", 100) }]).await;
    let persons: Vec<String> = (1..=160).map(|n| shop.world.member.meet(merchant(1), n)).collect();
    let (many, single) = persons.split_at(120);
    let keys: Vec<String> = (0..12).map(|n| format!("m{n}")).collect();
    let batches = many.chunks(10).zip(&keys);
    let batches =
        join_all(batches.map(|(some, key)| shop.claim_many(key, "fifty", some, ClaimMode::Each)));
    let ones = join_all(single.iter().map(|person| claim(&shop.world, person, "fifty", person)));
    let (batches, ones) = futures::join!(batches, ones);
    let of_many = batches.into_iter().flat_map(Result::unwrap);
    let won = of_many.filter(|r| r.outcome() == ClaimOutcome::Claimed).count()
        + ones.iter().filter(|r| r.is_ok()).count();
    assert_eq!(won, 50);
    assert_eq!(shop.world.count("select claimed from coupon_templates").await, 50);
    assert_eq!(shop.world.count("select count(*) from coupons").await, 50);
}

#[tokio::test]
async fn a_coupon_that_is_given_on_counts_for_both_and_never_comes_back() {
    let shop = Shop::new(&[giving("gift", 1, 3), giving("mine", 1, 0)]).await;
    let cal = shop.world.member.meet(merchant(1), 3);
    let gift = claim(&shop.world, "1", "gift", &shop.ann).await.unwrap();
    let mine = claim(&shop.world, "2", "mine", &shop.ann).await.unwrap();
    assert_eq!(reason(shop.transfer("t0", &mine.id, &shop.bob).await), "COUPON_NOT_TRANSFERABLE");
    let moved = shop.transfer("t1", &gift.id, &shop.bob).await.unwrap();
    assert_eq!((moved.person_id.as_str(), moved.template), (shop.bob.as_str(), gift.template));
    assert_eq!(shop.transfer("t1", &gift.id, &shop.bob).await.unwrap().person_id, shop.bob);
    // It counts for both: neither may claim another.
    for (key, person) in [("3", &shop.ann), ("4", &shop.bob)] {
        assert_eq!(reason(claim(&shop.world, key, "gift", person).await), "COUPON_LIMIT_REACHED");
    }
    assert_eq!(reason(shop.transfer("t2", &gift.id, &shop.bob).await), "COUPON_WAS_THEIRS");
    assert_eq!(reason(shop.transfer("t3", &gift.id, &shop.ann).await), "COUPON_WAS_THEIRS");
    let other = claim(&shop.world, "5", "gift", &cal).await.unwrap();
    assert_eq!(reason(shop.transfer("t4", &gift.id, &cal).await), "COUPON_LIMIT_REACHED");
    assert_eq!(reason(shop.transfer("t5", &other.id, &shop.ann).await), "COUPON_LIMIT_REACHED");
    assert_eq!((shop.held(&shop.ann).await, shop.held(&shop.bob).await), (1, 1));
}

#[tokio::test]
async fn a_code_redeems_a_coupon_once_in_the_right_store_and_a_mistake_is_undone_on_record() {
    let stores = Some(Scope { stores: vec!["S1".into()], ..Scope::default() });
    let shop = Shop::new(&[CouponTemplate { scope: stores, ..off("in-s1", 1_000) }]).await;
    let coupon = claim(&shop.world, "1", "in-s1", &shop.ann).await.unwrap();
    let old = shop.code("c1", &coupon.id, 0).await.unwrap();
    assert!(old.len() == 16 && old.bytes().all(|b| b.is_ascii_digit()), "{old}");
    assert_eq!(shop.code("c1", &coupon.id, 0).await.unwrap(), old, "a repeat");
    let code = shop.code("c2", &coupon.id, 10).await.unwrap();
    assert_eq!(reason(shop.redeem("r0", &old, "S1").await), "REDEMPTION_CODE_VOID");
    assert_eq!(reason(shop.redeem("r1", &code, "S2").await), "COUPON_NOT_FOR_STORE");
    assert_eq!(reason(shop.redeem("r2", &code, "S3").await), "INVALID_FIELD");
    assert_eq!(reason(shop.redeem("r3", "0000000000000000", "S1").await), "NOT_FOUND");
    let used = shop.redeem("r4", &code, "S1").await.unwrap();
    assert_eq!(used.state(), CouponState::Used);
    assert_eq!(shop.redeem("r4", &code, "S1").await.unwrap(), used, "the till was cut off");
    assert_eq!(reason(shop.redeem("r5", &code, "S1").await), "REDEMPTION_CODE_VOID");
    assert_eq!(reason(shop.code("c3", &coupon.id, 0).await), "COUPON_STATE_WRONG");
    assert_eq!(reason(shop.void(&coupon.id).await), "COUPON_STATE_WRONG");

    let back = shop.reverse("v1", &coupon.id).await.unwrap();
    assert_eq!(back.state(), CouponState::Issued);
    assert_eq!(shop.reverse("v1", &coupon.id).await.unwrap(), back, "a repeat");
    assert_eq!(reason(shop.reverse("v2", &coupon.id).await), "COUPON_STATE_WRONG");
    assert_eq!(reason(shop.redeem("r6", &code, "S1").await), "REDEMPTION_CODE_VOID");
    let again = shop.code("c4", &coupon.id, 10).await.unwrap();
    shop.world.clock.advance(TimeDelta::minutes(10));
    assert_eq!(reason(shop.redeem("r7", &again, "S1").await), "REDEMPTION_CODE_EXPIRED");
    let events = shop.events(&coupon.id).await;
    let expected =
        [(CouponEventKind::Redeemed, ""), (CouponEventKind::Reversed, "the wrong guest")];
    assert_eq!(events, expected.map(|(kind, reason)| (kind, reason.to_owned())));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_tills_that_read_one_code_at_once_one_redeems_it() {
    let shop = Shop::new(&[off("ten", 1_000)]).await;
    let coupon = claim(&shop.world, "1", "ten", &shop.ann).await.unwrap();
    let code = shop.code("c", &coupon.id, 0).await.unwrap();
    let keys: Vec<String> = (0..32).map(|n| format!("till {n}")).collect();
    let replies = join_all(keys.iter().map(|key| shop.redeem(key, &code, "S1"))).await;
    assert_eq!(replies.iter().filter(|reply| reply.is_ok()).count(), 1);
    for refused in replies.into_iter().filter(Result::is_err) {
        assert_eq!(reason(refused), "REDEMPTION_CODE_VOID");
    }
    assert_eq!(shop.events(&coupon.id).await.len(), 1);
}

#[tokio::test]
async fn a_coupon_that_is_taken_back_or_given_on_is_not_redeemed_by_its_old_code() {
    let shop = Shop::new(&[giving("gift", 2, 1)]).await;
    let first = claim(&shop.world, "1", "gift", &shop.ann).await.unwrap();
    let second = claim(&shop.world, "2", "gift", &shop.ann).await.unwrap();
    let codes = [shop.code("a", &first.id, 0).await, shop.code("b", &second.id, 0).await];
    let [of_first, of_second] = codes.map(Result::unwrap);
    shop.transfer("t", &first.id, &shop.bob).await.unwrap();
    for _ in 0..2 {
        assert_eq!(shop.void(&second.id).await.unwrap().state(), CouponState::Void);
    }
    for (key, code) in [("1", of_first), ("2", of_second)] {
        assert_eq!(reason(shop.redeem(key, &code, "S1").await), "REDEMPTION_CODE_VOID");
    }
    let refused = shop.transfer("u", &second.id, &shop.bob).await;
    assert_eq!(reason(refused), "COUPON_STATE_WRONG");
    let kinds = [shop.events(&first.id).await, shop.events(&second.id).await];
    let kinds = kinds.map(|events| events.into_iter().map(|(kind, _)| kind).collect::<Vec<_>>());
    assert_eq!(kinds, [vec![CouponEventKind::Transferred], vec![CouponEventKind::Voided]]);
    let other = shop.world.coupons(2);
    let request = VoidCouponRequest { coupon_id: second.id, reason: "x".into() };
    let refused = { other }.void_coupon(request).await.map_err(fault).unwrap_err();
    assert_eq!(refused.code(), Code::NotFound);
}

#[tokio::test]
async fn coupons_and_their_counts_follow_a_merge_and_come_apart_again() {
    let shop = Shop::new(&[giving("three", 3, 1)]).await;
    let members = Members::new(&shop.world).await;
    claim(&shop.world, "1", "three", &shop.ann).await.unwrap();
    claim(&shop.world, "2", "three", &shop.bob).await.unwrap();
    for _ in 0..2 {
        members.merged(&shop.world, &shop.ann, &shop.bob).await;
        assert_eq!((shop.held(&shop.ann).await, shop.held(&shop.bob).await), (2, 2));
    }
    // Whoever asks for the alias claims for the survivor: one is left of three.
    claim(&shop.world, "3", "three", &shop.bob).await.unwrap();
    for (key, person) in [("4", &shop.ann), ("5", &shop.bob)] {
        assert_eq!(reason(claim(&shop.world, key, "three", person).await), "COUPON_LIMIT_REACHED");
    }
    for _ in 0..2 {
        members.unmerged(&shop.world, &shop.ann, &shop.bob).await;
        assert_eq!((shop.held(&shop.ann).await, shop.held(&shop.bob).await), (2, 1));
    }
    // Ann has two of three, Bob one.
    claim(&shop.world, "6", "three", &shop.ann).await.unwrap();
    assert_eq!(reason(claim(&shop.world, "7", "three", &shop.ann).await), "COUPON_LIMIT_REACHED");
    claim(&shop.world, "8", "three", &shop.bob).await.unwrap();
    claim(&shop.world, "9", "three", &shop.bob).await.unwrap();
    assert_eq!(reason(claim(&shop.world, "10", "three", &shop.bob).await), "COUPON_LIMIT_REACHED");
}
