//! The sets of persons that single tests are: each a text that selects `person_id` from one table.

use chrono::{DateTime, Utc};

use super::{records, statement::joined, writer::Writer};
use crate::{
    account::{HELD, POINTS},
    filter::{
        Spans, Test,
        node::{
            AttributeTest, Edge, Goods, Measure, Over, Scope, Sum, Tagged, TaggedBy, Total, Window,
        },
    },
};

/// The persons for whom a test is true.
pub(super) fn set(w: &mut Writer, test: &Test) -> String {
    match test {
        Test::Id(_) | Test::Person(..) => unreachable!("the row of the person decides"),
        Test::Bought(total, spans) => totals(w, &[(*total, spans)], " and "),
        Test::Sum(sum, spans) => sums(w, sum, spans),
        Test::Line(goods, window) => lines(w, goods, *window),
        Test::Identity(kinds) => {
            let kinds: Vec<String> = kinds.iter().map(|kind| kind.as_str().to_owned()).collect();
            let (bounds, kinds) = (w.bounds("t", "person_id"), w.bind(kinds));
            format!(
                "select t.person_id from identities t where {bounds} and t.kind = any ({kinds})"
            )
        }
        Test::Connection(edge) => edges(w, edge),
        Test::LatestConnection(spans) => {
            let having = instants(w, "max(t.state_at)", spans);
            live_edges(w, &having)
        }
        Test::Connections(spans) => {
            let having = numbers(w, "count(*)", spans);
            live_edges(w, &having)
        }
        Test::Tag(tagged) => tags(w, tagged),
        Test::Tags(spans, at) => {
            let (bounds, at) = (w.bounds("t", "person_id"), w.bind(instant(*at)));
            let having = numbers(w, "count(*)", spans);
            format!(
                "select t.person_id from person_tags t
                where {bounds} and (t.expires_at is null or t.expires_at > {at})
                group by t.person_id having {having}"
            )
        }
        Test::Attribute(id, test) => {
            let (bounds, id) = (w.bounds("t", "person_id"), w.bind(*id));
            let holds = match test {
                AttributeTest::Known => "true".to_owned(),
                AttributeTest::Numbers(spans) => numbers(w, "t.number_value", spans),
                AttributeTest::Words(words) => {
                    format!("t.text_value = any ({})", w.bind(words.clone()))
                }
            };
            format!(
                "select t.person_id from person_attributes t
                where {bounds} and t.attribute_id = {id} and {holds}"
            )
        }
        Test::Points(spans) => points(w, spans),
        Test::Trait(of, test) => records::traits(w, *of, test),
        Test::Consent(purpose, channel, decided) => {
            records::consents(w, (*purpose, channel), *decided)
        }
        Test::Listed(scopes, at) => records::listed(w, scopes, instant(*at)),
        Test::Card(plans, at) => records::cards(w, plans, instant(*at)),
    }
}

/// Whether no person stands twice in the set of a test.
pub(super) fn is_unique(test: &Test) -> bool {
    match test {
        Test::Id(_)
        | Test::Person(..)
        | Test::Bought(..)
        | Test::Sum(..)
        | Test::LatestConnection(_)
        | Test::Connections(_)
        | Test::Tags(..)
        | Test::Attribute(..)
        | Test::Points(_)
        | Test::Trait(..)
        | Test::Consent(..)
        | Test::Listed(..) => true,
        Test::Tag(tagged) => matches!(&tagged.by, TaggedBy::Tags(tags) if tags.len() == 1),
        Test::Line(..) | Test::Identity(_) | Test::Connection(_) | Test::Card(..) => false,
    }
}

/// Those who bought something, with sums that are such.
pub(super) fn totals(w: &mut Writer, tests: &[(Total, &Spans)], word: &str) -> String {
    let bounds = w.bounds("t", "person_id");
    let mut texts = Vec::with_capacity(tests.len());
    for (total, spans) in tests {
        texts.push(match total {
            Total::Orders => numbers(w, "t.orders", spans),
            Total::Paid => numbers(w, "t.paid_minor", spans),
            Total::Average => numbers(w, "t.paid_minor / t.orders", spans),
            Total::Days => numbers(w, "t.purchase_days", spans),
            Total::First => instants(w, "t.first_paid_at", spans),
            Total::Last => instants(w, "t.last_paid_at", spans),
        });
    }
    let holds = joined(&texts, word, "true");
    format!("select t.person_id from person_purchases t where {bounds} and {holds}")
}

fn sums(w: &mut Writer, sum: &Sum, spans: &Spans) -> String {
    let (table, is_of, orders) = match &sum.of {
        Scope::Orders => ("purchases", "t.counts".to_owned(), "count(*)"),
        Scope::Store(store) => {
            ("purchases", format!("t.counts and t.store_id = {}", w.bind(*store)), "count(*)")
        }
        Scope::Category(category) => {
            let category = w.bind(category.clone());
            ("purchase_lines", format!("t.category = {category}"), "count(distinct t.order_id)")
        }
        Scope::Sku(sku) => {
            let sku = w.bind(sku.clone());
            ("purchase_lines", format!("t.sku = {sku}"), "count(distinct t.order_id)")
        }
    };
    let (bounds, during) = (w.bounds("t", "person_id"), during(w, sum.window));
    let measure = match sum.measure {
        Measure::Orders => orders.to_owned(),
        Measure::Paid => "sum(t.paid_minor)::bigint".to_owned(),
        Measure::Average => format!("sum(t.paid_minor)::bigint / {orders}"),
        Measure::Largest => "max(t.paid_minor)".to_owned(),
        Measure::Days => "count(distinct t.paid_day)".to_owned(),
        Measure::Pieces => "sum(t.quantity)::bigint".to_owned(),
    };
    let having = numbers(w, &measure, spans);
    format!(
        "select t.person_id from {table} t
        where {bounds} and {is_of}{during}
        group by t.person_id having {having}"
    )
}

fn lines(w: &mut Writer, goods: &Goods, window: Window) -> String {
    let (table, is_one) = match goods {
        Goods::Categories(words) => {
            ("purchase_lines", format!("t.category = any ({})", w.bind(words.clone())))
        }
        Goods::Skus(words) => {
            ("purchase_lines", format!("t.sku = any ({})", w.bind(words.clone())))
        }
        Goods::Stores(ids) => {
            ("purchases", format!("t.counts and t.store_id = any ({})", w.bind(ids.clone())))
        }
        Goods::Channels(words) => {
            ("purchases", format!("t.counts and t.channel = any ({})", w.bind(words.clone())))
        }
        Goods::Domains(words) => {
            ("purchases", format!("t.counts and t.domain = any ({})", w.bind(words.clone())))
        }
        Goods::Platforms(words) => {
            ("purchases", format!("t.counts and t.platform = any ({})", w.bind(words.clone())))
        }
    };
    let (bounds, during) = (w.bounds("t", "person_id"), during(w, window));
    format!("select t.person_id from {table} t where {bounds} and {is_one}{during}")
}

fn edges(w: &mut Writer, edge: &Edge) -> String {
    let bounds = w.bounds("t", "person_id");
    let state = match edge.live {
        Some(true) => " and t.state = 'connected'",
        Some(false) => " and t.state = 'disconnected'",
        None => "",
    };
    let over = match &edge.over {
        Over::Anything => "true".to_owned(),
        Over::Channels(words) => format!("t.channel = any ({})", w.bind(words.clone())),
        Over::Accounts(words) => format!("t.account_id = any ({})", w.bind(words.clone())),
        Over::Sources(words) => format!("t.source = any ({})", w.bind(words.clone())),
    };
    let since = instants(w, "t.state_at", &edge.since);
    format!("select t.person_id from connections t where {bounds}{state} and {over} and {since}")
}

fn live_edges(w: &mut Writer, having: &str) -> String {
    let bounds = w.bounds("t", "person_id");
    format!(
        "select t.person_id from connections t
        where {bounds} and t.state = 'connected'
        group by t.person_id having {having}"
    )
}

fn tags(w: &mut Writer, tagged: &Tagged) -> String {
    let (bounds, at) = (w.bounds("t", "person_id"), w.bind(instant(tagged.at)));
    let which = match &tagged.by {
        TaggedBy::Anything => "true".to_owned(),
        TaggedBy::Tags(tags) => format!("t.tag_id = any ({})", w.bind(tags.clone())),
        TaggedBy::Groups(groups) => format!(
            "t.tag_id = any (array(select id from tags where merchant_id = $1 and group_id = any ({})))",
            w.bind(groups.clone())
        ),
        TaggedBy::AnyGroup => {
            "t.tag_id = any (array(select id from tags where merchant_id = $1 and group_id is not null))"
                .to_owned()
        }
    };
    let since = instants(w, "t.tagged_at", &tagged.since);
    format!(
        "select t.person_id from person_tags t
        where {bounds} and (t.expires_at is null or t.expires_at > {at}) and {which} and {since}"
    )
}

/// The balance of an account is what was put in and not taken.
fn points(w: &mut Writer, spans: &Spans) -> String {
    let bounds = w.bounds("t", "owner_id");
    let (code, asset) = (w.bind(HELD), w.bind(POINTS.as_str()));
    let holds = numbers(w, "t.credits_posted - t.debits_posted", spans);
    format!(
        "select t.owner_id as person_id from ledger_accounts t
        where {bounds} and t.code = {code} and t.asset = {asset} and t.code > 0 and {holds}"
    )
}

fn during(w: &mut Writer, window: Window) -> String {
    let mut text = String::new();
    if window.from > i64::MIN {
        text = format!(" and t.paid_at >= {}", w.bind(instant(window.from)));
    }
    if window.to < i64::MAX {
        text = format!("{text} and t.paid_at < {}", w.bind(instant(window.to)));
    }
    text
}

/// Whether a number is among spans.
pub(super) fn numbers(w: &mut Writer, value: &str, spans: &Spans) -> String {
    between(w, value, spans, Writer::bind)
}

/// Whether an instant is among spans.
pub(super) fn instants(w: &mut Writer, value: &str, spans: &Spans) -> String {
    between(w, value, spans, |w, micros| w.bind(instant(micros)))
}

fn between(
    w: &mut Writer,
    value: &str,
    spans: &Spans,
    bind: impl Fn(&mut Writer, i64) -> String,
) -> String {
    let one = |&(min, max): &(i64, i64)| match (min, max) {
        (i64::MIN, i64::MAX) => "true".to_owned(),
        (min, i64::MAX) => format!("{value} >= {}", bind(w, min)),
        (i64::MIN, max) => format!("{value} <= {}", bind(w, max)),
        (min, max) if min == max => format!("{value} = {}", bind(w, min)),
        (min, max) => {
            let (min, max) = (bind(w, min), bind(w, max));
            format!("({value} >= {min} and {value} <= {max})")
        }
    };
    let texts: Vec<String> = spans.ranges().iter().map(one).collect();
    joined(&texts, " or ", "false")
}

/// The instant of so many microseconds; the first or last that there is beyond.
fn instant(micros: i64) -> DateTime<Utc> {
    let beyond = if micros < 0 { DateTime::<Utc>::MIN_UTC } else { DateTime::<Utc>::MAX_UTC };
    DateTime::from_timestamp_micros(micros).unwrap_or(beyond)
}
