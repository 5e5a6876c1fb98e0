//! Orders in other currencies than the merchant's (多币种, reference §3.9). What an order is worth, what is held of it, what is
//! earned on it and what a refund decides stays in the merchant's currency; beside it stands what its buyer sees and is charged,
//! with the rate that it was placed at. That snapshot never changes, and nothing is converted a second time: the cash part is
//! converted when the order is placed, payments are asked for and compared in what came out, and a refund gives back a share
//! of it ([`claim::charge`](crate::claim::charge)).

pub mod domain;
pub mod rpc;
pub mod store;

use siyu_grpc::Ctx;
use siyu_kernel::{Code, Currency, Fault};
use siyu_pg::Tx;

use crate::{
    checkout::store::Checkout, claim::charge::Charge, limits, order::domain::OrderId, price::Quote,
};

use domain::{Presentment, Rate};

/// Keeps an order in the currency that its buyer sees and is charged in, if that is another one. Fails with `FX_RATE_MISSING`,
/// also when the rate is too old, and with `INVALID_FIELD` for what is no currency, or one in which what is left to pay comes to
/// nothing: nobody could pay that.
pub(crate) async fn present(
    tx: &mut Tx,
    ctx: &Ctx,
    order: (OrderId, &Checkout, &Quote),
    (own, wanted): (Currency, &str),
) -> Result<(), Fault> {
    let (id, checkout, quote) = order;
    if wanted.is_empty() || wanted == own.code() {
        return Ok(());
    }
    let to = Currency::parse(wanted)
        .map_err(|error| Fault::field("presentment_currency_code", error))?;
    let row = store::find(tx, wanted).await?;
    let row = row.filter(|row| row.rate_at + limits::FX_RATE_AGE_MAX > ctx.now);
    let row = row.ok_or_else(|| {
        let message = format!("there is no rate for {to} of the last three days");
        Fault::new(Code::FailedPrecondition, "FX_RATE_MISSING", message)
    })?;
    let rate = Rate::parse(&row.rate).ok_or_else(|| Fault::internal("a rate that is none"))?;
    let lines: Vec<i64> = quote.lines.iter().map(|line| line.payable).collect();
    let whole = (checkout.payable_minor, checkout.cash_minor);
    let shown = Presentment::of(whole, &lines, quote.shipping, rate, (own, to));
    let wrong = |why: &'static str| Fault::field("presentment_currency_code", why);
    let shown = shown.ok_or_else(|| wrong("is too large"))?;
    if checkout.cash_minor > 0 && shown.charge_minor == 0 {
        return Err(wrong("what is left to pay comes to nothing in it"));
    }
    Ok(store::insert_presentment(tx, id, &row, &shown).await?)
}

/// What the buyer of an order is charged for its cash; `None`: the cash itself.
pub(crate) async fn charge(tx: &mut Tx, order: OrderId) -> Result<Option<Charge>, Fault> {
    let Some(row) = store::presentment(tx, order).await? else { return Ok(None) };
    let currency = Currency::parse(&row.rate.currency).map_err(Fault::internal)?;
    Ok(row.charge_minor.map(|minor| Charge { currency, minor }))
}
