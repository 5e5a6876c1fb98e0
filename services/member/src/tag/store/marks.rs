//! The SQL of persons whose rules are to be computed, and nothing else.

use siyu_kernel::{Id, kind::Merchant};
use siyu_pg::{SystemTx, Tx};

use crate::person::PersonId;

/// Marks persons of whom something changed, where the merchant has a rule that may ask for it.
pub async fn add(tx: &mut Tx, persons: &[PersonId]) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "insert into tag_marks (merchant_id, person_id)
        select $1, n.person_id
        from unnest($2::uuid[]) as n (person_id)
        where exists (select from tags where merchant_id = $1 and kind = 'rule')",
    )
    .bind(tx.merchant())
    .bind(persons)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Locks the first mark that nobody else works on; returns whose it is.
pub async fn lock_first(tx: &mut SystemTx) -> Result<Option<Id<Merchant>>, siyu_pg::Error> {
    let merchant = sqlx::query_scalar(
        "select merchant_id
        from tag_marks
        order by id
        limit 1
        for update skip locked",
    )
    .fetch_optional(&mut **tx)
    .await?;
    Ok(merchant)
}

/// Takes the first marks that nobody else works on; returns their persons.
pub async fn take(tx: &mut Tx, limit: i64) -> Result<Vec<PersonId>, siyu_pg::Error> {
    let persons = sqlx::query_scalar(
        "delete from tag_marks
        where ctid = any (array(
            select ctid
            from tag_marks
            where merchant_id = $1
            order by id
            limit $2
            for update skip locked
        ))
        returning person_id",
    )
    .bind(tx.merchant())
    .bind(limit)
    .fetch_all(&mut **tx)
    .await?;
    Ok(persons)
}
