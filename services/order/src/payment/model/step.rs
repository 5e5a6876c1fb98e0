//! What can happen next.

use super::{Attempt, Back, Call, Outside, Said, Settlement, State, Theirs, World};
use crate::{
    claim::domain::{Event as ClaimEvent, State as Claim},
    payment::domain::{Event, all_ended},
};

/// Every world that may come right after this one.
pub(super) fn next<const N: usize>(world: &World<N>, outside: Outside) -> Vec<World<N>> {
    let mut found = Vec::new();
    if world.claim == Claim::Open {
        found.push(time_is_over(*world));
    }
    for at in 0..N {
        begin(world, at, &mut found);
        create(world, at, &mut found);
        close(world, at, outside, &mut found);
        query(world, at, outside, &mut found);
        pay(world, at, outside, &mut found);
        refund(world, at, &mut found);
    }
    found
}

fn with<const N: usize>(
    world: &World<N>,
    at: usize,
    change: impl FnOnce(&mut Attempt),
) -> World<N> {
    let mut world = *world;
    change(&mut world.attempts[at]);
    world
}

/// An event of one attempt, in the transaction that ends the claim when nothing is open any more.
fn apply<const N: usize>(world: &World<N>, at: usize, event: Event) -> World<N> {
    let mut world = *world;
    let attempt = &mut world.attempts[at];
    attempt.ours = attempt.ours.map(|ours| ours.on(event));
    end_claim(world)
}

fn end_claim<const N: usize>(mut world: World<N>) -> World<N> {
    let states = world.attempts.iter().filter_map(|attempt| attempt.ours);
    if world.claim == Claim::Closing && all_ended(states) {
        world.claim = world.claim.on(ClaimEvent::Ended).unwrap();
    }
    world
}

fn close_all<const N: usize>(world: &mut World<N>) {
    for attempt in &mut world.attempts {
        attempt.ours = attempt.ours.map(|ours| ours.on(Event::Close));
    }
}

fn time_is_over<const N: usize>(mut world: World<N>) -> World<N> {
    world.claim = world.claim.on(ClaimEvent::Close).unwrap();
    close_all(&mut world);
    end_claim(world)
}

/// It turns out that an attempt was paid.
fn success<const N: usize>(world: &World<N>, at: usize, outside: Outside) -> World<N> {
    let mut world = *world;
    let ours = world.attempts[at].ours.unwrap();
    let settlement = (outside.settle)(world.claim, ours, None, outside.late);
    if let Settlement::Keep(event) = settlement {
        // A rule that pays twice shows in the count of what is kept.
        world.claim = world.claim.on(event).unwrap_or(Claim::Paid);
    }
    if let Some(event) = settlement.event() {
        world.attempts[at].ours = Some(ours.on(event));
        if settlement == Settlement::GiveBack {
            world.attempts[at].refund = Back::Due;
        }
    }
    if world.claim == Claim::Paid {
        close_all(&mut world);
    }
    end_claim(world)
}

fn begin<const N: usize>(world: &World<N>, at: usize, found: &mut Vec<World<N>>) {
    // Attempts are alike: the second one begins after the first.
    let is_next = at == 0 || world.attempts[at - 1].ours.is_some();
    if world.claim == Claim::Open && world.attempts[at].ours.is_none() && is_next {
        found.push(with(world, at, |attempt| attempt.ours = Some(State::Created)));
    }
}

fn create<const N: usize>(world: &World<N>, at: usize, found: &mut Vec<World<N>>) {
    let attempt = world.attempts[at];
    match attempt.create {
        Call::Idle if attempt.ours == Some(State::Created) => {
            found.push(with(world, at, |attempt| attempt.create = Call::Asked));
        }
        Call::Idle => {}
        Call::Asked => {
            // The same number again is the same attempt there; one that has ended is not taken again.
            let (theirs, said) = match attempt.theirs {
                Theirs::Absent | Theirs::Open => (Theirs::Open, Said::Done),
                ended @ (Theirs::Paid | Theirs::Closed) => (ended, Said::No),
            };
            found.push(with(world, at, |attempt| {
                (attempt.theirs, attempt.create) = (theirs, Call::Answered(said));
            }));
        }
        Call::Answered(said) => {
            let event = if said == Said::Done { Event::Sent } else { Event::Refused };
            let mut read = apply(world, at, event);
            let attempt = &mut read.attempts[at];
            attempt.shown |= said == Said::Done && attempt.ours == Some(State::Pending);
            attempt.create = Call::Idle;
            found.push(read);
            found.push(with(world, at, |attempt| attempt.create = Call::Idle));
        }
    }
}

fn close<const N: usize>(world: &World<N>, at: usize, outside: Outside, found: &mut Vec<World<N>>) {
    let attempt = world.attempts[at];
    match attempt.close {
        Call::Idle if attempt.ours == Some(State::Closing) => {
            found.push(with(world, at, |attempt| attempt.close = Call::Asked));
        }
        Call::Idle => {}
        Call::Asked => {
            let (theirs, said) = match attempt.theirs {
                Theirs::Open | Theirs::Closed => (Theirs::Closed, Said::Done),
                Theirs::Absent => (Theirs::Absent, Said::Done),
                Theirs::Paid => (Theirs::Paid, Said::No),
            };
            found.push(with(world, at, |attempt| {
                (attempt.theirs, attempt.close) = (theirs, Call::Answered(said));
            }));
        }
        Call::Answered(said) => {
            let mut read = match said {
                Said::Done => apply(world, at, Event::ProviderClosed),
                Said::No => success(world, at, outside),
            };
            read.attempts[at].close = Call::Idle;
            found.push(read);
            found.push(with(world, at, |attempt| attempt.close = Call::Idle));
        }
    }
}

fn query<const N: usize>(world: &World<N>, at: usize, outside: Outside, found: &mut Vec<World<N>>) {
    let attempt = world.attempts[at];
    match attempt.query {
        Call::Idle if attempt.ours.is_some_and(State::is_open) => {
            let asked = with(world, at, |attempt| attempt.query = Call::Answered(attempt.theirs));
            if outside.stale {
                found.push(asked);
            } else {
                found.push(answered(&asked, at, attempt.theirs, outside));
            }
        }
        Call::Idle | Call::Asked => {}
        Call::Answered(theirs) => {
            found.push(answered(world, at, theirs, outside));
            found.push(with(world, at, |attempt| attempt.query = Call::Idle));
        }
    }
}

fn answered<const N: usize>(
    world: &World<N>,
    at: usize,
    theirs: Theirs,
    outside: Outside,
) -> World<N> {
    let mut read = match theirs {
        Theirs::Paid => success(world, at, outside),
        Theirs::Closed => apply(world, at, Event::ProviderClosed),
        Theirs::Absent | Theirs::Open => *world,
    };
    read.attempts[at].query = Call::Idle;
    read
}

/// The buyer pays, the company tells it, or ends what nobody paid.
fn pay<const N: usize>(world: &World<N>, at: usize, outside: Outside, found: &mut Vec<World<N>>) {
    let attempt = world.attempts[at];
    if attempt.theirs == Theirs::Open {
        if attempt.shown || outside.reckless {
            found.push(with(world, at, |attempt| {
                (attempt.theirs, attempt.notices) = (Theirs::Paid, outside.notices);
            }));
        }
        if world.claim != Claim::Open {
            found.push(with(world, at, |attempt| attempt.theirs = Theirs::Closed));
        }
    }
    if attempt.notices > 0 {
        let mut told = success(world, at, outside);
        told.attempts[at].notices -= 1;
        found.push(told);
    }
}

fn refund<const N: usize>(world: &World<N>, at: usize, found: &mut Vec<World<N>>) {
    match world.attempts[at].refund {
        Back::None | Back::Done => {}
        Back::Due => found.push(with(world, at, |attempt| attempt.refund = Back::Sent)),
        // Sent again under the same number, the company gives the money back once.
        Back::Sent => {
            found.push(with(world, at, |attempt| attempt.returned = 1));
            found.push(with(world, at, |attempt| {
                (attempt.returned, attempt.refund) = (1, Back::Done);
            }));
        }
    }
}
