//! Employees (员工) of a merchant: what they do, where, and since when not any more. Who left stays, with all that was done.

pub mod rpc;
pub mod scope;
pub mod store;

use chrono::{DateTime, Utc};
use siyu_grpc::parse::{self, timestamp};
use siyu_kernel::{Code, Fault, Id, kind};
use siyu_pg::Tx;
use siyu_proto::member::v1 as proto;

use crate::{region::RegionId, shop::StoreId};

pub use scope::StaffScope;

/// The id of an employee.
pub type StaffId = Id<kind::Staff>;

/// An employee: the row, with the further stores.
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
    /// The store that the employee works in first.
    pub store_id: Option<StoreId>,
    /// The other stores that the employee works in.
    pub further_store_ids: Vec<StoreId>,
    /// The region that the employee is responsible for.
    pub region_id: Option<RegionId>,
    /// The userid in the merchant's WeCom corp; empty: none.
    pub wecom_userid: String,
    /// When the employee was added.
    pub created_at: DateTime<Utc>,
    /// When the employee was last changed.
    pub updated_at: Option<DateTime<Utc>>,
    /// When the employee left.
    pub left_at: Option<DateTime<Utc>>,
}

/// What an employee does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Role {
    /// Looks after customers (导购).
    Guide,
    /// Runs a store (店长).
    StoreManager,
    /// Runs the stores of a region (区域经理).
    RegionManager,
    /// Works at headquarters (总部).
    Headquarters,
}

/// Why an employee cannot be added or changed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Another employee has the code.
    #[error("an employee with the code exists")]
    CodeTaken,
    /// Another employee has the userid.
    #[error("an employee with the WeCom userid works here")]
    UseridTaken,
    /// The store is not known.
    #[error("the store does not exist")]
    StoreNotFound,
    /// The region is not known.
    #[error("the region does not exist")]
    RegionNotFound,
    /// The employee left.
    #[error("the employee left")]
    Left,
    /// The database.
    #[error("the store of employees failed")]
    Store(#[from] siyu_pg::Error),
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        let message = error.to_string();
        match error {
            Error::CodeTaken => Self::new(Code::AlreadyExists, "STAFF_CODE_TAKEN", message),
            Error::UseridTaken => Self::new(Code::AlreadyExists, "WECOM_USERID_TAKEN", message),
            Error::StoreNotFound => Self::not_found("store"),
            Error::RegionNotFound => Self::not_found("region"),
            Error::Left => Self::new(Code::FailedPrecondition, "STAFF_LEFT", message),
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
            proto::StaffRole::RegionManager => Self::RegionManager,
            proto::StaffRole::Headquarters => Self::Headquarters,
        })
    }
}

impl Staff {
    /// Reads an employee of the contract, new at `now`.
    pub fn read(wanted: proto::Staff, id: StaffId, now: DateTime<Utc>) -> Result<Self, Fault> {
        let role = Role::read(wanted.role)
            .ok_or_else(|| Fault::field("staff.role", "is not a known value"))?;
        let region_id = parse::optional_id("staff.region_id", &wanted.region_id)?;
        match (role, region_id) {
            (Role::RegionManager, None) => {
                return Err(Fault::field("staff.region_id", "is required for a region manager"));
            }
            (Role::Guide | Role::StoreManager | Role::Headquarters, Some(_)) => {
                return Err(Fault::field("staff.region_id", "is for region managers only"));
            }
            (Role::RegionManager, Some(_))
            | (Role::Guide | Role::StoreManager | Role::Headquarters, None) => {}
        }
        let store_id = parse::optional_id("staff.store_id", &wanted.store_id)?;
        let read = |(i, text): (usize, &String)| {
            parse::id::<kind::Store>(&format!("staff.further_store_ids[{i}]"), text)
        };
        let mut further: Vec<StoreId> =
            wanted.further_store_ids.iter().enumerate().map(read).collect::<Result<_, _>>()?;
        further.retain(|id| Some(*id) != store_id);
        further.sort_unstable();
        further.dedup();
        Ok(Self {
            id,
            code: wanted.code,
            name: wanted.name,
            role,
            store_id,
            further_store_ids: further,
            region_id,
            wecom_userid: wanted.wecom_userid,
            created_at: now,
            updated_at: None,
            left_at: None,
        })
    }

    /// Every store that the employee works in.
    pub fn stores(&self) -> impl Iterator<Item = StoreId> {
        self.store_id.into_iter().chain(self.further_store_ids.iter().copied())
    }
}

/// An employee that a request names.
pub(crate) async fn known(tx: &mut Tx, id: StaffId) -> Result<Staff, Fault> {
    store::find(tx, id).await?.ok_or_else(|| Fault::not_found("staff"))
}

impl From<Staff> for proto::Staff {
    fn from(staff: Staff) -> Self {
        let role = match staff.role {
            Role::Guide => proto::StaffRole::Guide,
            Role::StoreManager => proto::StaffRole::StoreManager,
            Role::RegionManager => proto::StaffRole::RegionManager,
            Role::Headquarters => proto::StaffRole::Headquarters,
        };
        Self {
            id: staff.id.to_string(),
            code: staff.code,
            name: staff.name,
            role: role.into(),
            store_id: staff.store_id.map(|id| id.to_string()).unwrap_or_default(),
            create_time: Some(timestamp(staff.created_at)),
            further_store_ids: staff.further_store_ids.iter().map(ToString::to_string).collect(),
            region_id: staff.region_id.map(|id| id.to_string()).unwrap_or_default(),
            wecom_userid: staff.wecom_userid,
            leave_time: staff.left_at.map(timestamp),
            update_time: staff.updated_at.map(timestamp),
        }
    }
}
