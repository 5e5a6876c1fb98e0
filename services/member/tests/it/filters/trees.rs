//! Random filters: fields with operators and values near those that people have.

use chrono::{DateTime, TimeDelta, Utc};
use prost_types::Timestamp;
use siyu_member::filter::catalogue::{FIELDS, Field, Kind};
use siyu_proto::member::v1::{Condition, Filter, Match, Operator};

use super::{
    people::{
        ACCOUNTS, CATEGORIES, CHANNELS, CITIES, ORDER_CHANNELS, PLATFORMS, People, SKINS, SKUS,
        SOURCES,
    },
    said,
};

/// Random numbers from a seed, the same on every machine.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From 0 to one below.
    pub(crate) fn below(&mut self, end: i64) -> i64 {
        i64::try_from(self.next() % u64::try_from(end).unwrap()).unwrap()
    }

    /// From minus to plus so many.
    pub(crate) fn near(&mut self, most: i64) -> i64 {
        self.below(2 * most + 1) - most
    }

    pub(crate) fn chance(&mut self, percent: i64) -> bool {
        self.below(100) < percent
    }

    pub(crate) fn pick<'a>(&mut self, words: &[&'a str]) -> &'a str {
        words[usize::try_from(self.below(i64::try_from(words.len()).unwrap())).unwrap()]
    }
}

/// A tree with at most so many levels.
pub(crate) fn filter(dice: &mut Dice, people: &People, levels: usize) -> Filter {
    let kinds = [Match::Unspecified, Match::All, Match::Any, Match::Any, Match::None];
    let conditions = dice.below(3) + 1;
    let filters = if levels > 1 { dice.below(3) } else { 0 };
    Filter {
        r#match: kinds[usize::try_from(dice.below(5)).unwrap()].into(),
        conditions: (0..conditions).map(|_| condition(dice, people)).collect(),
        filters: (0..filters).map(|_| filter(dice, people, levels - 1)).collect(),
    }
}

fn condition(dice: &mut Dice, people: &People) -> Condition {
    loop {
        let at = usize::try_from(dice.below(i64::try_from(FIELDS.len()).unwrap())).unwrap();
        if let Some(condition) = condition_of(dice, people, &FIELDS[at], None) {
            return condition;
        }
    }
}

/// A condition on a field with an operator, or any; none where the attribute that was drawn has no such operator.
pub(crate) fn condition_of(
    dice: &mut Dice,
    people: &People,
    field: &Field,
    operator: Option<Operator>,
) -> Option<Condition> {
    let operators = field.operators();
    let drawn = usize::try_from(dice.below(i64::try_from(operators.len()).unwrap())).unwrap();
    let operator = operator.unwrap_or(operators[drawn]);
    let argument = argument(dice, people, field.name);
    let is_ordered = !matches!(argument.as_str(), "skin" | "city" | "vip");
    let has_no_order =
        matches!(operator, Operator::In | Operator::NotIn | Operator::Known | Operator::Unknown);
    if field.kind == Kind::Attribute && !is_ordered && !has_no_order {
        return None;
    }
    let count = match operator {
        Operator::In | Operator::NotIn => dice.below(3) + 1,
        Operator::Between => 2,
        Operator::Known | Operator::Unknown => 0,
        Operator::AtLeast | Operator::AtMost | Operator::Above | Operator::Below => 1,
        Operator::Unspecified => panic!("no field has this operator"),
    };
    let mut condition = Condition {
        field: if argument.is_empty() {
            field.name.into()
        } else {
            format!("{}:{argument}", field.name)
        },
        operator: operator.into(),
        values: (0..count).map(|_| value(dice, people, field, &argument)).collect(),
        ..Default::default()
    };
    if field.windowed && dice.chance(60) {
        set_window(dice, people, &mut condition);
    }
    Some(condition)
}

fn set_window(dice: &mut Dice, people: &People, condition: &mut Condition) {
    let stamp = |at: DateTime<Utc>| {
        let nanos = i32::try_from(at.timestamp_subsec_nanos()).unwrap();
        Some(Timestamp { seconds: at.timestamp(), nanos })
    };
    if dice.chance(60) {
        condition.within_days = [1, 30, 90, 365, 730][usize::try_from(dice.below(5)).unwrap()];
    }
    if dice.chance(30) {
        condition.from_time = stamp(people.past(dice));
    }
    if dice.chance(30) {
        condition.to_time = stamp(people.past(dice));
    }
}

fn argument(dice: &mut Dice, people: &People, field: &str) -> String {
    match field {
        "attribute" => dice.pick(&["skin", "city", "shoes", "vip", "born"]).into(),
        "category.spend" | "category.quantity" => dice.pick(CATEGORIES).into(),
        "sku.quantity" => dice.pick(&SKUS[..2]).into(),
        "store.orders" | "store.spend" => store(dice, people),
        "connection.since" | "connection.days" | "connection.lost_since" => {
            dice.pick(CHANNELS).into()
        }
        "tag.time" => tag(dice, people),
        "consent.status" => dice.pick(said::SUBJECTS).into(),
        _ => String::new(),
    }
}

fn store(dice: &mut Dice, people: &People) -> String {
    people.stores[usize::try_from(dice.below(2)).unwrap()].to_string()
}

fn tag(dice: &mut Dice, people: &People) -> String {
    people.tags[usize::try_from(dice.below(3)).unwrap()].0.to_string()
}

fn value(dice: &mut Dice, people: &People, field: &Field, argument: &str) -> String {
    match field.kind {
        Kind::Choice(words) => dice.pick(words).into(),
        Kind::Time => {
            let at = people.past(dice) + TimeDelta::microseconds(dice.near(1));
            at.to_rfc3339()
        }
        Kind::Amount => (dice.below(12) * 10_001 + dice.near(1)).to_string(),
        Kind::Number => number(dice, field.name).to_string(),
        Kind::Attribute => match argument {
            "skin" => dice.pick(SKINS).into(),
            "city" => dice.pick(CITIES).into(),
            "vip" => dice.pick(&["true", "false"]).into(),
            "shoes" => dice.near(5).to_string(),
            _ => siyu_kernel::LocalDay(i32::try_from(19_800 + dice.near(60)).unwrap()).to_string(),
        },
        Kind::Text => match field.name {
            "bought.category" => dice.pick(CATEGORIES).into(),
            "bought.sku" => dice.pick(&SKUS[..2]).into(),
            "bought.platform" => dice.pick(PLATFORMS).into(),
            "bought.channel" => dice.pick(&ORDER_CHANNELS[1..]).into(),
            "connection.account" => dice.pick(ACCOUNTS).into(),
            "connection.source" => dice.pick(&SOURCES[1..]).into(),
            "profile.city" => dice.pick(said::TOWNS).into(),
            "profile.province" => dice.pick(said::PROVINCES).into(),
            "profile.language" => dice.pick(said::LANGUAGES).into(),
            _ => dice.pick(CHANNELS).into(),
        },
        Kind::Id("per") => {
            let at = dice.below(i64::try_from(people.all.len()).unwrap());
            people.all[usize::try_from(at).unwrap()].id.to_string()
        }
        Kind::Id("sto") => store(dice, people),
        Kind::Id("tag") => tag(dice, people),
        Kind::Id("cpl") => people.plans[usize::try_from(dice.below(2)).unwrap()].to_string(),
        Kind::Id(_) => people.tags[1].1.unwrap().to_string(),
    }
}

fn number(dice: &mut Dice, field: &str) -> i64 {
    match field {
        "growth.value" => dice.below(6) * 500 + dice.near(1),
        "points.total" => dice.below(4) * 50 + dice.near(1),
        "person.days"
        | "connection.days"
        | "orders.days_since_first"
        | "orders.days_since_last" => {
            [0, 1, 30, 31, 90, 91, 365, 366, 731][usize::try_from(dice.below(9)).unwrap()]
                + dice.near(1)
        }
        "profile.birthday_days" => {
            [0, 1, 7, 30, 100, 364, 365, 366][usize::try_from(dice.below(8)).unwrap()]
                + dice.near(1)
        }
        "profile.birth_month" => dice.below(14),
        _ => dice.below(8) - 1,
    }
}
