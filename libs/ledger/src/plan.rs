//! Decides what a slice of transfers does to a set of accounts. Pure: no IO, no clock, no randomness.
//!
//! The caller loads what the slice touches into [`Working`], calls [`plan`], and writes what `Working` then has under
//! `created`. A refused transfer, and every transfer of a refused chain, leaves `Working` as it was.

mod apply;
mod counters;
mod joined;
mod lots;
#[cfg(test)]
mod tests;
mod working;

use chrono::{DateTime, Utc};

pub(crate) use joined::{derive, join};
pub(crate) use working::{Hold, HoldState, Working};

use crate::{Failure, Outcome, Transfer};

/// Applies the transfers in order; the outcomes are in the same order.
pub(crate) fn plan(work: &mut Working, transfers: &[Transfer], now: DateTime<Utc>) -> Vec<Outcome> {
    let mut outcomes = Vec::with_capacity(transfers.len());
    for chain in chains(transfers) {
        plan_chain(work, chain, now, &mut outcomes);
    }
    outcomes
}

/// Cuts after each transfer that is not bound to the next.
fn chains(transfers: &[Transfer]) -> impl Iterator<Item = &[Transfer]> {
    transfers.chunk_by(|left, _| left.linked)
}

fn plan_chain(
    work: &mut Working,
    chain: &[Transfer],
    now: DateTime<Utc>,
    outcomes: &mut Vec<Outcome>,
) {
    let start = outcomes.len();
    let mark = work.mark();
    let mut refused = None;
    for (i, transfer) in chain.iter().enumerate() {
        let result = if transfer.linked && i + 1 == chain.len() {
            Err(Failure::LinkedChainOpen)
        } else {
            joined::apply(work, transfer, now)
        };
        match result {
            Ok(outcome) => outcomes.push(outcome),
            Err(failure) => {
                refused = Some((i, failure));
                break;
            }
        }
    }
    if let Some((culprit, failure)) = refused {
        work.roll_back(mark);
        outcomes.truncate(start);
        outcomes.extend(
            (0..chain.len()).map(|i| {
                Outcome::Failed(if i == culprit { failure } else { Failure::LinkedFailed })
            }),
        );
        return;
    }
    // A chain was posted as a whole or never: one that exists in part is not the chain that was posted.
    let exists = |outcome: &Outcome| matches!(outcome, Outcome::Exists(_));
    let known = outcomes[start..].iter().filter(|outcome| exists(outcome)).count();
    if known > 0 && known < chain.len() {
        work.roll_back(mark);
        for outcome in &mut outcomes[start..] {
            if !exists(outcome) {
                *outcome = Outcome::Failed(Failure::LinkedFailed);
            }
        }
    }
}
