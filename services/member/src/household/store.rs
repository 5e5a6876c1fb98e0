//! The SQL of relations and nothing else.

use siyu_pg::Tx;

use super::{Kind, Relation};
use crate::person::{MergeId, PersonId};

/// Locks two persons, so that what each has is counted by one at a time.
pub async fn lock(tx: &mut Tx, pair: [PersonId; 2]) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "select id from persons where merchant_id = $1 and id in ($2, $3) order by id for no key update",
    )
    .bind(tx.merchant())
    .bind(pair[0])
    .bind(pair[1])
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Locks the invitations of the merchant: a circle may be closed by several at once.
pub async fn lock_invitations(tx: &mut Tx) -> Result<(), siyu_pg::Error> {
    sqlx::query("select merchant_id from merchants where merchant_id = $1 for update")
        .bind(tx.merchant())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// The relation of a kind between two persons.
pub async fn find(
    tx: &mut Tx,
    person: PersonId,
    kind: Kind,
    other: PersonId,
) -> Result<Option<Relation>, siyu_pg::Error> {
    let relation = sqlx::query_as(
        "select person_id, kind, other_id, since_at, source
        from relations
        where merchant_id = $1 and person_id = $2 and kind = $3 and other_id = $4",
    )
    .bind(tx.merchant())
    .bind(person)
    .bind(kind)
    .bind(other)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(relation)
}

/// How many relations of a kind a person has, with persons who are no aliases; an inviter counts under any id.
pub async fn count(tx: &mut Tx, person: PersonId, kind: Kind) -> Result<i64, siyu_pg::Error> {
    let count = sqlx::query_scalar(
        "select count(*)
        from relations r
        cross join lateral (select merged_into from persons where merchant_id = $1 and id = r.other_id limit 1) as p
        where r.merchant_id = $1 and r.person_id = $2 and r.kind = $3
            and (p.merged_into is null or r.kind = 'invited_by')",
    )
    .bind(tx.merchant())
    .bind(person)
    .bind(kind)
    .fetch_one(&mut **tx)
    .await?;
    Ok(count)
}

/// Whether somebody stands in the line of those who invited a person.
pub async fn is_inviter(
    tx: &mut Tx,
    inviter: PersonId,
    of: PersonId,
) -> Result<bool, siyu_pg::Error> {
    let found = sqlx::query_scalar(
        "with recursive line as (
            select $2::uuid as id
            union
            select r.other_id
            from line l
            join relations r on r.merchant_id = $1 and r.person_id = l.id and r.kind = 'invited_by'
        )
        select exists (select from line where id = $3)",
    )
    .bind(tx.merchant())
    .bind(of)
    .bind(inviter)
    .fetch_one(&mut **tx)
    .await?;
    Ok(found)
}

/// Keeps a relation, seen from both sides.
pub async fn insert(tx: &mut Tx, relation: &Relation) -> Result<(), siyu_pg::Error> {
    let both = [relation.clone(), relation.inverse()];
    sqlx::query(
        "insert into relations (merchant_id, person_id, kind, other_id, since_at, source)
        select $1, * from unnest($2::uuid[], $3::text[], $4::uuid[], $5::timestamptz[], $6::text[])
        on conflict on constraint relations_pkey do nothing",
    )
    .bind(tx.merchant())
    .bind(both.iter().map(|r| r.person_id).collect::<Vec<_>>())
    .bind(both.iter().map(|r| r.kind.as_str()).collect::<Vec<_>>())
    .bind(both.iter().map(|r| r.other_id).collect::<Vec<_>>())
    .bind(both.iter().map(|r| r.since_at).collect::<Vec<_>>())
    .bind(both.iter().map(|r| r.source.as_str()).collect::<Vec<_>>())
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Ends a relation on both sides; returns how many rows stood.
pub async fn delete(
    tx: &mut Tx,
    person: PersonId,
    kind: Kind,
    other: PersonId,
) -> Result<u64, siyu_pg::Error> {
    let done = sqlx::query(
        "delete from relations
        where merchant_id = $1
            and (person_id = $2 and kind = $3 and other_id = $4 or person_id = $4 and kind = $5 and other_id = $2)",
    )
    .bind(tx.merchant())
    .bind(person)
    .bind(kind)
    .bind(other)
    .bind(kind.inverse())
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected())
}

/// The relations of a person after a kind and person; those with aliases stand with whom they go by.
pub async fn list(
    tx: &mut Tx,
    person: PersonId,
    kind: Option<Kind>,
    after: Option<&(String, PersonId)>,
    limit: i64,
) -> Result<Vec<Relation>, siyu_pg::Error> {
    let relations = sqlx::query_as(
        "select r.person_id, r.kind, r.other_id, r.since_at, r.source
        from relations r
        cross join lateral (select merged_into from persons where merchant_id = $1 and id = r.other_id limit 1) as p
        where r.merchant_id = $1 and r.person_id = $2 and p.merged_into is null
            and ($3::text is null or r.kind = $3)
            and ($4::text is null or (r.kind, r.other_id) > ($4, $5::uuid))
        order by r.kind, r.other_id
        limit $6",
    )
    .bind(tx.merchant())
    .bind(person)
    .bind(kind)
    .bind(after.map(|(kind, _)| kind))
    .bind(after.map(|(_, other)| *other))
    .bind(limit)
    .fetch_all(&mut **tx)
    .await?;
    Ok(relations)
}

/// Gives the survivor of a merge the loser's relations. The loser's rows stay: nobody sees them while it is an alias, and they
/// hold again when the merge is undone. Who invited the survivor stays; the two of a merge have no relation with each other.
pub async fn merge(
    tx: &mut Tx,
    merge: MergeId,
    survivor: PersonId,
    loser: PersonId,
) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "with given as (
            insert into relations (merchant_id, person_id, kind, other_id, since_at, source, merge_id)
            select $1, $3, r.kind, r.other_id, r.since_at, r.source, $2
            from relations r
            cross join lateral (select merged_into from persons where merchant_id = $1 and id = r.other_id limit 1) as p
            where r.merchant_id = $1 and r.person_id = $4 and r.other_id <> $3 and p.merged_into is null
            on conflict do nothing
            returning kind, other_id, since_at, source
        )
        insert into relations (merchant_id, person_id, kind, other_id, since_at, source, merge_id)
        select $1, other_id,
            case kind when 'invited' then 'invited_by' when 'invited_by' then 'invited' else kind end,
            $3, since_at, source, $2
        from given
        where kind <> 'invited'
        on conflict do nothing",
    )
    .bind(tx.merchant())
    .bind(merge)
    .bind(survivor)
    .bind(loser)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Whom an alias invited goes by whom the alias goes by: one row, for a person has one inviter.
pub async fn follow_inviter(
    tx: &mut Tx,
    from: PersonId,
    to: PersonId,
    invited_by: PersonId,
) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "update relations i
        set other_id = $3
        where i.merchant_id = $1 and i.kind = 'invited_by' and i.other_id = $2 and i.person_id in (
            select other_id from relations where merchant_id = $1 and person_id = $4 and kind = 'invited'
        )",
    )
    .bind(tx.merchant())
    .bind(from)
    .bind(to)
    .bind(invited_by)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Takes back what a merge gave.
pub async fn unmerge(tx: &mut Tx, merge: MergeId) -> Result<(), siyu_pg::Error> {
    sqlx::query("delete from relations where merchant_id = $1 and merge_id = $2")
        .bind(tx.merchant())
        .bind(merge)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Forgets every relation of a person.
pub async fn forget(tx: &mut Tx, person: PersonId) -> Result<u64, siyu_pg::Error> {
    let done = sqlx::query(
        "delete from relations where merchant_id = $1 and (person_id = $2 or other_id = $2)",
    )
    .bind(tx.merchant())
    .bind(person)
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected())
}
