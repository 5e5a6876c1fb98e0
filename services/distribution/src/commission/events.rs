//! Follows the order service and posts what promoters earn.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use siyu_events::{Event, Handler, HandlerError, NewEvent, Subscription};
use siyu_kernel::{Currency, Fault, Id};
use siyu_ledger::{AccountId, Movement, NewAccount, Transfer, TransferId};
use siyu_pg::Tx;
use siyu_proto::distribution::v1::CommissionChanged;
use tonic::async_trait;

use super::{
    ACCRUED, CLAWED_BACK, FROZEN, UNFROZEN,
    domain::{Commission, OrderId, Rule, Sale},
    earned, expense, store,
};
use crate::{
    App, binding, buyer,
    promoter::{self, PersonId, Promoter, PromoterId},
};

/// What the distribution service follows of the order service.
pub fn subscription(app: &App) -> Subscription {
    Subscription::new("distribution", "order", Arc::new(Accruals { app: app.clone() }))
        .on_orders()
        .on_disputes()
}

struct Accruals {
    app: App,
}

/// A commission as it shall be, and how much of it is posted already.
struct Wanted {
    commission: Commission,
    posted_minor: i64,
}

#[async_trait]
impl Handler for Accruals {
    async fn handle(&self, tx: &mut Tx, events: &[&Event]) -> Result<(), HandlerError> {
        let facts = siyu_events::latest_order_facts(events)?;
        let disputes = siyu_events::latest_disputes(events)?;
        let mut sales: Vec<Sale> =
            facts.iter().map(Sale::of).collect::<Result<_, _>>().map_err(HandlerError::park)?;
        // Bindings are looked up by whom the buyers lead to: no merge may move them in between.
        buyer::store::hold(tx).await?;
        let buyers: Vec<PersonId> = sales.iter().map(|sale| sale.person_id).collect();
        let leads = buyer::store::canonical(tx, &buyers).await?;
        for sale in &mut sales {
            sale.person_id = *leads.get(&sale.person_id).unwrap_or(&sale.person_id);
        }
        let rules = store::rules(tx).await?;
        let told = sales.iter().map(|sale| sale.order_id);
        let disputed: BTreeSet<OrderId> = disputes.iter().map(|dispute| dispute.order_id).collect();
        let orders: BTreeSet<OrderId> = told.chain(disputed.iter().copied()).collect();
        let orders: Vec<OrderId> = orders.into_iter().collect();
        let known: HashMap<OrderId, i64> =
            store::lock_attributions(tx, &orders).await?.into_iter().collect();
        store::save_disputes(tx, &disputes).await?;
        let (mut fresh, mut revised) = (Vec::new(), Vec::new());
        for sale in &sales {
            match known.get(&sale.order_id) {
                Some(revision) if *revision >= sale.revision => {}
                Some(_) => revised.push(sale),
                None if Rule::at(&rules, sale.credited_at(sale.paid_at)).covers(sale) => {
                    fresh.push(sale);
                }
                None => {}
            }
        }
        let mut wanted = self.revise(tx, &revised, &rules).await?;
        wanted.extend(self.attribute(tx, &fresh, &rules).await?);
        fresh.append(&mut revised);
        store::save_attributions(tx, &fresh).await?;
        reviewed(tx, disputed, &mut wanted).await?;
        self.post(tx, wanted).await.map_err(HandlerError::from)
    }
}

impl Accruals {
    /// Computes anew what known orders earn, with who earns at which rate as it was. An order that turned out to be of a
    /// domain that earns nothing earns nothing.
    async fn revise(
        &self,
        tx: &mut Tx,
        sales: &[&Sale],
        rules: &[Rule],
    ) -> Result<Vec<Wanted>, siyu_pg::Error> {
        let by_order: HashMap<OrderId, &Sale> =
            sales.iter().map(|sale| (sale.order_id, *sale)).collect();
        let orders: Vec<OrderId> = by_order.keys().copied().collect();
        let before = store::of_orders(tx, &orders).await?;
        let again = |before: Commission| {
            let sale = by_order[&before.order_id];
            let posted_minor = before.earned_minor;
            let commission = if Rule::at(rules, sale.credited_at(before.paid_at)).covers(sale) {
                valued(before.clone(), sale)
            } else {
                Commission { base_minor: 0, earned_minor: 0, ..before.clone() }
            };
            // The base may change where the share does not.
            (commission != before).then_some(Wanted { commission, posted_minor })
        };
        Ok(before.into_iter().filter_map(again).collect())
    }

    /// Finds who brought the buyers of orders that are seen for the first time, as of the instant at which they were placed
    /// or, where that is not known, paid.
    async fn attribute(
        &self,
        tx: &mut Tx,
        sales: &[&Sale],
        rules: &[Rule],
    ) -> Result<Vec<Wanted>, siyu_pg::Error> {
        let credited = |sale: &&Sale| (sale.person_id, sale.credited_at(sale.paid_at));
        let at: Vec<_> = sales.iter().map(credited).collect();
        let bindings = binding::store::in_force(tx, &at).await?;
        let promoters = Promoters::of(tx, bindings.iter().flatten().map(|b| b.promoter_id)).await?;
        let mut wanted = Vec::new();
        for (sale, binding) in sales.iter().zip(bindings) {
            let Some(binding) = binding else { continue };
            let rule = Rule::at(rules, sale.credited_at(sale.paid_at));
            let rates = [rule.level1_bp, rule.level2_bp];
            let earners = promoters.line(binding.promoter_id).zip(rates);
            for (level, ((promoter_id, person_id), rate_bp)) in (1_i16..).zip(earners) {
                // Nobody earns from the own purchase, under whichever id (rule 69).
                if rate_bp > 0 && person_id != sale.person_id {
                    let commission = self.fresh(sale, level, promoter_id, rate_bp);
                    wanted.push(Wanted { commission, posted_minor: 0 });
                }
            }
        }
        Ok(wanted)
    }

    fn fresh(&self, sale: &Sale, level: i16, promoter_id: PromoterId, rate_bp: i32) -> Commission {
        let bare = Commission {
            id: Id::from_uuid(self.app.ids.uuid()),
            order_id: sale.order_id,
            level,
            promoter_id,
            rate_bp,
            currency: sale.currency.code().to_owned(),
            base_minor: 0,
            earned_minor: 0,
            paid_at: sale.paid_at,
            freeze_id: None,
            frozen_minor: 0,
        };
        valued(bare, sale)
    }

    async fn post(&self, tx: &mut Tx, mut wanted: Vec<Wanted>) -> Result<(), Fault> {
        if wanted.is_empty() {
            return Ok(());
        }
        let now = self.app.clock.now();
        let accounts = self.open(tx, &wanted).await?;
        let orders: BTreeSet<OrderId> = wanted.iter().map(|w| w.commission.order_id).collect();
        let orders: Vec<OrderId> = orders.into_iter().collect();
        let disputed: BTreeSet<OrderId> = store::disputed(tx, &orders).await?.into_iter().collect();
        let mut transfers = Vec::new();
        for Wanted { commission, posted_minor } in &mut wanted {
            let (promoter, merchant) =
                accounts[&(commission.promoter_id, commission.currency.clone())];
            let frozen_minor =
                if disputed.contains(&commission.order_id) { commission.earned_minor } else { 0 };
            // Freed before anything is taken back, frozen after everything was given.
            let is_same = commission.frozen_minor == frozen_minor;
            transfers.extend(self.unfreeze(commission).filter(|_| !is_same));
            let difference = commission.earned_minor - *posted_minor;
            let posted = match difference {
                0 => None,
                more @ 1.. => Some((ACCRUED, Movement::new(merchant, promoter, more))),
                less => Some((CLAWED_BACK, Movement::new(promoter, merchant, -less))),
            };
            let reference = commission.order_id.uuid();
            let post = |(code, movement)| {
                Transfer::post(self.transfer_id(), code, movement).reference(reference)
            };
            transfers.extend(posted.map(post));
            if !is_same {
                let movement = Movement::new(promoter, merchant, frozen_minor);
                let freeze = Transfer::pending(self.transfer_id(), FROZEN, movement, None);
                let freeze = (frozen_minor > 0).then(|| freeze.reference(reference));
                commission.freeze_id = freeze.map(|freeze| freeze.id);
                commission.frozen_minor = frozen_minor;
                transfers.extend(freeze);
            }
        }
        siyu_ledger::post_all(tx, &transfers, now).await?;
        let commissions: Vec<Commission> = wanted.into_iter().map(|w| w.commission).collect();
        store::save(tx, &commissions).await?;
        let tell = |commission: &Commission| {
            let fact = CommissionChanged { commission: Some(commission.clone().into()) };
            NewEvent::of(self.app.ids.uuid(), &commission.order_id, now, &fact)
        };
        let events: Vec<NewEvent> = commissions.iter().map(tell).collect();
        siyu_events::append(tx, &events).await?;
        Ok(())
    }

    /// Ends what reserves a commission, if anything does.
    fn unfreeze(&self, commission: &Commission) -> Option<Transfer> {
        let freeze_id = commission.freeze_id?;
        let freed = Transfer::void_pending(self.transfer_id(), UNFROZEN, freeze_id);
        Some(freed.reference(commission.order_id.uuid()))
    }

    fn transfer_id(&self) -> TransferId {
        Id::from_uuid(self.app.ids.uuid())
    }

    /// The accounts of promoter and merchant, by promoter and currency.
    async fn open(
        &self,
        tx: &mut Tx,
        wanted: &[Wanted],
    ) -> Result<HashMap<(PromoterId, String), (AccountId, AccountId)>, Fault> {
        let pairs: BTreeSet<(PromoterId, String)> = wanted
            .iter()
            .map(|w| (w.commission.promoter_id, w.commission.currency.clone()))
            .collect();
        let mut asked: Vec<NewAccount> = Vec::new();
        for (promoter, code) in &pairs {
            let currency = Currency::parse(code).map_err(Fault::internal)?;
            asked.push(earned(self.app.ids.uuid(), *promoter, currency));
            asked.push(expense(self.app.ids.uuid(), currency));
        }
        let open = siyu_ledger::open(tx, &asked, self.app.clock.now()).await?;
        Ok(pairs
            .into_iter()
            .zip(open.chunks(2))
            .map(|(pair, two)| (pair, (two[0].id, two[1].id)))
            .collect())
    }
}

/// Adds what orders earned that somebody objects to, or objects to no more: what is frozen of it may change.
async fn reviewed(
    tx: &mut Tx,
    disputed: BTreeSet<OrderId>,
    wanted: &mut Vec<Wanted>,
) -> Result<(), siyu_pg::Error> {
    let known: BTreeSet<_> = wanted.iter().map(|w| w.commission.id).collect();
    let disputed: Vec<OrderId> = disputed.into_iter().collect();
    let earned = store::of_orders(tx, &disputed).await?;
    let others = earned.into_iter().filter(|commission| !known.contains(&commission.id));
    wanted.extend(others.map(|commission| {
        let posted_minor = commission.earned_minor;
        Wanted { commission, posted_minor }
    }));
    Ok(())
}

fn valued(commission: Commission, sale: &Sale) -> Commission {
    Commission {
        base_minor: sale.base_minor(),
        earned_minor: sale.earned_minor(commission.rate_bp),
        ..commission
    }
}

/// Promoters who may earn, those who invited them, and the persons that all of them are.
struct Promoters {
    known: HashMap<PromoterId, Promoter>,
    leads: HashMap<PersonId, PersonId>,
}

impl Promoters {
    async fn of(
        tx: &mut Tx,
        bound: impl Iterator<Item = PromoterId>,
    ) -> Result<Self, siyu_pg::Error> {
        let bound: BTreeSet<PromoterId> = bound.collect();
        let bound: Vec<PromoterId> = bound.into_iter().collect();
        let mut all = promoter::store::find_all(tx, &bound).await?;
        let inviters: BTreeSet<PromoterId> =
            all.iter().filter_map(|promoter| promoter.inviter_promoter_id).collect();
        let inviters: Vec<PromoterId> = inviters.into_iter().collect();
        all.extend(promoter::store::find_all(tx, &inviters).await?);
        let persons: Vec<PersonId> = all.iter().map(|promoter| promoter.person_id).collect();
        let leads = buyer::store::canonical(tx, &persons).await?;
        Ok(Self { known: all.into_iter().map(|promoter| (promoter.id, promoter)).collect(), leads })
    }

    /// A promoter and whoever invited that one, each with the person that it is.
    fn line(&self, id: PromoterId) -> impl Iterator<Item = (PromoterId, PersonId)> {
        let first = self.known.get(&id);
        let inviter_id = first.and_then(|promoter| promoter.inviter_promoter_id);
        let second = inviter_id.and_then(|id| self.known.get(&id));
        let person = |id: PersonId| *self.leads.get(&id).unwrap_or(&id);
        [first, second].into_iter().flatten().map(move |p| (p.id, person(p.person_id)))
    }
}
