//! The SQL of bindings and nothing else.

use chrono::{DateTime, Utc};
use siyu_kernel::{Id, kind};
use siyu_pg::Tx;
use uuid::Uuid;

use super::domain::Binding;
use crate::promoter::{PersonId, PromoterId};

/// Locks the binding of a customer that nothing has replaced yet.
pub async fn lock_open(
    tx: &mut Tx,
    person_id: PersonId,
) -> Result<Option<Binding>, siyu_pg::Error> {
    let binding = sqlx::query_as(
        "select id, person_id, promoter_id, bound_at, protect_until, expires_at, ended_at, source
        from bindings
        where merchant_id = $1 and person_id = $2 and ended_at is null
        for update",
    )
    .bind(tx.merchant())
    .bind(person_id)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(binding)
}

/// Inserts a binding; false when another one was opened at the same moment.
pub async fn insert(
    tx: &mut Tx,
    binding: &Binding,
    now: DateTime<Utc>,
) -> Result<bool, siyu_pg::Error> {
    let done = sqlx::query(
        "insert into bindings
            (merchant_id, id, person_id, promoter_id, bound_at, protect_until, expires_at, ended_at, source, created_at)
        values ($1, $2, $3, $4, $5, $6, $7, null, $8, $9)
        on conflict (merchant_id, person_id) where ended_at is null do nothing",
    )
    .bind(tx.merchant())
    .bind(binding.id)
    .bind(binding.person_id)
    .bind(binding.promoter_id)
    .bind(binding.bound_at)
    .bind(binding.protect_until)
    .bind(binding.expires_at)
    .bind(&binding.source)
    .bind(now)
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Saves how long a binding lives.
pub async fn save_terms(tx: &mut Tx, binding: &Binding) -> Result<(), siyu_pg::Error> {
    sqlx::query("update bindings set protect_until = $3, expires_at = $4 where merchant_id = $1 and id = $2")
        .bind(tx.merchant())
        .bind(binding.id)
        .bind(binding.protect_until)
        .bind(binding.expires_at)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Ends a binding that another one replaces.
pub async fn end(
    tx: &mut Tx,
    id: Id<kind::Binding>,
    at: DateTime<Utc>,
) -> Result<(), siyu_pg::Error> {
    sqlx::query("update bindings set ended_at = $3 where merchant_id = $1 and id = $2")
        .bind(tx.merchant())
        .bind(id)
        .bind(at)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// The bindings of customers in force, each customer at one instant.
pub async fn in_force(
    tx: &mut Tx,
    at: &[(PersonId, DateTime<Utc>)],
) -> Result<Vec<Option<Binding>>, siyu_pg::Error> {
    let rows: Vec<BindingAt> = sqlx::query_as(
        "select k.n, b.id, b.person_id, b.promoter_id, b.bound_at, b.protect_until, b.expires_at, b.ended_at, b.source
        from unnest($2::uuid[], $3::timestamptz[]) with ordinality as k (person_id, at, n)
        cross join lateral (
            select *
            from bindings
            where merchant_id = $1 and person_id = k.person_id and bound_at <= k.at
                and (expires_at is null or k.at < expires_at) and (ended_at is null or k.at < ended_at)
            order by bound_at, id
            limit 1
        ) as b",
    )
    .bind(tx.merchant())
    .bind(at.iter().map(|(person, _)| *person).collect::<Vec<_>>())
    .bind(at.iter().map(|(_, at)| *at).collect::<Vec<_>>())
    .fetch_all(&mut **tx)
    .await?;
    let mut found = vec![None; at.len()];
    for row in rows {
        let index = usize::try_from(row.n - 1).expect("ordinality starts at 1");
        found[index] = Some(row.binding);
    }
    Ok(found)
}

#[derive(sqlx::FromRow)]
struct BindingAt {
    n: i64,
    #[sqlx(flatten)]
    binding: Binding,
}

/// The bindings of a promoter after a cursor, newest first.
pub async fn list(
    tx: &mut Tx,
    promoter_id: PromoterId,
    after: Option<(DateTime<Utc>, Uuid)>,
    limit: i64,
) -> Result<Vec<Binding>, siyu_pg::Error> {
    let (after_bound, after_id) = after.unzip();
    let bindings = sqlx::query_as(
        "select id, person_id, promoter_id, bound_at, protect_until, expires_at, ended_at, source
        from bindings
        where merchant_id = $1 and promoter_id = $2
            and ($3::timestamptz is null or (bound_at, id) < ($3, $4::uuid))
        order by bound_at desc, id desc
        limit $5",
    )
    .bind(tx.merchant())
    .bind(promoter_id)
    .bind(after_bound)
    .bind(after_id)
    .bind(limit)
    .fetch_all(&mut **tx)
    .await?;
    Ok(bindings)
}
