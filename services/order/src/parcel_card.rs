//! Cards in the parcels of other platforms (包裹卡): who scans one says who they are, and is one person with the buyer of the
//! order from then on, for what was bought before, too.
//!
//! | a card | and its order | is |
//! | --- | --- | --- |
//! | nobody claimed | | open |
//! | somebody claimed | has not come, or is not named | waiting |
//! | somebody claimed | is here | due: the member service is asked whether the two are one |
//! | was asked about | | linked, a conflict that somebody decides, or erased |
//!
//! Whoever claims a card, attaches it or brings in its order makes it due, in the transaction in which it happens; a job goes on
//! with what is due, so that nothing is lost where the asking fails.

pub mod link;
pub mod rpc;
pub mod store;

use chrono::{DateTime, Utc};
use siyu_kernel::{Code, Fault, Id, kind::Person};
use uuid::Uuid;

use crate::import::domain::Key;

/// A card: the row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Card {
    /// The code.
    pub code: String,
    /// The card, for lists and jobs.
    pub id: Uuid,
    /// The order; none: the card is blank.
    pub order: Option<Key>,
    /// Whether it can be claimed.
    pub state: State,
    /// Who claimed it, and when.
    pub claim: Option<(Id<Person>, DateTime<Utc>)>,
    /// What became of who claimed it and the buyer.
    pub outcome: Option<Outcome>,
    /// Until when it can be claimed, exclusive.
    pub expires_at: DateTime<Utc>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// Whether a card can be claimed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum State {
    /// Until its time is over.
    Open,
    /// Somebody did.
    Claimed,
    /// It is good for nobody.
    Void,
}

/// What the member service made of who claimed a card and the buyer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Outcome {
    /// They are one.
    Linked,
    /// Their keys contradict each other.
    Conflict,
    /// The data of one of them were erased.
    Erased,
}

impl Card {
    /// Whether a person can claim it: false where it is theirs already. `holder` is who claimed it, as they are known now.
    ///
    /// # Errors
    /// `PARCEL_CARD_VOID`, `PARCEL_CARD_CLAIMED`, `PARCEL_CARD_EXPIRED`.
    pub fn claimable(
        &self,
        person: Id<Person>,
        holder: Option<Id<Person>>,
        now: DateTime<Utc>,
    ) -> Result<bool, Fault> {
        match (self.state, holder) {
            (State::Void, _) => Err(void()),
            (State::Claimed, holder) if holder == Some(person) => Ok(false),
            (State::Claimed, _) => Err(claimed("somebody else claimed the parcel card")),
            (State::Open, _) if self.expires_at <= now => {
                Err(refused("PARCEL_CARD_EXPIRED", "the time of the parcel card is over"))
            }
            (State::Open, _) => Ok(true),
        }
    }
}

fn refused(reason: &'static str, message: &'static str) -> Fault {
    Fault::new(Code::FailedPrecondition, reason, message)
}

fn void() -> Fault {
    refused("PARCEL_CARD_VOID", "the parcel card is good for nobody")
}

fn claimed(message: &'static str) -> Fault {
    refused("PARCEL_CARD_CLAIMED", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(n: u128) -> Id<Person> {
        Id::from_uuid(Uuid::from_u128(n))
    }

    #[test]
    fn a_card_is_good_for_the_first_who_comes_in_time() {
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        let claimable = |state, holder, now| {
            let card = Card {
                code: "1".to_owned(),
                id: Uuid::nil(),
                order: None,
                state,
                claim: None,
                outcome: None,
                expires_at: at("2024-06-01T00:00:00Z"),
                created_at: at("2024-01-01T00:00:00Z"),
            };
            card.claimable(person(1), holder, at(now)).map_err(|fault| fault.reason())
        };
        let (before, after) = ("2024-05-31T23:59:59Z", "2024-06-01T00:00:00Z");
        assert_eq!(claimable(State::Open, None, before), Ok(true));
        assert_eq!(claimable(State::Open, None, after), Err("PARCEL_CARD_EXPIRED"));
        assert_eq!(claimable(State::Claimed, Some(person(1)), after), Ok(false));
        assert_eq!(claimable(State::Claimed, Some(person(2)), before), Err("PARCEL_CARD_CLAIMED"));
        assert_eq!(claimable(State::Void, None, before), Err("PARCEL_CARD_VOID"));
    }
}
