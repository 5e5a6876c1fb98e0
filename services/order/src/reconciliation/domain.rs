//! What a statement says, and where it differs from our books. Pure.

/// One movement of money in a statement.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Row {
    /// The way.
    pub kind: RowKind,
    /// Our number of it.
    pub out_no: String,
    /// The payment company's number of it.
    pub provider_no: String,
    /// How much, in minor units.
    pub amount_minor: i64,
    /// In which currency.
    pub currency: String,
}

/// The way that money went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum RowKind {
    /// From a buyer.
    Payment,
    /// Back to a buyer.
    Refund,
}
