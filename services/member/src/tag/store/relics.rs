//! The SQL of the tags of persons who are merged or parted, and nothing else.

use chrono::{DateTime, Utc};
use siyu_pg::Tx;

use crate::person::{MergeId, PersonId};

/// Keeps what both persons of a merge carry.
pub async fn keep_relics(
    tx: &mut Tx,
    merge: MergeId,
    survivor: PersonId,
    loser: PersonId,
) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "insert into person_tag_relics (merchant_id, merge_id, person_id, tag_id, source, tagged_at, expires_at)
        select $1, $2, person_id, tag_id, source, tagged_at, expires_at
        from person_tags
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

/// Gives the loser's tags to the survivor, the later of two that hold at an instant, and leaves the loser none.
pub async fn unite(
    tx: &mut Tx,
    survivor: PersonId,
    loser: PersonId,
    now: DateTime<Utc>,
) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "insert into person_tags (merchant_id, person_id, tag_id, source, tagged_at, expires_at)
        select $1, $2, tag_id, source, tagged_at, expires_at
        from person_tags
        where merchant_id = $1 and person_id = $3
        on conflict on constraint person_tags_pkey do update
        set source = excluded.source, tagged_at = excluded.tagged_at, expires_at = excluded.expires_at
        where (person_tags.tagged_at < excluded.tagged_at or person_tags.expires_at <= $4)
            and (excluded.expires_at is null or excluded.expires_at > $4)",
    )
    .bind(tx.merchant())
    .bind(survivor)
    .bind(loser)
    .bind(now)
    .execute(&mut **tx)
    .await?;
    sqlx::query("delete from person_tags where merchant_id = $1 and person_id = $2")
        .bind(tx.merchant())
        .bind(loser)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Takes from the survivor what a merge brought, unless it came anew, and gives both what they carried.
pub async fn part(
    tx: &mut Tx,
    merge: MergeId,
    survivor: PersonId,
    loser: PersonId,
) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "delete from person_tags t
        using person_tag_relics r
        where t.merchant_id = $1 and t.person_id = $3 and r.merchant_id = $1 and r.merge_id = $2 and r.person_id = $4
            and t.tag_id = r.tag_id and t.tagged_at = r.tagged_at",
    )
    .bind(tx.merchant())
    .bind(merge)
    .bind(survivor)
    .bind(loser)
    .execute(&mut **tx)
    .await?;
    sqlx::query(
        "insert into person_tags (merchant_id, person_id, tag_id, source, tagged_at, expires_at)
        select $1, case when person_id = $4 then $4 else $3 end, tag_id, source, tagged_at, expires_at
        from person_tag_relics
        where merchant_id = $1 and merge_id = $2
        on conflict on constraint person_tags_pkey do nothing",
    )
    .bind(tx.merchant())
    .bind(merge)
    .bind(survivor)
    .bind(loser)
    .execute(&mut **tx)
    .await?;
    sqlx::query("delete from person_tag_relics where merchant_id = $1 and merge_id = $2")
        .bind(tx.merchant())
        .bind(merge)
        .execute(&mut **tx)
        .await?;
    Ok(())
}
