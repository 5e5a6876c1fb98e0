//! Asks for redemptions and decides them.

use siyu_grpc::Ctx;
use siyu_kernel::{Fault, Id};
use siyu_pg::Tx;
use siyu_proto::member::v1 as proto;

use super::{
    domain::{self, Quote, Redemption, RedemptionId, State},
    store,
};
use crate::{
    App, publish,
    value::{
        Buckets, HELD, REDEEMED,
        books::{self, Chain},
        card::{self, Card},
        entry::{self, Entry},
        error::Error,
        policy::{self, Terms},
        recharge::{self, back::Blame},
    },
};

/// The recharges of a card that are looked at, the newest ones: more than any card has that was not emptied in between.
const RECHARGES: i64 = 1_000;

/// What a card would pay now.
pub(super) async fn quote(
    tx: &mut Tx,
    ctx: &Ctx,
    card: &Card,
    blame: Blame,
    terms: &Terms,
) -> Result<Quote, Fault> {
    let has = books::available(tx, &[card.purse], ctx.now).await?.remove(0);
    if has == Buckets::default() {
        return Err(Error::NothingToRefund.into());
    }
    let recharges = recharge::store::list(tx, card.id, None, RECHARGES).await?;
    let sources = domain::sources(has.principal, &recharges);
    let spent = match sources.last() {
        Some(oldest) => entry::store::bonus_spent(tx, card.id, oldest.created_at).await?,
        None => 0,
    };
    Ok(domain::quote(&terms.policy, has, &sources, spent, blame, ctx.now))
}

/// Asks to pay a card out, and reserves all of it.
pub(super) async fn request(
    app: &App,
    tx: &mut Tx,
    ctx: &Ctx,
    card: &Card,
    blame: Blame,
    reason: &str,
) -> Result<proto::Redemption, Fault> {
    let terms = policy::terms(tx, ctx.now).await?;
    match card.state {
        card::State::Active | card::State::Frozen => {}
        card::State::Closed | card::State::Gifted => return Err(Error::CardClosed.into()),
    }
    let quote = quote(tx, ctx, card, blame, &terms).await?;
    let id: RedemptionId = Id::from_uuid(app.ids.uuid());
    let mut chain = Chain::about(app, id.uuid());
    let held = chain.hold(HELD, &card.purse, quote.buckets(), None);
    chain.run(tx, ctx.now).await?;
    let redemption = Redemption {
        id,
        card_id: card.id,
        state: State::Requested,
        fault: blame,
        reason: reason.to_owned(),
        quote,
        principal_transfer_id: held.principal,
        bonus_transfer_id: held.bonus,
        requested_by: ctx.subject.to_string(),
        requested_at: ctx.now,
        decided_by: None,
        decided_at: None,
    };
    store::insert(tx, &redemption).await?;
    let shown = redemption.show(terms.currency);
    let fact = proto::RedemptionRequested { redemption: Some(unsaid(&shown)) };
    publish(app, tx, ctx, card.id.to_string(), &fact).await?;
    Ok(shown)
}

/// Pays a card out, and closes it if nothing is left on it.
pub(super) async fn approve(
    app: &App,
    tx: &mut Tx,
    ctx: &Ctx,
    id: RedemptionId,
) -> Result<(proto::Redemption, proto::ValueCard), Fault> {
    let found = store::lock(tx, id).await?.ok_or_else(|| Fault::not_found("redemption"))?;
    found.may_approve(&ctx.subject)?;
    let terms = policy::terms(tx, ctx.now).await?;
    let card = card::lock(tx, found.card_id).await?;
    let ends = found.quote.buckets();
    let mut chain = Chain::about(app, id.uuid());
    chain.capture(REDEEMED, found.principal_transfer_id, ends.principal);
    chain.capture(REDEEMED, found.bonus_transfer_id, ends.bonus);
    chain.run(tx, ctx.now).await?;
    let redemption = decide(tx, ctx, found, State::Approved).await?;
    let entry = Entry {
        card: &card,
        kind: entry::Kind::Redeem,
        store_id: card.store_id,
        subject: id.to_string(),
        change: ends.negative(),
        kept: redemption.quote.kept_minor + redemption.quote.fee_minor,
    };
    entry::write(app, tx, &terms, ctx.now, &[entry]).await?;
    let shown = redemption.show(terms.currency);
    let fact = proto::ValueRedeemed {
        redemption: Some(unsaid(&shown)),
        issuer_id: card.issuer_id.to_string(),
    };
    publish(app, tx, ctx, card.id.to_string(), &fact).await?;
    let balance = books::balances(tx, &[card.purse], ctx.now).await?.remove(0);
    if balance.total != Buckets::default() {
        return Ok((shown, card.show(balance, terms.currency)));
    }
    let card = Card { state: card::State::Closed, ..card };
    card::store::save(tx, &card).await?;
    Ok((shown, card::tell(app, tx, ctx, &card, terms.currency).await?))
}

/// Frees what was reserved.
pub(super) async fn reject(
    app: &App,
    tx: &mut Tx,
    ctx: &Ctx,
    id: RedemptionId,
) -> Result<proto::Redemption, Fault> {
    let found = store::lock(tx, id).await?.ok_or_else(|| Fault::not_found("redemption"))?;
    found.is_open()?;
    let terms = policy::terms(tx, ctx.now).await?;
    let card = card::lock(tx, found.card_id).await?;
    let mut chain = Chain::about(app, id.uuid());
    let holds = [found.principal_transfer_id, found.bonus_transfer_id];
    holds.into_iter().flatten().for_each(|hold| chain.release(hold));
    chain.run(tx, ctx.now).await?;
    let redemption = decide(tx, ctx, found, State::Rejected).await?;
    let shown = redemption.show(terms.currency);
    let fact = proto::RedemptionRejected { redemption: Some(unsaid(&shown)) };
    publish(app, tx, ctx, card.id.to_string(), &fact).await?;
    Ok(shown)
}

/// A redemption without what was said about it, for what forgets nothing: the log of facts, and replies kept for repeats.
pub(super) fn unsaid(redemption: &proto::Redemption) -> proto::Redemption {
    proto::Redemption { reason: String::new(), ..redemption.clone() }
}

async fn decide(
    tx: &mut Tx,
    ctx: &Ctx,
    redemption: Redemption,
    state: State,
) -> Result<Redemption, Fault> {
    let decided_by = Some(ctx.subject.to_string());
    let redemption = Redemption { state, decided_by, decided_at: Some(ctx.now), ..redemption };
    store::save(tx, &redemption).await?;
    Ok(redemption)
}
