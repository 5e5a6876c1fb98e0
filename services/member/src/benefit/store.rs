//! The SQL of benefits and cards and nothing else.

pub(super) mod terms;

use chrono::{DateTime, NaiveDate, Utc};
use prost::Message;
use siyu_kernel::Fault;
use siyu_pg::{SystemTx, Tx};
use siyu_proto::member::v1::CardPlan;
use uuid::Uuid;

use super::card::{Card, CardId, PlanId, State};
use crate::person::{Merge, PersonId, store::moving::Owned};

/// Cards of persons.
pub(crate) const CARDS: Owned = Owned { table: "cards", unique: &[] };

#[derive(sqlx::FromRow)]
struct CardRow {
    id: CardId,
    person_id: PersonId,
    plan: Vec<u8>,
    state: State,
    starts_at: Option<DateTime<Utc>>,
    ends_at: Option<DateTime<Utc>>,
    frozen_at: Option<DateTime<Utc>>,
    refund_minor: i64,
    used_minor: i64,
    consent_at: Option<DateTime<Utc>>,
    notice_at: Option<DateTime<Utc>>,
}

impl CardRow {
    fn card(self) -> Result<Card, Fault> {
        Ok(Card {
            id: self.id,
            person_id: self.person_id,
            plan: CardPlan::decode(self.plan.as_slice()).map_err(Fault::internal)?,
            state: self.state,
            term: self.starts_at.zip(self.ends_at),
            frozen_at: self.frozen_at,
            refund_minor: self.refund_minor,
            used_minor: self.used_minor,
            consent_at: self.consent_at,
            notice_at: self.notice_at,
        })
    }
}

/// Adds a plan.
pub(crate) async fn insert_plan(
    tx: &mut Tx,
    id: PlanId,
    plan: &CardPlan,
    now: DateTime<Utc>,
) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "insert into card_plans (merchant_id, id, plan, created_at) values ($1, $2, $3, $4)",
    )
    .bind(tx.merchant())
    .bind(id)
    .bind(plan.encode_to_vec())
    .bind(now)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// A plan.
pub(crate) async fn find_plan(tx: &mut Tx, id: PlanId) -> Result<Option<CardPlan>, Fault> {
    let row: Option<Vec<u8>> =
        sqlx::query_scalar("select plan from card_plans where merchant_id = $1 and id = $2")
            .bind(tx.merchant())
            .bind(id)
            .fetch_optional(&mut **tx)
            .await
            .map_err(siyu_pg::Error::from)?;
    row.map(|row| CardPlan::decode(row.as_slice()).map_err(Fault::internal)).transpose()
}

/// Plans after one, oldest first.
pub(crate) async fn list_plans(
    tx: &mut Tx,
    after: Option<Uuid>,
    limit: i64,
) -> Result<Vec<(PlanId, CardPlan)>, Fault> {
    let rows: Vec<(PlanId, Vec<u8>)> = sqlx::query_as(
        "select id, plan from card_plans where merchant_id = $1 and ($2::uuid is null or id > $2) order by id limit $3",
    )
    .bind(tx.merchant())
    .bind(after)
    .bind(limit)
    .fetch_all(&mut **tx)
    .await
    .map_err(siyu_pg::Error::from)?;
    let decode = |(id, row): (PlanId, Vec<u8>)| {
        Ok((id, CardPlan::decode(row.as_slice()).map_err(Fault::internal)?))
    };
    rows.into_iter().map(decode).collect()
}

/// Adds a card that waits for its payment.
pub(crate) async fn insert_card(
    tx: &mut Tx,
    card: &Card,
    plan_id: PlanId,
    now: DateTime<Utc>,
) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "insert into cards (merchant_id, id, person_id, plan_id, plan, state, refund_minor, used_minor, created_at)
        values ($1, $2, $3, $4, $5, $6, 0, 0, $7)",
    )
    .bind(tx.merchant())
    .bind(card.id)
    .bind(card.person_id)
    .bind(plan_id)
    .bind(card.plan.encode_to_vec())
    .bind(card.state.as_str())
    .bind(now)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Whose card it is.
pub(crate) async fn owner(tx: &mut Tx, id: CardId) -> Result<Option<PersonId>, siyu_pg::Error> {
    let owner =
        sqlx::query_scalar("select person_id from cards where merchant_id = $1 and id = $2")
            .bind(tx.merchant())
            .bind(id)
            .fetch_optional(&mut **tx)
            .await?;
    Ok(owner)
}

/// Locks the cards of a person, oldest first: what is decided about one looks at the others.
pub(crate) async fn lock_cards(tx: &mut Tx, person: PersonId) -> Result<Vec<Card>, Fault> {
    let rows: Vec<CardRow> = sqlx::query_as(
        "select id, person_id, plan, state, starts_at, ends_at, frozen_at, refund_minor, used_minor, consent_at, notice_at
        from cards
        where merchant_id = $1 and person_id = $2
        order by id
        for update",
    )
    .bind(tx.merchant())
    .bind(person)
    .fetch_all(&mut **tx)
    .await
    .map_err(siyu_pg::Error::from)?;
    rows.into_iter().map(CardRow::card).collect()
}

/// Cards of a person before one, newest first.
pub(crate) async fn list_cards(
    tx: &mut Tx,
    person: PersonId,
    before: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Card>, Fault> {
    let rows: Vec<CardRow> = sqlx::query_as(
        "select id, person_id, plan, state, starts_at, ends_at, frozen_at, refund_minor, used_minor, consent_at, notice_at
        from cards
        where merchant_id = $1 and person_id = $2 and ($3::uuid is null or id < $3)
        order by id desc
        limit $4",
    )
    .bind(tx.merchant())
    .bind(person)
    .bind(before)
    .bind(limit)
    .fetch_all(&mut **tx)
    .await
    .map_err(siyu_pg::Error::from)?;
    rows.into_iter().map(CardRow::card).collect()
}

/// Saves a card that is locked.
pub(crate) async fn save_card(tx: &mut Tx, card: &Card) -> Result<(), siyu_pg::Error> {
    let done = sqlx::query(
        "update cards
        set state = $3, starts_at = $4, ends_at = $5, frozen_at = $6, refund_minor = $7, used_minor = $8, consent_at = $9,
            notice_at = $10
        where merchant_id = $1 and id = $2",
    )
    .bind(tx.merchant())
    .bind(card.id)
    .bind(card.state.as_str())
    .bind(card.term.map(|(start, _)| start))
    .bind(card.term.map(|(_, end)| end))
    .bind(card.frozen_at)
    .bind(card.refund_minor)
    .bind(card.used_minor)
    .bind(card.consent_at)
    .bind(card.notice_at)
    .execute(&mut **tx)
    .await?;
    assert!(done.rows_affected() == 1, "a locked card is there");
    Ok(())
}

/// Ends cards whose time is over, of all merchants; gives how many.
pub(crate) async fn expire(
    tx: &mut SystemTx,
    now: DateTime<Utc>,
    limit: i64,
) -> Result<u64, siyu_pg::Error> {
    let done = sqlx::query(
        "update cards set state = 'expired'
        where (merchant_id, id) in (
            select merchant_id, id
            from cards
            where state = 'active' and ends_at <= $1
            order by ends_at, merchant_id, id
            limit $2
            for update skip locked)",
    )
    .bind(now)
    .bind(limit)
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected())
}

/// Counts a use of a benefit in a period, if that stays within the times; gives the uses then. One statement, so that two at
/// the same moment cannot both take the last.
pub(crate) async fn count_use(
    tx: &mut Tx,
    person: PersonId,
    kind: i32,
    period: NaiveDate,
    times: Option<i32>,
) -> Result<Option<i32>, siyu_pg::Error> {
    let used = sqlx::query_scalar(
        "insert into benefit_uses as u (merchant_id, person_id, kind, period, used)
        values ($1, $2, $3, $4, 1)
        on conflict on constraint benefit_uses_pkey do update set used = u.used + 1
        where $5::integer is null or u.used < $5
        returning used",
    )
    .bind(tx.merchant())
    .bind(person)
    .bind(kind)
    .bind(period)
    .bind(times)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(used)
}

/// How often a person used benefits, each in its period.
pub(crate) async fn uses(
    tx: &mut Tx,
    person: PersonId,
    kinds: &[i32],
    periods: &[NaiveDate],
) -> Result<Vec<(i32, i32)>, siyu_pg::Error> {
    let uses = sqlx::query_as(
        "select u.kind, u.used
        from unnest($3::integer[], $4::date[]) as k (kind, period)
        cross join lateral (
            select kind, used
            from benefit_uses
            where merchant_id = $1 and person_id = $2 and kind = k.kind and period = k.period
            limit 1
        ) as u",
    )
    .bind(tx.merchant())
    .bind(person)
    .bind(kinds)
    .bind(periods)
    .fetch_all(&mut **tx)
    .await?;
    Ok(uses)
}

/// The survivor has used what both have. The loser's counters stay, for when the merge is undone.
pub(crate) async fn merge_uses(tx: &mut Tx, merge: &Merge) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "insert into benefit_uses as u (merchant_id, person_id, kind, period, used)
        select merchant_id, $3, kind, period, used
        from benefit_uses
        where merchant_id = $1 and person_id = $2
        on conflict on constraint benefit_uses_pkey do update set used = u.used + excluded.used",
    )
    .bind(tx.merchant())
    .bind(merge.loser)
    .bind(merge.survivor)
    .execute(&mut **tx)
    .await?;
    Ok(())
}
