//! Follows the order service and posts what orders earn.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use chrono::{DateTime, Utc};
use siyu_events::{Event, Handler, HandlerError, Subscription};
use siyu_grpc::parse;
use siyu_kernel::{Fault, Id};
use siyu_ledger::{
    AccountId, Action, Asset, Draw, Expired, LotTerms, Movement, NewAccount, Transfer, TransferId,
};
use siyu_pg::Tx;
use siyu_proto::order::v1::OrderFacts;
use tonic::async_trait;

use super::{
    change::{Back, Before, Given, Step, Wanted},
    domain::{Earning, OrderId, Purchase, Rules},
    store::{self, Row},
};
use crate::{
    App,
    account::{self, GROWTH, ORDER_EARNED, ORDER_TAKEN_BACK, POINTS},
    benefit::multiplier,
    person::{self, PersonId},
    points, purchase, stage, tier,
};

/// What the member service follows of the order service.
pub fn subscription(app: &App) -> Subscription {
    Subscription::new("member", "order", Arc::new(Earnings { app: app.clone() }))
        .on_orders()
        .on_disputes()
}

struct Earnings {
    app: App,
}

/// What becomes of the points or the growth of an order.
struct Change<'a> {
    accounts: &'a Accounts,
    over: &'a HashMap<TransferId, i64>,
    earning: &'a Earning,
    row: Option<&'a Row>,
    asset: Asset,
    now: DateTime<Utc>,
}

/// The accounts that a batch posts to.
struct Accounts(HashMap<(Option<PersonId>, Asset), AccountId>);

#[async_trait]
impl Handler for Earnings {
    async fn handle(&self, tx: &mut Tx, events: &[&Event]) -> Result<(), HandlerError> {
        let mut facts = siyu_events::latest_order_facts(events)?;
        let disputes = siyu_events::latest_disputes(events)?;
        let disputed: BTreeSet<OrderId> = disputes.iter().map(|dispute| dispute.order_id).collect();
        name_persons(tx, &mut facts, &disputed).await?;
        let purchases: Vec<Purchase> =
            facts.iter().map(Purchase::of).collect::<Result<_, _>>().map_err(HandlerError::park)?;
        let told = purchases.iter().map(|purchase| purchase.order_id);
        let orders: BTreeSet<OrderId> = told.chain(disputed.iter().copied()).collect();
        let orders: Vec<OrderId> = orders.into_iter().collect();
        let known: HashMap<OrderId, Row> =
            store::lock(tx, &orders).await?.into_iter().map(|row| (row.order_id, row)).collect();
        store::save_disputes(tx, &disputes).await?;
        let disputes = store::disputes(tx, &orders).await?;
        let of = |order: OrderId| disputes.get(&order).map_or(&[][..], Vec::as_slice);
        let (points, zone) = points::policy::all(tx).await?;
        let rules = Rules { points, tiers: tier::store::policy(tx).await?, zone };
        // Later than every event of the batch was written: one instant for all of its postings.
        let now = self.app.clock.now();
        let later: Vec<(&Purchase, Option<&Row>)> = purchases
            .iter()
            .map(|purchase| (purchase, known.get(&purchase.order_id)))
            .filter(|(purchase, row)| row.is_none_or(|row| row.revision < purchase.revision))
            .collect();
        let new: Vec<multiplier::New> = later
            .iter()
            .filter(|(purchase, row)| purchase.is_new(*row))
            .map(|(purchase, _)| (purchase.order_id, purchase.person_id, purchase.paid_at))
            .collect();
        let multipliers = multiplier::of(tx, &rules.tiers, &new).await?;
        let earn = |(purchase, row): (&Purchase, Option<&'_ Row>)| {
            let multiplier = multipliers.get(&purchase.order_id).copied();
            purchase.earns(
                &rules,
                row,
                multiplier.unwrap_or(multiplier::ONE),
                of(purchase.order_id),
                now,
            )
        };
        let mut news: Vec<(Earning, Option<&Row>)> =
            later.into_iter().map(|(purchase, row)| (earn((purchase, row)), row)).collect();
        let told: BTreeSet<OrderId> = news.iter().map(|(earning, _)| earning.order_id).collect();
        let again = disputed.difference(&told).filter_map(|order| {
            let row = known.get(order)?;
            Some((Earning::again(row, &rules, of(*order), now)?, Some(row)))
        });
        news.extend(again);
        self.post(tx, &rules.tiers, &news, now).await?;
        purchase::events::keep(tx, &facts).await?;
        let buyers: Vec<PersonId> = purchases.iter().map(|purchase| purchase.person_id).collect();
        stage::refresh(&self.app, tx, buyers, now).await?;
        Ok(())
    }
}

/// Puts whom an alias stands for in its place: the order service may not have heard of a merge yet.
/// Holds them, and those who earned something of the orders that somebody objects to.
async fn name_persons(
    tx: &mut Tx,
    facts: &mut [OrderFacts],
    disputed: &BTreeSet<OrderId>,
) -> Result<(), HandlerError> {
    let disputed: Vec<OrderId> = disputed.iter().copied().collect();
    let others = store::persons_of(tx, &disputed).await?;
    let read = |fact: &OrderFacts| parse::id("person_id", &fact.person_id);
    let named: Vec<PersonId> =
        facts.iter().map(read).collect::<Result<_, _>>().map_err(HandlerError::park)?;
    let all: Vec<PersonId> = named.iter().chain(&others).copied().collect();
    let persons = person::hold_all(tx, &all).await?;
    for (fact, named) in facts.iter_mut().zip(named) {
        if let Some(person) = persons.get(&named).filter(|person| **person != named) {
            fact.person_id = person.to_string();
        }
    }
    Ok(())
}

impl Earnings {
    async fn post(
        &self,
        tx: &mut Tx,
        tiers: &tier::domain::Policy,
        news: &[(Earning, Option<&Row>)],
        now: DateTime<Utc>,
    ) -> Result<(), Fault> {
        let touched: BTreeSet<PersonId> = news
            .iter()
            .flat_map(|(earning, row)| [Some(earning.person_id), row.map(|row| row.person_id)])
            .flatten()
            .collect();
        let accounts = self.open(tx, &touched).await?;
        let over = left_of_over(tx, news, now).await?;
        let (mut transfers, mut saved) = (Vec::new(), Vec::new());
        for (earning, row) in news {
            let mut change = |asset| {
                let change =
                    Change { accounts: &accounts, over: &over, earning, row: *row, asset, now };
                self.change(&mut transfers, &change)
            };
            let (points, growth) = (change(POINTS), change(GROWTH));
            saved.push((earning, points, growth));
        }
        siyu_ledger::post_all(tx, &transfers, now).await?;
        store::save(tx, &saved).await?;
        let touched: Vec<PersonId> = touched.into_iter().collect();
        tier::evaluate::evaluate_by(&self.app, tx, tiers, &touched, now).await?;
        Ok(())
    }

    async fn open(&self, tx: &mut Tx, persons: &BTreeSet<PersonId>) -> Result<Accounts, Fault> {
        let id = || self.app.ids.uuid();
        let mut wanted: Vec<((Option<PersonId>, Asset), NewAccount)> = Vec::new();
        for asset in [POINTS, GROWTH] {
            wanted.push(((None, asset), account::issued(id(), asset)));
            wanted
                .extend(persons.iter().map(|&p| ((Some(p), asset), account::held(id(), p, asset))));
        }
        let asked: Vec<NewAccount> = wanted.iter().map(|(_, account)| *account).collect();
        let open = siyu_ledger::open(tx, &asked, self.app.clock.now()).await?;
        Ok(Accounts(
            wanted.into_iter().zip(open).map(|((key, _), account)| (key, account.id)).collect(),
        ))
    }

    /// Takes back what an earlier revision gave and gives what this one gives; nothing when both are the same. Returns the
    /// transfer that stands now.
    fn change(&self, transfers: &mut Vec<Transfer>, change: &Change<'_>) -> Option<TransferId> {
        let Change { accounts, earning, asset, .. } = *change;
        let (given, wanted) = (change.given(), change.wanted());
        if change.is_nothing(given) {
            return given;
        }
        let before = match (change.row, given) {
            (None, _) => Before::First,
            (Some(_), None) => Before::Nothing,
            (Some(row), Some(of)) => Before::Given(Given {
                left_of_over: change.over.get(&of).copied(),
                is_same: row.person_id == earning.person_id,
            }),
        };
        let step = Step::of(before, wanted);
        let reference = earning.order_id.uuid();
        let id = || Id::from_uuid(self.app.ids.uuid());
        let back = match step.back {
            Back::All => given.map(|of| (of, None)),
            Back::Part(units) => given.map(|of| (of, Some(units))),
            Back::Nothing => None,
        };
        if let Some((of, amount)) = back {
            // Points that were spent already are owed from now on (rule 49).
            let (draw, expired) = (Draw::Overdraft, Expired::Forfeit);
            let action = Action::Reverse { of, amount, draw, expired };
            let back = Transfer::reverse(id(), ORDER_TAKEN_BACK, of);
            transfers.push(Transfer { action, ..back }.reference(reference));
        }
        if step.keeps {
            return given;
        }
        if step.give == 0 {
            return None;
        }
        let (from, to) = (accounts.issued(asset), accounts.held(earning.person_id, asset));
        let movement = Movement::new(from, to, step.give);
        let movement = change.terms().map_or(movement, |terms| movement.lot(terms));
        let transfer = Transfer::post(id(), ORDER_EARNED, movement).reference(reference);
        transfers.push(transfer);
        Some(transfer.id)
    }
}

/// What of earlier earnings that are over can still be taken back.
async fn left_of_over(
    tx: &mut Tx,
    news: &[(Earning, Option<&Row>)],
    now: DateTime<Utc>,
) -> Result<HashMap<TransferId, i64>, Fault> {
    let rows = news.iter().filter_map(|(_, row)| *row);
    let given: Vec<TransferId> =
        rows.flat_map(|row| [row.points_transfer_id, row.growth_transfer_id]).flatten().collect();
    if given.is_empty() {
        return Ok(HashMap::new());
    }
    Ok(store::left_of_over(tx, &given, now).await?)
}

impl Change<'_> {
    /// The transfer of the earlier revision.
    fn given(&self) -> Option<TransferId> {
        let row = self.row?;
        if self.asset == POINTS { row.points_transfer_id } else { row.growth_transfer_id }
    }

    fn wanted(&self) -> Wanted {
        let earning = self.earning;
        let amount = if self.asset == POINTS { earning.points } else { earning.growth };
        let ends = self.terms().and_then(|terms| terms.expires_at);
        Wanted { amount, is_over: ends.is_some_and(|end| end <= self.now) }
    }

    fn terms(&self) -> Option<LotTerms> {
        if self.asset == POINTS { Some(self.earning.terms) } else { self.earning.growth_terms }
    }

    /// Whether what was given stands as it is.
    fn is_nothing(&self, given: Option<TransferId>) -> bool {
        if self.asset == GROWTH && self.earning.growth_terms.is_none() {
            return true;
        }
        let Some(row) = self.row else { return false };
        let before = if self.asset == POINTS { row.points } else { row.growth };
        let ripens = self.asset == POINTS && self.earning.ripens && before > 0;
        let is_same = row.person_id == self.earning.person_id;
        is_same && self.wanted().amount == before && (!ripens || given.is_none())
    }
}

impl Accounts {
    fn held(&self, person: PersonId, asset: Asset) -> AccountId {
        self.0[&(Some(person), asset)]
    }

    fn issued(&self, asset: Asset) -> AccountId {
        self.0[&(None, asset)]
    }
}
