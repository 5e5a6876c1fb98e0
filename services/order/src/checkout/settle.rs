//! What follows when all that is payable has come in.

use siyu_kernel::Fault;
use siyu_pg::Tx;

use super::store;
use crate::{
    App,
    guarantee::{
        act::{self, Paid},
        domain::Terms,
    },
    market::entry,
    order::{
        advance::{self, Advanced, Cause},
        domain::{Order, OrderId},
        lifecycle::Event,
    },
};

/// Makes an order paid, once, or lets it wait for the others of its group: its coupons are used up, what is held for it is to be
/// taken, its stock stays reserved, and what was paid is held for the buyer. Fails with `ORDER_STATE_WRONG` when it has ended
/// meanwhile.
pub(crate) async fn settle(
    app: &App,
    tx: &mut Tx,
    id: OrderId,
    event: Event,
    cause: Cause<'_>,
) -> Result<Order, Fault> {
    let locked = advance::lock(tx, id, cause.key).await?;
    settle_locked(app, tx, locked, event, cause).await
}

/// The same for an order that [`advance::lock`] has locked, with whether the cause had happened to it.
pub(crate) async fn settle_locked(
    app: &App,
    tx: &mut Tx,
    locked: (Order, bool),
    event: Event,
    cause: Cause<'_>,
) -> Result<Order, Fault> {
    let id = locked.0.id;
    let kind = entry::kind(tx, id).await?;
    let event = if event == Event::Paid { entry::paid_event(kind) } else { event };
    let advanced = advance::advance_locked(app, tx, locked, event, cause).await?;
    if let Advanced::Moved(order) = &advanced {
        entry::paid(app, tx, id, kind, cause).await?;
        let tenders = store::paid(tx, id, cause.now).await?;
        let (currency, terms) = (order.currency.0, Terms::default());
        let paid = Paid { order: id, currency, tenders: &tenders, terms };
        act::paid(app, tx, &paid, cause.now).await?;
    }
    Ok(advanced.into_order())
}
