//! Parameters, names and bounds of a statement in the making.

use std::fmt::Write as _;

use siyu_kernel::{Id, kind::Merchant};
use sqlx::{Arguments as _, postgres::PgArguments};

use super::{Chunk, Whom};

/// A statement in the making. The merchant is its first parameter, those who may be meant are named in `bounds`.
pub(super) struct Writer {
    arguments: PgArguments,
    parameters: usize,
    aliases: usize,
    after: Option<String>,
    until: Option<String>,
    these: Option<String>,
}

impl Writer {
    pub(super) fn new(merchant: Id<Merchant>, whom: Whom<'_>) -> Self {
        let mut writer = Self {
            arguments: PgArguments::default(),
            parameters: 0,
            aliases: 0,
            after: None,
            until: None,
            these: None,
        };
        writer.bind(merchant);
        match whom {
            Whom::Everyone => {}
            Whom::Chunk(Chunk { after, until }) => {
                writer.after = after.map(|after| writer.bind(after));
                writer.until = until.map(|until| writer.bind(until));
            }
            Whom::These(persons) => writer.these = Some(writer.bind(persons.to_vec())),
        }
        writer
    }

    /// The values of its parameters.
    pub(super) fn arguments(self) -> PgArguments {
        self.arguments
    }

    /// Makes a value a parameter.
    pub(super) fn bind<'q, T>(&mut self, value: T) -> String
    where
        T: sqlx::Encode<'q, sqlx::Postgres> + sqlx::Type<sqlx::Postgres> + 'q,
    {
        self.arguments.add(value).expect("ids, numbers, instants and texts can be encoded");
        self.parameters += 1;
        format!("${}", self.parameters)
    }

    pub(super) fn alias(&mut self, letter: char) -> String {
        self.aliases += 1;
        format!("{letter}{}", self.aliases - 1)
    }

    /// What keeps a table to the merchant and to those who may be meant; `person` is its column of persons.
    pub(super) fn bounds(&self, alias: &str, person: &str) -> String {
        let mut text = format!("{alias}.merchant_id = $1");
        if let Some(after) = &self.after {
            let _ = write!(text, " and {alias}.{person} > {after}");
        }
        if let Some(until) = &self.until {
            let _ = write!(text, " and {alias}.{person} <= {until}");
        }
        if let Some(these) = &self.these {
            let _ = write!(text, " and {alias}.{person} = any ({these})");
        }
        text
    }
}
