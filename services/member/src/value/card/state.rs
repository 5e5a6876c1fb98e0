//! What becomes of a card. Pure.
//!
//! | card | freeze | unfreeze | close | renew |
//! | --- | --- | --- | --- | --- |
//! | active | → frozen | stays | → closed, if empty | valid anew |
//! | frozen | stays | → active | → closed, if empty | valid anew |
//! | closed | refused | refused | stays | refused |
//! | gifted | refused | refused | refused | refused |

use chrono::{DateTime, Utc};

use super::{Card, State};
use crate::value::{Buckets, books::Balance, error::Error};

/// What somebody wants of a card.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// It shall not pay.
    Freeze,
    /// It shall pay again.
    Unfreeze,
    /// It shall end.
    Close,
    /// It shall be valid until then.
    Renew(Option<DateTime<Utc>>),
}

/// The card after an event; it has this balance.
pub fn after(card: Card, event: Event, balance: Balance) -> Result<Card, Error> {
    let state = match (card.state, event) {
        (State::Gifted, _) | (State::Closed, Event::Freeze | Event::Unfreeze | Event::Renew(_)) => {
            return Err(Error::CardClosed);
        }
        (State::Active | State::Frozen, Event::Renew(None)) => {
            return Err(Error::CardWithoutExpiry);
        }
        (State::Active | State::Frozen, Event::Renew(until @ Some(_))) => {
            return Ok(Card { expires_at: until, ..card });
        }
        (State::Active | State::Frozen, Event::Freeze) => State::Frozen,
        (State::Active | State::Frozen, Event::Unfreeze) => State::Active,
        (State::Active | State::Frozen, Event::Close) if balance.total != Buckets::default() => {
            return Err(Error::CardNotEmpty);
        }
        (State::Active | State::Frozen | State::Closed, Event::Close) => State::Closed,
    };
    Ok(Card { state, ..card })
}
