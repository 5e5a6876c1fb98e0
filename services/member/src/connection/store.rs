//! The SQL of connections and nothing else.

use chrono::{DateTime, Utc};
use siyu_pg::Tx;

use super::Connection;
use crate::person::PersonId;

/// Stores facts, each edge at most once; returns those that were news. An older fact changes nothing.
pub async fn record(
    tx: &mut Tx,
    facts: &[Connection],
    now: DateTime<Utc>,
) -> Result<Vec<Connection>, siyu_pg::Error> {
    let news = sqlx::query_as(
        "insert into connections (merchant_id, person_id, channel, account_id, state, state_at, source, created_at)
        select $1, n.*, $8 from unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::timestamptz[], $7::text[]) as n
        on conflict on constraint connections_pkey do update
        set state = excluded.state, state_at = excluded.state_at, source = excluded.source
        where connections.state_at < excluded.state_at
        returning person_id, channel, account_id, state, state_at, source",
    )
    .bind(tx.merchant())
    .bind(facts.iter().map(|c| c.person_id).collect::<Vec<_>>())
    .bind(facts.iter().map(|c| c.channel.as_str()).collect::<Vec<_>>())
    .bind(facts.iter().map(|c| c.account_id.as_str()).collect::<Vec<_>>())
    .bind(facts.iter().map(|c| c.state.as_str()).collect::<Vec<_>>())
    .bind(facts.iter().map(|c| c.state_at).collect::<Vec<_>>())
    .bind(facts.iter().map(|c| c.source.as_str()).collect::<Vec<_>>())
    .bind(now)
    .fetch_all(&mut **tx)
    .await?;
    Ok(news)
}

/// The edges of a person after a channel account.
pub async fn list(
    tx: &mut Tx,
    person_id: PersonId,
    after: Option<&(String, String)>,
    limit: i64,
) -> Result<Vec<Connection>, siyu_pg::Error> {
    let connections = sqlx::query_as(
        "select person_id, channel, account_id, state, state_at, source
        from connections
        where merchant_id = $1 and person_id = $2 and ($3::text is null or (channel, account_id) > ($3, $4::text))
        order by channel, account_id
        limit $5",
    )
    .bind(tx.merchant())
    .bind(person_id)
    .bind(after.map(|(channel, _)| channel))
    .bind(after.map(|(_, account)| account))
    .bind(limit)
    .fetch_all(&mut **tx)
    .await?;
    Ok(connections)
}
