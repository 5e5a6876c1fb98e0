//! Who is asked for what. Pure.

use std::collections::BTreeMap;

use siyu_proto::order::v1::FulfilmentPolicy;

use crate::{
    fulfilment::{
        StoreId,
        assignment::{
            Asked,
            part::{self, Lines},
        },
        policy,
        route::{self, Candidate, Method, Needs, Route, Split},
    },
    stock::Reservation,
};

/// What is counted of lines at a location: line, SKU, pieces.
pub(super) fn counted(
    held: &[Reservation],
    location: &str,
    lines: &[(i32, i64)],
) -> Vec<(i32, String, i64)> {
    let of_line = |reservation: &Reservation| {
        let key = &reservation.key;
        let asked = lines.iter().find(|(line_no, _)| *line_no == key.line_no)?;
        let pieces = asked.1.min(reservation.held);
        let is_here = key.key.location == location && pieces > 0;
        is_here.then(|| (key.line_no, key.key.sku.clone(), pieces))
    };
    held.iter().filter_map(of_line).collect()
}

/// The pieces of each SKU.
pub(super) fn sum(counted: &[(i32, String, i64)]) -> BTreeMap<String, i64> {
    let mut pieces: BTreeMap<String, i64> = BTreeMap::new();
    for (_, sku, quantity) in counted {
        *pieces.entry(sku.clone()).or_default() += quantity;
    }
    pieces
}

/// Who is asked for what: parts with the stores to ask, the best first.
pub(super) fn plan(
    needs: &Needs,
    candidates: &[Candidate],
    rules: &FulfilmentPolicy,
    lines: &[(i32, i64)],
    counted: &[(i32, String, i64)],
) -> Vec<(Vec<Asked>, Lines)> {
    let asked = |store: StoreId| {
        let opens_at = candidates.iter().find(|one| one.id == store).and_then(|one| one.opens_at);
        Asked { store, opens_at: opens_at.expect("a store on a route opens before the promise") }
    };
    let rules = policy::of(rules);
    let fetched = needs.method == Method::PickUp;
    let rules = if fetched { route::Policy { split: Split::Never, ..rules } } else { rules };
    let routes = route::route(needs, candidates, &rules);
    let Some(best) = routes.first() else { return vec![(Vec::new(), lines.to_vec())] };
    if best.parts.len() == 1 {
        let whole = routes.iter().filter(|route| route.parts.len() == 1);
        return vec![(whole.map(|route| asked(route.parts[0].store)).collect(), lines.to_vec())];
    }
    let alone = route::Policy { split: Split::Never, ..rules };
    divide(best, lines, counted)
        .into_iter()
        .map(|(part, lines)| {
            let needs = Needs { pieces: part.pieces.clone(), ..needs.clone() };
            let others = route::route(&needs, candidates, &alone);
            let others = others.iter().map(|route| route.parts[0].store);
            let others = others.filter(|store| *store != part.store);
            let stores = std::iter::once(part.store).chain(others).take(rules.asked_max);
            (stores.map(asked).collect(), lines)
        })
        .collect()
}

/// The lines of each part of a route. What is not counted goes with the first part.
fn divide<'a>(
    of: &'a Route,
    lines: &[(i32, i64)],
    counted: &[(i32, String, i64)],
) -> Vec<(&'a route::Part, Lines)> {
    let mut left = counted.to_vec();
    let mut parts: Vec<(&route::Part, Lines)> = Vec::new();
    for part in &of.parts {
        let (mut pieces, mut own) = (part.pieces.clone(), Lines::new());
        for (line_no, sku, open) in &mut left {
            let Some(given) = pieces.get_mut(sku) else { continue };
            let taken = (*open).min(*given);
            if taken > 0 {
                (*open, *given) = (*open - taken, *given - taken);
                own.push((*line_no, taken));
            }
        }
        parts.push((part, own));
    }
    let given: Lines = parts.iter().flat_map(|(_, own)| own.clone()).collect();
    let rest = part::less(lines, &given);
    if let Some((_, first)) = parts.first_mut() {
        first.extend(rest);
    }
    parts
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta};
    use siyu_kernel::Id;
    use uuid::Uuid;

    use super::*;

    fn candidate(n: u128, a: i64, b: i64) -> Candidate {
        Candidate {
            id: Id::from_uuid(Uuid::from_u128(n)),
            opens_at: Some(DateTime::UNIX_EPOCH + TimeDelta::hours(i64::try_from(n).unwrap())),
            methods: vec![Method::Parcel],
            distance_m: None,
            radius_m: None,
            load: i64::try_from(n).unwrap(),
            capacity: None,
            stock: [("a", a), ("b", b)].map(|(sku, n)| (sku.to_owned(), n)).into(),
        }
    }

    fn rules(split_max: i32) -> FulfilmentPolicy {
        FulfilmentPolicy { split_max, asked_max: 3, ..FulfilmentPolicy::default() }
    }

    /// What stores are asked for, by their numbers: of two lines with "a", one with "b", one that is not counted.
    fn asked(split_max: i32, candidates: &[Candidate]) -> Vec<(Vec<u128>, Lines)> {
        let lines = [(1, 2), (2, 1), (3, 1), (4, 1)];
        let counted =
            [(1, "a", 2), (2, "a", 1), (3, "b", 1)].map(|(line, sku, n)| (line, sku.to_owned(), n));
        let (pieces, method) = (sum(&counted), Method::Parcel);
        let needs = Needs { pieces, method, own_store: None };
        let plan = plan(&needs, candidates, &rules(split_max), &lines, &counted);
        let number = |asked: Asked| {
            let n = asked.store.uuid().as_u128();
            let hours = asked.opens_at - DateTime::UNIX_EPOCH;
            assert_eq!(hours.num_hours(), i64::try_from(n).unwrap(), "its own hour");
            n
        };
        plan.into_iter().map(|(s, l)| (s.into_iter().map(number).collect(), l)).collect()
    }

    #[test]
    fn one_store_that_has_everything_is_asked_and_then_the_next() {
        let all = vec![(1, 2), (2, 1), (3, 1), (4, 1)];
        let stores = [candidate(2, 9, 9), candidate(1, 9, 9), candidate(3, 9, 0)];
        assert_eq!(asked(1, &stores), [(vec![1, 2], all.clone())]);
        assert_eq!(asked(1, &[candidate(1, 2, 9)]), [(vec![], all)], "headquarters");
    }

    #[test]
    fn stores_that_share_an_order_are_asked_for_what_each_has() {
        let stores = [candidate(1, 2, 0), candidate(2, 9, 1), candidate(3, 1, 1)];
        // The second has all of it, for a longer queue than the split costs.
        assert_eq!(asked(2, &stores)[0].0, [2]);
        let stores = [candidate(1, 2, 0), candidate(2, 1, 1), candidate(3, 1, 1)];
        let expected = [(vec![1], vec![(1, 2), (4, 1)]), (vec![2, 3], vec![(2, 1), (3, 1)])];
        assert_eq!(asked(2, &stores), expected);
        let pieces: i64 = asked(2, &stores).iter().flat_map(|(_, l)| l).map(|(_, n)| n).sum();
        assert_eq!(pieces, 5, "each piece in one part");
    }
}
