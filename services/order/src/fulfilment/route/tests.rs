use proptest::prelude::*;
use siyu_kernel::Id;
use uuid::Uuid;

use super::*;

fn store(n: u128) -> StoreId {
    Id::from_uuid(Uuid::from_u128(n))
}

fn pieces(of: &[(&str, i64)]) -> BTreeMap<String, i64> {
    of.iter().map(|(sku, n)| ((*sku).to_owned(), *n)).collect()
}

/// A store that has ten of everything, so many metres away.
fn candidate(n: u128, distance_m: i64) -> Candidate {
    Candidate {
        id: store(n),
        opens_at: Some(DateTime::UNIX_EPOCH),
        methods: vec![Method::PickUp, Method::LocalDelivery],
        distance_m: Some(distance_m),
        radius_m: None,
        load: 0,
        capacity: None,
        stock: pieces(&[("a", 10), ("b", 10)]),
    }
}

fn needs(of: &[(&str, i64)]) -> Needs {
    Needs { pieces: pieces(of), method: Method::LocalDelivery, own_store: None }
}

/// The first stores and scores.
fn order(needs: &Needs, stores: &[Candidate], policy: &Policy) -> Vec<(i64, StoreId)> {
    let routes = route(needs, stores, policy);
    routes.iter().map(|route| (route.score, route.parts[0].store)).collect()
}

#[test]
fn the_smallest_score_wins_and_ties_go_to_the_smaller_id() {
    let busy = Candidate { load: 3, ..candidate(1, 100) };
    let stores = [candidate(4, 900), candidate(3, 900), busy, candidate(2, 3_000)];
    let all = Policy { asked_max: 9, ..Policy::default() };
    let needs = needs(&[("a", 1)]);
    let expected = [(900, store(3)), (900, store(4)), (1_600, store(1)), (3_000, store(2))];
    assert_eq!(order(&needs, &stores, &all), expected);
    // The buyer's own store is worth two kilometres, and three stores are asked.
    let own = Needs { own_store: Some(store(2)), ..needs };
    let expected = [(2_900, store(3)), (2_900, store(4)), (3_000, store(2))];
    assert_eq!(order(&own, &stores, &Policy::default()), expected);
}

#[test]
fn a_store_that_cannot_serve_is_not_asked() {
    let good = candidate(1, 500);
    let cases = [
        (Some(LeftOut::Shut), Candidate { opens_at: None, ..good.clone() }),
        (Some(LeftOut::OtherMethod), Candidate { methods: vec![Method::PickUp], ..good.clone() }),
        (Some(LeftOut::TooFar), Candidate { radius_m: Some(499), ..good.clone() }),
        (Some(LeftOut::DistanceUnknown), Candidate { distance_m: None, ..good.clone() }),
        (Some(LeftOut::Full), Candidate { load: 5, capacity: Some(5), ..good.clone() }),
        (None, Candidate { stock: pieces(&[("a", 1), ("b", 10)]), ..good.clone() }),
    ];
    let needs = needs(&[("a", 2), ("b", 1)]);
    for (why, case) in cases {
        assert_eq!(case.left_out(&needs), why);
        assert_eq!(route(&needs, std::slice::from_ref(&case), &Policy::default()), [], "{case:?}");
    }
    let near = Candidate { radius_m: Some(500), load: 4, capacity: Some(5), ..good };
    assert_eq!(route(&needs, &[near], &Policy::default()).len(), 1);
}

#[test]
fn a_parcel_goes_from_a_store_of_which_nobody_knows_how_far_it_is_but_no_nearer_than_from_others() {
    let by_parcel =
        |n, distance_m| Candidate { distance_m, methods: vec![Method::Parcel], ..candidate(n, 0) };
    let needs = Needs { method: Method::Parcel, ..needs(&[("a", 2)]) };
    let unknown = by_parcel(1, None);
    let order = |stores: &[Candidate]| order(&needs, stores, &Policy::default());
    assert_eq!(order(std::slice::from_ref(&unknown)), [(0, store(1))]);
    let known = [unknown.clone(), by_parcel(3, Some(400)), by_parcel(2, Some(900))];
    assert_eq!(order(&known), [(400, store(3)), (900, store(1)), (900, store(2))]);
    // One that is too far does not count either.
    let beyond = Candidate { radius_m: Some(1_000), ..by_parcel(2, Some(9_000)) };
    assert_eq!(order(&[unknown.clone(), beyond]), [(0, store(1))]);
    let bounded = Candidate { radius_m: Some(1_000), ..unknown };
    assert_eq!(bounded.left_out(&needs), Some(LeftOut::DistanceUnknown));
    assert_eq!(order(&[bounded]), []);
}

#[test]
fn a_distance_is_what_is_known_best_of_it() {
    let shop = Point::new(31_230_400, 121_473_700).unwrap();
    let door = Point::new(31_239_400, 121_473_700).unwrap();
    let (both, one) = ((Some(shop), Some(door)), (Some(shop), None));
    let by_courier = |told, points, is_own| distance_m(Method::LocalDelivery, told, points, is_own);
    assert_eq!(by_courier(Some(1_500), both, true), Some(1_500), "the way of the courier");
    assert_eq!(by_courier(None, both, true), Some(1_001), "a thousandth of a degree is 111 metres");
    assert_eq!(by_courier(None, one, true), Some(0), "its buyer chose it");
    assert_eq!(by_courier(None, one, false), None);
    assert_eq!(distance_m(Method::Parcel, None, both, true), Some(1_001));
    assert_eq!(distance_m(Method::Parcel, None, (None, Some(door)), true), None);
    assert_eq!(distance_m(Method::PickUp, Some(9_000), both, true), Some(0), "the buyer comes");
}

#[test]
fn a_split_costs_a_store_and_is_taken_when_nobody_has_all() {
    let with = |n, distance, stock: &[(&str, i64)]| Candidate {
        stock: pieces(stock),
        ..candidate(n, distance)
    };
    let stores = [
        with(1, 100, &[("a", 2)]),
        with(2, 200, &[("a", 1), ("b", 5)]),
        with(3, 6_000, &[("a", 3), ("b", 1)]),
    ];
    let needs = needs(&[("a", 3), ("b", 1)]);
    assert_eq!(order(&needs, &stores, &Policy::default()), [(6_000, store(3))]);
    let split = Policy { split: Split::UpTo(2), ..Policy::default() };
    let routes = route(&needs, &stores, &split);
    let scores: Vec<i64> = routes.iter().map(|route| route.score).collect();
    assert_eq!(scores, [5_100, 5_200, 6_000]);
    let expected = [
        Part { store: store(1), pieces: pieces(&[("a", 2)]) },
        Part { store: store(2), pieces: pieces(&[("a", 1), ("b", 1)]) },
    ];
    assert_eq!(routes[0].parts, expected);
}

proptest! {
    #[test]
    fn a_route_gives_exactly_what_is_needed_from_what_there_is(
        stocks in prop::collection::vec((0..5_i64, 0..5_i64, 0..9_000_i64, 0..9_i64), 0..8),
        (a, b) in (0..7_i64, 1..7_i64), most in 1..5_usize,
    ) {
        let stores: Vec<Candidate> = (1..).zip(&stocks).map(|(n, &(a, b, distance, load))| Candidate {
            stock: pieces(&[("a", a), ("b", b)]),
            load,
            ..candidate(n, distance)
        }).collect();
        let needs = needs(&[("a", a), ("b", b)]);
        let policy = Policy { split: Split::UpTo(most), asked_max: 4, ..Policy::default() };
        let routes = route(&needs, &stores, &policy);
        let mut turned = stores.clone();
        turned.reverse();
        prop_assert_eq!(&route(&needs, &turned, &policy), &routes);
        prop_assert!(routes.len() <= 4);
        prop_assert!(routes.is_sorted_by_key(|route| (route.score, route.parts[0].store)));
        for route in &routes {
            prop_assert!(route.parts.len() <= most);
            for (sku, wanted) in &needs.pieces {
                let given = |part: &Part| part.pieces.get(sku).copied().unwrap_or(0);
                prop_assert_eq!(route.parts.iter().map(given).sum::<i64>(), *wanted);
                for part in &route.parts {
                    let store = stores.iter().find(|store| store.id == part.store).unwrap();
                    prop_assert!(given(part) <= store.stock[sku]);
                }
            }
        }
        // Whoever has all of it alone is never left out for somebody worse.
        let has_all = stores.iter().any(|s| s.stock["a"] >= a && s.stock["b"] >= b);
        prop_assert!(!has_all || !routes.is_empty());
    }
}
