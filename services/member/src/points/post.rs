//! Posts changes of one merchant's points in one transaction: a constant number of statements, however many changes, and one
//! more for each that is limited by the day.

mod answer;

use std::collections::{BTreeSet, HashMap, HashSet};

use chrono::{DateTime, Utc};
use siyu_kernel::{Fault, Ids, Zone};
use siyu_ledger::{
    AccountId, Action, Draw, Expired, LotTerms, Movement, Outcome, Record, Transfer, TransferCode,
    TransferId,
};
use siyu_pg::Tx;
use siyu_proto::member::v1::PointsPosting;

use answer::{answer, earlier, is_created, keep_notes};

use super::{
    Error,
    command::{Change, Command},
    domain::Policy,
    policy, store,
};
use crate::{
    account::{
        self, POINTS, POINTS_ADJUSTED, POINTS_CONSUMED, POINTS_FROZEN, POINTS_GRANTED,
        POINTS_REVERTED, POINTS_SPENT, POINTS_UNFROZEN,
    },
    limits,
    person::{self, PersonId},
};

/// The answers to the changes, in order.
pub(crate) enum Posted {
    /// To be committed.
    Whole(Vec<Result<PointsPosting, Fault>>),
    /// Not to be committed: something was counted for a change that then was not made.
    Spoiled(Vec<Result<PointsPosting, Fault>>),
}

/// What is known before the changes are planned.
struct Desk {
    now: DateTime<Utc>,
    persons: HashMap<PersonId, PersonId>,
    held: HashMap<PersonId, AccountId>,
    issued: Option<AccountId>,
    /// Earlier transfers that the changes are about, or that they are repeats of.
    known: HashMap<TransferId, Record>,
    policy: Policy,
    zone: Zone,
}

/// Posts the changes; the transaction is the caller's to commit.
pub(crate) async fn post(
    tx: &mut Tx,
    ids: &dyn Ids,
    commands: &[&Command],
) -> Result<Posted, Fault> {
    let desk = Desk::load(tx, ids, commands).await?;
    let (mut counted, mut planned) = (HashSet::new(), Vec::with_capacity(commands.len()));
    for command in commands {
        let mut plan = desk.plan(command);
        if plan.is_ok()
            && let Err(fault) = desk.count(tx, command, &mut counted).await?
        {
            plan = Err(fault);
        }
        planned.push(plan);
    }
    let transfers: Vec<Transfer> =
        planned.iter().filter_map(|plan| plan.as_ref().ok()).copied().collect();
    let mut outcomes = siyu_ledger::post(tx, &transfers, desk.now).await?.into_iter();
    let mut next = || outcomes.next().expect("every transfer has an outcome");
    let outcomes: Vec<Result<Outcome, Fault>> =
        planned.into_iter().map(|plan| plan.map(|_| next())).collect();
    let earlier = earlier(tx, commands, &outcomes).await?;
    keep_notes(tx, commands, &outcomes).await?;
    // Two processes counted the same request: one of them posted it.
    let is_spoiled = counted.iter().any(|id| !is_created(*id, commands, &outcomes));
    let answer = |(command, outcome): (&&Command, Result<Outcome, Fault>)| {
        answer(command, outcome?, &earlier)
    };
    let answers = commands.iter().zip(outcomes).map(answer).collect();
    Ok(if is_spoiled { Posted::Spoiled(answers) } else { Posted::Whole(answers) })
}

impl Desk {
    async fn load(tx: &mut Tx, ids: &dyn Ids, commands: &[&Command]) -> Result<Self, Fault> {
        let now = commands.iter().map(|command| command.now).max().expect("there is a command");
        let named: BTreeSet<PersonId> =
            commands.iter().filter_map(|command| command.change.person()).collect();
        let mut desk = Self {
            now,
            persons: HashMap::new(),
            held: HashMap::new(),
            issued: None,
            known: HashMap::new(),
            policy: Policy::default(),
            zone: Zone::SHANGHAI,
        };
        if !named.is_empty() {
            let named: Vec<PersonId> = named.into_iter().collect();
            // Nobody of them is merged away before the end: nothing is posted for an alias.
            desk.persons = person::hold_all(tx, &named).await?;
            desk.open(tx, ids).await?;
        }
        let gives = |command: &&Command| {
            matches!(command.change, Change::Grant { .. })
                || matches!(command.change, Change::Adjust { points, .. } if points > 0)
        };
        if commands.iter().any(gives) {
            (desk.policy, desk.zone) = policy::current(tx, now).await?;
        }
        let limited = |command: &&&Command| desk.limit(command).is_some();
        let mut wanted: Vec<TransferId> =
            commands.iter().filter(limited).map(|command| command.id).collect();
        wanted.extend(commands.iter().filter_map(|command| command.change.target()));
        if !wanted.is_empty() {
            desk.known = siyu_ledger::transfers(tx, &wanted).await?;
        }
        Ok(desk)
    }

    async fn open(&mut self, tx: &mut Tx, ids: &dyn Ids) -> Result<(), Fault> {
        let persons: Vec<PersonId> =
            self.persons.values().copied().collect::<BTreeSet<_>>().into_iter().collect();
        let held = persons.iter().map(|&person| account::held(ids.uuid(), person, POINTS));
        let wanted: Vec<_> = held.chain([account::issued(ids.uuid(), POINTS)]).collect();
        let open = siyu_ledger::open(tx, &wanted, self.now).await?;
        self.issued = open.last().map(|account| account.id);
        self.held = persons.into_iter().zip(open.iter().map(|account| account.id)).collect();
        Ok(())
    }

    /// The transfer that a change becomes.
    fn plan(&self, command: &Command) -> Result<Transfer, Fault> {
        let id = command.id;
        let transfer = match command.change {
            Change::Grant { person, points, available_at, expires_at } => {
                let terms = self.policy.granted(command.now, available_at, expires_at, self.zone);
                Transfer::post(id, POINTS_GRANTED, self.to(person, points, terms)?)
            }
            Change::Spend { person, points, order } => {
                about(Transfer::post(id, POINTS_SPENT, self.from(person, points)?), order)
            }
            Change::Freeze { person, points, until, order } => {
                let movement = self.from(person, points)?;
                about(Transfer::pending(id, POINTS_FROZEN, movement, Some(until)), order)
            }
            Change::Consume { freeze, points } => {
                let frozen = self.target(freeze, &[POINTS_FROZEN])?;
                let transfer = Transfer::post_pending(id, POINTS_CONSUMED, freeze);
                let transfer = points.map_or(transfer, |points| transfer.part(points));
                about(transfer, frozen.reference)
            }
            Change::Unfreeze { freeze } => {
                let frozen = self.target(freeze, &[POINTS_FROZEN])?;
                about(Transfer::void_pending(id, POINTS_UNFROZEN, freeze), frozen.reference)
            }
            Change::Revert { of, points } => {
                let spent = self.target(of, &[POINTS_SPENT, POINTS_CONSUMED])?;
                let expired = Expired::restore_days(command.now, limits::RESTORED_DAYS);
                let action = Action::Reverse { of, amount: points, draw: Draw::ByLimits, expired };
                let transfer = Transfer { action, ..Transfer::reverse(id, POINTS_REVERTED, of) };
                about(transfer, spent.reference)
            }
            Change::Adjust { person, points, expires_at } => {
                let movement = if points > 0 {
                    let terms = self.policy.granted(command.now, None, expires_at, self.zone);
                    self.to(person, points, terms)?
                } else {
                    self.from(person, -points)?.draw(Draw::Overdraft)
                };
                Transfer::post(id, POINTS_ADJUSTED, movement)
            }
        };
        Ok(transfer.user_data(command.fingerprint))
    }

    fn account(&self, person: PersonId) -> Result<(AccountId, AccountId), Fault> {
        let person = self.persons.get(&person).ok_or_else(|| Fault::not_found("person"))?;
        Ok((self.held[person], self.issued.expect("it is open with the others")))
    }

    fn from(&self, person: PersonId, points: i64) -> Result<Movement, Fault> {
        let (held, issued) = self.account(person)?;
        Ok(Movement::new(held, issued, points))
    }

    fn to(&self, person: PersonId, points: i64, terms: LotTerms) -> Result<Movement, Fault> {
        let (held, issued) = self.account(person)?;
        Ok(Movement::new(issued, held, points).lot(terms))
    }

    /// An earlier change of points: nothing else of the ledger can be named here.
    fn target(&self, id: TransferId, codes: &[TransferCode]) -> Result<&Record, Fault> {
        let found = self.known.get(&id).filter(|record| codes.contains(&record.code));
        found.ok_or_else(|| Fault::not_found("transfer"))
    }

    /// What the action of a grant gives a person on one day at most.
    fn limit(&self, command: &Command) -> Option<i64> {
        let grants = matches!(command.change, Change::Grant { .. });
        self.policy.limit_of(&command.note.action).filter(|_| grants)
    }

    /// Counts a limited grant, unless it is a repeat (rule 54).
    async fn count(
        &self,
        tx: &mut Tx,
        command: &Command,
        counted: &mut HashSet<TransferId>,
    ) -> Result<Result<(), Fault>, Fault> {
        let (Some(most), Change::Grant { person, points, .. }) =
            (self.limit(command), &command.change)
        else {
            return Ok(Ok(()));
        };
        if self.known.contains_key(&command.id) || counted.contains(&command.id) {
            return Ok(Ok(()));
        }
        let (person, day) = (self.persons[person], self.zone.day(command.now));
        let action = &command.note.action;
        if !store::count_day(tx, person, day.date(), action, *points, most).await? {
            return Ok(Err(Error::DailyLimit { action: action.clone(), most }.into()));
        }
        counted.insert(command.id);
        Ok(Ok(()))
    }
}

fn about(transfer: Transfer, reference: Option<uuid::Uuid>) -> Transfer {
    match reference {
        Some(reference) => transfer.reference(reference),
        None => transfer,
    }
}
