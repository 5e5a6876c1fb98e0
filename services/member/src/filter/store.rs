//! Asks filters of the database. The only statements of the service that are put together at run time: from fixed pieces,
//! with every value a parameter.

mod pieces;
mod records;
mod statement;
mod writer;

use siyu_pg::Tx;
use sqlx::AssertSqlSafe;
use statement::Statement;
use uuid::Uuid;

use super::Node;
use crate::person::PersonId;

/// Some persons in the order of their ids: after one, up to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chunk {
    /// Only those after it; none: from the first.
    pub after: Option<PersonId>,
    /// Only those up to it; none: to the last.
    pub until: Option<PersonId>,
}

/// Of whom a filter is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whom<'a> {
    /// Everyone.
    Everyone,
    /// Those of a chunk.
    Chunk(Chunk),
    /// These few.
    These(&'a [PersonId]),
}

/// How many persons a filter holds for.
pub async fn count(tx: &mut Tx, node: &Node) -> Result<i64, siyu_pg::Error> {
    join_sets(tx).await?;
    let Statement { sql, arguments } = Statement::count(tx.merchant(), node);
    // Not kept: with the values at hand the planner knows how many persons each part holds for.
    let (count,) = sqlx::query_as_with::<_, (i64,), _>(AssertSqlSafe(sql), arguments)
        .persistent(false)
        .fetch_one(&mut **tx)
        .await?;
    Ok(count)
}

/// Those whom a filter holds for, by id.
pub async fn members(
    tx: &mut Tx,
    node: &Node,
    whom: Whom<'_>,
) -> Result<Vec<PersonId>, siyu_pg::Error> {
    join_sets(tx).await?;
    let Statement { sql, arguments } = Statement::members(tx.merchant(), node, whom);
    let rows = sqlx::query_as_with::<_, (PersonId,), _>(AssertSqlSafe(sql), arguments)
        .persistent(false)
        .fetch_all(&mut **tx)
        .await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// The last of so many persons after one; none when there are fewer.
pub async fn chunk_end(
    tx: &mut Tx,
    after: Option<PersonId>,
    size: i64,
) -> Result<Option<PersonId>, siyu_pg::Error> {
    let end = sqlx::query_scalar(
        "select id
        from persons
        where merchant_id = $1 and id > coalesce($2::uuid, '00000000-0000-0000-0000-000000000000')
        order by id
        offset $3 - 1
        limit 1",
    )
    .bind(tx.merchant())
    .bind(after)
    .bind(size)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(end)
}

/// Freezes whom a filter holds for into pages of a snapshot, all at one instant.
pub async fn freeze(
    tx: &mut Tx,
    node: &Node,
    snapshot: Uuid,
    page_size: i64,
) -> Result<(), siyu_pg::Error> {
    join_sets(tx).await?;
    let Statement { sql, arguments } = Statement::freeze(tx.merchant(), node, snapshot, page_size);
    sqlx::query_with(AssertSqlSafe(sql), arguments).persistent(false).execute(&mut **tx).await?;
    Ok(())
}

/// For the rest of the transaction: plans for the values that are asked for, room for the hashes of a million persons, and no
/// nested loops. Sets are joined as a whole; a loop would be chosen only where the number of rows is underestimated, and then
/// each row would be looked up, or a set even computed, once for each of another.
async fn join_sets(tx: &mut Tx) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "select set_config('work_mem', '64MB', true), set_config('enable_nestloop', 'off', true),
            set_config('plan_cache_mode', 'auto', true), set_config('enable_seqscan', 'on', true)",
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}
