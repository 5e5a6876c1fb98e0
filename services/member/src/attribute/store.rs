//! The SQL of attributes and nothing else.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use siyu_pg::{OnConstraint, Tx};
use uuid::Uuid;

use super::{Attribute, AttributeId, Error, Value, domain::Kept};
use crate::person::{MergeId, PersonId};

/// Inserts an attribute.
pub async fn insert(tx: &mut Tx, attribute: &Attribute) -> Result<(), Error> {
    sqlx::query(
        "insert into attributes (merchant_id, id, code, name, kind, choices, created_at) values ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(tx.merchant())
    .bind(attribute.id)
    .bind(&attribute.code)
    .bind(&attribute.name)
    .bind(attribute.kind.as_str())
    .bind(&attribute.choices)
    .bind(attribute.created_at)
    .execute(&mut **tx)
    .await
    .on_constraint("attributes_code_key", Error::CodeTaken)?;
    Ok(())
}

/// Locks one attribute.
pub async fn lock(tx: &mut Tx, id: AttributeId) -> Result<Option<Attribute>, siyu_pg::Error> {
    let attribute = sqlx::query_as(
        "select id, code, name, kind, choices, created_at
        from attributes
        where merchant_id = $1 and id = $2
        for update",
    )
    .bind(tx.merchant())
    .bind(id)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(attribute)
}

/// Saves name and choices of an attribute that is locked.
pub async fn save(tx: &mut Tx, attribute: &Attribute) -> Result<(), siyu_pg::Error> {
    let done = sqlx::query(
        "update attributes set name = $3, choices = $4 where merchant_id = $1 and id = $2",
    )
    .bind(tx.merchant())
    .bind(attribute.id)
    .bind(&attribute.name)
    .bind(&attribute.choices)
    .execute(&mut **tx)
    .await?;
    assert_eq!(done.rows_affected(), 1, "an attribute that is locked is there");
    Ok(())
}

/// All attributes, by code: there are few.
pub async fn by_code(tx: &mut Tx) -> Result<HashMap<String, Attribute>, siyu_pg::Error> {
    let attributes: Vec<Attribute> = sqlx::query_as(
        "select id, code, name, kind, choices, created_at from attributes where merchant_id = $1",
    )
    .bind(tx.merchant())
    .fetch_all(&mut **tx)
    .await?;
    Ok(attributes.into_iter().map(|attribute| (attribute.code.clone(), attribute)).collect())
}

/// Attributes after an id, oldest first.
pub async fn list(
    tx: &mut Tx,
    after: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Attribute>, siyu_pg::Error> {
    let attributes = sqlx::query_as(
        "select id, code, name, kind, choices, created_at
        from attributes
        where merchant_id = $1 and ($2::uuid is null or id > $2)
        order by id
        limit $3",
    )
    .bind(tx.merchant())
    .bind(after)
    .bind(limit)
    .fetch_all(&mut **tx)
    .await?;
    Ok(attributes)
}

/// Sets values of persons; returns how many are other than before.
pub async fn set(
    tx: &mut Tx,
    values: &[(PersonId, AttributeId, Kept)],
    now: DateTime<Utc>,
) -> Result<u64, siyu_pg::Error> {
    let text = |kept: &Kept| match kept {
        Kept::Text(text) => Some(text.clone()),
        Kept::Number(_) => None,
    };
    let number = |kept: &Kept| match kept {
        Kept::Text(_) => None,
        Kept::Number(number) => Some(*number),
    };
    let done = sqlx::query(
        "insert into person_attributes (merchant_id, person_id, attribute_id, text_value, number_value, set_at)
        select $1, n.*, $6 from unnest($2::uuid[], $3::uuid[], $4::text[], $5::bigint[]) as n
        on conflict on constraint person_attributes_pkey do update
        set text_value = excluded.text_value, number_value = excluded.number_value, set_at = excluded.set_at
        where (person_attributes.text_value, person_attributes.number_value)
            is distinct from (excluded.text_value, excluded.number_value)",
    )
    .bind(tx.merchant())
    .bind(values.iter().map(|(person, _, _)| *person).collect::<Vec<_>>())
    .bind(values.iter().map(|(_, attribute, _)| *attribute).collect::<Vec<_>>())
    .bind(values.iter().map(|(_, _, kept)| text(kept)).collect::<Vec<_>>())
    .bind(values.iter().map(|(_, _, kept)| number(kept)).collect::<Vec<_>>())
    .bind(now)
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected())
}

/// Forgets values of persons; returns how many there were.
pub async fn forget(
    tx: &mut Tx,
    values: &[(PersonId, AttributeId)],
) -> Result<u64, siyu_pg::Error> {
    let done = sqlx::query(
        "delete from person_attributes
        where ctid = any (array(
            select v.row
            from unnest($2::uuid[], $3::uuid[]) as k (person_id, attribute_id)
            cross join lateral (
                select ctid as row
                from person_attributes
                where merchant_id = $1 and person_id = k.person_id and attribute_id = k.attribute_id
                limit 1
            ) as v
        ))",
    )
    .bind(tx.merchant())
    .bind(values.iter().map(|(person, _)| *person).collect::<Vec<_>>())
    .bind(values.iter().map(|(_, attribute)| *attribute).collect::<Vec<_>>())
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected())
}

/// The values of a person after an attribute.
pub async fn values(
    tx: &mut Tx,
    person: PersonId,
    after: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Value>, siyu_pg::Error> {
    let values = sqlx::query_as(
        "select person_id, attribute_id, text_value, number_value
        from person_attributes
        where merchant_id = $1 and person_id = $2 and ($3::uuid is null or attribute_id > $3)
        order by attribute_id
        limit $4",
    )
    .bind(tx.merchant())
    .bind(person)
    .bind(after)
    .bind(limit)
    .fetch_all(&mut **tx)
    .await?;
    Ok(values)
}

/// Keeps what both persons of a merge have.
pub async fn keep_relics(
    tx: &mut Tx,
    merge: MergeId,
    survivor: PersonId,
    loser: PersonId,
) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "insert into person_attribute_relics
            (merchant_id, merge_id, person_id, attribute_id, text_value, number_value, set_at)
        select $1, $2, person_id, attribute_id, text_value, number_value, set_at
        from person_attributes
        where merchant_id = $1 and person_id in ($3, $4)",
    )
    .bind(tx.merchant())
    .bind(merge)
    .bind(survivor)
    .bind(loser)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Gives the later values of the loser to the survivor and leaves the loser none.
pub async fn unite(tx: &mut Tx, survivor: PersonId, loser: PersonId) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "insert into person_attributes (merchant_id, person_id, attribute_id, text_value, number_value, set_at)
        select $1, $2, attribute_id, text_value, number_value, set_at
        from person_attributes
        where merchant_id = $1 and person_id = $3
        on conflict on constraint person_attributes_pkey do update
        set text_value = excluded.text_value, number_value = excluded.number_value, set_at = excluded.set_at
        where person_attributes.set_at < excluded.set_at",
    )
    .bind(tx.merchant())
    .bind(survivor)
    .bind(loser)
    .execute(&mut **tx)
    .await?;
    sqlx::query("delete from person_attributes where merchant_id = $1 and person_id = $2")
        .bind(tx.merchant())
        .bind(loser)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Takes from the survivor what a merge brought, unless it was set anew, and gives both what they had.
pub async fn part(
    tx: &mut Tx,
    merge: MergeId,
    survivor: PersonId,
    loser: PersonId,
) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "delete from person_attributes v
        using person_attribute_relics r
        where v.merchant_id = $1 and v.person_id = $3 and r.merchant_id = $1 and r.merge_id = $2 and r.person_id = $4
            and v.attribute_id = r.attribute_id and v.set_at = r.set_at",
    )
    .bind(tx.merchant())
    .bind(merge)
    .bind(survivor)
    .bind(loser)
    .execute(&mut **tx)
    .await?;
    sqlx::query(
        "insert into person_attributes (merchant_id, person_id, attribute_id, text_value, number_value, set_at)
        select $1, case when person_id = $4 then $4 else $3 end, attribute_id, text_value, number_value, set_at
        from person_attribute_relics
        where merchant_id = $1 and merge_id = $2
        on conflict on constraint person_attributes_pkey do nothing",
    )
    .bind(tx.merchant())
    .bind(merge)
    .bind(survivor)
    .bind(loser)
    .execute(&mut **tx)
    .await?;
    sqlx::query("delete from person_attribute_relics where merchant_id = $1 and merge_id = $2")
        .bind(tx.merchant())
        .bind(merge)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Locks the merchant for its definitions: so that their number stays within its bound. Returns how many there are.
pub async fn lock_count(tx: &mut Tx) -> Result<i64, siyu_pg::Error> {
    sqlx::query("select from merchants where merchant_id = $1 for no key update")
        .bind(tx.merchant())
        .execute(&mut **tx)
        .await?;
    let count = sqlx::query_scalar("select count(*) from attributes where merchant_id = $1")
        .bind(tx.merchant())
        .fetch_one(&mut **tx)
        .await?;
    Ok(count)
}
