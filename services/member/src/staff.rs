//! Employees (员工) of a merchant.

pub mod rpc;
pub mod store;

use chrono::{DateTime, Utc};
use siyu_grpc::parse::timestamp;
use siyu_kernel::{Code, Fault, Id, kind};
use siyu_proto::member::v1 as proto;

/// The id of an employee.
pub type StaffId = Id<kind::Staff>;

/// An employee: the row.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Staff {
    /// The id.
    pub id: StaffId,
    /// The merchant's own key.
    pub code: String,
    /// The name.
    pub name: String,
    /// What the employee does.
    pub role: Role,
    /// The store that the employee works in.
    pub store_id: Option<Id<kind::Store>>,
    /// When the employee was added.
    pub created_at: DateTime<Utc>,
}

/// What an employee does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Role {
    /// Looks after customers (导购).
    Guide,
    /// Runs a store (店长).
    StoreManager,
    /// Works at headquarters (总部).
    Headquarters,
}

/// Why an employee cannot be added.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Another employee has the code.
    #[error("an employee with the code exists")]
    CodeTaken,
    /// The store is not known.
    #[error("the store does not exist")]
    StoreNotFound,
    /// The database.
    #[error("the store of employees failed")]
    Store(#[from] siyu_pg::Error),
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        match error {
            Error::CodeTaken => {
                Self::new(Code::AlreadyExists, "STAFF_CODE_TAKEN", error.to_string())
            }
            Error::StoreNotFound => Self::not_found("store"),
            Error::Store(source) => source.into(),
        }
    }
}

impl Role {
    /// Reads a value of the contract.
    pub fn read(value: i32) -> Option<Self> {
        Some(match proto::StaffRole::try_from(value).ok()? {
            proto::StaffRole::Unspecified | proto::StaffRole::Guide => Self::Guide,
            proto::StaffRole::StoreManager => Self::StoreManager,
            proto::StaffRole::Headquarters => Self::Headquarters,
        })
    }
}

impl From<Staff> for proto::Staff {
    fn from(staff: Staff) -> Self {
        let role = match staff.role {
            Role::Guide => proto::StaffRole::Guide,
            Role::StoreManager => proto::StaffRole::StoreManager,
            Role::Headquarters => proto::StaffRole::Headquarters,
        };
        Self {
            id: staff.id.to_string(),
            code: staff.code,
            name: staff.name,
            role: role.into(),
            store_id: staff.store_id.map(|id| id.to_string()).unwrap_or_default(),
            create_time: Some(timestamp(staff.created_at)),
        }
    }
}
