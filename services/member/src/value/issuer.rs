//! Legal entities that issue stored-value cards (发卡企业), and how far their prepaid balance may go.

pub mod rpc;
pub mod store;

use chrono::{DateTime, Utc};
use siyu_grpc::parse::timestamp;
use siyu_kernel::{Currency, Fault};
use siyu_proto::member::v1::{self as proto, PrepaidPolicy};

use super::IssuerId;

/// A legal entity: the row.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Issuer {
    /// The id.
    pub id: IssuerId,
    /// The name in the register.
    pub name: String,
    /// What it does.
    pub industry: Industry,
    /// How large it is.
    pub scale: Scale,
    /// Revenue of its main business in the last year; 0: not known.
    pub last_year_revenue_minor: i64,
    /// When it was added.
    pub created_at: DateTime<Utc>,
}

/// What an issuer does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Industry {
    /// Retail.
    Retail,
    /// Catering.
    Catering,
    /// Accommodation.
    Accommodation,
    /// Resident services.
    ResidentServices,
}

/// How large an issuer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Scale {
    /// Any other.
    Small,
    /// A large issuer.
    Large,
    /// A group.
    Group,
    /// A brand.
    Brand,
}

impl Issuer {
    /// The most that the prepaid balance may be; none where the revenue is not known.
    pub fn limit(&self, policy: &PrepaidPolicy) -> Option<i64> {
        let ratio = match self.industry {
            Industry::Retail | Industry::Catering | Industry::Accommodation => {
                policy.revenue_ratio_bp
            }
            Industry::ResidentServices => policy.services_ratio_bp,
        };
        (self.last_year_revenue_minor > 0)
            .then(|| basis_points(self.last_year_revenue_minor, ratio))
    }

    /// What must be in custody of a balance: rounded up, for less would be too little.
    pub fn custody(&self, policy: &PrepaidPolicy, balance: i64) -> i64 {
        let ratio = match self.scale {
            Scale::Small => 0,
            Scale::Large => policy.large_custody_bp,
            Scale::Group => policy.group_custody_bp,
            Scale::Brand => policy.brand_custody_bp,
        };
        let floor = basis_points(balance, ratio);
        floor + i64::from(i128::from(floor) * 10_000 < i128::from(balance) * i128::from(ratio))
    }

    /// The issuer in the words of the contract.
    pub fn show(self, currency: Currency) -> proto::Issuer {
        let industry = match self.industry {
            Industry::Retail => proto::IssuerIndustry::Retail,
            Industry::Catering => proto::IssuerIndustry::Catering,
            Industry::Accommodation => proto::IssuerIndustry::Accommodation,
            Industry::ResidentServices => proto::IssuerIndustry::ResidentServices,
        };
        let scale = match self.scale {
            Scale::Small => proto::IssuerScale::Small,
            Scale::Large => proto::IssuerScale::Large,
            Scale::Group => proto::IssuerScale::Group,
            Scale::Brand => proto::IssuerScale::Brand,
        };
        proto::Issuer {
            id: self.id.to_string(),
            name: self.name,
            industry: industry.into(),
            scale: scale.into(),
            last_year_revenue_minor: self.last_year_revenue_minor,
            currency_code: currency.code().to_owned(),
            create_time: Some(timestamp(self.created_at)),
        }
    }

    /// Reads an issuer of the contract.
    pub fn read(
        issuer: &proto::Issuer,
        id: IssuerId,
        created_at: DateTime<Utc>,
    ) -> Result<Self, Fault> {
        let unknown = |field: &str| Fault::field(field, "is not a known value");
        let industry = match proto::IssuerIndustry::try_from(issuer.industry) {
            Ok(proto::IssuerIndustry::Retail) => Industry::Retail,
            Ok(proto::IssuerIndustry::Catering) => Industry::Catering,
            Ok(proto::IssuerIndustry::Accommodation) => Industry::Accommodation,
            Ok(proto::IssuerIndustry::ResidentServices) => Industry::ResidentServices,
            Ok(proto::IssuerIndustry::Unspecified) | Err(_) => {
                return Err(unknown("issuer.industry"));
            }
        };
        let scale = match proto::IssuerScale::try_from(issuer.scale) {
            Ok(proto::IssuerScale::Unspecified | proto::IssuerScale::Small) => Scale::Small,
            Ok(proto::IssuerScale::Large) => Scale::Large,
            Ok(proto::IssuerScale::Group) => Scale::Group,
            Ok(proto::IssuerScale::Brand) => Scale::Brand,
            Err(_) => return Err(unknown("issuer.scale")),
        };
        Ok(Self {
            id,
            name: issuer.name.clone(),
            industry,
            scale,
            last_year_revenue_minor: issuer.last_year_revenue_minor,
            created_at,
        })
    }
}

/// A part of an amount in basis points, rounded down.
pub fn basis_points(amount: i64, ratio: i32) -> i64 {
    let exact = i128::from(amount) * i128::from(ratio) / 10_000;
    i64::try_from(exact).expect("ratios are at most ten, and amounts far below 64 bits")
}

#[cfg(test)]
mod tests {
    use siyu_kernel::Id;
    use uuid::Uuid;

    use super::*;
    use crate::value::policy;

    fn issuer(industry: Industry, scale: Scale, revenue: i64) -> Issuer {
        let id = Id::from_uuid(Uuid::nil());
        let name = String::new();
        let created_at = DateTime::UNIX_EPOCH;
        Issuer { id, name, industry, scale, last_year_revenue_minor: revenue, created_at }
    }

    #[test]
    fn the_balance_is_bounded_by_the_revenue_of_the_industry() {
        let policy = policy::default(Currency::parse("CNY").unwrap());
        let limit = |industry, revenue| issuer(industry, Scale::Small, revenue).limit(&policy);
        assert_eq!(limit(Industry::Retail, 1_000), Some(400));
        assert_eq!(limit(Industry::Catering, 1_001), Some(400));
        assert_eq!(limit(Industry::ResidentServices, 1_000), Some(1_000));
        assert_eq!(limit(Industry::Accommodation, 0), None);
    }

    #[test]
    fn custody_is_a_part_of_the_balance_by_scale_and_never_too_little() {
        let policy = policy::default(Currency::parse("CNY").unwrap());
        let custody = |scale, balance| issuer(Industry::Retail, scale, 0).custody(&policy, balance);
        assert_eq!(custody(Scale::Small, 1_000), 0);
        assert_eq!(custody(Scale::Large, 1_001), 201);
        assert_eq!(custody(Scale::Group, 1_000), 300);
        assert_eq!(custody(Scale::Brand, 1_000), 400);
    }
}
