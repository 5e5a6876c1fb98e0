//! Refunds: what is decided leaves what is held, and reaches the buyer tender by tender.

use chrono::{DateTime, Utc};
use siyu_kernel::Fault;
use siyu_ledger::{Record, TransferId};
use siyu_pg::Tx;
use uuid::Uuid;

use super::{About, Done, TRIES, holds, lock, open_accounts, post, release::raced, standing};
use crate::{
    App,
    guarantee::{
        Error,
        books::{
            self, ADVANCED, Account, Books, CHARGED, REFUND_PAID, REFUND_RETURNED, REFUNDED,
            Returned,
        },
        domain::Guarantee,
        store,
        taking::{self, Holds},
    },
    order::domain::OrderId,
};

/// Takes a refund that is decided: of what is held, after the release of what is the merchant's, and what is short is advanced
/// (先行赔付). `refund` names it for good. A repeat changes nothing.
///
/// # Errors
/// `NOT_FOUND` when nothing was paid for the order; `EXCEEDS_PAYMENT` when less is left of what was paid.
pub async fn refund(
    app: &App,
    tx: &mut Tx,
    order: OrderId,
    (refund, amount): (Uuid, i64),
    now: DateTime<Utc>,
) -> Result<Guarantee, Fault> {
    let mut guarantee = lock(tx, order).await?;
    if amount == 0 || !siyu_ledger::about(tx, refund).await?.is_empty() {
        return Ok(guarantee);
    }
    if !(1..=guarantee.left_minor()).contains(&amount) {
        return Err(Error::ExceedsPaid.into());
    }
    let books = guarantee.books();
    open_accounts(tx, &books, &[Account::Advance], now).await?;
    let dispute = store::open_dispute(tx, order).await?;
    let held = match &dispute {
        Some(dispute) => holds(tx, &books, dispute).await?,
        None => Holds::default(),
    };
    for _ in 0..TRIES {
        let standing = standing(tx, &books, now).await?;
        let disputed = dispute.as_ref().map(|dispute| (dispute, &held));
        let taking = taking::take_refund(&books, standing, disputed, refund, amount);
        let subject = refund.to_string();
        match post(app, tx, &About::of(&guarantee, &subject), taking.transfers, now).await? {
            Done::Now => {
                guarantee.refund(&taking.parts);
                store::save(tx, &guarantee).await?;
                if let Some(mut dispute) = dispute {
                    dispute.amount_minor = (dispute.amount_minor - amount).max(0);
                    dispute.frozen_minor = taking.frozen_minor;
                    store::save_dispute(tx, &dispute).await?;
                }
                return Ok(guarantee);
            }
            Done::Before => return Err(Fault::internal("a refund that no transfer is about")),
            Done::Raced => {}
        }
    }
    Err(raced())
}

/// A tender took its part of a refund: it is with the buyer. A repeat for the same tender changes nothing.
///
/// # Errors
/// `NOT_FOUND` when nothing was paid for the order; `EXCEEDS_REFUND` when less of the refund is under way.
pub async fn refund_paid(
    app: &App,
    tx: &mut Tx,
    order: OrderId,
    (refund, tender, amount): (Uuid, &str, i64),
    now: DateTime<Utc>,
) -> Result<(), Fault> {
    let guarantee = lock(tx, order).await?;
    let books = guarantee.books();
    let transfer = books.on_refund_paid(refund, tender, amount);
    let records = siyu_ledger::about(tx, refund).await?;
    let is_repeat = records.iter().any(|record| record.id == transfer.id);
    if !is_repeat && amount > under_way(&books, &records) {
        return Err(Error::ExceedsRefund.into());
    }
    let subject = refund.to_string();
    match post(app, tx, &About::of(&guarantee, &subject), vec![transfer], now).await? {
        Done::Now | Done::Before => Ok(()),
        Done::Raced => Err(Fault::internal("a refund that is under way and is not in clearing")),
    }
}

/// A tender did not take its part of a refund, for good: it goes back to where it came from, what was advanced first. What
/// was advanced and is settled meanwhile goes to the merchant. A repeat for the same tender changes nothing.
///
/// # Errors
/// `NOT_FOUND` when nothing was paid for the order; `EXCEEDS_REFUND` when less of the refund is under way.
pub async fn refund_failed(
    app: &App,
    tx: &mut Tx,
    order: OrderId,
    (refund, tender, amount): (Uuid, &str, i64),
    now: DateTime<Utc>,
) -> Result<Guarantee, Fault> {
    let mut guarantee = lock(tx, order).await?;
    let books = guarantee.books();
    let records = siyu_ledger::about(tx, refund).await?;
    if store::has_returned(tx, order, &returned_subject(refund, tender)).await? {
        return Ok(guarantee);
    }
    if amount > under_way(&books, &records) {
        return Err(Error::ExceedsRefund.into());
    }
    let takings = takings(&books, &records);
    for _ in 0..TRIES {
        let advance = open_accounts(tx, &books, &[Account::Advance], now).await?;
        let (parts, to_merchant, shifts) = give_back(&takings, -advance[0].balance(), amount);
        let own = Account::Available(books.shard());
        open_accounts(tx, &books, &[own], now).await?;
        let transfers = books.on_refund_failed(refund, tender, &parts, to_merchant);
        let subject = returned_subject(refund, tender);
        match post(app, tx, &About::of(&guarantee, &subject), transfers, now).await? {
            Done::Now => {
                for (account, amount) in shifts {
                    guarantee.shift(account, amount);
                }
                store::save(tx, &guarantee).await?;
                return Ok(guarantee);
            }
            Done::Before => return Err(Fault::internal("a return without its entry")),
            Done::Raced => {}
        }
    }
    Err(raced())
}

fn returned_subject(refund: Uuid, tender: &str) -> String {
    format!("{refund} {tender}")
}

/// What a refund took of an account and has not given back.
#[derive(Debug, Clone, Copy)]
struct Taken {
    of: TransferId,
    account: Account,
    left: i64,
}

/// What a refund took, the last first.
fn takings(books: &Books, records: &[Record]) -> Vec<Taken> {
    let sources = books.sources();
    let is_taking = |record: &&Record| [REFUNDED, CHARGED, ADVANCED].contains(&record.code);
    let mut takings: Vec<Taken> = records
        .iter()
        .filter(is_taking)
        .filter_map(|record| {
            let account = *sources.iter().find(|source| books.id(**source) == record.debit)?;
            let back = records.iter().filter(|r| r.target == Some(record.id));
            let back: i64 = back.map(|record| record.amount).sum();
            Some(Taken { of: record.id, account, left: record.amount - back })
        })
        .collect();
    takings.sort_by_key(|taken| std::cmp::Reverse(taken.account));
    takings
}

/// Divides what goes back: reversals, what goes to the merchant instead of to what was advanced, and what that is for the
/// guarantee.
fn give_back(
    takings: &[Taken],
    mut owed: i64,
    amount: i64,
) -> (Vec<Returned>, i64, Vec<books::Part>) {
    let (mut left, mut parts, mut shifts, mut to_merchant) = (amount, Vec::new(), Vec::new(), 0);
    for taken in takings {
        let part = left.min(taken.left);
        if part == 0 {
            continue;
        }
        left -= part;
        shifts.push((taken.account, part));
        let reversed = if taken.account == Account::Advance { part.min(owed) } else { part };
        to_merchant += part - reversed;
        if taken.account == Account::Advance {
            owed -= reversed;
        }
        if reversed > 0 {
            parts.push(Returned { of: taken.of, amount: reversed });
        }
    }
    (parts, to_merchant, shifts)
}

/// What of a refund is neither with the buyer nor back.
fn under_way(books: &Books, records: &[Record]) -> i64 {
    let clearing = books.id(Account::RefundClearing);
    let change = |record: &Record| match (record.credit == clearing, record.code) {
        (true, _) => record.amount,
        (false, REFUND_PAID | REFUND_RETURNED) => -record.amount,
        (false, _) => 0,
    };
    records.iter().map(change).sum()
}
