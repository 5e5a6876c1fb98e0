//! Offers: pay so much, get so much bonus.

use chrono::{DateTime, TimeDelta, Utc};
use siyu_grpc::parse::{self, timestamp};
use siyu_kernel::{Currency, Fault};
use siyu_proto::member::v1 as proto;

use super::PlanId;
use crate::value::{Buckets, IssuerId, card::Card, error::Error};

/// An offer: the row.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Plan {
    /// The id.
    pub id: PlanId,
    /// The name.
    pub name: String,
    /// Whose cards may take it; none: all.
    pub issuer_id: Option<IssuerId>,
    /// What is paid.
    pub pay_minor: i64,
    /// What is given on top.
    pub bonus_minor: i64,
    /// How long the bonus is good; 0: for ever.
    pub bonus_valid_days: i32,
    /// How often a person may take it; 0: no limit.
    pub limit_per_person: i32,
    /// From when on it is offered.
    pub starts_at: DateTime<Utc>,
    /// Until when; none: until it is closed.
    pub ends_at: Option<DateTime<Utc>>,
    /// When it was added.
    pub created_at: DateTime<Utc>,
}

impl Plan {
    /// Reads an offer of the contract.
    pub fn read(plan: &proto::RechargePlan, id: PlanId, now: DateTime<Utc>) -> Result<Self, Fault> {
        let starts_at = parse::optional_instant("plan.start_time", plan.start_time)?.unwrap_or(now);
        let ends_at = parse::optional_instant("plan.end_time", plan.end_time)?;
        if ends_at.is_some_and(|end| end <= starts_at) {
            return Err(Fault::field("plan.end_time", "must be after the start"));
        }
        Ok(Self {
            id,
            name: plan.name.clone(),
            issuer_id: parse::optional_id("plan.issuer_id", &plan.issuer_id)?,
            pay_minor: plan.pay_minor,
            bonus_minor: plan.bonus_minor,
            bonus_valid_days: plan.bonus_valid_days,
            limit_per_person: plan.limit_per_person,
            starts_at,
            ends_at,
            created_at: now,
        })
    }

    /// The offer in the words of the contract.
    pub fn show(self, currency: Currency) -> proto::RechargePlan {
        proto::RechargePlan {
            id: self.id.to_string(),
            name: self.name,
            issuer_id: self.issuer_id.map(|id| id.to_string()).unwrap_or_default(),
            pay_minor: self.pay_minor,
            bonus_minor: self.bonus_minor,
            bonus_valid_days: self.bonus_valid_days,
            limit_per_person: self.limit_per_person,
            start_time: Some(timestamp(self.starts_at)),
            end_time: self.ends_at.map(timestamp),
            currency_code: currency.code().to_owned(),
            create_time: Some(timestamp(self.created_at)),
        }
    }

    /// What it puts on a card.
    pub const fn buckets(&self) -> Buckets {
        Buckets::new(self.pay_minor, self.bonus_minor)
    }

    /// Until when a bonus is good that is given now.
    pub fn bonus_expiry(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let days = i64::from(self.bonus_valid_days);
        (self.bonus_minor > 0 && days > 0).then(|| now + TimeDelta::days(days))
    }

    /// Whether a card may take it now: from its start to before its end (rule 43).
    pub fn is_offered(&self, card: &Card, now: DateTime<Utc>) -> Result<(), Error> {
        let in_time = self.starts_at <= now && self.ends_at.is_none_or(|end| now < end);
        let is_for = self.issuer_id.is_none_or(|issuer| issuer == card.issuer_id);
        if in_time && is_for { Ok(()) } else { Err(Error::PlanClosed) }
    }
}
