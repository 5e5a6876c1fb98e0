//! What was done with coupons by hand: given on, redeemed in a store, reversed, taken back.

pub mod store;

use siyu_grpc::{Ctx, parse};
use siyu_kernel::Fault;
use siyu_pg::page;
use siyu_proto::order::v1::{
    CouponEvent, CouponEventKind, ListCouponEventsRequest, ListCouponEventsResponse,
};

use self::store::{Entry, Kind};
use super::{domain::CouponId, store as coupons};
use crate::{App, limits};

/// Lists it.
pub(super) async fn list(
    app: &App,
    ctx: Ctx,
    request: ListCouponEventsRequest,
) -> Result<ListCouponEventsResponse, Fault> {
    let id: CouponId = parse::id("coupon_id", &request.coupon_id)?;
    let page = page::Request::<i32>::parse(
        request.page_size,
        &request.page_token,
        limits::PAGE,
        id.to_string().as_bytes(),
    )?;
    let mut tx = app.db.tenant_read(ctx.merchant()?).await?;
    coupons::find(&mut tx, id).await?.ok_or_else(|| Fault::not_found("coupon"))?;
    let entries = store::list(&mut tx, id, page.after, page.fetch()).await?;
    let page = page.page(entries, |entry| entry.seq);
    Ok(ListCouponEventsResponse {
        events: page.items.into_iter().map(show_entry).collect(),
        next_page_token: page.next_token,
    })
}

fn show_entry(entry: Entry) -> CouponEvent {
    let kind = match entry.kind {
        Kind::Transferred => CouponEventKind::Transferred,
        Kind::Redeemed => CouponEventKind::Redeemed,
        Kind::Reversed => CouponEventKind::Reversed,
        Kind::Voided => CouponEventKind::Voided,
    };
    CouponEvent {
        sequence: entry.seq,
        kind: kind.into(),
        person_id: entry.person_id.to_string(),
        to_person_id: entry.to_person_id.map(|id| id.to_string()).unwrap_or_default(),
        store_id: entry.store_id.map(|id| id.to_string()).unwrap_or_default(),
        actor: entry.actor,
        reason: entry.reason,
        occur_time: Some(parse::timestamp(entry.occurred_at)),
    }
}
