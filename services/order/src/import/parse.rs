//! Reads an order of the contract into our own words, or says field by field what is wrong. Pure.

use std::{
    collections::{BTreeSet, HashMap},
    fmt::Display,
};

use chrono::{DateTime, TimeDelta, Utc};
use prost_types::Timestamp;
use siyu_kernel::{Currency, Id, Money, Violation, kind::Store};
use siyu_proto::{Path, Shape as _, order::v1 as proto, r#type::v1::Money as WireMoney};

use super::domain::{Incoming, Key};
use crate::{
    limits,
    order::domain::{Domain, Line, OWN_PLATFORM, State},
};

/// What the reading of an order needs to know of its merchant.
#[derive(Debug)]
pub struct Surroundings<'a> {
    /// The currency in which the merchant keeps its figures.
    pub currency: Currency,
    /// The stores by the merchant's own key.
    pub stores: &'a HashMap<String, Id<Store>>,
    /// What words of platforms mean, by platform and word.
    pub mappings: &'a HashMap<(String, String), State>,
    /// The present.
    pub now: DateTime<Utc>,
}

/// What an order turned out to be.
#[derive(Debug)]
pub enum Reading {
    /// Sound.
    Order(Box<Incoming>),
    /// Sound, but nobody knows what the status means.
    StatusUnknown {
        /// The order on its platform.
        key: Key,
        /// The word.
        status: String,
        /// The platform's version.
        version: DateTime<Utc>,
    },
    /// Wrong.
    Wrong(Vec<Violation>),
}

/// Reads one order. `kept` is the version that it was put aside with, if it was: an order that names no instant is as old as
/// its coming, not as its explanation (rule 29).
pub fn read(
    order: &proto::ExternalOrder,
    around: &Surroundings<'_>,
    kept: Option<DateTime<Utc>>,
) -> Reading {
    let mut wrong = Wrong(Vec::new());
    order.violations(&Path::Root, &mut wrong.0);
    let key = Key {
        platform: order.platform.clone(),
        shop_id: order.shop_id.clone(),
        order_no: order.order_no.clone(),
    };
    check_platform(&key.platform, &mut wrong);
    let store_id = read_store(&order.store_code, around, &mut wrong);
    let paid_at = read_time("pay_time", order.pay_time.as_ref(), &mut wrong);
    if paid_at.is_some_and(|t| t > around.now + ahead_max()) {
        wrong.add("pay_time", "must not lie in the future");
    }
    let updated_at = read_time("update_time", order.update_time.as_ref(), &mut wrong);
    let version = kept.or(updated_at).or(paid_at).unwrap_or(around.now);
    let domain = read_domain(order.domain, &mut wrong);
    let subsidy_minor = order
        .platform_subsidy
        .as_ref()
        .map_or(0, |money| read_money("platform_subsidy", money, around.currency, &mut wrong));
    let lines = read_lines(&order.lines, version, around.currency, &mut wrong);
    let word = order.status.trim().to_lowercase();
    let state = state_of(&key.platform, &word, around);
    if state.is_some_and(State::counts) && paid_at.is_none() && order.pay_time.is_none() {
        wrong.add("pay_time", "is required for an order that is paid");
    }
    if !wrong.0.is_empty() {
        return Reading::Wrong(wrong.0);
    }
    let Some(state) = state else {
        return Reading::StatusUnknown { key, status: word, version };
    };
    Reading::Order(Box::new(Incoming {
        key,
        buyer_id: order.buyer_id.clone(),
        state,
        domain,
        channel: order.channel.clone(),
        store_id,
        paid_at,
        currency: around.currency,
        subsidy_minor,
        version,
        lines,
    }))
}

/// The fields that are not as they must be.
pub(super) struct Wrong(pub(super) Vec<Violation>);

impl Wrong {
    pub(super) fn add(&mut self, field: impl Into<String>, description: impl Display) {
        self.0.push(Violation { field: field.into(), description: description.to_string() });
    }
}

fn ahead_max() -> TimeDelta {
    TimeDelta::from_std(limits::PAY_TIME_AHEAD_MAX).expect("minutes fit")
}

/// Refuses what no other platform is called.
pub(super) fn check_platform(platform: &str, wrong: &mut Wrong) {
    if let Some(description) = not_a_platform(platform) {
        wrong.add("platform", description);
    }
}

/// Why no other platform is called so; none: one may be.
pub(crate) fn not_a_platform(name: &str) -> Option<&'static str> {
    let is_sound = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-';
    if !name.bytes().all(is_sound) {
        Some("must be made of a-z, 0-9, \"_\" and \"-\"")
    } else if name == OWN_PLATFORM {
        Some("\"siyu\" is for orders that are placed here")
    } else {
        None
    }
}

fn state_of(platform: &str, word: &str, around: &Surroundings<'_>) -> Option<State> {
    let own = around.mappings.get(&(platform.to_owned(), word.to_owned()));
    own.copied().or_else(|| State::of_word(word))
}

fn read_store(code: &str, around: &Surroundings<'_>, wrong: &mut Wrong) -> Option<Id<Store>> {
    if code.is_empty() {
        return None;
    }
    let found = around.stores.get(code).copied();
    if found.is_none() {
        wrong.add("store_code", format!("no store has the code \"{code}\""));
    }
    found
}

/// An instant, if one is given and possible.
pub(super) fn read_time(
    field: &str,
    time: Option<&Timestamp>,
    wrong: &mut Wrong,
) -> Option<DateTime<Utc>> {
    let time = time?;
    let nanos = u32::try_from(time.nanos).unwrap_or(u32::MAX);
    let read = DateTime::from_timestamp(time.seconds, nanos);
    // PostgreSQL keeps microseconds; a finer version would look newer at every repeat.
    let read = read.and_then(|t| DateTime::from_timestamp_micros(t.timestamp_micros()));
    let possible = read.filter(|t| (1970..=9999).contains(&chrono::Datelike::year(t)));
    if possible.is_none() {
        wrong.add(field, "must be an instant of the years 1970 to 9999");
    }
    possible
}

fn read_domain(value: i32, wrong: &mut Wrong) -> Domain {
    let Ok(domain) = proto::Domain::try_from(value) else {
        wrong.add("domain", "is not a known value");
        return Domain::Private;
    };
    Domain::of_proto(domain).unwrap_or(Domain::Private)
}

/// An amount in the merchant's currency, in minor units.
pub(super) fn read_money(
    field: &str,
    money: &WireMoney,
    currency: Currency,
    wrong: &mut Wrong,
) -> i64 {
    if let Err(error) = Currency::parse(&money.currency_code) {
        wrong.add(format!("{field}.currency_code"), error);
    } else if money.currency_code != currency.code() {
        let text = format!(
            "must be {currency}, the currency of the merchant: an order in another one needs an exchange rate"
        );
        wrong.add(format!("{field}.currency_code"), text);
    }
    if money.minor_units < 0 {
        wrong.add(format!("{field}.minor_units"), "must not be negative");
    } else if money.minor_units > limits::LINE_MINOR_MAX {
        let most = Money::new(currency, limits::LINE_MINOR_MAX);
        wrong.add(format!("{field}.minor_units"), format!("must be at most {most}"));
    }
    money.minor_units
}

fn read_lines(
    lines: &[proto::OrderLine],
    version: DateTime<Utc>,
    currency: Currency,
    wrong: &mut Wrong,
) -> Vec<Line> {
    let mut seen = BTreeSet::new();
    let mut read = Vec::with_capacity(lines.len());
    for (i, line) in lines.iter().enumerate() {
        if !seen.insert(line.line_no) {
            wrong.add(format!("lines[{i}].line_no"), format!("{} stands twice", line.line_no));
        }
        let paid_minor = line
            .paid
            .as_ref()
            .map_or(0, |money| read_money(&format!("lines[{i}].paid"), money, currency, wrong));
        read.push(Line {
            line_no: line.line_no,
            sku: line.sku.clone(),
            category: line.category.clone(),
            quantity: line.quantity,
            paid_minor,
            version,
        });
    }
    read
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn now() -> DateTime<Utc> {
        "2024-06-01T00:00:00Z".parse().unwrap()
    }

    fn sound() -> proto::ExternalOrder {
        proto::ExternalOrder {
            platform: "tmall".into(),
            shop_id: "1".into(),
            order_no: "A-1".into(),
            buyer_id: "b".into(),
            pay_time: Some(Timestamp { seconds: now().timestamp() - 60, nanos: 1_234 }),
            lines: vec![proto::OrderLine {
                line_no: 1,
                quantity: 2,
                paid: Some(WireMoney { currency_code: "CNY".into(), minor_units: 1050 }),
                ..Default::default()
            }],
            ..Default::default()
        }
    }

    fn read_it(order: &proto::ExternalOrder) -> Reading {
        let stores = HashMap::from([("S1".to_owned(), Id::from_uuid(Uuid::from_u128(5)))]);
        let mappings =
            HashMap::from([(("tmall".to_owned(), "trade_success".to_owned()), State::Completed)]);
        let around = Surroundings {
            currency: Currency::parse("CNY").unwrap(),
            stores: &stores,
            mappings: &mappings,
            now: now(),
        };
        read(order, &around, None)
    }

    fn wrong_fields(change: impl FnOnce(&mut proto::ExternalOrder)) -> Vec<String> {
        let mut order = sound();
        change(&mut order);
        match read_it(&order) {
            Reading::Wrong(wrong) => wrong.into_iter().map(|v| v.field).collect(),
            other @ (Reading::Order(_) | Reading::StatusUnknown { .. }) => {
                panic!("not refused: {other:?}")
            }
        }
    }

    #[test]
    fn a_sound_order_is_read_to_the_microsecond() {
        let Reading::Order(order) = read_it(&sound()) else { panic!("refused") };
        assert_eq!(order.state, State::Paid);
        assert_eq!(order.version.timestamp_subsec_nanos(), 1_000);
        assert_eq!(order.lines[0].paid_minor, 1050);
    }

    #[test]
    fn every_bad_field_is_named() {
        assert_eq!(wrong_fields(|o| o.platform = "Tmall".into()), ["platform"]);
        assert_eq!(wrong_fields(|o| o.platform = OWN_PLATFORM.into()), ["platform"]);
        assert_eq!(wrong_fields(|o| o.order_no.clear()), ["order_no"]);
        assert_eq!(wrong_fields(|o| o.store_code = "S2".into()), ["store_code"]);
        assert_eq!(wrong_fields(|o| o.domain = 9), ["domain"]);
        assert_eq!(wrong_fields(|o| o.pay_time = None), ["pay_time"]);
        assert_eq!(wrong_fields(|o| o.pay_time.as_mut().unwrap().seconds += 86_400), ["pay_time"]);
        assert_eq!(wrong_fields(|o| o.pay_time.as_mut().unwrap().nanos = -1), ["pay_time"]);
        assert_eq!(wrong_fields(|o| o.lines[0].paid = None), ["lines[0].paid"]);
        let code = |o: &mut proto::ExternalOrder, c: &str| {
            o.lines[0].paid.as_mut().unwrap().currency_code = c.into();
        };
        assert_eq!(wrong_fields(|o| code(o, "XXX")), ["lines[0].paid.currency_code"]);
        assert_eq!(wrong_fields(|o| code(o, "USD")), ["lines[0].paid.currency_code"]);
        let minor = |o: &mut proto::ExternalOrder, m: i64| {
            o.lines[0].paid.as_mut().unwrap().minor_units = m;
        };
        assert_eq!(wrong_fields(|o| minor(o, -1)), ["lines[0].paid.minor_units"]);
        assert_eq!(wrong_fields(|o| minor(o, i64::MAX)), ["lines[0].paid.minor_units"]);
        let mut large = sound();
        minor(&mut large, i64::MAX);
        let Reading::Wrong(wrong) = read_it(&large) else { panic!("not refused") };
        assert_eq!(wrong[0].description, "must be at most 90000000000.00 CNY");
        assert_eq!(wrong_fields(|o| o.lines.push(o.lines[0].clone())), ["lines[1].line_no"]);
        assert_eq!(wrong_fields(|o| o.lines[0].quantity = -1), ["lines[0].quantity"]);
    }

    #[test]
    fn a_word_is_known_by_mapping_or_put_aside() {
        let mut order = sound();
        order.status = "TRADE_SUCCESS ".into();
        assert!(matches!(read_it(&order), Reading::Order(o) if o.state == State::Completed));
        order.status = "TRADE_ODD".into();
        assert!(
            matches!(read_it(&order), Reading::StatusUnknown { status, .. } if status == "trade_odd")
        );
    }
}
