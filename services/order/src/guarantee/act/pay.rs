//! An order is paid; or money comes that belongs to none.

use chrono::{DateTime, Utc};
use siyu_kernel::{Currency, Fault};
use siyu_pg::Tx;
use uuid::Uuid;

use super::{About, Done, link, note, open_accounts, post};
use crate::{
    App,
    guarantee::{
        books::{Account, Books},
        domain::{Guarantee, Terms},
        store,
    },
    order::domain::{CurrencyColumn, OrderId},
};

/// An order that is paid.
#[derive(Debug, Clone, Copy)]
pub struct Paid<'a> {
    /// The order.
    pub order: OrderId,
    /// Of the amounts.
    pub currency: Currency,
    /// What each tender paid, by its key: a key stands once.
    pub tenders: &'a [(String, i64)],
    /// What is taken off a release.
    pub terms: Terms,
}

/// Holds what was paid for an order. A repeat changes nothing; an order that cost nothing is held, too (rule 18).
///
/// # Errors
/// `GUARANTEE_RATES` when the terms take more than everything.
pub async fn paid(
    app: &App,
    tx: &mut Tx,
    paid: &Paid<'_>,
    now: DateTime<Utc>,
) -> Result<Guarantee, Fault> {
    let terms = paid.terms.check()?;
    let amount: i64 = paid.tenders.iter().map(|(_, amount)| amount).sum();
    let guarantee = Guarantee {
        order_id: paid.order,
        currency: CurrencyColumn(paid.currency),
        paid_minor: amount,
        held_minor: amount,
        released_minor: 0,
        refunded_minor: 0,
        advanced_minor: 0,
        commission_bp: terms.commission_bp,
        fee_bp: terms.fee_bp,
        releases: 0,
        disputed: false,
        releasable_at: None,
        released_at: None,
        created_at: now,
    };
    if !store::insert(tx, &guarantee).await? {
        return super::lock(tx, paid.order).await;
    }
    let books = guarantee.books();
    let wanted = [Account::BuyerClearing, Account::Held, Account::RefundClearing];
    let wanted = wanted.map(|account| books.account(account));
    let mut transfers = books.on_paid(paid.tenders);
    link(&mut transfers);
    let outcomes = siyu_ledger::open_and_post(tx, &wanted, &transfers, now).await?;
    note(app, tx, &About::of(&guarantee, ""), (&transfers, outcomes), now).await?;
    Ok(guarantee)
}

/// Puts a payment aside that belongs to no order: amount, currency, merchant or order are not as they must be, or the order
/// is paid already (rules 9, 16, 17). `payment` names it for good. A repeat changes nothing.
pub async fn suspend(
    app: &App,
    tx: &mut Tx,
    payment: Uuid,
    (currency, amount): (Currency, i64),
    now: DateTime<Utc>,
) -> Result<(), Fault> {
    let books = Books::of(payment, currency);
    open_accounts(tx, &books, &[Account::BuyerClearing, Account::Suspense], now).await?;
    let subject = payment.to_string();
    let about = About { order: None, currency: currency.code(), subject: &subject };
    post(app, tx, &about, vec![books.on_suspended(amount)], now).await?;
    Ok(())
}

/// Ends that: the payment went back to the buyer, or is counted as that of an order and held by [`paid`] in the same
/// transaction. A repeat changes nothing.
///
/// # Errors
/// `NOT_FOUND` when the payment was never put aside.
pub async fn unsuspend(
    app: &App,
    tx: &mut Tx,
    payment: Uuid,
    currency: Currency,
    now: DateTime<Utc>,
) -> Result<(), Fault> {
    let books = Books::of(payment, currency);
    let subject = payment.to_string();
    let about = About { order: None, currency: currency.code(), subject: &subject };
    match post(app, tx, &about, vec![books.on_unsuspended()], now).await? {
        Done::Now | Done::Before => Ok(()),
        Done::Raced => Err(Fault::internal("a payment in suspense was taken by another transfer")),
    }
}
