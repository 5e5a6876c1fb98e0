//! What a field with its values asks of the tables.

mod records;

use std::str::FromStr;

use siyu_kernel::{Id, LocalDay, kind};
use uuid::Uuid;

use super::{
    Node, Spans, Terms, Test,
    catalogue::{Field, What},
    layers,
    node::{
        AttributeTest, Edge, Goods, Measure, Over, PersonColumn, Scope, Sum, Tagged, TaggedBy,
        Total, Window,
    },
    values::Wanted,
};
use crate::person::domain::IdentityKind;

/// Days beyond are endless: some 270 years.
const DAYS_MAX: i64 = 100_000;

/// The persons of whom the field is as wanted.
///
/// # Errors
/// What is wrong with the argument.
pub(super) fn node(
    field: &Field,
    argument: &str,
    wanted: &Wanted,
    window: Option<Window>,
    terms: &Terms,
) -> Result<Node, &'static str> {
    let spans = spans(wanted);
    let words = || words(wanted);
    let now = terms.now.timestamp_micros();
    let person = |column, spans| Node::Is(Test::Person(column, spans));
    let bought = |total, spans| Node::Is(Test::Bought(total, spans));
    let ever = window.unwrap_or(Window::EVER);
    let line = |goods| Node::Is(Test::Line(goods, ever));
    let edge =
        |live, over, since| Node::Is(Test::Connection(Edge { live: Some(live), over, since }));
    let channel = || Over::Channels(vec![argument.to_owned()]);
    let tagged = |by, since| Node::Is(Test::Tag(Tagged { by, since, at: now }));
    let sum = |of, measure| counted(&Sum { of, measure, window: ever }, &spans);
    let store = || uuid("sto", argument).ok_or("must name a store after the colon");
    Ok(match field.what {
        What::PersonId => Node::Is(Test::Id(ids("per", &words()).map(Id::from_uuid).collect())),
        What::PersonCreated => person(PersonColumn::Created, spans),
        What::PersonDays => person(PersonColumn::Created, instants(&spans, terms)),
        What::IdentityKind => Node::Is(Test::Identity(identity_kinds(wanted))),
        What::Growth => person(PersonColumn::Growth, spans),
        What::Tier => person(PersonColumn::Tier, spans),
        What::Points => with_zero(&spans, Test::Points),
        What::Tag => tagged(tags(wanted), Spans::all()),
        What::TagGroup => tagged(groups(wanted), Spans::all()),
        What::TagCount => with_zero(&spans, |spans| Test::Tags(spans, now)),
        What::TagTime => {
            let tag = uuid("tag", argument).ok_or("must name a tag after the colon")?;
            tagged(TaggedBy::Tags(vec![Id::from_uuid(tag)]), spans)
        }
        What::Attribute => Node::Is(attribute(argument, wanted, terms)?),
        What::ConnectionChannel => edge(true, over(wanted, Over::Channels), Spans::all()),
        What::ConnectionAccount => edge(true, over(wanted, Over::Accounts), Spans::all()),
        What::ConnectionSource => edge(true, over(wanted, Over::Sources), Spans::all()),
        What::LostChannel => edge(false, over(wanted, Over::Channels), Spans::all()),
        What::ConnectionCount => with_zero(&spans, Test::Connections),
        What::ConnectionSince => edge(true, channel(), spans),
        What::ConnectionDays => edge(true, channel(), instants(&spans, terms)),
        What::LostSince => edge(false, channel(), spans),
        What::Orders => total_or_sum(Total::Orders, Measure::Orders, &spans, window),
        What::Spend => total_or_sum(Total::Paid, Measure::Paid, &spans, window),
        What::PurchaseDays => total_or_sum(Total::Days, Measure::Days, &spans, window),
        What::Average if window.is_none() => bought(Total::Average, spans),
        What::Average => Node::Is(Test::Sum(of_orders(Measure::Average, ever), spans)),
        What::Largest => Node::Is(Test::Sum(of_orders(Measure::Largest, ever), spans)),
        What::FirstTime => bought(Total::First, spans),
        What::LastTime => bought(Total::Last, spans),
        What::DaysSinceFirst => bought(Total::First, instants(&spans, terms)),
        What::DaysSinceLast => bought(Total::Last, instants(&spans, terms)),
        What::Category => line(Goods::Categories(words())),
        What::Sku => line(Goods::Skus(words())),
        What::Store => line(Goods::Stores(ids("sto", &words()).collect())),
        What::Channel => line(Goods::Channels(words())),
        What::Domain => line(Goods::Domains(words())),
        What::Platform => line(Goods::Platforms(words())),
        What::CategorySpend => sum(Scope::Category(argument.to_owned()), Measure::Paid),
        What::CategoryPieces => sum(Scope::Category(argument.to_owned()), Measure::Pieces),
        What::SkuPieces => sum(Scope::Sku(argument.to_owned()), Measure::Pieces),
        What::StoreOrders => sum(Scope::Store(store()?), Measure::Orders),
        What::StoreSpend => sum(Scope::Store(store()?), Measure::Paid),
        What::Recency => bought(Total::Last, instants(&layers::recency(&spans), terms)),
        What::Frequency => yearly(Measure::Days, &layers::frequency(&spans), terms),
        What::Monetary => yearly(Measure::Paid, &layers::monetary(&spans), terms),
        What::Dormancy => dormancy(wanted, terms),
        What::Trait(of) => records::words(of, wanted),
        What::BirthMonth => records::month(wanted),
        What::BirthdayDays => records::birthday(wanted, terms),
        What::Consent => records::consent(argument, wanted)?,
        What::Blacklist => records::listed(wanted, now),
        What::Card => records::card(wanted, now),
    })
}

/// The UUID of an id with a prefix.
pub(super) fn uuid(prefix: &str, text: &str) -> Option<Uuid> {
    Some(match prefix {
        "per" => Id::<kind::Person>::from_str(text).ok()?.uuid(),
        "sto" => Id::<kind::Store>::from_str(text).ok()?.uuid(),
        "tag" => Id::<kind::Tag>::from_str(text).ok()?.uuid(),
        "cpl" => Id::<kind::CardPlan>::from_str(text).ok()?.uuid(),
        _ => Id::<kind::TagGroup>::from_str(text).ok()?.uuid(),
    })
}

fn ids<'a>(prefix: &'a str, words: &[String]) -> impl Iterator<Item = Uuid> + use<'a> {
    let ids: Vec<Uuid> = words.iter().filter_map(|word| uuid(prefix, word)).collect();
    ids.into_iter()
}

/// What is wanted of a number; all of them where it need only be known.
fn spans(wanted: &Wanted) -> Spans {
    match wanted {
        Wanted::Spans(spans) => spans.clone(),
        Wanted::Known | Wanted::Words(_) => Spans::all(),
    }
}

fn words(wanted: &Wanted) -> Vec<String> {
    match wanted {
        Wanted::Words(words) => words.clone(),
        Wanted::Known | Wanted::Spans(_) => Vec::new(),
    }
}

fn over(wanted: &Wanted, make: impl Fn(Vec<String>) -> Over) -> Over {
    match wanted {
        Wanted::Words(words) => make(words.clone()),
        Wanted::Known | Wanted::Spans(_) => Over::Anything,
    }
}

fn tags(wanted: &Wanted) -> TaggedBy {
    match wanted {
        Wanted::Words(words) => TaggedBy::Tags(ids("tag", words).map(Id::from_uuid).collect()),
        Wanted::Known | Wanted::Spans(_) => TaggedBy::Anything,
    }
}

/// Known: a tag of any group is carried.
fn groups(wanted: &Wanted) -> TaggedBy {
    match wanted {
        Wanted::Words(words) => TaggedBy::Groups(ids("tgr", words).map(Id::from_uuid).collect()),
        Wanted::Known | Wanted::Spans(_) => TaggedBy::AnyGroup,
    }
}

fn identity_kinds(wanted: &Wanted) -> Vec<IdentityKind> {
    let all = [
        IdentityKind::Unionid,
        IdentityKind::ExternalUserid,
        IdentityKind::Phone,
        IdentityKind::Email,
        IdentityKind::PlatformBuyer,
        IdentityKind::Openid,
    ];
    let is_wanted = |kind: &IdentityKind| match wanted {
        Wanted::Words(words) => words.iter().any(|word| word == kind.as_str()),
        Wanted::Known | Wanted::Spans(_) => true,
    };
    all.into_iter().filter(is_wanted).collect()
}

fn attribute(code: &str, wanted: &Wanted, terms: &Terms) -> Result<Test, &'static str> {
    let attribute = terms.attributes.get(code).ok_or("names no attribute")?;
    let test = match wanted {
        Wanted::Known => AttributeTest::Known,
        Wanted::Spans(spans) => AttributeTest::Numbers(spans.clone()),
        Wanted::Words(words) => AttributeTest::Words(words.clone()),
    };
    Ok(Test::Attribute(attribute.id, test))
}

/// A number that is zero where there is no row: who must not be zero has a row; who may be zero has none with another
/// number than wanted.
fn with_zero(spans: &Spans, test: impl Fn(Spans) -> Test) -> Node {
    if spans.contains(0) {
        Node::Not(test(spans.complement()))
    } else {
        Node::Is(test(spans.clone()))
    }
}

fn counted(sum: &Sum, spans: &Spans) -> Node {
    with_zero(spans, |spans| Test::Sum(sum.clone(), spans))
}

const fn of_orders(measure: Measure, window: Window) -> Sum {
    Sum { of: Scope::Orders, measure, window }
}

/// Without a window the sums are kept.
fn total_or_sum(total: Total, measure: Measure, spans: &Spans, window: Option<Window>) -> Node {
    match window {
        None => with_zero(spans, |spans| Test::Bought(total, spans)),
        Some(window) => counted(&of_orders(measure, window), spans),
    }
}

/// The instants that lie so many days back: whole days between the days of the merchant's zone.
fn instants(days: &Spans, terms: &Terms) -> Spans {
    let today = terms.zone.day(terms.now).0;
    let start = |back: i64| {
        let back = i32::try_from(back).expect("it is within DAYS_MAX");
        terms.zone.start_of(LocalDay(today).plus(-back)).timestamp_micros()
    };
    days.map(|(least, most)| {
        let from = if most > DAYS_MAX { i64::MIN } else { start(most.max(-DAYS_MAX)) };
        let to = if least < -DAYS_MAX { i64::MAX } else { start(least.min(DAYS_MAX) - 1) - 1 };
        (from, to)
    })
}

/// Those who ever bought, and of whom a sum of the last year is such.
fn yearly(measure: Measure, spans: &Spans, terms: &Terms) -> Node {
    let to = terms.now.timestamp_micros();
    let from = (terms.now - chrono::TimeDelta::days(layers::WINDOW_DAYS)).timestamp_micros();
    let window = Window { from, to };
    has_bought().and(counted(&of_orders(measure, window), spans))
}

fn has_bought() -> Node {
    Node::Is(Test::Bought(Total::Orders, Spans::all()))
}

/// Reference §2.8: by silence since the last purchase, for who never bought since the latest live connection; lost are also
/// those all of whose connections ended.
fn dormancy(wanted: &Wanted, terms: &Terms) -> Node {
    let edge =
        |live| Node::Is(Test::Connection(Edge { live, over: Over::Anything, since: Spans::all() }));
    let gone = edge(None).and(edge(Some(true)).negated());
    let silent = |spans: &Spans| {
        let since = instants(spans, terms);
        let bought = Node::Is(Test::Bought(Total::Last, since.clone()));
        bought.or(has_bought().negated().and(Node::Is(Test::LatestConnection(since))))
    };
    let states: Vec<&str> = match wanted {
        Wanted::Words(words) => words.iter().map(String::as_str).collect(),
        Wanted::Known | Wanted::Spans(_) => layers::DORMANCY.to_vec(),
    };
    let of = |state: &str| {
        let silent = silent(&layers::silence(state));
        if state == "lost" { gone.clone().or(silent) } else { silent.and(gone.clone().negated()) }
    };
    Node::Any(states.into_iter().map(of).collect())
}
