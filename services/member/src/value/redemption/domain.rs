//! What a redemption pays, and its states. Pure.
//!
//! | redemption | approve, by another operator | approve, by who asked | reject |
//! | --- | --- | --- | --- |
//! | requested | → approved | refused | → rejected |
//! | approved, rejected | refused | refused | refused |

use chrono::{DateTime, TimeDelta, Utc};
use siyu_grpc::parse::timestamp;
use siyu_kernel::{Currency, Id, kind};
use siyu_ledger::TransferId;
use siyu_proto::member::v1::{self as proto, PrepaidPolicy};

use crate::value::{
    Buckets, CardId, error::Error, issuer::basis_points, recharge::Recharge, recharge::back::Blame,
};

/// The id of a redemption.
pub type RedemptionId = Id<kind::Redemption>;

/// A redemption: the row.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Redemption {
    /// The id.
    pub id: RedemptionId,
    /// The card.
    pub card_id: CardId,
    /// How it stands.
    pub state: State,
    /// For whose reason.
    pub fault: Blame,
    /// Why, in words.
    pub reason: String,
    /// What it ends and pays.
    #[sqlx(flatten)]
    pub quote: Quote,
    /// The transfer that reserves the principal.
    pub principal_transfer_id: Option<TransferId>,
    /// The transfer that reserves the bonus.
    pub bonus_transfer_id: Option<TransferId>,
    /// Who asked.
    pub requested_by: String,
    /// When.
    pub requested_at: DateTime<Utc>,
    /// Who decided.
    pub decided_by: Option<String>,
    /// When.
    pub decided_at: Option<DateTime<Utc>>,
}

/// What a redemption ends and pays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub struct Quote {
    /// The principal that it ends.
    pub principal_minor: i64,
    /// The bonus that voids.
    pub bonus_minor: i64,
    /// What is kept for bonus that was spent.
    pub kept_minor: i64,
    /// The fee.
    pub fee_minor: i64,
    /// Whether all that is left was paid in within the days of cooling off.
    pub cooling_off: bool,
}

/// How a redemption stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum State {
    /// Somebody asked.
    Requested,
    /// It is paid.
    Approved,
    /// It is not paid.
    Rejected,
}

/// The recharges that the principal left on a card comes from, the newest first: what was paid in first is spent first.
pub fn sources(principal: i64, newest_first: &[Recharge]) -> Vec<&Recharge> {
    let (mut left, mut found) = (principal, Vec::new());
    for recharge in newest_first.iter().filter(|recharge| recharge.refunded_at.is_none()) {
        if left <= 0 {
            break;
        }
        left -= recharge.principal_minor;
        found.push(recharge);
    }
    found
}

/// What a card pays that has so much, of these recharges, of whose bonus so much was spent. The merchant's fault: what is
/// left of the principal, in the ratio of what was paid and given. The consumer's: what was used counts at its full price, so
/// bonus that was spent is kept, and there may be a fee, but not in the days of cooling off (reference §2.7).
pub fn quote(
    policy: &PrepaidPolicy,
    has: Buckets,
    sources: &[&Recharge],
    bonus_spent: i64,
    blame: Blame,
    now: DateTime<Utc>,
) -> Quote {
    let since = now - TimeDelta::days(policy.cooling_off_days.into());
    let cooling_off = !sources.is_empty() && sources.iter().all(|r| r.created_at > since);
    let given: i64 = sources.iter().map(|recharge| recharge.bonus_minor).sum();
    let kept_minor = match blame {
        Blame::Merchant => 0,
        Blame::Consumer => bonus_spent.clamp(0, given).min(has.principal),
    };
    let fee_minor = match blame {
        Blame::Consumer if !cooling_off => {
            let fee = basis_points(has.principal - kept_minor, policy.redeem_fee_bp);
            if policy.redeem_fee_max_minor > 0 { fee.min(policy.redeem_fee_max_minor) } else { fee }
        }
        Blame::Consumer | Blame::Merchant => 0,
    };
    let Buckets { principal, bonus } = has;
    Quote { principal_minor: principal, bonus_minor: bonus, kept_minor, fee_minor, cooling_off }
}

impl Quote {
    /// What is paid out.
    pub const fn paid_out(&self) -> i64 {
        self.principal_minor - self.kept_minor - self.fee_minor
    }

    /// What it ends.
    pub const fn buckets(&self) -> Buckets {
        Buckets::new(self.principal_minor, self.bonus_minor)
    }
}

impl Redemption {
    /// Whether this operator may approve it.
    pub fn may_approve(&self, operator: &str) -> Result<(), Error> {
        self.is_open()?;
        if self.requested_by == operator { Err(Error::SameOperator) } else { Ok(()) }
    }

    /// Whether nobody has decided.
    pub const fn is_open(&self) -> Result<(), Error> {
        match self.state {
            State::Requested => Ok(()),
            State::Approved | State::Rejected => Err(Error::RedemptionDecided),
        }
    }

    /// The redemption in the words of the contract.
    pub fn show(&self, currency: Currency) -> proto::Redemption {
        let state = match self.state {
            State::Requested => proto::RedemptionState::Requested,
            State::Approved => proto::RedemptionState::Approved,
            State::Rejected => proto::RedemptionState::Rejected,
        };
        proto::Redemption {
            id: self.id.to_string(),
            state: state.into(),
            reason: self.reason.clone(),
            requested_by: self.requested_by.clone(),
            decided_by: self.decided_by.clone().unwrap_or_default(),
            request_time: Some(timestamp(self.requested_at)),
            decide_time: self.decided_at.map(timestamp),
            ..show(&self.quote, self.card_id, self.fault, currency)
        }
    }
}

/// A quote in the words of the contract.
pub fn show(quote: &Quote, card: CardId, blame: Blame, currency: Currency) -> proto::Redemption {
    proto::Redemption {
        card_id: card.to_string(),
        fault: proto::ValueFault::from(blame).into(),
        currency_code: currency.code().to_owned(),
        principal_minor: quote.principal_minor,
        bonus_minor: quote.bonus_minor,
        kept_minor: quote.kept_minor,
        fee_minor: quote.fee_minor,
        paid_out_minor: quote.paid_out(),
        cooling_off: quote.cooling_off,
        ..Default::default()
    }
}

impl State {
    /// The word in columns.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Approved => "approved",
            Self::Rejected => "rejected",
        }
    }
}
