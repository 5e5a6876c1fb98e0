//! Moves value from one locked card to another, and writes it down on both.

use siyu_grpc::Ctx;
use siyu_kernel::Fault;
use siyu_pg::Tx;

use crate::{
    App,
    value::{
        Buckets,
        books::Chain,
        card::Card,
        entry::{self, Entry},
        policy::Terms,
    },
};

/// Moves an amount that the first card has; bonus lot by lot, each with its own times.
pub(super) async fn shift(
    app: &App,
    tx: &mut Tx,
    ctx: &Ctx,
    terms: &Terms,
    (from, to): (&Card, &Card),
    amount: Buckets,
) -> Result<(), Fault> {
    let lots = siyu_ledger::lots(tx, &[from.purse.bonus]).await?;
    let mut chain = Chain::about(app, from.id.uuid());
    chain.give(&from.purse, &to.purse, amount, &lots, ctx.now)?;
    chain.run(tx, ctx.now).await?;
    let out = Entry {
        card: from,
        kind: entry::Kind::TransferOut,
        store_id: from.store_id,
        subject: to.id.to_string(),
        change: amount.negative(),
        kept: 0,
    };
    let into = Entry {
        card: to,
        kind: entry::Kind::TransferIn,
        store_id: to.store_id,
        subject: from.id.to_string(),
        change: amount,
        kept: 0,
    };
    entry::write(app, tx, terms, ctx.now, &[out, into]).await
}
