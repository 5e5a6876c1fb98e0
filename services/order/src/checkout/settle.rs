//! What follows when all that is payable has come in.

use siyu_kernel::Fault;
use siyu_pg::Tx;

use super::store;
use crate::{
    App,
    order::{
        advance::{Advanced, Cause, advance},
        domain::{Order, OrderId},
        lifecycle::Event,
    },
    stock,
};

/// Makes an order paid, once: its coupons are used up and what is held for it is to be taken. Fails with
/// `ORDER_STATE_WRONG` when it has ended meanwhile.
pub(crate) async fn settle(
    app: &App,
    tx: &mut Tx,
    id: OrderId,
    cause: Cause<'_>,
) -> Result<Order, Fault> {
    let advanced = advance(app, tx, id, Event::Paid, cause).await?;
    if let Advanced::Moved(_) = advanced {
        store::paid(tx, id, cause.now).await?;
        stock::extend(tx, id, None, cause.now).await?;
    }
    Ok(advanced.into_order())
}
