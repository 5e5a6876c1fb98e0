//! How a transfer lies in its row.

use chrono::{DateTime, Utc};
use sqlx::{FromRow, Row, postgres::PgRow};

use crate::{
    Draw, Kind, LotId, LotTerms, Record,
    plan::{Hold, HoldState},
    record::UnknownWord,
};

impl FromRow<'_, PgRow> for Record {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        let kind: String = row.try_get("kind")?;
        let pending: Option<_> = row.try_get("pending_id")?;
        Ok(Self {
            id: row.try_get("id")?,
            kind: Kind::try_from(kind).map_err(unknown)?,
            debit: row.try_get("debit_account_id")?,
            credit: row.try_get("credit_account_id")?,
            amount: row.try_get("amount")?,
            target: pending.or(row.try_get("reverses_id")?),
            code: row.try_get("code")?,
            reference: row.try_get("reference_id")?,
            user_data: row.try_get("user_data")?,
            draw: draw(row.try_get("draw")?, row.try_get("draw_lot_id")?)?,
            lot: lot(row)?,
            until: row.try_get("until_at")?,
            debit_entry: row.try_get("debit_entry")?,
            credit_entry: row.try_get("credit_entry")?,
            debit_balance: row.try_get("debit_balance")?,
            credit_balance: row.try_get("credit_balance")?,
            posted_at: row.try_get("posted_at")?,
        })
    }
}

/// The word and the lot of a draw.
pub(super) const fn draw_columns(draw: Draw) -> (Option<&'static str>, Option<LotId>) {
    match draw {
        Draw::ByLimits => (None, None),
        Draw::Covered => (Some("covered"), None),
        Draw::Overdraft => (Some("overdraft"), None),
        Draw::Lot(id) => (Some("lot"), Some(id)),
    }
}

fn draw(word: Option<&str>, lot: Option<LotId>) -> Result<Draw, sqlx::Error> {
    match (word, lot) {
        (None, None) => Ok(Draw::ByLimits),
        (Some("covered"), None) => Ok(Draw::Covered),
        (Some("overdraft"), None) => Ok(Draw::Overdraft),
        (Some("lot"), Some(id)) => Ok(Draw::Lot(id)),
        (word, _) => Err(unknown(UnknownWord(word.unwrap_or_default().to_owned()))),
    }
}

fn lot(row: &PgRow) -> Result<Option<LotTerms>, sqlx::Error> {
    let times: (Option<DateTime<Utc>>, Option<DateTime<Utc>>) =
        (row.try_get("earned_at")?, row.try_get("available_at")?);
    let (Some(earned_at), Some(available_at)) = times else { return Ok(None) };
    Ok(Some(LotTerms { earned_at, available_at, expires_at: row.try_get("expires_at")? }))
}

/// The hold of a pending transfer in a row that joins both.
pub(super) fn hold(row: &PgRow) -> Result<Option<Hold>, sqlx::Error> {
    let Some(word) = row.try_get::<Option<String>, _>("hold_state")? else { return Ok(None) };
    let state = HoldState::ALL.into_iter().find(|state| state.as_str() == word);
    Ok(Some(Hold {
        state: state.ok_or_else(|| unknown(UnknownWord(word)))?,
        expires_at: row.try_get("until_at")?,
        ended_by: row.try_get("ended_by_id")?,
    }))
}

fn unknown(word: UnknownWord) -> sqlx::Error {
    sqlx::Error::Decode(Box::new(word))
}
