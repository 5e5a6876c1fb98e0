use proptest::prelude::*;
use uuid::Uuid;

use super::*;

const BOUNDS: Bounds = Bounds { lines: 100, amount_minor: 1_000_000, quantity: 1_000 };

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_700_000_000 + seconds, 0).unwrap()
}

fn incoming(version: i64, state: State, lines: &[(i32, i64)]) -> Incoming {
    Incoming {
        key: Key { platform: "tmall".into(), shop_id: "s".into(), order_no: "1".into() },
        buyer_id: "b".into(),
        state,
        domain: Domain::Public,
        channel: String::new(),
        store_id: None,
        paid_at: Some(at(0)),
        currency: Currency::parse("CNY").unwrap(),
        subsidy_minor: 0,
        version: at(version),
        lines: lines
            .iter()
            .map(|&(line_no, paid_minor)| Line {
                line_no,
                sku: String::new(),
                category: String::new(),
                quantity: 1,
                paid_minor,
                version: at(version),
            })
            .collect(),
    }
}

fn person() -> Id<Person> {
    Id::from_uuid(Uuid::from_u128(1))
}

fn start(first: &Incoming) -> Change {
    Draft::new(Id::from_uuid(Uuid::from_u128(2)), first, person(), at(9)).finish(&[]).unwrap()
}

fn draft(before: &Change) -> Draft {
    let known = Known { order: before.order.clone(), platform_state: before.platform_state };
    let position =
        |line: &Line| Position { line: line.clone(), taken: before.taken[&line.line_no] };
    Draft::known(known, before.lines.iter().map(position).collect())
}

fn then(before: &Change, next: &Incoming) -> (Outcome, Option<Change>) {
    let mut draft = draft(before);
    (draft.apply(next, person(), &BOUNDS).unwrap(), draft.finish(&[]))
}

#[test]
fn an_order_tells_its_life_once_per_step() {
    let paid = start(&incoming(1, State::Paid, &[(1, 500)]));
    assert_eq!((paid.fact, paid.order.paid_minor, paid.order.revision), (Some(Fact::Paid), 500, 1));
    let (outcome, shipped) = then(&paid, &incoming(2, State::Shipped, &[(1, 450), (2, 50)]));
    let shipped = shipped.unwrap();
    assert_eq!(
        (outcome, shipped.fact, shipped.order.revision),
        (Outcome::Updated, Some(Fact::Revised), 2)
    );
    assert_eq!(shipped.order.paid_minor, 500);
    let (_, refunded) = then(&shipped, &incoming(3, State::Refunded, &[(1, 450)]));
    let refunded = refunded.unwrap();
    assert_eq!(refunded.fact, Some(Fact::Voided));
    let (_, again) = then(&refunded, &incoming(4, State::Paid, &[(1, 450)]));
    assert_eq!(again.unwrap().fact, Some(Fact::Revised));
}

#[test]
fn an_unpaid_order_tells_nothing_until_it_is_paid() {
    let mut unpaid = incoming(1, State::Created, &[(1, 500)]);
    unpaid.paid_at = None;
    let created = start(&unpaid);
    assert_eq!(created.fact, None);
    let (_, paid) = then(&created, &incoming(2, State::Paid, &[(1, 500)]));
    assert_eq!(paid.unwrap().fact, Some(Fact::Paid));
}

#[test]
fn an_older_version_changes_nothing() {
    let change = start(&incoming(5, State::Shipped, &[(1, 500)]));
    let (outcome, none) = then(&change, &incoming(4, State::Paid, &[(1, 900)]));
    assert_eq!(outcome, Outcome::Unchanged);
    assert!(none.is_none());
}

#[test]
fn refunds_take_from_what_was_sold_and_empty_an_order() {
    let back = |amount_minor| Back { line_no: 1, amount_minor, quantity: 1 };
    let sold = start(&incoming(1, State::Paid, &[(1, 500)]));
    let some = draft(&sold).finish(&[back(200)]).unwrap();
    assert_eq!((some.fact, some.order.paid_minor), (Some(Fact::Revised), 300));
    assert_eq!((some.order.state, some.platform_state), (State::Paid, None));
    assert!(draft(&some).finish(&[back(200)]).is_none(), "nothing new was told");

    // The platform goes on telling what was sold, and a later word.
    let mut later = draft(&some);
    later.apply(&incoming(2, State::Shipped, &[(1, 450)]), person(), &BOUNDS).unwrap();
    let later = later.finish(&[back(200)]).unwrap();
    assert_eq!((later.order.paid_minor, later.order.state), (250, State::Shipped));

    let all = draft(&later).finish(&[back(200), back(250)]).unwrap();
    assert_eq!((all.fact, all.order.paid_minor), (Some(Fact::Voided), 0));
    assert_eq!((all.order.state, all.platform_state), (State::Refunded, Some(State::Shipped)));
    let withdrawn = draft(&all).finish(&[back(200), back(0)]).unwrap();
    assert_eq!((withdrawn.fact, withdrawn.order.paid_minor), (Some(Fact::Revised), 250));
    assert_eq!((withdrawn.order.state, withdrawn.platform_state), (State::Shipped, None));
}

#[test]
fn when_the_buyer_paid_is_what_the_latest_version_that_says_so_says() {
    let paid = |version, paid_at: Option<i64>| Incoming {
        paid_at: paid_at.map(at),
        ..incoming(version, State::Refunded, &[(1, 500)])
    };
    let versions = [paid(1, Some(10)), paid(2, Some(20)), paid(3, None)];
    for way in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let mut known = start(&versions[way[0]]);
        for next in &way[1..] {
            if let Some(change) = then(&known, &versions[*next]).1 {
                known = change;
            }
        }
        assert_eq!((known.order.paid_at, known.order.version), (Some(at(20)), at(3)), "{way:?}");
    }
}

#[test]
fn an_order_that_is_too_large_is_refused_and_stays_as_it_was() {
    let mut draft = draft(&start(&incoming(1, State::Paid, &[(1, 5)])));
    let many: Vec<(i32, i64)> = (1..=101).map(|n| (n, 1)).collect();
    let refused = |draft: &mut Draft, lines: &[(i32, i64)]| {
        draft.apply(&incoming(2, State::Paid, lines), person(), &BOUNDS)
    };
    assert_eq!(refused(&mut draft, &many), Err(TooLarge::Lines(100)));
    assert_eq!(
        refused(&mut draft, &[(1, 900_000), (2, 100_001)]),
        Err(TooLarge::Amount(1_000_000))
    );
    assert!(draft.finish(&[]).is_none());
}

proptest! {
    #[test]
    fn versions_end_in_the_same_order_whatever_way_they_arrive(
        versions in prop::collection::btree_map(
            1..50_i64,
            (0..4_usize, prop::option::of(0..9_i64), prop::collection::btree_map(1..6_i32, 0..1000_i64, 1..4)),
            1..8,
        ),
        seed in prop::collection::vec(any::<u16>(), 8),
    ) {
        let states = [State::Paid, State::Shipped, State::Refunded, State::Completed];
        let all: Vec<Incoming> = versions
            .iter()
            .map(|(&version, (state, paid, lines))| {
                let lines: Vec<(i32, i64)> = lines.iter().map(|(&n, &m)| (n, m)).collect();
                let paid_at = paid.map(at);
                Incoming { paid_at, ..incoming(version, states[*state], &lines) }
            })
            .collect();
        let mut shuffled: Vec<(u16, &Incoming)> = seed.iter().copied().chain(std::iter::repeat(0)).zip(&all).collect();
        shuffled.sort_by_key(|(key, _)| *key);
        let run = |order: Vec<&Incoming>| {
            let mut known = start(order[0]);
            for next in &order[1..] {
                let (_, change) = then(&known, next);
                if let Some(change) = change { known = change; }
            }
            let order = known.order;
            let paid = (order.paid_at, order.paid_minor, order.quantity);
            (order.state, paid, order.version, known.lines)
        };
        prop_assert_eq!(run(all.iter().collect()), run(shuffled.into_iter().map(|(_, i)| i).collect()));
    }
}
