//! The vault: what is personal is kept sealed, per merchant, and found by keyed digest (rule 122). No event, no log line and no
//! index holds a clear value.

use siyu_kernel::{Fault, Id, kind::Merchant};

use crate::App;

pub use siyu_vault::{Error, KeyError, Keys, Place, Random, Vault, new_key, store};

/// The keys of a merchant, drawn at the first time. Asked for before a transaction of the merchant is opened: it may need
/// one of its own.
pub async fn keys(app: &App, merchant: Id<Merchant>) -> Result<Keys, Fault> {
    app.vault.keys(&app.db, merchant, app.clock.now()).await
}

/// Whether the configured keys open what is in the database. Said at the start, not when a customer is looked up.
pub async fn check(app: &App) -> Result<(), Fault> {
    app.vault.check(&app.db, "member.check_vault").await
}
