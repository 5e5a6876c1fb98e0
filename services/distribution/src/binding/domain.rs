//! What a click leads to (reference §4.2). Pure.
//!
//! | the customer is | and | outcome |
//! | --- | --- | --- |
//! | the promoter | | self |
//! | free, or the binding has expired | | bound |
//! | bound by a later click | | outdated |
//! | bound to the same promoter | | refreshed |
//! | bound to another one | the click lies in `[bound_at, protect_until)` | protected |
//! | bound to another one | after that | rebound |

use chrono::{DateTime, TimeDelta, Utc};
use siyu_grpc::parse::timestamp;
use siyu_kernel::{Id, kind};
use siyu_proto::distribution::v1 as proto;

use crate::{
    commission::domain::Rule,
    promoter::{PersonId, Promoter, PromoterId},
};

/// A binding: the row.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Binding {
    /// The id.
    pub id: Id<kind::Binding>,
    /// The customer.
    pub person_id: PersonId,
    /// The promoter.
    pub promoter_id: PromoterId,
    /// Since when it is in force.
    pub bound_at: DateTime<Utc>,
    /// Until when no other promoter can take the customer, exclusive.
    pub protect_until: DateTime<Utc>,
    /// When it ends by itself, exclusive.
    pub expires_at: Option<DateTime<Utc>>,
    /// When another one took its place, exclusive.
    pub ended_at: Option<DateTime<Utc>>,
    /// Where it came from.
    pub source: String,
}

/// One click or scan.
#[derive(Debug, Clone, Copy)]
pub struct Click<'a> {
    /// The customer.
    pub person_id: PersonId,
    /// Whose link it was.
    pub promoter: &'a Promoter,
    /// When.
    pub at: DateTime<Utc>,
    /// Where it came from.
    pub source: &'a str,
}

/// What a click leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Nothing changes, for this reason.
    Keep(proto::BindOutcome),
    /// The open binding lives longer.
    Refresh(Binding),
    /// A new binding; the open one ends.
    Bind {
        /// The new one.
        binding: Binding,
        /// When the open one ended, if there was one.
        ends_open_at: Option<DateTime<Utc>>,
        /// Bound or rebound.
        outcome: proto::BindOutcome,
    },
}

/// Decides on a click, given the binding that nothing has replaced yet.
pub fn decide(
    open: Option<&Binding>,
    click: &Click<'_>,
    rule: &Rule,
    id: Id<kind::Binding>,
) -> Decision {
    use proto::BindOutcome as Outcome;
    let fresh = || Binding {
        id,
        person_id: click.person_id,
        promoter_id: click.promoter.id,
        bound_at: click.at,
        protect_until: protect_until(click.at, rule),
        expires_at: expires_at(click.at, rule),
        ended_at: None,
        source: click.source.to_owned(),
    };
    let bind = |ends_open_at, outcome| Decision::Bind { binding: fresh(), ends_open_at, outcome };
    if click.promoter.person_id == click.person_id {
        return Decision::Keep(Outcome::Self_);
    }
    let Some(open) = open else { return bind(None, Outcome::Bound) };
    if click.at < open.bound_at {
        return Decision::Keep(Outcome::Outdated);
    }
    if let Some(expired_at) = open.expires_at.filter(|&end| end <= click.at) {
        return bind(Some(expired_at), Outcome::Bound);
    }
    if open.promoter_id == click.promoter.id {
        let mut longer = open.clone();
        longer.protect_until = open.protect_until.max(protect_until(click.at, rule));
        longer.expires_at = match (open.expires_at, expires_at(click.at, rule)) {
            (Some(old), Some(new)) => Some(old.max(new)),
            (None, _) | (_, None) => None,
        };
        return Decision::Refresh(longer);
    }
    if click.at < open.protect_until {
        return Decision::Keep(Outcome::Protected);
    }
    bind(Some(click.at), Outcome::Rebound)
}

fn protect_until(at: DateTime<Utc>, rule: &Rule) -> DateTime<Utc> {
    at + TimeDelta::days(i64::from(rule.protect_days))
}

fn expires_at(at: DateTime<Utc>, rule: &Rule) -> Option<DateTime<Utc>> {
    (rule.binding_valid_days > 0).then(|| at + TimeDelta::days(i64::from(rule.binding_valid_days)))
}

impl From<Binding> for proto::Binding {
    fn from(binding: Binding) -> Self {
        Self {
            id: binding.id.to_string(),
            person_id: binding.person_id.to_string(),
            promoter_id: binding.promoter_id.to_string(),
            bind_time: Some(timestamp(binding.bound_at)),
            protect_until_time: Some(timestamp(binding.protect_until)),
            expire_time: binding.expires_at.map(timestamp),
            source: binding.source,
        }
    }
}

#[cfg(test)]
mod tests {
    use proto::BindOutcome as Outcome;
    use uuid::Uuid;

    use super::*;

    fn day(n: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_700_000_000, 0).unwrap() + TimeDelta::days(n)
    }

    fn promoter(n: u128) -> Promoter {
        Promoter {
            id: Id::from_uuid(Uuid::from_u128(n)),
            person_id: Id::from_uuid(Uuid::from_u128(n + 1_000)),
            inviter_promoter_id: None,
            created_at: day(0),
        }
    }

    fn rule() -> Rule {
        Rule { binding_valid_days: 30, protect_days: 7, ..Rule::default() }
    }

    /// Plays clicks (promoter, day) and returns the outcomes and the last open binding.
    fn play(clicks: &[(u128, i64)]) -> (Vec<Outcome>, Option<Binding>) {
        let customer = Id::from_uuid(Uuid::from_u128(1));
        let (mut open, mut outcomes) = (None, Vec::new());
        for &(who, when) in clicks {
            let promoter = promoter(who);
            let click =
                Click { person_id: customer, promoter: &promoter, at: day(when), source: "link" };
            match decide(open.as_ref(), &click, &rule(), Id::from_uuid(Uuid::from_u128(9))) {
                Decision::Keep(outcome) => outcomes.push(outcome),
                Decision::Refresh(binding) => {
                    outcomes.push(Outcome::Refreshed);
                    open = Some(binding);
                }
                Decision::Bind { binding, outcome, .. } => {
                    outcomes.push(outcome);
                    open = Some(binding);
                }
            }
        }
        (outcomes, open)
    }

    #[test]
    fn protection_ends_exactly_at_its_end() {
        assert_eq!(
            play(&[(1, 0), (2, 6), (2, 7)]).0,
            [Outcome::Bound, Outcome::Protected, Outcome::Rebound]
        );
    }

    #[test]
    fn a_binding_is_expired_exactly_at_its_end() {
        assert_eq!(play(&[(1, 0), (2, 30)]).0, [Outcome::Bound, Outcome::Bound]);
    }

    #[test]
    fn a_click_of_the_same_promoter_makes_the_binding_live_longer() {
        let (outcomes, open) = play(&[(1, 0), (1, 5), (2, 11)]);
        assert_eq!(outcomes, [Outcome::Bound, Outcome::Refreshed, Outcome::Protected]);
        assert_eq!(open.unwrap().expires_at, Some(day(35)));
    }

    #[test]
    fn a_click_that_arrives_late_changes_nothing() {
        assert_eq!(play(&[(1, 10), (2, 3)]).0, [Outcome::Bound, Outcome::Outdated]);
    }

    #[test]
    fn nobody_binds_himself() {
        let own = promoter(1);
        let click = Click { person_id: own.person_id, promoter: &own, at: day(0), source: "" };
        let decision = decide(None, &click, &rule(), Id::from_uuid(Uuid::nil()));
        assert_eq!(decision, Decision::Keep(Outcome::Self_));
    }
}
