//! The ladder, and how a person moves on it. Pure.

use chrono::{DateTime, TimeDelta, Utc};
use siyu_kernel::{Fault, Violation};
use siyu_proto::{member::v1 as proto, r#type::v1::Ratio};

use crate::benefit;

/// Growth and tiers hold for a year where the merchant does not say (reference §2.4).
const YEAR_DAYS: i32 = 365;

/// One version of a merchant's tiers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// The version; 0 for the tiers of who has set none.
    pub version: i32,
    /// The tiers, the lowest first.
    pub tiers: Vec<Tier>,
    /// Growth for each whole unit of the currency: numerator and denominator.
    pub earn: (i64, i64),
    /// For how many days growth counts.
    pub window_days: i32,
    /// For how many days a tier holds.
    pub validity_days: i32,
    /// How far a person falls.
    pub fall: Fall,
}

/// One step of the ladder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tier {
    /// The name.
    pub name: String,
    /// The growth at which it begins.
    pub threshold: i64,
    /// The points for reaching it.
    pub gift_points: i64,
    /// What it entitles to.
    pub benefits: Vec<proto::Benefit>,
}

/// How far a person falls when the growth no longer supports the tier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fall {
    /// To the tier that the growth supports.
    ToSupported,
    /// By one tier at most.
    OneStep,
}

/// Where a person stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// The tier, from 1.
    pub tier: i32,
    /// Since when; none for who was always in the lowest.
    pub reached_at: Option<DateTime<Utc>>,
    /// From when on it may fall; none for the lowest.
    pub expires_at: Option<DateTime<Utc>>,
}

/// One step up or down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    /// The tier before.
    pub from: i32,
    /// The tier after.
    pub to: i32,
    /// Why.
    pub reason: Reason,
    /// When.
    pub at: DateTime<Utc>,
}

/// Why a tier changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Reason {
    /// The growth reached it.
    Reached,
    /// Its time was over and the growth no longer supported it.
    Lapsed,
    /// It was taken over from another system.
    Initial,
    /// Two persons turned out to be one.
    Merged,
}

impl Reason {
    /// The word in columns.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Reached => "reached",
            Self::Lapsed => "lapsed",
            Self::Initial => "initial",
            Self::Merged => "merged",
        }
    }
}

impl Default for Policy {
    fn default() -> Self {
        let tier = |name: &str, threshold| Tier {
            name: name.to_owned(),
            threshold,
            gift_points: 0,
            benefits: Vec::new(),
        };
        Self {
            version: 0,
            tiers: vec![tier("1", 0), tier("2", 1_000), tier("3", 5_000), tier("4", 20_000)],
            earn: (1, 1),
            window_days: YEAR_DAYS,
            validity_days: YEAR_DAYS,
            fall: Fall::ToSupported,
        }
    }
}

impl Policy {
    /// Reads a version of the contract; its number is set by the caller.
    pub fn read(policy: &proto::TierPolicy) -> Result<Self, Fault> {
        for (i, tier) in policy.tiers.iter().enumerate() {
            benefit::domain::check(&format!("policy.tiers[{i}].benefits"), &tier.benefits)?;
        }
        let mut wrong = Vec::new();
        let mut refuse = |field: String, description: &str| {
            wrong.push(Violation { field, description: description.to_owned() });
        };
        for (i, tier) in policy.tiers.iter().enumerate() {
            let before = i.checked_sub(1).map(|before| policy.tiers[before].threshold);
            if before.is_none() && tier.threshold != 0 {
                refuse("policy.tiers[0].threshold".to_owned(), "must be 0");
            } else if before.is_some_and(|before| before >= tier.threshold) {
                refuse(format!("policy.tiers[{i}].threshold"), "must be above the one before");
            }
        }
        let earn = policy.growth_per_major.unwrap_or_default();
        if !(0..=1_000_000).contains(&earn.numerator) {
            refuse("policy.growth_per_major.numerator".to_owned(), "must be from 0 to 1000000");
        }
        if !(1..=1_000_000).contains(&earn.denominator) {
            refuse("policy.growth_per_major.denominator".to_owned(), "must be from 1 to 1000000");
        }
        let fall = match proto::TierFall::try_from(policy.fall) {
            Ok(proto::TierFall::Unspecified | proto::TierFall::ToSupported) => Fall::ToSupported,
            Ok(proto::TierFall::OneStep) => Fall::OneStep,
            Err(_) => {
                refuse("policy.fall".to_owned(), "is not a known value");
                Fall::ToSupported
            }
        };
        if !wrong.is_empty() {
            return Err(Fault::invalid(wrong));
        }
        let tier = |tier: &proto::Tier| Tier {
            name: tier.name.clone(),
            threshold: tier.threshold,
            gift_points: tier.gift_points,
            benefits: tier.benefits.clone(),
        };
        let days = |days: i32| if days == 0 { YEAR_DAYS } else { days };
        Ok(Self {
            version: policy.version,
            tiers: policy.tiers.iter().map(tier).collect(),
            earn: (earn.numerator, earn.denominator),
            window_days: days(policy.window_days),
            validity_days: days(policy.validity_days),
            fall,
        })
    }

    /// The tier that a growth supports: 1 is the lowest.
    pub fn supports(&self, growth: i64) -> i32 {
        let reached = self.tiers.iter().filter(|tier| growth >= tier.threshold).count();
        i32::try_from(reached).expect("there are few tiers").max(1)
    }

    /// A tier by its number.
    pub fn tier(&self, number: i32) -> Option<&Tier> {
        self.tiers.get(usize::try_from(number - 1).ok()?)
    }

    /// For how long growth counts.
    pub fn window(&self) -> TimeDelta {
        TimeDelta::days(i64::from(self.window_days))
    }

    /// For how long a tier holds.
    pub fn validity(&self) -> TimeDelta {
        TimeDelta::days(i64::from(self.validity_days))
    }

    /// The growth that an amount earns: whole units, the rest is dropped.
    pub fn earned(&self, paid_minor: i64, minor_per_major: i64) -> i64 {
        let (numerator, denominator) = (i128::from(self.earn.0), i128::from(self.earn.1));
        let growth =
            i128::from(paid_minor.max(0)) * numerator / (denominator * i128::from(minor_per_major));
        i64::try_from(growth).unwrap_or(i64::MAX)
    }

    /// What is missing to the next tier, and its name; nothing in the highest.
    pub fn gap(&self, standing: &Standing, growth: i64) -> Option<(i64, &str)> {
        let next = self.tier(standing.tier + 1)?;
        Some(((next.threshold - growth).max(0), &next.name))
    }
}

impl Standing {
    /// Of who was always in the lowest tier.
    pub const LOWEST: Self = Self { tier: 1, reached_at: None, expires_at: None };

    /// In a tier from an instant on.
    pub fn since(tier: i32, at: DateTime<Utc>, policy: &Policy) -> Self {
        let expires_at = (tier > 1).then(|| at + policy.validity());
        Self { tier, reached_at: Some(at), expires_at }
    }

    /// Where the person stands at an instant with that growth, and how it got there: up at once, down only when the time of
    /// the tier is over (rule 52).
    pub fn at(mut self, policy: &Policy, growth: i64, now: DateTime<Utc>) -> (Self, Vec<Change>) {
        let (supported, mut changes) = (policy.supports(growth), Vec::new());
        // Each turn moves the end by the validity, which is a day or more.
        while let Some(end) = self.expires_at.filter(|end| *end <= now) {
            if supported >= self.tier {
                self.expires_at = Some(end + policy.validity());
                continue;
            }
            let to = match policy.fall {
                Fall::ToSupported => supported,
                Fall::OneStep => supported.max(self.tier - 1),
            };
            changes.push(Change { from: self.tier, to, reason: Reason::Lapsed, at: end });
            self = Self::since(to, end, policy);
        }
        if supported > self.tier {
            let change =
                Change { from: self.tier, to: supported, reason: Reason::Reached, at: now };
            changes.push(change);
            self = Self::since(supported, now, policy);
        }
        (self, changes)
    }

    /// The better of two: the higher tier, and of the same the one that holds longer.
    #[must_use]
    pub fn best(self, other: Self) -> Self {
        if (self.tier, self.expires_at) >= (other.tier, other.expires_at) { self } else { other }
    }
}

impl From<&Policy> for proto::TierPolicy {
    fn from(policy: &Policy) -> Self {
        let tier = |tier: &Tier| proto::Tier {
            name: tier.name.clone(),
            threshold: tier.threshold,
            gift_points: tier.gift_points,
            benefits: tier.benefits.clone(),
        };
        let fall = match policy.fall {
            Fall::ToSupported => proto::TierFall::ToSupported,
            Fall::OneStep => proto::TierFall::OneStep,
        };
        Self {
            version: policy.version,
            tiers: policy.tiers.iter().map(tier).collect(),
            growth_per_major: Some(Ratio { numerator: policy.earn.0, denominator: policy.earn.1 }),
            window_days: policy.window_days,
            validity_days: policy.validity_days,
            fall: fall.into(),
        }
    }
}

#[cfg(test)]
mod tests;
