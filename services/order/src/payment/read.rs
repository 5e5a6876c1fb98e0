//! Reads attempts with what belongs to them.

use siyu_kernel::Fault;
use siyu_pg::Tx;
use siyu_proto::order::v1 as proto;

use super::{domain::Payment, record, refund, show, store};
use crate::claim::domain::PaymentId;

/// An attempt with its refunds, as a transaction sees it.
pub(crate) async fn read(tx: &mut Tx, id: PaymentId) -> Result<proto::Payment, Fault> {
    let payment = store::find(tx, id).await?;
    let payment = payment.ok_or_else(|| Fault::not_found("payment"))?;
    with_refunds(tx, &payment).await
}

/// The refunds of an attempt that was read, and the attempt.
pub(crate) async fn with_refunds(tx: &mut Tx, payment: &Payment) -> Result<proto::Payment, Fault> {
    let refunds = refund::store::of_payment(tx, payment.id).await?;
    let records = record::store::of_payment(tx, payment.id).await?;
    show::recorded(payment, &refunds, &records)
}
