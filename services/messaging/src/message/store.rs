//! The SQL of messages and receipts and nothing else. Whoever changes messages locks them in the order of their ids.
//!
//! Rows are looked up key by key (`cross join lateral … limit 1`) and changed by their place (`ctid`) or by an upsert: a join
//! or `= any` may be planned as a scan of everything that the merchant has while statistics lag behind.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use siyu_pg::Tx;
use uuid::Uuid;

use super::{
    domain::{Message, MessageId, State},
    receipt::Receipt,
};
use crate::campaign::domain::{CampaignId, PersonId};

/// A message that a worker owns: the row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub struct Claimed {
    /// The message.
    pub id: MessageId,
    /// Who gets it.
    pub person_id: PersonId,
    /// Fences the worker.
    pub attempt: i32,
}

/// Queues messages to persons; who has one of the campaign gets no other.
pub async fn insert(
    tx: &mut Tx,
    campaign_id: CampaignId,
    channel: &str,
    messages: &[(Uuid, PersonId)],
    now: DateTime<Utc>,
) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "insert into messages (merchant_id, id, campaign_id, person_id, channel, state, state_at)
        select $1, id, $2, person_id, $3, 'queued', $4
        from unnest($5::uuid[], $6::uuid[]) as n (id, person_id)
        on conflict on constraint messages_person_id_key do nothing",
    )
    .bind(tx.merchant())
    .bind(campaign_id)
    .bind(channel)
    .bind(now)
    .bind(messages.iter().map(|(id, _)| *id).collect::<Vec<_>>())
    .bind(messages.iter().map(|(_, person)| *person).collect::<Vec<_>>())
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Takes queued messages of a campaign that nobody owns. Lock the campaign first.
pub async fn claim(
    tx: &mut Tx,
    campaign_id: CampaignId,
    now: DateTime<Utc>,
    lease_until: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<Claimed>, siyu_pg::Error> {
    let claimed = sqlx::query_as(
        "update messages
        set attempt = attempt + 1, lease_until = $4
        where merchant_id = $1 and ctid = any(array(
            select ctid
            from messages
            where merchant_id = $1 and campaign_id = $2 and state = 'queued'
                and (lease_until is null or lease_until <= $3)
            order by id
            limit $5
            for update skip locked
        ))
        returning id, person_id, attempt",
    )
    .bind(tx.merchant())
    .bind(campaign_id)
    .bind(now)
    .bind(lease_until)
    .bind(limit)
    .fetch_all(&mut **tx)
    .await?;
    Ok(claimed)
}

/// Lets others take messages from an instant on; those that are no longer ours stay as they are.
pub async fn release(
    tx: &mut Tx,
    claimed: &[Claimed],
    from: DateTime<Utc>,
) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "update messages
        set lease_until = $4
        where merchant_id = $1 and ctid = any(array(
            select m.ctid
            from unnest($2::uuid[], $3::integer[]) as n (id, attempt)
            cross join lateral (
                select ctid
                from messages
                where merchant_id = $1 and id = n.id and attempt = n.attempt and state = 'queued'
                limit 1
                for update
            ) as m
        ))",
    )
    .bind(tx.merchant())
    .bind(claimed.iter().map(|c| c.id).collect::<Vec<_>>())
    .bind(claimed.iter().map(|c| c.attempt).collect::<Vec<_>>())
    .bind(from)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Withdraws queued messages of a campaign that no worker ever took; returns how many.
pub async fn withdraw(
    tx: &mut Tx,
    campaign_id: CampaignId,
    now: DateTime<Utc>,
    limit: i64,
) -> Result<u64, siyu_pg::Error> {
    let done = sqlx::query(
        "update messages
        set state = 'cancelled', state_at = $3
        where merchant_id = $1 and ctid = any(array(
            select ctid
            from messages
            where merchant_id = $1 and campaign_id = $2 and state = 'queued' and lease_until is null
            order by id
            limit $4
            for update skip locked
        ))",
    )
    .bind(tx.merchant())
    .bind(campaign_id)
    .bind(now)
    .bind(limit)
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected())
}

/// Locks those of the messages that exist; `ids` are in order.
pub async fn lock(tx: &mut Tx, ids: &[MessageId]) -> Result<Vec<Message>, siyu_pg::Error> {
    let messages = sqlx::query_as(
        "select m.*
        from unnest($2::uuid[]) as n (id)
        cross join lateral (
            select id, campaign_id, person_id, channel, state, state_at, failure, attempt
            from messages
            where merchant_id = $1 and id = n.id
            limit 1
            for update
        ) as m",
    )
    .bind(tx.merchant())
    .bind(ids)
    .fetch_all(&mut **tx)
    .await?;
    Ok(messages)
}

/// Saves how far messages that are locked have come. They have left the queue, so nobody owns them any more.
pub async fn save(tx: &mut Tx, messages: &[&Message]) -> Result<(), siyu_pg::Error> {
    let done = sqlx::query(
        "insert into messages (merchant_id, id, campaign_id, person_id, channel, state, state_at, failure)
        select $1, n.*
        from unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::timestamptz[], $8::text[]) as n
        on conflict on constraint messages_pkey do update
        set state = excluded.state, state_at = excluded.state_at, failure = excluded.failure, lease_until = null",
    )
    .bind(tx.merchant())
    .bind(messages.iter().map(|m| m.id).collect::<Vec<_>>())
    .bind(messages.iter().map(|m| m.campaign_id).collect::<Vec<_>>())
    .bind(messages.iter().map(|m| m.person_id).collect::<Vec<_>>())
    .bind(messages.iter().map(|m| m.channel.as_str()).collect::<Vec<_>>())
    .bind(messages.iter().map(|m| m.state.as_str()).collect::<Vec<_>>())
    .bind(messages.iter().map(|m| m.state_at).collect::<Vec<_>>())
    .bind(messages.iter().map(|m| m.failure.as_str()).collect::<Vec<_>>())
    .execute(&mut **tx)
    .await?;
    assert_eq!(done.rows_affected(), messages.len() as u64, "messages that are locked are there");
    Ok(())
}

/// Destroys the words of channels about messages that failed. Why one must not be sent are our own words, and say nothing.
pub async fn forget_failures(tx: &mut Tx, persons: &[PersonId]) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "update messages set failure = ''
        where merchant_id = $1 and person_id = any ($2) and failure <> '' and state = 'failed'",
    )
    .bind(tx.merchant())
    .bind(persons)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Stores receipts, each with the channel of its message, in the order of their keys; returns the keys of those that are new.
pub async fn insert_receipts(
    tx: &mut Tx,
    receipts: &[(&str, &Receipt)],
    now: DateTime<Utc>,
) -> Result<HashSet<(String, String)>, siyu_pg::Error> {
    let fresh: Vec<(String, String)> = sqlx::query_as(
        "insert into receipts (merchant_id, channel, receipt_id, message_id, state, occurred_at, created_at)
        select $1, n.*, $7 from unnest($2::text[], $3::text[], $4::uuid[], $5::text[], $6::timestamptz[]) as n
        on conflict on constraint receipts_pkey do nothing
        returning channel, receipt_id",
    )
    .bind(tx.merchant())
    .bind(receipts.iter().map(|(channel, _)| *channel).collect::<Vec<_>>())
    .bind(receipts.iter().map(|(_, r)| r.id.as_str()).collect::<Vec<_>>())
    .bind(receipts.iter().map(|(_, r)| r.message_id).collect::<Vec<_>>())
    .bind(receipts.iter().map(|(_, r)| r.step.state.as_str()).collect::<Vec<_>>())
    .bind(receipts.iter().map(|(_, r)| r.step.at).collect::<Vec<_>>())
    .bind(now)
    .fetch_all(&mut **tx)
    .await?;
    Ok(fresh.into_iter().collect())
}

/// How many messages of a campaign are in which state.
pub async fn counts(
    tx: &mut Tx,
    campaign_id: CampaignId,
) -> Result<Vec<(State, i64)>, siyu_pg::Error> {
    let counts = sqlx::query_as(
        "select state, count(*)
        from messages
        where merchant_id = $1 and campaign_id = $2
        group by state",
    )
    .bind(tx.merchant())
    .bind(campaign_id)
    .fetch_all(&mut **tx)
    .await?;
    Ok(counts)
}

/// Messages of a campaign after an id, oldest first.
pub async fn list(
    tx: &mut Tx,
    campaign_id: CampaignId,
    after: Uuid,
    limit: i64,
) -> Result<Vec<Message>, siyu_pg::Error> {
    let messages = sqlx::query_as(
        "select id, campaign_id, person_id, channel, state, state_at, failure, attempt
        from messages
        where merchant_id = $1 and campaign_id = $2 and id > $3
        order by id
        limit $4",
    )
    .bind(tx.merchant())
    .bind(campaign_id)
    .bind(after)
    .bind(limit)
    .fetch_all(&mut **tx)
    .await?;
    Ok(messages)
}

/// Those of them that are in one state: a page of a rare state does not read the others.
pub async fn list_in(
    tx: &mut Tx,
    campaign_id: CampaignId,
    state: State,
    after: Uuid,
    limit: i64,
) -> Result<Vec<Message>, siyu_pg::Error> {
    let messages = sqlx::query_as(
        "select id, campaign_id, person_id, channel, state, state_at, failure, attempt
        from messages
        where merchant_id = $1 and campaign_id = $2 and state = $3 and id > $4
        order by id
        limit $5",
    )
    .bind(tx.merchant())
    .bind(campaign_id)
    .bind(state.as_str())
    .bind(after)
    .bind(limit)
    .fetch_all(&mut **tx)
    .await?;
    Ok(messages)
}
