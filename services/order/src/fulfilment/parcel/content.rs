//! What goes into a parcel: pieces of a part, and of an order of blind boxes the draws.

use std::collections::{BTreeMap, BTreeSet};

use siyu_kernel::{Code, Fault, Id, Violation};
use siyu_pg::Tx;
use siyu_proto::order::v1::FulfilmentLine;

use super::{Reached, check, store};
use crate::{
    blind_box,
    fulfilment::{
        ParcelId,
        assignment::{
            Assignment,
            part::{self, Lines},
        },
    },
    order::domain::OrderId,
};

/// A draw of a blind box in a parcel: the row.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Drawn {
    /// The parcel.
    pub parcel_id: ParcelId,
    /// The piece of the order.
    pub seq: i32,
    /// The prize.
    pub prize: String,
    /// Its SKU.
    pub sku: String,
}

/// The pieces that are named, or all that is left of a part; and whether anything of the part is left after them.
///
/// # Errors
/// The lines by field; `NOTHING_TO_SEND`.
pub(super) async fn pieces(
    tx: &mut Tx,
    of: &Assignment,
    asked: &[FulfilmentLine],
) -> Result<(Lines, Reached), Fault> {
    let key = (of.order_id, of.part);
    let all = part::store::lines(tx, key).await?;
    let sent = part::store::sent(tx, key).await?;
    let lines = if asked.is_empty() {
        part::less(&all, &sent)
    } else {
        asked.iter().map(|line| (line.line_no, line.quantity)).collect()
    };
    if lines.is_empty() {
        let message = "everything of the part was sent";
        return Err(Fault::new(Code::FailedPrecondition, "NOTHING_TO_SEND", message));
    }
    let reached = check(&all.into_iter().collect(), &sent.into_iter().collect(), &lines)?;
    Ok((lines, reached))
}

/// The draws of an order of blind boxes that go into a parcel; none for another order.
///
/// # Errors
/// The draws by field.
pub(super) async fn draws(
    tx: &mut Tx,
    order: OrderId,
    lines: &[(i32, i64)],
    asked: &[i32],
) -> Result<Vec<i32>, Fault> {
    if blind_box::store::order(tx, order).await?.is_none() {
        if asked.is_empty() {
            return Ok(Vec::new());
        }
        return Err(Fault::field("draw_sequences", "the order is not one of blind boxes"));
    }
    let drawn: BTreeSet<i32> =
        blind_box::store::draws(tx, order).await?.into_iter().map(|draw| draw.seq).collect();
    let sent: BTreeSet<i32> = store::sent_draws(tx, order).await?.into_iter().collect();
    let pieces: i64 = lines.iter().map(|(_, quantity)| quantity).sum();
    choose(&drawn, &sent, asked, usize::try_from(pieces).map_err(Fault::internal)?)
}

/// The draws that are named, or the next ones.
fn choose(
    drawn: &BTreeSet<i32>,
    sent: &BTreeSet<i32>,
    asked: &[i32],
    pieces: usize,
) -> Result<Vec<i32>, Fault> {
    let mut left: BTreeSet<i32> = drawn.difference(sent).copied().collect();
    if asked.is_empty() {
        return Ok(left.into_iter().take(pieces).collect());
    }
    let mut wrong = Vec::new();
    let mut say = |field: String, description: String| wrong.push(Violation { field, description });
    for (i, seq) in asked.iter().enumerate() {
        if !left.remove(seq) {
            let why = if drawn.contains(seq) { "is in a parcel" } else { "was not drawn" };
            say(format!("draw_sequences[{i}]"), why.to_owned());
        }
    }
    if asked.len() != pieces {
        say("draw_sequences".to_owned(), format!("must name {pieces} draws, as many as pieces"));
    }
    if wrong.is_empty() { Ok(asked.to_vec()) } else { Err(Fault::invalid(wrong)) }
}

/// What parcels hold, by parcel.
pub(super) struct Contents {
    lines: BTreeMap<ParcelId, Vec<(i32, i64)>>,
    draws: BTreeMap<ParcelId, Vec<Drawn>>,
}

impl Contents {
    /// Reads what parcels hold.
    pub(super) async fn of(tx: &mut Tx, parcels: &[ParcelId]) -> Result<Self, Fault> {
        let mut lines: BTreeMap<ParcelId, Vec<(i32, i64)>> = BTreeMap::new();
        for (parcel, line_no, quantity) in store::lines(tx, parcels).await? {
            lines.entry(Id::from_uuid(parcel)).or_default().push((line_no, quantity));
        }
        let mut draws: BTreeMap<ParcelId, Vec<Drawn>> = BTreeMap::new();
        for drawn in store::draws(tx, parcels).await? {
            draws.entry(drawn.parcel_id).or_default().push(drawn);
        }
        Ok(Self { lines, draws })
    }

    /// The lines of one.
    pub(super) fn lines(&self, parcel: ParcelId) -> &[(i32, i64)] {
        self.lines.get(&parcel).map_or(&[], Vec::as_slice)
    }

    /// The draws of one.
    pub(super) fn draws(&self, parcel: ParcelId) -> &[Drawn] {
        self.draws.get(&parcel).map_or(&[], Vec::as_slice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_are_those_that_are_named_or_the_next_ones_and_each_is_sent_once() {
        let (drawn, sent) = (BTreeSet::from([1, 2, 3, 4]), BTreeSet::from([2]));
        let of = |asked: &[i32], pieces| choose(&drawn, &sent, asked, pieces);
        assert_eq!(of(&[], 2).unwrap(), [1, 3]);
        assert_eq!(of(&[4, 1], 2).unwrap(), [4, 1]);
        let refused = of(&[2, 9, 3, 3], 3).unwrap_err();
        let fields: Vec<&str> = refused.violations().iter().map(|v| v.field.as_str()).collect();
        let expected =
            ["draw_sequences[0]", "draw_sequences[1]", "draw_sequences[3]", "draw_sequences"];
        assert_eq!(fields, expected);
    }
}
