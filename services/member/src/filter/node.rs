//! The tree that a filter is read into: simple tests, each over one table, and what is combined of them. Negations stand at
//! the tests only, so that each part is a semi-join or an anti-join.

use siyu_kernel::{Id, kind};
use uuid::Uuid;

use super::Spans;
use crate::{
    blacklist,
    consent::domain::Purpose,
    person::{PersonId, domain::IdentityKind},
};

/// The id of a tag.
pub type TagId = Id<kind::Tag>;
/// The id of a group of tags.
pub type TagGroupId = Id<kind::TagGroup>;
/// The id of a plan of cards that entitle to benefits.
pub type PlanId = Id<kind::CardPlan>;
/// The id of an attribute.
pub type AttributeId = Id<kind::Attribute>;

/// A set of persons.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Node {
    /// Those in every part; everyone where there is none.
    All(Vec<Node>),
    /// Those in at least one part; nobody where there is none.
    Any(Vec<Node>),
    /// Those whom a test is true for.
    Is(Test),
    /// Those whom it is not true for.
    Not(Test),
}

/// Something that one table tells of a person. Instants are microseconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Test {
    /// It is one of these.
    Id(Vec<PersonId>),
    /// A column of the person itself.
    Person(PersonColumn, Spans),
    /// Something was bought, and a sum of all of it is such.
    Bought(Total, Spans),
    /// A sum of what was bought of something in a window is such; who bought nothing has none.
    Sum(Sum, Spans),
    /// An order or a line of one of these was bought in a window.
    Line(Goods, Window),
    /// The person has a key of one of these kinds.
    Identity(Vec<IdentityKind>),
    /// An edge to an account of the merchant is such.
    Connection(Edge),
    /// There is a live edge, and the latest is since then.
    LatestConnection(Spans),
    /// There are so many live edges, at least one.
    Connections(Spans),
    /// A tag is carried.
    Tag(Tagged),
    /// So many tags are carried, at least one, at an instant.
    Tags(Spans, i64),
    /// An attribute has a value, and it is such.
    Attribute(AttributeId, AttributeTest),
    /// There is an account of points, and its balance is such.
    Points(Spans),
    /// The profile says something, and it is such.
    Trait(Trait, TraitTest),
    /// Something was decided about a purpose and a channel, and it is such.
    Consent(Purpose, String, Decided),
    /// The person is shut out of one of these at an instant, by id or by key.
    Listed(Vec<blacklist::Scope>, i64),
    /// A card that entitles to benefits holds at an instant, of one of these plans; of any where there is none.
    Card(Vec<PlanId>, i64),
}

/// Something that profiles say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trait {
    /// The gender.
    Gender,
    /// The month of the birthday.
    BirthMonth,
    /// The digest of its month and day.
    BirthDigest,
    /// The province.
    Province,
    /// The city.
    City,
    /// The language.
    Language,
}

/// What a profile says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TraitTest {
    /// Anything.
    Known,
    /// Such a number.
    Numbers(Spans),
    /// One of these words.
    Words(Vec<String>),
}

/// What was decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decided {
    /// It is granted, and not withdrawn since.
    Granted,
    /// It is withdrawn, for the channel or for all.
    Withdrawn,
}

/// A column of persons.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PersonColumn {
    /// The growth value.
    Growth,
    /// The tier.
    Tier,
    /// When the person was first seen.
    Created,
}

/// A sum over everything that a person bought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Total {
    /// How many orders.
    Orders,
    /// What was paid.
    Paid,
    /// What was paid for an order on average, rounded down.
    Average,
    /// On how many days.
    Days,
    /// When first.
    First,
    /// When last.
    Last,
}

/// A sum over some of what a person bought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sum {
    /// Of what.
    pub of: Scope,
    /// What is summed up.
    pub measure: Measure,
    /// When it was bought.
    pub window: Window,
}

/// Some of what was bought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// All orders.
    Orders,
    /// The orders of a store.
    Store(Uuid),
    /// The lines of a category.
    Category(String),
    /// The lines of an SKU.
    Sku(String),
}

/// What is summed up of orders or lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// How many orders.
    Orders,
    /// What was paid.
    Paid,
    /// What was paid for an order on average, rounded down.
    Average,
    /// The most that was paid for one order.
    Largest,
    /// On how many days.
    Days,
    /// How many pieces; of lines only.
    Pieces,
}

/// What an order or a line is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Goods {
    /// One of these categories.
    Categories(Vec<String>),
    /// One of these SKUs.
    Skus(Vec<String>),
    /// One of these stores.
    Stores(Vec<Uuid>),
    /// One of these channels.
    Channels(Vec<String>),
    /// One of these domains.
    Domains(Vec<String>),
    /// One of these platforms.
    Platforms(Vec<String>),
}

/// When something happened, in microseconds: from the first until before the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// At this instant or later.
    pub from: i64,
    /// Before this instant.
    pub to: i64,
}

/// An edge between a person and an account of the merchant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edge {
    /// Whether it must be live or lost; nothing: either.
    pub live: Option<bool>,
    /// What it is over.
    pub over: Over,
    /// Since when it is so.
    pub since: Spans,
}

/// What an edge is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Over {
    /// Anything.
    Anything,
    /// One of these channels.
    Channels(Vec<String>),
    /// One of these accounts.
    Accounts(Vec<String>),
    /// It came from one of these sources.
    Sources(Vec<String>),
}

/// A tag that a person carries at an instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tagged {
    /// Which.
    pub by: TaggedBy,
    /// Since when.
    pub since: Spans,
    /// The instant.
    pub at: i64,
}

/// Which tag is carried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TaggedBy {
    /// One of these.
    Tags(Vec<TagId>),
    /// One of these groups.
    Groups(Vec<TagGroupId>),
    /// Any that is of a group.
    AnyGroup,
    /// Any.
    Anything,
}

/// What the value of an attribute is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AttributeTest {
    /// Anything.
    Known,
    /// Such a number, day or flag.
    Numbers(Spans),
    /// One of these texts.
    Words(Vec<String>),
}

impl Window {
    /// At any time.
    pub const EVER: Self = Self { from: i64::MIN, to: i64::MAX };
}

impl Node {
    /// Everyone.
    pub const fn everyone() -> Self {
        Self::All(Vec::new())
    }

    /// Nobody.
    pub const fn nobody() -> Self {
        Self::Any(Vec::new())
    }

    /// Those who are not in it.
    #[must_use]
    pub fn negated(self) -> Self {
        let each = |parts: Vec<Self>| parts.into_iter().map(Self::negated).collect();
        match self {
            Self::All(parts) => Self::Any(each(parts)),
            Self::Any(parts) => Self::All(each(parts)),
            Self::Is(test) => Self::Not(test),
            Self::Not(test) => Self::Is(test),
        }
    }

    /// Those in this one and in another.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self::All(vec![self, other])
    }

    /// Those in this one or in another.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self::Any(vec![self, other])
    }
}
