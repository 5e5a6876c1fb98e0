//! What the values of attributes may be. Pure.

use siyu_kernel::{Fault, LocalDay};
use siyu_proto::member::v1 as proto;

use super::Attribute;
use crate::filter::{Numbers, number};

/// What the values of an attribute are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum AttributeType {
    /// Texts.
    Text,
    /// Whole numbers.
    Number,
    /// True or false.
    Flag,
    /// Days.
    Day,
    /// One of some words.
    Choice,
}

/// A value as it is kept: a text, or a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kept {
    /// Of a text or a choice.
    Text(String),
    /// Of a number, a flag (1, 0) or a day (since 1970-01-01).
    Number(i64),
}

impl AttributeType {
    /// The word in columns.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Number => "number",
            Self::Flag => "flag",
            Self::Day => "day",
            Self::Choice => "choice",
        }
    }

    /// Whether values are more or less than others.
    pub const fn is_ordered(self) -> bool {
        matches!(self, Self::Number | Self::Day)
    }

    /// Reads a value of the contract.
    pub fn read(value: i32) -> Option<Self> {
        match proto::AttributeType::try_from(value).ok()? {
            proto::AttributeType::Unspecified => None,
            proto::AttributeType::Text => Some(Self::Text),
            proto::AttributeType::Number => Some(Self::Number),
            proto::AttributeType::Flag => Some(Self::Flag),
            proto::AttributeType::Day => Some(Self::Day),
            proto::AttributeType::Choice => Some(Self::Choice),
        }
    }
}

impl From<AttributeType> for proto::AttributeType {
    fn from(kind: AttributeType) -> Self {
        match kind {
            AttributeType::Text => Self::Text,
            AttributeType::Number => Self::Number,
            AttributeType::Flag => Self::Flag,
            AttributeType::Day => Self::Day,
            AttributeType::Choice => Self::Choice,
        }
    }
}

impl Attribute {
    /// Reads a value of the attribute.
    ///
    /// # Errors
    /// A fault at the field when the value does not suit.
    pub fn read(&self, field: &str, text: &str) -> Result<Kept, Fault> {
        let numbers = match self.kind {
            AttributeType::Text => return Ok(Kept::Text(text.to_owned())),
            AttributeType::Choice if self.choices.iter().any(|choice| choice == text) => {
                return Ok(Kept::Text(text.to_owned()));
            }
            AttributeType::Choice => {
                return Err(Fault::field(field, "is not one of the choices"));
            }
            AttributeType::Number => Numbers::Whole,
            AttributeType::Flag => Numbers::Flags,
            AttributeType::Day => Numbers::Days,
        };
        let read = number(text, numbers).ok_or_else(|| Fault::field(field, numbers.wanted()))?;
        Ok(Kept::Number(read))
    }

    /// Shows a number that is kept as the attribute's type says.
    pub fn show(&self, number: i64) -> String {
        match self.kind {
            AttributeType::Flag => (number != 0).to_string(),
            AttributeType::Day => match i32::try_from(number) {
                Ok(day) => LocalDay(day).to_string(),
                Err(_) => number.to_string(),
            },
            AttributeType::Text | AttributeType::Number | AttributeType::Choice => {
                number.to_string()
            }
        }
    }
}

/// Whether a text may be a code: filters name it after a colon.
pub fn is_code(text: &str) -> bool {
    let is_fine = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
    !text.is_empty() && text.bytes().all(is_fine)
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use siyu_kernel::Id;
    use uuid::Uuid;

    use super::*;

    fn of(kind: AttributeType) -> Attribute {
        Attribute {
            id: Id::from_uuid(Uuid::nil()),
            code: "a".into(),
            name: "a".into(),
            kind,
            choices: vec!["dry".into(), "oily".into()],
            created_at: DateTime::UNIX_EPOCH,
        }
    }

    #[test]
    fn a_value_is_shown_as_it_was_given() {
        for (kind, text) in [
            (AttributeType::Number, "-12"),
            (AttributeType::Flag, "true"),
            (AttributeType::Flag, "false"),
            (AttributeType::Day, "1969-12-31"),
            (AttributeType::Day, "2024-02-29"),
        ] {
            let Kept::Number(number) = of(kind).read("value", text).unwrap() else {
                panic!("{text}")
            };
            assert_eq!(of(kind).show(number), text);
        }
    }

    #[test]
    fn a_value_that_does_not_suit_is_refused() {
        for (kind, text) in [
            (AttributeType::Number, "1.5"),
            (AttributeType::Number, "9999999999999"),
            (AttributeType::Flag, "yes"),
            (AttributeType::Day, "2023-02-29"),
            (AttributeType::Choice, "wet"),
        ] {
            let refused = of(kind).read("values[0].value", text).unwrap_err();
            assert_eq!(refused.violations()[0].field, "values[0].value", "{text}");
        }
    }
}
