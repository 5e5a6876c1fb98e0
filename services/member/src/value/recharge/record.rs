//! Checks and records recharges.

use siyu_grpc::{Ctx, parse};
use siyu_kernel::{Fault, Id};
use siyu_ledger::LotTerms;
use siyu_pg::Tx;
use siyu_proto::member::v1::{
    self as proto, CheckRechargeRequest, LimitFinding, RechargeMeans, RechargePayer,
    RechargeRequest,
};

use super::{
    PlanId, Recharge,
    limit::{self, Asked, Buyer, Payer},
    plan::Plan,
    store,
};
use crate::{
    App,
    person::{self, PersonId},
    publish,
    value::{
        Buckets, CardId, RECHARGED, StoreId,
        books::{self, Chain},
        card::{self, Card},
        entry::{self, Entry},
        error::Error,
        issuer,
        policy::{self, Terms},
    },
};

/// A recharge as it is asked for.
#[derive(Debug, Clone)]
pub(super) struct Ask {
    card_id: CardId,
    plan_id: Option<PlanId>,
    amount: i64,
    purchase: i64,
    payer: Payer,
    buyer: Option<PersonId>,
}

impl Ask {
    /// Reads a question.
    pub(super) fn of_check(request: &CheckRechargeRequest) -> Result<Self, Fault> {
        let CheckRechargeRequest { card_id, plan_id, amount_minor, purchase_minor, .. } = request;
        let payer = payer(request.payer, request.means)?;
        Self::read(
            card_id,
            plan_id,
            (*amount_minor, *purchase_minor),
            payer,
            &request.buyer_person_id,
        )
    }

    /// Reads a recharge that was paid.
    pub(super) fn of_recharge(request: &RechargeRequest) -> Result<Self, Fault> {
        let RechargeRequest { card_id, plan_id, amount_minor, purchase_minor, .. } = request;
        let payer = payer(request.payer, request.means)?;
        Self::read(
            card_id,
            plan_id,
            (*amount_minor, *purchase_minor),
            payer,
            &request.buyer_person_id,
        )
    }

    fn read(
        card: &str,
        plan: &str,
        (amount, purchase): (i64, i64),
        payer: Payer,
        buyer: &str,
    ) -> Result<Self, Fault> {
        let plan_id = parse::optional_id("plan_id", plan)?;
        match (plan_id, amount) {
            (None, 0) => return Err(Fault::field("amount_minor", "is required without a plan")),
            (Some(_), 1..) => {
                return Err(Fault::field("amount_minor", "must be 0, the plan says it"));
            }
            (None | Some(_), _) => {}
        }
        Ok(Self {
            card_id: parse::id("card_id", card)?,
            plan_id,
            amount,
            purchase,
            payer,
            buyer: parse::optional_id("buyer_person_id", buyer)?,
        })
    }
}

fn payer(payer: i32, means: i32) -> Result<Payer, Fault> {
    let unknown = |field: &str| Fault::field(field, "is not a known value");
    let payer = RechargePayer::try_from(payer).map_err(|_| unknown("payer"))?;
    let means = RechargeMeans::try_from(means).map_err(|_| unknown("means"))?;
    Ok(match (means, payer) {
        (RechargeMeans::Unspecified | RechargeMeans::Electronic, _) => Payer::Traced,
        (RechargeMeans::Cash, RechargePayer::Organisation) => Payer::OrganisationInCash,
        (RechargeMeans::Cash, RechargePayer::Unspecified | RechargePayer::Individual) => {
            Payer::IndividualInCash
        }
    })
}

/// The limits that a recharge would break or come near to, and what it would add.
pub(super) async fn check(
    tx: &mut Tx,
    ctx: &Ctx,
    ask: &Ask,
) -> Result<(Vec<LimitFinding>, Buckets, Terms), Fault> {
    let terms = policy::terms(tx, ctx.now).await?;
    let card = card::store::find(tx, ask.card_id).await?;
    let card = card.ok_or_else(|| Fault::not_found("card"))?;
    let plan = plan(tx, ask).await?;
    let adds = adds(ask, plan.as_ref());
    let owner = issuer::store::find(tx, card.issuer_id).await?;
    let found = findings(tx, ctx, ask, &card, &terms, (adds, owner)).await?;
    Ok((found, adds, terms))
}

/// Records a recharge that was paid; gives it, the card, and the limits that it comes near to.
pub(super) async fn record(
    app: &App,
    tx: &mut Tx,
    ctx: &Ctx,
    ask: &Ask,
    store_id: Option<StoreId>,
    payment_reference: &str,
) -> Result<(proto::RechargeRecord, proto::ValueCard, Vec<LimitFinding>), Fault> {
    let terms = policy::terms(tx, ctx.now).await?;
    let owner = owner(tx, ctx, ask.card_id, &terms).await?;
    let card = card::lock(tx, ask.card_id).await?;
    card.is_usable(ctx.now)?;
    let plan = plan(tx, ask).await?;
    let plan_ordinal = match (&plan, card.person_id) {
        (Some(plan), person) => {
            plan.is_offered(&card, ctx.now)?;
            take(tx, plan, person).await?
        }
        (None, _) => None,
    };
    let adds = adds(ask, plan.as_ref());
    let found = findings(tx, ctx, ask, &card, &terms, (adds, owner)).await?;
    let near = limit::refuse(found)?;

    let mut recharge = Recharge {
        id: Id::from_uuid(app.ids.uuid()),
        card_id: card.id,
        person_id: card.person_id,
        plan_id: ask.plan_id,
        plan_name: plan.as_ref().map(|plan| plan.name.clone()).unwrap_or_default(),
        plan_ordinal,
        store_id,
        payment_reference: payment_reference.to_owned(),
        principal_minor: adds.principal,
        bonus_minor: adds.bonus,
        bonus_expires_at: plan.as_ref().and_then(|plan| plan.bonus_expiry(ctx.now)),
        principal_transfer_id: Id::from_uuid(app.ids.uuid()),
        bonus_transfer_id: None,
        refunded_at: None,
        refunded_minor: 0,
        bonus_taken_minor: 0,
        kept_minor: 0,
        created_at: ctx.now,
    };
    let mut chain = Chain::about(app, recharge.id.uuid());
    let lot = LotTerms { expires_at: recharge.bonus_expires_at, ..LotTerms::from(ctx.now) };
    let posted = chain.put(RECHARGED, &card.purse, adds, lot);
    recharge.principal_transfer_id = posted.principal.expect("something is always paid");
    recharge.bonus_transfer_id = posted.bonus;
    chain.run(tx, ctx.now).await?;
    store::insert(tx, &recharge).await?;
    let entry = Entry {
        card: &card,
        kind: entry::Kind::Recharge,
        store_id,
        subject: recharge.id.to_string(),
        change: adds,
        kept: 0,
    };
    entry::write(app, tx, &terms, ctx.now, &[entry]).await?;
    let shown = recharge.show(terms.currency);
    let fact = proto::ValueRecharged {
        recharge: Some(shown.clone()),
        issuer_id: card.issuer_id.to_string(),
    };
    publish(app, tx, ctx, card.id.to_string(), &fact).await?;
    if let Some(finding) = crossed(&terms, &near, adds.principal) {
        let issuer_id = card.issuer_id.to_string();
        let fact =
            proto::PrepaidLimitNeared { issuer_id: issuer_id.clone(), finding: Some(finding) };
        publish(app, tx, ctx, issuer_id, &fact).await?;
    }
    let card = card::shown(tx, &card, terms.currency, ctx.now).await?;
    Ok((shown, card, near))
}

/// The issuer of a card; locked if it has a limit, so that two recharges are checked one after the other.
async fn owner(
    tx: &mut Tx,
    ctx: &Ctx,
    card: CardId,
    terms: &Terms,
) -> Result<Option<issuer::Issuer>, Fault> {
    let card = card::store::find(tx, card).await?.ok_or_else(|| Fault::not_found("card"))?;
    let owner = issuer::store::find(tx, card.issuer_id).await?;
    if owner.as_ref().is_some_and(|owner| owner.limit(&terms.policy).is_some()) {
        let owner = issuer::store::lock(tx, card.issuer_id).await?;
        entry::close_days(tx, terms, card.issuer_id, ctx.now).await?;
        return Ok(owner);
    }
    Ok(owner)
}

/// The finding that the issuer came near to its limit by this recharge, and not before.
fn crossed(terms: &Terms, near: &[LimitFinding], added: i64) -> Option<LimitFinding> {
    let is_first = |finding: &&LimitFinding| {
        let from = limit::alert(&terms.policy, finding.limit_minor);
        finding.limit() == proto::PrepaidLimit::IssuerBalance && finding.value_minor - added < from
    };
    near.iter().find(is_first).copied()
}

async fn plan(tx: &mut Tx, ask: &Ask) -> Result<Option<Plan>, Fault> {
    let Some(id) = ask.plan_id else { return Ok(None) };
    let plan = store::find_plan(tx, id).await?;
    plan.map(Some).ok_or_else(|| Fault::not_found("plan"))
}

fn adds(ask: &Ask, plan: Option<&Plan>) -> Buckets {
    plan.map_or(Buckets::new(ask.amount, 0), Plan::buckets)
}

/// Which number this time has among those that the person took the plan.
async fn take(tx: &mut Tx, plan: &Plan, person: Option<PersonId>) -> Result<Option<i32>, Fault> {
    let Some(person) = person else { return Ok(None) };
    let (times, next) = store::taken(tx, plan.id, person).await?;
    if plan.limit_per_person > 0 && times >= i64::from(plan.limit_per_person) {
        return Err(Error::PlanLimit.into());
    }
    Ok(Some(next))
}

async fn findings(
    tx: &mut Tx,
    ctx: &Ctx,
    ask: &Ask,
    card: &Card,
    terms: &Terms,
    (adds, owner): (Buckets, Option<issuer::Issuer>),
) -> Result<Vec<LimitFinding>, Fault> {
    if let Some(buyer) = ask.buyer {
        person::canonical(tx, buyer).await?;
    }
    let has = books::balances(tx, &[card.purse], ctx.now).await?.remove(0).total;
    let issuer = match owner.and_then(|owner| owner.limit(&terms.policy)) {
        Some(most) => Some((entry::store::issuer_principal(tx, card.issuer_id).await?, most)),
        None => None,
    };
    let is_known = ask.buyer.is_some() || card.person_id.is_some();
    let asked = Asked {
        kind: card.kind,
        has,
        adds,
        purchase: ask.purchase.max(adds.principal),
        payer: ask.payer,
        buyer: if is_known { Buyer::Known } else { Buyer::Unknown },
        issuer,
    };
    Ok(limit::findings(&terms.policy, &asked))
}
