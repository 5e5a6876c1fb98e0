//! Locks that are no rows: of one tenant, by a name, until the transaction ends.

use crate::{Error, Tx};

/// A lock that each tenant has one of.
#[derive(Debug, Clone, Copy)]
pub struct Lock(&'static str);

impl Lock {
    /// The lock of a name: that of the service and of what it protects, like `order.buyers`.
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        Self(name)
    }

    /// Waits until nobody has the lock or shares it; then nobody else does until the transaction ends.
    pub async fn take(self, tx: &mut Tx) -> Result<(), Error> {
        let key = self.key(tx);
        sqlx::query("select pg_advisory_xact_lock(hashtextextended($1, 0))")
            .bind(key)
            .execute(&mut **tx)
            .await?;
        Ok(())
    }

    /// Waits until nobody has the lock; others may share it. [`Db::tenant_sharing`](crate::Db::tenant_sharing) does so when a
    /// transaction begins, without a round trip of its own.
    pub async fn share(self, tx: &mut Tx) -> Result<(), Error> {
        let key = self.key(tx);
        sqlx::query("select pg_advisory_xact_lock_shared(hashtextextended($1, 0))")
            .bind(key)
            .execute(&mut **tx)
            .await?;
        Ok(())
    }

    fn key(self, tx: &Tx) -> String {
        format!("{} {}", self.0, tx.merchant().uuid())
    }

    /// The statement that shares it, for a transaction that begins.
    pub(crate) fn begin(self, merchant: uuid::Uuid) -> String {
        let key = format!("{} {merchant}", self.0.replace('\'', "''"));
        format!("select pg_advisory_xact_lock_shared(hashtextextended('{key}', 0))")
    }
}
