//! What a condition can name: one line for each field, from which the contract's answer and the table in the README are made.

use siyu_proto::member::v1::{FieldType, Operator};

use super::layers;

/// A field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// Its name, before the colon.
    pub name: &'static str,
    /// What stands after the colon; empty: nothing, and no colon.
    pub argument: &'static str,
    /// What it is, for the code.
    pub what: What,
    /// What its values are.
    pub kind: Kind,
    /// Whether it may not be known of a person.
    pub may_lack: bool,
    /// Whether a condition may name a window.
    pub windowed: bool,
    /// What it is, for people.
    pub doc: &'static str,
}

/// What the values of a field are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Whole numbers.
    Number,
    /// Minor units.
    Amount,
    /// Instants.
    Time,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// Texts of others.
    Text,
    /// Ids with this prefix.
    Id(&'static str),
    /// As the attribute says.
    Attribute,
}

/// Every field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the table below says what each is")]
pub enum What {
    PersonId,
    PersonCreated,
    PersonDays,
    IdentityKind,
    Growth,
    Tier,
    Points,
    Tag,
    TagGroup,
    TagCount,
    TagTime,
    Attribute,
    ConnectionChannel,
    ConnectionAccount,
    ConnectionSource,
    ConnectionCount,
    ConnectionSince,
    ConnectionDays,
    LostChannel,
    LostSince,
    Orders,
    Spend,
    Average,
    Largest,
    PurchaseDays,
    FirstTime,
    LastTime,
    DaysSinceFirst,
    DaysSinceLast,
    Category,
    Sku,
    Store,
    Channel,
    Domain,
    Platform,
    CategorySpend,
    CategoryPieces,
    SkuPieces,
    StoreOrders,
    StoreSpend,
    Recency,
    Frequency,
    Monetary,
    Dormancy,
}

const IDENTITIES: &[&str] =
    &["unionid", "external_userid", "phone", "email", "platform_buyer", "openid"];
const DOMAINS: &[&str] = &["private", "public", "pos"];

/// A field without argument and window that everyone has.
const fn field(name: &'static str, what: What, kind: Kind, doc: &'static str) -> Field {
    Field { name, argument: "", what, kind, may_lack: false, windowed: false, doc }
}

/// The same, which not everyone has.
const fn lacking(name: &'static str, what: What, kind: Kind, doc: &'static str) -> Field {
    Field { may_lack: true, ..field(name, what, kind, doc) }
}

/// The same with a window.
const fn windowed(name: &'static str, what: What, kind: Kind, doc: &'static str) -> Field {
    Field { windowed: true, ..field(name, what, kind, doc) }
}

impl Field {
    const fn of(self, argument: &'static str) -> Self {
        Self { argument, ..self }
    }

    /// How it can be compared.
    pub fn operators(&self) -> Vec<Operator> {
        use Operator::{Above, AtLeast, AtMost, Below, Between, In, Known, NotIn, Unknown};
        let mut operators = match self.kind {
            Kind::Choice(_) | Kind::Text | Kind::Id(_) => vec![In, NotIn],
            Kind::Time => vec![AtLeast, AtMost, Above, Below, Between],
            Kind::Number | Kind::Amount | Kind::Attribute => {
                vec![In, NotIn, AtLeast, AtMost, Above, Below, Between]
            }
        };
        if self.may_lack {
            operators.extend([Known, Unknown]);
        }
        operators
    }

    /// What the values are, in the words of the contract.
    pub const fn field_type(&self) -> FieldType {
        match self.kind {
            Kind::Number => FieldType::Number,
            Kind::Amount => FieldType::Amount,
            Kind::Time => FieldType::Time,
            Kind::Choice(_) => FieldType::Choice,
            Kind::Text => FieldType::Text,
            Kind::Id(_) => FieldType::Id,
            Kind::Attribute => FieldType::Attribute,
        }
    }

    /// The words of a choice.
    pub const fn choices(&self) -> &'static [&'static str] {
        match self.kind {
            Kind::Choice(words) => words,
            Kind::Number
            | Kind::Amount
            | Kind::Time
            | Kind::Text
            | Kind::Id(_)
            | Kind::Attribute => &[],
        }
    }
}

/// The field of a name.
pub fn find(name: &str) -> Option<&'static Field> {
    FIELDS.iter().find(|field| field.name == name)
}

use Kind::{Amount, Attribute, Choice, Id, Number, Text, Time};

/// All fields, by name.
pub const FIELDS: &[Field] = &[
    lacking("attribute", What::Attribute, Attribute, "the value of an attribute of the merchant")
        .of("the code of the attribute"),
    windowed("bought.category", What::Category, Text, "a category that was bought"),
    windowed("bought.channel", What::Channel, Text, "a channel that was bought over"),
    windowed("bought.domain", What::Domain, Choice(DOMAINS), "a domain that was bought in"),
    windowed("bought.platform", What::Platform, Text, "a platform that was bought on"),
    windowed("bought.sku", What::Sku, Text, "an SKU that was bought"),
    windowed("bought.store", What::Store, Id("sto"), "a store that was bought in"),
    windowed("category.quantity", What::CategoryPieces, Number, "pieces bought of a category")
        .of("the category"),
    windowed("category.spend", What::CategorySpend, Amount, "what was paid for a category")
        .of("the category"),
    lacking(
        "connection.account",
        What::ConnectionAccount,
        Text,
        "an account with a live connection",
    ),
    lacking(
        "connection.channel",
        What::ConnectionChannel,
        Text,
        "a channel with a live connection",
    ),
    field("connection.count", What::ConnectionCount, Number, "how many connections are live"),
    lacking(
        "connection.days",
        What::ConnectionDays,
        Number,
        "days since a live connection was made",
    )
    .of("the channel"),
    lacking(
        "connection.lost_channel",
        What::LostChannel,
        Text,
        "a channel with a connection that ended",
    ),
    lacking("connection.lost_since", What::LostSince, Time, "when a connection ended")
        .of("the channel"),
    lacking("connection.since", What::ConnectionSince, Time, "since when a connection is live")
        .of("the channel"),
    lacking("connection.source", What::ConnectionSource, Text, "where a live connection came from"),
    field("growth.value", What::Growth, Number, "the growth value"),
    lacking("identity.kind", What::IdentityKind, Choice(IDENTITIES), "a kind of key that is known"),
    lacking(
        "lifecycle.dormancy",
        What::Dormancy,
        Choice(layers::DORMANCY),
        "active, quiet, drowsy, dormant or lost, by days since the last purchase; who never bought, since the \
         latest connection; lost too when every connection ended",
    ),
    windowed(
        "orders.average",
        What::Average,
        Amount,
        "what was paid for an order on average, rounded down",
    )
    .lacks(),
    windowed("orders.count", What::Orders, Number, "how many orders"),
    lacking(
        "orders.days_since_first",
        What::DaysSinceFirst,
        Number,
        "days since the first purchase",
    ),
    lacking("orders.days_since_last", What::DaysSinceLast, Number, "days since the last purchase"),
    lacking("orders.first_time", What::FirstTime, Time, "when the first order was paid"),
    windowed("orders.largest", What::Largest, Amount, "the most that was paid for one order")
        .lacks(),
    lacking("orders.last_time", What::LastTime, Time, "when the last order was paid"),
    windowed(
        "orders.purchase_days",
        What::PurchaseDays,
        Number,
        "on how many days something was bought",
    ),
    windowed("orders.spend", What::Spend, Amount, "what was paid for all orders"),
    field("person.create_time", What::PersonCreated, Time, "when the person was first seen"),
    field("person.days", What::PersonDays, Number, "days since the person was first seen"),
    field("person.id", What::PersonId, Id("per"), "the person"),
    field("points.total", What::Points, Number, "all points, pending ones too"),
    lacking(
        "rfm.frequency",
        What::Frequency,
        Number,
        "1 to 5, by purchase days in 365 days: 2, 3, 6, 10",
    ),
    lacking(
        "rfm.monetary",
        What::Monetary,
        Number,
        "1 to 5, by what was paid in 365 days: 300, 1,000, 2,000, 5,000 (in hundreds of minor units)",
    ),
    lacking(
        "rfm.recency",
        What::Recency,
        Number,
        "5 to 1, by days since the last purchase: 30, 90, 180, 365",
    ),
    windowed("sku.quantity", What::SkuPieces, Number, "pieces bought of an SKU").of("the SKU"),
    windowed("store.orders", What::StoreOrders, Number, "how many orders in a store")
        .of("the id of the store"),
    windowed("store.spend", What::StoreSpend, Amount, "what was paid in a store")
        .of("the id of the store"),
    field("tag.count", What::TagCount, Number, "how many tags the person carries"),
    lacking("tag.group", What::TagGroup, Id("tgr"), "a group of which a tag is carried"),
    lacking("tag.id", What::Tag, Id("tag"), "a tag that is carried"),
    lacking("tag.time", What::TagTime, Time, "since when a tag is carried").of("the id of the tag"),
    field("tier.level", What::Tier, Number, "the tier, 1 the lowest"),
];

impl Field {
    const fn lacks(self) -> Self {
        Self { may_lack: true, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_stand_by_name_each_once() {
        assert!(FIELDS.is_sorted_by(|a, b| a.name < b.name));
        assert!(FIELDS.len() >= 30, "{}", FIELDS.len());
    }
}
