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
        advance::{Advanced, Cause, advance},
        domain::{Order, OrderId},
        lifecycle::Event,
    },
    stock,
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
    let kind = entry::kind(tx, id).await?;
    let event = if event == Event::Paid { entry::paid_event(kind) } else { event };
    let advanced = advance(app, tx, id, event, cause).await?;
    if let Advanced::Moved(order) = &advanced {
        entry::paid(app, tx, id, kind, cause).await?;
        let tenders = store::paid(tx, id, cause.now).await?;
        stock::extend(tx, id, None, cause.now).await?;
        let (currency, terms) = (order.currency.0, Terms::default());
        let paid = Paid { order: id, currency, tenders: &tenders, terms };
        act::paid(app, tx, &paid, cause.now).await?;
    }
    Ok(advanced.into_order())
}
