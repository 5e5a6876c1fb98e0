//! Parcels (包裹): an order may leave in several, each with some pieces of some lines. What a line has left to send is what it
//! has now, refunds taken off, less what was sent and did not come back.

pub mod content;
pub(crate) mod rpc;
pub mod store;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use siyu_kernel::{Code, Fault, Id, Violation};
use siyu_pg::Tx;

use super::{ParcelId, StoreId};
use crate::{App, order::domain::OrderId};

/// A parcel: the row.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Parcel {
    /// The parcel.
    pub id: ParcelId,
    /// The order.
    pub order_id: OrderId,
    /// The part of it.
    pub part: i32,
    /// Who sent it; nothing: headquarters.
    pub store_id: Option<StoreId>,
    /// Who brings it.
    pub carrier: String,
    /// The carrier's number.
    pub tracking_no: String,
    /// When it was sent.
    pub shipped_at: DateTime<Utc>,
    /// When it arrived.
    pub signed_at: Option<DateTime<Utc>>,
}

/// A parcel to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewParcel {
    /// The order.
    pub order_id: OrderId,
    /// The part of it.
    pub part: i32,
    /// Who sends it; nothing: headquarters.
    pub store_id: Option<StoreId>,
    /// Who brings it.
    pub carrier: String,
    /// The carrier's number.
    pub tracking_no: String,
    /// Lines with pieces.
    pub lines: Vec<(i32, i64)>,
}

/// How far an order has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reached {
    /// Some of it.
    Part,
    /// All of it.
    All,
}

/// Checks a parcel against what is left to send; gives whether anything is left after it.
///
/// # Errors
/// Every line that is not as it must be, by field.
pub fn check(
    ordered: &BTreeMap<i32, i64>,
    sent: &BTreeMap<i32, i64>,
    lines: &[(i32, i64)],
) -> Result<Reached, Fault> {
    let (mut wrong, mut now) = (Vec::new(), sent.clone());
    for (i, (line_no, quantity)) in lines.iter().enumerate() {
        let mut say = |field: &str, description: String| {
            wrong.push(Violation { field: format!("lines[{i}].{field}"), description });
        };
        let Some(of) = ordered.get(line_no) else {
            say("line_no", "the order has no such line".to_owned());
            continue;
        };
        let so_far = now.entry(*line_no).or_default();
        let left = (of - *so_far).max(0);
        if *quantity < 1 {
            say("quantity", "must be positive".to_owned());
        } else if *quantity > left {
            say("quantity", format!("is more than the {left} pieces that are left to send"));
        } else {
            *so_far += quantity;
        }
    }
    if lines.is_empty() {
        let description = "is required".to_owned();
        wrong.push(Violation { field: "lines".to_owned(), description });
    }
    if !wrong.is_empty() {
        return Err(Fault::invalid(wrong));
    }
    let is_sent = |(line_no, of): (&i32, &i64)| now.get(line_no).copied().unwrap_or(0) >= *of;
    Ok(if ordered.iter().all(is_sent) { Reached::All } else { Reached::Part })
}

/// Sends a parcel. The order is locked, so that two parcels never hold the same piece.
///
/// # Errors
/// `NOT_FOUND`; the lines by field; `PARCEL_KNOWN` when the order has a parcel with that number.
pub async fn ship(
    app: &App,
    tx: &mut Tx,
    new: NewParcel,
    now: DateTime<Utc>,
) -> Result<(Parcel, Reached), Fault> {
    if !store::lock_order(tx, new.order_id).await? {
        return Err(Fault::not_found("order"));
    }
    let ordered = store::ordered(tx, new.order_id).await?.into_iter().collect();
    let sent = store::sent(tx, new.order_id).await?.into_iter().collect();
    let reached = check(&ordered, &sent, &new.lines)?;
    let parcel = Parcel {
        id: Id::from_uuid(app.ids.uuid()),
        order_id: new.order_id,
        part: new.part,
        store_id: new.store_id,
        carrier: new.carrier,
        tracking_no: new.tracking_no,
        shipped_at: now,
        signed_at: None,
    };
    if !store::insert(tx, &parcel).await? {
        let message = "the order has a parcel with that number";
        return Err(Fault::new(Code::AlreadyExists, "PARCEL_KNOWN", message));
    }
    store::insert_lines(tx, parcel.id, &new.lines).await?;
    Ok((parcel, reached))
}

/// A parcel arrived; tells whether all of the order has. The first instant stays; a repeat changes nothing.
///
/// # Errors
/// `NOT_FOUND`.
pub async fn sign(
    tx: &mut Tx,
    id: ParcelId,
    at: DateTime<Utc>,
) -> Result<(Parcel, Reached), Fault> {
    let not_found = || Fault::not_found("parcel");
    // The order first: locks are taken in one order.
    let order = store::find(tx, id).await?.ok_or_else(not_found)?.order_id;
    store::lock_order(tx, order).await?;
    store::sign(tx, id, at).await?;
    let parcel = store::find(tx, id).await?.ok_or_else(not_found)?;
    let reached = signed_all(tx, order).await?;
    Ok((parcel, reached))
}

/// How much of what is left of an order has arrived.
pub(crate) async fn signed_all(tx: &mut Tx, order: OrderId) -> Result<Reached, Fault> {
    Ok(reached(&store::ordered(tx, order).await?, &store::signed(tx, order).await?))
}

/// How much of what is left of an order was sent.
pub(crate) async fn sent_all(tx: &mut Tx, order: OrderId) -> Result<Reached, Fault> {
    Ok(reached(&store::ordered(tx, order).await?, &store::sent(tx, order).await?))
}

fn reached(ordered: &[(i32, i64)], so_far: &[(i32, i64)]) -> Reached {
    let so_far: BTreeMap<i32, i64> = so_far.iter().copied().collect();
    let has = |(line_no, of): &(i32, i64)| so_far.get(line_no).copied().unwrap_or(0) >= *of;
    if ordered.iter().all(has) { Reached::All } else { Reached::Part }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parcel_holds_what_is_left_to_send_and_says_of_each_line_what_is_wrong() {
        let ordered = BTreeMap::from([(1, 3), (2, 1)]);
        let of = |sent: &[(i32, i64)], lines: &[(i32, i64)]| {
            check(&ordered, &sent.iter().copied().collect(), lines)
        };
        assert_eq!(of(&[], &[(1, 3)]).unwrap(), Reached::Part);
        assert_eq!(of(&[(1, 3)], &[(2, 1)]).unwrap(), Reached::All);
        assert_eq!(of(&[], &[(1, 3), (2, 1)]).unwrap(), Reached::All);
        // More was sent than the order has now: a refund came afterwards.
        assert_eq!(of(&[(1, 5)], &[(2, 1)]).unwrap(), Reached::All);
        let refused = of(&[(1, 2)], &[(1, 2), (2, 0), (3, 1), (1, 1), (1, 1)]).unwrap_err();
        let wrong: Vec<(&str, &str)> =
            refused.violations().iter().map(|v| (&*v.field, &*v.description)).collect();
        let expected = [
            ("lines[0].quantity", "is more than the 1 pieces that are left to send"),
            ("lines[1].quantity", "must be positive"),
            ("lines[2].line_no", "the order has no such line"),
            ("lines[4].quantity", "is more than the 0 pieces that are left to send"),
        ];
        assert_eq!(wrong, expected);
        assert_eq!(of(&[], &[]).unwrap_err().violations()[0].field, "lines");
    }
}
