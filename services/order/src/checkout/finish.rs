//! Goes on with an order as far as its tenders allow: all held and nothing left to pay, it is paid; one refused, it ends.

use siyu_grpc::Call;
use siyu_kernel::{Fault, Id, kind::Merchant};

use super::{cancel::cancel, settle::settle, store};
use crate::{
    App,
    claim::{self, charge::Cash},
    fx,
    order::{
        advance::{self, Cause},
        domain::{OrderId, State as OrderState},
        lifecycle::Event,
    },
    tender::{
        self,
        domain::{State, Tender},
    },
};

/// Goes on; gives the tenders as they are then. A fault is one of a sibling or of the database: what was done stands, and the
/// job of tenders goes on from there.
pub(crate) async fn finish(
    app: &App,
    merchant: Id<Merchant>,
    id: OrderId,
    member: Call,
) -> Result<Vec<Tender>, Fault> {
    let tenders = tender::job::advance(app, merchant, id, &member).await?;
    if decide(app, merchant, id, &tenders).await? {
        // What was held is to be taken or freed now.
        return tender::job::advance(app, merchant, id, &member).await;
    }
    Ok(tenders)
}

/// Pays or ends an order if its tenders say so; says whether it did.
async fn decide(
    app: &App,
    merchant: Id<Merchant>,
    id: OrderId,
    tenders: &[Tender],
) -> Result<bool, Fault> {
    let refused = refused(tenders);
    if refused.is_none() && tenders.iter().any(|tender| tender.state != State::Held) {
        return Ok(false);
    }
    let now = app.clock.now();
    let mut tx = app.db.tenant(merchant).await?;
    let (order, _) = advance::lock(&mut tx, id, "").await?;
    if order.state != OrderState::Created {
        return Ok(false);
    }
    if let Some(tender) = refused {
        let cause = Cause { key: "cancel", actor: "order.tenders", reason: &tender.failure, now };
        cancel(app, &mut tx, id, cause).await?;
    } else {
        let checkout = store::find(&mut tx, id).await?.ok_or_else(|| Fault::not_found("order"))?;
        if checkout.cash_minor > 0 {
            // Everything else is held: the rest may be paid now.
            if claim::store::find(&mut tx, id).await?.is_none() {
                let charge = fx::charge(&mut tx, id).await?;
                let cash = Cash { currency: order.currency.0, minor: checkout.cash_minor, charge };
                claim::open(app, &mut tx, id, cash, checkout.pay_deadline, now).await?;
                tx.commit().await?;
            }
            return Ok(false);
        }
        let cause = Cause { key: "pay", actor: "order.tenders", reason: "", now };
        settle(app, &mut tx, id, Event::Paid, cause).await?;
    }
    tx.commit().await?;
    Ok(true)
}

/// The tender that the member service did not hold, if there is one.
pub(crate) fn refused(tenders: &[Tender]) -> Option<&Tender> {
    tenders.iter().find(|tender| {
        matches!(tender.state, State::Voided | State::Stuck) && !tender.failure.is_empty()
    })
}
