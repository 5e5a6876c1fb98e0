//! The SQL of merges and reviews and nothing else.

use chrono::{DateTime, Utc};
use siyu_kernel::Id;
use siyu_pg::Tx;
use uuid::Uuid;

use super::{Merge, Review, ReviewId, ReviewState, shown};
use crate::{
    App,
    person::{MergeId, PersonId, domain::Identity, resolution::Conflict},
};

/// Keeps a merge.
pub async fn insert(tx: &mut Tx, merge: &Merge) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "insert into person_merges (merchant_id, id, survivor_id, loser_id, reason, note, keys, merged_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(tx.merchant())
    .bind(merge.id)
    .bind(merge.survivor_id)
    .bind(merge.loser_id)
    .bind(merge.reason.as_str())
    .bind(&merge.note)
    .bind(&merge.keys)
    .bind(merge.merged_at)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Locks a merge.
pub async fn lock(tx: &mut Tx, id: MergeId) -> Result<Option<Merge>, siyu_pg::Error> {
    let merge = sqlx::query_as(
        "select id, survivor_id, loser_id, reason, note, keys, merged_at, unmerged_at
        from person_merges
        where merchant_id = $1 and id = $2
        for update",
    )
    .bind(tx.merchant())
    .bind(id)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(merge)
}

/// Keeps that a merge was undone.
pub async fn undo(
    tx: &mut Tx,
    id: MergeId,
    now: DateTime<Utc>,
    note: &str,
) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "update person_merges set unmerged_at = $3, unmerge_note = $4 where merchant_id = $1 and id = $2",
    )
    .bind(tx.merchant())
    .bind(id)
    .bind(now)
    .bind(note)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// A person and whoever was merged into it and still is, directly or through others.
pub async fn family(tx: &mut Tx, person: PersonId) -> Result<Vec<PersonId>, siyu_pg::Error> {
    let family = sqlx::query_scalar(
        "with recursive family as (
            select $2::uuid as id
            union
            select m.loser_id
            from family as f
            join person_merges as m on m.merchant_id = $1 and m.survivor_id = f.id and m.unmerged_at is null
        )
        select id from family order by id",
    )
    .bind(tx.merchant())
    .bind(person)
    .fetch_all(&mut **tx)
    .await?;
    Ok(family)
}

/// Merges before one, newest first, in which one of the persons survived or lost; `None` for all.
pub async fn list(
    tx: &mut Tx,
    persons: Option<&[PersonId]>,
    after: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Merge>, siyu_pg::Error> {
    let merges = sqlx::query_as(
        "select id, survivor_id, loser_id, reason, note, keys, merged_at, unmerged_at
        from person_merges
        where merchant_id = $1 and ($3::uuid is null or id < $3)
            and ($2::uuid[] is null or survivor_id = any($2) or loser_id = any($2))
        order by id desc
        limit $4",
    )
    .bind(tx.merchant())
    .bind(persons)
    .bind(after)
    .bind(limit)
    .fetch_all(&mut **tx)
    .await?;
    Ok(merges)
}

/// Opens reviews, each for other persons; one that was opened before stays as it is.
pub async fn open_reviews(
    app: &App,
    tx: &mut Tx,
    conflicts: &[Conflict],
    now: DateTime<Utc>,
) -> Result<(), siyu_pg::Error> {
    for conflict in conflicts {
        let persons: Vec<PersonId> = conflict.persons.iter().copied().collect();
        sqlx::query(
            "insert into merge_reviews (merchant_id, id, person_ids, keys, state, created_at)
            values ($1, $2, $3, $4, 'open', $5)
            on conflict on constraint merge_reviews_person_ids_key do nothing",
        )
        .bind(tx.merchant())
        .bind(ReviewId::from_uuid(app.ids.uuid()))
        .bind(&persons)
        .bind(shown(&conflict.keys))
        .bind(now)
        .execute(&mut **tx)
        .await?;
    }
    Ok(())
}

/// Locks a review.
pub async fn lock_review(tx: &mut Tx, id: ReviewId) -> Result<Option<Review>, siyu_pg::Error> {
    let review = sqlx::query_as(
        "select id, person_ids, keys, state, note, created_at, decided_at
        from merge_reviews
        where merchant_id = $1 and id = $2
        for update",
    )
    .bind(tx.merchant())
    .bind(id)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(review)
}

/// Keeps the decision of a review.
pub async fn save_review(tx: &mut Tx, review: &Review) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "update merge_reviews set state = $3, note = $4, decided_at = $5 where merchant_id = $1 and id = $2",
    )
    .bind(tx.merchant())
    .bind(review.id)
    .bind(review.state.as_str())
    .bind(&review.note)
    .bind(review.decided_at)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Reviews before one, newest first, of a state or of all.
pub async fn list_reviews(
    tx: &mut Tx,
    state: Option<ReviewState>,
    after: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Review>, siyu_pg::Error> {
    let reviews = sqlx::query_as(
        "select id, person_ids, keys, state, note, created_at, decided_at
        from merge_reviews
        where merchant_id = $1 and ($2::text is null or state = $2) and ($3::uuid is null or id < $3)
        order by id desc
        limit $4",
    )
    .bind(tx.merchant())
    .bind(state.map(ReviewState::as_str))
    .bind(after)
    .bind(limit)
    .fetch_all(&mut **tx)
    .await?;
    Ok(reviews)
}

/// Keeps that persons are not one, each from each other.
pub async fn keep_apart(
    tx: &mut Tx,
    ones: &[PersonId],
    others: &[PersonId],
    now: DateTime<Utc>,
) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "insert into persons_apart (merchant_id, person_id, other_person_id, created_at)
        select $1, p.one, p.other, $4
        from unnest($2::uuid[]) as a (id)
        cross join unnest($3::uuid[]) as b (id)
        cross join lateral (values (a.id, b.id), (b.id, a.id)) as p (one, other)
        where a.id <> b.id
        on conflict on constraint persons_apart_pkey do nothing",
    )
    .bind(tx.merchant())
    .bind(ones)
    .bind(others)
    .bind(now)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Takes a key from its holder and keeps that it was there; returns who held it.
pub async fn release(
    tx: &mut Tx,
    id: Uuid,
    key: &Identity,
    note: &str,
    now: DateTime<Utc>,
) -> Result<Option<PersonId>, siyu_pg::Error> {
    let holder: Option<Uuid> = sqlx::query_scalar(
        "with released as (
            delete from identities where merchant_id = $1 and kind = $3 and scope = $4 and value = $5
            returning person_id
        )
        insert into released_identities (merchant_id, id, kind, scope, value, person_id, note, released_at)
        select $1, $2, $3, $4, $5, person_id, $6, $7 from released
        returning person_id",
    )
    .bind(tx.merchant())
    .bind(id)
    .bind(key.kind.as_str())
    .bind(&key.scope)
    .bind(&key.value)
    .bind(note)
    .bind(now)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(holder.map(Id::from_uuid))
}
