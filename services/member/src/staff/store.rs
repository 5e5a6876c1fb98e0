//! The SQL of employees and nothing else.

use chrono::{DateTime, Utc};
use siyu_pg::{OnConstraint, Tx};
use uuid::Uuid;

use super::{Error, Role, Staff, StaffId};
use crate::{region::RegionId, shop::StoreId};

/// Which employees a list shows; none: all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Filter {
    /// Those who work in a store.
    pub store_id: Option<StoreId>,
    /// Those who do something.
    pub role: Option<Role>,
    /// Those who are responsible for a region.
    pub region_id: Option<RegionId>,
    /// Those who left, or those who did not.
    pub left: Option<bool>,
}

fn meaning(name: &str) -> Option<Error> {
    match name {
        "staff_code_key" => Some(Error::CodeTaken),
        "staff_wecom_userid_key" => Some(Error::UseridTaken),
        "staff_store_id_fkey" | "staff_stores_store_id_fkey" => Some(Error::StoreNotFound),
        "staff_region_id_fkey" => Some(Error::RegionNotFound),
        _ => None,
    }
}

/// Inserts an employee.
pub async fn insert(tx: &mut Tx, staff: &Staff) -> Result<(), Error> {
    sqlx::query(
        "insert into staff (merchant_id, id, code, name, role, store_id, region_id, wecom_userid, created_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(tx.merchant())
    .bind(staff.id)
    .bind(&staff.code)
    .bind(&staff.name)
    .bind(staff.role)
    .bind(staff.store_id)
    .bind(staff.region_id)
    .bind(&staff.wecom_userid)
    .bind(staff.created_at)
    .execute(&mut **tx)
    .await
    .on_constraints(meaning)?;
    save_stores(tx, staff).await
}

/// Saves an employee that is locked.
pub async fn save(tx: &mut Tx, staff: &Staff) -> Result<(), Error> {
    sqlx::query(
        "update staff
        set name = $3, role = $4, store_id = $5, region_id = $6, wecom_userid = $7, updated_at = $8, left_at = $9
        where merchant_id = $1 and id = $2",
    )
    .bind(tx.merchant())
    .bind(staff.id)
    .bind(&staff.name)
    .bind(staff.role)
    .bind(staff.store_id)
    .bind(staff.region_id)
    .bind(&staff.wecom_userid)
    .bind(staff.updated_at)
    .bind(staff.left_at)
    .execute(&mut **tx)
    .await
    .on_constraints(meaning)?;
    save_stores(tx, staff).await
}

async fn save_stores(tx: &mut Tx, staff: &Staff) -> Result<(), Error> {
    sqlx::query(
        "with gone as (
            delete from staff_stores where merchant_id = $1 and staff_id = $2 and store_id <> all($3::uuid[])
        )
        insert into staff_stores (merchant_id, staff_id, store_id)
        select $1, $2, * from unnest($3::uuid[])
        on conflict on constraint staff_stores_pkey do nothing",
    )
    .bind(tx.merchant())
    .bind(staff.id)
    .bind(&staff.further_store_ids)
    .execute(&mut **tx)
    .await
    .on_constraints(meaning)?;
    Ok(())
}

/// Locks one employee.
pub async fn lock(tx: &mut Tx, id: StaffId) -> Result<Option<Staff>, siyu_pg::Error> {
    sqlx::query("select id from staff where merchant_id = $1 and id = $2 for update")
        .bind(tx.merchant())
        .bind(id)
        .execute(&mut **tx)
        .await?;
    find(tx, id).await
}

/// One employee.
pub async fn find(tx: &mut Tx, id: StaffId) -> Result<Option<Staff>, siyu_pg::Error> {
    let staff = sqlx::query_as(
        "select id, code, name, role, store_id, region_id, wecom_userid, created_at, updated_at, left_at,
            array(
                select w.store_id from staff_stores w where w.merchant_id = $1 and w.staff_id = $2 order by w.store_id
            ) as further_store_ids
        from staff
        where merchant_id = $1 and id = $2",
    )
    .bind(tx.merchant())
    .bind(id)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(staff)
}

/// When each of the employees left, of those that exist; null: works here.
pub async fn departures(
    tx: &mut Tx,
    ids: &[StaffId],
) -> Result<Vec<(StaffId, Option<DateTime<Utc>>)>, siyu_pg::Error> {
    let rows = sqlx::query_as(
        "select s.id, s.left_at
        from unnest($2::uuid[]) as k (id)
        cross join lateral (select id, left_at from staff where merchant_id = $1 and id = k.id limit 1) as s",
    )
    .bind(tx.merchant())
    .bind(ids)
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows)
}

/// The guides and managers who work in a store, by id.
pub async fn serving(tx: &mut Tx, store_id: StoreId) -> Result<Vec<StaffId>, siyu_pg::Error> {
    let ids = sqlx::query_scalar(
        "select s.id
        from staff s
        where s.merchant_id = $1 and s.left_at is null and s.role = 'guide' and s.store_id = $2
        union
        select s.id
        from staff_stores w
        join staff s on s.merchant_id = w.merchant_id and s.id = w.staff_id
        where w.merchant_id = $1 and w.store_id = $2 and s.left_at is null and s.role = 'guide'
        order by 1",
    )
    .bind(tx.merchant())
    .bind(store_id)
    .fetch_all(&mut **tx)
    .await?;
    Ok(ids)
}

/// Employees after an id, oldest first.
pub async fn list(
    tx: &mut Tx,
    filter: Filter,
    after: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Staff>, siyu_pg::Error> {
    let staff = sqlx::query_as(
        "select s.id, s.code, s.name, s.role, s.store_id, s.region_id, s.wecom_userid, s.created_at, s.updated_at,
            s.left_at,
            array(
                select w.store_id from staff_stores w
                where w.merchant_id = s.merchant_id and w.staff_id = s.id
                order by w.store_id
            ) as further_store_ids
        from staff s
        where s.merchant_id = $1
            and ($2::uuid is null or s.store_id = $2 or exists (
                select from staff_stores w where w.merchant_id = $1 and w.staff_id = s.id and w.store_id = $2
            ))
            and ($3::text is null or s.role = $3)
            and ($4::uuid is null or s.region_id = $4)
            and ($5::boolean is null or (s.left_at is not null) = $5)
            and ($6::uuid is null or s.id > $6)
        order by s.id
        limit $7",
    )
    .bind(tx.merchant())
    .bind(filter.store_id)
    .bind(filter.role)
    .bind(filter.region_id)
    .bind(filter.left)
    .bind(after)
    .bind(limit)
    .fetch_all(&mut **tx)
    .await?;
    Ok(staff)
}
