//! Flash sales (秒杀): a price for a short time, so many pieces for each buyer, little time to pay, and stock of their own in
//! the channel "flash:<code>" (reference §3.5).

pub mod rpc;

use siyu_grpc::Ctx;
use siyu_kernel::{Fault, Id, kind::Person};
use siyu_pg::Tx;
use siyu_proto::order::v1::{CartLine, FlashSale, FlashSaleEntry};

use crate::{
    market::{
        activity::{self, Activity, Kind, Run},
        deal::{Deal, More, Offer, PayWindow, pieces},
        entry::take,
        store::Entry,
    },
    price::OfferKind,
};

/// How many minutes an order waits for its payment where the sale does not say.
const PAY_MINUTES: i32 = 5;

impl Activity for FlashSale {
    const KIND: Kind = Kind::FlashSale;
    const NAME: &'static str = "flash sale";

    fn code(&self) -> &str {
        &self.code
    }

    fn run(&self) -> Run {
        Run { from: self.valid_time_from, to: self.valid_time_to, paused: self.paused }
    }

    fn check(&self) -> Vec<(&'static str, &'static str)> {
        Vec::new()
    }
}

/// The sale that an order asks for, and how many pieces of it. Fails with `NOT_FOUND`, and with `ACTIVITY_CLOSED` when it does
/// not run.
pub(crate) async fn look(
    tx: &mut Tx,
    ctx: &Ctx,
    asked: &FlashSaleEntry,
    lines: &[CartLine],
) -> Result<(FlashSale, i64), Fault> {
    let sale: FlashSale = activity::get(tx, &asked.sale_code).await?;
    sale.run().admit(ctx.now)?;
    let pieces = pieces(lines, &sale.sku)?;
    Ok((sale, pieces))
}

/// The channel that the stock of a sale is set aside for.
pub(crate) fn channel(code: &str) -> String {
    format!("flash:{code}")
}

/// What an order gets by a sale.
pub(crate) async fn enter(
    tx: &mut Tx,
    ctx: &Ctx,
    asked: &FlashSaleEntry,
    lines: &[CartLine],
    person: Id<Person>,
) -> Result<Deal, Fault> {
    let (sale, pieces) = look(tx, ctx, asked, lines).await?;
    take(tx, (Kind::FlashSale, &sale.code), person, pieces, sale.per_person).await?;
    let entry = Kind::FlashSale.entry(&sale.code, person, pieces);
    let minutes = if sale.pay_minutes == 0 { PAY_MINUTES } else { sale.pay_minutes };
    Ok(Deal {
        entry: Entry { stock_channel: channel(&sale.code), ..entry },
        offer: Some(Offer { kind: OfferKind::Flash, unit_minor: sale.unit_minor }),
        pay: PayWindow::Minutes(minutes),
        more: More::Nothing,
    })
}
