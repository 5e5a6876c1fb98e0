//! Gives a coupon on to another person (rule 44), or takes it back.

use chrono::{DateTime, Utc};
use siyu_grpc::{Ctx, parse};
use siyu_kernel::{Code, Fault};
use siyu_pg::{Tx, replay};
use siyu_proto::order::v1::{
    TransferCouponRequest, TransferCouponResponse, VoidCouponRequest, VoidCouponResponse,
};

use super::{
    code,
    domain::{Coupon, CouponId, State},
    history::store::{self as history, Entry, Kind},
    many,
    rpc::{read, refused, show},
    store,
};
use crate::{App, buyer};

const TRANSFER: &str = "siyu.order.v1.CouponService/TransferCoupon";

/// Gives a coupon on. It counts for both persons, and never goes back to one who has had it.
pub(super) async fn transfer(
    app: &App,
    ctx: Ctx,
    request: TransferCouponRequest,
) -> Result<TransferCouponResponse, Fault> {
    let id = parse::id("coupon_id", &request.coupon_id)?;
    let asked = parse::id("to_person_id", &request.to_person_id)?;
    let to = app.directory.person(&ctx, asked).await?;
    let mut tx = buyer::store::begin(&app.db, ctx.merchant()?).await?;
    if let Some(reply) = replay::find(&mut tx, TRANSFER, &request.request_id, &request).await? {
        return Ok(reply);
    }
    let to = buyer::leads(&mut tx, to).await?;
    let mut coupon = lock(&mut tx, id).await?;
    if coupon.state != State::Issued || coupon.valid_to <= ctx.now {
        return Err(wrong_state(&coupon));
    }
    let template = read(&coupon.definition)?;
    if coupon.transfers >= template.transfers_max {
        let message = "the coupon may not be given on, or not once more";
        return Err(refused("COUPON_NOT_TRANSFERABLE", message));
    }
    if to == coupon.person_id || history::has_given(&mut tx, id, to).await? {
        return Err(refused("COUPON_WAS_THEIRS", "the person has had the coupon before"));
    }
    // Who claims for many looks at the counts under this lock.
    many::store::lock_template(&mut tx, &coupon.template_code).await?;
    if !store::count_one(&mut tx, &coupon.template_code, to, template.per_person).await? {
        return Err(refused("COUPON_LIMIT_REACHED", "the person has as many as one may have"));
    }
    let entry = Entry {
        seq: 0,
        kind: Kind::Transferred,
        person_id: coupon.person_id,
        to_person_id: Some(to),
        store_id: None,
        actor: ctx.subject.to_string(),
        reason: String::new(),
        occurred_at: ctx.now,
    };
    (coupon.person_id, coupon.transfers) = (to, coupon.transfers + 1);
    store::give(&mut tx, &coupon).await?;
    code::store::void(&mut tx, id).await?;
    history::insert(&mut tx, id, &entry).await?;
    let reply = TransferCouponResponse { coupon: Some(show(&coupon, ctx.now)?) };
    replay::keep(&mut tx, TRANSFER, &request.request_id, &reply).await?;
    tx.commit().await?;
    Ok(reply)
}

/// Takes a coupon back that nobody has used.
pub(super) async fn void(
    app: &App,
    ctx: Ctx,
    request: VoidCouponRequest,
) -> Result<VoidCouponResponse, Fault> {
    let id = parse::id("coupon_id", &request.coupon_id)?;
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    let mut coupon = lock(&mut tx, id).await?;
    match coupon.state {
        State::Void => {}
        State::Locked | State::Used => return Err(wrong_state(&coupon)),
        State::Issued => {
            take_back(&mut tx, &mut coupon, (&ctx.subject, &request.reason), ctx.now).await?;
            tx.commit().await?;
        }
    }
    Ok(VoidCouponResponse { coupon: Some(show(&coupon, ctx.now)?) })
}

/// Takes a coupon back that the transaction has locked and that nobody has used, with every code that was shown for it.
pub(crate) async fn take_back(
    tx: &mut Tx,
    coupon: &mut Coupon,
    (actor, reason): (&str, &str),
    now: DateTime<Utc>,
) -> Result<(), Fault> {
    let entry = Entry {
        seq: 0,
        kind: Kind::Voided,
        person_id: coupon.person_id,
        to_person_id: None,
        store_id: None,
        actor: actor.to_owned(),
        reason: reason.to_owned(),
        occurred_at: now,
    };
    coupon.state = State::Void;
    store::save_state(tx, coupon, None).await?;
    code::store::void(tx, coupon.id).await?;
    Ok(history::insert(tx, coupon.id, &entry).await?)
}

/// Locks a coupon.
pub(super) async fn lock(tx: &mut Tx, id: CouponId) -> Result<Coupon, Fault> {
    store::lock_one(tx, id).await?.ok_or_else(|| Fault::not_found("coupon"))
}

/// The refusal of what a coupon's state does not allow.
pub(super) fn wrong_state(coupon: &Coupon) -> Fault {
    let state = match coupon.state {
        State::Issued => "not valid now",
        State::Locked => "locked",
        State::Used => "used",
        State::Void => "void",
    };
    let message = format!("the coupon is {state}");
    Fault::new(Code::FailedPrecondition, "COUPON_STATE_WRONG", message).with("state", state)
}
