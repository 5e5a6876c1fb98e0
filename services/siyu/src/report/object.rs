//! The object that `siyu report --json` prints. REPORT.md describes it; a test holds the two together.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Decimal;

/// Everything that the report says.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// The merchant, prefix "mch".
    pub merchant_id: String,
    /// The merchant's name.
    pub merchant: String,
    /// The currency of every amount.
    pub currency: String,
    /// The zone in which days were cut.
    pub zone: String,
    /// The first day of the window.
    pub from: String,
    /// The first day after the window.
    pub to: String,
    /// The last day that was looked at.
    pub as_of: String,
    /// The version of the definitions.
    pub definition_version: String,
    /// Counts the changes of the merchant's facts; equal versions give equal figures.
    pub facts_version: i64,
    /// Every figure rests on the same facts; false when orders came in while the report was made.
    pub consistent: bool,
    /// The figures of the whole window.
    #[serde(flatten)]
    pub total: Figures,
    /// What one buyer spent, in major units: `arpu_ratio` with six decimals.
    pub arpu: Option<Decimal>,
    /// `gmv_minor` / buyers.
    pub arpu_ratio: Ratio,
    /// What one order brought, in major units: `aov_ratio` with six decimals.
    pub aov: Option<Decimal>,
    /// `gmv_minor` / orders.
    pub aov_ratio: Ratio,
    /// Orders of the private domain alone.
    pub private_domain: Figures,
    /// The months that the window touches.
    pub months: Vec<Month>,
    /// The ISO weeks that the window touches.
    pub weeks: Vec<Week>,
    /// Persons whose first purchase ever lies in the window: who `repeat_within_days` counts.
    pub first_time_buyers: i64,
    /// How many of them bought again within so many days, by days: "30", "90", "180", "365".
    pub repeat_within_days: BTreeMap<i32, i64>,
    /// The same as a share, with six decimals; null without first-time buyers.
    pub repeat_rate_within_days: BTreeMap<i32, Option<Decimal>>,
    /// Whether every one of them had so many days until `as_of`.
    pub repeat_complete_within_days: BTreeMap<i32, bool>,
    /// The months of first purchase, and who of them came back.
    pub cohorts: Vec<Cohort>,
    /// Buyers by days since their last purchase, at `as_of`.
    pub dormant: Dormant,
    /// Who bought in the window after more than 365 days of silence.
    pub reactivated: Reactivated,
    /// Persons by RFM segment: days since the last purchase at `as_of`, purchase days and spend of the 365 days up to it.
    pub rfm_segments: RfmSegments,
    /// Orders outside the opening hours of their store (睡后收入).
    pub off_hours: OffHours,
    /// Lifetime × frequency × average order value.
    pub lifetime_value: LifetimeValue,
    /// First-time, repeat and stored-value customers of the private domain (有效客户数).
    pub effective_customers: EffectiveCustomers,
    /// GMV = User × ARPU over connected persons.
    pub user_arpu: UserArpu,
    /// Whether the private domain grows (私域三角), at `as_of`.
    pub triangle: Triangle,
}

/// What was sold in a span of days.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Figures {
    /// What buyers paid, in minor units.
    pub gmv_minor: i64,
    /// Paid orders.
    pub orders: i64,
    /// Distinct persons with an order.
    pub buyers: i64,
    /// Buyers whose first order ever lies in the span.
    pub new_buyers: i64,
    /// Of the whole window: buyers with at least two purchase days in it. Of a month, a week, the private domain: buyers
    /// whose first order lies before it.
    pub repeat_buyers: i64,
    /// Pieces.
    pub units: i64,
}

/// One month, clipped to the window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Month {
    /// "1997-01".
    pub month: String,
    /// The figures.
    #[serde(flatten)]
    pub figures: Figures,
}

/// One ISO week, clipped to the window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Week {
    /// "1997-W01".
    pub week: String,
    /// The first day within the window.
    pub from: String,
    /// The figures.
    #[serde(flatten)]
    pub figures: Figures,
}

/// An exact quotient; a denominator of 0 means that it is not defined.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Ratio {
    /// The numerator.
    pub numerator: i64,
    /// The denominator.
    pub denominator: i64,
}

/// One month of first purchases.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Cohort {
    /// "1997-01".
    pub month: String,
    /// Persons whose first purchase lies in it.
    pub size: i64,
    /// Of those, who bought k months later, from k = 0 to the month of `as_of`.
    pub active: Vec<i64>,
}

/// Buyers by days since their last purchase.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Dormant {
    /// At most 90 days.
    pub active: i64,
    /// 91 to 180 days.
    pub quiet: i64,
    /// 181 to 365 days.
    pub drowsy: i64,
    /// More than 365 days, lost ones included.
    pub dormant: i64,
    /// More than 730 days.
    pub lost: i64,
}

/// Who came back after more than 365 days.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Reactivated {
    /// Persons.
    pub persons: i64,
    /// How many times it happened.
    pub events: i64,
    /// What they spent on those days, in minor units.
    pub gmv_minor: i64,
    /// Persons dormant at the start of the window.
    pub dormant_at_start: i64,
}

/// Persons by RFM segment: recent or not, often or seldom, much or little against the merchant's own mean.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct RfmSegments {
    /// 重要价值: recent, often, much.
    pub key_value: i64,
    /// 重要发展: recent, seldom, much.
    pub key_develop: i64,
    /// 重要保持: long ago, often, much.
    pub key_keep: i64,
    /// 重要挽留: long ago, seldom, much.
    pub key_win_back: i64,
    /// 一般价值: recent, often, little.
    pub value: i64,
    /// 一般发展: recent, seldom, little.
    pub develop: i64,
    /// 一般保持: long ago, often, little.
    pub keep: i64,
    /// 一般挽留: long ago, seldom, little.
    pub win_back: i64,
}

/// Orders outside opening hours.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct OffHours {
    /// Orders.
    pub orders: i64,
    /// What they brought, in minor units.
    pub gmv_minor: i64,
}

/// The three factors of lifetime value; null where the facts do not reach back far enough.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct LifetimeValue {
    /// Share of buyers lost per year.
    pub annual_churn: Option<f64>,
    /// 1 / `annual_churn`, in years.
    pub lifetime_years: Option<f64>,
    /// Paid orders per buyer and year.
    pub frequency_per_year: Option<f64>,
    /// The product with the average order value, in minor units.
    pub lifetime_value_minor: Option<i64>,
}

/// Customers of the private domain.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct EffectiveCustomers {
    /// First private order in the window.
    pub first: i64,
    /// A private order in the window and an earlier one.
    pub repeat: i64,
    /// In both.
    pub first_and_repeat: i64,
    /// A recharge in the window or a balance at its end.
    pub stored: i64,
    /// In any set.
    pub effective: i64,
    /// Stored value is not kept yet: stored is 0 for want of facts.
    pub stored_unmeasured: bool,
}

/// GMV = User × ARPU.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct UserArpu {
    /// Persons connected when they bought in the private domain.
    pub users: i64,
    /// What they spent in every domain, in minor units.
    pub gmv_minor: i64,
    /// `gmv_minor` / users.
    pub arpu_ratio: Ratio,
    /// What was sold in the private domain to anyone, in minor units.
    pub private_channel_gmv_minor: i64,
    /// No connection was ever recorded: users is 0 for want of facts.
    pub connections_unmeasured: bool,
}

/// Three sides, and how they stand to those of the baseline.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Triangle {
    /// The sides at `as_of`.
    pub current: Pillars,
    /// What they are compared with.
    pub baseline: Pillars,
    /// The day at whose end the baseline was taken.
    pub baseline_day: String,
    /// Counts the baselines of the merchant, from 1; 0: none is frozen yet, this one is of this look alone.
    pub baseline_version: i32,
    /// The area; null when a side cannot be compared.
    pub area: Option<f64>,
    /// 100 at the baseline; null like the area.
    pub index: Option<f64>,
    /// 100 × the geometric mean of the three ratios; null like the area.
    pub balance: Option<f64>,
    /// The points above 100 that each side brought; empty like the area.
    pub shares: Vec<f64>,
    /// What was not measured.
    pub flags: Vec<String>,
}

/// The sides at one instant; null what cannot be computed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Pillars {
    /// Connected persons.
    pub connected: i64,
    /// Share of them that a message reaches.
    pub reach: Option<f64>,
    /// 私域产权力: connected × reach.
    pub property_power: Option<f64>,
    /// Share of buyers with two purchase days in 365 days.
    pub repeat_rate: Option<f64>,
    /// Mean realised and expected spend of a buyer, in minor units.
    pub lifetime_value_minor: Option<f64>,
    /// 单客价值度: `repeat_rate` × `lifetime_value_minor`.
    pub customer_value_minor: Option<f64>,
    /// New buyers brought by old customers / old customers.
    pub referral: Option<f64>,
    /// Influence on related fields.
    pub influence: Option<f64>,
    /// 顾客推荐率: referral × influence.
    pub referral_rate: Option<f64>,
}
