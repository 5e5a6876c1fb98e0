//! Our columns, and what a file calls them.

use std::{collections::HashMap, fmt, str::FromStr};

/// A column of the order file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Column {
    /// The number of the order on the platform.
    OrderNo,
    /// The number of the line within the order.
    LineNo,
    /// The buyer's id in the shop.
    BuyerId,
    /// When the buyer paid.
    PaidAt,
    /// The merchant's own key of the store.
    StoreId,
    /// Who owns the traffic.
    Domain,
    /// The channel within the domain.
    Channel,
    /// The SKU.
    Sku,
    /// The top-level category.
    Category,
    /// The pieces.
    Quantity,
    /// The currency of the amount.
    Currency,
    /// What the buyer paid for the line.
    Amount,
    /// The platform's word for the state.
    Status,
    /// The platform's version of the order.
    UpdatedAt,
}

/// How a file calls our columns, where it does not use our names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Renames(HashMap<Column, String>);

/// A `--columns` that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RenameError {
    /// No equals sign.
    #[error("\"{0}\" is not of the form OURS=THEIRS, for example order_no=basket_id")]
    Malformed(String),
    /// The left side is no column of ours.
    #[error("\"{0}\" is not one of our columns: {list}", list = names(&Column::ALL))]
    Unknown(String),
    /// The left side stands twice.
    #[error("\"{0}\" is given twice")]
    Twice(Column),
}

impl Column {
    /// Every column, in the order of the documentation.
    pub const ALL: [Self; 14] = [
        Self::OrderNo,
        Self::LineNo,
        Self::BuyerId,
        Self::PaidAt,
        Self::StoreId,
        Self::Domain,
        Self::Channel,
        Self::Sku,
        Self::Category,
        Self::Quantity,
        Self::Currency,
        Self::Amount,
        Self::Status,
        Self::UpdatedAt,
    ];

    /// The columns without which a row says nothing.
    pub const NEEDED: [Self; 4] = [Self::OrderNo, Self::BuyerId, Self::PaidAt, Self::Amount];

    /// The name in a header.
    pub const fn name(self) -> &'static str {
        match self {
            Self::OrderNo => "order_no",
            Self::LineNo => "line_no",
            Self::BuyerId => "buyer_id",
            Self::PaidAt => "paid_at",
            Self::StoreId => "store_id",
            Self::Domain => "domain",
            Self::Channel => "channel",
            Self::Sku => "sku",
            Self::Category => "category",
            Self::Quantity => "quantity",
            Self::Currency => "currency",
            Self::Amount => "amount",
            Self::Status => "status",
            Self::UpdatedAt => "updated_at",
        }
    }

    /// Finds the place of an error in an order: the index of the line, if it is one of a line, and the column, if it came
    /// from one.
    pub fn locate(path: &str) -> (Option<usize>, Option<Self>) {
        let (line, field) = match path.strip_prefix("lines[").and_then(|rest| rest.split_once(']'))
        {
            Some((index, field)) => (index.parse().ok(), field.trim_start_matches('.')),
            None => (None, path),
        };
        let column = match field {
            "line_no" => Self::LineNo,
            "sku" => Self::Sku,
            "category" => Self::Category,
            "quantity" => Self::Quantity,
            "paid.currency_code" => Self::Currency,
            "order_no" => Self::OrderNo,
            "buyer_id" => Self::BuyerId,
            "status" => Self::Status,
            "domain" => Self::Domain,
            "channel" => Self::Channel,
            "store_code" => Self::StoreId,
            _ if field.starts_with("paid") => Self::Amount,
            _ if field.starts_with("pay_time") => Self::PaidAt,
            _ if field.starts_with("update_time") => Self::UpdatedAt,
            _ => return (line, None),
        };
        (line, Some(column))
    }

    fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|column| column.name() == name)
    }
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Renames {
    /// What the file calls a column, if it is not our name.
    pub fn of(&self, column: Column) -> Option<&str> {
        self.0.get(&column).map(String::as_str)
    }
}

impl FromStr for Renames {
    type Err = RenameError;

    fn from_str(text: &str) -> Result<Self, RenameError> {
        let mut renames = HashMap::new();
        for pair in text.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
            let malformed = || RenameError::Malformed(pair.to_owned());
            let (ours, theirs) = pair.split_once('=').ok_or_else(malformed)?;
            let (ours, theirs) = (ours.trim(), theirs.trim());
            if theirs.is_empty() {
                return Err(malformed());
            }
            let column =
                Column::parse(ours).ok_or_else(|| RenameError::Unknown(ours.to_owned()))?;
            if renames.insert(column, theirs.to_owned()).is_some() {
                return Err(RenameError::Twice(column));
            }
        }
        Ok(Self(renames))
    }
}

/// Columns as a list for people.
pub(super) fn names(columns: &[Column]) -> String {
    columns.iter().map(|column| column.name()).collect::<Vec<_>>().join(", ")
}
