//! Gifts and their states. Pure.
//!
//! | gift | accept | cancel | expire |
//! | --- | --- | --- | --- |
//! | open | → accepted | → cancelled | → expired, once its time is over |
//! | open, its time over | refused | → cancelled | → expired |
//! | accepted, cancelled, expired | refused | refused | refused |

use chrono::{DateTime, Utc};
use siyu_grpc::parse::timestamp;
use siyu_kernel::{Currency, Id, kind};
use siyu_proto::member::v1 as proto;

use crate::{
    person::PersonId,
    value::{CardId, error::Error},
    vault::Keys,
};

/// The id of a gift.
pub type GiftId = Id<kind::Gift>;

/// A gift: the row.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Gift {
    /// The id.
    pub id: GiftId,
    /// The card that gave it.
    pub from_card_id: CardId,
    /// The card that it became.
    pub card_id: CardId,
    /// How it stands.
    pub state: State,
    /// Who accepted it.
    pub person_id: Option<PersonId>,
    /// The principal that was given.
    pub principal_minor: i64,
    /// The bonus that was given.
    pub bonus_minor: i64,
    /// Until when it waits.
    pub expires_at: DateTime<Utc>,
    /// When it was given.
    pub created_at: DateTime<Utc>,
    /// When it stopped waiting.
    pub ended_at: Option<DateTime<Utc>>,
}

/// How a gift stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum State {
    /// It waits.
    Open,
    /// Somebody has it.
    Accepted,
    /// It went back.
    Cancelled,
    /// Nobody came in time.
    Expired,
}

impl Gift {
    /// Whether it waits.
    pub const fn is_open(&self) -> Result<(), Error> {
        match self.state {
            State::Open => Ok(()),
            State::Accepted | State::Cancelled | State::Expired => Err(Error::GiftEnded),
        }
    }

    /// Whether it can be accepted.
    pub fn may_accept(&self, now: DateTime<Utc>) -> Result<(), Error> {
        self.is_open()?;
        if self.expires_at <= now { Err(Error::GiftEnded) } else { Ok(()) }
    }

    /// The gift in the words of the contract.
    pub fn show(&self, currency: Currency) -> proto::ValueGift {
        let state = match self.state {
            State::Open => proto::ValueGiftState::Open,
            State::Accepted => proto::ValueGiftState::Accepted,
            State::Cancelled => proto::ValueGiftState::Cancelled,
            State::Expired => proto::ValueGiftState::Expired,
        };
        proto::ValueGift {
            id: self.id.to_string(),
            from_card_id: self.from_card_id.to_string(),
            card_id: self.card_id.to_string(),
            state: state.into(),
            person_id: self.person_id.map(|id| id.to_string()).unwrap_or_default(),
            currency_code: currency.code().to_owned(),
            principal_minor: self.principal_minor,
            bonus_minor: self.bonus_minor,
            expire_time: Some(timestamp(self.expires_at)),
            create_time: Some(timestamp(self.created_at)),
            end_time: self.ended_at.map(timestamp),
        }
    }
}

/// The code of a gift: 128 bits of a keyed digest of its id. Nobody guesses it who does not have the key of the merchant, and
/// it need not be kept to be told again.
pub fn code(keys: &Keys, id: GiftId) -> String {
    let mut code = keys.digest("value_gift.code", &id.to_string());
    code.truncate(32);
    code
}

impl State {
    /// The word in columns.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Accepted => "accepted",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
        }
    }
}
