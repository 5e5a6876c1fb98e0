//! The SQL of connections, messages and referrals and nothing else.

use chrono::{DateTime, Utc};
use siyu_kernel::{Id, kind};
use siyu_pg::Tx;

/// A person and a channel account.
#[derive(Debug, Clone, Copy)]
pub struct Edge<'a> {
    /// The number of the person.
    pub person: i32,
    /// The channel.
    pub channel: &'a str,
    /// The merchant's account on it.
    pub account_id: &'a str,
}

/// A time in which a person was connected: the row.
#[derive(Debug, Clone, Copy, sqlx::FromRow)]
pub struct Connected {
    /// The number of the person.
    pub person: i32,
    /// Since when.
    pub connected_at: DateTime<Utc>,
    /// Until when, exclusive.
    pub disconnected_at: Option<DateTime<Utc>>,
}

/// How far one message came: what is known of it.
#[derive(Debug, Clone)]
pub struct Moved {
    /// The message.
    pub message_id: Id<kind::Message>,
    /// The number of the person.
    pub person: i32,
    /// The channel.
    pub channel: String,
    /// When it was handed to the channel.
    pub attempted_at: Option<DateTime<Utc>>,
    /// When it was first known to have arrived.
    pub delivered_at: Option<DateTime<Utc>>,
    /// When it failed for good.
    pub failed_at: Option<DateTime<Utc>>,
}

/// Who is connected and who was reached, at an instant.
#[derive(Debug, Clone, Copy, Default, sqlx::FromRow)]
pub struct Reach {
    /// Connected persons.
    pub connected: i64,
    /// Connected persons with a channel that has not failed for good since.
    pub reachable: i64,
    /// Connected persons whom the merchant tried to reach.
    pub attempted: i64,
    /// Connected persons whom it reached.
    pub delivered: i64,
}

/// Who brought whom in a window.
#[derive(Debug, Clone, Copy, Default, sqlx::FromRow)]
pub struct Influence {
    /// Old customers who bought in the window.
    pub buyers: i64,
    /// Those of them who bought in a field other than the one they came by.
    pub other_field: i64,
    /// Fields bought in by those buyers, summed over them.
    pub fields: i64,
    /// Distinct fields known at all.
    pub known_fields: i64,
}

/// Opens a time of connection, unless one is open or a later instant is known: facts of an edge come in order, and one that
/// comes again is old.
pub async fn connect(
    tx: &mut Tx,
    edge: &Edge<'_>,
    at: DateTime<Utc>,
) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "insert into connections (merchant_id, person, channel, account_id, connected_at)
        select $1, $2, $3, $4, $5
        where not exists (
            select from connections
            where merchant_id = $1 and person = $2 and channel = $3 and account_id = $4
                and (disconnected_at is null or disconnected_at > $5))
        on conflict on constraint connections_pkey do nothing",
    )
    .bind(tx.merchant())
    .bind(edge.person)
    .bind(edge.channel)
    .bind(edge.account_id)
    .bind(at)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Ends the time of connection that is open and began before.
pub async fn disconnect(
    tx: &mut Tx,
    edge: &Edge<'_>,
    at: DateTime<Utc>,
) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "update connections set disconnected_at = $5
        where merchant_id = $1 and person = $2 and channel = $3 and account_id = $4 and disconnected_at is null
            and connected_at <= $5",
    )
    .bind(tx.merchant())
    .bind(edge.person)
    .bind(edge.channel)
    .bind(edge.account_id)
    .bind(at)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Every time of connection.
pub async fn connections(tx: &mut Tx) -> Result<Vec<Connected>, siyu_pg::Error> {
    let rows = sqlx::query_as(
        "select person, connected_at, disconnected_at from connections where merchant_id = $1",
    )
    .bind(tx.merchant())
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows)
}

/// Keeps how far messages came, each once; what is known already stays.
pub async fn save_moved(tx: &mut Tx, moved: &[Moved]) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "insert into messages (merchant_id, message_id, person, channel, attempted_at, delivered_at, failed_at)
        select $1, * from unnest($2::uuid[], $3::integer[], $4::text[], $5::timestamptz[], $6::timestamptz[],
            $7::timestamptz[])
        on conflict on constraint messages_pkey do update
        set attempted_at = least(messages.attempted_at, excluded.attempted_at),
            delivered_at = least(messages.delivered_at, excluded.delivered_at),
            failed_at = least(messages.failed_at, excluded.failed_at)",
    )
    .bind(tx.merchant())
    .bind(moved.iter().map(|m| m.message_id).collect::<Vec<_>>())
    .bind(moved.iter().map(|m| m.person).collect::<Vec<_>>())
    .bind(moved.iter().map(|m| m.channel.as_str()).collect::<Vec<_>>())
    .bind(moved.iter().map(|m| m.attempted_at).collect::<Vec<_>>())
    .bind(moved.iter().map(|m| m.delivered_at).collect::<Vec<_>>())
    .bind(moved.iter().map(|m| m.failed_at).collect::<Vec<_>>())
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Keeps that a person was brought by another from an instant on; a later word on the same binding replaces its end.
pub async fn save_referral(
    tx: &mut Tx,
    person: i32,
    referrer: i32,
    bound_at: DateTime<Utc>,
    expires_at: Option<DateTime<Utc>>,
) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "insert into referrals (merchant_id, person, bound_at, referrer, expires_at) values ($1, $2, $3, $4, $5)
        on conflict on constraint referrals_pkey do update
        set referrer = excluded.referrer, expires_at = excluded.expires_at",
    )
    .bind(tx.merchant())
    .bind(person)
    .bind(bound_at)
    .bind(referrer)
    .bind(expires_at)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Whether anything is known of connections, and of referrals.
pub async fn measured(tx: &mut Tx) -> Result<(bool, bool), siyu_pg::Error> {
    let measured = sqlx::query_as(
        "select exists (select from connections where merchant_id = $1),
            exists (select from referrals where merchant_id = $1)",
    )
    .bind(tx.merchant())
    .fetch_one(&mut **tx)
    .await?;
    Ok(measured)
}

/// Who is connected just before `at`, and who was reached from `from` until then.
pub async fn reach(
    tx: &mut Tx,
    from: DateTime<Utc>,
    at: DateTime<Utc>,
) -> Result<Reach, siyu_pg::Error> {
    let reach = sqlx::query_as(
        "with live as (
            select person, channel
            from connections
            where merchant_id = $1 and connected_at < $3 and (disconnected_at is null or disconnected_at >= $3)
        ), tried as (
            select person, channel, bool_or(coalesce(delivered_at < $3, false)) as delivered,
                bool_or(coalesce(failed_at < $3, false)) as failed
            from messages
            where merchant_id = $1 and attempted_at >= $2 and attempted_at < $3
            group by person, channel
        )
        select count(distinct live.person) as connected,
            count(distinct live.person) filter (where not coalesce(tried.failed, false) or tried.delivered) as reachable,
            count(distinct live.person) filter (where any_tried.person is not null) as attempted,
            count(distinct live.person) filter (where any_tried.delivered) as delivered
        from live
        left join tried using (person, channel)
        left join (select person, bool_or(delivered) as delivered from tried group by person) as any_tried
            on any_tried.person = live.person",
    )
    .bind(tx.merchant())
    .bind(from)
    .bind(at)
    .fetch_one(&mut **tx)
    .await?;
    Ok(reach)
}

/// Of the given persons, each with the instant of the first order: who had been brought by one of `old` by then.
pub async fn referred(tx: &mut Tx, persons: &[i32], old: &[i32]) -> Result<i64, siyu_pg::Error> {
    let referred = sqlx::query_scalar(
        "select count(*)
        from (
            select f.person, min(f.paid_at) as first_at
            from order_facts f
            where f.merchant_id = $1 and f.counts and f.person = any($2::integer[])
            group by f.person
        ) as firsts
        where (
            select r.referrer
            from referrals r
            where r.merchant_id = $1 and r.person = firsts.person and r.bound_at <= firsts.first_at
                and (r.expires_at is null or firsts.first_at < r.expires_at)
            order by r.bound_at desc
            limit 1
        ) = any($3::integer[])",
    )
    .bind(tx.merchant())
    .bind(persons)
    .bind(old)
    .fetch_one(&mut **tx)
    .await?;
    Ok(referred)
}

/// In how many fields the given old customers bought from day `from` to before day `to`, against the field of their first
/// order. An order without a category is in no field.
pub async fn influence(
    tx: &mut Tx,
    old_buyers: &[i32],
    from: i32,
    to: i32,
) -> Result<Influence, siyu_pg::Error> {
    let influence = sqlx::query_as(
        "with entry as (
            select distinct on (f.person) f.person, f.categories
            from order_facts f
            where f.merchant_id = $1 and f.counts and f.person = any($2::integer[]) and f.day < $4
            order by f.person, f.paid_at, f.order_id
        ), bought as (
            select f.person, c.category
            from order_facts f, unnest(f.categories) as c (category)
            where f.merchant_id = $1 and f.counts and f.person = any($2::integer[]) and f.day >= $3 and f.day < $4
            group by f.person, c.category
        )
        select cardinality($2::integer[])::bigint as buyers,
            (select count(distinct b.person) from bought b join entry e using (person)
                where not b.category = any(e.categories)) as other_field,
            (select count(*) from bought) as fields,
            (select count(distinct category) from bought) as known_fields",
    )
    .bind(tx.merchant())
    .bind(old_buyers)
    .bind(from)
    .bind(to)
    .fetch_one(&mut **tx)
    .await?;
    Ok(influence)
}
