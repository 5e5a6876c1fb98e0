//! The services by name: what each asks, what each follows, and its schema.

use siyu_pg::Migration;

/// A service of the suite.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, clap::ValueEnum)]
pub enum Service {
    /// People and organisation.
    Member,
    /// Goods and money.
    Order,
    /// Who brought whom.
    Distribution,
    /// Every word sent.
    Messaging,
    /// Every number shown.
    Metrics,
    /// The door for everyone outside.
    Gateway,
}

impl Service {
    /// All of them, in the order of who asks whom.
    pub const ALL: [Self; 6] = [
        Self::Member,
        Self::Order,
        Self::Distribution,
        Self::Messaging,
        Self::Metrics,
        Self::Gateway,
    ];

    /// Those behind the gateway.
    pub const INNER: [Self; 5] =
        [Self::Member, Self::Order, Self::Distribution, Self::Messaging, Self::Metrics];

    /// Its name: of its database, its events, its telemetry.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Member => siyu_member::NAME,
            Self::Order => siyu_order::NAME,
            Self::Distribution => siyu_distribution::NAME,
            Self::Messaging => siyu_messaging::NAME,
            Self::Metrics => siyu_metrics::NAME,
            Self::Gateway => "gateway",
        }
    }

    /// The service of a name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|service| service.name() == name)
    }

    /// Every migration of its database, the libraries' first.
    pub fn migrations(self) -> Vec<Migration> {
        let own: [&[Migration]; 3] = match self {
            Self::Member => {
                [siyu_events::MIGRATIONS, siyu_ledger::MIGRATIONS, siyu_member::MIGRATIONS]
            }
            Self::Order => {
                [siyu_events::MIGRATIONS, siyu_ledger::MIGRATIONS, siyu_order::MIGRATIONS]
            }
            Self::Distribution => {
                [siyu_events::MIGRATIONS, siyu_ledger::MIGRATIONS, siyu_distribution::MIGRATIONS]
            }
            Self::Messaging => [siyu_events::MIGRATIONS, &[], siyu_messaging::MIGRATIONS],
            Self::Metrics => [siyu_events::MIGRATIONS, &[], siyu_metrics::MIGRATIONS],
            Self::Gateway => [&[], &[], siyu_gateway::migrations()],
        };
        siyu_pg::base_migrations().iter().chain(own.into_iter().flatten()).copied().collect()
    }

    /// Who follows its log: what they have not handled is not pruned.
    pub const fn followers(self) -> &'static [&'static str] {
        match self {
            Self::Member => &[
                siyu_order::NAME,
                siyu_distribution::NAME,
                siyu_messaging::NAME,
                siyu_metrics::NAME,
            ],
            Self::Messaging => &[siyu_metrics::NAME],
            Self::Distribution => &[siyu_member::NAME, siyu_metrics::NAME],
            Self::Order => &[siyu_member::NAME, siyu_distribution::NAME, siyu_metrics::NAME],
            Self::Metrics | Self::Gateway => &[],
        }
    }

    /// Whom it asks or follows.
    pub const fn peers(self) -> &'static [Self] {
        match self {
            Self::Member => &[Self::Order, Self::Distribution],
            Self::Distribution => &[Self::Member, Self::Order],
            Self::Order | Self::Messaging => &[Self::Member],
            Self::Metrics => &[Self::Member, Self::Order, Self::Distribution, Self::Messaging],
            Self::Gateway => &Self::INNER,
        }
    }
}
