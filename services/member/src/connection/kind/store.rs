//! The SQL of kinds of connections and nothing else.

use siyu_pg::Tx;

use super::domain::Evidence;
use crate::person::PersonId;

/// What is known of a person, in one statement.
pub async fn evidence(tx: &mut Tx, person: PersonId) -> Result<Evidence, siyu_pg::Error> {
    let evidence = sqlx::query_as(
        "select
            (
                select max(state_at) from connections
                where merchant_id = $1 and person_id = $2 and channel = 'official_account' and state = 'connected'
            ) as followed_at,
            (
                select last_at from touches where merchant_id = $1 and person_id = $2 and kind = 'live'
            ) as watched_at,
            (
                select previous_at from touches where merchant_id = $1 and person_id = $2 and kind = 'content'
            ) as read_twice_at,
            (
                select last_at from touches where merchant_id = $1 and person_id = $2 and kind = 'content_group'
            ) as joined_at,
            exists (
                select from connections
                where merchant_id = $1 and person_id = $2 and channel = 'wecom' and state = 'connected'
            ) as is_friend,
            (
                select max(both_at)
                from (
                    select min(last_at) as both_at
                    from interactions
                    where merchant_id = $1 and person_id = $2 and kind in ('message_to_person', 'message_from_person')
                    group by staff_id
                    having count(*) = 2
                ) as talks
            ) as talked_at,
            exists (select from person_purchases where merchant_id = $1 and person_id = $2) as has_bought,
            exists (
                select from identities where merchant_id = $1 and person_id = $2 and kind = 'phone'
            ) as is_registered,
            (
                select min(approved_at)
                from promoters
                where merchant_id = $1 and person_id in (
                    select $2 union all select id from persons where merchant_id = $1 and merged_into = $2
                )
            ) as promotes_since",
    )
    .bind(tx.merchant())
    .bind(person)
    .fetch_one(&mut **tx)
    .await?;
    Ok(evidence)
}
