//! The SQL of how near persons are to the guarantee of a box.

use siyu_kernel::{Id, kind::Person};
use siyu_pg::Tx;

/// How many draws a person has had since the guaranteed prize; locked until the transaction ends. Those under ids that lead to
/// the person by a merge go over to the person here, and stay there: so the guarantee comes at the latest when it would for
/// one id, and an unmerge gives back what nobody has drawn upon.
pub async fn lock_dry(tx: &mut Tx, code: &str, person: Id<Person>) -> Result<i32, siyu_pg::Error> {
    let dry = sqlx::query_scalar(
        "with aliases as (
            update blind_box_persons as p set dry = 0
            from (
                select b.person_id, b.dry
                from buyer_aliases a
                cross join lateral (
                    select person_id, dry from blind_box_persons
                    where merchant_id = $1 and code = $2 and person_id = a.person_id and dry > 0
                    for update
                ) as b
                where a.merchant_id = $1 and a.merged_into = $3 and a.merged_into is not null
            ) as before
            where p.merchant_id = $1 and p.code = $2 and p.person_id = before.person_id
            returning before.dry
        )
        insert into blind_box_persons as p (merchant_id, code, person_id, dry)
        select $1, $2, $3, coalesce(sum(dry), 0)::integer from aliases
        on conflict on constraint blind_box_persons_pkey do update set dry = p.dry + excluded.dry
        returning dry",
    )
    .bind(tx.merchant())
    .bind(code)
    .bind(person)
    .fetch_one(&mut **tx)
    .await?;
    Ok(dry)
}

/// Saves how near a person, whom the transaction has locked, is to the guarantee.
pub async fn save_dry(
    tx: &mut Tx,
    code: &str,
    person: Id<Person>,
    dry: i32,
) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "update blind_box_persons set dry = $4 where merchant_id = $1 and code = $2 and person_id = $3",
    )
    .bind(tx.merchant())
    .bind(code)
    .bind(person)
    .bind(dry)
    .execute(&mut **tx)
    .await?;
    Ok(())
}
