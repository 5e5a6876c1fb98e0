//! The SQL of campaigns and nothing else. Whether a campaign has a queued message is asked as a value, not as `exists`, which
//! may be planned as a scan of all messages while statistics lag behind.

use chrono::{DateTime, Utc};
use siyu_kernel::{
    Id,
    kind::{self, Merchant},
};
use siyu_pg::{SystemTx, Tx};
use uuid::Uuid;

use super::domain::{Campaign, CampaignId, PersonId};

/// A page of an audience that a worker owns: the row.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Claim {
    /// Whose campaign it is.
    pub merchant_id: Id<Merchant>,
    /// The campaign.
    pub id: CampaignId,
    /// Fences the worker.
    pub attempt: i32,
    /// The channel of the messages.
    pub channel: String,
    /// Only the persons of this audience.
    pub audience_id: Option<Id<kind::Audience>>,
    /// Only persons with at least this growth.
    pub growth_min: i64,
    /// The audience is a list of persons.
    pub listed: bool,
    /// Where the page begins; none: at the audience's start.
    pub cursor: Option<String>,
}

/// Inserts a campaign with the list of its audience.
pub async fn insert(
    tx: &mut Tx,
    campaign: &Campaign,
    person_ids: &[PersonId],
) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "insert into campaigns
            (merchant_id, id, name, channel, text, audience_id, growth_min, person_ids, state, pending, created_at,
            started_at, purpose)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
    )
    .bind(tx.merchant())
    .bind(campaign.id)
    .bind(&campaign.name)
    .bind(&campaign.channel)
    .bind(&campaign.text)
    .bind(campaign.audience_id)
    .bind(campaign.growth_min)
    .bind(person_ids)
    .bind(campaign.state.as_str())
    .bind(campaign.pending)
    .bind(campaign.created_at)
    .bind(campaign.started_at)
    .bind(campaign.purpose.as_str())
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// One campaign.
pub async fn find(tx: &mut Tx, id: CampaignId) -> Result<Option<Campaign>, siyu_pg::Error> {
    let campaign = sqlx::query_as(
        "select id, name, channel, text, purpose, audience_id, growth_min, state, pending, created_at, started_at
        from campaigns
        where merchant_id = $1 and id = $2",
    )
    .bind(tx.merchant())
    .bind(id)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(campaign)
}

/// Locks one campaign.
pub async fn lock(tx: &mut Tx, id: CampaignId) -> Result<Option<Campaign>, siyu_pg::Error> {
    let campaign = sqlx::query_as(
        "select id, name, channel, text, purpose, audience_id, growth_min, state, pending, created_at, started_at
        from campaigns
        where merchant_id = $1 and id = $2
        for update",
    )
    .bind(tx.merchant())
    .bind(id)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(campaign)
}

/// The list of a campaign's audience, in order; empty: everyone.
pub async fn person_ids(tx: &mut Tx, id: CampaignId) -> Result<Vec<PersonId>, siyu_pg::Error> {
    let ids =
        sqlx::query_scalar("select person_ids from campaigns where merchant_id = $1 and id = $2")
            .bind(tx.merchant())
            .bind(id)
            .fetch_one(&mut **tx)
            .await?;
    Ok(ids)
}

/// A page of that list.
pub async fn listed(
    tx: &mut Tx,
    id: CampaignId,
    after: Option<PersonId>,
    limit: i64,
) -> Result<Vec<PersonId>, siyu_pg::Error> {
    let ids = sqlx::query_scalar(
        "select person_id
        from campaigns c
        cross join unnest(c.person_ids) as person_id
        where c.merchant_id = $1 and c.id = $2 and ($3::uuid is null or person_id > $3)
        order by person_id
        limit $4",
    )
    .bind(tx.merchant())
    .bind(id)
    .bind(after)
    .bind(limit)
    .fetch_all(&mut **tx)
    .await?;
    Ok(ids)
}

/// Campaigns before an id, newest first.
pub async fn list(
    tx: &mut Tx,
    before: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Campaign>, siyu_pg::Error> {
    let campaigns = sqlx::query_as(
        "select id, name, channel, text, purpose, audience_id, growth_min, state, pending, created_at, started_at
        from campaigns
        where merchant_id = $1 and ($2::uuid is null or id < $2)
        order by id desc
        limit $3",
    )
    .bind(tx.merchant())
    .bind(before)
    .bind(limit)
    .fetch_all(&mut **tx)
    .await?;
    Ok(campaigns)
}

/// Saves where a campaign that is locked stands in its life.
pub async fn save(tx: &mut Tx, campaign: &Campaign) -> Result<(), siyu_pg::Error> {
    let done = sqlx::query(
        "update campaigns set state = $3, pending = $4, started_at = $5 where merchant_id = $1 and id = $2",
    )
    .bind(tx.merchant())
    .bind(campaign.id)
    .bind(campaign.state.as_str())
    .bind(campaign.pending)
    .bind(campaign.started_at)
    .execute(&mut **tx)
    .await?;
    assert_eq!(done.rows_affected(), 1, "a campaign that is locked is there");
    Ok(())
}

/// Takes a page of the audience of a campaign that is being prepared. Those with the fewest pages behind them come first, so
/// that a small campaign never waits for a large one.
pub async fn claim(
    tx: &mut SystemTx,
    now: DateTime<Utc>,
    lease_until: DateTime<Utc>,
) -> Result<Option<Claim>, siyu_pg::Error> {
    let claim = sqlx::query_as(
        "update campaigns c
        set prepare_attempt = c.prepare_attempt + 1, prepare_lease_until = $2
        from (
            select merchant_id, id
            from campaigns
            where state = 'preparing' and (prepare_lease_until is null or prepare_lease_until <= $1)
            order by prepare_attempt, started_at
            limit 1
            for update skip locked
        ) as first
        where c.merchant_id = first.merchant_id and c.id = first.id
        returning c.merchant_id, c.id, c.prepare_attempt as attempt, c.channel, c.audience_id,
            c.growth_min, cardinality(c.person_ids) > 0 as listed, c.audience_cursor as cursor",
    )
    .bind(now)
    .bind(lease_until)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(claim)
}

/// Locks the campaign of a claim; false when it moved on or another worker took the page meanwhile.
pub async fn lock_claimed(tx: &mut Tx, claim: &Claim) -> Result<bool, siyu_pg::Error> {
    let ours: Option<bool> = sqlx::query_scalar(
        "select state = 'preparing' and prepare_attempt = $3
        from campaigns
        where merchant_id = $1 and id = $2
        for update",
    )
    .bind(tx.merchant())
    .bind(claim.id)
    .bind(claim.attempt)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(ours.unwrap_or(false))
}

/// Gives a page back: the next one begins at `cursor`, not before `lease_until`.
pub async fn release(
    tx: &mut Tx,
    id: CampaignId,
    cursor: Option<&str>,
    lease_until: Option<DateTime<Utc>>,
) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "update campaigns set audience_cursor = $3, prepare_lease_until = $4 where merchant_id = $1 and id = $2",
    )
    .bind(tx.merchant())
    .bind(id)
    .bind(cursor)
    .bind(lease_until)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The campaign whose turn it is to have messages taken: it waited longest of those with a message that nobody owns.
pub async fn next(
    tx: &mut SystemTx,
    now: DateTime<Utc>,
) -> Result<Option<(Id<Merchant>, CampaignId)>, siyu_pg::Error> {
    let next = sqlx::query_as(
        "select c.merchant_id, c.id
        from campaigns c
        where c.pending and c.state in ('running', 'cancelled') and (
            select true
            from messages m
            where m.merchant_id = c.merchant_id and m.campaign_id = c.id and m.state = 'queued'
                and (m.lease_until is null or m.lease_until <= $1)
            limit 1
        )
        order by c.dispatched_at nulls first, c.id
        limit 1",
    )
    .bind(now)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(next)
}

/// Notes that a campaign had its turn.
pub async fn turn(tx: &mut Tx, id: CampaignId, now: DateTime<Utc>) -> Result<(), siyu_pg::Error> {
    sqlx::query("update campaigns set dispatched_at = $3 where merchant_id = $1 and id = $2")
        .bind(tx.merchant())
        .bind(id)
        .bind(now)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Locks campaigns past their preparation none of whose messages is queued. That cannot change any more: messages are only
/// added while a campaign is prepared, and none becomes queued again.
pub async fn lock_settled(
    tx: &mut SystemTx,
    limit: i64,
) -> Result<Vec<(Id<Merchant>, CampaignId)>, siyu_pg::Error> {
    let settled = sqlx::query_as(
        "select c.merchant_id, c.id
        from campaigns c
        where c.pending and c.state in ('running', 'cancelled') and (
            select true
            from messages m
            where m.merchant_id = c.merchant_id and m.campaign_id = c.id and m.state = 'queued'
            limit 1
        ) is null
        order by c.id
        limit $1
        for update of c skip locked",
    )
    .bind(limit)
    .fetch_all(&mut **tx)
    .await?;
    Ok(settled)
}
