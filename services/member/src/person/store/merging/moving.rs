//! Rows that belong to a person and go to another one with it: one piece for every table, so that all undo a merge alike.
//!
//! A row remembers whose it was at first. Where the survivor has the same row, the loser's stays with the loser, who is an
//! alias then; so a row that came to the loser from another person before is found with an alias of whoever survived.

use siyu_pg::Tx;
use sqlx::AssertSqlSafe;

use crate::person::{Merge, Unmerge};

/// A table of rows that belong to persons, by `person_id` and `origin_person_id`. Only constants are of this type.
#[derive(Debug, Clone, Copy)]
pub struct Owned {
    /// The table.
    pub table: &'static str,
    /// Columns of which a person has no two rows alike; none where a person may have any number.
    pub unique: &'static [&'static str],
}

/// Gives the survivor the loser's rows that it has not itself.
pub async fn move_over(tx: &mut Tx, owned: &Owned, merge: &Merge) -> Result<(), siyu_pg::Error> {
    let table = owned.table;
    let unless = owned.unless("$2");
    let sql = format!(
        "update {table} as r
        set person_id = $2, origin_person_id = coalesce(r.origin_person_id, r.person_id)
        where r.merchant_id = $1 and r.person_id = $3{unless}"
    );
    sqlx::query(AssertSqlSafe(sql))
        .bind(tx.merchant())
        .bind(merge.survivor)
        .bind(merge.loser)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Gives the loser back what came from it or from one of its aliases.
pub async fn move_back(
    tx: &mut Tx,
    owned: &Owned,
    unmerge: &Unmerge,
) -> Result<(), siyu_pg::Error> {
    let table = owned.table;
    let unless = owned.unless("$3");
    let who = if owned.unique.is_empty() {
        "r.person_id = $2"
    } else {
        "r.person_id = any(array(
            select $2::uuid
            union all
            (select id from persons where merchant_id = $1 and merged_into = $2 and id <> $3)
        ))"
    };
    let sql = format!(
        "update {table} as r
        set person_id = $3, origin_person_id = nullif(r.origin_person_id, $3)
        where r.merchant_id = $1 and {who} and r.origin_person_id = any($4::uuid[]){unless}"
    );
    sqlx::query(AssertSqlSafe(sql))
        .bind(tx.merchant())
        .bind(unmerge.survivor)
        .bind(unmerge.loser)
        .bind(&unmerge.origins)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

impl Owned {
    /// The condition that a person has no row like `r`.
    fn unless(&self, person: &str) -> String {
        if self.unique.is_empty() {
            return String::new();
        }
        let table = self.table;
        let of = |row: &str| {
            let columns: Vec<String> =
                self.unique.iter().map(|column| format!("{row}.{column}")).collect();
            columns.join(", ")
        };
        let alike = format!("({}) = ({})", of("o"), of("r"));
        format!(
            " and not exists (
            select from {table} as o where o.merchant_id = $1 and o.person_id = {person} and {alike}
        )"
        )
    }
}
