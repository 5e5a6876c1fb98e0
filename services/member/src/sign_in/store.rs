//! The SQL of signing in and nothing else.

use chrono::{DateTime, NaiveDate, Utc};
use prost::Message;
use siyu_kernel::Fault;
use siyu_pg::Tx;
use siyu_proto::member::v1::SignInPolicy;

use super::SignedDay;
use crate::person::{PersonId, store::moving::Owned};

/// Signed days of persons; where two have signed on one, each keeps its own.
pub(crate) const DAYS: Owned = Owned { table: "sign_ins", unique: &["day"] };

/// What signing in brings; nothing where nobody has set anything.
pub(crate) async fn policy(tx: &mut Tx) -> Result<SignInPolicy, Fault> {
    let row: Option<Vec<u8>> =
        sqlx::query_scalar("select policy from sign_in_policies where merchant_id = $1")
            .bind(tx.merchant())
            .fetch_optional(&mut **tx)
            .await
            .map_err(siyu_pg::Error::from)?;
    SignInPolicy::decode(row.unwrap_or_default().as_slice()).map_err(Fault::internal)
}

/// Sets what signing in brings.
pub(crate) async fn save_policy(
    tx: &mut Tx,
    policy: &SignInPolicy,
    now: DateTime<Utc>,
) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "insert into sign_in_policies (merchant_id, policy, updated_at) values ($1, $2, $3)
        on conflict on constraint sign_in_policies_pkey do update
        set policy = excluded.policy, updated_at = excluded.updated_at",
    )
    .bind(tx.merchant())
    .bind(policy.encode_to_vec())
    .bind(now)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Signs a day; says whether it was not signed before.
pub(crate) async fn insert(
    tx: &mut Tx,
    person: PersonId,
    signed: &SignedDay,
) -> Result<bool, siyu_pg::Error> {
    let done = sqlx::query(
        "insert into sign_ins (merchant_id, person_id, day, streak, points, signed_at)
        values ($1, $2, $3, $4, $5, $6)
        on conflict on constraint sign_ins_pkey do nothing",
    )
    .bind(tx.merchant())
    .bind(person)
    .bind(signed.day)
    .bind(signed.streak)
    .bind(signed.points)
    .bind(signed.signed_at)
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// A day of a person, if it is signed.
pub(crate) async fn find(
    tx: &mut Tx,
    person: PersonId,
    day: NaiveDate,
) -> Result<Option<SignedDay>, siyu_pg::Error> {
    let signed = sqlx::query_as(
        "select day, streak, points, signed_at
        from sign_ins
        where merchant_id = $1 and person_id = $2 and day = $3",
    )
    .bind(tx.merchant())
    .bind(person)
    .bind(day)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(signed)
}

/// Days of a person before one, newest first.
pub(crate) async fn list(
    tx: &mut Tx,
    person: PersonId,
    before: Option<NaiveDate>,
    limit: i64,
) -> Result<Vec<SignedDay>, siyu_pg::Error> {
    let days = sqlx::query_as(
        "select day, streak, points, signed_at
        from sign_ins
        where merchant_id = $1 and person_id = $2 and ($3::date is null or day < $3)
        order by day desc
        limit $4",
    )
    .bind(tx.merchant())
    .bind(person)
    .bind(before)
    .bind(limit)
    .fetch_all(&mut **tx)
    .await?;
    Ok(days)
}

/// Numbers the days of a person's streaks anew: days less their number are the same within a streak.
pub(crate) async fn count_streaks(tx: &mut Tx, person: PersonId) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "insert into sign_ins (merchant_id, person_id, day, streak, points, signed_at)
        select merchant_id, person_id, day, row_number() over (partition by start order by day), points, signed_at
        from (
            select merchant_id, person_id, day, points, signed_at, day - (row_number() over (order by day))::integer as start
            from sign_ins
            where merchant_id = $1 and person_id = $2
        ) as d
        on conflict on constraint sign_ins_pkey do update set streak = excluded.streak",
    )
    .bind(tx.merchant())
    .bind(person)
    .execute(&mut **tx)
    .await?;
    Ok(())
}
