//! The SQL of the sandbox's books and nothing else.

use chrono::{DateTime, Utc};
use siyu_pg::Tx;

use crate::{
    payment::provider::{Attempt, RefundOrder},
    reconciliation::domain::{Row, RowKind},
};

/// A payment as the sandbox knows it: the row.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct TradeRow {
    /// Our number of it.
    pub out_trade_no: String,
    /// What is to be paid, in minor units.
    pub amount_minor: i64,
    /// In which currency.
    pub currency: String,
    /// How it stands there.
    pub state: TradeState,
    /// Its own number.
    pub provider_no: String,
    /// What was paid.
    pub paid_minor: Option<i64>,
    /// When.
    pub paid_at: Option<DateTime<Utc>>,
    /// How many of the next answers are swallowed.
    pub swallow: i32,
    /// Whether refunds are refused.
    pub refuses_refunds: bool,
}

/// How a payment stands at the sandbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum TradeState {
    /// It may be paid.
    Open,
    /// It was paid.
    Paid,
    /// It cannot be paid any more.
    Closed,
}

impl TradeRow {
    /// A payment that may be paid.
    pub(crate) fn open(attempt: &Attempt<'_>) -> Self {
        Self {
            out_trade_no: attempt.out_trade_no.to_owned(),
            amount_minor: attempt.amount_minor,
            currency: attempt.currency.to_string(),
            state: TradeState::Open,
            provider_no: format!("SBX{}", attempt.out_trade_no),
            paid_minor: None,
            paid_at: None,
            swallow: 0,
            refuses_refunds: false,
        }
    }
}

/// Stores a payment; false when its number is known.
pub async fn insert(tx: &mut Tx, account: &str, row: &TradeRow) -> Result<bool, siyu_pg::Error> {
    let done = sqlx::query(
        "insert into sandbox_trades (merchant_id, account_code, out_trade_no, amount_minor, currency, state, provider_no,
            swallow, refuses_refunds)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        on conflict on constraint sandbox_trades_pkey do nothing",
    )
    .bind(tx.merchant())
    .bind(account)
    .bind(&row.out_trade_no)
    .bind(row.amount_minor)
    .bind(&row.currency)
    .bind(row.state)
    .bind(&row.provider_no)
    .bind(row.swallow)
    .bind(row.refuses_refunds)
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Locks a payment.
pub async fn lock(
    tx: &mut Tx,
    account: &str,
    out_trade_no: &str,
) -> Result<Option<TradeRow>, siyu_pg::Error> {
    let row = sqlx::query_as(
        "select out_trade_no, amount_minor, currency, state, provider_no, paid_minor, paid_at, swallow, refuses_refunds
        from sandbox_trades
        where merchant_id = $1 and account_code = $2 and out_trade_no = $3
        for update",
    )
    .bind(tx.merchant())
    .bind(account)
    .bind(out_trade_no)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(row)
}

/// Saves what changes of a payment that is locked.
pub async fn save(tx: &mut Tx, account: &str, row: &TradeRow) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "update sandbox_trades set state = $4, paid_minor = $5, paid_at = $6, swallow = $7, refuses_refunds = $8
        where merchant_id = $1 and account_code = $2 and out_trade_no = $3",
    )
    .bind(tx.merchant())
    .bind(account)
    .bind(&row.out_trade_no)
    .bind(row.state)
    .bind(row.paid_minor)
    .bind(row.paid_at)
    .bind(row.swallow)
    .bind(row.refuses_refunds)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The sandbox's number of a refund, and when it was made.
pub async fn find_refund(
    tx: &mut Tx,
    account: &str,
    out_refund_no: &str,
) -> Result<Option<(String, DateTime<Utc>)>, siyu_pg::Error> {
    let refund = sqlx::query_as(
        "select provider_no, refunded_at
        from sandbox_refunds
        where merchant_id = $1 and account_code = $2 and out_refund_no = $3",
    )
    .bind(tx.merchant())
    .bind(account)
    .bind(out_refund_no)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(refund)
}

/// What was given back of a payment that is locked, in minor units.
pub async fn refunded(
    tx: &mut Tx,
    account: &str,
    out_trade_no: &str,
) -> Result<i64, siyu_pg::Error> {
    let minor = sqlx::query_scalar(
        "select coalesce(sum(amount_minor), 0)::bigint
        from sandbox_refunds
        where merchant_id = $1 and account_code = $2 and out_trade_no = $3",
    )
    .bind(tx.merchant())
    .bind(account)
    .bind(out_trade_no)
    .fetch_one(&mut **tx)
    .await?;
    Ok(minor)
}

/// Stores a refund.
pub async fn insert_refund(
    tx: &mut Tx,
    account: &str,
    refund: &RefundOrder<'_>,
    provider_no: &str,
    at: DateTime<Utc>,
) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "insert into sandbox_refunds
            (merchant_id, account_code, out_refund_no, out_trade_no, amount_minor, provider_no, refunded_at)
        values ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(tx.merchant())
    .bind(account)
    .bind(refund.out_refund_no)
    .bind(refund.out_trade_no)
    .bind(refund.amount_minor)
    .bind(provider_no)
    .bind(at)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// What moved between two instants, the second exclusive.
pub async fn statement(
    tx: &mut Tx,
    account: &str,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
) -> Result<Vec<Row>, siyu_pg::Error> {
    let payments: Vec<(String, String, i64, String)> = sqlx::query_as(
        "select out_trade_no, provider_no, paid_minor, currency
        from sandbox_trades
        where merchant_id = $1 and account_code = $2 and paid_at >= $3 and paid_at < $4
        order by out_trade_no",
    )
    .bind(tx.merchant())
    .bind(account)
    .bind(from)
    .bind(to)
    .fetch_all(&mut **tx)
    .await?;
    let refunds: Vec<(String, String, i64, String)> = sqlx::query_as(
        "select r.out_refund_no, r.provider_no, r.amount_minor, t.currency
        from sandbox_refunds r
        cross join lateral (
            select currency from sandbox_trades
            where merchant_id = $1 and account_code = r.account_code and out_trade_no = r.out_trade_no
            limit 1
        ) as t
        where r.merchant_id = $1 and r.account_code = $2 and r.refunded_at >= $3 and r.refunded_at < $4
        order by r.out_refund_no",
    )
    .bind(tx.merchant())
    .bind(account)
    .bind(from)
    .bind(to)
    .fetch_all(&mut **tx)
    .await?;
    let row = |kind| {
        move |(out_no, provider_no, amount_minor, currency)| Row {
            kind,
            out_no,
            provider_no,
            amount_minor,
            currency,
        }
    };
    let payments = payments.into_iter().map(row(RowKind::Payment));
    Ok(payments.chain(refunds.into_iter().map(row(RowKind::Refund))).collect())
}
