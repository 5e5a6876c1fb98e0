//! The SQL of connections and nothing else.

use chrono::{DateTime, Utc};
use siyu_pg::Tx;

use super::{Connection, State};
use crate::person::{Merge, PersonId, Unmerge, store::moving::Owned};

/// Edges of persons.
pub const EDGES: Owned = Owned { table: "connections", unique: &["channel", "account_id"] };

/// Stores facts, each edge at most once; returns those that were news. An older fact changes nothing.
pub async fn record(
    tx: &mut Tx,
    facts: &[Connection],
    now: DateTime<Utc>,
) -> Result<Vec<Connection>, siyu_pg::Error> {
    let news = sqlx::query_as(
        "insert into connections (merchant_id, person_id, channel, account_id, state, state_at, source, reason, created_at)
        select $1, n.*, $9
        from unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::timestamptz[], $7::text[], $8::text[]) as n
        on conflict on constraint connections_pkey do update
        set state = excluded.state, state_at = excluded.state_at, source = excluded.source, reason = excluded.reason
        where connections.state_at < excluded.state_at
        returning person_id, channel, account_id, state, state_at, source, reason",
    )
    .bind(tx.merchant())
    .bind(facts.iter().map(|c| c.person_id).collect::<Vec<_>>())
    .bind(facts.iter().map(|c| c.channel.as_str()).collect::<Vec<_>>())
    .bind(facts.iter().map(|c| c.account_id.as_str()).collect::<Vec<_>>())
    .bind(facts.iter().map(|c| c.state.as_str()).collect::<Vec<_>>())
    .bind(facts.iter().map(|c| c.state_at).collect::<Vec<_>>())
    .bind(facts.iter().map(|c| c.source.as_str()).collect::<Vec<_>>())
    .bind(facts.iter().map(|c| c.reason.as_str()).collect::<Vec<_>>())
    .bind(now)
    .fetch_all(&mut **tx)
    .await?;
    Ok(news)
}

/// The edges of a person after a channel account.
pub async fn list(
    tx: &mut Tx,
    person_id: PersonId,
    after: Option<&(String, String)>,
    limit: i64,
) -> Result<Vec<Connection>, siyu_pg::Error> {
    let connections = sqlx::query_as(
        "select person_id, channel, account_id, state, state_at, source, reason
        from connections
        where merchant_id = $1 and person_id = $2 and ($3::text is null or (channel, account_id) > ($3, $4::text))
        order by channel, account_id
        limit $5",
    )
    .bind(tx.merchant())
    .bind(person_id)
    .bind(after.map(|(channel, _)| channel))
    .bind(after.map(|(_, account)| account))
    .bind(limit)
    .fetch_all(&mut **tx)
    .await?;
    Ok(connections)
}

/// Puts the loser's later facts over the survivor's and keeps what stood there.
pub async fn overwrite(tx: &mut Tx, merge: &Merge) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "with later as (
            select l.channel, l.account_id, l.state, l.state_at, l.source, l.reason, s.state as former_state,
                s.state_at as former_state_at, s.source as former_source, s.reason as former_reason
            from connections as l
            join connections as s on s.merchant_id = $1 and s.person_id = $3 and s.channel = l.channel
                and s.account_id = l.account_id and s.state_at < l.state_at
            where l.merchant_id = $1 and l.person_id = $4
        ), kept as (
            insert into connection_relics (merchant_id, merge_id, channel, account_id, state, state_at, source, reason)
            select $1, $2, channel, account_id, former_state, former_state_at, former_source, former_reason from later
        )
        update connections as s
        set state = l.state, state_at = l.state_at, source = l.source, reason = l.reason
        from later as l
        where s.merchant_id = $1 and s.person_id = $3 and s.channel = l.channel and s.account_id = l.account_id",
    )
    .bind(tx.merchant())
    .bind(merge.id)
    .bind(merge.survivor)
    .bind(merge.loser)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Puts back what the merge had overwritten, unless a later fact has come since: at the survivor, and at whoever that one was
/// merged into. A merge that overwrote the loser's fact in its turn now remembers what was before both.
pub async fn restore(tx: &mut Tx, unmerge: &Unmerge) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "with recursive line as (
            select survivor_id as id from person_merges where merchant_id = $1 and id = $2
            union
            select m.survivor_id
            from line as l
            join person_merges as m on m.merchant_id = $1 and m.loser_id = l.id and m.unmerged_at is null
        ), relics as (
            delete from connection_relics where merchant_id = $1 and merge_id = $2
            returning channel, account_id, state, state_at, source, reason
        ), brought as (
            select r.channel, r.account_id, r.state, r.state_at, r.source, r.reason, l.state_at as brought_at
            from relics as r
            join connections as l on l.merchant_id = $1 and l.person_id = $3 and l.channel = r.channel
                and l.account_id = r.account_id
        ), chained as (
            update connection_relics as o
            set state = b.state, state_at = b.state_at, source = b.source, reason = b.reason
            from brought as b
            where o.merchant_id = $1 and o.merge_id <> $2 and o.channel = b.channel and o.account_id = b.account_id
                and o.state_at = b.brought_at
                and o.merge_id in (
                    select m.id
                    from line as l
                    join person_merges as m on m.merchant_id = $1 and m.survivor_id = l.id and m.unmerged_at is null
                )
        )
        update connections as s
        set state = b.state, state_at = b.state_at, source = b.source, reason = b.reason
        from brought as b
        where s.merchant_id = $1 and s.person_id in (select id from line) and s.channel = b.channel
            and s.account_id = b.account_id and s.state_at = b.brought_at",
    )
    .bind(tx.merchant())
    .bind(unmerge.id)
    .bind(unmerge.loser)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The edges to an account of the merchant, by person.
pub async fn of_account(
    tx: &mut Tx,
    (channel, account_id): (&str, &str),
    state: Option<State>,
    after: Option<PersonId>,
    limit: i64,
) -> Result<Vec<Connection>, siyu_pg::Error> {
    // A person who became an alias may have left a row behind.
    let connections = sqlx::query_as(
        "select c.person_id, c.channel, c.account_id, c.state, c.state_at, c.source, c.reason
        from connections c
        cross join lateral (
            select merged_into from persons where merchant_id = $1 and id = c.person_id limit 1
        ) as p
        where c.merchant_id = $1 and c.channel = $2 and c.account_id = $3 and p.merged_into is null
            and ($4::text is null or c.state = $4) and ($5::uuid is null or c.person_id > $5)
        order by c.person_id
        limit $6",
    )
    .bind(tx.merchant())
    .bind(channel)
    .bind(account_id)
    .bind(state)
    .bind(after)
    .bind(limit)
    .fetch_all(&mut **tx)
    .await?;
    Ok(connections)
}
