//! How an order that was placed here goes from state to state (reference §3.1, rule 14). Pure.
//!
//! | from | event | to |
//! | --- | --- | --- |
//! | created | paid | paid |
//! | created | `group_joined` | `group_pending` |
//! | created | cancelled | cancelled |
//! | cancelled | revived | paid |
//! | `group_pending` | `group_formed` | paid |
//! | paid | accepted | accepted |
//! | accepted | readied | `ready_for_pickup` |
//! | accepted | dispatched | delivering |
//! | accepted | shipped | shipped |
//! | accepted | rerouted | paid |
//! | `ready_for_pickup` | `picked_up` | `picked_up` |
//! | `picked_up` | `pickup_reversed` | `ready_for_pickup` |
//! | delivering | delivered | delivered |
//! | shipped | signed | signed |
//! | `picked_up`, delivered, signed | completed | completed |
//! | completed | closed | closed |
//! | `group_pending`, paid, accepted, `ready_for_pickup`, `picked_up` | refunded | refunded |
//! | delivering, delivered, shipped, signed, completed | refunded | refunded |
//!
//! Every other pair is refused. A late payment revives an order only if its stock can be reserved again; if not, the money
//! goes back and the order stays cancelled.

use super::domain::State;

/// What happens to an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// All that is payable has come in.
    Paid,
    /// The same, for a seat in a group-buy that is not full yet.
    GroupJoined,
    /// The group is full.
    GroupFormed,
    /// It ended before it was paid.
    Cancelled,
    /// Its payment came after its end, and there still is what was ordered.
    Revived,
    /// The merchant or a store takes it on.
    Accepted,
    /// The store that took it on gives it back.
    Rerouted,
    /// It waits for the buyer.
    Readied,
    /// The buyer fetched it.
    PickedUp,
    /// That was a mistake.
    PickupReversed,
    /// A courier has it.
    Dispatched,
    /// The courier brought it.
    Delivered,
    /// A parcel is on its way.
    Shipped,
    /// The parcels came.
    Signed,
    /// The buyer confirmed it, or its time to do so is over.
    Completed,
    /// The after-sale window is over.
    Closed,
    /// Every minor unit was given back.
    Refunded,
}

impl Event {
    /// All of them.
    pub const ALL: [Self; 17] = [
        Self::Paid,
        Self::GroupJoined,
        Self::GroupFormed,
        Self::Cancelled,
        Self::Revived,
        Self::Accepted,
        Self::Rerouted,
        Self::Readied,
        Self::PickedUp,
        Self::PickupReversed,
        Self::Dispatched,
        Self::Delivered,
        Self::Shipped,
        Self::Signed,
        Self::Completed,
        Self::Closed,
        Self::Refunded,
    ];

    /// The word in columns and in the contract.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Paid => "paid",
            Self::GroupJoined => "group_joined",
            Self::GroupFormed => "group_formed",
            Self::Cancelled => "cancelled",
            Self::Revived => "revived",
            Self::Accepted => "accepted",
            Self::Rerouted => "rerouted",
            Self::Readied => "readied",
            Self::PickedUp => "picked_up",
            Self::PickupReversed => "pickup_reversed",
            Self::Dispatched => "dispatched",
            Self::Delivered => "delivered",
            Self::Shipped => "shipped",
            Self::Signed => "signed",
            Self::Completed => "completed",
            Self::Closed => "closed",
            Self::Refunded => "refunded",
        }
    }

    /// The states in which it can happen, and where each leads.
    pub const fn next(self, from: State) -> Option<State> {
        use State as S;
        match (self, from) {
            (Self::Paid, S::Created)
            | (Self::Revived, S::Cancelled)
            | (Self::GroupFormed, S::GroupPending)
            | (Self::Rerouted, S::Accepted) => Some(S::Paid),
            (Self::GroupJoined, S::Created) => Some(S::GroupPending),
            (Self::Cancelled, S::Created) => Some(S::Cancelled),
            (Self::Accepted, S::Paid) => Some(S::Accepted),
            (Self::Readied, S::Accepted) | (Self::PickupReversed, S::PickedUp) => {
                Some(S::ReadyForPickup)
            }
            (Self::PickedUp, S::ReadyForPickup) => Some(S::PickedUp),
            (Self::Dispatched, S::Accepted) => Some(S::Delivering),
            (Self::Delivered, S::Delivering) => Some(S::Delivered),
            (Self::Shipped, S::Accepted) => Some(S::Shipped),
            (Self::Signed, S::Shipped) => Some(S::Signed),
            (Self::Completed, S::PickedUp | S::Delivered | S::Signed) => Some(S::Completed),
            (Self::Closed, S::Completed) => Some(S::Closed),
            (
                Self::Refunded,
                S::GroupPending
                | S::Paid
                | S::Accepted
                | S::ReadyForPickup
                | S::PickedUp
                | S::Delivering
                | S::Delivered
                | S::Shipped
                | S::Signed
                | S::Completed,
            ) => Some(S::Refunded),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fmt::Write as _};

    use super::*;

    const STATES: [State; 14] = [
        State::Created,
        State::GroupPending,
        State::Paid,
        State::Accepted,
        State::ReadyForPickup,
        State::PickedUp,
        State::Delivering,
        State::Delivered,
        State::Shipped,
        State::Signed,
        State::Completed,
        State::Closed,
        State::Cancelled,
        State::Refunded,
    ];

    /// The rows of the table in the header of this file.
    fn documented() -> BTreeSet<String> {
        let text = include_str!("lifecycle.rs").replace('`', "");
        let rows = text.lines().filter_map(|l| l.strip_prefix("//! | "));
        let mut pairs = BTreeSet::new();
        for row in rows.skip(2) {
            let [from, event, to] = row.trim_end_matches(" |").split(" | ").collect::<Vec<_>>()[..]
            else {
                panic!("three columns: {row}")
            };
            pairs.extend(from.split(", ").map(|from| format!("{from} {event} {to}")));
        }
        pairs
    }

    #[test]
    fn the_table_of_the_documentation_is_the_code() {
        let mut coded = BTreeSet::new();
        for event in Event::ALL {
            for from in STATES {
                if let Some(to) = event.next(from) {
                    coded.insert(format!("{} {} {}", from.as_str(), event.as_str(), to.as_str()));
                }
            }
        }
        let missing =
            documented().symmetric_difference(&coded).fold(String::new(), |mut s, row| {
                writeln!(s, "{row}").unwrap();
                s
            });
        assert_eq!(missing, "");
    }

    #[test]
    fn an_ended_order_stays_ended_but_for_a_late_payment() {
        for event in Event::ALL {
            assert_eq!(event.next(State::Closed), None);
            assert_eq!(event.next(State::Refunded), None);
            let revived = (event == Event::Revived).then_some(State::Paid);
            assert_eq!(event.next(State::Cancelled), revived);
        }
    }

    #[test]
    fn a_sale_is_left_by_a_refund_only() {
        for (event, from) in Event::ALL.into_iter().flat_map(|e| STATES.map(|s| (e, s))) {
            if let Some(to) = event.next(from).filter(|to| from.counts() && !to.counts()) {
                assert_eq!((event, to), (Event::Refunded, State::Refunded));
            }
        }
    }
}
