use super::*;
use crate::claim::domain as claim;

/// A state as the documentation writes it.
fn word(state: State) -> String {
    let word = state.as_str();
    if word.contains('_') { format!("`{word}`") } else { word.to_owned() }
}

#[test]
fn the_table_in_the_documentation_is_the_table_of_the_code() {
    let cell = |state: State, event: Event| {
        let next = state.on(event);
        if next == state { "stays".to_owned() } else { format!("→ {}", word(next)) }
    };
    for state in State::ALL {
        let cells = Event::ALL.map(|event| cell(state, event));
        let row = format!("//! | {} | {} |", word(state), cells.join(" | "));
        assert!(include_str!("../domain.rs").contains(&row), "{row}");
    }
}

#[test]
fn what_is_paid_never_goes_back() {
    for state in State::ALL.into_iter().filter(|state| state.is_paid()) {
        for event in Event::ALL {
            assert_eq!(state.on(event), state, "{event:?}");
        }
    }
}

#[test]
fn every_success_is_known_kept_given_back_or_held() {
    use claim::State as Claim;
    for claim in Claim::ALL {
        for attempt in State::ALL {
            for late in [Late::Revive, Late::Refund] {
                let fits = settle(claim, attempt, None, late);
                let held = settle(claim, attempt, Some(Mismatch::Amount), late);
                if attempt.is_paid() {
                    assert_eq!((fits, held), (Settlement::Known, Settlement::Known));
                    continue;
                }
                assert_eq!(held, Settlement::Hold(Mismatch::Amount));
                let expected = match (claim, late) {
                    (Claim::Open | Claim::Closing, _) => Settlement::Keep(claim::Event::Success),
                    (Claim::Closed, Late::Revive) => Settlement::Keep(claim::Event::Revive),
                    (Claim::Paid, _) | (Claim::Closed, Late::Refund) => Settlement::GiveBack,
                };
                assert_eq!(fits, expected, "{claim:?} {attempt:?} {late:?}");
                if let Settlement::Keep(event) = fits {
                    assert_eq!(claim.on(event), Ok(Claim::Paid), "what is kept pays the claim");
                }
            }
        }
    }
}

#[test]
fn numbers_follow_from_order_and_attempt_and_fit_the_payment_company() {
    let order: OrderId = siyu_testkit::id(7);
    let numbers = [out_trade_no(order, 1), out_trade_no(order, 2), out_trade_no(order, 9_999)];
    assert_eq!(numbers[0], "00000000000000000000000007-1");
    for number in &numbers {
        assert!((6..=32).contains(&number.len()), "{number}");
        assert!(number.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'), "{number}");
    }
}
