//! The SQL of aggregates and nothing else.

use roaring::RoaringBitmap;
use siyu_kernel::LocalDay;
use siyu_pg::Tx;

use super::scope_column;
use crate::{
    engine::{CellError, DayCell},
    engine::{Delta, IndexKey, Scope, decode_bitmap, encode_bitmap},
    limits,
};

/// Stored bytes that the engine did not write.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database.
    #[error("the store of aggregates failed")]
    Store(#[from] siyu_pg::Error),
    /// An aggregate cannot be read; a rebuild writes it anew.
    #[error("an aggregate cannot be read")]
    Aggregate(#[from] CellError),
}

/// An aggregate as bytes: kind 0 is a cell, the others are the kinds of indexes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, sqlx::FromRow)]
pub struct Blob {
    /// The scope.
    pub scope: i16,
    /// 0 for a cell, else the kind of index.
    pub kind: i16,
    /// The day or the gap.
    pub key: i32,
    /// The bytes; empty: there is nothing any more.
    pub bytes: Vec<u8>,
}

/// Takes the marks of changed days away and returns the days.
pub async fn take_dirty(tx: &mut Tx) -> Result<Vec<i32>, siyu_pg::Error> {
    let days = sqlx::query_scalar("delete from dirty_days where merchant_id = $1 returning day")
        .bind(tx.merchant())
        .fetch_all(&mut **tx)
        .await?;
    Ok(days)
}

/// How many days are marked.
pub async fn count_dirty(tx: &mut Tx) -> Result<i64, siyu_pg::Error> {
    let days = sqlx::query_scalar("select count(*) from dirty_days where merchant_id = $1")
        .bind(tx.merchant())
        .fetch_one(&mut **tx)
        .await?;
    Ok(days)
}

/// The aggregates that were written after a version.
pub async fn since(tx: &mut Tx, version: i64) -> Result<Vec<Blob>, siyu_pg::Error> {
    let blobs = sqlx::query_as(
        "select scope, 0::smallint as kind, day as key, cell as bytes from day_cells
        where merchant_id = $1 and version > $2
        union all
        select scope, kind, key, persons as bytes from day_indexes where merchant_id = $1 and version > $2",
    )
    .bind(tx.merchant())
    .bind(version)
    .fetch_all(&mut **tx)
    .await?;
    Ok(blobs)
}

/// Writes aggregates.
pub async fn save(tx: &mut Tx, blobs: &[Blob], version: i64) -> Result<(), siyu_pg::Error> {
    let (cells, indexes): (Vec<&Blob>, Vec<&Blob>) = blobs.iter().partition(|blob| blob.kind == 0);
    for chunk in cells.chunks(limits::WRITE_ROWS) {
        sqlx::query(
            "insert into day_cells (merchant_id, scope, day, version, cell)
            select $1, n.scope, n.key, $5, n.bytes from unnest($2::smallint[], $3::integer[], $4::bytea[])
                as n (scope, key, bytes)
            on conflict on constraint day_cells_pkey do update set version = excluded.version, cell = excluded.cell",
        )
        .bind(tx.merchant())
        .bind(chunk.iter().map(|b| b.scope).collect::<Vec<_>>())
        .bind(chunk.iter().map(|b| b.key).collect::<Vec<_>>())
        .bind(chunk.iter().map(|b| b.bytes.as_slice()).collect::<Vec<_>>())
        .bind(version)
        .execute(&mut **tx)
        .await?;
    }
    for chunk in indexes.chunks(limits::WRITE_ROWS) {
        sqlx::query(
            "insert into day_indexes (merchant_id, scope, kind, key, version, persons)
            select $1, n.scope, n.kind, n.key, $6, n.bytes
            from unnest($2::smallint[], $3::smallint[], $4::integer[], $5::bytea[]) as n (scope, kind, key, bytes)
            on conflict on constraint day_indexes_pkey do update
            set version = excluded.version, persons = excluded.persons",
        )
        .bind(tx.merchant())
        .bind(chunk.iter().map(|b| b.scope).collect::<Vec<_>>())
        .bind(chunk.iter().map(|b| b.kind).collect::<Vec<_>>())
        .bind(chunk.iter().map(|b| b.key).collect::<Vec<_>>())
        .bind(chunk.iter().map(|b| b.bytes.as_slice()).collect::<Vec<_>>())
        .bind(version)
        .execute(&mut **tx)
        .await?;
    }
    Ok(())
}

/// A delta as bytes.
pub fn blobs(scope: Scope, delta: &Delta) -> Vec<Blob> {
    let cell = |(day, cell): &(LocalDay, DayCell)| Blob {
        scope: scope_column(scope),
        kind: 0,
        key: day.0,
        bytes: if cell.is_empty() { Vec::new() } else { cell.encode() },
    };
    let index = |(key, persons): &(IndexKey, RoaringBitmap)| {
        let (kind, key) = key.columns();
        let bytes = if persons.is_empty() { Vec::new() } else { encode_bitmap(persons) };
        Blob { scope: scope_column(scope), kind, key, bytes }
    };
    delta.cells.iter().map(cell).chain(delta.indexes.iter().map(index)).collect()
}

/// Bytes as a delta, those of one scope.
pub fn delta<'a>(
    scope: Scope,
    blobs: impl IntoIterator<Item = &'a Blob>,
) -> Result<Delta, CellError> {
    let mut delta = Delta::default();
    for blob in blobs.into_iter().filter(|blob| blob.scope == scope_column(scope)) {
        if blob.kind == 0 {
            let cell = if blob.bytes.is_empty() {
                DayCell::default()
            } else {
                DayCell::decode(&blob.bytes)?
            };
            delta.cells.push((LocalDay(blob.key), cell));
        } else {
            let key = IndexKey::from_columns(blob.kind, blob.key).ok_or(CellError::Malformed)?;
            let persons = if blob.bytes.is_empty() {
                RoaringBitmap::default()
            } else {
                decode_bitmap(&blob.bytes)?
            };
            delta.indexes.push((key, persons));
        }
    }
    Ok(delta)
}
