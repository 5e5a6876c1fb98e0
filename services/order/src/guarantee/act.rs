//! What happens to what is held, each in the transaction of its cause: the order's own steps call these.

mod dispute;
mod pay;
mod refund;
mod release;

pub(crate) use dispute::waits_until;
pub use dispute::{close, open};
pub use pay::{Paid, paid, suspend, unsuspend};
pub use refund::{refund, refund_failed, refund_paid};
pub use release::{completed, release, release_due, reopened};

use chrono::{DateTime, Utc};
use siyu_events::{Fact, NewEvent};
use siyu_kernel::Fault;
use siyu_ledger::{Failure, Outcome, Transfer};
use siyu_pg::Tx;

use super::{
    books::{Account, Books},
    dispute::Dispute,
    domain::Guarantee,
    entry::{Entry, Kind},
    store,
    taking::{Hold, Holds, Standing},
};
use crate::{App, order::domain::OrderId};

/// How often a release or a refund looks again when another one of the merchant was faster.
const TRIES: usize = 4;

/// What a slice of transfers came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Done {
    /// It took effect now.
    Now,
    /// It had taken effect before.
    Before,
    /// Somebody else was faster: what was read is not so any more. Nothing took effect.
    Raced,
}

/// Locks what is held of an order.
async fn lock(tx: &mut Tx, order: OrderId) -> Result<Guarantee, Fault> {
    store::lock(tx, order).await?.ok_or_else(|| Fault::not_found("guarantee"))
}

/// Posts transfers, all or none, and writes down what took effect now.
async fn post(
    app: &App,
    tx: &mut Tx,
    about: &About<'_>,
    mut transfers: Vec<Transfer>,
    now: DateTime<Utc>,
) -> Result<Done, Fault> {
    link(&mut transfers);
    let outcomes = siyu_ledger::post(tx, &transfers, now).await?;
    note(app, tx, about, (&transfers, outcomes), now).await
}

/// Lets transfers take effect together or not at all.
fn link(transfers: &mut [Transfer]) {
    if let Some((_, chain)) = transfers.split_last_mut() {
        for transfer in chain {
            transfer.linked = true;
        }
    }
}

/// Writes down which of the transfers took effect now.
async fn note(
    app: &App,
    tx: &mut Tx,
    about: &About<'_>,
    (transfers, outcomes): (&[Transfer], Vec<Outcome>),
    now: DateTime<Utc>,
) -> Result<Done, Fault> {
    if transfers.is_empty() {
        return Ok(Done::Now);
    }
    let (mut entries, mut raced) = (Vec::new(), false);
    for (transfer, outcome) in transfers.iter().zip(outcomes) {
        match outcome {
            Outcome::Created(posted) => entries.push(Entry {
                id: app.ids.uuid(),
                order_id: about.order,
                kind: Kind::of(transfer.code),
                amount_minor: posted.amount,
                currency: about.currency.to_owned(),
                subject: about.subject.to_owned(),
                created_at: now,
            }),
            Outcome::Exists(_) | Outcome::Failed(Failure::LinkedFailed) => {}
            Outcome::Failed(Failure::ExceedsCredits | Failure::ExceedsDebits) => raced = true,
            Outcome::Failed(failure) => return Err(failure.into()),
        }
    }
    if raced {
        return Ok(Done::Raced);
    }
    store::insert_entries(tx, &entries).await?;
    Ok(if entries.is_empty() { Done::Before } else { Done::Now })
}

/// What entries are about.
#[derive(Debug, Clone, Copy)]
struct About<'a> {
    order: Option<OrderId>,
    currency: &'a str,
    subject: &'a str,
}

impl<'a> About<'a> {
    fn of(guarantee: &'a Guarantee, subject: &'a str) -> Self {
        let currency = guarantee.currency.0.code();
        Self { order: Some(guarantee.order_id), currency, subject }
    }
}

/// Opens accounts of an order that are not open yet.
async fn open_accounts(
    tx: &mut Tx,
    books: &Books,
    wanted: &[Account],
    now: DateTime<Utc>,
) -> Result<Vec<siyu_ledger::Account>, Fault> {
    let wanted: Vec<_> = wanted.iter().map(|account| books.account(*account)).collect();
    Ok(siyu_ledger::open(tx, &wanted, now).await?)
}

/// What can be taken of an order and, where that is short, of the merchant.
async fn standing(tx: &mut Tx, books: &Books, now: DateTime<Utc>) -> Result<Standing, Fault> {
    let sources: Vec<Account> =
        books.sources().into_iter().filter(|account| *account != Account::Advance).collect();
    let open = open_accounts(tx, books, &sources, now).await?;
    Ok(Standing(sources.into_iter().zip(open.iter().map(siyu_ledger::Account::unheld)).collect()))
}

/// What the open dispute of an order holds.
async fn holds(tx: &mut Tx, books: &Books, dispute: &Dispute) -> Result<Holds, Fault> {
    let records = siyu_ledger::about(tx, dispute.id.uuid()).await?;
    let is_open = |id| records.iter().all(|record| record.target != Some(id));
    let made: Vec<_> =
        records.iter().filter(|record| record.kind == siyu_ledger::Kind::Pending).collect();
    let sources = books.sources();
    let open = made.iter().filter(|record| is_open(record.id)).map(|record| {
        let account = sources.iter().find(|account| books.id(**account) == record.debit);
        let account = *account.ok_or_else(|| Fault::internal("a hold of an unknown account"))?;
        Ok(Hold { id: record.id, account, amount: record.amount })
    });
    Ok(Holds { open: open.collect::<Result<_, Fault>>()?, made: made.len() })
}

/// Tells a fact about an order, in the transaction of the change.
async fn tell(
    app: &App,
    tx: &mut Tx,
    order: OrderId,
    fact: &impl Fact,
    now: DateTime<Utc>,
) -> Result<(), siyu_pg::Error> {
    siyu_events::append(tx, &[NewEvent::of(app.ids.uuid(), &order, now, fact)]).await
}
