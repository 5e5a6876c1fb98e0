//! Whether a suite has come to rest: every fact is told, and everyone who follows it has handled it.

use std::collections::BTreeMap;

use siyu::host::services::Service;

use super::{LIMIT, place::Place, store, until};

/// Who follows whom.
const FOLLOWED: [(Service, &[Service]); 5] = [
    (Service::Member, &[Service::Order, Service::Distribution]),
    (Service::Order, &[Service::Member]),
    (Service::Distribution, &[Service::Member, Service::Order]),
    (Service::Messaging, &[Service::Member]),
    (
        Service::Metrics,
        &[Service::Member, Service::Order, Service::Distribution, Service::Messaging],
    ),
];

type Heads = BTreeMap<&'static str, i64>;

/// Waits until every fact that there is was handled by everyone who follows it, and nothing new came of it. A fact that
/// nobody could handle fails the story.
pub async fn run_until_idle(place: &Place) {
    until("the suite rests", LIMIT, async || {
        // A database that is down is looked at again.
        is_idle(place).await.ok().filter(|idle| *idle)
    })
    .await;
}

/// Sets everyone back to the first fact of all that they follow, as a restored backup would; gives how far the furthest was.
/// Whoever runs has to be started anew.
pub async fn rewind(place: &Place) -> i64 {
    let mut furthest = 0;
    for (service, _) in FOLLOWED {
        let conn = store::connect(&place.databases, service).await;
        let rewound = store::rewind(&mut conn.expect("its database answers")).await;
        furthest = furthest.max(rewound.expect("cursors can be set"));
    }
    furthest
}

/// The last position of each log; `None` while a database does not answer.
pub async fn heads(place: &Place) -> Option<BTreeMap<&'static str, i64>> {
    read_heads(place).await.ok().map(|(heads, _)| heads)
}

async fn is_idle(place: &Place) -> Result<bool, sqlx::Error> {
    let (before, unstamped) = read_heads(place).await?;
    if unstamped {
        return Ok(false);
    }
    for (service, followed) in FOLLOWED {
        let mut conn = store::connect(&place.databases, service).await?;
        let parked = store::parked(&mut conn).await?;
        assert!(parked.is_empty(), "{parked:#?}");
        let cursors = store::cursors(&mut conn).await?;
        let caught_up = |source: &Service| {
            let found = cursors.iter().find(|c| {
                (c.consumer.as_str(), c.source.as_str()) == (service.name(), source.name())
            });
            found.map_or(0, |cursor| cursor.position) >= before[source.name()]
        };
        if !followed.iter().all(caught_up) {
            return Ok(false);
        }
    }
    let (after, unstamped) = read_heads(place).await?;
    Ok(before == after && !unstamped)
}

async fn read_heads(place: &Place) -> Result<(Heads, bool), sqlx::Error> {
    let (mut heads, mut waiting) = (Heads::new(), false);
    for service in Service::INNER {
        let mut conn = store::connect(&place.databases, service).await?;
        let (head, unstamped) = store::head(&mut conn).await?;
        heads.insert(service.name(), head);
        waiting |= unstamped;
    }
    Ok((heads, waiting))
}
