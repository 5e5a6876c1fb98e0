//! What two persons who turn out to be one have been through on the ladder.

use siyu_pg::Tx;

use crate::person::{Merge, Unmerge};

/// The survivor's life on the ladder is that of both. The loser's standing and gifts stay, for when the merge is undone.
pub(crate) async fn merge(tx: &mut Tx, merge: &Merge) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "with moved as (
            update tier_changes
            set person_id = $3, origin_person_id = coalesce(origin_person_id, person_id)
            where merchant_id = $1 and person_id = $2
        ), withheld as (
            update tier_gifts set state = 'withheld'
            where merchant_id = $1 and person_id = $2 and state = 'due'
        )
        insert into tier_gifts (merchant_id, person_id, tier, points, state, created_at)
        select g.merchant_id, $3, g.tier, g.points, g.state, g.created_at
        from tier_gifts as g
        where g.merchant_id = $1 and g.person_id = $2
        on conflict on constraint tier_gifts_pkey do nothing",
    )
    .bind(tx.merchant())
    .bind(merge.loser)
    .bind(merge.survivor)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The steps that the loser had made are its own again.
pub(crate) async fn unmerge(tx: &mut Tx, unmerge: &Unmerge) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "update tier_changes
        set person_id = $3, origin_person_id = nullif(origin_person_id, $3)
        where merchant_id = $1 and person_id = $2 and origin_person_id = any($4::uuid[])",
    )
    .bind(tx.merchant())
    .bind(unmerge.survivor)
    .bind(unmerge.loser)
    .bind(&unmerge.origins)
    .execute(&mut **tx)
    .await?;
    Ok(())
}
