//! Recharges (充值): what was paid in, with the plan as it was, checked against the limits for prepaid cards before.

pub mod back;
pub mod limit;
pub mod plan;
pub mod plan_rpc;
pub mod record;
pub mod rpc;
pub mod store;

use chrono::{DateTime, Utc};
use siyu_grpc::parse::timestamp;
use siyu_kernel::{Currency, Id, kind};
use siyu_ledger::TransferId;
use siyu_proto::member::v1 as proto;

use super::{Buckets, CardId, StoreId};
use crate::person::PersonId;

/// The id of a recharge.
pub type RechargeId = Id<kind::Recharge>;
/// The id of a plan.
pub type PlanId = Id<kind::RechargePlan>;

/// A recharge: the row.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Recharge {
    /// The id.
    pub id: RechargeId,
    /// The card.
    pub card_id: CardId,
    /// The holder of the card at that time.
    pub person_id: Option<PersonId>,
    /// The plan.
    pub plan_id: Option<PlanId>,
    /// The name of the plan as it was.
    pub plan_name: String,
    /// How many times the person had taken the plan.
    pub plan_ordinal: Option<i32>,
    /// Where it was paid.
    pub store_id: Option<StoreId>,
    /// What the payment is known by outside.
    pub payment_reference: String,
    /// What was paid.
    pub principal_minor: i64,
    /// What was given.
    pub bonus_minor: i64,
    /// Until when the bonus is good.
    pub bonus_expires_at: Option<DateTime<Utc>>,
    /// The transfer of the principal.
    pub principal_transfer_id: TransferId,
    /// The transfer of the bonus, and its lot.
    pub bonus_transfer_id: Option<TransferId>,
    /// When it was given back.
    pub refunded_at: Option<DateTime<Utc>>,
    /// What was paid back.
    pub refunded_minor: i64,
    /// What was taken of the bonus.
    pub bonus_taken_minor: i64,
    /// What was kept of the principal.
    pub kept_minor: i64,
    /// When it was recorded.
    pub created_at: DateTime<Utc>,
}

impl Recharge {
    /// What it put on the card.
    pub const fn buckets(&self) -> Buckets {
        Buckets::new(self.principal_minor, self.bonus_minor)
    }

    /// The recharge in the words of the contract.
    pub fn show(&self, currency: Currency) -> proto::RechargeRecord {
        proto::RechargeRecord {
            id: self.id.to_string(),
            card_id: self.card_id.to_string(),
            person_id: self.person_id.map(|id| id.to_string()).unwrap_or_default(),
            plan_id: self.plan_id.map(|id| id.to_string()).unwrap_or_default(),
            plan_name: self.plan_name.clone(),
            store_id: self.store_id.map(|id| id.to_string()).unwrap_or_default(),
            payment_reference: self.payment_reference.clone(),
            currency_code: currency.code().to_owned(),
            principal_minor: self.principal_minor,
            bonus_minor: self.bonus_minor,
            bonus_expire_time: self.bonus_expires_at.map(timestamp),
            recharge_time: Some(timestamp(self.created_at)),
            refunded: self.refunded_at.is_some(),
            refunded_minor: self.refunded_minor,
            bonus_taken_minor: self.bonus_taken_minor,
            kept_minor: self.kept_minor,
        }
    }
}
