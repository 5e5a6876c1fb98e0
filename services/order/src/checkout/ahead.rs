//! Orders that everybody wants at once: the piece of a flash sale is reserved before its order is stored, together with those
//! of other buyers, so that the one row that all of them need is locked and written once for many. Who comes too late is told
//! so before anything else is done.
//!
//! The id of such an order follows from its request, so that repeats at the same moment, in any process, mean the same
//! reservation. The order claims it in its own transaction; where that fails, it is given back here, or by a job.

use sha2::{Digest, Sha256};
use siyu_grpc::Ctx;
use siyu_kernel::{Fault, Id, kind::Merchant};
use siyu_proto::order::v1::{PlaceOrderRequest, place_order_request::Activity};
use uuid::Builder;

use super::{policy, store};
use crate::{
    App, flash_sale, limits,
    market::entry,
    order::domain::OrderId,
    stock::{self, Demand, ReleaseCause},
};

/// What is to be reserved ahead of an order.
pub(super) struct Wanted(stock::Request);

/// What was reserved ahead of an order.
pub(super) struct Ahead {
    /// The id that the order will have.
    order_id: OrderId,
}

/// What an order of a flash sale wants; `None` where the order is to go the usual way, which also says what is wrong with it. Who
/// comes too late is told so before anybody else is asked.
pub(super) async fn look(
    app: &App,
    ctx: &Ctx,
    request: &PlaceOrderRequest,
) -> Result<Option<Wanted>, Fault> {
    let Some(activity @ Activity::FlashSale(asked)) = &request.activity else { return Ok(None) };
    entry::check(activity)?;
    let merchant = ctx.merchant()?;
    let mut tx = app.db.tenant_lookup(merchant).await?;
    let before = store::placed(&mut tx, &request.request_id).await?;
    if before.order_id.is_some() {
        return Ok(None);
    }
    let policy = policy::effective(before.policy.as_deref())?;
    let (sale, quantity) = flash_sale::look(&mut tx, ctx, asked, &request.lines).await?;
    let asked = &request.location_code;
    let location = if asked.is_empty() { policy.location_code } else { asked.clone() };
    if location.is_empty() {
        return Ok(None);
    }
    let demand = Demand {
        line_no: 1,
        key: stock::Key { sku: sale.sku, location },
        channel: flash_sale::channel(&sale.code),
        quantity,
    };
    let order_id = order_id(merchant, &request.request_id);
    if let Some(short) = stock::shortage(&mut tx, order_id, &demand).await? {
        return Err(stock::refusal(&[short]));
    }
    let expires_at = Some(ctx.now + limits::AHEAD);
    Ok(Some(Wanted(stock::Request { order_id, demands: vec![demand], expires_at })))
}

/// Reserves it, together with what other buyers want.
pub(super) async fn reserve(app: &App, ctx: &Ctx, wanted: Wanted) -> Result<Ahead, Fault> {
    let order_id = wanted.0.order_id;
    let reserved = app.desk.reserve(ctx.merchant()?, wanted.0, ctx.now).await?;
    reserved.map_err(|short| stock::refusal(&short))?;
    Ok(Ahead { order_id })
}

impl Ahead {
    /// The id of the order.
    pub(super) const fn order_id(&self) -> OrderId {
        self.order_id
    }

    /// Gives the pieces back, unless the order came to be after all. What cannot be given back now comes back by a job.
    pub(super) async fn give_back(self, app: &App, merchant: Id<Merchant>) {
        let id = self.order_id();
        let done = async {
            let mut tx = app.db.tenant(merchant).await?;
            let (now, cause) = (app.clock.now(), ReleaseCause::Cancelled);
            stock::give_back_ahead(&mut tx, id, cause, now, &*app.ids).await?;
            Ok::<(), Fault>(tx.commit().await?)
        };
        if let Err(fault) = done.await {
            tracing::warn!(order_id = %id, reason = fault.reason(), "a reservation has to end by itself");
        }
    }
}

/// The id of the order that a request places.
fn order_id(merchant: Id<Merchant>, request_id: &str) -> OrderId {
    let digest = Sha256::new()
        .chain_update(merchant.uuid().as_bytes())
        .chain_update(b"order")
        .chain_update(request_id.as_bytes())
        .finalize();
    let (bytes, _) = digest.split_first_chunk().expect("a digest has more than 16 bytes");
    Id::from_uuid(Builder::from_custom_bytes(*bytes).into_uuid())
}
