//! The merchant's rules for new orders.

use prost::Message;
use siyu_kernel::Fault;
use siyu_pg::Tx;
use siyu_proto::order::v1::CheckoutPolicy;

use super::store;

/// The rules in force, with the usual ones where the merchant has said nothing.
pub(crate) async fn read(tx: &mut Tx) -> Result<CheckoutPolicy, Fault> {
    effective(store::policy(tx).await?.as_deref())
}

/// A stored policy, with the usual rules where it says nothing.
pub(crate) fn effective(definition: Option<&[u8]>) -> Result<CheckoutPolicy, Fault> {
    let stored = definition.map(CheckoutPolicy::decode).transpose().map_err(Fault::internal)?;
    let stored = stored.unwrap_or_default();
    let or = |given: i32, usual: i32| if given == 0 { usual } else { given };
    Ok(CheckoutPolicy {
        pay_minutes: or(stored.pay_minutes, 15),
        confirm_days: or(stored.confirm_days, 7),
        after_sale_days: or(stored.after_sale_days, 7),
        live_window_hours: or(stored.live_window_hours, 24),
        ..stored
    })
}
