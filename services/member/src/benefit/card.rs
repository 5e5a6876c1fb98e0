//! The life of a card. Pure.
//!
//! | card | pay | freeze | unfreeze | refund |
//! | --- | --- | --- | --- | --- |
//! | pending payment | → active | – | – | – |
//! | active | – | → frozen | – | → refunded |
//! | frozen | – | – | → active | → refunded |
//! | expired, refunded | – | – | – | – |

use chrono::{DateTime, TimeDelta, Utc};
use siyu_grpc::parse::timestamp;
use siyu_kernel::{Id, kind};
use siyu_proto::member::v1 as proto;

use super::Error;
use crate::person::PersonId;

/// The id of a card.
pub type CardId = Id<kind::Card>;
/// The id of a plan.
pub type PlanId = Id<kind::CardPlan>;

/// How long before a charge the person must be told of it (automatic renewal).
pub const NOTICE: TimeDelta = TimeDelta::days(5);

/// A membership of a person: the row.
#[derive(Debug, Clone, PartialEq)]
pub struct Card {
    /// The id.
    pub id: CardId,
    /// The person.
    pub person_id: PersonId,
    /// The plan, as it was at the purchase.
    pub plan: proto::CardPlan,
    /// Where it is in its life.
    pub state: State,
    /// From when to when its benefits hold; none before it is paid.
    pub term: Option<(DateTime<Utc>, DateTime<Utc>)>,
    /// Since when it rests.
    pub frozen_at: Option<DateTime<Utc>>,
    /// What was given back for it.
    pub refund_minor: i64,
    /// What its used benefits take off a refund.
    pub used_minor: i64,
    /// When the person agreed to automatic renewal.
    pub consent_at: Option<DateTime<Utc>>,
    /// When the person was last told of a charge to come.
    pub notice_at: Option<DateTime<Utc>>,
}

/// Where a card is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum State {
    /// It waits for its payment.
    PendingPayment,
    /// It is paid.
    Active,
    /// It rests.
    Frozen,
    /// Its time is over.
    Expired,
    /// It was given back.
    Refunded,
}

/// A card that goes on, and those of the others of its plan that move with it. It comes behind those that began before it and
/// hold, and those that begin after it come behind it.
pub fn go_on(card: Card, others: Vec<Card>, now: DateTime<Utc>) -> (Card, Vec<Card>) {
    let place = |card: &Card| (card.term.map(|(start, _)| start), card.id);
    let here = place(&card);
    let (ahead, following): (Vec<Card>, _) =
        others.into_iter().partition(|other| place(other) < here);
    let holds = ahead.iter().filter(|other| other.state_at(now) == State::Active);
    let ends = holds.filter_map(|other| other.term.map(|(_, end)| end)).max();
    let card = ends.and_then(|ends| card.behind(ends, now)).unwrap_or(card);
    let moved = card.term.map_or_else(Vec::new, |(_, end)| queue(end, following, now));
    (card, moved)
}

/// Those of other cards that move when a card of the same plan goes on until an instant: each behind the one before it, in
/// the order in which they begin.
fn queue(ends: DateTime<Utc>, others: Vec<Card>, now: DateTime<Utc>) -> Vec<Card> {
    let mut others = others;
    others.sort_by_key(|card| (card.term.map(|(start, _)| start), card.id));
    let mut ends = ends;
    let mut moved = Vec::new();
    for card in &others {
        let Some(card) = card.behind(ends, now) else { continue };
        ends = card.term.map_or(ends, |(_, end)| end);
        moved.push(card);
    }
    moved
}

/// What may happen to a card.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// It is paid; it begins then, or when the card before it ends.
    Pay {
        /// When that one ends.
        after: Option<DateTime<Utc>>,
    },
    /// It rests.
    Freeze,
    /// It goes on.
    Unfreeze,
    /// It is given back.
    Refund,
}

impl State {
    /// The word in columns.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PendingPayment => "pending_payment",
            Self::Active => "active",
            Self::Frozen => "frozen",
            Self::Expired => "expired",
            Self::Refunded => "refunded",
        }
    }
}

impl Card {
    /// A card that waits for its payment.
    pub fn purchase(id: CardId, person_id: PersonId, plan: proto::CardPlan) -> Self {
        Self {
            id,
            person_id,
            plan,
            state: State::PendingPayment,
            term: None,
            frozen_at: None,
            refund_minor: 0,
            used_minor: 0,
            consent_at: None,
            notice_at: None,
        }
    }

    /// Where it is at an instant, whether the job has come round or not.
    pub fn state_at(&self, now: DateTime<Utc>) -> State {
        let is_over = self.term.is_some_and(|(_, end)| end <= now);
        if self.state == State::Active && is_over { State::Expired } else { self.state }
    }

    /// Whether its benefits hold at an instant: from its start to the exact instant of its end (rule 55).
    pub fn holds(&self, now: DateTime<Utc>) -> bool {
        self.state == State::Active
            && self.term.is_some_and(|(start, end)| start <= now && now < end)
    }

    /// The card after a step.
    pub fn after(mut self, step: Step, now: DateTime<Utc>) -> Result<Self, Error> {
        let state = self.state_at(now);
        match (state, step, self.term) {
            (State::PendingPayment, Step::Pay { after }, _) => {
                let start = after.map_or(now, |end| end.max(now));
                let days = TimeDelta::days(i64::from(self.plan.validity_days));
                self.state = State::Active;
                self.term = Some((start, start + days));
            }
            (State::Active, Step::Freeze, _) => {
                self.state = State::Frozen;
                self.frozen_at = Some(now);
            }
            (State::Frozen, Step::Unfreeze, Some((start, end))) => {
                // A card that rested before it began does not begin later; its end moves by what it missed.
                let rested = now - self.frozen_at.unwrap_or(now).max(start).min(now);
                self.state = State::Active;
                self.frozen_at = None;
                self.term = Some((start, end + rested));
            }
            (State::Active | State::Frozen, Step::Refund, _) => {
                self.refund_minor = self.refund_at(now);
                self.state = State::Refunded;
                self.frozen_at = None;
            }
            (
                State::PendingPayment
                | State::Active
                | State::Frozen
                | State::Expired
                | State::Refunded,
                Step::Pay { .. } | Step::Freeze | Step::Unfreeze | Step::Refund,
                _,
            ) => return Err(Error::CardMoveRefused(state.as_str())),
        }
        Ok(self)
    }

    /// The card behind another one of its plan that ends then: what is left of it begins no earlier, so that no day runs for
    /// two cards (rule 55). None where it stands as it is: it rests, is over, or begins late enough.
    #[must_use]
    pub fn behind(&self, ends: DateTime<Utc>, now: DateTime<Utc>) -> Option<Self> {
        let (State::Active, Some((start, end))) = (self.state_at(now), self.term) else {
            return None;
        };
        let from = start.max(now);
        (from < ends).then(|| Self { term: Some((ends, ends + (end - from))), ..self.clone() })
    }

    /// What would be given back: the price of the days that are left, of those that were bought; begun ones count as used, and
    /// those in which the card rested do not count. Less what the used benefits are worth; never below 0 (reference §2.6).
    pub fn refund_at(&self, now: DateTime<Utc>) -> i64 {
        let (State::Active | State::Frozen, Some((start, end))) = (self.state_at(now), self.term)
        else {
            return self.refund_minor;
        };
        let from = self.frozen_at.unwrap_or(now).max(start);
        let (left, all) =
            ((end - from).num_days().max(0), i64::from(self.plan.validity_days).max(1));
        let price = self.plan.price.as_ref().map_or(0, |price| price.minor_units);
        let days = i128::from(price) * i128::from(left.min(all)) / i128::from(all);
        let days = i64::try_from(days).expect("a part of the price");
        (days - self.used_minor).max(0)
    }

    /// The card in the words of the contract.
    pub fn show(&self, now: DateTime<Utc>) -> proto::Card {
        let state = match self.state_at(now) {
            State::PendingPayment => proto::CardState::PendingPayment,
            State::Active => proto::CardState::Active,
            State::Frozen => proto::CardState::Frozen,
            State::Expired => proto::CardState::Expired,
            State::Refunded => proto::CardState::Refunded,
        };
        proto::Card {
            id: self.id.to_string(),
            person_id: self.person_id.to_string(),
            plan: Some(self.plan.clone()),
            state: state.into(),
            start_time: self.term.map(|(start, _)| timestamp(start)),
            end_time: self.term.map(|(_, end)| timestamp(end)),
            refund_minor: self.refund_at(now),
            renewal_consent_time: self.consent_at.map(timestamp),
            renewal_notice_time: self.notice_at.map(timestamp),
        }
    }
}

#[cfg(test)]
mod tests;
