//! The SQL of tags and their groups, and nothing else.

pub mod marks;
pub mod persons;
pub mod relics;

use chrono::{DateTime, Utc};
use siyu_kernel::{Id, kind::Merchant};
use siyu_pg::{OnConstraint, SystemTx, Tx};
use uuid::Uuid;

use super::{Error, Tag, TagGroup, TagId};
use crate::person::PersonId;

/// A rule that is to be computed: the row.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Due {
    /// Whose tag it is.
    pub merchant_id: Id<Merchant>,
    /// The tag.
    pub id: TagId,
    /// The rule, encoded.
    pub rule: Vec<u8>,
    /// Up to whom it is computed already.
    pub cursor_person_id: Option<PersonId>,
}

/// A rule: the row.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Rule {
    /// The tag.
    pub id: TagId,
    /// The rule, encoded.
    pub rule: Vec<u8>,
}

/// Locks the merchant for its definitions: so that their number stays within its bound. Returns how many tags and groups
/// there are.
pub async fn lock_counts(tx: &mut Tx) -> Result<(i64, i64), siyu_pg::Error> {
    sqlx::query("select from merchants where merchant_id = $1 for no key update")
        .bind(tx.merchant())
        .execute(&mut **tx)
        .await?;
    let counts = sqlx::query_as(
        "select (select count(*) from tags where merchant_id = $1), (select count(*) from tag_groups where merchant_id = $1)",
    )
    .bind(tx.merchant())
    .fetch_one(&mut **tx)
    .await?;
    Ok(counts)
}

/// Inserts a group.
pub async fn insert_group(tx: &mut Tx, group: &TagGroup) -> Result<(), Error> {
    sqlx::query(
        "insert into tag_groups (merchant_id, id, name, exclusive, created_at) values ($1, $2, $3, $4, $5)",
    )
    .bind(tx.merchant())
    .bind(group.id)
    .bind(&group.name)
    .bind(group.exclusive)
    .bind(group.created_at)
    .execute(&mut **tx)
    .await
    .on_constraint("tag_groups_name_key", Error::GroupNameTaken)?;
    Ok(())
}

/// One group.
pub async fn find_group(
    tx: &mut Tx,
    id: super::TagGroupId,
) -> Result<Option<TagGroup>, siyu_pg::Error> {
    let group = sqlx::query_as(
        "select id, name, exclusive, created_at from tag_groups where merchant_id = $1 and id = $2",
    )
    .bind(tx.merchant())
    .bind(id)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(group)
}

/// Groups after an id, oldest first.
pub async fn list_groups(
    tx: &mut Tx,
    after: Option<Uuid>,
    limit: i64,
) -> Result<Vec<TagGroup>, siyu_pg::Error> {
    let groups = sqlx::query_as(
        "select id, name, exclusive, created_at
        from tag_groups
        where merchant_id = $1 and ($2::uuid is null or id > $2)
        order by id
        limit $3",
    )
    .bind(tx.merchant())
    .bind(after)
    .bind(limit)
    .fetch_all(&mut **tx)
    .await?;
    Ok(groups)
}

/// Inserts a tag.
pub async fn insert(tx: &mut Tx, tag: &Tag) -> Result<(), Error> {
    sqlx::query(
        "insert into tags (merchant_id, id, group_id, name, kind, rule, due_at, created_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(tx.merchant())
    .bind(tag.id)
    .bind(tag.group_id)
    .bind(&tag.name)
    .bind(tag.kind.as_str())
    .bind(&tag.rule)
    .bind(tag.due_at)
    .bind(tag.created_at)
    .execute(&mut **tx)
    .await
    .on_constraints(|name| match name {
        "tags_group_id_name_key" => Some(Error::NameTaken),
        "tags_group_id_fkey" => Some(Error::GroupNotFound),
        _ => None,
    })?;
    Ok(())
}

/// One tag.
pub async fn find(tx: &mut Tx, id: TagId) -> Result<Option<Tag>, siyu_pg::Error> {
    let tag = sqlx::query_as(
        "select id, group_id, name, kind, rule, due_at, computed_at, created_at from tags where merchant_id = $1 and id = $2",
    )
    .bind(tx.merchant())
    .bind(id)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(tag)
}

/// Locks tags, in the order of their ids; those that are not there are not among them.
pub async fn lock(tx: &mut Tx, ids: &[TagId]) -> Result<Vec<Tag>, siyu_pg::Error> {
    let tags = sqlx::query_as(
        "select id, group_id, name, kind, rule, due_at, computed_at, created_at
        from tags
        where merchant_id = $1 and id = any ($2)
        order by id
        for no key update",
    )
    .bind(tx.merchant())
    .bind(ids)
    .fetch_all(&mut **tx)
    .await?;
    Ok(tags)
}

/// Keeps tags from being deleted and from getting another rule, in the order of their ids.
pub async fn share(tx: &mut Tx, ids: &[TagId]) -> Result<Vec<Tag>, siyu_pg::Error> {
    let tags = sqlx::query_as(
        "select id, group_id, name, kind, rule, due_at, computed_at, created_at
        from tags
        where merchant_id = $1 and id = any ($2)
        order by id
        for key share",
    )
    .bind(tx.merchant())
    .bind(ids)
    .fetch_all(&mut **tx)
    .await?;
    Ok(tags)
}

/// Saves name and rule of a tag that is locked; a rule is computed from the first person on.
pub async fn save(tx: &mut Tx, tag: &Tag) -> Result<(), Error> {
    sqlx::query(
        "update tags set name = $3, rule = $4, due_at = $5, cursor_person_id = null where merchant_id = $1 and id = $2",
    )
    .bind(tx.merchant())
    .bind(tag.id)
    .bind(&tag.name)
    .bind(&tag.rule)
    .bind(tag.due_at)
    .execute(&mut **tx)
    .await
    .on_constraint("tags_group_id_name_key", Error::NameTaken)?;
    Ok(())
}

/// Deletes a tag and takes it from everyone.
pub async fn delete(tx: &mut Tx, id: TagId) -> Result<(), siyu_pg::Error> {
    sqlx::query("delete from person_tags where merchant_id = $1 and tag_id = $2")
        .bind(tx.merchant())
        .bind(id)
        .execute(&mut **tx)
        .await?;
    sqlx::query("delete from person_tag_relics where merchant_id = $1 and tag_id = $2")
        .bind(tx.merchant())
        .bind(id)
        .execute(&mut **tx)
        .await?;
    sqlx::query("delete from tags where merchant_id = $1 and id = $2")
        .bind(tx.merchant())
        .bind(id)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Tags after an id, oldest first.
pub async fn list(
    tx: &mut Tx,
    after: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Tag>, siyu_pg::Error> {
    let tags = sqlx::query_as(
        "select id, group_id, name, kind, rule, due_at, computed_at, created_at
        from tags
        where merchant_id = $1 and ($2::uuid is null or id > $2)
        order by id
        limit $3",
    )
    .bind(tx.merchant())
    .bind(after)
    .bind(limit)
    .fetch_all(&mut **tx)
    .await?;
    Ok(tags)
}

/// Locks a tag whose rule is due and that nobody else computes.
pub async fn lock_due(
    tx: &mut SystemTx,
    now: DateTime<Utc>,
) -> Result<Option<Due>, siyu_pg::Error> {
    let due = sqlx::query_as(
        "select merchant_id, id, rule, cursor_person_id
        from tags
        where due_at <= $1
        order by due_at
        limit 1
        for no key update skip locked",
    )
    .bind(now)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(due)
}

/// The rules of the merchant, kept from being changed and from being computed for everyone.
pub async fn share_rules(tx: &mut Tx) -> Result<Vec<Rule>, siyu_pg::Error> {
    let rules = sqlx::query_as(
        "select id, rule
        from tags
        where merchant_id = $1 and kind = 'rule'
        order by id
        for share",
    )
    .bind(tx.merchant())
    .fetch_all(&mut **tx)
    .await?;
    Ok(rules)
}

/// Notes how far a rule is computed; without a person the round is over, and the next begins at `due_at`.
pub async fn note_computed(
    tx: &mut Tx,
    id: TagId,
    up_to: Option<PersonId>,
    due_at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "update tags
        set cursor_person_id = $3,
            due_at = case when $3::uuid is null then $4 else due_at end,
            computed_at = case when $3::uuid is null then $5 else computed_at end
        where merchant_id = $1 and id = $2",
    )
    .bind(tx.merchant())
    .bind(id)
    .bind(up_to)
    .bind(due_at)
    .bind(now)
    .execute(&mut **tx)
    .await?;
    Ok(())
}
