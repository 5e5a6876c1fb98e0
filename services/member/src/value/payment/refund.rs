//! Gives payments back, each bucket of each card what it gave. A card that is closed or has expired is opened again, or the
//! value goes on to another card of the same person, as the merchant's rules say (rule 60).

use siyu_grpc::Ctx;
use siyu_kernel::Fault;
use siyu_pg::Tx;
use siyu_proto::member::v1 as proto;

use super::{
    domain::{Part, Payment, PaymentId, show},
    store,
};
use crate::{
    App, publish,
    value::{
        Buckets, CardId, REFUNDED, StoreId,
        books::Chain,
        card::{self, Card, State},
        entry::{self, Entry},
        policy::{self, Terms},
    },
};

/// Where what a card gave goes back to.
struct Return {
    /// The card that gave it.
    card: Card,
    /// The card that gets it, where that is another one.
    into: Option<Card>,
    /// The part of the payment.
    part: Part,
    /// What it gets.
    amount: Buckets,
}

/// Gives an amount back, or all that is left of it.
pub(super) async fn refund(
    app: &App,
    tx: &mut Tx,
    ctx: &Ctx,
    id: PaymentId,
    amount: i64,
    store_id: Option<StoreId>,
) -> Result<(proto::ValuePayment, Vec<proto::ValueReturn>), Fault> {
    let (mut payment, mut parts) = super::lock(tx, id).await?;
    let amounts = payment.refund(&parts, amount)?;
    let terms = policy::terms(tx, ctx.now).await?;
    let returns = route(app, tx, ctx, &terms, &parts, &amounts).await?;
    let mut chain = Chain::about(app, id.uuid());
    for back in &returns {
        let expired = terms.restored(ctx.now);
        chain.reverse(REFUNDED, back.part.principal_transfer_id, back.amount.principal, expired);
        chain.reverse(REFUNDED, back.part.bonus_transfer_id, back.amount.bonus, expired);
    }
    chain.run(tx, ctx.now).await?;
    divert(app, tx, ctx, &payment, &returns).await?;
    for (part, amount) in parts.iter_mut().zip(&amounts) {
        part.refunded_principal_minor += amount.principal;
        part.refunded_bonus_minor += amount.bonus;
        payment.refunded_minor += amount.total();
    }
    store::save(tx, &payment, &parts).await?;
    let changes = entries(&payment, &returns, store_id);
    entry::write(app, tx, &terms, ctx.now, &changes).await?;
    let returned: Vec<proto::ValueReturn> = returns.iter().map(Return::show).collect();
    let shown = show(&payment, &parts, terms.currency);
    let fact = proto::ValueRefunded { payment: Some(shown.clone()), returns: returned.clone() };
    publish(app, tx, ctx, id.to_string(), &fact).await?;
    Ok((shown, returned))
}

/// Locks the cards and decides where each part goes.
async fn route(
    app: &App,
    tx: &mut Tx,
    ctx: &Ctx,
    terms: &Terms,
    parts: &[Part],
    amounts: &[Buckets],
) -> Result<Vec<Return>, Fault> {
    let owed: Vec<(&Part, Buckets)> = parts
        .iter()
        .zip(amounts)
        .map(|(part, amount)| (part, *amount))
        .filter(|(_, amount)| *amount != Buckets::default())
        .collect();
    let ids: Vec<CardId> = owed.iter().map(|(part, _)| part.card_id).collect();
    // Found before any is locked, so that all are locked in one order.
    let others = if terms.diverts() { card::store::others(tx, &ids).await? } else { Vec::new() };
    let all: Vec<CardId> = ids.iter().copied().chain(others).collect();
    let mut cards = card::lock_all(tx, &all).await?;
    let candidates = cards.split_off(ids.len());
    let mut returns = Vec::with_capacity(owed.len());
    for (mut card, (part, amount)) in cards.into_iter().zip(owed) {
        let is_shut = card.state == State::Closed || card.is_expired(ctx.now);
        let into = candidates
            .iter()
            .find(|other| is_shut && takes_over(other, &card) && other.is_usable(ctx.now).is_ok())
            .cloned();
        if is_shut && into.is_none() {
            card.state = if card.state == State::Closed { State::Active } else { card.state };
            card.expires_at = terms.card_expiry(card.kind, ctx.now);
            card::store::save(tx, &card).await?;
            card::tell(app, tx, ctx, &card, terms.currency).await?;
        }
        returns.push(Return { card, into, part: part.clone(), amount });
    }
    Ok(returns)
}

fn takes_over(other: &Card, card: &Card) -> bool {
    other.id != card.id
        && other.person_id.is_some()
        && other.person_id == card.person_id
        && other.issuer_id == card.issuer_id
}

/// Moves what came back to shut cards on to the others.
async fn divert(
    app: &App,
    tx: &mut Tx,
    ctx: &Ctx,
    payment: &Payment,
    returns: &[Return],
) -> Result<(), Fault> {
    for back in returns {
        let Some(into) = &back.into else { continue };
        let lots = siyu_ledger::lots(tx, &[back.card.purse.bonus]).await?;
        let mut chain = Chain::about(app, payment.id.uuid());
        chain.give(&back.card.purse, &into.purse, back.amount, &lots, ctx.now)?;
        chain.run(tx, ctx.now).await?;
    }
    Ok(())
}

/// What came back, to be written down: where it happened, not where it was paid.
fn entries<'a>(
    payment: &Payment,
    returns: &'a [Return],
    store_id: Option<StoreId>,
) -> Vec<Entry<'a>> {
    let store_id = store_id.or(payment.store_id);
    let mut entries = Vec::new();
    for back in returns {
        let mut add = |card: &'a Card, kind, change| {
            let subject = payment.id.to_string();
            entries.push(Entry { card, kind, store_id, subject, change, kept: 0 });
        };
        add(&back.card, entry::Kind::Refund, back.amount);
        if let Some(into) = &back.into {
            add(&back.card, entry::Kind::TransferOut, back.amount.negative());
            add(into, entry::Kind::TransferIn, back.amount);
        }
    }
    entries
}

impl Return {
    fn show(&self) -> proto::ValueReturn {
        proto::ValueReturn {
            card_id: self.card.id.to_string(),
            into_card_id: self.into.as_ref().unwrap_or(&self.card).id.to_string(),
            principal_minor: self.amount.principal,
            bonus_minor: self.amount.bonus,
        }
    }
}
