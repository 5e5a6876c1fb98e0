//! The ledger once more, as simple as can be and by other means: every unit of an account with lots is a coin, and a
//! refusal is the list of all rules that a transfer breaks. What the real one does must be what this one does.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use siyu_ledger::{
    AccountId, Action, Asset, Draw, Failure, Flags, Kind, LotId, Movement, Transfer, TransferId,
};

pub(crate) type Instant = DateTime<Utc>;

/// One unit of a lot. Sorts as lots are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Coin {
    pub(crate) endless: bool,
    pub(crate) ends: Option<Instant>,
    pub(crate) earned: Instant,
    pub(crate) lot: LotId,
    pub(crate) serial: u64,
    pub(crate) available: Instant,
}

#[derive(Debug, Clone)]
pub(crate) struct Purse {
    pub(crate) asset: Asset,
    pub(crate) flags: Flags,
    pub(crate) debits: i64,
    pub(crate) credits: i64,
    pub(crate) debits_pending: i64,
    pub(crate) credits_pending: i64,
    pub(crate) entries: i64,
    pub(crate) coins: BTreeSet<Coin>,
    pub(crate) held: BTreeSet<Coin>,
    pub(crate) owed: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Open,
    Posted,
    Voided,
    Expired,
}

#[derive(Debug, Clone)]
pub(crate) struct Done {
    pub(crate) kind: Kind,
    pub(crate) movement: Movement,
    pub(crate) amount: i64,
    pub(crate) balances: (i64, i64),
    pub(crate) expires_at: Option<Instant>,
    pub(crate) state: State,
    pub(crate) reversed: i64,
    pub(crate) asked: Transfer,
    pub(crate) held: Vec<Coin>,
    /// Units drawn at the debit account, in order; none where the account went into debt.
    pub(crate) spent: Vec<Option<Coin>>,
}

#[derive(Debug, Default)]
pub(crate) struct Model {
    pub(crate) purses: BTreeMap<AccountId, Purse>,
    pub(crate) done: HashMap<TransferId, Done>,
    pub(crate) serial: u64,
}

/// What became of a transfer: amount and balances of both accounts, or all rules that it breaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    Created(i64, (i64, i64)),
    Exists(i64, (i64, i64)),
    Refused(Vec<Failure>),
}

impl Model {
    pub(crate) fn open(&mut self, id: AccountId, asset: Asset, flags: Flags) {
        let (coins, held) = (BTreeSet::new(), BTreeSet::new());
        let purse = Purse {
            asset,
            flags,
            debits: 0,
            credits: 0,
            debits_pending: 0,
            credits_pending: 0,
            entries: 0,
            coins,
            held,
            owed: 0,
        };
        self.purses.insert(id, purse);
    }

    pub(crate) fn post(&mut self, transfers: &[Transfer], now: Instant) -> Vec<Verdict> {
        let chains = transfers.chunk_by(|left, _| left.linked);
        chains.flat_map(|chain| self.chain(chain, now)).collect()
    }

    fn chain(&mut self, chain: &[Transfer], now: Instant) -> Vec<Verdict> {
        let alone = chain.len() == 1 && !chain[0].linked;
        // A chain may fail late: then everything that it could have changed is put back.
        let ids = || chain.iter().flat_map(|t| [Some(t.id), target(t)]).flatten();
        let before = (!alone).then(|| {
            let movements = chain.iter().filter_map(|t| self.movement(t));
            let touched = movements.flat_map(|(movement, _)| [movement.debit, movement.credit]);
            let purse = |id| Some((id, self.purses.get(&id)?.clone()));
            let purses: BTreeMap<_, _> = touched.filter_map(purse).collect();
            let done: Vec<_> = ids().map(|id| (id, self.done.get(&id).cloned())).collect();
            (purses, done)
        });
        let mut verdicts: Vec<_> = chain.iter().map(|t| self.one(t, now)).collect();
        let Some((purses, done)) = before else { return verdicts };
        let open = chain.last().is_some_and(|last| last.linked);
        let refused = verdicts.iter().any(|verdict| matches!(verdict, Verdict::Refused(_)));
        let known = verdicts.iter().filter(|v| matches!(v, Verdict::Exists(..))).count();
        if !open && !refused && (known == 0 || known == chain.len()) {
            return verdicts;
        }
        self.purses.extend(purses);
        for (id, was) in done {
            match was {
                Some(was) => self.done.insert(id, was),
                None => self.done.remove(&id),
            };
        }
        for verdict in &mut verdicts {
            let keep = !open && !refused && matches!(verdict, Verdict::Exists(..));
            match verdict {
                Verdict::Refused(rules) => rules.push(Failure::LinkedFailed),
                Verdict::Created(..) | Verdict::Exists(..) if keep => {}
                Verdict::Created(..) | Verdict::Exists(..) => {
                    *verdict = Verdict::Refused(vec![Failure::LinkedFailed]);
                }
            }
            if let (true, Verdict::Refused(rules)) = (open, verdict) {
                rules.push(Failure::LinkedChainOpen);
            }
        }
        verdicts
    }

    fn one(&mut self, asked: &Transfer, now: Instant) -> Verdict {
        if let Some(known) = self.done.get(&asked.id) {
            let same = same(known, asked);
            let fields =
                ["action", "debit", "credit", "amount", "draw", "lot", "expires_at", "target"];
            let more = ["expired", "code", "reference", "user_data"];
            let differs = fields.into_iter().chain(more);
            let differs = differs.map(|field| Failure::ExistsWithDifferent { field }).collect();
            let exists = Verdict::Exists(known.amount, known.balances);
            return if same { exists } else { Verdict::Refused(differs) };
        }
        let rules = self.broken(asked, now);
        if rules.is_empty() { self.execute(asked, now) } else { Verdict::Refused(rules) }
    }

    /// What a transfer would move, reserve or release, if its target is there.
    pub(crate) fn movement(&self, asked: &Transfer) -> Option<(Movement, Option<&Done>)> {
        match asked.action {
            Action::Post(movement) | Action::Pending { movement, .. } => Some((movement, None)),
            Action::PostPending { pending, amount } => {
                let target = self.done.get(&pending)?;
                let amount = amount.unwrap_or(target.amount);
                Some((Movement { amount, ..target.movement }, Some(target)))
            }
            Action::VoidPending { pending } | Action::ExpirePending { pending } => {
                let target = self.done.get(&pending)?;
                Some((target.movement, Some(target)))
            }
            Action::Reverse { of, amount, draw, .. } => {
                let target = self.done.get(&of)?;
                let amount = amount.unwrap_or(target.amount - target.reversed);
                let (debit, credit) = (target.movement.credit, target.movement.debit);
                Some((Movement::new(debit, credit, amount).draw(draw), Some(target)))
            }
        }
    }

    fn broken(&self, asked: &Transfer, now: Instant) -> Vec<Failure> {
        let Some((movement, target)) = self.movement(asked) else {
            return vec![Failure::TargetNotFound];
        };
        let mut rules = Vec::new();
        let mut rule = |broken: bool, failure| rules.extend(broken.then_some(failure));
        let rest = matches!(asked.action, Action::Reverse { amount: None, .. });
        rule(movement.amount <= 0 && !rest, Failure::AmountNotPositive);
        rule(movement.debit == movement.credit, Failure::SameAccount);
        let (debit, credit) = (self.purses.get(&movement.debit), self.purses.get(&movement.credit));
        rule(debit.is_none(), Failure::DebitAccountNotFound);
        rule(credit.is_none(), Failure::CreditAccountNotFound);
        let (Some(debit), Some(credit)) = (debit, credit) else { return rules };
        rule(debit.asset != credit.asset, Failure::AssetsDiffer);
        let over = target.is_some_and(|t| t.expires_at.is_some_and(|end| end <= now));
        match (asked.action, target) {
            (Action::PostPending { .. }, Some(target)) => {
                rules.extend(ended(target));
                rules.extend(over.then_some(Failure::HoldExpired));
                rules.extend((movement.amount > target.amount).then_some(Failure::ExceedsHold));
            }
            (Action::VoidPending { .. }, Some(target)) => {
                rules.extend(ended(target));
                rules.extend(over.then_some(Failure::HoldExpired));
            }
            (Action::ExpirePending { .. }, Some(target)) => {
                rules.extend(ended(target));
                rules.extend((!over).then_some(Failure::HoldNotExpired));
            }
            (Action::Reverse { .. }, Some(target)) => {
                let left = target.amount - target.reversed;
                let reversible = matches!(target.kind, Kind::Post | Kind::PostPending);
                rules.extend((!reversible).then_some(Failure::TargetOfOtherKind));
                let exceeds = left == 0 || movement.amount > left;
                rules.extend(exceeds.then_some(Failure::ExceedsOriginal));
                rules.extend(debit.limits(&movement, credit));
                rules.extend(debit.lots_short(&movement, target_lot(asked), now));
            }
            (Action::Pending { expires_at, .. }, _) => {
                let short = expires_at.is_some_and(|end| end <= now);
                rules.extend(short.then_some(Failure::HoldTooShort));
                rules.extend(debit.limits(&movement, credit));
                let lots = debit.flags.has(Flags::LOTS);
                let overdraws = lots && movement.draw == Draw::Overdraft;
                rules.extend(overdraws.then_some(Failure::HoldOverdraws));
                rules.extend(debit.lots_short(&movement, None, now));
            }
            (_, _) => {
                rules.extend(debit.limits(&movement, credit));
                rules.extend(debit.lots_short(&movement, None, now));
            }
        }
        rules
    }
}

fn ended(target: &Done) -> Option<Failure> {
    match (target.kind, target.state) {
        (Kind::Pending, State::Open) => None,
        (Kind::Pending, State::Posted) => Some(Failure::AlreadyPosted),
        (Kind::Pending, State::Voided) => Some(Failure::AlreadyVoided),
        (Kind::Pending, State::Expired) => Some(Failure::HoldExpired),
        (_, _) => Some(Failure::TargetOfOtherKind),
    }
}

fn target(asked: &Transfer) -> Option<TransferId> {
    match asked.action {
        Action::Post(_) | Action::Pending { .. } => None,
        Action::PostPending { pending, .. }
        | Action::VoidPending { pending }
        | Action::ExpirePending { pending } => Some(pending),
        Action::Reverse { of, .. } => Some(of),
    }
}

fn target_lot(asked: &Transfer) -> Option<LotId> {
    target(asked).map(|id| LotId::from_uuid(id.uuid()))
}

/// Whether a transfer asks for what was done. "All of it" asks for whatever that was.
fn same(known: &Done, asked: &Transfer) -> bool {
    let mut was = known.asked;
    let mut is = *asked;
    (was.linked, is.linked) = (false, false);
    for (this, other) in [(&mut was, known.amount), (&mut is, known.amount)] {
        if let Action::PostPending { amount, .. } | Action::Reverse { amount, .. } =
            &mut this.action
        {
            amount.get_or_insert(other);
        }
    }
    was == is
}
