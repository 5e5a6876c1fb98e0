//! The SQL of employees and nothing else.

use siyu_kernel::{Id, kind};
use siyu_pg::{OnConstraint, Tx};
use uuid::Uuid;

use super::{Error, Staff, StaffId};

/// Inserts an employee.
pub async fn insert(tx: &mut Tx, staff: &Staff) -> Result<(), Error> {
    sqlx::query(
        "insert into staff (merchant_id, id, code, name, role, store_id, created_at) values ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(tx.merchant())
    .bind(staff.id)
    .bind(&staff.code)
    .bind(&staff.name)
    .bind(staff.role)
    .bind(staff.store_id)
    .bind(staff.created_at)
    .execute(&mut **tx)
    .await
    .on_constraints(|name| match name {
        "staff_code_key" => Some(Error::CodeTaken),
        "staff_store_id_fkey" => Some(Error::StoreNotFound),
        _ => None,
    })?;
    Ok(())
}

/// One employee.
pub async fn find(tx: &mut Tx, id: StaffId) -> Result<Option<Staff>, siyu_pg::Error> {
    let staff = sqlx::query_as(
        "select id, code, name, role, store_id, created_at from staff where merchant_id = $1 and id = $2",
    )
    .bind(tx.merchant())
    .bind(id)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(staff)
}

/// Employees after an id, oldest first, of one store or of all.
pub async fn list(
    tx: &mut Tx,
    store_id: Option<Id<kind::Store>>,
    after: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Staff>, siyu_pg::Error> {
    let staff = sqlx::query_as(
        "select id, code, name, role, store_id, created_at
        from staff
        where merchant_id = $1 and ($2::uuid is null or store_id = $2) and ($3::uuid is null or id > $3)
        order by id
        limit $4",
    )
    .bind(tx.merchant())
    .bind(store_id)
    .bind(after)
    .bind(limit)
    .fetch_all(&mut **tx)
    .await?;
    Ok(staff)
}
