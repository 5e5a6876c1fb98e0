//! The SQL of documents that are imported.

use siyu_pg::Tx;

use super::MovementRow;

/// Has others wait who import the same document, until the transaction ends.
pub async fn lock_document(tx: &mut Tx, document_no: &str) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "select pg_advisory_xact_lock(hashtextextended('order.stock_document ' || $1::uuid::text || ' ' || $2, 0))",
    )
    .bind(tx.merchant())
    .bind(document_no)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The movements of those rows of a document that were imported before.
pub async fn documented(
    tx: &mut Tx,
    document_no: &str,
    rows: &[i32],
) -> Result<Vec<MovementRow>, siyu_pg::Error> {
    let rows = sqlx::query_as(
        "select m.*
        from unnest($3::integer[]) as k (row_no)
        cross join lateral (
            select id, sku, location, cause, on_hand_delta, reserved_delta, on_hand, reserved, order_id, line_no,
                document_no, row_no, note, created_at
            from stock_movements
            where merchant_id = $1 and document_no = $2 and row_no = k.row_no
            limit 1
        ) as m",
    )
    .bind(tx.merchant())
    .bind(document_no)
    .bind(rows)
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows)
}
