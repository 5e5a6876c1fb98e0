//! What transfers do to the purses and coins of the model.

use std::collections::BTreeMap;

use siyu_ledger::{
    AccountId, Action, Draw, Expired, Failure, Flags, Kind, LotId, LotTerms, Movement, Transfer,
};

use super::model::{Coin, Done, Instant, Model, Purse, State, Verdict};

impl Coin {
    fn is_expired(&self, now: Instant) -> bool {
        self.ends.is_some_and(|end| end <= now)
    }
}

impl Purse {
    pub(crate) fn balance(&self) -> i64 {
        self.credits - self.debits
    }

    /// What each lot has left and held, and its times; none for the overdraft, which has no times of its own.
    pub(crate) fn lots(&self, id: AccountId) -> BTreeMap<LotId, (i64, i64, Option<LotTerms>)> {
        let mut lots = BTreeMap::new();
        for (coin, held) in
            self.coins.iter().map(|coin| (coin, 0)).chain(self.held.iter().map(|coin| (coin, 1)))
        {
            let (earned_at, available_at) = (coin.earned, coin.available);
            let terms = LotTerms { earned_at, available_at, expires_at: coin.ends };
            let lot = lots.entry(coin.lot).or_insert((0, 0, Some(terms)));
            assert_eq!(lot.2, Some(terms), "the coins of a lot are alike");
            (lot.0, lot.1) = (lot.0 + 1, lot.1 + held);
        }
        if self.owed > 0 {
            lots.insert(LotId::from_uuid(id.uuid()), (-self.owed, 0, None));
        }
        lots
    }

    /// The limits of both accounts, and what a movement asks beyond them.
    pub(crate) fn limits(&self, movement: &Movement, credit: &Self) -> Vec<Failure> {
        let amount = movement.amount;
        let lots = self.flags.has(Flags::LOTS);
        let after = self.debits + self.debits_pending + amount;
        let bounded = self.flags.has(Flags::DEBITS_MUST_NOT_EXCEED_CREDITS);
        let covered = movement.draw == Draw::Covered && !lots;
        let no_lots = matches!(movement.draw, Draw::Lot(_)) && !lots
            || movement.lot.is_some() && !credit.flags.has(Flags::LOTS);
        let bounded_above = credit.flags.has(Flags::CREDITS_MUST_NOT_EXCEED_DEBITS);
        let above = credit.credits + credit.credits_pending + amount > credit.debits;
        let mut rules = Vec::new();
        rules.extend(
            ((bounded || covered) && after > self.credits).then_some(Failure::ExceedsCredits),
        );
        rules.extend((bounded_above && above).then_some(Failure::ExceedsDebits));
        rules.extend(no_lots.then_some(Failure::NoLots));
        rules
    }

    pub(crate) fn lots_short(
        &self,
        movement: &Movement,
        origin: Option<LotId>,
        now: Instant,
    ) -> Vec<Failure> {
        let names_lot = matches!(movement.draw, Draw::Lot(_));
        if !self.flags.has(Flags::LOTS) || movement.draw == Draw::Overdraft {
            return Vec::new();
        }
        let owed = if names_lot { 0 } else { self.owed };
        let coins = self.choose(movement.draw, origin, now).count();
        if i64::try_from(coins).unwrap() - owed >= movement.amount {
            return Vec::new();
        }
        let unknown = names_lot.then_some(Failure::LotNotFound);
        unknown.into_iter().chain([Failure::ExceedsLots]).collect()
    }

    /// The coins that may be drawn, in order.
    fn choose(
        &self,
        draw: Draw,
        origin: Option<LotId>,
        now: Instant,
    ) -> Box<dyn Iterator<Item = Coin> + '_> {
        if let Draw::Lot(lot) = draw {
            return Box::new(self.coins.iter().filter(move |coin| coin.lot == lot).copied());
        }
        let own = move |coin: &Coin| Some(coin.lot) == origin;
        let first: Box<dyn Iterator<Item = &Coin>> = match origin {
            Some(_) => Box::new(self.coins.iter().filter(move |coin| own(coin))),
            None => Box::new(std::iter::empty()),
        };
        let alive = move || {
            let rest = self.coins.iter().skip_while(move |coin| coin.is_expired(now));
            rest.filter(move |coin| !own(coin))
        };
        let ready = alive().filter(move |coin| coin.available <= now);
        let later = alive().filter(move |coin| draw == Draw::Overdraft && coin.available > now);
        Box::new(first.chain(ready).chain(later).copied())
    }

    fn take(
        &mut self,
        movement: &Movement,
        origin: Option<LotId>,
        now: Instant,
    ) -> Vec<Option<Coin>> {
        if !self.flags.has(Flags::LOTS) {
            return Vec::new();
        }
        let wanted = usize::try_from(movement.amount).unwrap();
        let coins: Vec<_> = self.choose(movement.draw, origin, now).take(wanted).collect();
        for coin in &coins {
            assert!(self.coins.remove(coin));
        }
        let short = wanted - coins.len();
        self.owed += i64::try_from(short).unwrap();
        coins.into_iter().map(Some).chain(std::iter::repeat_n(None, short)).collect()
    }

    /// Coins come in or become free: debts first.
    fn put(&mut self, mut coins: Vec<Coin>, now: Instant) {
        coins.sort_unstable();
        for coin in coins {
            if self.owed > 0 && !coin.is_expired(now) {
                self.owed -= 1;
            } else {
                assert!(self.coins.insert(coin));
            }
        }
    }
}

impl Model {
    pub(crate) fn execute(&mut self, asked: &Transfer, now: Instant) -> Verdict {
        let (movement, _) = self.movement(asked).expect("the rules hold");
        let mut done = Done {
            kind: Kind::Post,
            movement,
            amount: movement.amount,
            balances: (0, 0),
            expires_at: None,
            state: State::Open,
            reversed: 0,
            asked: *asked,
            held: Vec::new(),
            spent: Vec::new(),
        };
        match asked.action {
            Action::Post(movement) => {
                self.count(&movement, movement.amount, 0);
                done.spent = self.purse(movement.debit).take(&movement, None, now);
                self.mint(&movement, asked, movement.lot, now);
            }
            Action::Pending { movement, expires_at } => {
                (done.kind, done.expires_at) = (Kind::Pending, expires_at);
                self.count(&movement, 0, movement.amount);
                let purse = self.purse(movement.debit);
                done.held = purse.take(&movement, None, now).into_iter().flatten().collect();
                purse.held.extend(&done.held);
            }
            Action::PostPending { pending, .. } => {
                done.kind = Kind::PostPending;
                done.spent = self.end(pending, State::Posted, movement.amount, now);
                self.mint(&movement, asked, movement.lot, now);
            }
            Action::VoidPending { pending } => {
                done.kind = Kind::VoidPending;
                self.end(pending, State::Voided, 0, now);
            }
            Action::ExpirePending { pending } => {
                done.kind = Kind::ExpirePending;
                self.end(pending, State::Expired, 0, now);
            }
            Action::Reverse { of, expired, .. } => {
                done.kind = Kind::Reverse;
                self.count(&movement, movement.amount, 0);
                let origin = LotId::from_uuid(of.uuid());
                done.spent = self.purse(movement.debit).take(&movement, Some(origin), now);
                self.give_back(asked, of, &movement, expired, now);
            }
        }
        for account in [movement.debit, movement.credit] {
            self.purse(account).entries += 1;
        }
        let balance = |id| self.purses[&id].balance();
        done.balances = (balance(movement.debit), balance(movement.credit));
        let verdict = Verdict::Created(done.amount, done.balances);
        self.done.insert(asked.id, done);
        verdict
    }

    fn purse(&mut self, id: AccountId) -> &mut Purse {
        self.purses.get_mut(&id).expect("the rules hold")
    }

    fn count(&mut self, movement: &Movement, posted: i64, pending: i64) {
        let debit = self.purse(movement.debit);
        debit.debits += posted;
        debit.debits_pending += pending;
        let credit = self.purse(movement.credit);
        credit.credits += posted;
        credit.credits_pending += pending;
    }

    /// Credited units become coins, if the account has any.
    fn mint(
        &mut self,
        movement: &Movement,
        asked: &Transfer,
        terms: Option<LotTerms>,
        now: Instant,
    ) {
        if self.purses[&movement.credit].flags.has(Flags::LOTS) {
            let terms = terms.unwrap_or(LotTerms::from(now));
            let coins = self.coins(movement.amount, asked, terms);
            self.purse(movement.credit).put(coins, now);
        }
    }

    fn coins(&mut self, amount: i64, asked: &Transfer, terms: LotTerms) -> Vec<Coin> {
        let coin = |_| {
            self.serial += 1;
            Coin {
                endless: terms.expires_at.is_none(),
                ends: terms.expires_at,
                earned: terms.earned_at,
                lot: LotId::from_uuid(asked.id.uuid()),
                serial: self.serial,
                available: terms.available_at,
            }
        };
        (0..amount).map(coin).collect()
    }

    fn end(
        &mut self,
        pending: siyu_ledger::TransferId,
        state: State,
        posted: i64,
        now: Instant,
    ) -> Vec<Option<Coin>> {
        let hold = self.done.get_mut(&pending).expect("the rules hold");
        hold.state = state;
        let (movement, reserved, mut coins) = (hold.movement, hold.amount, hold.held.clone());
        self.count(&movement, posted, -reserved);
        let purse = self.purse(movement.debit);
        for coin in &coins {
            assert!(purse.held.remove(coin));
        }
        let rest = coins.split_off(coins.len().min(usize::try_from(posted).unwrap()));
        purse.put(rest, now);
        coins.into_iter().map(Some).collect()
    }

    fn give_back(
        &mut self,
        asked: &Transfer,
        of: siyu_ledger::TransferId,
        movement: &Movement,
        expired: Expired,
        now: Instant,
    ) {
        let target = self.done.get_mut(&of).expect("the rules hold");
        let (skip, take) = (target.reversed, movement.amount);
        target.reversed += take;
        let (skip, take) = (usize::try_from(skip).unwrap(), usize::try_from(take).unwrap());
        let back: Vec<_> = target.spent.iter().rev().skip(skip).take(take).copied().collect();
        let until = match expired {
            Expired::Forfeit => None,
            Expired::Restore { until } => Some(until),
        };
        let (mut coins, mut fresh, mut earned) = (Vec::new(), 0, now);
        let purse = self.purse(movement.credit);
        for coin in back {
            match coin {
                Some(coin) if until.is_some() && coin.is_expired(now) => {
                    fresh += 1;
                    earned = earned.min(coin.earned);
                }
                Some(coin) => coins.push(coin),
                None if purse.owed > 0 => purse.owed -= 1,
                None => fresh += 1,
            }
        }
        let terms = LotTerms { earned_at: earned, available_at: now, expires_at: until };
        coins.extend(self.coins(fresh, asked, terms));
        self.purse(movement.credit).put(coins, now);
    }
}
