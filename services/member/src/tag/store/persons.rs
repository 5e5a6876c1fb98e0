//! The SQL of who carries which tag, and nothing else.

use chrono::{DateTime, Utc};
use siyu_pg::Tx;
use uuid::Uuid;

use crate::{person::PersonId, tag::TagId};

/// A tag that a person carries: the row.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct PersonTag {
    /// Who.
    pub person_id: PersonId,
    /// Which.
    pub tag_id: TagId,
    /// Where it came from.
    pub source: String,
    /// Since when.
    pub tagged_at: DateTime<Utc>,
    /// Until when; none: for ever.
    pub expires_at: Option<DateTime<Utc>>,
}

/// Lets persons carry tags from an instant on; returns those for whom it is news. One that ended before is news again.
pub async fn add(
    tx: &mut Tx,
    pairs: &[(PersonId, TagId)],
    source: &str,
    expires_at: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Result<Vec<PersonId>, siyu_pg::Error> {
    let news = sqlx::query_scalar(
        "insert into person_tags (merchant_id, person_id, tag_id, source, tagged_at, expires_at)
        select $1, n.*, $4, $6, $5 from unnest($2::uuid[], $3::uuid[]) as n
        on conflict on constraint person_tags_pkey do update
        set source = excluded.source, tagged_at = excluded.tagged_at, expires_at = excluded.expires_at
        where person_tags.expires_at <= excluded.tagged_at
            or person_tags.source <> excluded.source
            or person_tags.expires_at is distinct from excluded.expires_at
        returning person_id",
    )
    .bind(tx.merchant())
    .bind(pairs.iter().map(|(person, _)| *person).collect::<Vec<_>>())
    .bind(pairs.iter().map(|(_, tag)| *tag).collect::<Vec<_>>())
    .bind(source)
    .bind(expires_at)
    .bind(now)
    .fetch_all(&mut **tx)
    .await?;
    Ok(news)
}

/// Takes tags from persons; returns those who carried one.
pub async fn remove(
    tx: &mut Tx,
    pairs: &[(PersonId, TagId)],
) -> Result<Vec<PersonId>, siyu_pg::Error> {
    let had = sqlx::query_scalar(
        "delete from person_tags
        where ctid = any (array(
            select t.row
            from unnest($2::uuid[], $3::uuid[]) as k (person_id, tag_id)
            cross join lateral (
                select ctid as row
                from person_tags
                where merchant_id = $1 and person_id = k.person_id and tag_id = k.tag_id
                limit 1
            ) as t
        ))
        returning person_id",
    )
    .bind(tx.merchant())
    .bind(pairs.iter().map(|(person, _)| *person).collect::<Vec<_>>())
    .bind(pairs.iter().map(|(_, tag)| *tag).collect::<Vec<_>>())
    .fetch_all(&mut **tx)
    .await?;
    Ok(had)
}

/// The tags of persons, those that ended too.
pub async fn of_persons(
    tx: &mut Tx,
    persons: &[PersonId],
) -> Result<Vec<PersonTag>, siyu_pg::Error> {
    let tags = sqlx::query_as(
        "select t.*
        from unnest($2::uuid[]) as k (person_id)
        cross join lateral (
            select person_id, tag_id, source, tagged_at, expires_at
            from person_tags
            where merchant_id = $1 and person_id = k.person_id
            offset 0
        ) as t
        order by t.person_id, t.tag_id",
    )
    .bind(tx.merchant())
    .bind(persons)
    .fetch_all(&mut **tx)
    .await?;
    Ok(tags)
}

/// The tags that a person carries at an instant, after a tag.
pub async fn list(
    tx: &mut Tx,
    person: PersonId,
    now: DateTime<Utc>,
    after: Option<Uuid>,
    limit: i64,
) -> Result<Vec<PersonTag>, siyu_pg::Error> {
    let tags = sqlx::query_as(
        "select person_id, tag_id, source, tagged_at, expires_at
        from person_tags
        where merchant_id = $1 and person_id = $2 and (expires_at is null or expires_at > $3)
            and ($4::uuid is null or tag_id > $4)
        order by tag_id
        limit $5",
    )
    .bind(tx.merchant())
    .bind(person)
    .bind(now)
    .bind(after)
    .bind(limit)
    .fetch_all(&mut **tx)
    .await?;
    Ok(tags)
}

/// The persons who carry a tag at an instant, after a person.
pub async fn carriers(
    tx: &mut Tx,
    tag: TagId,
    now: DateTime<Utc>,
    after: Option<Uuid>,
    limit: i64,
) -> Result<Vec<PersonId>, siyu_pg::Error> {
    let persons = sqlx::query_scalar(
        "select person_id
        from person_tags
        where merchant_id = $1 and tag_id = $2 and (expires_at is null or expires_at > $3)
            and person_id > coalesce($4::uuid, '00000000-0000-0000-0000-000000000000')
        order by person_id
        limit $5",
    )
    .bind(tx.merchant())
    .bind(tag)
    .bind(now)
    .bind(after)
    .bind(limit)
    .fetch_all(&mut **tx)
    .await?;
    Ok(persons)
}

/// The persons of a stretch of ids who have a tag, ended or not.
pub async fn having(
    tx: &mut Tx,
    tag: TagId,
    after: Option<PersonId>,
    until: Option<PersonId>,
) -> Result<Vec<PersonId>, siyu_pg::Error> {
    let persons = sqlx::query_scalar(
        "select person_id
        from person_tags
        where merchant_id = $1 and tag_id = $2
            and person_id > coalesce($3::uuid, '00000000-0000-0000-0000-000000000000')
            and person_id <= coalesce($4::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff')
        order by person_id",
    )
    .bind(tx.merchant())
    .bind(tag)
    .bind(after)
    .bind(until)
    .fetch_all(&mut **tx)
    .await?;
    Ok(persons)
}

/// Which of the persons have a tag, ended or not.
pub async fn having_of(
    tx: &mut Tx,
    tag: TagId,
    persons: &[PersonId],
) -> Result<Vec<PersonId>, siyu_pg::Error> {
    let having = sqlx::query_scalar(
        "select k.person_id
        from unnest($3::uuid[]) as k (person_id)
        cross join lateral (
            select
            from person_tags
            where merchant_id = $1 and person_id = k.person_id and tag_id = $2
            limit 1
        ) as t",
    )
    .bind(tx.merchant())
    .bind(tag)
    .bind(persons)
    .fetch_all(&mut **tx)
    .await?;
    Ok(having)
}

/// Which of the persons carry so many tags or more at an instant; those that ended do not count.
pub async fn full(
    tx: &mut Tx,
    persons: &[PersonId],
    tags: i64,
    now: DateTime<Utc>,
) -> Result<Vec<PersonId>, siyu_pg::Error> {
    let full = sqlx::query_scalar(
        "select k.person_id
        from unnest($2::uuid[]) as k (person_id)
        cross join lateral (
            select count(*) as tags
            from person_tags
            where merchant_id = $1 and person_id = k.person_id and (expires_at is null or expires_at > $4)
        ) as c
        where c.tags >= $3",
    )
    .bind(tx.merchant())
    .bind(persons)
    .bind(tags)
    .bind(now)
    .fetch_all(&mut **tx)
    .await?;
    Ok(full)
}

/// Leaves persons, of those that they carry at an instant, only the latest tag of each exclusive group. One that ended takes
/// no other's place.
pub async fn keep_latest_of_exclusive(
    tx: &mut Tx,
    persons: &[PersonId],
    now: DateTime<Utc>,
) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "delete from person_tags
        where ctid = any (array(
            select o.row
            from unnest($2::uuid[]) as k (person_id)
            cross join lateral (
                select t.ctid as row, row_number() over (partition by g.group_id order by t.tagged_at desc, t.tag_id) as rank
                from person_tags t
                cross join lateral (
                    select a.group_id
                    from tags a
                    join tag_groups x on x.merchant_id = $1 and x.id = a.group_id
                    where a.merchant_id = $1 and a.id = t.tag_id and x.exclusive
                    limit 1
                ) as g
                where t.merchant_id = $1 and t.person_id = k.person_id and (t.expires_at is null or t.expires_at > $3)
            ) as o
            where o.rank > 1
        ))",
    )
    .bind(tx.merchant())
    .bind(persons)
    .bind(now)
    .execute(&mut **tx)
    .await?;
    Ok(())
}
