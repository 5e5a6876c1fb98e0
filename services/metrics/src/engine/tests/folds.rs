//! Folding at sizes where bitmaps change their inner form, and what the two scopes and the ARPU identity hold together.

use chrono::DateTime;
use siyu_kernel::LocalDay;

use super::data::{cells, cube};
use crate::engine::{
    Attribution, Connection, Cube, DayCell, Domain, Fact, IndexKey, Person, Scope, UserArpu,
    Window, encode_bitmap,
};

fn fact(person: Person, day: i32) -> Fact {
    Fact {
        person,
        day: LocalDay(day),
        paid_at: DateTime::UNIX_EPOCH,
        amount_minor: 100 + i64::from(person % 7),
        units: 1,
        domain: if person.is_multiple_of(3) { Domain::Private } else { Domain::Public },
        off_hours: false,
    }
}

#[test]
fn bytes_do_not_remember_that_a_bitmap_was_once_large() {
    // 9,000 persons in one container are a bitset, 1,000 an array.
    let many: Vec<Fact> = (0..9_000).flat_map(|p| [fact(p, 10), fact(p, 50)]).collect();
    let few: Vec<Fact> = many.iter().copied().filter(|fact| fact.person % 9 == 0).collect();
    let mut shrunk = cube(&many);
    shrunk.apply(shrunk.plan(cells(&few)));
    let mut grown = cube(&few);
    grown.apply(grown.plan(cells(&many)));
    for (changed, straight) in [(shrunk, cube(&few)), (grown, cube(&many))] {
        for day in [10, 50].map(LocalDay) {
            let bytes = |cube: &Cube| cube.cell(day).unwrap().encode();
            assert_eq!(bytes(&changed), bytes(&straight));
        }
        let (ten, fifty) = (LocalDay(10), LocalDay(50));
        for key in [IndexKey::First(ten), IndexKey::Second(fifty), IndexKey::Gap(40)] {
            let bytes = |cube: &Cube| encode_bitmap(&cube.index(key));
            assert_eq!(bytes(&changed), bytes(&straight), "{key:?}");
        }
    }
}

#[test]
fn more_persons_than_fit_one_pass_are_folded_alike() {
    let facts: Vec<Fact> = (0..140_000).flat_map(|p| [fact(p, 1), fact(p, 400)]).collect();
    let cube = cube(&facts);
    let window = Window::new(LocalDay(0), LocalDay(500)).unwrap();
    let sales = cube.sales(window);
    assert_eq!((sales.buyers, sales.new_buyers, sales.repeat_buyers), (140_000, 140_000, 140_000));
    assert_eq!(cube.reactivation(window).persons, 140_000);
    assert_eq!(cube.index(IndexKey::Gap(399)).len(), 140_000);
}

#[test]
fn a_cube_without_its_last_order_is_as_new() {
    let mut cube = cube(&[fact(1, 10), fact(1, 50), fact(2, 50)]);
    let gone = [10, 50].map(|day| (LocalDay(day), DayCell::default()));
    cube.apply(cube.plan(gone.to_vec()));
    assert_eq!(cube.span(), None);
    let window = Window::new(LocalDay(0), LocalDay(100)).unwrap();
    assert_eq!(cube.sales(window), Cube::default().sales(window));
    assert_eq!(cube.dormancy(LocalDay(99)).persons, 0);
    assert_eq!(cube.sales(window).arpu.value(), None);
}

#[test]
fn the_private_scope_counts_private_orders_only() {
    let facts: Vec<Fact> = (0..9).map(|person| fact(person, 20)).collect();
    let private: Vec<Fact> =
        facts.iter().copied().filter(|fact| Scope::Private.takes(fact.domain)).collect();
    let window = Window::new(LocalDay(0), LocalDay(100)).unwrap();
    assert_eq!(cube(&facts).sales(window).buyers, 9);
    assert_eq!(cube(&private).sales(window).buyers, 3);
}

#[test]
fn users_times_arpu_is_their_gmv_exactly() {
    let facts: Vec<Fact> = (0..1_000).flat_map(|p| [fact(p, 1), fact(p, 30)]).collect();
    let connected = (0..1_000).filter(|person| person % 7 < 4).map(|person| Connection {
        person,
        from: DateTime::UNIX_EPOCH,
        to: None,
    });
    let mut counter = UserArpu::new(connected, Attribution::Period);
    for fact in &facts {
        counter.add(fact);
    }
    let figures = counter.figures();
    let ratio = figures.arpu;
    // GMV × den = ARPU's numerator × User, without any rounding.
    let users = i128::from(figures.users);
    assert_eq!(
        i128::from(figures.gmv_minor) * i128::from(ratio.den),
        i128::from(ratio.num) * users
    );
    let cube = cube(&facts);
    let all = Window::new(LocalDay(0), LocalDay(100)).unwrap();
    assert!(figures.users < cube.sales(all).buyers && figures.users > 500);
}
