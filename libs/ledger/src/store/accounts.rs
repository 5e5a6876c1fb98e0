//! Accounts: open, find, lock.

use chrono::{DateTime, Utc};
use siyu_pg::Error;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{Account, AccountId, AccountKey, MerchantId, NewAccount};

/// The accounts that have one of the keys, in any order.
pub(crate) async fn find(
    conn: &mut PgConnection,
    merchant: MerchantId,
    keys: &[AccountKey],
) -> Result<Vec<Account>, Error> {
    let (mut owners, mut codes, mut assets) = (Vec::new(), Vec::new(), Vec::new());
    for key in keys {
        owners.push(key.owner);
        codes.push(key.code.get());
        assets.push(key.asset.as_str());
    }
    let accounts = sqlx::query_as(
        "select a.*
        from (select distinct * from unnest($2::uuid[], $3::smallint[], $4::text[]) as u (owner_id, code, asset)) as k
        cross join lateral (
            select id, owner_id, code, asset, flags, debits_posted, credits_posted, debits_pending, credits_pending,
                entries, created_at, joined_to, joined_by, joined_code
            from ledger_accounts
            where merchant_id = $1 and owner_id = k.owner_id and code = k.code and asset = k.asset and code > 0
            limit 1
        ) as a",
    )
    .bind(merchant)
    .bind(owners)
    .bind(codes)
    .bind(assets)
    .fetch_all(conn)
    .await?;
    Ok(accounts)
}

/// Every account of an owner, by code and asset.
pub(crate) async fn of_owner(
    conn: &mut PgConnection,
    merchant: MerchantId,
    owner: Uuid,
) -> Result<Vec<Account>, Error> {
    let accounts = sqlx::query_as(
        "select id, owner_id, code, asset, flags, debits_posted, credits_posted, debits_pending, credits_pending,
            entries, created_at, joined_to, joined_by, joined_code
        from ledger_accounts
        where merchant_id = $1 and owner_id = $2 and code > 0
        order by code, asset",
    )
    .bind(merchant)
    .bind(owner)
    .fetch_all(conn)
    .await?;
    Ok(accounts)
}

/// The accounts of that ids, in any order.
pub(crate) async fn list(
    conn: &mut PgConnection,
    merchant: MerchantId,
    ids: &[AccountId],
) -> Result<Vec<Account>, Error> {
    let accounts = sqlx::query_as(
        "select a.*
        from unnest($2::uuid[]) as k (id)
        cross join lateral (
            select id, owner_id, code, asset, flags, debits_posted, credits_posted, debits_pending, credits_pending,
                entries, created_at, joined_to, joined_by, joined_code
            from ledger_accounts
            where merchant_id = $1 and id = k.id
            limit 1
        ) as a",
    )
    .bind(merchant)
    .bind(ids)
    .fetch_all(conn)
    .await?;
    Ok(accounts)
}

/// Locks the accounts until the end of the transaction, one after the other. The caller sorts the ids, so that two calls
/// that touch the same accounts wait for each other and never in a circle.
pub(crate) async fn lock(
    conn: &mut PgConnection,
    merchant: MerchantId,
    ids: &[AccountId],
) -> Result<Vec<Account>, Error> {
    assert!(ids.is_sorted(), "locks are taken in order");
    let accounts = sqlx::query_as(
        "select a.*
        from unnest($2::uuid[]) as k (id)
        cross join lateral (
            select id, owner_id, code, asset, flags, debits_posted, credits_posted, debits_pending, credits_pending,
                entries, created_at, joined_to, joined_by, joined_code
            from ledger_accounts
            where merchant_id = $1 and id = k.id
            for no key update
        ) as a",
    )
    .bind(merchant)
    .bind(ids)
    .fetch_all(conn)
    .await?;
    Ok(accounts)
}

/// Opens accounts and gives them; those whose key is taken stay as they are and are left out. Sorted by the caller, so that
/// two calls that open the same accounts do not wait for each other in a circle.
pub(crate) async fn insert(
    conn: &mut PgConnection,
    merchant: MerchantId,
    accounts: &[NewAccount],
    now: DateTime<Utc>,
) -> Result<Vec<Account>, Error> {
    let mut columns = (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for account in accounts {
        columns.0.push(account.id);
        columns.1.push(account.key.owner);
        columns.2.push(account.key.code);
        columns.3.push(account.key.asset.as_str());
        columns.4.push(account.flags);
    }
    let opened = sqlx::query_as(
        "insert into ledger_accounts (merchant_id, id, owner_id, code, asset, flags, created_at)
        select $1, v.id, v.owner_id, v.code, v.asset, v.flags, $7
        from unnest($2::uuid[], $3::uuid[], $4::smallint[], $5::text[], $6::smallint[])
            as v (id, owner_id, code, asset, flags)
        on conflict do nothing
        returning id, owner_id, code, asset, flags, debits_posted, credits_posted, debits_pending, credits_pending,
            entries, created_at, joined_to, joined_by, joined_code",
    )
    .bind(merchant)
    .bind(columns.0)
    .bind(columns.1)
    .bind(columns.2)
    .bind(columns.3)
    .bind(columns.4)
    .bind(now)
    .fetch_all(conn)
    .await?;
    Ok(opened)
}

/// Joins accounts to others, or parts them again. The caller has locked them.
pub(crate) async fn save_joined(
    conn: &mut PgConnection,
    merchant: MerchantId,
    accounts: &[Account],
) -> Result<u64, Error> {
    let done = sqlx::query(
        "insert into ledger_accounts as a (merchant_id, id, owner_id, code, asset, flags, created_at, joined_to, joined_by,
            joined_code)
        select $1, v.*
        from unnest($2::uuid[], $3::uuid[], $4::smallint[], $5::text[], $6::smallint[], $7::timestamptz[], $8::uuid[],
            $9::uuid[], $10::smallint[]) as v
        on conflict on constraint ledger_accounts_pkey do update
        set joined_to = excluded.joined_to, joined_by = excluded.joined_by, joined_code = excluded.joined_code",
    )
    .bind(merchant)
    .bind(accounts.iter().map(|a| a.id).collect::<Vec<_>>())
    .bind(accounts.iter().map(|a| a.key.owner).collect::<Vec<_>>())
    .bind(accounts.iter().map(|a| a.key.code).collect::<Vec<_>>())
    .bind(accounts.iter().map(|a| a.key.asset.as_str()).collect::<Vec<_>>())
    .bind(accounts.iter().map(|a| a.flags).collect::<Vec<_>>())
    .bind(accounts.iter().map(|a| a.created_at).collect::<Vec<_>>())
    .bind(accounts.iter().map(|a| a.joined.to).collect::<Vec<_>>())
    .bind(accounts.iter().map(|a| a.joined.by).collect::<Vec<_>>())
    .bind(accounts.iter().map(|a| a.joined.code).collect::<Vec<_>>())
    .execute(conn)
    .await?;
    Ok(done.rows_affected())
}
