//! GMV = User × ARPU (reference §1.5): who was connected when buying, and what these persons spent in the whole domain.
//!
//! Being connected is a matter of instants, so this counts orders, one by one, and not day cells. GMV and User are stored
//! and ARPU is their ratio: the identity holds exactly (rule 112).

use chrono::{DateTime, Utc};

use super::{Domain, Fact, Person, Ratio};

/// A time in which a person was connected by some private channel: from an instant up to, not including, another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Connection {
    /// Who.
    pub person: Person,
    /// When the connection was made.
    pub from: DateTime<Utc>,
    /// When it was lost; `None` while it holds.
    pub to: Option<DateTime<Utc>>,
}

/// Which orders of a user count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Attribution {
    /// All orders of the period: the definition is period-wide.
    Period,
    /// Only orders placed while connected (`as_of_order`).
    Order,
}

/// Counts the orders of a period, in any order, each exactly once.
#[derive(Debug, Clone)]
pub struct UserArpu {
    attribution: Attribution,
    /// Disjoint, by person and time.
    connections: Vec<Connection>,
    persons: Vec<Spent>,
    private_channel_gmv_minor: i64,
}

#[derive(Debug, Clone, Copy, Default)]
struct Spent {
    connected: bool,
    minor: i64,
}

/// The figures of a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UserArpuFigures {
    /// Persons who were connected at the time of at least one of their orders.
    pub users: u64,
    /// What they spent in the whole domain, in minor units: users × ARPU.
    pub gmv_minor: i64,
    /// GMV per user.
    pub arpu: Ratio,
    /// What was spent in the private channel, by anyone; not to be mixed with `gmv_minor`.
    pub private_channel_gmv_minor: i64,
    /// `gmv_minor` less `private_channel_gmv_minor`.
    pub gap_minor: i64,
}

impl UserArpu {
    /// A counter that knows who was connected when; the times of one person may overlap.
    #[must_use]
    pub fn new(
        connections: impl IntoIterator<Item = Connection>,
        attribution: Attribution,
    ) -> Self {
        let connections = merge(connections.into_iter().collect());
        Self { attribution, connections, persons: Vec::new(), private_channel_gmv_minor: 0 }
    }

    /// Counts an order.
    ///
    /// # Panics
    /// When a sum exceeds 64 bits; see [`super::MAX_AMOUNT_MINOR`].
    pub fn add(&mut self, order: &Fact) {
        const FITS: &str = "a merchant's turnover fits 64 bits";
        if order.domain == Domain::Private {
            let sum = self.private_channel_gmv_minor.checked_add(order.amount_minor);
            self.private_channel_gmv_minor = sum.expect(FITS);
        }
        let connected = self.is_connected(order.person, order.paid_at);
        if self.attribution == Attribution::Order && !connected {
            return;
        }
        let place = usize::try_from(order.person).expect("a process has at least 32 bits");
        if place >= self.persons.len() {
            self.persons.resize(place + 1, Spent::default());
        }
        let spent = &mut self.persons[place];
        spent.connected |= connected;
        spent.minor = spent.minor.checked_add(order.amount_minor).expect(FITS);
    }

    /// What was counted so far.
    #[must_use]
    pub fn figures(&self) -> UserArpuFigures {
        let (mut users, mut gmv_minor) = (0, 0);
        for spent in self.persons.iter().filter(|spent| spent.connected) {
            users += 1;
            gmv_minor += spent.minor;
        }
        UserArpuFigures {
            users,
            gmv_minor,
            arpu: Ratio::per(gmv_minor, users),
            private_channel_gmv_minor: self.private_channel_gmv_minor,
            gap_minor: gmv_minor - self.private_channel_gmv_minor,
        }
    }

    fn is_connected(&self, person: Person, at: DateTime<Utc>) -> bool {
        let after = self.connections.partition_point(|c| (c.person, c.from) <= (person, at));
        let last = self.connections[..after].last();
        last.is_some_and(|c| c.person == person && c.to.is_none_or(|to| at < to))
    }
}

/// Joins times of one person that overlap or touch.
fn merge(mut connections: Vec<Connection>) -> Vec<Connection> {
    connections.retain(|c| c.to.is_none_or(|to| c.from < to));
    connections.sort_unstable();
    let mut merged: Vec<Connection> = Vec::with_capacity(connections.len());
    for next in connections {
        match merged.last_mut() {
            Some(last)
                if last.person == next.person && last.to.is_none_or(|to| next.from <= to) =>
            {
                last.to = last.to.zip(next.to).map(|(a, b)| a.max(b));
            }
            _ => merged.push(next),
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use siyu_kernel::LocalDay;

    use super::*;

    fn at(day: u32) -> DateTime<Utc> {
        format!("2024-06-{day:02}T12:00:00Z").parse().unwrap()
    }

    fn order(person: Person, day: u32, amount_minor: i64, domain: Domain) -> Fact {
        let paid_at = at(day);
        Fact { person, day: LocalDay(0), paid_at, amount_minor, units: 1, domain, off_hours: false }
    }

    fn connection(person: Person, from: u32, to: Option<u32>) -> Connection {
        Connection { person, from: at(from), to: to.map(at) }
    }

    fn figures(
        connections: &[Connection],
        orders: &[Fact],
        attribution: Attribution,
    ) -> UserArpuFigures {
        let mut counter = UserArpu::new(connections.iter().copied(), attribution);
        for order in orders {
            counter.add(order);
        }
        counter.figures()
    }

    #[test]
    fn three_users_of_the_reference_give_six_hundred() {
        use Domain::{Pos, Private, Public};
        let connections = [0, 1, 2].map(|person| connection(person, 1, None));
        let orders = [
            order(0, 2, 12_000, Private),
            order(1, 3, 9_000, Private),
            order(1, 4, 21_000, Public),
            order(2, 5, 18_000, Pos),
            order(3, 5, 77_700, Public),
        ];
        let figures = figures(&connections, &orders, Attribution::Period);
        assert_eq!((figures.users, figures.gmv_minor), (3, 60_000));
        assert_eq!(figures.arpu.round_half_up(), Some(20_000));
        assert_eq!((figures.private_channel_gmv_minor, figures.gap_minor), (21_000, 39_000));
    }

    #[test]
    fn an_order_before_the_connection_counts_by_period_and_not_by_order() {
        let connections = [connection(0, 10, None)];
        let orders = [order(0, 5, 100, Domain::Public), order(0, 20, 300, Domain::Public)];
        assert_eq!(figures(&connections, &orders, Attribution::Period).gmv_minor, 400);
        assert_eq!(figures(&connections, &orders, Attribution::Order).gmv_minor, 300);
        let early = figures(&connections, &orders[..1], Attribution::Period);
        assert_eq!((early.users, early.gmv_minor, early.arpu.value()), (0, 0, None));
    }

    #[test]
    fn a_connection_holds_from_its_start_up_to_its_end_across_overlaps() {
        let connections = [
            connection(0, 3, Some(6)),
            connection(0, 1, Some(4)),
            connection(0, 5, Some(6)),
            connection(0, 8, Some(8)),
            connection(1, 1, Some(2)),
            connection(1, 1, None),
        ];
        let counter = UserArpu::new(connections, Attribution::Period);
        let connected: Vec<u32> =
            (1..=10).filter(|&day| counter.is_connected(0, at(day))).collect();
        assert_eq!(connected, [1, 2, 3, 4, 5]);
        assert!(counter.is_connected(1, at(30)) && !counter.is_connected(2, at(3)));
    }
}
