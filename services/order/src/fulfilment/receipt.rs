//! The buyer says that everything came.

use siyu_grpc::{Ctx, parse};
use siyu_kernel::Fault;
use siyu_proto::order::v1::{ConfirmReceiptRequest, ConfirmReceiptResponse};

use super::{parcel, pickup::By};
use crate::{
    App,
    order::{
        advance::{self, Cause},
        domain::{OrderId, State},
        lifecycle::Event,
        rpc::show,
    },
};

pub(crate) async fn confirm(
    app: &App,
    ctx: Ctx,
    request: ConfirmReceiptRequest,
) -> Result<ConfirmReceiptResponse, Fault> {
    let id: OrderId = parse::id("order_id", &request.order_id)?;
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    let (mut order, _) = advance::lock(&mut tx, id, "").await?;
    // It may have been completed by itself a moment before.
    if !matches!(order.state, State::Completed | State::Closed) {
        let by = By { actor: &ctx.subject, reason: "", now: ctx.now };
        if matches!(order.state, State::Shipped | State::Delivering) {
            order = parcel::rpc::sign_rest(app, &mut tx, order, by).await?;
        }
        let key = format!("{} {}", Event::Completed.as_str(), order.revision);
        let cause = Cause { key: &key, actor: &ctx.subject, reason: "", now: ctx.now };
        let done = advance::advance(app, &mut tx, id, Event::Completed, cause).await?;
        order = done.into_order();
        tx.commit().await?;
    }
    Ok(ConfirmReceiptResponse { order: Some(show(&order)) })
}
