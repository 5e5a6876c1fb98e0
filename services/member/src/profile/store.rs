//! The SQL of profiles and nothing else. What is searched by stands beside it.

pub mod traits;

use chrono::{DateTime, Utc};
use siyu_pg::Tx;

use crate::person::PersonId;

/// A profile: the row.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Row {
    /// Of whom it was said.
    pub person_id: PersonId,
    /// All of it, sealed.
    pub sealed: Vec<u8>,
    /// The aliases whose rows it holds already.
    pub folded: Vec<PersonId>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

/// What stands in clear, to be searched by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Searched<'a> {
    /// The gender.
    pub gender: Option<&'static str>,
    /// The month of the birthday.
    pub birth_month: Option<i16>,
    /// The keyed digest of its month and day; empty: none.
    pub birth_digest: String,
    /// The province.
    pub province: Option<&'a str>,
    /// The city.
    pub city: Option<&'a str>,
    /// The language.
    pub language: Option<&'a str>,
}

/// Lets no other change of the person's profile happen before the transaction ends.
pub async fn lock(tx: &mut Tx, id: PersonId) -> Result<(), siyu_pg::Error> {
    sqlx::query("select from persons where merchant_id = $1 and id = $2 for no key update")
        .bind(tx.merchant())
        .bind(id)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// What was said of a person and of its aliases, newest first.
pub async fn list(tx: &mut Tx, id: PersonId) -> Result<Vec<Row>, siyu_pg::Error> {
    let rows = sqlx::query_as(
        "select person_id, sealed, folded, updated_at
        from profiles
        where merchant_id = $1 and person_id = $2
        union all
        select p.person_id, p.sealed, p.folded, p.updated_at
        from persons as alias
        cross join lateral (
            select person_id, sealed, folded, updated_at
            from profiles
            where merchant_id = $1 and person_id = alias.id
            limit 1
        ) as p
        where alias.merchant_id = $1 and alias.merged_into = $2
        order by updated_at desc, person_id",
    )
    .bind(tx.merchant())
    .bind(id)
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows)
}

/// Keeps a profile.
pub async fn save(tx: &mut Tx, row: &Row, searched: &Searched<'_>) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "insert into profiles (merchant_id, person_id, sealed, folded, gender, birth_month, province, city, language,
            updated_at, birth_digest)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
        on conflict on constraint profiles_pkey do update
        set sealed = excluded.sealed, folded = excluded.folded, gender = excluded.gender,
            birth_month = excluded.birth_month, province = excluded.province, city = excluded.city,
            language = excluded.language, updated_at = excluded.updated_at, birth_digest = excluded.birth_digest",
    )
    .bind(tx.merchant())
    .bind(row.person_id)
    .bind(&row.sealed)
    .bind(&row.folded)
    .bind(searched.gender)
    .bind(searched.birth_month)
    .bind(searched.province)
    .bind(searched.city)
    .bind(searched.language)
    .bind(row.updated_at)
    .bind(&searched.birth_digest)
    .execute(&mut **tx)
    .await?;
    Ok(())
}
