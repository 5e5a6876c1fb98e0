//! Redeems coupons in a store (线上领券到店核销): a code is made for a coupon, shown at the till, and verified once.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use siyu_grpc::{Ctx, parse};
use siyu_kernel::{Fault, Id, kind::Store};
use siyu_pg::{Tx, replay};
use siyu_proto::order::v1::{
    IssueRedemptionCodeRequest, IssueRedemptionCodeResponse, RedeemCouponRequest,
    RedeemCouponResponse, ReverseRedemptionRequest, ReverseRedemptionResponse,
};

use super::{
    code,
    domain::{Coupon, CouponId, State},
    history::store::{self as history, Entry, Kind},
    pass::{lock, wrong_state},
    rpc::{read, refused, show},
    store,
};
use crate::App;

const ISSUE: &str = "siyu.order.v1.CouponService/IssueRedemptionCode";
const REDEEM: &str = "siyu.order.v1.CouponService/RedeemCoupon";
const REVERSE: &str = "siyu.order.v1.CouponService/ReverseRedemption";

/// How often a code is drawn until the merchant has not had it: of 10^16 codes, a second draw is as good as never needed.
const DRAWS_MAX: usize = 4;

/// Makes a code; the one before is void.
pub(super) async fn issue(
    app: &App,
    ctx: Ctx,
    request: IssueRedemptionCodeRequest,
) -> Result<IssueRedemptionCodeResponse, Fault> {
    let id = parse::id("coupon_id", &request.coupon_id)?;
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    if let Some(reply) = replay::find(&mut tx, ISSUE, &request.request_id, &request).await? {
        return Ok(reply);
    }
    let coupon = lock(&mut tx, id).await?;
    check_usable(&coupon, &ctx)?;
    let expires_at = match request.valid_minutes {
        0 => coupon.valid_to,
        minutes => coupon.valid_to.min(ctx.now + TimeDelta::minutes(minutes.into())),
    };
    code::store::void(&mut tx, id).await?;
    for _ in 0..DRAWS_MAX {
        let code = code::digits((app.random)());
        if code::store::insert(&mut tx, &code, id, expires_at, ctx.now).await? {
            let expire_time = Some(parse::timestamp(expires_at));
            let reply = IssueRedemptionCodeResponse { code, expire_time };
            replay::keep(&mut tx, ISSUE, &request.request_id, &reply).await?;
            tx.commit().await?;
            return Ok(reply);
        }
    }
    Err(Fault::internal("every code that was drawn had been drawn before"))
}

/// Verifies a code, once, and uses its coupon up.
pub(super) async fn redeem(
    app: &App,
    ctx: Ctx,
    request: RedeemCouponRequest,
) -> Result<RedeemCouponResponse, Fault> {
    let store_id = store_of(app, &ctx, &request.store_code).await?;
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    if let Some(reply) = replay::find(&mut tx, REDEEM, &request.request_id, &request).await? {
        return Ok(reply);
    }
    let not_found = || Fault::not_found("redemption code");
    let found = code::store::find(&mut tx, &request.code).await?.ok_or_else(not_found)?;
    let mut coupon = lock(&mut tx, found.coupon_id).await?;
    // Under the lock of its coupon a code changes no more.
    let code = code::store::find(&mut tx, &request.code).await?.ok_or_else(not_found)?;
    code.check(ctx.now)?;
    check_usable(&coupon, &ctx)?;
    let stores = read(&coupon.definition)?.scope.unwrap_or_default().stores;
    if !stores.is_empty() && !stores.contains(&request.store_code) {
        return Err(refused("COUPON_NOT_FOR_STORE", "the coupon is good in other stores"));
    }
    coupon.state = State::Used;
    store::save_state(&mut tx, &coupon, Some(ctx.now)).await?;
    code::store::spend(&mut tx, &request.code).await?;
    write(&mut tx, &ctx, &coupon, (Kind::Redeemed, Some(store_id), "")).await?;
    let reply = RedeemCouponResponse { coupon: Some(show(&coupon, ctx.now)?) };
    replay::keep(&mut tx, REDEEM, &request.request_id, &reply).await?;
    tx.commit().await?;
    Ok(reply)
}

/// Undoes a redemption; its code stays used.
pub(super) async fn reverse(
    app: &App,
    ctx: Ctx,
    request: ReverseRedemptionRequest,
) -> Result<ReverseRedemptionResponse, Fault> {
    let id: CouponId = parse::id("coupon_id", &request.coupon_id)?;
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    if let Some(reply) = replay::find(&mut tx, REVERSE, &request.request_id, &request).await? {
        return Ok(reply);
    }
    let mut coupon = lock(&mut tx, id).await?;
    // One that an order used comes back with a refund of the order.
    if coupon.state != State::Used || coupon.redeemed_at.is_none() {
        return Err(wrong_state(&coupon));
    }
    (coupon.state, coupon.redeemed_at) = (State::Issued, None);
    store::save_state(&mut tx, &coupon, None).await?;
    write(&mut tx, &ctx, &coupon, (Kind::Reversed, None, &request.reason)).await?;
    let reply = ReverseRedemptionResponse { coupon: Some(show(&coupon, ctx.now)?) };
    replay::keep(&mut tx, REVERSE, &request.request_id, &reply).await?;
    tx.commit().await?;
    Ok(reply)
}

fn check_usable(coupon: &Coupon, ctx: &Ctx) -> Result<(), Fault> {
    let is_valid = coupon.valid_from <= ctx.now && ctx.now < coupon.valid_to;
    if coupon.state == State::Issued && is_valid { Ok(()) } else { Err(wrong_state(coupon)) }
}

async fn store_of(app: &App, ctx: &Ctx, code: &str) -> Result<Id<Store>, Fault> {
    let known = app.directory.known(ctx, &BTreeSet::from([code])).await?;
    known
        .stores
        .get(code)
        .copied()
        .ok_or_else(|| Fault::field("store_code", format!("\"{code}\" is not the code of a store")))
}

async fn write(
    tx: &mut Tx,
    ctx: &Ctx,
    coupon: &Coupon,
    (kind, store_id, reason): (Kind, Option<Id<Store>>, &str),
) -> Result<(), siyu_pg::Error> {
    let entry = Entry {
        seq: 0,
        kind,
        person_id: coupon.person_id,
        to_person_id: None,
        store_id,
        actor: ctx.subject.to_string(),
        reason: reason.to_owned(),
        occurred_at: ctx.now,
    };
    history::insert(tx, coupon.id, &entry).await
}
