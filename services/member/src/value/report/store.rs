//! The SQL of reports and nothing else.

use siyu_kernel::LocalDay;
use siyu_pg::Tx;
use uuid::Uuid;

use crate::value::{IssuerId, StoreId};

/// What is outstanding of one issuer and store: the row.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Liability {
    /// Who owes it.
    pub issuer_id: IssuerId,
    /// The store that issued the cards.
    pub store_id: Option<StoreId>,
    /// The principal.
    pub principal_minor: i64,
    /// The bonus.
    pub bonus_minor: i64,
    /// Principal that was kept.
    pub kept_minor: i64,
    /// Bonus that expired or voided.
    pub lapsed_bonus_minor: i64,
}

/// What one store has to get from another: the row.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Settlement {
    /// The store that issued the cards.
    pub issuing_store_id: Option<StoreId>,
    /// The store that was paid.
    pub accepting_store_id: Option<StoreId>,
    /// In principal.
    pub principal_minor: i64,
    /// In bonus.
    pub bonus_minor: i64,
    /// How many payments.
    pub payments: i64,
}

/// Principal and bonus that an issuer owes at the end of a day.
pub async fn balance(
    tx: &mut Tx,
    issuer: IssuerId,
    day: LocalDay,
) -> Result<(i64, i64), siyu_pg::Error> {
    let balance = sqlx::query_as(
        "select coalesce(sum(principal_minor), 0)::bigint, coalesce(sum(bonus_minor), 0)::bigint
        from value_entries
        where merchant_id = $1 and issuer_id = $2 and day <= $3",
    )
    .bind(tx.merchant())
    .bind(issuer)
    .bind(day.date())
    .fetch_one(&mut **tx)
    .await?;
    Ok(balance)
}

/// What is outstanding at the end of a day after an issuer and store, headquarters as the nil id.
pub async fn liabilities(
    tx: &mut Tx,
    day: LocalDay,
    after: Option<(Uuid, Uuid)>,
    limit: i64,
) -> Result<Vec<Liability>, siyu_pg::Error> {
    let rows = sqlx::query_as(
        "select i.id as issuer_id, e.store_id, e.principal_minor, e.bonus_minor, e.kept_minor, e.lapsed_bonus_minor
        from issuers as i
        cross join lateral (
            select issued_store_id as store_id, sum(principal_minor)::bigint as principal_minor,
                sum(bonus_minor)::bigint as bonus_minor, sum(kept_minor)::bigint as kept_minor,
                coalesce(-sum(bonus_minor) filter (where kind in ('bonus_expired', 'redeem')), 0)::bigint
                    as lapsed_bonus_minor
            from value_entries
            where merchant_id = $1 and issuer_id = i.id and day <= $2
            group by issued_store_id
        ) as e
        where i.merchant_id = $1
            and ($3::uuid is null or (i.id, coalesce(e.store_id, '00000000-0000-0000-0000-000000000000'::uuid)) > ($3, $4::uuid))
        order by i.id, coalesce(e.store_id, '00000000-0000-0000-0000-000000000000'::uuid)
        limit $5",
    )
    .bind(tx.merchant())
    .bind(day.date())
    .bind(after.map(|(issuer, _)| issuer))
    .bind(after.map(|(_, store)| store))
    .bind(limit)
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows)
}

/// What was paid from one day to before another in a store with cards of another one, refunds taken off.
pub async fn settlements(
    tx: &mut Tx,
    (from, to): (LocalDay, LocalDay),
    after: Option<(Uuid, Uuid)>,
    limit: i64,
) -> Result<Vec<Settlement>, siyu_pg::Error> {
    let rows = sqlx::query_as(
        "select e.issued_store_id as issuing_store_id, e.store_id as accepting_store_id,
            -sum(e.principal_minor)::bigint as principal_minor, -sum(e.bonus_minor)::bigint as bonus_minor,
            count(*) filter (where e.kind = 'pay') as payments
        from issuers as i
        cross join lateral (
            select issued_store_id, store_id, kind, principal_minor, bonus_minor
            from value_entries
            where merchant_id = $1 and issuer_id = i.id and day >= $2 and day < $3 and kind in ('pay', 'refund')
                and issued_store_id is distinct from store_id
            offset 0
        ) as e
        where i.merchant_id = $1
        group by e.issued_store_id, e.store_id
        having $4::uuid is null
            or (coalesce(e.issued_store_id, '00000000-0000-0000-0000-000000000000'::uuid),
                coalesce(e.store_id, '00000000-0000-0000-0000-000000000000'::uuid)) > ($4, $5::uuid)
        order by coalesce(e.issued_store_id, '00000000-0000-0000-0000-000000000000'::uuid),
            coalesce(e.store_id, '00000000-0000-0000-0000-000000000000'::uuid)
        limit $6",
    )
    .bind(tx.merchant())
    .bind(from.date())
    .bind(to.date())
    .bind(after.map(|(issuing, _)| issuing))
    .bind(after.map(|(_, accepting)| accepting))
    .bind(limit)
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows)
}
