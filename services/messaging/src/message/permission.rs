//! Whether persons may be written to, asked of the member service for a whole batch just before it is handed over: what somebody
//! withdrew since the campaign was prepared counts (rules 96 and 98). Without an answer nothing is sent.

use siyu_grpc::fault;
use siyu_kernel::{Fault, Id, kind::Merchant};
use siyu_proto::member::v1::{
    CheckBlacklistRequest, CheckConsentsRequest, ConsentStatus,
    blacklist_service_client::BlacklistServiceClient, consent_service_client::ConsentServiceClient,
};

use super::store::Claimed;
use crate::{
    App,
    campaign::{
        domain::Campaign,
        purpose::{Consent, Purpose},
    },
};

/// Why a person must not be written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// The person is shut out.
    Blacklisted,
    /// The person does not want it any more, or was erased.
    ConsentWithdrawn,
    /// The person never agreed, and this channel needs that.
    ConsentMissing,
}

impl Stop {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Blacklisted => "blacklisted",
            Self::ConsentWithdrawn => "consent_withdrawn",
            Self::ConsentMissing => "consent_missing",
        }
    }
}

/// For each message, why it must not be sent; none: it may.
///
/// # Errors
/// What the member service failed with.
pub async fn stops(
    app: &App,
    merchant: Id<Merchant>,
    campaign: &Campaign,
    needed: Consent,
    messages: &[Claimed],
) -> Result<Vec<Option<Stop>>, Fault> {
    let person_ids: Vec<String> = messages.iter().map(|m| m.person_id.to_string()).collect();
    let purpose: Purpose = campaign.purpose;
    let mut consents = ConsentServiceClient::new(app.member.as_service(Some(merchant)));
    let mut blacklist = BlacklistServiceClient::new(app.member.as_service(Some(merchant)));
    let allowed = CheckConsentsRequest {
        person_ids: person_ids.clone(),
        purpose: purpose.consent_purpose().into(),
        channel: campaign.channel.clone(),
    };
    let listed = CheckBlacklistRequest { person_ids, scope: purpose.blacklist().into() };
    let (decided, listed) =
        tokio::join!(consents.check_consents(allowed), blacklist.check_blacklist(listed));
    let decided = decided.map_err(fault)?.into_inner().status;
    let listed = listed.map_err(fault)?.into_inner().listed;
    if decided.len() != messages.len() || listed.len() != messages.len() {
        return Err(Fault::internal("the member service answered about other persons"));
    }
    let needed = purpose.needs(needed);
    Ok(decided.into_iter().zip(listed).map(|one| stop(needed, one)).collect())
}

fn stop(needed: Consent, (decided, listed): (i32, bool)) -> Option<Stop> {
    if listed {
        return Some(Stop::Blacklisted);
    }
    // A decision that this version does not know is none.
    let decided = ConsentStatus::try_from(decided).unwrap_or_default();
    match (decided, needed) {
        (ConsentStatus::Withdrawn, _) => Some(Stop::ConsentWithdrawn),
        (ConsentStatus::Unspecified, Consent::Granted) => Some(Stop::ConsentMissing),
        (ConsentStatus::Granted, _) | (ConsentStatus::Unspecified, Consent::NotWithdrawn) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_refused_gets_nothing_and_who_never_decided_only_where_that_is_enough() {
        use Consent::{Granted, NotWithdrawn};
        let of = |needed, status: ConsentStatus, listed| stop(needed, (status.into(), listed));
        for needed in [Granted, NotWithdrawn] {
            assert_eq!(of(needed, ConsentStatus::Granted, false), None);
            assert_eq!(of(needed, ConsentStatus::Granted, true), Some(Stop::Blacklisted));
            let withdrawn = of(needed, ConsentStatus::Withdrawn, false);
            assert_eq!(withdrawn, Some(Stop::ConsentWithdrawn));
        }
        assert_eq!(of(Granted, ConsentStatus::Unspecified, false), Some(Stop::ConsentMissing));
        assert_eq!(of(NotWithdrawn, ConsentStatus::Unspecified, false), None);
        assert_eq!(stop(Granted, (99, false)), Some(Stop::ConsentMissing));
    }
}
