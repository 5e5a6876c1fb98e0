//! Cards: accounts of persons with issuers. A named card never expires; a bearer card does, and its value does not: it can be
//! renewed at any time (rule 61).

pub mod number;
pub mod rpc;
pub mod state;
pub mod store;

use chrono::{DateTime, Utc};
use siyu_grpc::{Ctx, parse::timestamp};
use siyu_kernel::{Currency, Fault};
use siyu_pg::Tx;
use siyu_proto::member::v1 as proto;
use uuid::Uuid;

use super::{
    CardId, IssuerId, StoreId,
    books::{self, Balance, Purse},
    error::Error,
};
use crate::{App, person::PersonId, publish};

/// A card: the row.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Card {
    /// The id.
    pub id: CardId,
    /// What it is known by outside.
    pub number: String,
    /// Who may use it.
    pub kind: Kind,
    /// What it can do.
    pub state: State,
    /// The holder.
    pub person_id: Option<PersonId>,
    /// Whose it was before a merge of persons.
    pub origin_person_id: Option<PersonId>,
    /// Who owes the value.
    pub issuer_id: IssuerId,
    /// The store that issued it; none: headquarters.
    pub store_id: Option<StoreId>,
    /// The card that its value was given from.
    pub origin_card_id: Option<CardId>,
    /// Its accounts in the ledger.
    #[sqlx(flatten)]
    pub purse: Purse,
    /// Until when a bearer card is valid.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was opened.
    pub created_at: DateTime<Utc>,
}

/// Who may use a card.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Kind {
    /// The person that it was opened for.
    Named,
    /// Whoever holds it.
    Bearer,
}

/// What a card can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum State {
    /// It pays.
    Active,
    /// It does not pay; value still arrives.
    Frozen,
    /// Nothing but a refund opens it again.
    Closed,
    /// It waits for whom it was given to.
    Gifted,
}

impl Card {
    /// Whether its time is over.
    pub fn is_expired(&self, now: DateTime<Utc>) -> bool {
        self.expires_at.is_some_and(|end| end <= now)
    }

    /// Whether value can go in and out.
    pub fn is_usable(&self, now: DateTime<Utc>) -> Result<(), Error> {
        match self.state {
            State::Active if self.is_expired(now) => Err(Error::CardExpired),
            State::Active => Ok(()),
            State::Frozen => Err(Error::CardFrozen),
            State::Closed | State::Gifted => Err(Error::CardClosed),
        }
    }

    /// The card in the words of the contract.
    pub fn show(&self, balance: Balance, currency: Currency) -> proto::ValueCard {
        let text = |id: Option<PersonId>| id.map(|id| id.to_string()).unwrap_or_default();
        proto::ValueCard {
            id: self.id.to_string(),
            number: self.number.clone(),
            kind: proto::ValueCardKind::from(self.kind).into(),
            state: proto::ValueCardState::from(self.state).into(),
            person_id: text(self.person_id),
            origin_person_id: text(self.origin_person_id),
            issuer_id: self.issuer_id.to_string(),
            store_id: self.store_id.map(|id| id.to_string()).unwrap_or_default(),
            origin_card_id: self.origin_card_id.map(|id| id.to_string()).unwrap_or_default(),
            currency_code: currency.code().to_owned(),
            principal_minor: balance.total.principal,
            bonus_minor: balance.total.bonus,
            available_principal_minor: balance.available.principal,
            available_bonus_minor: balance.available.bonus,
            expire_time: self.expires_at.map(timestamp),
            create_time: Some(timestamp(self.created_at)),
        }
    }
}

/// Locks one card.
pub async fn lock(tx: &mut Tx, id: CardId) -> Result<Card, Fault> {
    store::lock(tx, &[id]).await?.pop().ok_or_else(|| Fault::not_found("card"))
}

/// Locks cards, in the order of their ids, and gives them in the order asked for.
pub async fn lock_all(tx: &mut Tx, ids: &[CardId]) -> Result<Vec<Card>, Fault> {
    let mut sorted = ids.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    let cards = store::lock(tx, &sorted).await?;
    let find = |id: &CardId| cards.iter().find(|card| card.id == *id).cloned();
    ids.iter().map(|id| find(id).ok_or_else(|| Fault::not_found("card"))).collect()
}

/// A card with what it has now, in the words of the contract.
pub async fn shown(
    tx: &mut Tx,
    card: &Card,
    currency: Currency,
    now: DateTime<Utc>,
) -> Result<proto::ValueCard, Fault> {
    let balance = books::balances(tx, &[card.purse], now).await?.remove(0);
    Ok(card.show(balance, currency))
}

/// Tells that a card changed, and gives it in the words of the contract.
pub async fn tell(
    app: &App,
    tx: &mut Tx,
    ctx: &Ctx,
    card: &Card,
    currency: Currency,
) -> Result<proto::ValueCard, Fault> {
    let shown = shown(tx, card, currency, ctx.now).await?;
    let fact = proto::ValueCardChanged { card: Some(shown.clone()) };
    publish(app, tx, ctx, card.id.to_string(), &fact).await?;
    Ok(shown)
}

/// The id of a row as a key of a page.
pub(crate) const fn key(card: &Card) -> Uuid {
    card.id.uuid()
}

impl Kind {
    /// The word in columns.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Named => "named",
            Self::Bearer => "bearer",
        }
    }

    /// Reads a value of the contract.
    pub fn read(value: i32) -> Result<Self, Fault> {
        match proto::ValueCardKind::try_from(value) {
            Ok(proto::ValueCardKind::Unspecified | proto::ValueCardKind::Named) => Ok(Self::Named),
            Ok(proto::ValueCardKind::Bearer) => Ok(Self::Bearer),
            Err(_) => Err(Fault::field("kind", "is not a known value")),
        }
    }
}

impl State {
    /// The word in columns.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Frozen => "frozen",
            Self::Closed => "closed",
            Self::Gifted => "gifted",
        }
    }
}

impl From<Kind> for proto::ValueCardKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Named => Self::Named,
            Kind::Bearer => Self::Bearer,
        }
    }
}

impl From<State> for proto::ValueCardState {
    fn from(state: State) -> Self {
        match state {
            State::Active => Self::Active,
            State::Frozen => Self::Frozen,
            State::Closed => Self::Closed,
            State::Gifted => Self::Gifted,
        }
    }
}
