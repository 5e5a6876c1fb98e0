//! What filters mean, without SQL: each field as the values that a person has of it.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use siyu_kernel::Zone;
use siyu_member::{
    attribute::domain::Kept,
    connection::State,
    filter::Terms,
    purchase::domain::{Line, Purchase},
};
use siyu_proto::member::v1::{Condition, Filter, Match, Operator};

use super::{people::Person, said};

/// The values that a person has of a field: one, none, or of some fields many.
pub(super) enum Has {
    Numbers(Vec<i64>),
    Words(Vec<String>),
}

pub(crate) fn holds(filter: &Filter, person: &Person, terms: &Terms) -> bool {
    let mut parts: Vec<bool> =
        filter.conditions.iter().map(|condition| is_true(condition, person, terms)).collect();
    parts.extend(filter.filters.iter().map(|filter| holds(filter, person, terms)));
    match filter.r#match() {
        Match::Unspecified | Match::All => parts.iter().all(|part| *part),
        Match::Any => parts.iter().any(|part| *part),
        Match::None => !parts.iter().any(|part| *part),
    }
}

fn is_true(condition: &Condition, person: &Person, terms: &Terms) -> bool {
    let number = |i: usize| read(&condition.values[i]);
    let any = |test: &dyn Fn(i64) -> bool| match has(condition, person, terms) {
        Has::Numbers(numbers) => numbers.into_iter().any(test),
        Has::Words(words) => {
            assert!(words.is_empty(), "{words:?} have no order");
            false
        }
    };
    let is_in = || match has(condition, person, terms) {
        Has::Numbers(numbers) => {
            numbers.iter().any(|n| condition.values.iter().any(|value| read(value) == *n))
        }
        Has::Words(words) => words.iter().any(|word| condition.values.contains(word)),
    };
    let is_known = || match has(condition, person, terms) {
        Has::Numbers(numbers) => !numbers.is_empty(),
        Has::Words(words) => !words.is_empty(),
    };
    let is_span = condition
        .values
        .first()
        .is_some_and(|value| value.contains('-') && read_time(value).is_some());
    match condition.operator() {
        Operator::Unspecified => panic!("no operator"),
        Operator::In => is_in(),
        Operator::NotIn => !is_in(),
        Operator::AtLeast => any(&|n| n >= number(0)),
        Operator::AtMost => any(&|n| n <= number(0)),
        Operator::Above => any(&|n| n > number(0)),
        Operator::Below => any(&|n| n < number(0)),
        Operator::Between if is_span => any(&|n| n >= number(0) && n < number(1)),
        Operator::Between => any(&|n| n >= number(0) && n <= number(1)),
        Operator::Known => is_known(),
        Operator::Unknown => !is_known(),
    }
}

fn read_time(text: &str) -> Option<i64> {
    let day = text
        .parse::<chrono::NaiveDate>()
        .ok()
        .map(|day| day.signed_duration_since(chrono::NaiveDate::default()).num_days());
    day.or_else(|| DateTime::parse_from_rfc3339(text).ok().map(|t| t.timestamp_micros()))
}

fn read(text: &str) -> i64 {
    match text {
        "true" => 1,
        "false" => 0,
        _ => text.parse().ok().or_else(|| read_time(text)).unwrap_or_else(|| panic!("{text}")),
    }
}

#[expect(clippy::too_many_lines, reason = "one arm for each field, and nothing else")]
fn has(condition: &Condition, person: &Person, terms: &Terms) -> Has {
    let (name, argument) = condition.field.split_once(':').unwrap_or((&condition.field, ""));
    let now = terms.now;
    let bought = bought(condition, person, now);
    let lines: Vec<&Line> = bought.iter().flat_map(|order| &order.lines).collect();
    let ever: Vec<&Purchase> = person.orders.iter().filter(|order| order.counts).collect();
    let last = ever.iter().map(|order| order.paid_at).max();
    let first = ever.iter().map(|order| order.paid_at).min();
    let minor = |orders: &[&Purchase]| orders.iter().map(|order| order.paid_minor).sum::<i64>();
    let number = |n: i64| Has::Numbers(vec![n]);
    let numbers = |n: Option<i64>| Has::Numbers(n.into_iter().collect());
    let days = |at: DateTime<Utc>| i64::from(Zone::SHANGHAI.day(now).0 - Zone::SHANGHAI.day(at).0);
    let words = |words: Vec<String>| Has::Words(words);
    let edges = |state| person.edges.iter().filter(move |edge| edge.state == state);
    let live = || edges(State::Connected);
    let over = |state| {
        let channel = argument.to_owned();
        edges(state).filter(move |edge| edge.channel == channel).map(|edge| edge.state_at)
    };
    let carried = || person.tags.iter().filter(|tag| tag.until.is_none_or(|until| until > now));
    let count = |n: usize| i64::try_from(n).unwrap();
    match name {
        "person.id" => words(vec![person.id.to_string()]),
        "person.create_time" => number(person.created.timestamp_micros()),
        "person.days" => number(days(person.created)),
        "identity.kind" => {
            let phone = person.phone.then(|| "phone".to_owned());
            words(["openid".to_owned()].into_iter().chain(phone).collect())
        }
        "growth.value" => number(person.growth),
        "tier.level" => number(person.tier.into()),
        "points.total" => number(person.points),
        "tag.id" => words(carried().map(|tag| tag.id.clone()).collect()),
        "tag.group" => words(carried().filter_map(|tag| tag.group.clone()).collect()),
        "tag.count" => number(count(carried().count())),
        "tag.time" => Has::Numbers(
            carried()
                .filter(|tag| tag.id == argument)
                .map(|tag| tag.since.timestamp_micros())
                .collect(),
        ),
        "attribute" => match person.attributes.get(argument) {
            None => words(Vec::new()),
            Some(Kept::Text(text)) => words(vec![text.clone()]),
            Some(Kept::Number(n)) => number(*n),
        },
        "connection.channel" => words(live().map(|edge| edge.channel.clone()).collect()),
        "connection.account" => words(live().map(|edge| edge.account_id.clone()).collect()),
        "connection.source" => words(live().map(|edge| edge.source.clone()).collect()),
        "connection.count" => number(count(live().count())),
        "connection.since" => {
            Has::Numbers(over(State::Connected).map(|at| at.timestamp_micros()).collect())
        }
        "connection.days" => Has::Numbers(over(State::Connected).map(days).collect()),
        "connection.lost_channel" => {
            words(edges(State::Disconnected).map(|edge| edge.channel.clone()).collect())
        }
        "connection.lost_since" => {
            Has::Numbers(over(State::Disconnected).map(|at| at.timestamp_micros()).collect())
        }
        "orders.count" => number(count(bought.len())),
        "orders.spend" => number(minor(&bought)),
        "orders.average" => numbers(minor(&bought).checked_div(count(bought.len()))),
        "orders.largest" => numbers(bought.iter().map(|order| order.paid_minor).max()),
        "orders.purchase_days" => number(purchase_days(&bought)),
        "orders.first_time" => numbers(first.map(|at| at.timestamp_micros())),
        "orders.last_time" => numbers(last.map(|at| at.timestamp_micros())),
        "orders.days_since_first" => numbers(first.map(days)),
        "orders.days_since_last" => numbers(last.map(days)),
        "bought.category" => words(lines.iter().map(|line| line.category.clone()).collect()),
        "bought.sku" => words(lines.iter().map(|line| line.sku.clone()).collect()),
        "bought.store" => {
            words(bought.iter().filter_map(|o| o.store_id).map(|id| id.to_string()).collect())
        }
        "bought.channel" => words(bought.iter().map(|order| order.channel.clone()).collect()),
        "bought.domain" => words(bought.iter().map(|o| o.domain.as_str().to_owned()).collect()),
        "bought.platform" => words(bought.iter().map(|order| order.platform.clone()).collect()),
        "category.spend" => number(of(&lines, argument).iter().map(|line| line.paid_minor).sum()),
        "category.quantity" => number(of(&lines, argument).iter().map(|line| line.quantity).sum()),
        "sku.quantity" => {
            number(lines.iter().filter(|l| l.sku == argument).map(|line| line.quantity).sum())
        }
        "store.orders" => number(count(in_store(&bought, argument).len())),
        "store.spend" => number(minor(&in_store(&bought, argument))),
        "rfm.recency" => numbers(last.map(|at| match days(at) {
            ..=30 => 5,
            31..=90 => 4,
            91..=180 => 3,
            181..=365 => 2,
            _ => 1,
        })),
        "rfm.frequency" => numbers(last.map(|_| match purchase_days(&year(&ever, now)) {
            ..=1 => 1,
            2 => 2,
            3..=5 => 3,
            6..=9 => 4,
            _ => 5,
        })),
        "rfm.monetary" => numbers(last.map(|_| match minor(&year(&ever, now)) {
            ..30_000 => 1,
            30_000..100_000 => 2,
            100_000..200_000 => 3,
            200_000..500_000 => 4,
            _ => 5,
        })),
        "lifecycle.dormancy" => {
            let latest = live().map(|edge| edge.state_at).max();
            words(dormancy(person, last.or(latest).map(days)).into_iter().collect())
        }
        _ => said::has(&person.said, name, argument, now),
    }
}

fn dormancy(person: &Person, silence: Option<i64>) -> Option<String> {
    let is_gone =
        !person.edges.is_empty() && person.edges.iter().all(|e| e.state == State::Disconnected);
    let state = match silence {
        _ if is_gone => "lost",
        None => return None,
        Some(..=90) => "active",
        Some(91..=180) => "quiet",
        Some(181..=365) => "drowsy",
        Some(366..=730) => "dormant",
        Some(_) => "lost",
    };
    Some(state.to_owned())
}

/// The orders that count within the window of a condition.
fn bought<'a>(condition: &Condition, person: &'a Person, now: DateTime<Utc>) -> Vec<&'a Purchase> {
    let time = |t: &Option<prost_types::Timestamp>| {
        t.as_ref()
            .map(|t| DateTime::from_timestamp(t.seconds, t.nanos.try_into().unwrap()).unwrap())
    };
    let (from, to) = (time(&condition.from_time), time(&condition.to_time));
    let start = now - TimeDelta::days(condition.within_days.into());
    let is_within = |order: &&Purchase| {
        order.counts
            && from.is_none_or(|from| order.paid_at >= from)
            && to.is_none_or(|to| order.paid_at < to)
            && (condition.within_days == 0 || (order.paid_at >= start && order.paid_at < now))
    };
    person.orders.iter().filter(is_within).collect()
}

fn year<'a>(orders: &[&'a Purchase], now: DateTime<Utc>) -> Vec<&'a Purchase> {
    let start = now - TimeDelta::days(365);
    orders.iter().filter(|o| o.paid_at >= start && o.paid_at < now).copied().collect()
}

fn purchase_days(orders: &[&Purchase]) -> i64 {
    let days: BTreeSet<i32> = orders.iter().map(|order| order.paid_day.0).collect();
    i64::try_from(days.len()).unwrap()
}

fn of<'a>(lines: &[&'a Line], category: &str) -> Vec<&'a Line> {
    lines.iter().filter(|line| line.category == category).copied().collect()
}

fn in_store<'a>(orders: &[&'a Purchase], store: &str) -> Vec<&'a Purchase> {
    let is_there = |o: &&&Purchase| o.store_id.is_some_and(|id| id.to_string() == store);
    orders.iter().filter(is_there).copied().collect()
}
