//! A payment that comes after its order has ended (rule 15): the order lives again, if everything can be had again that its
//! price and its delivery need; if not, the money goes back.

use prost::Message;
use siyu_grpc::parse;
use siyu_kernel::Fault;
use siyu_pg::Tx;
use siyu_proto::order::v1::PriceSnapshot;

use super::store;
use crate::{
    App, coupon,
    market::entry,
    order::domain::{Order, State},
    payment::domain::Late,
    stock::{self, Demand},
    tender,
};

/// Takes again what an ended order had, all of it or nothing.
pub(crate) async fn revive(
    app: &App,
    tx: &mut Tx,
    order: &Order,
    now: chrono::DateTime<chrono::Utc>,
) -> Result<Late, Fault> {
    // What the member service held is free, and may be spent.
    if order.state != State::Cancelled || !tender::store::of_order(tx, order.id).await?.is_empty() {
        return Ok(Late::Refund);
    }
    if !entry::may_revive(tx, order.id).await? {
        return Ok(Late::Refund);
    }
    let checkout = store::find(tx, order.id).await?.ok_or_else(|| Fault::not_found("order"))?;
    let kept = PriceSnapshot::decode(checkout.snapshot.as_slice()).map_err(Fault::internal)?;
    let ids = kept.used_coupon_ids.iter();
    let ids = ids.map(|id| parse::id("coupon_ids", id).map_err(Fault::internal));
    let mut ids = ids.collect::<Result<Vec<_>, _>>()?;
    ids.sort_unstable();
    // Before anything is taken: there is no way back but the end of the transaction, which has the payment to keep.
    // A coupon that came back when the order ended may have been given on since.
    if coupon::store::count_issued(tx, order.person_id, &ids).await? != ids.len() as u64 {
        return Ok(Late::Refund);
    }
    let demand = |had: stock::Reservation| Demand {
        line_no: had.key.line_no,
        key: had.key.key,
        channel: had.key.channel,
        quantity: had.quantity,
    };
    let demands = stock::store::of_order(tx, order.id).await?.into_iter().map(demand).collect();
    let request = stock::Request { order_id: order.id, demands, expires_at: None };
    if !request.demands.is_empty() && stock::reserve(tx, &request, now, &*app.ids).await?.is_err() {
        return Ok(Late::Refund);
    }
    if !ids.is_empty() {
        coupon::store::lock(tx, order.person_id, &ids, order.id).await?;
    }
    Ok(Late::Revive)
}
