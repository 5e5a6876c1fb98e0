//! What belongs to the parts of an order, and where it is reserved.

pub mod store;

use std::collections::BTreeSet;

use siyu_kernel::Fault;
use siyu_pg::Tx;

use super::Assignment;
use crate::{
    App,
    fulfilment::pickup::By,
    order::domain::OrderId,
    stock::{self, Demand, Key, Part, ReleaseCause, Request, Reservation},
};

/// Lines with pieces.
pub(crate) type Lines = Vec<(i32, i64)>;

/// Has pieces of a part reserved at another location: all of them or none. Pieces that are not counted are nowhere.
///
/// # Errors
/// `STOCK_SHORT` naming the lines.
pub(crate) async fn relocate(
    app: &App,
    tx: &mut Tx,
    part: &Assignment,
    lines: &[(i32, i64)],
    to: &str,
    by: By<'_>,
) -> Result<(), Fault> {
    if to.is_empty() || part.location.is_empty() || part.location == to {
        return Ok(());
    }
    let held = stock::held(tx, part.order_id).await?;
    let moved = moved(&held, lines, &part.location);
    let keys: BTreeSet<Key> = moved
        .iter()
        .flat_map(|(key, _)| [key.key.clone(), Key { location: to.to_owned(), ..key.key.clone() }])
        .collect();
    // Both ends at once and in their order, so that two orders that cross never wait for each other.
    stock::store::lock(tx, &keys.iter().collect()).await?;
    let part_of = |(key, quantity): &(&stock::ReservationKey, i64)| Part {
        line_no: key.line_no,
        sku: key.key.sku.clone(),
        location: Some(key.key.location.clone()),
        quantity: *quantity,
    };
    let demand_of = |(key, quantity): &(&stock::ReservationKey, i64)| Demand {
        line_no: key.line_no,
        key: Key { sku: key.key.sku.clone(), location: to.to_owned() },
        channel: key.channel.clone(),
        quantity: *quantity,
    };
    let parts: Vec<Part> = moved.iter().map(part_of).collect();
    let demands = moved.iter().map(demand_of).collect();
    let (order_id, ids) = (part.order_id, &*app.ids);
    let freed =
        stock::release_parts(tx, order_id, &parts, ReleaseCause::Rerouted, by.now, ids).await?;
    freed.map_err(|short| stock::refusal(&short))?;
    let request = Request { order_id, demands, expires_at: None };
    let taken = stock::reserve(tx, &request, by.now, ids).await?;
    taken.map_err(|short| stock::refusal(&short))?;
    super::store::move_to(tx, (order_id, part.part), to).await?;
    Ok(())
}

/// What is held of lines at a location, no more than the lines ask for.
fn moved<'a>(
    held: &'a [Reservation],
    lines: &[(i32, i64)],
    from: &str,
) -> Vec<(&'a stock::ReservationKey, i64)> {
    let at = |reservation: &&Reservation| reservation.key.key.location == from;
    let asked = |reservation: &Reservation| {
        let of = lines.iter().filter(|(line_no, _)| *line_no == reservation.key.line_no);
        of.map(|(_, quantity)| quantity).sum::<i64>()
    };
    held.iter()
        .filter(at)
        .map(|reservation| (&reservation.key, asked(reservation).min(reservation.held)))
        .filter(|(_, quantity)| *quantity > 0)
        .collect()
}

/// Hands over pieces of a part: they are neither on hand nor reserved any more.
///
/// # Errors
/// `STOCK_SHORT` naming the lines.
pub(crate) async fn hand_over(
    app: &App,
    tx: &mut Tx,
    (order_id, location): (OrderId, &str),
    lines: &[(i32, i64)],
    by: By<'_>,
) -> Result<(), Fault> {
    let held = stock::held(tx, order_id).await?;
    let parts: Vec<Part> = moved(&held, lines, location)
        .into_iter()
        .map(|(key, quantity)| Part {
            line_no: key.line_no,
            sku: key.key.sku.clone(),
            location: Some(location.to_owned()),
            quantity,
        })
        .collect();
    if parts.is_empty() {
        return Ok(());
    }
    let done = stock::commit(tx, order_id, &parts, by.now, &*app.ids).await?;
    done.map_err(|short| stock::refusal(&short))
}

/// What is left of lines after some of them were taken, and what that leaves; lines of which nothing is left are gone.
pub(crate) fn less(lines: &[(i32, i64)], taken: &[(i32, i64)]) -> Lines {
    let taken_of = |line_no: i32| {
        let of = taken.iter().filter(|(taken, _)| *taken == line_no);
        of.map(|(_, quantity)| quantity).sum::<i64>()
    };
    lines
        .iter()
        .map(|&(line_no, quantity)| (line_no, quantity - taken_of(line_no)))
        .filter(|(_, quantity)| *quantity > 0)
        .collect()
}

/// Takes pieces of a line off parts that have some left to send, in the order given; gives what each then loses.
pub(crate) fn shrink(unsent: &[(i32, i64)], mut pieces: i64) -> Vec<(i32, i64)> {
    let mut lost = Vec::new();
    for &(part, left) in unsent {
        let taken = pieces.min(left);
        if taken > 0 {
            pieces -= taken;
            lost.push((part, taken));
        }
    }
    lost
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_of_lines_is_what_nobody_took() {
        assert_eq!(less(&[(1, 3), (2, 1)], &[]), [(1, 3), (2, 1)]);
        assert_eq!(less(&[(1, 3), (2, 1)], &[(1, 1), (1, 1), (2, 1)]), [(1, 1)]);
        assert_eq!(less(&[(1, 3)], &[(1, 4)]), []);
    }

    #[test]
    fn pieces_that_go_back_are_taken_off_the_parts_in_turn() {
        assert_eq!(shrink(&[(1, 2), (2, 3)], 1), [(1, 1)]);
        assert_eq!(shrink(&[(1, 2), (2, 3)], 4), [(1, 2), (2, 2)]);
        // What the buyer sends back was sent before: no part waits for it.
        assert_eq!(shrink(&[(1, 2), (2, 0)], 9), [(1, 2)]);
    }
}
