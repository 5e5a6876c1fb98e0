//! What follows when an order ends before it is paid.

use siyu_kernel::{Code, Fault};
use siyu_pg::Tx;

use super::store;
use crate::{
    App, claim,
    market::entry,
    order::{
        advance::{self, Advanced, Cause, advance},
        domain::{Order, OrderId},
        lifecycle::Event,
    },
    stock::{self, ReleaseCause},
};

/// Ends an order that no payment company takes money for, as far as the caller knows. Whoever opens a claim holds the row of the
/// order: under its lock none comes in between.
///
/// # Errors
/// `ORDER_STATE_WRONG` when it is paid; `STORE_CONFLICT` when it has a claim by now. That one is locked before the order: whoever
/// wants the order to end begins anew.
pub(crate) async fn cancel_unclaimed(
    app: &App,
    tx: &mut Tx,
    id: OrderId,
    cause: Cause<'_>,
) -> Result<Order, Fault> {
    advance::lock(tx, id, "").await?;
    if claim::store::find(tx, id).await?.is_some() {
        let message = "the order may be paid since a moment ago, read again and repeat";
        return Err(Fault::new(Code::Aborted, "STORE_CONFLICT", message));
    }
    cancel(app, tx, id, cause).await
}

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
