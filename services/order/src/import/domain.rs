//! What an import does to an order. Pure: the known state and the incoming version go in, the new state, the outcome and
//! the fact to publish come out, the same in whatever order the versions arrive (rule 29).

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use siyu_kernel::{
    Currency, Id,
    kind::{Person, Store},
};

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

/// An order while a batch works on it.
#[derive(Debug)]
pub struct Draft {
    order: Order,
    lines: BTreeMap<i32, Line>,
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
    /// All of its lines.
    pub lines: Vec<Line>,
    /// The numbers of the lines that are new or other.
    pub dirty_lines: BTreeSet<i32>,
    /// The order has a row already.
    pub existed: bool,
    /// What to publish.
    pub fact: Option<Fact>,
}

impl Draft {
    /// A draft of an order that is known.
    pub fn known(mut order: Order, lines: Vec<Line>) -> Self {
        // Before the column was there, nobody wrote down which version said when the buyer paid.
        order.paid_version = order.paid_version.or(order.paid_at.map(|_| order.version));
        Self {
            counted: order.counts(),
            lines: lines.into_iter().map(|line| (line.line_no, line)).collect(),
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
        Self { order, lines, existed: false, counted: false, header_dirty: true, dirty_lines }
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

    /// What has to be written; `None` when nothing changed.
    pub fn finish(mut self) -> Option<Change> {
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
            order: self.order,
            lines: self.lines.into_values().collect(),
            dirty_lines: self.dirty_lines,
            existed: self.existed,
            fact,
        })
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
        order.person_id = person_id;
        order.state = incoming.state;
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
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    const BOUNDS: Bounds = Bounds { lines: 100, amount_minor: 1_000_000, quantity: 1_000 };

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_700_000_000 + seconds, 0).unwrap()
    }

    fn incoming(version: i64, state: State, lines: &[(i32, i64)]) -> Incoming {
        Incoming {
            key: Key { platform: "tmall".into(), shop_id: "s".into(), order_no: "1".into() },
            buyer_id: "b".into(),
            state,
            domain: Domain::Public,
            channel: String::new(),
            store_id: None,
            paid_at: Some(at(0)),
            currency: Currency::parse("CNY").unwrap(),
            subsidy_minor: 0,
            version: at(version),
            lines: lines
                .iter()
                .map(|&(line_no, paid_minor)| Line {
                    line_no,
                    sku: String::new(),
                    category: String::new(),
                    quantity: 1,
                    paid_minor,
                    version: at(version),
                })
                .collect(),
        }
    }

    fn person() -> Id<Person> {
        Id::from_uuid(Uuid::from_u128(1))
    }

    fn start(first: &Incoming) -> Change {
        Draft::new(Id::from_uuid(Uuid::from_u128(2)), first, person(), at(9)).finish().unwrap()
    }

    fn then(before: Change, next: &Incoming) -> (Outcome, Option<Change>) {
        let mut draft = Draft::known(before.order, before.lines);
        (draft.apply(next, person(), &BOUNDS).unwrap(), draft.finish())
    }

    #[test]
    fn an_order_tells_its_life_once_per_step() {
        let paid = start(&incoming(1, State::Paid, &[(1, 500)]));
        assert_eq!(
            (paid.fact, paid.order.paid_minor, paid.order.revision),
            (Some(Fact::Paid), 500, 1)
        );
        let (outcome, shipped) = then(paid, &incoming(2, State::Shipped, &[(1, 450), (2, 50)]));
        let shipped = shipped.unwrap();
        assert_eq!(
            (outcome, shipped.fact, shipped.order.revision),
            (Outcome::Updated, Some(Fact::Revised), 2)
        );
        assert_eq!(shipped.order.paid_minor, 500);
        let (_, refunded) = then(shipped, &incoming(3, State::Refunded, &[(1, 450)]));
        let refunded = refunded.unwrap();
        assert_eq!(refunded.fact, Some(Fact::Voided));
        let (_, again) = then(refunded, &incoming(4, State::Paid, &[(1, 450)]));
        assert_eq!(again.unwrap().fact, Some(Fact::Revised));
    }

    #[test]
    fn an_unpaid_order_tells_nothing_until_it_is_paid() {
        let mut unpaid = incoming(1, State::Created, &[(1, 500)]);
        unpaid.paid_at = None;
        let created = start(&unpaid);
        assert_eq!(created.fact, None);
        let (_, paid) = then(created, &incoming(2, State::Paid, &[(1, 500)]));
        assert_eq!(paid.unwrap().fact, Some(Fact::Paid));
    }

    #[test]
    fn an_older_version_changes_nothing() {
        let change = start(&incoming(5, State::Shipped, &[(1, 500)]));
        let (outcome, none) = then(change, &incoming(4, State::Paid, &[(1, 900)]));
        assert_eq!(outcome, Outcome::Unchanged);
        assert!(none.is_none());
    }

    #[test]
    fn when_the_buyer_paid_is_what_the_latest_version_that_says_so_says() {
        let paid = |version, paid_at: Option<i64>| Incoming {
            paid_at: paid_at.map(at),
            ..incoming(version, State::Refunded, &[(1, 500)])
        };
        let versions = [paid(1, Some(10)), paid(2, Some(20)), paid(3, None)];
        for way in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
            let mut known = start(&versions[way[0]]);
            for next in &way[1..] {
                let (order, lines) = (known.order.clone(), known.lines.clone());
                known = then(known, &versions[*next]).1.unwrap_or_else(|| Change {
                    order,
                    lines,
                    ..start(&versions[0])
                });
            }
            assert_eq!(
                (known.order.paid_at, known.order.version),
                (Some(at(20)), at(3)),
                "{way:?}"
            );
        }
    }

    #[test]
    fn an_order_that_is_too_large_is_refused_and_stays_as_it_was() {
        let mut draft = Draft::known(start(&incoming(1, State::Paid, &[(1, 5)])).order, Vec::new());
        let many: Vec<(i32, i64)> = (1..=101).map(|n| (n, 1)).collect();
        let refused = |draft: &mut Draft, lines: &[(i32, i64)]| {
            draft.apply(&incoming(2, State::Paid, lines), person(), &BOUNDS)
        };
        assert_eq!(refused(&mut draft, &many), Err(TooLarge::Lines(100)));
        assert_eq!(
            refused(&mut draft, &[(1, 900_000), (2, 100_001)]),
            Err(TooLarge::Amount(1_000_000))
        );
        assert!(draft.finish().is_none());
    }

    proptest! {
        #[test]
        fn versions_end_in_the_same_order_whatever_way_they_arrive(
            versions in prop::collection::btree_map(
                1..50_i64,
                (0..4_usize, prop::option::of(0..9_i64), prop::collection::btree_map(1..6_i32, 0..1000_i64, 1..4)),
                1..8,
            ),
            seed in prop::collection::vec(any::<u16>(), 8),
        ) {
            let states = [State::Paid, State::Shipped, State::Refunded, State::Completed];
            let all: Vec<Incoming> = versions
                .iter()
                .map(|(&version, (state, paid, lines))| {
                    let lines: Vec<(i32, i64)> = lines.iter().map(|(&n, &m)| (n, m)).collect();
                    let paid_at = paid.map(at);
                    Incoming { paid_at, ..incoming(version, states[*state], &lines) }
                })
                .collect();
            let mut shuffled: Vec<(u16, &Incoming)> = seed.iter().copied().chain(std::iter::repeat(0)).zip(&all).collect();
            shuffled.sort_by_key(|(key, _)| *key);
            let run = |order: Vec<&Incoming>| {
                let mut known = start(order[0]);
                for next in &order[1..] {
                    let before = (known.order.clone(), known.lines.clone());
                    let mut draft = Draft::known(before.0, before.1);
                    draft.apply(next, person(), &BOUNDS).unwrap();
                    if let Some(change) = draft.finish() { known = change; }
                }
                let order = known.order;
                let paid = (order.paid_at, order.paid_minor, order.quantity);
                (order.state, paid, order.version, known.lines)
            };
            prop_assert_eq!(run(all.iter().collect()), run(shuffled.into_iter().map(|(_, i)| i).collect()));
        }
    }
}
