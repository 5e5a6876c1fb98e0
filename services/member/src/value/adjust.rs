//! Corrects cards by hand (调账): each bucket by itself, as an entry of its own, and never below nothing (rule 11).

pub mod store;

use siyu_grpc::{Ctx, parse};
use siyu_kernel::{Fault, Id, kind};
use siyu_ledger::LotTerms;
use siyu_pg::{Tx, replay};
use siyu_proto::member::v1::{AdjustValueCardRequest, AdjustValueCardResponse};

use super::{
    ADJUSTED, Buckets, CardId,
    books::{self, Chain},
    card::{self, Card},
    entry::{self, Entry},
    error::Error,
    issuer,
    policy::{self, Terms},
    recharge::limit::{self, Asked, Buyer, Payer},
};
use crate::{App, vault};

const ADJUST: &str = "siyu.member.v1.ValueCardService/AdjustValueCard";

/// A correction: the row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adjustment {
    /// The id.
    pub id: Id<kind::ValueAdjustment>,
    /// The card.
    pub card_id: CardId,
    /// What the buckets change by.
    pub change: Buckets,
    /// Why.
    pub reason: String,
    /// Who does it.
    pub adjusted_by: String,
}

pub(super) async fn adjust(
    app: &App,
    ctx: Ctx,
    request: AdjustValueCardRequest,
) -> Result<AdjustValueCardResponse, Fault> {
    let card_id: CardId = parse::id("card_id", &request.card_id)?;
    let store_id = parse::optional_id("store_id", &request.store_id)?;
    let change = Buckets::new(request.principal_minor, request.bonus_minor);
    let lot = lot(&ctx, &request)?;
    let print = vault::keys(app, ctx.merchant()?).await?.fingerprint(&request);
    let mut tx = app.db.tenant(ctx.merchant()?).await?;
    if let Some(reply) = replay::find(&mut tx, ADJUST, &request.request_id, &print).await? {
        return Ok(reply);
    }
    super::known_store(&mut tx, store_id).await?;
    let terms = policy::terms(&mut tx, ctx.now).await?;
    let found = card::store::find(&mut tx, card_id).await?;
    let issuer_id = found.ok_or_else(|| Fault::not_found("card"))?.issuer_id;
    let owner = issuer::store::lock(&mut tx, issuer_id).await?;
    entry::close_days(&mut tx, &terms, issuer_id, ctx.now).await?;
    let card = card::lock(&mut tx, card_id).await?;
    card.is_usable(ctx.now)?;
    check(&mut tx, &ctx, &card, change, (&terms, owner)).await?;
    let adjustment = Adjustment {
        id: Id::from_uuid(app.ids.uuid()),
        card_id,
        change,
        reason: request.reason,
        adjusted_by: ctx.subject.to_string(),
    };
    let mut chain = Chain::about(app, adjustment.id.uuid());
    let (ups, downs) = halves(change);
    chain.take(ADJUSTED, &card.purse, downs);
    chain.put(ADJUSTED, &card.purse, ups, lot);
    chain.run(&mut tx, ctx.now).await?;
    store::insert(&mut tx, &adjustment, ctx.now).await?;
    let subject = adjustment.id.to_string();
    let entry =
        Entry { card: &card, kind: entry::Kind::Adjust, store_id, subject, change, kept: 0 };
    entry::write(app, &mut tx, &terms, ctx.now, &[entry]).await?;
    let shown = card::tell(app, &mut tx, &ctx, &card, terms.currency).await?;
    let reply = AdjustValueCardResponse { card: Some(shown) };
    replay::keep(&mut tx, ADJUST, &request.request_id, &reply).await?;
    tx.commit().await?;
    Ok(reply)
}

/// The times of bonus that comes on top.
fn lot(ctx: &Ctx, request: &AdjustValueCardRequest) -> Result<LotTerms, Fault> {
    if request.principal_minor == 0 && request.bonus_minor == 0 {
        return Err(Fault::field("principal_minor", "one of the two must change"));
    }
    let end = parse::optional_instant("bonus_expire_time", request.bonus_expire_time)?;
    match end {
        Some(_) if request.bonus_minor <= 0 => {
            Err(Fault::field("bonus_expire_time", "is for bonus that comes on top"))
        }
        Some(end) if end <= ctx.now => {
            Err(Fault::field("bonus_expire_time", "must be in the future"))
        }
        expires_at => Ok(LotTerms { expires_at, ..LotTerms::from(ctx.now) }),
    }
}

/// What goes up, and what goes down.
fn halves(change: Buckets) -> (Buckets, Buckets) {
    let up = Buckets::new(change.principal.max(0), change.bonus.max(0));
    (up, up.minus(change))
}

/// Whether the card covers what is taken, and stays within the limits with what comes on top.
async fn check(
    tx: &mut Tx,
    ctx: &Ctx,
    card: &Card,
    change: Buckets,
    (terms, owner): (&Terms, Option<issuer::Issuer>),
) -> Result<(), Fault> {
    let balance = books::balances(tx, &[card.purse], ctx.now).await?.remove(0);
    let (ups, downs) = halves(change);
    if downs.principal > balance.available.principal || downs.bonus > balance.available.bonus {
        return Err(Error::InsufficientBalance.into());
    }
    if ups == Buckets::default() {
        return Ok(());
    }
    let issuer = match owner.and_then(|owner| owner.limit(&terms.policy)) {
        Some(most) => Some((entry::store::issuer_principal(tx, card.issuer_id).await?, most)),
        None => None,
    };
    let asked = Asked {
        kind: card.kind,
        has: balance.total.minus(downs),
        adds: ups,
        purchase: 0,
        payer: Payer::Traced,
        buyer: Buyer::Known,
        issuer,
    };
    limit::refuse(limit::findings(&terms.policy, &asked)).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_what_goes_up_less_what_goes_down() {
        for (principal, bonus) in [(5, 3), (-5, 3), (5, -3), (-5, -3), (0, 1)] {
            let change = Buckets::new(principal, bonus);
            let (up, down) = halves(change);
            assert_eq!(up.minus(down), change);
            assert!([up.principal, up.bonus, down.principal, down.bonus].iter().all(|n| *n >= 0));
        }
    }
}
