//! The SQL of payments and nothing else.

use chrono::{DateTime, Utc};
use siyu_kernel::{Id, kind::Merchant};
use siyu_pg::{SystemTx, Tx};

use super::{
    account::Account,
    domain::{Payment, State},
};
use crate::{
    claim::domain::{Claim, PaymentId},
    order::domain::OrderId,
};

/// Stores an attempt, and counts it at its claim.
pub async fn insert(tx: &mut Tx, payment: &Payment) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "with counted as (
            update payment_claims set attempts = $4 where merchant_id = $1 and order_id = $3
        )
        insert into payments (merchant_id, id, order_id, seq, request_id, account_code, method, description, payer_id,
            out_trade_no, amount_minor, currency, state, prepay, provider_no, problem, tries, due_at, expires_at, created_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)",
    )
    .bind(tx.merchant())
    .bind(payment.id)
    .bind(payment.order_id)
    .bind(payment.seq)
    .bind(&payment.request_id)
    .bind(&payment.account_code)
    .bind(payment.method)
    .bind(&payment.description)
    .bind(&payment.payer_id)
    .bind(&payment.out_trade_no)
    .bind(payment.amount_minor)
    .bind(payment.currency.0.code())
    .bind(payment.state)
    .bind(&payment.prepay)
    .bind(&payment.provider_no)
    .bind(&payment.problem)
    .bind(payment.tries)
    .bind(payment.due_at)
    .bind(payment.expires_at)
    .bind(payment.created_at)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// An attempt.
pub async fn find(tx: &mut Tx, id: PaymentId) -> Result<Option<Payment>, siyu_pg::Error> {
    let payment = sqlx::query_as("select * from payments where merchant_id = $1 and id = $2")
        .bind(tx.merchant())
        .bind(id)
        .fetch_optional(&mut **tx)
        .await?;
    Ok(payment)
}

/// The attempt that a request began.
pub async fn find_by_request(
    tx: &mut Tx,
    request_id: &str,
) -> Result<Option<Payment>, siyu_pg::Error> {
    let payment =
        sqlx::query_as("select * from payments where merchant_id = $1 and request_id = $2")
            .bind(tx.merchant())
            .bind(request_id)
            .fetch_optional(&mut **tx)
            .await?;
    Ok(payment)
}

/// The attempt that a payment company knows by a number.
pub async fn find_by_number(
    tx: &mut Tx,
    account_code: &str,
    out_trade_no: &str,
) -> Result<Option<Payment>, siyu_pg::Error> {
    let payment = sqlx::query_as(
        "select * from payments where merchant_id = $1 and account_code = $2 and out_trade_no = $3",
    )
    .bind(tx.merchant())
    .bind(account_code)
    .bind(out_trade_no)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(payment)
}

/// An attempt with the account that it is with.
pub async fn find_with_account(
    tx: &mut Tx,
    id: PaymentId,
) -> Result<Option<(Payment, Account)>, siyu_pg::Error> {
    #[derive(sqlx::FromRow)]
    struct Row {
        #[sqlx(flatten)]
        payment: Payment,
        #[sqlx(flatten)]
        account: Account,
    }
    let row: Option<Row> = sqlx::query_as(
        "select p.*, a.code, a.kind, a.paused, a.definition, a.sealed
        from payments p
        join provider_accounts a on a.merchant_id = $1 and a.code = p.account_code
        where p.merchant_id = $1 and p.id = $2",
    )
    .bind(tx.merchant())
    .bind(id)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(row.map(|row| (row.payment, row.account)))
}

/// Locks an attempt with its claim, the claim first; gives both as they are when both are locked.
pub async fn lock(tx: &mut Tx, id: PaymentId) -> Result<Option<(Claim, Payment)>, siyu_pg::Error> {
    #[derive(sqlx::FromRow)]
    struct Row {
        #[sqlx(flatten)]
        claim: Claim,
        #[sqlx(flatten)]
        payment: Payment,
    }
    let row: Option<Row> = sqlx::query_as(
        "select p.*, c.cash_minor, c.currency as claim_currency, coalesce(c.charge_minor, c.cash_minor) as charge_minor,
            coalesce(c.charge_currency, c.currency) as charge_currency, c.state as claim_state, c.deadline_at, c.attempts,
            c.payment_id, c.settled_at, c.created_at as claim_created_at
        from payments p
        join payment_claims c on c.merchant_id = $1 and c.order_id = p.order_id
        where p.merchant_id = $1 and p.id = $2
        for update of c, p",
    )
    .bind(tx.merchant())
    .bind(id)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(row.map(|row| (row.claim, row.payment)))
}

/// Locks all attempts of an order, in their order.
pub async fn lock_of(tx: &mut Tx, order_id: OrderId) -> Result<Vec<Payment>, siyu_pg::Error> {
    let payments = sqlx::query_as(
        "select * from payments where merchant_id = $1 and order_id = $2 order by seq for update",
    )
    .bind(tx.merchant())
    .bind(order_id)
    .fetch_all(&mut **tx)
    .await?;
    Ok(payments)
}

/// Saves what changes of an attempt that is locked.
pub async fn save(tx: &mut Tx, payment: &Payment) -> Result<(), siyu_pg::Error> {
    let done = sqlx::query(
        "update payments set state = $3, prepay = $4, provider_no = $5, paid_minor = $6, paid_currency = $7, problem = $8,
            tries = $9, due_at = $10, succeeded_at = $11
        where merchant_id = $1 and id = $2",
    )
    .bind(tx.merchant())
    .bind(payment.id)
    .bind(payment.state)
    .bind(&payment.prepay)
    .bind(&payment.provider_no)
    .bind(payment.paid_minor)
    .bind(&payment.paid_currency)
    .bind(&payment.problem)
    .bind(payment.tries)
    .bind(payment.due_at)
    .bind(payment.succeeded_at)
    .execute(&mut **tx)
    .await?;
    assert!(done.rows_affected() == 1, "a payment that is locked is there");
    Ok(())
}

/// Saves what changes of an attempt and of its claim, both of which are locked.
pub async fn save_with_claim(
    tx: &mut Tx,
    payment: &Payment,
    claim: &Claim,
) -> Result<(), siyu_pg::Error> {
    let done = sqlx::query(
        "with settled as (
            update payment_claims set state = $12, attempts = $13, payment_id = $14, settled_at = $15
            where merchant_id = $1 and order_id = $16
            returning order_id
        )
        update payments set state = $3, prepay = $4, provider_no = $5, paid_minor = $6, paid_currency = $7, problem = $8,
            tries = $9, due_at = $10, succeeded_at = $11
        where merchant_id = $1 and id = $2 and order_id = (select order_id from settled)",
    )
    .bind(tx.merchant())
    .bind(payment.id)
    .bind(payment.state)
    .bind(&payment.prepay)
    .bind(&payment.provider_no)
    .bind(payment.paid_minor)
    .bind(&payment.paid_currency)
    .bind(&payment.problem)
    .bind(payment.tries)
    .bind(payment.due_at)
    .bind(payment.succeeded_at)
    .bind(claim.state)
    .bind(claim.attempts)
    .bind(claim.payment_id)
    .bind(claim.settled_at)
    .bind(claim.order_id)
    .execute(&mut **tx)
    .await?;
    assert!(done.rows_affected() == 1, "a payment that is locked with its claim is there");
    Ok(())
}

/// Attempts before an id, newest first: of an order or of all, in a state or in all.
pub async fn list(
    tx: &mut Tx,
    order_id: Option<OrderId>,
    state: Option<State>,
    before: Option<uuid::Uuid>,
    limit: i64,
) -> Result<Vec<Payment>, siyu_pg::Error> {
    let payments = sqlx::query_as(
        "select * from payments
        where merchant_id = $1 and ($2::uuid is null or order_id = $2) and ($3::text is null or state = $3)
            and ($4::uuid is null or id < $4)
        order by id desc
        limit $5",
    )
    .bind(tx.merchant())
    .bind(order_id)
    .bind(state)
    .bind(before)
    .bind(limit)
    .fetch_all(&mut **tx)
    .await?;
    Ok(payments)
}

/// Attempts whose payment company is to be asked, the longest waiting first, with the instant that a lease names.
pub async fn due(
    tx: &mut SystemTx,
    now: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<(Id<Merchant>, PaymentId, DateTime<Utc>)>, siyu_pg::Error> {
    let due = sqlx::query_as(
        "select merchant_id, id, due_at from payments where due_at <= $1 order by due_at limit $2",
    )
    .bind(now)
    .bind(limit)
    .fetch_all(&mut **tx)
    .await?;
    Ok(due)
}

/// Takes an attempt that is due for one process: until an instant nobody else does. `None` when somebody was faster.
pub async fn lease(
    tx: &mut Tx,
    id: PaymentId,
    due_at: DateTime<Utc>,
    until: DateTime<Utc>,
) -> Result<Option<Payment>, siyu_pg::Error> {
    let payment = sqlx::query_as(
        "update payments set due_at = $4 where merchant_id = $1 and id = $2 and due_at = $3 returning *",
    )
    .bind(tx.merchant())
    .bind(id)
    .bind(due_at)
    .bind(until)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(payment)
}
