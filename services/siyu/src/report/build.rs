//! Replies to the object. Nothing is computed here but quotients of what the suite counted.

use siyu_kernel::Currency;
use siyu_proto::{
    member::v1::Merchant,
    metrics::v1::{self as proto, RfmSegment},
    r#type::v1 as types,
};

use super::{
    Cohort, Decimal, Dormant, EffectiveCustomers, Figures, LifetimeValue, Month, OffHours, Pillars,
    Ratio, Reactivated, Report, RfmSegments, Triangle, UserArpu, Week, fetch::Replies,
};
use crate::client::Error;

pub(super) fn report(
    merchant: &Merchant,
    replies: Replies,
    as_of: String,
    consistent: bool,
) -> Result<Report, Error> {
    let Replies { sales, repeat, cohorts, dormancy, rfm, lifetime, effective, users, triangle } =
        replies;
    let basis = sales.basis.ok_or(Error::Empty)?;
    let (arpu_ratio, aov_ratio) = (ratio(sales.arpu), ratio(sales.aov));
    let scale = minor_per_major(&basis.currency_code);
    Ok(Report {
        merchant_id: merchant.id.clone(),
        merchant: merchant.name.clone(),
        currency: basis.currency_code,
        zone: basis.zone,
        from: basis.from_day,
        to: basis.to_day,
        as_of,
        definition_version: basis.definition_version,
        facts_version: basis.facts_version,
        consistent,
        total: Figures { repeat_buyers: sales.buyers_two_days, ..figures(sales.total) },
        arpu: major(arpu_ratio, scale),
        arpu_ratio,
        aov: major(aov_ratio, scale),
        aov_ratio,
        private_domain: figures(sales.private_domain),
        months: sales.months.into_iter().map(Month::from).collect(),
        weeks: sales.weeks.into_iter().map(Week::from).collect(),
        first_time_buyers: repeat.cohort,
        repeat_within_days: repeat.within.iter().map(|w| (w.days, w.persons)).collect(),
        repeat_rate_within_days: repeat.within.iter().map(|w| (w.days, share(w.rate))).collect(),
        repeat_complete_within_days: repeat.within.iter().map(|w| (w.days, w.complete)).collect(),
        cohorts: cohorts.cohorts.into_iter().map(Cohort::from).collect(),
        dormant: Dormant {
            active: dormancy.active,
            quiet: dormancy.quiet,
            drowsy: dormancy.drowsy,
            dormant: dormancy.dormant,
            lost: dormancy.lost,
        },
        reactivated: Reactivated {
            persons: dormancy.reactivated_persons,
            events: dormancy.reactivations,
            gmv_minor: dormancy.reactivated_gmv_minor,
            dormant_at_start: dormancy.dormant_at_start,
        },
        rfm_segments: segments(&rfm),
        off_hours: OffHours {
            orders: sales.off_hours_orders,
            gmv_minor: sales.off_hours_gmv_minor,
        },
        lifetime_value: LifetimeValue {
            annual_churn: lifetime.annual_churn,
            lifetime_years: lifetime.lifetime_years,
            frequency_per_year: lifetime.frequency_per_year,
            lifetime_value_minor: lifetime.lifetime_value_minor,
        },
        effective_customers: effective.into(),
        user_arpu: users.into(),
        triangle: triangle.into(),
    })
}

fn minor_per_major(code: &str) -> i64 {
    // A currency that this program does not know is shown in its minor unit.
    Currency::parse(code).map_or(1, Currency::minor_per_major)
}

fn ratio(ratio: Option<types::Ratio>) -> Ratio {
    ratio.map_or_else(Ratio::default, |ratio| Ratio {
        numerator: ratio.numerator,
        denominator: ratio.denominator,
    })
}

fn major(ratio: Ratio, scale: i64) -> Option<Decimal> {
    Decimal::of(ratio.numerator, i128::from(ratio.denominator) * i128::from(scale))
}

fn share(rate: Option<types::Ratio>) -> Option<Decimal> {
    rate.and_then(|rate| Decimal::of(rate.numerator, rate.denominator))
}

fn figures(figures: Option<proto::SalesFigures>) -> Figures {
    let of = figures.unwrap_or_default();
    Figures {
        gmv_minor: of.gmv_minor,
        orders: of.orders,
        buyers: of.buyers,
        new_buyers: of.new_buyers,
        repeat_buyers: of.repeat_buyers,
        units: of.units,
    }
}

fn segments(rfm: &proto::GetRfmResponse) -> RfmSegments {
    let mut segments = RfmSegments::default();
    for count in &rfm.segments {
        let place = match count.segment() {
            RfmSegment::KeyValue => &mut segments.key_value,
            RfmSegment::KeyDevelop => &mut segments.key_develop,
            RfmSegment::KeyKeep => &mut segments.key_keep,
            RfmSegment::KeyWinBack => &mut segments.key_win_back,
            RfmSegment::Value => &mut segments.value,
            RfmSegment::Develop => &mut segments.develop,
            RfmSegment::Keep => &mut segments.keep,
            RfmSegment::WinBack => &mut segments.win_back,
            RfmSegment::Unspecified => continue,
        };
        *place += count.persons;
    }
    segments
}

impl From<proto::SalesPeriod> for Month {
    fn from(of: proto::SalesPeriod) -> Self {
        Self { month: of.period, figures: figures(of.figures) }
    }
}

impl From<proto::SalesPeriod> for Week {
    fn from(of: proto::SalesPeriod) -> Self {
        Self { week: of.period, from: of.from_day, figures: figures(of.figures) }
    }
}

impl From<proto::Cohort> for Cohort {
    fn from(of: proto::Cohort) -> Self {
        Self { month: of.month, size: of.size, active: of.active }
    }
}

impl From<proto::GetEffectiveCustomersResponse> for EffectiveCustomers {
    fn from(of: proto::GetEffectiveCustomersResponse) -> Self {
        Self {
            first: of.first,
            repeat: of.repeat,
            first_and_repeat: of.first_and_repeat,
            stored: of.stored,
            effective: of.effective,
            stored_unmeasured: of.stored_unmeasured,
        }
    }
}

impl From<proto::GetUserArpuResponse> for UserArpu {
    fn from(of: proto::GetUserArpuResponse) -> Self {
        Self {
            users: of.users,
            gmv_minor: of.gmv_minor,
            arpu_ratio: ratio(of.arpu),
            private_channel_gmv_minor: of.private_channel_gmv_minor,
            connections_unmeasured: of.connections_unmeasured,
        }
    }
}

impl From<proto::GetTriangleResponse> for Triangle {
    fn from(of: proto::GetTriangleResponse) -> Self {
        Self {
            current: of.current.map(Pillars::from).unwrap_or_default(),
            baseline: of.baseline.map(Pillars::from).unwrap_or_default(),
            baseline_day: of.baseline_day,
            baseline_version: of.baseline_version,
            area: of.area,
            index: of.index,
            balance: of.balance,
            shares: of.shares,
            flags: of.flags,
        }
    }
}

impl From<proto::Pillars> for Pillars {
    fn from(of: proto::Pillars) -> Self {
        Self {
            connected: of.connected,
            reach: of.reach,
            property_power: of.property_power,
            repeat_rate: of.repeat_rate,
            lifetime_value_minor: of.lifetime_value_minor,
            customer_value_minor: of.customer_value_minor,
            referral: of.referral,
            influence: of.influence,
            referral_rate: of.referral_rate,
        }
    }
}
