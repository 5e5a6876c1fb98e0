//! What reserving, releasing, handing over and taking back do to stock. Pure: a book of locked stocks comes in, with changes
//! it goes out. Whoever refuses leaves the book as it was.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::{
    book::Book,
    demand::{Part, ReleaseCause, Request, Reservation, ReservationKey, Restock, Shortage},
    domain::{Cause, Key, Of, Stock},
};

#[cfg(test)]
mod tests;

/// Reserves what an order wants, all of it or nothing; names every line that cannot have what it asks for. A SKU that is not
/// counted needs no pieces. The reservations in the book are what is added to those of the order.
pub fn reserve(
    book: &mut Book,
    request: &Request,
    now: DateTime<Utc>,
) -> Result<(), Vec<Shortage>> {
    let mut short = Vec::new();
    let mut draft: BTreeMap<&Key, Stock> = BTreeMap::new();
    for demand in &request.demands {
        assert!(demand.quantity >= 1, "a demand is for at least a piece");
        if book.place(&demand.key).is_some_and(super::Place::is_not_counted) {
            continue;
        }
        let stock = draft
            .entry(&demand.key)
            .or_insert_with(|| book.stock(&demand.key).cloned().unwrap_or(Stock::none(now)));
        let available = stock.available_to(&demand.channel);
        if demand.quantity > available {
            short.push(Shortage {
                line_no: demand.line_no,
                key: demand.key.clone(),
                asked: demand.quantity,
                available,
            });
            continue;
        }
        take(stock, &demand.channel, demand.quantity);
    }
    if !short.is_empty() {
        return Err(short);
    }
    for demand in &request.demands {
        if book.place(&demand.key).is_some_and(super::Place::is_not_counted) {
            continue;
        }
        let of = Of { line: Some((request.order_id, demand.line_no)), ..Of::default() };
        book.post(&demand.key, Cause::Reserved, (0, demand.quantity), of);
        let from_bucket = draw(book.change(&demand.key), &demand.channel, demand.quantity);
        let key = ReservationKey {
            order_id: request.order_id,
            line_no: demand.line_no,
            key: demand.key.clone(),
            channel: demand.channel.clone(),
        };
        let before = book.reservation(&key).cloned().unwrap_or(Reservation {
            key,
            quantity: 0,
            held: 0,
            from_bucket: 0,
            committed: 0,
            returned: 0,
            expires_at: request.expires_at,
            created_at: now,
        });
        book.write(Reservation {
            quantity: before.quantity + demand.quantity,
            held: before.held + demand.quantity,
            from_bucket: before.from_bucket + from_bucket,
            ..before
        });
    }
    Ok(())
}

/// Takes pieces of what a channel can sell, in a draft.
fn take(stock: &mut Stock, channel: &str, quantity: i64) {
    stock.reserved += quantity;
    draw(stock, channel, quantity);
}

/// Takes pieces out of the bucket of a channel, if it has one; gives how many.
fn draw(stock: &mut Stock, channel: &str, quantity: i64) -> i64 {
    let Some(left) = stock.buckets.get_mut(channel) else { return 0 };
    *left -= quantity;
    assert!(*left >= 0, "a bucket gives no more than it has");
    quantity
}

/// Releases everything that is held.
pub fn release(book: &mut Book, reservations: &[Reservation], cause: ReleaseCause) {
    for reservation in reservations.iter().filter(|reservation| reservation.held > 0) {
        let left = let_go(book, reservation, reservation.held, cause);
        book.write(left);
    }
}

/// Releases some pieces of lines; refuses when less is held.
pub fn release_parts(
    book: &mut Book,
    reservations: &[Reservation],
    parts: &[Part],
    cause: ReleaseCause,
) -> Result<(), Vec<Shortage>> {
    for (i, quantity) in spread(reservations, parts, |reservation| reservation.held)? {
        let left = let_go(book, &reservations[i], quantity, cause);
        book.write(left);
    }
    Ok(())
}

fn let_go(book: &mut Book, from: &Reservation, quantity: i64, cause: ReleaseCause) -> Reservation {
    let ReservationKey { key, channel, .. } = &from.key;
    book.post(key, Cause::Released, (0, -quantity), of(from, cause.as_str()));
    // What was set aside for a channel is set aside again, unless there is no bucket any more.
    let back = quantity.min(from.from_bucket);
    if back > 0
        && let Some(left) = book.change(key).buckets.get_mut(channel)
    {
        *left += back;
    }
    Reservation { held: from.held - quantity, from_bucket: from.from_bucket - back, ..from.clone() }
}

/// Hands over some pieces of lines; refuses when less is held, or less is on hand than was counted on.
pub fn commit(
    book: &mut Book,
    reservations: &[Reservation],
    parts: &[Part],
) -> Result<(), Vec<Shortage>> {
    let taken = spread(reservations, parts, |reservation| reservation.held)?;
    let mut left: BTreeMap<&Key, i64> = BTreeMap::new();
    let mut short = Vec::new();
    for (&i, &asked) in &taken {
        let ReservationKey { key, line_no, .. } = &reservations[i].key;
        let on_hand =
            left.entry(key).or_insert_with(|| book.stock(key).map_or(0, |stock| stock.on_hand));
        if asked > *on_hand {
            let key = key.clone();
            short.push(Shortage { line_no: *line_no, key, asked, available: *on_hand });
        } else {
            *on_hand -= asked;
        }
    }
    if !short.is_empty() {
        return Err(short);
    }
    for (i, quantity) in taken {
        let from = &reservations[i];
        book.post(&from.key.key, Cause::Committed, (-quantity, -quantity), of(from, ""));
        book.write(Reservation {
            held: from.held - quantity,
            from_bucket: from.from_bucket - quantity.min(from.from_bucket),
            committed: from.committed + quantity,
            ..from.clone()
        });
    }
    Ok(())
}

/// Takes back some pieces of lines; refuses when less was handed over and not returned yet. Pieces that go nowhere move
/// nothing: they are counted as returned only.
pub fn give_back(
    book: &mut Book,
    reservations: &[Reservation],
    parts: &[Part],
    restock: &Restock,
) -> Result<(), Vec<Shortage>> {
    let out = |reservation: &Reservation| reservation.committed - reservation.returned;
    for (i, quantity) in spread(reservations, parts, out)? {
        let from = &reservations[i];
        if let Some(key) = destination(from, restock) {
            book.post(&key, Cause::Returned, (quantity, 0), of(from, ""));
        }
        book.write(Reservation { returned: from.returned + quantity, ..from.clone() });
    }
    Ok(())
}

/// Where a piece of a reservation goes that comes back.
pub(super) fn destination(from: &Reservation, restock: &Restock) -> Option<Key> {
    let key = &from.key.key;
    match restock {
        Restock::Origin => Some(key.clone()),
        Restock::At(location) => Some(Key { location: location.clone(), ..key.clone() }),
        Restock::Nowhere => None,
    }
}

fn of(reservation: &Reservation, note: &str) -> Of {
    let ReservationKey { order_id, line_no, .. } = reservation.key;
    Of { line: Some((order_id, line_no)), note: note.to_owned(), ..Of::default() }
}

/// Spreads parts over reservations that have something `left`: by location, a reservation at most once. A line without any
/// reservation of the SKU is one of a SKU that is not counted, and has nothing to spread.
fn spread(
    reservations: &[Reservation],
    parts: &[Part],
    left: impl Fn(&Reservation) -> i64,
) -> Result<BTreeMap<usize, i64>, Vec<Shortage>> {
    let mut taken: BTreeMap<usize, i64> = BTreeMap::new();
    let mut short = Vec::new();
    for part in parts {
        assert!(part.quantity >= 1, "a part has at least a piece");
        let is_of = |reservation: &Reservation| {
            let ReservationKey { line_no, key, .. } = &reservation.key;
            *line_no == part.line_no && key.sku == part.sku
        };
        if !reservations.iter().any(is_of) {
            continue;
        }
        let mut open = part.quantity;
        let fits = reservations.iter().enumerate().filter(|(_, reservation)| {
            let at = &reservation.key.key.location;
            is_of(reservation) && part.location.as_ref().is_none_or(|location| location == at)
        });
        for (i, reservation) in fits {
            let before = taken.get(&i).copied().unwrap_or(0);
            let now = open.min(left(reservation) - before);
            if now > 0 {
                taken.insert(i, before + now);
                open -= now;
            }
        }
        if open > 0 {
            let key =
                Key { sku: part.sku.clone(), location: part.location.clone().unwrap_or_default() };
            let (line_no, asked) = (part.line_no, part.quantity);
            short.push(Shortage { line_no, key, asked, available: asked - open });
        }
    }
    if short.is_empty() { Ok(taken) } else { Err(short) }
}
