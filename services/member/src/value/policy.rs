//! The rules that a merchant keeps for prepaid cards: data in versions, each in force from an instant on (reference §2.7).

pub mod store;

use chrono::{DateTime, TimeDelta, Utc};
use siyu_kernel::{Currency, Fault, LocalDay, Zone};
use siyu_ledger::Expired;
use siyu_pg::Tx;
use siyu_proto::member::v1::{ClosedCardRefund, PrepaidPolicy};

use super::{Order, card::Kind};

/// The rules in force, with what else of the merchant every call needs.
#[derive(Debug, Clone)]
pub struct Terms {
    /// The merchant's currency.
    pub currency: Currency,
    /// The zone in which its days are cut.
    pub zone: Zone,
    /// The rules.
    pub policy: PrepaidPolicy,
}

/// The terms at an instant.
pub async fn terms(tx: &mut Tx, now: DateTime<Utc>) -> Result<Terms, Fault> {
    let row = store::terms(tx, now).await?.ok_or_else(|| Fault::not_found("merchant"))?;
    let currency = Currency::parse(&row.currency).map_err(Fault::internal)?;
    let policy = match row.rules {
        Some(rules) => store::decode(&rules)?,
        None => default(currency),
    };
    Ok(Terms { currency, zone: Zone::parse(&row.zone).map_err(Fault::internal)?, policy })
}

/// The figures of the rules of 2012 for merchants in CNY; no limits on amounts in other currencies.
pub fn default(currency: Currency) -> PrepaidPolicy {
    let yuan = |amount: i64| if currency.code() == "CNY" { amount * 100 } else { 0 };
    PrepaidPolicy {
        named_max_minor: yuan(5_000),
        bearer_max_minor: yuan(1_000),
        real_name_minor: yuan(10_000),
        organisation_transfer_minor: yuan(5_000),
        individual_transfer_minor: yuan(50_000),
        revenue_ratio_bp: 4_000,
        services_ratio_bp: 10_000,
        large_custody_bp: 2_000,
        group_custody_bp: 3_000,
        brand_custody_bp: 4_000,
        alert_bp: 9_000,
        bearer_valid_days: 1_095,
        bonus_restore_days: 30,
        cooling_off_days: 7,
        ..PrepaidPolicy::default()
    }
}

impl Terms {
    /// The merchant's day of an instant.
    pub fn day(&self, at: DateTime<Utc>) -> LocalDay {
        self.zone.day(at)
    }

    /// Which bucket a payment takes from.
    pub fn order(&self) -> Result<Order, Fault> {
        Order::read("policy.consumption_order", self.policy.consumption_order)
    }

    /// Until when a card is valid that is opened or renewed now.
    pub fn card_expiry(&self, kind: Kind, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        match kind {
            Kind::Named => None,
            Kind::Bearer => Some(now + TimeDelta::days(self.policy.bearer_valid_days.into())),
        }
    }

    /// What becomes of a bonus that expired before it is given back.
    pub fn restored(&self, now: DateTime<Utc>) -> Expired {
        Expired::Restore { until: now + TimeDelta::days(self.policy.bonus_restore_days.into()) }
    }

    /// Whether refunds to closed cards go to another one.
    pub fn diverts(&self) -> bool {
        self.policy.closed_card_refund() == ClosedCardRefund::Divert
    }
}
