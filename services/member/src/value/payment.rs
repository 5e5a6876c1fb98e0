//! Payments with stored value, at once or by a hold (rules 5, 6, 56, 58). What each bucket of each card gives is fixed when a
//! payment is made, and stands there for the refund.

pub mod domain;
pub mod expire;
pub mod hold;
pub mod pay;
pub mod refund;
pub mod rpc;
pub mod store;

use siyu_kernel::Fault;
use siyu_pg::Tx;

use domain::{Part, Payment, PaymentId};

/// A payment with its parts, locked.
pub(crate) async fn lock(tx: &mut Tx, id: PaymentId) -> Result<(Payment, Vec<Part>), Fault> {
    let payment = store::lock(tx, id).await?.ok_or_else(|| Fault::not_found("payment"))?;
    let parts = store::parts(tx, &[id]).await?;
    Ok((payment, parts))
}
