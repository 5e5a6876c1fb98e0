//! Orders in other currencies than the merchant's (多币种, reference §3.9). What an order is worth, and what is charged for it,
//! stays in the merchant's currency; beside it stands what its buyer sees, with the rate that it was placed at.

pub mod domain;
pub mod rpc;
pub mod store;

use siyu_grpc::Ctx;
use siyu_kernel::{Code, Currency, Fault};
use siyu_pg::Tx;

use crate::{checkout::store::Checkout, limits, order::domain::OrderId, price::Quote};

use domain::{Presentment, Rate};

/// Keeps an order in the currency that its buyer sees, if that is another one. Fails with `FX_RATE_MISSING`, also when the
/// rate is too old, and with `INVALID_FIELD` for what is no currency.
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
    let shown = Presentment::of(checkout.payable_minor, &lines, quote.shipping, rate, (own, to));
    let shown = shown.ok_or_else(|| Fault::field("presentment_currency_code", "is too large"))?;
    Ok(store::insert_presentment(tx, id, &row, &shown).await?)
}
