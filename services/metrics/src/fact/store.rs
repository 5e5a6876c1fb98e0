//! The SQL of facts and nothing else. Look-ups of many rows go key by key (`cross join lateral`): a join or `= any` may be
//! planned as a scan of everything that the merchant has while statistics lag behind.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use siyu_kernel::{Id, LocalDay, kind};
use siyu_pg::Tx;

use super::{OrderId, PersonId, Told, column, domain_of, domain_word, number};
use crate::{
    engine::{Fact, Person},
    merge,
};

/// A fact as it stands: what a newer revision replaces.
#[derive(Debug, Clone, Copy, sqlx::FromRow)]
pub struct Standing {
    /// The order.
    pub order_id: OrderId,
    /// Its revision.
    pub revision: i64,
    /// Its day.
    pub day: i32,
}

/// A fact of a day, with its store.
#[derive(Debug, sqlx::FromRow)]
pub struct DayFact {
    person: i32,
    day: i32,
    paid_at: DateTime<Utc>,
    amount_minor: i64,
    units: i64,
    domain: String,
    /// The store whose hours decide.
    pub store_id: Option<Id<kind::Store>>,
}

impl DayFact {
    /// What the engine counts.
    pub fn fact(&self, off_hours: bool) -> Fact {
        Fact {
            person: number(self.person),
            day: LocalDay(self.day),
            paid_at: self.paid_at,
            amount_minor: self.amount_minor,
            units: self.units,
            domain: domain_of(&self.domain),
            off_hours,
        }
    }

    /// When it was paid.
    pub const fn paid_at(&self) -> DateTime<Utc> {
        self.paid_at
    }
}

/// The numbers of persons; who has none gets the next ones, an alias has that of whom it leads to. The merchant is locked.
pub async fn numbers(
    tx: &mut Tx,
    persons: &[PersonId],
) -> Result<HashMap<PersonId, Person>, siyu_pg::Error> {
    let leads = merge::store::canonical(tx, persons).await?;
    let lead = |person: &PersonId| *leads.get(person).unwrap_or(person);
    let own = own_numbers(tx, &persons.iter().map(lead).collect::<Vec<_>>()).await?;
    Ok(persons.iter().map(|person| (*person, own[&lead(person)])).collect())
}

/// The numbers that the ids themselves have, aliases too; who has none gets the next ones. The merchant is locked.
pub async fn own_numbers(
    tx: &mut Tx,
    persons: &[PersonId],
) -> Result<HashMap<PersonId, Person>, siyu_pg::Error> {
    let mut known = find_own_numbers(tx, persons).await?;
    let mut fresh: Vec<PersonId> =
        persons.iter().copied().filter(|person| !known.contains_key(person)).collect();
    fresh.sort_unstable();
    fresh.dedup();
    if fresh.is_empty() {
        return Ok(known);
    }
    let rows: Vec<(PersonId, i32)> = sqlx::query_as(
        "with dealt as (
            update merchants set persons = persons + cardinality($2::uuid[]) where merchant_id = $1
            returning persons - cardinality($2::uuid[]) as first
        )
        insert into persons (merchant_id, person_id, number)
        select $1, fresh.person_id, dealt.first + fresh.place::integer - 1
        from dealt, unnest($2::uuid[]) with ordinality as fresh (person_id, place)
        returning person_id, number",
    )
    .bind(tx.merchant())
    .bind(&fresh)
    .fetch_all(&mut **tx)
    .await?;
    known.extend(rows.into_iter().map(|(person, column)| (person, number(column))));
    Ok(known)
}

/// The numbers of persons who have one; an alias has that of whom it leads to.
pub async fn find_numbers(
    tx: &mut Tx,
    persons: &[PersonId],
) -> Result<HashMap<PersonId, Person>, siyu_pg::Error> {
    let leads = merge::store::canonical(tx, persons).await?;
    let lead = |person: &PersonId| *leads.get(person).unwrap_or(person);
    let own = find_own_numbers(tx, &persons.iter().map(lead).collect::<Vec<_>>()).await?;
    let number = |person: &PersonId| Some((*person, *own.get(&lead(person))?));
    Ok(persons.iter().filter_map(number).collect())
}

async fn find_own_numbers(
    tx: &mut Tx,
    persons: &[PersonId],
) -> Result<HashMap<PersonId, Person>, siyu_pg::Error> {
    let rows: Vec<(PersonId, i32)> = sqlx::query_as(
        "select p.person_id, p.number
        from unnest($2::uuid[]) as k (person_id)
        cross join lateral (
            select person_id, number from persons where merchant_id = $1 and person_id = k.person_id limit 1
        ) as p",
    )
    .bind(tx.merchant())
    .bind(persons)
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows.into_iter().map(|(person, column)| (person, number(column))).collect())
}

/// The facts of orders as they stand.
pub async fn standing(tx: &mut Tx, orders: &[OrderId]) -> Result<Vec<Standing>, siyu_pg::Error> {
    let rows = sqlx::query_as(
        "select f.order_id, f.revision, f.day
        from unnest($2::uuid[]) as k (order_id)
        cross join lateral (
            select order_id, revision, day from order_facts where merchant_id = $1 and order_id = k.order_id limit 1
        ) as f",
    )
    .bind(tx.merchant())
    .bind(orders)
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows)
}

/// Saves facts, each order at most once.
pub async fn save(tx: &mut Tx, facts: &[(&Told, Person, i32)]) -> Result<(), siyu_pg::Error> {
    // An array of arrays must be rectangular: the categories travel as one text each.
    let categories = |told: &Told| told.categories.join("\u{1f}");
    sqlx::query(
        "insert into order_facts
            (merchant_id, order_id, revision, counts, person, day, paid_at, amount_minor, units, domain, store_id,
            categories)
        select $1, n.order_id, n.revision, n.counts, n.person, n.day, n.paid_at, n.amount_minor, n.units, n.domain,
            n.store_id, case n.categories when '' then '{}' else string_to_array(n.categories, e'\\x1f') end
        from unnest($2::uuid[], $3::bigint[], $4::boolean[], $5::integer[], $6::integer[], $7::timestamptz[],
            $8::bigint[], $9::bigint[], $10::text[], $11::uuid[], $12::text[])
            as n (order_id, revision, counts, person, day, paid_at, amount_minor, units, domain, store_id, categories)
        on conflict on constraint order_facts_pkey do update
        set revision = excluded.revision, counts = excluded.counts, person = excluded.person, day = excluded.day,
            paid_at = excluded.paid_at, amount_minor = excluded.amount_minor, units = excluded.units,
            domain = excluded.domain, store_id = excluded.store_id, categories = excluded.categories",
    )
    .bind(tx.merchant())
    .bind(facts.iter().map(|(t, _, _)| t.order_id).collect::<Vec<_>>())
    .bind(facts.iter().map(|(t, _, _)| t.revision).collect::<Vec<_>>())
    .bind(facts.iter().map(|(t, _, _)| t.counts).collect::<Vec<_>>())
    .bind(facts.iter().map(|(_, person, _)| column(*person)).collect::<Vec<_>>())
    .bind(facts.iter().map(|(_, _, day)| *day).collect::<Vec<_>>())
    .bind(facts.iter().map(|(t, _, _)| t.paid_at).collect::<Vec<_>>())
    .bind(facts.iter().map(|(t, _, _)| t.amount_minor).collect::<Vec<_>>())
    .bind(facts.iter().map(|(t, _, _)| t.units).collect::<Vec<_>>())
    .bind(facts.iter().map(|(t, _, _)| domain_word(t.domain)).collect::<Vec<_>>())
    .bind(facts.iter().map(|(t, _, _)| t.store_id).collect::<Vec<_>>())
    .bind(facts.iter().map(|(t, _, _)| categories(t)).collect::<Vec<_>>())
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Marks days as changed.
pub async fn mark(tx: &mut Tx, days: &[i32]) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "insert into dirty_days (merchant_id, day) select $1, day from unnest($2::integer[]) as n (day)
        on conflict do nothing",
    )
    .bind(tx.merchant())
    .bind(days)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The sales of some days.
pub async fn of_days(tx: &mut Tx, days: &[i32]) -> Result<Vec<DayFact>, siyu_pg::Error> {
    let facts = sqlx::query_as(
        "select f.person, f.day, f.paid_at, f.amount_minor, f.units, f.domain, f.store_id
        from unnest($2::integer[]) as k (day)
        cross join lateral (
            select person, day, paid_at, amount_minor, units, domain, store_id
            from order_facts
            where merchant_id = $1 and day = k.day and counts
            offset 0
        ) as f",
    )
    .bind(tx.merchant())
    .bind(days)
    .fetch_all(&mut **tx)
    .await?;
    Ok(facts)
}

/// The sales of a window, some days at a time: one query for each call.
pub async fn of_window(
    tx: &mut Tx,
    start: LocalDay,
    end: LocalDay,
) -> Result<Vec<DayFact>, siyu_pg::Error> {
    let facts = sqlx::query_as(
        "select person, day, paid_at, amount_minor, units, domain, store_id
        from order_facts
        where merchant_id = $1 and day >= $2 and day < $3 and counts",
    )
    .bind(tx.merchant())
    .bind(start.0)
    .bind(end.0)
    .fetch_all(&mut **tx)
    .await?;
    Ok(facts)
}

/// Every day with a fact, and how many facts there are.
pub async fn days(tx: &mut Tx) -> Result<(Vec<i32>, i64), siyu_pg::Error> {
    let days = sqlx::query_scalar(
        "select distinct day from order_facts where merchant_id = $1 order by day",
    )
    .bind(tx.merchant())
    .fetch_all(&mut **tx)
    .await?;
    let facts = sqlx::query_scalar("select count(*) from order_facts where merchant_id = $1")
        .bind(tx.merchant())
        .fetch_one(&mut **tx)
        .await?;
    Ok((days, facts))
}
