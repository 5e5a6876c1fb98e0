//! What two persons who turn out to be one have been through on the ladder.

use siyu_pg::Tx;

use crate::person::{Merge, store::moving::Owned};

/// Steps of persons.
pub(crate) const CHANGES: Owned = Owned { table: "tier_changes", unique: &[] };

/// The survivor has had the gifts of both. The loser's stay, for when the merge is undone.
pub(crate) async fn merge_gifts(tx: &mut Tx, merge: &Merge) -> Result<(), siyu_pg::Error> {
    sqlx::query(
        "with withheld as (
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
