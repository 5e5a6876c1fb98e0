//! What an import does to an order. Pure: the known state and the incoming version go in, the new state, the outcome and
//! the fact to publish come out, the same in whatever order the versions arrive (rule 29).

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use siyu_kernel::{
    Currency, Id,
    kind::{Person, Store},
};

use super::refund::{self, Back, Taken};
use crate::order::domain::{CurrencyColumn, Domain, Fact, Line, Order, OrderId, State};

/// What names an order on its platform.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    /// The platform.
    pub platform: String,
    /// The shop on the platform.
    pub shop_id: String,
    /// The number of the order in the shop.
    pub order_no: String,
}

/// One version of an order as a platform tells it, checked and in our own words.
#[derive(Debug, Clone)]
pub struct Incoming {
    /// The order.
    pub key: Key,
    /// The buyer's id in the shop.
    pub buyer_id: String,
    /// Where the order is in its life.
    pub state: State,
    /// Who owns the traffic.
    pub domain: Domain,
    /// The channel within the domain.
    pub channel: String,
    /// The store.
    pub store_id: Option<Id<Store>>,
    /// When the buyer paid.
    pub paid_at: Option<DateTime<Utc>>,
    /// The currency of the amounts.
    pub currency: Currency,
    /// What the platform paid towards the order, in minor units.
    pub subsidy_minor: i64,
    /// The platform's version.
    pub version: DateTime<Utc>,
    /// The lines, each number once.
    pub lines: Vec<Line>,
}

/// What became of one version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The order is new.
    Created,
    /// The version was newer.
    Updated,
    /// Nothing was newer.
    Unchanged,
}

/// More than one order can hold, over all of its imports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TooLarge {
    /// Too many lines.
    #[error("must be at most {0} over all imports of the order")]
    Lines(usize),
    /// Too much money.
    #[error("must sum to at most {0} minor units")]
    Amount(i64),
    /// Too many pieces.
    #[error("must sum to at most {0} pieces")]
    Quantity(i64),
}

/// How large an order can be.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Lines.
    pub lines: usize,
    /// Minor units.
    pub amount_minor: i64,
    /// Pieces.
    pub quantity: i64,
}

/// An order that is known: the row.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Known {
    /// The order.
    #[sqlx(flatten)]
    pub order: Order,
    /// What the platform's word means, where refunds made another state of it.
    pub platform_state: Option<State>,
}

/// A line that is known: the row.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Position {
    /// What is left of the line.
    #[sqlx(flatten)]
    pub line: Line,
    /// What refunds took from it.
    #[sqlx(flatten)]
    pub taken: Taken,
}

/// An order while a batch works on it.
#[derive(Debug)]
pub struct Draft {
    order: Order,
    /// What the platform's word means, whatever refunds make of it.
    word: State,
    /// As they were sold.
    lines: BTreeMap<i32, Line>,
    /// What refunds had taken before.
    taken: BTreeMap<i32, Taken>,
    existed: bool,
    counted: bool,
    header_dirty: bool,
    dirty_lines: BTreeSet<i32>,
}

/// What has to be written of a draft.
#[derive(Debug)]
pub struct Change {
    /// The order as it is now.
    pub order: Order,
    /// What the platform's word means, where refunds made another state of it.
    pub platform_state: Option<State>,
    /// What is left of each of its lines.
    pub lines: Vec<Line>,
    /// What refunds took from them, by number.
    pub taken: BTreeMap<i32, Taken>,
    /// The numbers of the lines that are new or other.
    pub dirty_lines: BTreeSet<i32>,
    /// The order has a row already.
    pub existed: bool,
    /// What to publish.
    pub fact: Option<Fact>,
}

impl Draft {
    /// A draft of an order that is known.
    pub fn known(known: Known, positions: Vec<Position>) -> Self {
        let mut order = known.order;
        // Before the column was there, nobody wrote down which version said when the buyer paid.
        order.paid_version = order.paid_version.or(order.paid_at.map(|_| order.version));
        let taken = positions.iter().map(|of| (of.line.line_no, of.taken)).collect();
        let sold = |Position { line, taken }: Position| {
            let (paid_minor, quantity) =
                (line.paid_minor + taken.minor, line.quantity + taken.quantity);
            (line.line_no, Line { quantity, paid_minor, ..line })
        };
        Self {
            counted: order.counts(),
            word: known.platform_state.unwrap_or(order.state),
            lines: positions.into_iter().map(sold).collect(),
            taken,
            existed: true,
            header_dirty: false,
            dirty_lines: BTreeSet::new(),
            order,
        }
    }

    /// A draft of an order that is new.
    pub fn new(
        id: OrderId,
        incoming: &Incoming,
        person_id: Id<Person>,
        now: DateTime<Utc>,
    ) -> Self {
        let order = Order {
            id,
            platform: incoming.key.platform.clone(),
            shop_id: incoming.key.shop_id.clone(),
            platform_order_no: incoming.key.order_no.clone(),
            person_id,
            state: incoming.state,
            domain: incoming.domain,
            channel: incoming.channel.clone(),
            store_id: incoming.store_id,
            paid_at: incoming.paid_at,
            paid_version: incoming.paid_at.map(|_| incoming.version),
            currency: CurrencyColumn(incoming.currency),
            paid_minor: 0,
            subsidy_minor: incoming.subsidy_minor,
            quantity: 0,
            revision: 1,
            version: incoming.version,
            told: false,
            created_at: now,
        };
        let lines = incoming.lines.iter().map(|line| (line.line_no, line.clone())).collect();
        let dirty_lines = incoming.lines.iter().map(|line| line.line_no).collect();
        Self {
            order,
            word: incoming.state,
            lines,
            taken: BTreeMap::new(),
            existed: false,
            counted: false,
            header_dirty: true,
            dirty_lines,
        }
    }

    /// The order.
    pub const fn id(&self) -> OrderId {
        self.order.id
    }

    /// Applies one version: the header when it is newer, each line when it is new or newer.
    pub fn apply(
        &mut self,
        incoming: &Incoming,
        person_id: Id<Person>,
        bounds: &Bounds,
    ) -> Result<Outcome, TooLarge> {
        let newer = |line: &&Line| {
            self.lines.get(&line.line_no).is_none_or(|known| line.version > known.version)
        };
        let news: Vec<&Line> = incoming.lines.iter().filter(newer).collect();
        let mut lines = self.lines.clone();
        lines.extend(news.iter().map(|line| (line.line_no, (*line).clone())));
        bounds.check(lines.values())?;
        let header = self.apply_header(incoming, person_id);
        self.dirty_lines.extend(news.iter().map(|line| line.line_no));
        self.lines = lines;
        Ok(if header || !news.is_empty() { Outcome::Updated } else { Outcome::Unchanged })
    }

    /// What has to be written, with everything that was given back of the order; `None` when nothing changed.
    pub fn finish(mut self, backs: &[Back]) -> Option<Change> {
        let taken = self.settle(backs);
        if !self.header_dirty && self.dirty_lines.is_empty() {
            return None;
        }
        if self.existed {
            self.order.revision += 1;
        }
        self.order.paid_minor = self.lines.values().map(|line| line.paid_minor).sum();
        self.order.quantity = self.lines.values().map(|line| line.quantity).sum();
        let fact = match (self.counted, self.order.counts(), self.order.told) {
            (true, true, _) | (false, true, true) => Some(Fact::Revised),
            (false, true, false) => Some(Fact::Paid),
            (true, false, _) => Some(Fact::Voided),
            (false, false, _) => None,
        };
        self.order.told |= fact == Some(Fact::Paid);
        Some(Change {
            platform_state: Some(self.word).filter(|word| *word != self.order.state),
            order: self.order,
            lines: self.lines.into_values().collect(),
            taken,
            dirty_lines: self.dirty_lines,
            existed: self.existed,
            fact,
        })
    }

    /// Takes from the lines, which are as they were sold, what was given back; says what that is.
    fn settle(&mut self, backs: &[Back]) -> BTreeMap<i32, Taken> {
        let taken = refund::taken(&self.lines, backs);
        let is_empty = self.word.counts() && refund::leave_nothing(&self.lines, &taken);
        let state = if is_empty { State::Refunded } else { self.word };
        self.header_dirty |= self.order.state != state;
        self.order.state = state;
        for (line_no, of) in &taken {
            let line = self.lines.get_mut(line_no).expect("only lines lose something");
            line.paid_minor -= of.minor;
            line.quantity -= of.quantity;
            if self.taken.get(line_no).copied().unwrap_or_default() != *of {
                self.dirty_lines.insert(*line_no);
            }
        }
        taken
    }

    fn apply_header(&mut self, incoming: &Incoming, person_id: Id<Person>) -> bool {
        let changed = self.apply_payment(incoming) | self.apply_head(incoming, person_id);
        self.header_dirty |= changed;
        changed
    }

    /// When the buyer paid has a version of its own: a later status need not repeat it, and an earlier version may say it.
    fn apply_payment(&mut self, incoming: &Incoming) -> bool {
        let order = &mut self.order;
        let newer = order.paid_version.is_none_or(|known| incoming.version > known);
        if incoming.paid_at.is_none() || !newer {
            return false;
        }
        order.paid_at = incoming.paid_at;
        order.paid_version = Some(incoming.version);
        true
    }

    fn apply_head(&mut self, incoming: &Incoming, person_id: Id<Person>) -> bool {
        let order = &mut self.order;
        if incoming.version <= order.version {
            return false;
        }
        self.word = incoming.state;
        order.person_id = person_id;
        order.domain = incoming.domain;
        order.channel.clone_from(&incoming.channel);
        order.store_id = incoming.store_id;
        order.subsidy_minor = incoming.subsidy_minor;
        order.version = incoming.version;
        true
    }
}

impl Bounds {
    /// Refuses an order that is larger.
    pub fn check<'a>(&self, lines: impl Iterator<Item = &'a Line>) -> Result<(), TooLarge> {
        let (mut count, mut amount, mut quantity) = (0, 0_i128, 0_i128);
        for line in lines {
            count += 1;
            amount += i128::from(line.paid_minor);
            quantity += i128::from(line.quantity);
        }
        if count > self.lines {
            return Err(TooLarge::Lines(self.lines));
        }
        if amount > i128::from(self.amount_minor) {
            return Err(TooLarge::Amount(self.amount_minor));
        }
        if quantity > i128::from(self.quantity) {
            return Err(TooLarge::Quantity(self.quantity));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
