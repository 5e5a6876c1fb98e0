//! What follows for an order when a refund has given everything back.

use siyu_kernel::Fault;
use siyu_pg::Tx;
use siyu_proto::order::v1::RefundPlan;

use super::{domain::Refund, rewards, sold};
use crate::{
    App, coupon,
    fulfilment::{
        assignment::follow::{self, Goods},
        pickup::By,
    },
    market::entry,
    order::{
        advance::{self, Cause},
        domain::{Line, Order},
        lifecycle::Event,
        store as orders,
    },
    stock::{self, Part, ReleaseCause, Restock},
};

/// Takes what went back off the order, whose lock the transaction holds.
pub(super) async fn apply(
    app: &App,
    tx: &mut Tx,
    order: Order,
    refund: &Refund,
    cause: Cause<'_>,
) -> Result<(), Fault> {
    let plan = sold::plan_of(refund)?;
    let order_id = order.id;
    let nothing_left = sold::is_all_back(tx, refund).await?;
    // First, for what follows takes stock: whoever places an order takes coupons before that.
    match (nothing_left, plan.fully) {
        (true, _) => rewards::take_back(tx, refund, cause).await?,
        (false, true) => rewards::keep(tx, refund, cause.now).await?,
        (false, false) => {}
    }
    let mut lines = orders::lines(tx, order_id).await?;
    for line in &mut lines {
        for back in plan.lines.iter().filter(|back| back.line_no == line.line_no) {
            line.paid_minor -= back.goods_minor;
            line.quantity -= back.quantity;
        }
    }
    let key = format!("refund {}", refund.number);
    advance::revise(app, tx, order, &lines, Cause { key: &key, ..cause }).await?;
    if nothing_left {
        advance::advance(app, tx, order_id, Event::Refunded, Cause { key: "refunded", ..cause })
            .await?;
        entry::refunded(tx, order_id).await?;
        coupon::store::give_back(tx, order_id).await?;
    }
    restock(app, tx, refund, (&plan, &lines), cause).await?;
    if nothing_left {
        // The money may have gone back without its pieces: what was not handed over by now never will be.
        stock::release(tx, order_id, ReleaseCause::Refunded, cause.now, &*app.ids).await?;
    }
    let pieces: Vec<(i32, i64)> =
        plan.lines.iter().map(|line| (line.line_no, line.quantity)).collect();
    let by = By { actor: cause.actor, reason: cause.reason, now: cause.now };
    let goods = if refund.needs_return { Goods::CameBack } else { Goods::Stay };
    follow::refund(app, tx, order_id, (&pieces, goods), by).await
}

/// Takes back pieces that the buyer has sent, and frees those that were not handed over yet. Where the goods come back it is
/// those that had left: what waits to be sent goes on waiting.
async fn restock(
    app: &App,
    tx: &mut Tx,
    refund: &Refund,
    (plan, lines): (&RefundPlan, &[Line]),
    cause: Cause<'_>,
) -> Result<(), Fault> {
    let had = stock::store::of_order(tx, refund.order_id).await?;
    let (mut free, mut back) = (Vec::new(), Vec::new());
    for planned in plan.lines.iter().filter(|line| line.quantity > 0) {
        let Some(line) = lines.iter().find(|line| line.line_no == planned.line_no) else {
            continue;
        };
        let of_line = || had.iter().filter(|had| had.key.line_no == line.line_no);
        let own = of_line().filter(|had| had.key.key.sku == line.sku);
        let out: i64 = own.map(|had| had.committed - had.returned).sum();
        let waiting: i64 = of_line().map(|had| had.held).sum();
        let returned = if refund.needs_return { out.min(planned.quantity) } else { 0 };
        let freed = waiting.min(planned.quantity - returned);
        let part = |quantity| Part {
            line_no: line.line_no,
            sku: line.sku.clone(),
            location: None,
            quantity,
        };
        if freed > 0 {
            free.push(part(freed));
        }
        if returned > 0 {
            back.push(part(returned));
        }
    }
    let (id, ids) = (refund.order_id, &*app.ids);
    if !free.is_empty() {
        let done =
            stock::release_parts(tx, id, &free, ReleaseCause::Refunded, cause.now, ids).await?;
        done.map_err(|short| stock::refusal(&short))?;
    }
    if !back.is_empty() {
        let done = stock::give_back(tx, id, &back, &Restock::Origin, cause.now, ids).await?;
        done.map_err(|short| stock::refusal(&short))?;
    }
    Ok(())
}
