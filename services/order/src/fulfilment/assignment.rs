//! Which store fulfils a part of an order (reference §3.7, rule 25). A store is asked and may answer for some minutes, from when
//! it opens; then, or when it refuses, the next one is asked; after the last one headquarters decide. Nothing is charged on the
//! way: the money of the order does not know who fulfils it.
//!
//! | state | accept | refuse | time over | headquarters name a store | headquarters keep it | done | withdraw |
//! | --- | --- | --- | --- | --- | --- | --- | --- |
//! | offered | → accepted | → the next | → the next | → offered | → accepted | – | → withdrawn |
//! | accepted | no change | → the next | – | → offered | → accepted | → done | → withdrawn |
//! | headquarters | – | – | – | → offered | → accepted | → done | → withdrawn |
//! | done | – | – | – | – | – | no change | – |
//! | withdrawn | – | – | – | – | – | – | no change |
//!
//! "The next" is the next candidate, or headquarters. What is accepted without a store is kept by headquarters. Whoever
//! changes an assignment names the turn that was read: of several at once one succeeds.

pub mod act;
pub(crate) mod follow;
pub mod part;
pub(crate) mod rpc;
pub(crate) mod show;
pub mod store;

use chrono::{DateTime, TimeDelta, Utc};
use siyu_kernel::{Code, Fault};

use super::StoreId;
use crate::order::domain::OrderId;

/// An assignment: the row.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Assignment {
    /// The order.
    pub order_id: OrderId,
    /// The part of it, from 1.
    pub part: i32,
    /// How it stands.
    pub state: State,
    /// Counts the changes.
    pub turn: i32,
    /// The store that is asked or that took it; nothing: headquarters.
    pub store_id: Option<StoreId>,
    /// The stores that are asked next, the best first.
    pub candidates: Vec<StoreId>,
    /// When each of them opens; empty: they were open at once.
    pub opens: Vec<DateTime<Utc>>,
    /// Until when the store may answer, exclusive.
    pub expires_at: Option<DateTime<Utc>>,
    /// Where its pieces are reserved; empty: no pieces of it are counted.
    pub location: String,
    /// How long a store may answer.
    pub accept_minutes: i32,
    /// When it changed last.
    pub updated_at: DateTime<Utc>,
}

/// A store that may be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked {
    /// The store.
    pub store: StoreId,
    /// When it opens, or an instant at which it was open: its time to answer begins no earlier.
    pub opens_at: DateTime<Utc>,
}

/// How an assignment stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum State {
    /// A store is asked.
    Offered,
    /// A store took it.
    Accepted,
    /// Headquarters decide.
    Headquarters,
    /// It is fulfilled.
    Done,
    /// It is not wanted any more.
    Withdrawn,
}

/// What happens to an assignment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// The store takes it.
    Accept(StoreId),
    /// The store does not, or cannot after all.
    Refuse(StoreId),
    /// The store has not answered in time.
    TimeOut,
    /// Headquarters name a store.
    Assign(StoreId),
    /// Headquarters fulfil it themselves.
    Keep,
    /// It is fulfilled.
    Finish,
    /// The order is cancelled or refunded.
    Withdraw,
}

/// Why an event has no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The store is not the one that is asked.
    #[error("the order is not offered to this store")]
    OtherStore,
    /// The time to answer is over.
    #[error("the time to answer is over")]
    OfferExpired,
    /// The time to answer is not over.
    #[error("the time to answer is not over")]
    OfferStands,
    /// The assignment is done or withdrawn, or nobody is asked.
    #[error("the assignment does not wait for this")]
    Ended,
    /// Another change came first.
    #[error("a concurrent change was faster, read again and repeat")]
    Raced,
}

impl Assignment {
    /// The first offer of a part, or headquarters where there is no candidate.
    pub fn begin(
        (order, part): (OrderId, i32),
        stores: &[Asked],
        accept_minutes: i32,
        now: DateTime<Utc>,
    ) -> Self {
        let asked = Self {
            order_id: order,
            part,
            state: State::Headquarters,
            turn: 0,
            store_id: None,
            candidates: stores.iter().map(|asked| asked.store).collect(),
            opens: stores.iter().map(|asked| asked.opens_at).collect(),
            expires_at: None,
            location: String::new(),
            accept_minutes,
            updated_at: now,
        };
        asked.next(now)
    }

    /// Whether somebody has taken it on, or has fulfilled it.
    pub const fn is_taken(&self) -> bool {
        match self.state {
            State::Accepted | State::Done => true,
            State::Offered | State::Headquarters | State::Withdrawn => false,
        }
    }

    /// What an event makes of it; `None`: it stands as it is.
    ///
    /// # Errors
    /// [`Error`] when the event has no place.
    pub fn after(&self, event: Event, now: DateTime<Utc>) -> Result<Option<Self>, Error> {
        use State as S;
        let is_over = self.expires_at.is_some_and(|at| at <= now);
        let is_other = |store: StoreId| self.store_id != Some(store);
        let turned = |state| Self { state, expires_at: None, turn: self.turn + 1, ..self.clone() };
        let next = match (self.state, event) {
            (S::Offered | S::Accepted, Event::Accept(by) | Event::Refuse(by)) if is_other(by) => {
                return Err(Error::OtherStore);
            }
            (S::Offered, Event::Accept(_)) if is_over => return Err(Error::OfferExpired),
            (S::Offered, Event::TimeOut) if !is_over => return Err(Error::OfferStands),
            (S::Offered, Event::Accept(_)) => turned(S::Accepted),
            (S::Offered | S::Accepted, Event::Refuse(_)) | (S::Offered, Event::TimeOut) => {
                self.clone().next(now)
            }
            (S::Offered | S::Accepted | S::Headquarters, Event::Assign(store)) => {
                self.clone().offer(store, now, now)
            }
            (S::Accepted, Event::Keep) if self.store_id.is_none() => return Ok(None),
            (S::Offered | S::Accepted | S::Headquarters, Event::Keep) => {
                Self { store_id: None, ..turned(S::Accepted) }
            }
            (S::Accepted | S::Headquarters, Event::Finish) => turned(S::Done),
            (S::Offered | S::Accepted | S::Headquarters, Event::Withdraw) => turned(S::Withdrawn),
            (S::Accepted, Event::Accept(_))
            | (S::Done, Event::Finish)
            | (S::Withdrawn, Event::Withdraw) => return Ok(None),
            (S::Offered, Event::Finish)
            | (S::Accepted, Event::TimeOut)
            | (S::Headquarters, Event::Accept(_) | Event::Refuse(_) | Event::TimeOut)
            | (
                S::Done,
                Event::Accept(_)
                | Event::Refuse(_)
                | Event::TimeOut
                | Event::Assign(_)
                | Event::Keep
                | Event::Withdraw,
            )
            | (
                S::Withdrawn,
                Event::Accept(_)
                | Event::Refuse(_)
                | Event::TimeOut
                | Event::Assign(_)
                | Event::Keep
                | Event::Finish,
            ) => return Err(Error::Ended),
        };
        Ok(Some(next))
    }

    /// Asks the next candidate, or headquarters.
    fn next(self, now: DateTime<Utc>) -> Self {
        let Some(&store) = self.candidates.first() else {
            let turn = self.turn + 1;
            let state = State::Headquarters;
            return Self { state, turn, store_id: None, expires_at: None, ..self };
        };
        // A process of the version before takes candidates away without their times.
        let opens = if self.opens.len() == self.candidates.len() { &*self.opens } else { &[] };
        let opens_at = opens.first().map_or(now, |opens_at| now.max(*opens_at));
        self.offer(store, opens_at, now)
    }

    /// Asks a store, which has its time from an instant on, and is no candidate any more.
    fn offer(mut self, store: StoreId, from: DateTime<Utc>, now: DateTime<Utc>) -> Self {
        debug_assert!(from >= now, "nobody answered before it was asked");
        if let Some(at) = self.candidates.iter().position(|candidate| *candidate == store) {
            if self.opens.len() == self.candidates.len() {
                self.opens.remove(at);
            } else {
                self.opens.clear();
            }
            self.candidates.remove(at);
        }
        Self {
            state: State::Offered,
            turn: self.turn + 1,
            store_id: Some(store),
            expires_at: Some(from + TimeDelta::minutes(self.accept_minutes.into())),
            ..self
        }
    }
}

impl State {
    /// The word in columns.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Offered => "offered",
            Self::Accepted => "accepted",
            Self::Headquarters => "headquarters",
            Self::Done => "done",
            Self::Withdrawn => "withdrawn",
        }
    }
}

impl Event {
    /// The word in columns.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accept(_) => "accepted",
            Self::Refuse(_) => "refused",
            Self::TimeOut => "timed_out",
            Self::Assign(_) => "assigned",
            Self::Keep => "kept",
            Self::Finish => "done",
            Self::Withdraw => "withdrawn",
        }
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        let refused = |reason| Self::new(Code::FailedPrecondition, reason, error.to_string());
        match error {
            Error::OtherStore => refused("ASSIGNED_ELSEWHERE"),
            Error::OfferExpired => refused("OFFER_EXPIRED"),
            Error::OfferStands => refused("OFFER_STANDS"),
            Error::Ended => refused("ASSIGNMENT_ENDED"),
            Error::Raced => Self::new(Code::Aborted, "STORE_CONFLICT", error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests;
