//! Transfers at once, and the steps of a gift.

use chrono::TimeDelta;
use siyu_grpc::Ctx;
use siyu_kernel::{Fault, Id};
use siyu_pg::Tx;
use siyu_proto::member::v1 as proto;

use super::{
    domain::{Gift, GiftId, State},
    shift::shift,
    store,
};
use crate::{
    App,
    person::PersonId,
    publish,
    value::{
        Buckets, CardId,
        books::{self, Balance},
        card::{self, Card, Kind, number},
        error::Error,
        policy::{self, Terms},
        recharge::limit::{self, Asked, Buyer, Payer},
    },
};

/// How long a gift waits when nobody says.
const VALID_HOURS: i32 = 24;

/// Moves value from one card to another at once; gives both as they are now, and what moved.
pub(super) async fn transfer(
    app: &App,
    tx: &mut Tx,
    ctx: &Ctx,
    from: CardId,
    to: CardId,
    amount: i64,
) -> Result<(proto::ValueCard, proto::ValueCard, Buckets), Fault> {
    let terms = policy::terms(tx, ctx.now).await?;
    let mut cards = card::lock_all(tx, &[from, to]).await?;
    let (to, from) = (cards.remove(1), cards.remove(0));
    from.is_usable(ctx.now)?;
    to.is_usable(ctx.now)?;
    if from.issuer_id != to.issuer_id {
        return Err(Error::IssuersDiffer.into());
    }
    let moved = cut(tx, ctx, &terms, &from, amount).await?;
    fits(tx, ctx, &terms, &to, moved).await?;
    shift(app, tx, ctx, &terms, (&from, &to), moved).await?;
    let fact = proto::ValueTransferred {
        from_card_id: from.id.to_string(),
        to_card_id: to.id.to_string(),
        principal_minor: moved.principal,
        bonus_minor: moved.bonus,
    };
    publish(app, tx, ctx, from.id.to_string(), &fact).await?;
    let balances = books::balances(tx, &[from.purse, to.purse], ctx.now).await?;
    let show = |card: &Card, balance: Balance| card.show(balance, terms.currency);
    Ok((show(&from, balances[0]), show(&to, balances[1]), moved))
}

/// Puts value on a new card that waits.
pub(super) async fn create(
    app: &App,
    tx: &mut Tx,
    ctx: &Ctx,
    (gift_id, code_digest): (GiftId, &str),
    from: CardId,
    (amount, valid_hours): (i64, i32),
) -> Result<proto::ValueGift, Fault> {
    let terms = policy::terms(tx, ctx.now).await?;
    let from = card::lock(tx, from).await?;
    from.is_usable(ctx.now)?;
    let given = cut(tx, ctx, &terms, &from, amount).await?;
    let id = Id::from_uuid(app.ids.uuid());
    let card = Card {
        id,
        number: number::number(app.ids.uuid()),
        kind: Kind::Named,
        state: card::State::Gifted,
        person_id: None,
        origin_person_id: None,
        issuer_id: from.issuer_id,
        store_id: from.store_id,
        origin_card_id: Some(from.id),
        purse: books::open(app, tx, id, terms.currency, ctx.now).await?,
        expires_at: None,
        created_at: ctx.now,
    };
    card::store::insert(tx, &card).await?;
    shift(app, tx, ctx, &terms, (&from, &card), given).await?;
    let hours = if valid_hours == 0 { VALID_HOURS } else { valid_hours };
    let gift = Gift {
        id: gift_id,
        from_card_id: from.id,
        card_id: card.id,
        state: State::Open,
        person_id: None,
        principal_minor: given.principal,
        bonus_minor: given.bonus,
        expires_at: ctx.now + TimeDelta::hours(hours.into()),
        created_at: ctx.now,
        ended_at: None,
    };
    store::insert(tx, &gift, code_digest).await?;
    card::tell(app, tx, ctx, &card, terms.currency).await?;
    tell(app, tx, ctx, &gift, &terms).await
}

/// Gives the card of a gift to a person, who is held.
pub(super) async fn accept(
    app: &App,
    tx: &mut Tx,
    ctx: &Ctx,
    code_digest: &str,
    person: PersonId,
) -> Result<(proto::ValueGift, proto::ValueCard), Fault> {
    let gift = store::lock_code(tx, code_digest).await?;
    let gift = gift.ok_or_else(|| Fault::not_found("gift"))?;
    gift.may_accept(ctx.now)?;
    let terms = policy::terms(tx, ctx.now).await?;
    let card = card::lock(tx, gift.card_id).await?;
    let card = Card { state: card::State::Active, person_id: Some(person), ..card };
    card::store::save(tx, &card).await?;
    let gift =
        Gift { state: State::Accepted, person_id: Some(person), ended_at: Some(ctx.now), ..gift };
    store::save(tx, &gift).await?;
    let shown = card::tell(app, tx, ctx, &card, terms.currency).await?;
    Ok((tell(app, tx, ctx, &gift, &terms).await?, shown))
}

/// Moves what is left of a gift back. A giving card that was closed meanwhile is opened again.
pub(super) async fn give_back(
    app: &App,
    tx: &mut Tx,
    ctx: &Ctx,
    id: GiftId,
    end: State,
) -> Result<proto::ValueGift, Fault> {
    let gift = store::lock(tx, id).await?.ok_or_else(|| Fault::not_found("gift"))?;
    gift.is_open()?;
    let terms = policy::terms(tx, ctx.now).await?;
    let mut cards = card::lock_all(tx, &[gift.card_id, gift.from_card_id]).await?;
    let (mut from, card) = (cards.remove(1), cards.remove(0));
    let left = books::available(tx, &[card.purse], ctx.now).await?.remove(0);
    shift(app, tx, ctx, &terms, (&card, &from), left).await?;
    if from.state == card::State::Closed {
        from.state = card::State::Active;
        card::store::save(tx, &from).await?;
        card::tell(app, tx, ctx, &from, terms.currency).await?;
    }
    let card = Card { state: card::State::Closed, ..card };
    card::store::save(tx, &card).await?;
    card::tell(app, tx, ctx, &card, terms.currency).await?;
    let gift = Gift { state: end, ended_at: Some(ctx.now), ..gift };
    store::save(tx, &gift).await?;
    tell(app, tx, ctx, &gift, &terms).await
}

/// What an amount takes from a card.
async fn cut(
    tx: &mut Tx,
    ctx: &Ctx,
    terms: &Terms,
    card: &Card,
    amount: i64,
) -> Result<Buckets, Fault> {
    let has = books::available(tx, &[card.purse], ctx.now).await?.remove(0);
    has.take(amount, terms.order()?).ok_or_else(|| Error::InsufficientBalance.into())
}

/// Whether a card may hold so much more.
async fn fits(
    tx: &mut Tx,
    ctx: &Ctx,
    terms: &Terms,
    card: &Card,
    adds: Buckets,
) -> Result<(), Fault> {
    let has = books::balances(tx, &[card.purse], ctx.now).await?.remove(0).total;
    let asked = Asked {
        kind: card.kind,
        has,
        adds,
        purchase: 0,
        payer: Payer::Traced,
        buyer: Buyer::Known,
        issuer: None,
    };
    limit::refuse(limit::findings(&terms.policy, &asked)).map(drop)
}

async fn tell(
    app: &App,
    tx: &mut Tx,
    ctx: &Ctx,
    gift: &Gift,
    terms: &Terms,
) -> Result<proto::ValueGift, Fault> {
    let shown = gift.show(terms.currency);
    let fact = proto::ValueGiftChanged { gift: Some(shown.clone()) };
    publish(app, tx, ctx, gift.id.to_string(), &fact).await?;
    Ok(shown)
}
