use siyu_kernel::Id;
use uuid::Uuid;

use super::*;
use crate::stock::{Demand, Place, edit};

mod random;

fn now() -> DateTime<Utc> {
    "2024-06-01T00:00:00Z".parse().unwrap()
}

fn key(sku: u8, location: u8) -> Key {
    Key { sku: format!("sku {sku}"), location: format!("at {location}") }
}

fn order(n: u8) -> crate::order::domain::OrderId {
    Id::from_uuid(Uuid::from_u128(u128::from(n) + 1))
}

fn stock(on_hand: i64, safety: i64, buckets: &[(&str, i64)]) -> Stock {
    let buckets = buckets.iter().map(|&(channel, left)| (channel.to_owned(), left)).collect();
    Stock { on_hand, safety, buckets, ..Stock::none(now()) }
}

fn book(places: &[(Key, Stock)]) -> Book {
    let place = |(key, stock): &(Key, Stock)| {
        (key.clone(), Place { kept: Some(true), stock: Some(stock.clone()) })
    };
    Book::new(places.iter().map(place).collect())
}

fn demand(line_no: i32, key: Key, channel: &str, quantity: i64) -> Demand {
    Demand { line_no, key, channel: channel.to_owned(), quantity }
}

fn request(n: u8, demands: Vec<Demand>) -> Request {
    Request { order_id: order(n), demands, expires_at: None }
}

fn part(line_no: i32, sku: u8, quantity: i64) -> Part {
    Part { line_no, sku: format!("sku {sku}"), location: None, quantity }
}

#[test]
fn lines_that_share_a_sku_are_added_up_and_the_one_that_is_short_is_named() {
    let mut book = book(&[(key(0, 0), stock(5, 0, &[]))]);
    let wanted = vec![demand(1, key(0, 0), "", 3), demand(2, key(0, 0), "", 3)];
    let before = book.clone();
    let short = reserve(&mut book, &request(0, wanted), now()).unwrap_err();
    assert_eq!(
        short,
        [Shortage { line_no: 2, key: key(0, 0), asked: 3, available: 2 }],
        "after what line 1 asks for"
    );
    assert_eq!(book.stock(&key(0, 0)), before.stock(&key(0, 0)));
    assert!(book.movements().is_empty());
}

#[test]
fn a_channel_sells_its_bucket_alone_and_others_what_is_in_none() {
    let mut book = book(&[(key(0, 0), stock(10, 1, &[("live", 4)]))]);
    let one = |channel: &str, quantity| request(0, vec![demand(1, key(0, 0), channel, quantity)]);
    let available =
        |book: &Book, channel: &str| book.stock(&key(0, 0)).unwrap().available_to(channel);
    assert_eq!(
        (available(&book, "live"), available(&book, ""), available(&book, "shop")),
        (4, 5, 5)
    );
    assert_eq!(reserve(&mut book, &one("live", 5), now()).unwrap_err()[0].available, 4);
    assert_eq!(reserve(&mut book, &one("shop", 5), now()), Ok(()));
    assert_eq!((available(&book, "live"), available(&book, "")), (4, 0));
    assert_eq!(reserve(&mut book, &one("live", 4), now()), Ok(()));
    assert_eq!(available(&book, "live"), 0);
    let held: Vec<Reservation> = book.reservations().cloned().collect();
    release(&mut book, &held, ReleaseCause::Cancelled);
    assert_eq!((available(&book, "live"), available(&book, "")), (4, 5), "each goes back");
}

#[test]
fn safety_above_what_is_left_leaves_nothing_to_sell_and_takes_nothing_back() {
    let mut book = book(&[(key(0, 0), stock(10, 0, &[]))]);
    let one = request(0, vec![demand(1, key(0, 0), "", 4)]);
    reserve(&mut book, &one, now()).unwrap();
    edit::set_safety(&mut book, &key(0, 0), 50);
    let stand = book.stock(&key(0, 0)).unwrap();
    assert_eq!((stand.available(), stand.reserved), (0, 4));
    assert!(reserve(&mut book, &one, now()).is_err());
}

#[test]
fn a_part_is_drawn_from_the_locations_of_its_line_and_never_more_than_is_held() {
    let mut book = book(&[(key(0, 0), stock(2, 0, &[])), (key(0, 1), stock(2, 0, &[]))]);
    let wanted = vec![demand(1, key(0, 0), "", 2), demand(1, key(0, 1), "", 2)];
    reserve(&mut book, &request(0, wanted), now()).unwrap();
    let held: Vec<Reservation> = book.reservations().cloned().collect();
    let too_many = commit(&mut book, &held, &[part(1, 0, 3), part(1, 0, 2)]).unwrap_err();
    assert_eq!((too_many[0].asked, too_many[0].available), (2, 1), "the first part took 3 of 4");
    commit(&mut book, &held, &[part(1, 0, 3)]).unwrap();
    let on_hand = |location| book.stock(&key(0, location)).unwrap().on_hand;
    assert_eq!((on_hand(0), on_hand(1)), (0, 1));
    assert_eq!(commit(&mut book, &held, &[part(9, 9, 1)]), Ok(()), "a SKU that is not counted");
}

#[test]
fn what_a_count_did_not_find_cannot_be_handed_over() {
    let mut book = book(&[(key(0, 0), stock(3, 0, &[]))]);
    reserve(&mut book, &request(0, vec![demand(1, key(0, 0), "", 3)]), now()).unwrap();
    edit::count(&mut book, &key(0, 0), 1, Of::default()).unwrap();
    let held: Vec<Reservation> = book.reservations().cloned().collect();
    let short = commit(&mut book, &held, &[part(1, 0, 3)]).unwrap_err();
    assert_eq!((short[0].asked, short[0].available), (3, 1));
}
