//! The limits of single-purpose prepaid cards (单用途商业预付卡管理办法, reference §2.7, rule 61). Pure.

use siyu_kernel::{Code, Fault};
use siyu_proto::member::v1::{LimitFinding, PrepaidLimit, PrepaidPolicy};

use crate::value::{Buckets, card::Kind, issuer::basis_points};

/// Who pays, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Payer {
    /// A person, in cash.
    IndividualInCash,
    /// An organisation, in cash.
    OrganisationInCash,
    /// Anybody by a means that leaves a trace at a bank.
    Traced,
}

/// A recharge, and what it comes on top of.
#[derive(Debug, Clone, Copy)]
pub struct Asked {
    /// Who may use the card.
    pub kind: Kind,
    /// What is on the card.
    pub has: Buckets,
    /// What comes on top.
    pub adds: Buckets,
    /// The whole purchase that it is part of.
    pub purchase: i64,
    /// Who pays.
    pub payer: Payer,
    /// Whether the buyer is known.
    pub buyer: Buyer,
    /// What the issuer owes of principal, and the most that it may.
    pub issuer: Option<(i64, i64)>,
}

/// Whether the buyer of a bearer card is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Buyer {
    /// The merchant knows who it is.
    Known,
    /// It does not.
    Unknown,
}

/// The limits that a recharge breaks or comes near to.
pub fn findings(policy: &PrepaidPolicy, asked: &Asked) -> Vec<LimitFinding> {
    let mut found = Vec::new();
    let mut find = |limit: PrepaidLimit, exceeded, limit_minor, value_minor| {
        found.push(LimitFinding { limit: limit.into(), exceeded, limit_minor, value_minor });
    };
    let card_max = match asked.kind {
        Kind::Named => policy.named_max_minor,
        Kind::Bearer => policy.bearer_max_minor,
    };
    let on_card = asked.has.plus(asked.adds).total();
    if card_max > 0 && on_card > card_max {
        find(PrepaidLimit::Card, true, card_max, on_card);
    }
    let anonymous = asked.kind == Kind::Bearer && asked.buyer == Buyer::Unknown;
    if policy.real_name_minor > 0 && anonymous && asked.purchase >= policy.real_name_minor {
        find(PrepaidLimit::RealName, true, policy.real_name_minor, asked.purchase);
    }
    let transfer_from = match asked.payer {
        Payer::IndividualInCash => policy.individual_transfer_minor,
        Payer::OrganisationInCash => policy.organisation_transfer_minor,
        Payer::Traced => 0,
    };
    if transfer_from > 0 && asked.purchase >= transfer_from {
        find(PrepaidLimit::BankTransfer, true, transfer_from, asked.purchase);
    }
    if let Some((owed, most)) = asked.issuer {
        let owed = owed + asked.adds.principal;
        if owed > most || owed >= alert(policy, most) {
            find(PrepaidLimit::IssuerBalance, owed > most, most, owed);
        }
    }
    found
}

/// From which balance on an issuer is near to its limit.
pub fn alert(policy: &PrepaidPolicy, limit: i64) -> i64 {
    basis_points(limit, policy.alert_bp)
}

/// Refuses a recharge that breaks a limit; else gives the limits that it comes near to.
pub fn refuse(findings: Vec<LimitFinding>) -> Result<Vec<LimitFinding>, Fault> {
    match findings.iter().find(|finding| finding.exceeded) {
        None => Ok(findings),
        Some(broken) => {
            let message = "the recharge would break a limit for prepaid cards";
            Err(Fault::new(Code::FailedPrecondition, "PREPAID_LIMIT_EXCEEDED", message)
                .with("limit", broken.limit().as_str_name())
                .with("limit_minor", broken.limit_minor)
                .with("value_minor", broken.value_minor))
        }
    }
}

#[cfg(test)]
mod tests {
    use siyu_kernel::Currency;

    use super::*;
    use crate::value::policy;

    const FREE: Asked = Asked {
        kind: Kind::Named,
        has: Buckets::new(0, 0),
        adds: Buckets::new(100, 0),
        purchase: 100,
        payer: Payer::Traced,
        buyer: Buyer::Unknown,
        issuer: None,
    };

    fn broken(asked: Asked) -> Vec<(PrepaidLimit, bool)> {
        let policy = policy::default(Currency::parse("CNY").unwrap());
        findings(&policy, &asked).iter().map(|f| (f.limit(), f.exceeded)).collect()
    }

    #[test]
    fn a_card_is_full_by_its_kind_principal_and_bonus_together() {
        let with = |kind, principal, bonus| {
            broken(Asked { kind, has: Buckets::new(principal, bonus), ..FREE })
        };
        assert_eq!(with(Kind::Named, 400_000, 99_900), []);
        assert_eq!(with(Kind::Named, 400_000, 99_901), [(PrepaidLimit::Card, true)]);
        assert_eq!(with(Kind::Bearer, 99_900, 0), []);
        assert_eq!(with(Kind::Bearer, 99_901, 0), [(PrepaidLimit::Card, true)]);
    }

    #[test]
    fn much_at_once_wants_a_name_and_a_bank() {
        let bearer = Asked { kind: Kind::Bearer, purchase: 1_000_000, ..FREE };
        assert_eq!(broken(bearer), [(PrepaidLimit::RealName, true)]);
        assert_eq!(broken(Asked { buyer: Buyer::Known, ..bearer }), []);
        assert_eq!(broken(Asked { purchase: 999_999, ..bearer }), []);
        let cash = |payer, purchase| broken(Asked { purchase, payer, ..FREE });
        assert_eq!(cash(Payer::OrganisationInCash, 500_000), [(PrepaidLimit::BankTransfer, true)]);
        assert_eq!(cash(Payer::OrganisationInCash, 499_999), []);
        assert_eq!(cash(Payer::IndividualInCash, 4_999_999), []);
        assert_eq!(cash(Payer::IndividualInCash, 5_000_000), [(PrepaidLimit::BankTransfer, true)]);
        assert_eq!(cash(Payer::Traced, 9_000_000), []);
    }

    #[test]
    fn an_issuer_is_warned_from_nine_tenths_of_its_limit_on_and_stopped_beyond_it() {
        let with = |owed| broken(Asked { issuer: Some((owed, 10_000)), ..FREE });
        assert_eq!(with(8_899), []);
        assert_eq!(with(8_900), [(PrepaidLimit::IssuerBalance, false)]);
        assert_eq!(with(9_900), [(PrepaidLimit::IssuerBalance, false)]);
        assert_eq!(with(9_901), [(PrepaidLimit::IssuerBalance, true)]);
    }
}
