//! The SQL of templates of coupons.

use chrono::{DateTime, Utc};
use siyu_pg::Tx;

/// A template: the row.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct TemplateRow {
    /// The merchant's own key.
    pub code: String,
    /// The encoded template.
    pub definition: Vec<u8>,
    /// How many were claimed.
    pub claimed: i64,
}

/// Inserts templates or saves those that were other; sorted by code, so that two calls never wait for each other.
pub async fn upsert_templates(
    tx: &mut Tx,
    templates: &[(&str, Vec<u8>)],
    now: DateTime<Utc>,
) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "insert into coupon_templates (merchant_id, code, definition, claimed, created_at, updated_at)
        select $1, n.code, n.definition, 0, $4, $4 from unnest($2::text[], $3::bytea[]) as n (code, definition)
        on conflict on constraint coupon_templates_pkey do update
        set definition = excluded.definition, updated_at = excluded.updated_at
        where coupon_templates.definition <> excluded.definition",
    )
    .bind(tx.merchant())
    .bind(templates.iter().map(|(code, _)| *code).collect::<Vec<_>>())
    .bind(templates.iter().map(|(_, definition)| definition.as_slice()).collect::<Vec<_>>())
    .bind(now)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Those of the templates that exist, in the order of the codes given.
pub async fn templates(tx: &mut Tx, codes: &[&str]) -> Result<Vec<TemplateRow>, siyu_pg::Error> {
    let rows = sqlx::query_as(
        "select t.*
        from unnest($2::text[]) with ordinality as k (code, n)
        cross join lateral (
            select code, definition, claimed from coupon_templates where merchant_id = $1 and code = k.code limit 1
        ) as t
        order by k.n",
    )
    .bind(tx.merchant())
    .bind(codes)
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows)
}

/// Templates after a code.
pub async fn list_templates(
    tx: &mut Tx,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<TemplateRow>, siyu_pg::Error> {
    let rows = sqlx::query_as(
        "select code, definition, claimed
        from coupon_templates
        where merchant_id = $1 and ($2::text is null or code > $2)
        order by code
        limit $3",
    )
    .bind(tx.merchant())
    .bind(after)
    .bind(limit)
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows)
}

/// Counts one more claim of a template, if there is one left: from here on until the commit others wait. A total of 0 has
/// no bound.
pub async fn take_one(tx: &mut Tx, code: &str, total: i64) -> Result<bool, siyu_pg::Error> {
    let done = sqlx::query(
        "update coupon_templates set claimed = claimed + 1
        where merchant_id = $1 and code = $2 and ($3 = 0 or claimed < $3)",
    )
    .bind(tx.merchant())
    .bind(code)
    .bind(total)
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}
