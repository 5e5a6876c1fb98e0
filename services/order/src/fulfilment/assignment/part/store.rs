//! The SQL of what belongs to parts and nothing else.

use siyu_pg::Tx;
use uuid::Uuid;

use crate::order::domain::OrderId;

/// What belongs to a part: lines with pieces, by line.
pub async fn lines(
    tx: &mut Tx,
    (order, part): (OrderId, i32),
) -> Result<Vec<(i32, i64)>, siyu_pg::Error> {
    let lines = sqlx::query_as(
        "select line_no, quantity
        from assignment_lines
        where merchant_id = $1 and order_id = $2 and part = $3
        order by line_no",
    )
    .bind(tx.merchant())
    .bind(order)
    .bind(part)
    .fetch_all(&mut **tx)
    .await?;
    Ok(lines)
}

/// What belongs to parts, in the order of the keys given and by line.
pub async fn of_many(
    tx: &mut Tx,
    keys: &[(OrderId, i32)],
) -> Result<Vec<(Uuid, i32, i32, i64)>, siyu_pg::Error> {
    let rows = sqlx::query_as(
        "select k.order_id, k.part, l.line_no, l.quantity
        from unnest($2::uuid[], $3::integer[]) with ordinality as k (order_id, part, n)
        cross join lateral (
            select line_no, quantity
            from assignment_lines
            where merchant_id = $1 and order_id = k.order_id and part = k.part
        ) as l
        order by k.n, l.line_no",
    )
    .bind(tx.merchant())
    .bind(keys.iter().map(|(order, _)| order.uuid()).collect::<Vec<_>>())
    .bind(keys.iter().map(|(_, part)| *part).collect::<Vec<_>>())
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows)
}

/// Takes pieces of a line off a part.
pub async fn lower(
    tx: &mut Tx,
    (order, part): (OrderId, i32),
    line_no: i32,
    pieces: i64,
) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "update assignment_lines set quantity = quantity - $5
        where merchant_id = $1 and order_id = $2 and part = $3 and line_no = $4",
    )
    .bind(tx.merchant())
    .bind(order)
    .bind(part)
    .bind(line_no)
    .bind(pieces)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Takes pieces of a line off a part that had left and came back.
pub async fn take_back(
    tx: &mut Tx,
    (order, part): (OrderId, i32),
    line_no: i32,
    pieces: i64,
) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "update assignment_lines set quantity = quantity - $5, returned = returned + $5
        where merchant_id = $1 and order_id = $2 and part = $3 and line_no = $4",
    )
    .bind(tx.merchant())
    .bind(order)
    .bind(part)
    .bind(line_no)
    .bind(pieces)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// What was sent of a line and has not come back, by part, no more than belongs to it.
pub async fn out(
    tx: &mut Tx,
    order: OrderId,
    line_no: i32,
) -> Result<Vec<(i32, i64)>, siyu_pg::Error> {
    let parts = sqlx::query_as(
        "select l.part, least(greatest(s.sent - l.returned, 0), l.quantity)
        from assignment_lines as l
        cross join lateral (
            select coalesce(sum(i.quantity), 0)::bigint as sent
            from parcels as p
            cross join lateral (
                select quantity from parcel_lines where merchant_id = $1 and parcel_id = p.id and line_no = $3
            ) as i
            where p.merchant_id = $1 and p.order_id = $2 and p.part = l.part
        ) as s
        where l.merchant_id = $1 and l.order_id = $2 and l.line_no = $3
        order by l.part",
    )
    .bind(tx.merchant())
    .bind(order)
    .bind(line_no)
    .fetch_all(&mut **tx)
    .await?;
    Ok(parts)
}

/// What is left to send of a line, by part: of parts that are not withdrawn, in the order in which reservations are freed.
pub async fn unsent(
    tx: &mut Tx,
    order: OrderId,
    line_no: i32,
) -> Result<Vec<(i32, i64)>, siyu_pg::Error> {
    let parts = sqlx::query_as(
        "select l.part, greatest(l.quantity - greatest(s.sent - l.returned, 0), 0)
        from assignment_lines as l
        cross join lateral (
            select location, state from assignments where merchant_id = $1 and order_id = $2 and part = l.part
        ) as a
        cross join lateral (
            select coalesce(sum(i.quantity), 0)::bigint as sent
            from parcels as p
            cross join lateral (
                select quantity from parcel_lines where merchant_id = $1 and parcel_id = p.id and line_no = $3
            ) as i
            where p.merchant_id = $1 and p.order_id = $2 and p.part = l.part
        ) as s
        where l.merchant_id = $1 and l.order_id = $2 and l.line_no = $3 and a.state <> 'withdrawn'
        order by a.location, l.part",
    )
    .bind(tx.merchant())
    .bind(order)
    .bind(line_no)
    .fetch_all(&mut **tx)
    .await?;
    Ok(parts)
}

/// What was sent of a part and has not come back: lines with pieces.
pub async fn sent(
    tx: &mut Tx,
    (order, part): (OrderId, i32),
) -> Result<Vec<(i32, i64)>, siyu_pg::Error> {
    let lines = sqlx::query_as(
        "select s.line_no, greatest(s.sent - coalesce(b.returned, 0), 0)
        from (
            select l.line_no, sum(l.quantity)::bigint as sent
            from parcels as p
            cross join lateral (
                select line_no, quantity from parcel_lines where merchant_id = $1 and parcel_id = p.id
            ) as l
            where p.merchant_id = $1 and p.order_id = $2 and p.part = $3
            group by l.line_no
        ) as s
        left join lateral (
            select returned
            from assignment_lines
            where merchant_id = $1 and order_id = $2 and part = $3 and line_no = s.line_no
        ) as b on true",
    )
    .bind(tx.merchant())
    .bind(order)
    .bind(part)
    .fetch_all(&mut **tx)
    .await?;
    Ok(lines)
}
