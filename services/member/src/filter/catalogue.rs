//! What a condition can name: one line for each field, from which the contract's answer and the table in the README are made.

mod fields;

pub use fields::FIELDS;
use siyu_proto::member::v1::{FieldType, Operator};

use super::node::Trait;

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
    Trait(Trait),
    BirthMonth,
    BirthdayDays,
    Consent,
    Blacklist,
    Card,
}

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
