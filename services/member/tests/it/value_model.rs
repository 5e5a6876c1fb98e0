//! What cards have, by the rules and nothing else.

mod card;

use siyu_kernel::Fault;

use crate::value_random::Step;
use card::{Card, Lot, pairs, split};

/// How long a hold is good, in minutes.
const HOLD: i64 = 30;

/// What came of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Did {
    Done,
    /// There was nothing to do it with.
    Nothing,
    Refused(String),
    /// Amounts by principal and bonus.
    Gave(Vec<(i64, i64)>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Held { until: i64 },
    Paid,
    Voided,
    Expired,
}

#[derive(Debug, Clone)]
struct Part {
    card: usize,
    gave: (i64, i64),
    back: (i64, i64),
    /// What it reserved, then drew, of which lots.
    drawn: Vec<(usize, i64)>,
}

#[derive(Debug, Clone)]
struct Payment {
    state: State,
    parts: Vec<Part>,
}

#[derive(Debug, Clone)]
struct Recharge {
    card: usize,
    principal: i64,
    bonus: i64,
    lot: Option<usize>,
    is_back: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct Model {
    minute: i64,
    cards: Vec<Card>,
    payments: Vec<Payment>,
    recharges: Vec<Recharge>,
}

impl Did {
    pub(crate) fn of<T>(made: Result<T, Fault>, gave: impl Fn(&T) -> Vec<(i64, i64)>) -> Self {
        match made {
            Ok(made) => Self::Gave(gave(&made)),
            Err(refused) => Self::Refused(refused.reason().to_owned()),
        }
    }

    fn refused(reason: &str) -> Self {
        Self::Refused(reason.to_owned())
    }
}

impl Model {
    pub(crate) fn new(cards: usize) -> Self {
        let cards = vec![Card::default(); cards];
        Self { minute: 0, cards, payments: Vec::new(), recharges: Vec::new() }
    }

    pub(crate) fn available(&self, card: usize) -> (i64, i64) {
        self.cards[card].available()
    }

    pub(crate) fn total(&self, card: usize) -> (i64, i64) {
        let card = &self.cards[card];
        (card.principal, card.lots.iter().map(|lot| lot.remaining).sum())
    }

    pub(crate) fn is_well(&self) -> bool {
        self.cards.iter().all(|card| {
            let has = card.available();
            has.0 >= 0 && has.1 >= 0 && card.lots.iter().all(|lot| lot.remaining >= lot.held)
        })
    }

    pub(crate) fn play(&mut self, step: &Step) -> Did {
        match step {
            Step::Fill { card, principal, bonus } => {
                let lots = &mut self.cards[*card].lots;
                let lot = (*bonus > 0).then(|| {
                    lots.push(Lot { remaining: *bonus, held: 0 });
                    lots.len() - 1
                });
                self.cards[*card].principal += principal;
                let (principal, bonus) = (*principal, *bonus);
                self.recharges.push(Recharge {
                    card: *card,
                    principal,
                    bonus,
                    lot,
                    is_back: false,
                });
                Did::Done
            }
            Step::Pay { charges, hold } => self.pay(charges, *hold),
            Step::Capture { payment, amount } => self.with(*payment, |m, p| m.capture(p, *amount)),
            Step::Void { payment } => self.with(*payment, Self::void),
            Step::Refund { payment, amount } => self.with(*payment, |m, p| m.refund(p, *amount)),
            Step::TakeBack { recharge, merchant } => self.take_back(*recharge, *merchant),
            Step::Wait { minutes } => {
                self.minute += minutes;
                for p in 0..self.payments.len() {
                    if matches!(self.payments[p].state, State::Held { until } if until <= self.minute)
                    {
                        self.release(p, State::Expired);
                    }
                }
                Did::Done
            }
        }
    }

    fn with(&mut self, payment: usize, f: impl FnOnce(&mut Self, usize) -> Did) -> Did {
        if self.payments.is_empty() {
            return Did::Nothing;
        }
        let payment = payment % self.payments.len();
        f(self, payment)
    }

    fn pay(&mut self, charges: &[(usize, i64)], hold: bool) -> Did {
        let mut parts = Vec::new();
        for &(card, amount) in charges {
            let (principal, bonus) = self.cards[card].available();
            if amount > principal + bonus {
                return Did::refused("INSUFFICIENT_BALANCE");
            }
            let of_bonus = amount * bonus / (principal + bonus);
            let gave = (amount - of_bonus, of_bonus);
            let drawn = self.cards[card].sources(of_bonus);
            parts.push(Part { card, gave, back: (0, 0), drawn });
        }
        for part in &parts {
            let card = &mut self.cards[part.card];
            card.held += part.gave.0;
            part.drawn.iter().for_each(|&(lot, amount)| card.lots[lot].held += amount);
        }
        let gave: Vec<(i64, i64)> = parts.iter().map(|part| part.gave).collect();
        self.payments.push(Payment { state: State::Held { until: self.minute + HOLD }, parts });
        if !hold {
            self.capture(self.payments.len() - 1, 0);
        }
        Did::Gave(gave)
    }

    fn open(&self, payment: usize) -> Result<(), Did> {
        match self.payments[payment].state {
            State::Held { .. } => Ok(()),
            State::Paid => Err(Did::refused("HOLD_POSTED")),
            State::Voided => Err(Did::refused("HOLD_VOIDED")),
            State::Expired => Err(Did::refused("HOLD_EXPIRED")),
        }
    }

    fn release(&mut self, payment: usize, state: State) {
        self.payments[payment].state = state;
        for part in &self.payments[payment].parts {
            let card = &mut self.cards[part.card];
            card.held -= part.gave.0;
            part.drawn.iter().for_each(|&(lot, amount)| card.lots[lot].held -= amount);
        }
    }

    fn void(&mut self, payment: usize) -> Did {
        if let Err(refused) = self.open(payment) {
            return refused;
        }
        self.release(payment, State::Voided);
        Did::Gave(Vec::new())
    }

    fn capture(&mut self, payment: usize, amount: i64) -> Did {
        if let Err(refused) = self.open(payment) {
            return refused;
        }
        let held: Vec<i64> =
            self.payments[payment].parts.iter().flat_map(|p| [p.gave.0, p.gave.1]).collect();
        let all = held.iter().sum();
        if amount > all {
            return Did::refused("EXCEEDS_HOLD");
        }
        let gave = pairs(&split(if amount == 0 { all } else { amount }, &held));
        self.release(payment, State::Paid);
        for (part, &gave) in self.payments[payment].parts.iter_mut().zip(&gave) {
            part.gave = gave;
            let card = &mut self.cards[part.card];
            card.principal -= gave.0;
            let mut left = gave.1;
            for (lot, amount) in &mut part.drawn {
                *amount = left.min(*amount);
                left -= *amount;
                card.lots[*lot].remaining -= *amount;
            }
        }
        Did::Gave(gave)
    }

    fn refund(&mut self, payment: usize, amount: i64) -> Did {
        if self.payments[payment].state != State::Paid {
            return Did::refused("VALUE_NOT_PAID");
        }
        let parts = &mut self.payments[payment].parts;
        let owed: Vec<i64> =
            parts.iter().flat_map(|p| [p.gave.0 - p.back.0, p.gave.1 - p.back.1]).collect();
        let left: i64 = owed.iter().sum();
        let amount = if amount == 0 { left } else { amount };
        if amount == 0 || amount > left {
            return Did::refused("EXCEEDS_ORIGINAL");
        }
        for (part, back) in parts.iter_mut().zip(pairs(&split(amount, &owed))) {
            part.back = (part.back.0 + back.0, part.back.1 + back.1);
            let card = &mut self.cards[part.card];
            card.principal += back.0;
            let mut bonus = back.1;
            // To the lots that gave it, the last one first.
            for (lot, amount) in part.drawn.iter_mut().rev() {
                let returned = bonus.min(*amount);
                *amount -= returned;
                bonus -= returned;
                card.lots[*lot].remaining += returned;
            }
        }
        Did::Gave(parts.iter().map(|part| part.back).collect())
    }

    fn take_back(&mut self, recharge: usize, merchant: bool) -> Did {
        if self.recharges.is_empty() {
            return Did::Nothing;
        }
        let n = recharge % self.recharges.len();
        let Recharge { card, principal, bonus, lot, is_back } = self.recharges[n].clone();
        if is_back {
            return Did::refused("RECHARGE_REFUNDED");
        }
        let newer = self.recharges[n + 1..].iter().filter(|r| r.card == card && !r.is_back);
        let newer: i64 = newer.map(|r| r.principal).sum();
        let card = &mut self.cards[card];
        let left = (card.available().0 - newer).clamp(0, principal);
        let (free, gone) = lot.map_or((0, 0), |lot| {
            let lot = &card.lots[lot];
            (lot.remaining - lot.held, bonus - lot.remaining)
        });
        if left == 0 && free == 0 {
            return Did::refused("NOTHING_TO_REFUND");
        }
        let kept = if merchant { 0 } else { gone.min(left) };
        card.principal -= left;
        if let Some(lot) = lot {
            card.lots[lot].remaining -= free;
        }
        self.recharges[n].is_back = true;
        Did::Gave(vec![(left - kept, free), (kept, 0)])
    }
}
