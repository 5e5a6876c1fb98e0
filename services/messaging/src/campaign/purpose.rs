//! What a campaign is for (rules 93 and 96): it decides what persons must have agreed to, and what shuts them out. Pure.

use siyu_kernel::Fault;
use siyu_proto::{member::v1 as member, messaging::v1 as proto};

/// What a campaign is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Purpose {
    /// To advertise.
    Marketing,
    /// To render the service itself.
    Service,
}

/// What a person must have decided before something is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consent {
    /// It was granted.
    Granted,
    /// It was not withdrawn.
    NotWithdrawn,
}

impl Purpose {
    /// Reads a value of the contract; not given: to advertise, which asks for most.
    pub fn read(value: i32) -> Result<Self, Fault> {
        match proto::CampaignPurpose::try_from(value) {
            Ok(proto::CampaignPurpose::Unspecified | proto::CampaignPurpose::Marketing) => {
                Ok(Self::Marketing)
            }
            Ok(proto::CampaignPurpose::Service) => Ok(Self::Service),
            Err(_) => Err(Fault::field("purpose", "is not a known value")),
        }
    }

    /// The word in columns.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Marketing => "marketing",
            Self::Service => "service",
        }
    }

    /// What persons agree to.
    pub const fn consent_purpose(self) -> member::ConsentPurpose {
        match self {
            Self::Marketing => member::ConsentPurpose::Marketing,
            Self::Service => member::ConsentPurpose::Service,
        }
    }

    /// What they must have decided, over a channel that needs so much of those that advertise: the service itself needs no more
    /// than that nobody refused it.
    pub const fn needs(self, advertising: Consent) -> Consent {
        match self {
            Self::Marketing => advertising,
            Self::Service => Consent::NotWithdrawn,
        }
    }

    /// The blacklist that counts: who is shut out of everything is on each.
    pub const fn blacklist(self) -> member::BlacklistScope {
        match self {
            Self::Marketing => member::BlacklistScope::Marketing,
            Self::Service => member::BlacklistScope::All,
        }
    }
}

impl From<Purpose> for proto::CampaignPurpose {
    fn from(purpose: Purpose) -> Self {
        match purpose {
            Purpose::Marketing => Self::Marketing,
            Purpose::Service => Self::Service,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_service_itself_asks_for_less_than_advertising() {
        assert_eq!(Purpose::read(0).unwrap(), Purpose::Marketing);
        assert!(Purpose::read(99).is_err());
        for needed in [Consent::Granted, Consent::NotWithdrawn] {
            assert_eq!(Purpose::Marketing.needs(needed), needed);
            assert_eq!(Purpose::Service.needs(needed), Consent::NotWithdrawn);
        }
        for purpose in [Purpose::Marketing, Purpose::Service] {
            let wire = proto::CampaignPurpose::from(purpose);
            assert_eq!(Purpose::read(wire.into()).unwrap(), purpose);
            let word = purpose.as_str().to_uppercase();
            assert_eq!(wire.as_str_name(), format!("CAMPAIGN_PURPOSE_{word}"));
        }
    }
}
