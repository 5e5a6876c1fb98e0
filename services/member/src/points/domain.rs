//! The rules by which points are given: how many, from when on, until when, how many on one day. Pure.

use chrono::{DateTime, Datelike, Months, NaiveDate, NaiveTime, TimeDelta, Utc};
use siyu_grpc::parse::{self, timestamp};
use siyu_kernel::{Fault, Violation, Zone};
use siyu_ledger::LotTerms;
use siyu_proto::{member::v1 as proto, r#type::v1::Ratio};

use crate::benefit::multiplier::ONE;

/// The available time of points that wait for the completion of their order: later than any instant that is lived.
pub const NOT_YET: DateTime<Utc> = match DateTime::from_timestamp(253_370_764_800, 0) {
    Some(instant) => instant,
    None => panic!("the year 9999 is within the calendar"),
};

/// One version of a merchant's rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// The version; 0 for the rules of who has set none.
    pub version: i32,
    /// From when on it is in force.
    pub effective_at: DateTime<Utc>,
    /// Points for each whole unit of the currency: numerator and denominator.
    pub earn: (i64, i64),
    /// From when on the points of an order can be spent.
    pub vesting: Vesting,
    /// From when on points can no longer be spent.
    pub expiry: Expiry,
    /// What an action gives a person on one day at most.
    pub limits: Vec<(String, i64)>,
}

/// From when on the points of an order can be spent (rule 46).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Vesting {
    /// So many days after the payment.
    AfterPayment {
        /// The days.
        days: i32,
    },
    /// When the order is completed.
    AtCompletion,
}

/// From when on points can no longer be spent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expiry {
    /// Never.
    Never,
    /// So many days after they were earned.
    Days(u32),
    /// With the end of the month so many months later.
    EndOfMonth(u32),
    /// With the end of the year of the day so many months later.
    EndOfYear(u32),
}

impl Default for Policy {
    /// A point for each whole unit, to be spent after the usual after-sale window, for ever (reference §2.5).
    fn default() -> Self {
        Self {
            version: 0,
            effective_at: DateTime::UNIX_EPOCH,
            earn: (1, 1),
            vesting: Vesting::AfterPayment { days: 7 },
            expiry: Expiry::Never,
            limits: Vec::new(),
        }
    }
}

impl Policy {
    /// Reads a version of the contract; its number is set by the caller.
    pub fn read(policy: &proto::PointsPolicy, now: DateTime<Utc>) -> Result<Self, Fault> {
        let mut wrong = Vec::new();
        let mut refuse = |name: &str, description: &str| {
            let field = format!("policy.{name}");
            wrong.push(Violation { field, description: description.to_owned() });
        };
        let earn = policy.points_per_major.unwrap_or_default();
        if earn.numerator < 0 || earn.numerator > 1_000_000 {
            refuse("points_per_major.numerator", "must be from 0 to 1000000");
        }
        if earn.denominator < 1 || earn.denominator > 1_000_000 {
            refuse("points_per_major.denominator", "must be from 1 to 1000000");
        }
        let vesting = read_vesting(policy).unwrap_or_else(|| {
            refuse("vesting", "is not a known value");
            Vesting::AtCompletion
        });
        let expiry = read_expiry(policy).unwrap_or_else(|| {
            refuse("expiry", "is not a known value");
            Expiry::Never
        });
        if expiry == Expiry::Days(0) {
            refuse("expiry_count", "must be positive");
        }
        let mut limits: Vec<(String, i64)> =
            policy.limits.iter().map(|of| (of.action.clone(), of.points_per_day)).collect();
        limits.sort_unstable();
        if limits.windows(2).any(|two| two[0].0 == two[1].0) {
            refuse("limits", "must name an action once");
        }
        if !wrong.is_empty() {
            return Err(Fault::invalid(wrong));
        }
        let effective_at = parse::optional_instant("policy.effective_time", policy.effective_time)?;
        Ok(Self {
            version: policy.version,
            effective_at: effective_at.unwrap_or(now),
            earn: (earn.numerator, earn.denominator),
            vesting,
            expiry,
            limits,
        })
    }

    /// The points that an amount earns: whole ones, the rest is dropped.
    pub fn earned(&self, paid_minor: i64, minor_per_major: i64) -> i64 {
        self.earned_with(paid_minor, minor_per_major, ONE)
    }

    /// The same with a multiplier in basis points: rounded down once, of the whole.
    pub fn earned_with(&self, paid_minor: i64, minor_per_major: i64, multiplier_bp: i64) -> i64 {
        let (numerator, denominator) = (i128::from(self.earn.0), i128::from(self.earn.1));
        let earned = i128::from(paid_minor.max(0)) * numerator * i128::from(multiplier_bp);
        let points = earned / (denominator * i128::from(minor_per_major) * i128::from(ONE));
        // Beyond 64 bits a ledger refuses every balance as well.
        i64::try_from(points).unwrap_or(i64::MAX)
    }

    /// From when on points earned at an instant can no longer be spent.
    pub fn expires_at(&self, earned_at: DateTime<Utc>, zone: Zone) -> Option<DateTime<Utc>> {
        let midnight = |date: NaiveDate| zone.instant(date.and_time(NaiveTime::MIN));
        let day_after = |months: u32| zone.local(earned_at).date() + Months::new(months);
        // A lot is good until the last second of its last day: until the midnight after it.
        match self.expiry {
            Expiry::Never => None,
            Expiry::Days(days) => Some(earned_at + TimeDelta::days(i64::from(days))),
            Expiry::EndOfMonth(months) => {
                let first = day_after(months).with_day(1).expect("every month has a first day");
                Some(midnight(first + Months::new(1)))
            }
            Expiry::EndOfYear(months) => {
                let year = day_after(months).year() + 1;
                Some(midnight(NaiveDate::from_ymd_opt(year, 1, 1).expect("every year begins")))
            }
        }
    }

    /// The times of what is given by hand or for a task.
    pub fn granted(
        &self,
        now: DateTime<Utc>,
        available_at: Option<DateTime<Utc>>,
        expires_at: Option<DateTime<Utc>>,
        zone: Zone,
    ) -> LotTerms {
        let available_at = available_at.unwrap_or(now);
        let expires_at = expires_at.or_else(|| self.expires_at(available_at.max(now), zone));
        LotTerms { earned_at: now, available_at, expires_at }
    }

    /// What an action gives a person on one day at most.
    pub fn limit_of(&self, action: &str) -> Option<i64> {
        let found = self.limits.binary_search_by(|(name, _)| name.as_str().cmp(action));
        found.ok().map(|at| self.limits[at].1)
    }
}

/// The version in force at an instant: of those that are effective then the one that became so last.
pub fn in_force(policies: &[Policy], at: DateTime<Utc>) -> Policy {
    let effective = policies.iter().filter(|policy| policy.effective_at <= at);
    effective
        .max_by_key(|policy| (policy.effective_at, policy.version))
        .cloned()
        .unwrap_or_default()
}

fn read_vesting(policy: &proto::PointsPolicy) -> Option<Vesting> {
    use proto::PointsVesting as V;
    Some(match V::try_from(policy.vesting).ok()? {
        V::Unspecified | V::AfterPayment => Vesting::AfterPayment { days: policy.vesting_days },
        V::AtCompletion => Vesting::AtCompletion,
    })
}

fn read_expiry(policy: &proto::PointsPolicy) -> Option<Expiry> {
    use proto::PointsExpiry as E;
    let count = u32::try_from(policy.expiry_count).ok()?;
    Some(match E::try_from(policy.expiry).ok()? {
        E::Unspecified | E::Never => Expiry::Never,
        E::Days => Expiry::Days(count),
        E::EndOfMonth => Expiry::EndOfMonth(count),
        E::EndOfYear => Expiry::EndOfYear(count),
    })
}

impl From<&Policy> for proto::PointsPolicy {
    fn from(policy: &Policy) -> Self {
        use proto::{PointsExpiry as E, PointsVesting as V};
        let (vesting, vesting_days) = match policy.vesting {
            Vesting::AfterPayment { days } => (V::AfterPayment, days),
            Vesting::AtCompletion => (V::AtCompletion, 0),
        };
        let (expiry, count) = match policy.expiry {
            Expiry::Never => (E::Never, 0),
            Expiry::Days(days) => (E::Days, days),
            Expiry::EndOfMonth(months) => (E::EndOfMonth, months),
            Expiry::EndOfYear(months) => (E::EndOfYear, months),
        };
        let limit = |(action, points_per_day): &(String, i64)| proto::PointsLimit {
            action: action.clone(),
            points_per_day: *points_per_day,
        };
        Self {
            version: policy.version,
            effective_time: Some(timestamp(policy.effective_at)),
            points_per_major: Some(Ratio { numerator: policy.earn.0, denominator: policy.earn.1 }),
            vesting: vesting.into(),
            vesting_days,
            expiry: expiry.into(),
            expiry_count: i32::try_from(count).expect("it was an i32"),
            limits: policy.limits.iter().map(limit).collect(),
        }
    }
}

#[cfg(test)]
mod tests;
