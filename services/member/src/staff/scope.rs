//! Who may see what: the stores that an employee reaches (可见范围).

use std::collections::BTreeSet;

use siyu_kernel::Fault;
use siyu_pg::Tx;

use super::{Role, Staff};
use crate::shop::{self, StoreId};

/// The stores that an employee reaches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StaffScope {
    /// All of the merchant, and what belongs to no store.
    All,
    /// These.
    Stores(BTreeSet<StoreId>),
}

impl StaffScope {
    /// What an employee reaches as things stand. Who left reaches nothing.
    pub(crate) async fn of(tx: &mut Tx, staff: &Staff) -> Result<Self, Fault> {
        if staff.left_at.is_some() {
            return Ok(Self::Stores(BTreeSet::new()));
        }
        let mut stores: BTreeSet<StoreId> = staff.stores().collect();
        match (staff.role, staff.region_id) {
            (Role::Headquarters, _) => return Ok(Self::All),
            (Role::RegionManager, Some(region)) => {
                stores.extend(shop::store::below(tx, region).await?);
            }
            (Role::RegionManager, None) | (Role::StoreManager | Role::Guide, _) => {}
        }
        Ok(Self::Stores(stores))
    }

    /// Whether what belongs to a store, or to none, is within reach.
    pub fn reaches(&self, store: Option<StoreId>) -> bool {
        match self {
            Self::All => true,
            Self::Stores(stores) => store.is_some_and(|store| stores.contains(&store)),
        }
    }
}
