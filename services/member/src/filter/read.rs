//! Reads a filter of the contract into a tree of tests.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use siyu_grpc::parse;
use siyu_kernel::{Fault, Zone};
use siyu_proto::member::v1::{Condition, Filter, Match, Operator};

use super::{
    Node,
    catalogue::{self, Field, Kind},
    expand,
    node::Window,
    values::{self, Numbers, Wanted},
};
use crate::{
    attribute::{Attribute, AttributeType},
    vault::Keys,
};

/// A filter has as many levels at most: enough for what people can still read.
const LEVELS_MAX: usize = 8;
/// And as many conditions, so that a statement stays small enough to be planned in milliseconds.
const CONDITIONS_MAX: usize = 100;

/// What a filter is read against.
#[derive(Debug, Clone)]
pub struct Terms {
    /// The instant that windows and days end at.
    pub now: DateTime<Utc>,
    /// The zone that days are cut in.
    pub zone: Zone,
    /// The attributes of the merchant, by code.
    pub attributes: HashMap<String, Attribute>,
    /// By which birthdays are found.
    pub keys: Keys,
}

/// Reads a filter; `at` is where it stands in the request.
///
/// # Errors
/// A fault at the condition that cannot be read.
pub fn read(filter: &Filter, at: &str, terms: &Terms) -> Result<Node, Fault> {
    let mut left = CONDITIONS_MAX;
    group(filter, at, terms, LEVELS_MAX, &mut left)
}

fn group(
    filter: &Filter,
    at: &str,
    terms: &Terms,
    levels: usize,
    left: &mut usize,
) -> Result<Node, Fault> {
    let too_deep = || Fault::field(at, "a filter has at most 8 levels");
    let levels = levels.checked_sub(1).ok_or_else(too_deep)?;
    let mut parts = Vec::with_capacity(filter.conditions.len() + filter.filters.len());
    for (i, part) in filter.conditions.iter().enumerate() {
        let too_many = || Fault::field(at, "a filter has at most 100 conditions");
        *left = left.checked_sub(1).ok_or_else(too_many)?;
        parts.push(condition(part, &format!("{at}.conditions[{i}]"), terms)?);
    }
    for (i, part) in filter.filters.iter().enumerate() {
        parts.push(group(part, &format!("{at}.filters[{i}]"), terms, levels, left)?);
    }
    let unknown = || Fault::field(format!("{at}.match"), "is not a known value");
    Ok(match Match::try_from(filter.r#match).map_err(|_| unknown())? {
        Match::Unspecified | Match::All => Node::All(parts),
        Match::Any => Node::Any(parts),
        Match::None => Node::Any(parts).negated(),
    })
}

fn condition(condition: &Condition, at: &str, terms: &Terms) -> Result<Node, Fault> {
    let wrong = |name: &str, what: &str| Fault::field(format!("{at}.{name}"), what);
    let (name, argument) = match condition.field.split_once(':') {
        Some((name, argument)) => (name, argument),
        None => (condition.field.as_str(), ""),
    };
    let field = catalogue::find(name).ok_or_else(|| wrong("field", "is not a known field"))?;
    match (field.argument.is_empty(), condition.field.contains(':'), argument.is_empty()) {
        (true, true, _) => return Err(wrong("field", "takes no argument after a colon")),
        (false, _, true) => {
            return Err(wrong("field", &format!("must name {} after a colon", field.argument)));
        }
        (true, false, _) | (false, _, false) => {}
    }
    let operator = Operator::try_from(condition.operator)
        .ok()
        .filter(|operator| operators(field, argument, terms).contains(operator))
        .ok_or_else(|| wrong("operator", "is not one of this field"))?;
    let window = window(field, condition, at, terms)?;
    let wanted = wanted(field, argument, operator, condition, at, terms)?;
    let node = expand::node(field, argument, &wanted, window, terms)
        .map_err(|what| wrong("field", what))?;
    Ok(match operator {
        Operator::NotIn | Operator::Unknown => node.negated(),
        Operator::Unspecified
        | Operator::In
        | Operator::AtLeast
        | Operator::AtMost
        | Operator::Above
        | Operator::Below
        | Operator::Between
        | Operator::Known => node,
    })
}

/// How a field can be compared: an attribute as its type says.
fn operators(field: &Field, argument: &str, terms: &Terms) -> Vec<Operator> {
    let mut operators = field.operators();
    if field.kind == Kind::Attribute
        && let Some(attribute) = terms.attributes.get(argument)
        && !attribute.kind.is_ordered()
    {
        operators.retain(|operator| {
            matches!(operator, Operator::In | Operator::NotIn | Operator::Known | Operator::Unknown)
        });
    }
    operators
}

/// The window of a condition; of several limits all hold.
fn window(
    field: &Field,
    condition: &Condition,
    at: &str,
    terms: &Terms,
) -> Result<Option<Window>, Fault> {
    let name = |name: &str| format!("{at}.{name}");
    let from = parse::optional_instant(&name("from_time"), condition.from_time)?;
    let to = parse::optional_instant(&name("to_time"), condition.to_time)?;
    let days = i64::from(condition.within_days);
    if from.is_none() && to.is_none() && days == 0 {
        return Ok(None);
    }
    if !field.windowed {
        let given = match (days, from) {
            (1.., _) => "within_days",
            (_, Some(_)) => "from_time",
            (_, None) => "to_time",
        };
        return Err(Fault::field(name(given), "must not be given: the field has no window"));
    }
    let mut window = Window::EVER;
    if days > 0 {
        window.from = (terms.now - TimeDelta::days(days)).timestamp_micros();
        window.to = terms.now.timestamp_micros();
    }
    window.from = from.map_or(window.from, |from| window.from.max(from.timestamp_micros()));
    window.to = to.map_or(window.to, |to| window.to.min(to.timestamp_micros()));
    Ok(Some(window))
}

fn wanted(
    field: &Field,
    argument: &str,
    operator: Operator,
    condition: &Condition,
    at: &str,
    terms: &Terms,
) -> Result<Wanted, Fault> {
    let given = &condition.values;
    let numbers = |kind| values::numbers(at, operator, given, kind);
    match field.kind {
        Kind::Number | Kind::Amount => numbers(Numbers::Whole),
        Kind::Time => numbers(Numbers::Instants),
        Kind::Text => values::words(at, operator, given),
        Kind::Choice(choices) => {
            one_of(at, given, |word| choices.contains(&word))?;
            values::words(at, operator, given)
        }
        Kind::Id(prefix) => {
            let is_id = |word: &str| expand::uuid(prefix, word).is_some();
            if let Some(i) = given.iter().position(|word| !is_id(word)) {
                let what = format!("must be an id with the prefix {prefix}");
                return Err(Fault::field(format!("{at}.values[{i}]"), what));
            }
            values::words(at, operator, given)
        }
        Kind::Attribute => {
            let attribute = terms.attributes.get(argument);
            let attribute = attribute
                .ok_or_else(|| Fault::field(format!("{at}.field"), "names no attribute"))?;
            match attribute.kind {
                AttributeType::Number => numbers(Numbers::Whole),
                AttributeType::Day => numbers(Numbers::Days),
                AttributeType::Flag => numbers(Numbers::Flags),
                AttributeType::Text => values::words(at, operator, given),
                AttributeType::Choice => {
                    one_of(at, given, |word| {
                        attribute.choices.iter().any(|choice| choice == word)
                    })?;
                    values::words(at, operator, given)
                }
            }
        }
    }
}

fn one_of(at: &str, values: &[String], is_choice: impl Fn(&str) -> bool) -> Result<(), Fault> {
    match values.iter().position(|word| !is_choice(word)) {
        Some(i) => Err(Fault::field(format!("{at}.values[{i}]"), "is not one of the choices")),
        None => Ok(()),
    }
}
