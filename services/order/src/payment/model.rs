//! Paying against closing, every way that the two can interleave (rules 15, 16), with the rules of the real code: buyers pay,
//! payment companies answer late or not at all, tell twice or never, while the time of the claim runs out.

mod explore;
mod step;

use super::domain::{Late, Settlement, State, settle};
use crate::claim::domain::State as Claim;
use explore::{Graph, explore};

/// What the payment company has of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Theirs {
    Absent,
    Open,
    Paid,
    Closed,
}

/// A call that may be slow, and whose answer may get lost or be read late.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Call<A> {
    Idle,
    Asked,
    Answered(A),
}

/// What the company says when it is to take or to close an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Said {
    Done,
    No,
}

/// Money on its way back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Back {
    None,
    Due,
    Sent,
    Done,
}

/// One attempt, on both sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Attempt {
    /// `None` before it is begun.
    ours: Option<State>,
    theirs: Theirs,
    /// The buyer's device has what it needs to pay.
    shown: bool,
    create: Call<Said>,
    close: Call<Said>,
    query: Call<Theirs>,
    /// How often a notification is still to come.
    notices: u8,
    refund: Back,
    /// How often the company gave the money back.
    returned: u8,
}

/// Everything at one instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct World<const N: usize> {
    claim: Claim,
    attempts: [Attempt; N],
}

/// How the world outside behaves.
#[derive(Clone, Copy)]
struct Outside {
    /// How often the company tells of a payment.
    notices: u8,
    /// Whether a buyer may pay what was never shown, as long as the company takes it.
    reckless: bool,
    /// Whether answers to queries may be read late.
    stale: bool,
    late: Late,
    settle: Settle,
}

type Settle = fn(Claim, State, Option<super::domain::Mismatch>, Late) -> Settlement;

/// Notifications come, twice each, and buyers pay whatever the company takes.
const TOLD: Outside =
    Outside { notices: 2, reckless: true, stale: true, late: Late::Refund, settle };
/// No notification ever comes: only asking finds out.
const SILENT: Outside = Outside { notices: 0, reckless: false, ..TOLD };

impl<const N: usize> World<N> {
    /// A claim, and nothing begun.
    fn start() -> Self {
        let attempt = Attempt {
            ours: None,
            theirs: Theirs::Absent,
            shown: false,
            create: Call::Idle,
            close: Call::Idle,
            query: Call::Idle,
            notices: 0,
            refund: Back::None,
            returned: 0,
        };
        Self { claim: Claim::Open, attempts: [attempt; N] }
    }

    /// The three ends that there are, and no other.
    fn end(&self) -> Result<&'static str, String> {
        let of = |state: State| self.attempts.iter().filter(move |a| a.ours == Some(state));
        let kept = of(State::Succeeded).count();
        for attempt in &self.attempts {
            let is_paid = attempt.theirs == Theirs::Paid;
            let is_kept = attempt.ours == Some(State::Succeeded);
            let is_back = attempt.ours == Some(State::Surplus) && attempt.refund == Back::Done;
            if is_paid && !is_kept && !is_back {
                return Err("money came and is neither kept nor given back".into());
            }
            if attempt.returned != u8::from(is_back) {
                return Err("money was given back that should not, or twice".into());
            }
            if !is_paid && (is_kept || is_back) {
                return Err("money is counted that never came".into());
            }
        }
        match (self.claim, kept, of(State::Surplus).count()) {
            (Claim::Paid, 1, _) => Ok("paid"),
            (Claim::Closed, 0, 0) => Ok("closed, unpaid"),
            (Claim::Closed, 0, _) => Ok("closed and refunded"),
            (claim, kept, _) => Err(format!("a claim that is {claim:?} keeps {kept} payments")),
        }
    }

    /// What holds at any instant.
    fn check(&self) -> Result<(), String> {
        let kept = self.attempts.iter().filter(|a| a.ours == Some(State::Succeeded)).count();
        let is_paid = self.claim == Claim::Paid;
        if kept != usize::from(is_paid) {
            return Err(format!("a claim that is {:?} keeps {kept} payments", self.claim));
        }
        if self.attempts.iter().any(|attempt| attempt.returned > 1) {
            return Err("money was given back twice".into());
        }
        Ok(())
    }
}

fn ends<const N: usize>(outside: Outside) -> Vec<&'static str> {
    let graph: Graph<N> = explore(outside).unwrap_or_else(|(why, path)| {
        let path: Vec<String> = path.iter().map(|world| format!("{world:?}")).collect();
        panic!("{why}\n{}", path.join("\n"))
    });
    let least = [100, 20_000][N - 1];
    assert!(graph.len() > least, "{} worlds", graph.len());
    graph.ends()
}

const ALL: [&str; 3] = ["closed and refunded", "closed, unpaid", "paid"];

#[test]
fn one_attempt_ends_paid_or_unpaid_or_refunded_however_it_interleaves() {
    for outside in [TOLD, SILENT] {
        let ends_of = |late| ends::<1>(Outside { late, ..outside });
        let refunding = ends_of(Late::Refund);
        let reviving = ends_of(Late::Revive);
        if outside.reckless {
            assert_eq!(refunding, ALL);
        }
        assert!(reviving.iter().all(|end| *end != "closed and refunded"), "{reviving:?}");
    }
}

#[test]
fn of_two_payments_of_one_claim_one_is_kept_and_the_other_goes_back() {
    let told = Outside { notices: 1, ..TOLD };
    for late in [Late::Refund, Late::Revive] {
        for outside in [told, SILENT] {
            let ends = ends::<2>(Outside { late, ..outside });
            assert!(ends.contains(&"paid") && ends.contains(&"closed, unpaid"), "{ends:?}");
        }
    }
}

#[test]
fn rules_that_others_got_wrong_are_found_out() {
    // The late payment is swallowed.
    let swallow: Settle = |claim, attempt, mismatch, late| {
        let settlement = settle(claim, attempt, mismatch, late);
        if settlement == Settlement::GiveBack { Settlement::Known } else { settlement }
    };
    let (why, _) = explore::<1>(Outside { settle: swallow, ..TOLD }).err().unwrap();
    assert_eq!(why, "money came and is neither kept nor given back");
    // Both payments are kept.
    let keep: Settle = |_, attempt, _, _| {
        if attempt.is_paid() {
            Settlement::Known
        } else {
            Settlement::Keep(crate::claim::domain::Event::Success)
        }
    };
    let outside = Outside { notices: 1, stale: false, settle: keep, ..TOLD };
    assert!(explore::<2>(outside).is_err());
}
