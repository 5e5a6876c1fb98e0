//! The SQL of red packets and nothing else.

pub mod limit;

use chrono::{DateTime, Utc};
use siyu_kernel::{Id, kind::Merchant};
use siyu_pg::{SystemTx, Tx};
use uuid::Uuid;

use super::domain::{Packet, PacketId};
use crate::order::domain::OrderId;

/// What the ledger says of a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub struct Totals {
    /// What was sent.
    pub sent_minor: i64,
    /// What of it came back.
    pub returned_minor: i64,
    /// How many packets were sent.
    pub packets: i64,
}

/// Where a page ends.
pub type Cursor = (DateTime<Utc>, Uuid);

/// Stores a packet.
pub async fn insert(
    tx: &mut Tx,
    packet: &Packet,
    due_at: DateTime<Utc>,
) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "insert into red_packets
            (merchant_id, id, person_id, order_id, employee, approved_by, wishing, budget_code, amount_minor, day, state,
                channel_no, failure, created_at, due_at, attempts)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, '', '', $12, $13, 0)",
    )
    .bind(tx.merchant())
    .bind(packet.id)
    .bind(packet.person_id)
    .bind(packet.order_id)
    .bind(&packet.employee)
    .bind(&packet.approved_by)
    .bind(&packet.wishing)
    .bind(&packet.budget_code)
    .bind(packet.amount_minor)
    .bind(packet.day)
    .bind(packet.state)
    .bind(packet.created_at)
    .bind(due_at)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// A packet.
pub async fn find(tx: &mut Tx, id: PacketId) -> Result<Option<Packet>, siyu_pg::Error> {
    let packet = sqlx::query_as(
        "select id, person_id, order_id, employee, approved_by, wishing, budget_code, amount_minor, day, state, channel_no,
            failure, created_at, sent_at, received_at, refunded_at, attempts
        from red_packets
        where merchant_id = $1 and id = $2",
    )
    .bind(tx.merchant())
    .bind(id)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(packet)
}

/// A packet, locked until the transaction ends.
pub async fn lock(tx: &mut Tx, id: PacketId) -> Result<Option<Packet>, siyu_pg::Error> {
    let packet = sqlx::query_as(
        "select id, person_id, order_id, employee, approved_by, wishing, budget_code, amount_minor, day, state, channel_no,
            failure, created_at, sent_at, received_at, refunded_at, attempts
        from red_packets
        where merchant_id = $1 and id = $2
        for update",
    )
    .bind(tx.merchant())
    .bind(id)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(packet)
}

/// The packets of an order, by id.
pub async fn of_order(tx: &mut Tx, order: OrderId) -> Result<Vec<Packet>, siyu_pg::Error> {
    let packets = sqlx::query_as(
        "select id, person_id, order_id, employee, approved_by, wishing, budget_code, amount_minor, day, state, channel_no,
            failure, created_at, sent_at, received_at, refunded_at, attempts
        from red_packets
        where merchant_id = $1 and order_id = $2 and order_id is not null
        order by id",
    )
    .bind(tx.merchant())
    .bind(order)
    .fetch_all(&mut **tx)
    .await?;
    Ok(packets)
}

/// The packets of an order, locked by id until the transaction ends. Whoever asks holds the lock of the order: there will be
/// no others.
pub async fn lock_of_order(tx: &mut Tx, order: OrderId) -> Result<Vec<Packet>, siyu_pg::Error> {
    let packets = sqlx::query_as(
        "select id, person_id, order_id, employee, approved_by, wishing, budget_code, amount_minor, day, state, channel_no,
            failure, created_at, sent_at, received_at, refunded_at, attempts
        from red_packets
        where merchant_id = $1 and order_id = $2 and order_id is not null
        order by id
        for update",
    )
    .bind(tx.merchant())
    .bind(order)
    .fetch_all(&mut **tx)
    .await?;
    Ok(packets)
}

/// Saves a packet that the transaction has locked.
pub async fn save(
    tx: &mut Tx,
    packet: &Packet,
    due_at: DateTime<Utc>,
) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "update red_packets
        set state = $3, channel_no = $4, failure = $5, sent_at = $6, received_at = $7, refunded_at = $8, due_at = $9,
            attempts = $10
        where merchant_id = $1 and id = $2",
    )
    .bind(tx.merchant())
    .bind(packet.id)
    .bind(packet.state)
    .bind(&packet.channel_no)
    .bind(&packet.failure)
    .bind(packet.sent_at)
    .bind(packet.received_at)
    .bind(packet.refunded_at)
    .bind(due_at)
    .bind(packet.attempts)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Enters in the ledger that money left ("sent") or came back ("returned"), once for each packet.
pub async fn enter(
    tx: &mut Tx,
    packet: &Packet,
    kind: &str,
    now: DateTime<Utc>,
) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "insert into red_packet_entries (merchant_id, packet_id, kind, amount_minor, occurred_at)
        values ($1, $2, $3, $4, $5)",
    )
    .bind(tx.merchant())
    .bind(packet.id)
    .bind(kind)
    .bind(packet.amount_minor)
    .bind(now)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Packets of a time after a cursor, oldest first.
pub async fn list(
    tx: &mut Tx,
    (from, to): (DateTime<Utc>, DateTime<Utc>),
    after: Option<Cursor>,
    limit: i64,
) -> Result<Vec<Packet>, siyu_pg::Error> {
    let packets = sqlx::query_as(
        "select id, person_id, order_id, employee, approved_by, wishing, budget_code, amount_minor, day, state, channel_no,
            failure, created_at, sent_at, received_at, refunded_at, attempts
        from red_packets
        where merchant_id = $1 and created_at >= $2 and created_at < $3
            and ($4::timestamptz is null or (created_at, id) > ($4, $5::uuid))
        order by created_at, id
        limit $6",
    )
    .bind(tx.merchant())
    .bind(from)
    .bind(to)
    .bind(after.map(|(at, _)| at))
    .bind(after.map(|(_, id)| id))
    .bind(limit)
    .fetch_all(&mut **tx)
    .await?;
    Ok(packets)
}

/// What the ledger says of the packets of a time.
pub async fn totals(
    tx: &mut Tx,
    (from, to): (DateTime<Utc>, DateTime<Utc>),
) -> Result<Totals, siyu_pg::Error> {
    let totals = sqlx::query_as(
        "select coalesce(sum(e.amount_minor) filter (where e.kind = 'sent'), 0)::bigint as sent_minor,
            coalesce(sum(e.amount_minor) filter (where e.kind = 'returned'), 0)::bigint as returned_minor,
            count(*) filter (where e.kind = 'sent') as packets
        from red_packets p
        cross join lateral (
            select kind, amount_minor from red_packet_entries where merchant_id = $1 and packet_id = p.id
        ) as e
        where p.merchant_id = $1 and p.created_at >= $2 and p.created_at < $3",
    )
    .bind(tx.merchant())
    .bind(from)
    .bind(to)
    .fetch_one(&mut **tx)
    .await?;
    Ok(totals)
}

/// Packets whose next step is due, the longest first.
pub async fn due(
    tx: &mut SystemTx,
    now: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<(Id<Merchant>, PacketId)>, siyu_pg::Error> {
    let due = sqlx::query_as(
        "select merchant_id, id
        from red_packets
        where state in ('created', 'sending', 'sent', 'unknown') and due_at <= $1
        order by due_at
        limit $2",
    )
    .bind(now)
    .bind(limit)
    .fetch_all(&mut **tx)
    .await?;
    Ok(due)
}
