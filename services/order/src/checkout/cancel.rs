//! What follows when an order ends before it is paid.

use siyu_kernel::Fault;
use siyu_pg::Tx;

use super::store;
use crate::{
    App,
    market::entry,
    order::{
        advance::{Advanced, Cause, advance},
        domain::{Order, OrderId},
        lifecycle::Event,
    },
    stock::{self, ReleaseCause},
};

/// Ends an order, once: what was locked and held for it is free again. Fails with `ORDER_STATE_WRONG` when it is paid.
pub(crate) async fn cancel(
    app: &App,
    tx: &mut Tx,
    id: OrderId,
    cause: Cause<'_>,
) -> Result<Order, Fault> {
    let advanced = advance(app, tx, id, Event::Cancelled, cause).await?;
    if let Advanced::Moved(_) = advanced {
        entry::ended(tx, id).await?;
        store::ended(tx, id, cause.now).await?;
        stock::release(tx, id, ReleaseCause::Cancelled, cause.now, &*app.ids).await?;
    }
    Ok(advanced.into_order())
}
