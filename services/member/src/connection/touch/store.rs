//! The SQL of touches and nothing else.

use chrono::{DateTime, Utc};
use siyu_pg::Tx;

use crate::person::{Merge, PersonId};

/// Keeps signs, given in order, each once: of those that stand and those that are new the latest two of a person and kind.
/// Returns how many persons and kinds changed.
pub async fn record(
    tx: &mut Tx,
    signs: &[(PersonId, &str, DateTime<Utc>)],
) -> Result<u64, siyu_pg::Error> {
    // The latest two of the new ones first; they then meet what stands, under its row's lock.
    let done = sqlx::query(
        "insert into touches (merchant_id, person_id, kind, last_at, previous_at)
        select $1, person_id, kind, (array_agg(at order by at desc))[1], (array_agg(at order by at desc))[2]
        from unnest($2::uuid[], $3::text[], $4::timestamptz[]) as n (person_id, kind, at)
        group by person_id, kind
        order by person_id, kind
        on conflict on constraint touches_pkey do update
        set last_at = greatest(touches.last_at, excluded.last_at),
            previous_at = (
                select max(at)
                from unnest(array[touches.last_at, touches.previous_at, excluded.last_at, excluded.previous_at]) as t (at)
                where at < greatest(touches.last_at, excluded.last_at)
            )
        where excluded.last_at > coalesce(touches.previous_at, '-infinity') and excluded.last_at <> touches.last_at
            or excluded.previous_at > coalesce(touches.previous_at, '-infinity')
                and excluded.previous_at <> touches.last_at",
    )
    .bind(tx.merchant())
    .bind(signs.iter().map(|(person, ..)| *person).collect::<Vec<_>>())
    .bind(signs.iter().map(|(_, kind, _)| *kind).collect::<Vec<_>>())
    .bind(signs.iter().map(|(.., at)| *at).collect::<Vec<_>>())
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected())
}

/// Gives the survivor of a merge the loser's signs too. The loser's rows stay and hold again when the merge is undone; the
/// survivor keeps what it got, which ends by itself within 90 days.
pub async fn merge(tx: &mut Tx, merge: &Merge) -> Result<(), siyu_pg::Error> {
    let signs: Vec<(PersonId, String, DateTime<Utc>)> = sqlx::query_as(
        "select $3::uuid, kind, at
        from touches
        cross join lateral unnest(array[last_at, previous_at]) as t (at)
        where merchant_id = $1 and person_id = $2 and at is not null
        order by kind, at",
    )
    .bind(tx.merchant())
    .bind(merge.loser)
    .bind(merge.survivor)
    .fetch_all(&mut **tx)
    .await?;
    let signs: Vec<_> =
        signs.iter().map(|(person, kind, at)| (*person, kind.as_str(), *at)).collect();
    if !signs.is_empty() {
        record(tx, &signs).await?;
    }
    Ok(())
}
