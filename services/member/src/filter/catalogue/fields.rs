//! The fields themselves.

use super::{
    Field,
    Kind::{Amount, Attribute, Choice, Id, Number, Text, Time},
    What, field, lacking, windowed,
};
use crate::filter::{layers, node::Trait};

const IDENTITIES: &[&str] =
    &["unionid", "external_userid", "phone", "email", "platform_buyer", "openid"];
const DOMAINS: &[&str] = &["private", "public", "pos"];
const GENDERS: &[&str] = &["female", "male", "other"];
const DECIDED: &[&str] = &["granted", "withdrawn"];
const SCOPES: &[&str] = &["marketing", "promotion", "purchase"];

/// All fields, by name.
pub const FIELDS: &[Field] = &[
    lacking("attribute", What::Attribute, Attribute, "the value of an attribute of the merchant")
        .of("the code of the attribute"),
    lacking(
        "blacklist.scope",
        What::Blacklist,
        Choice(SCOPES),
        "what the person is shut out of, by id or by a key; who is shut out of everything, of each",
    ),
    windowed("bought.category", What::Category, Text, "a category that was bought"),
    windowed("bought.channel", What::Channel, Text, "a channel that was bought over"),
    windowed("bought.domain", What::Domain, Choice(DOMAINS), "a domain that was bought in"),
    windowed("bought.platform", What::Platform, Text, "a platform that was bought on"),
    windowed("bought.sku", What::Sku, Text, "an SKU that was bought"),
    windowed("bought.store", What::Store, Id("sto"), "a store that was bought in"),
    lacking("card.plan", What::Card, Id("cpl"), "the plan of a card of benefits that holds"),
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
    lacking(
        "consent.status",
        What::Consent,
        Choice(DECIDED),
        "what is in force; unknown where nothing was decided",
    )
    .of("the purpose, and the channel after a slash where there is one, like marketing/sms"),
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
    lacking("profile.birth_month", What::BirthMonth, Number, "the month of the birthday, 1 to 12"),
    lacking(
        "profile.birthday_days",
        What::BirthdayDays,
        Number,
        "days until the next birthday, 0 on the day itself; a 29 February is the 28th in other years",
    ),
    lacking("profile.city", What::Trait(Trait::City), Text, "the city"),
    lacking("profile.gender", What::Trait(Trait::Gender), Choice(GENDERS), "the gender"),
    lacking("profile.language", What::Trait(Trait::Language), Text, "the language, like zh-CN"),
    lacking("profile.province", What::Trait(Trait::Province), Text, "the province"),
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
