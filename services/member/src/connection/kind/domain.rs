//! When a kind of connection holds, for how long, and how strongly. Pure.

use chrono::{DateTime, TimeDelta, Utc};
use siyu_grpc::parse::timestamp;
use siyu_proto::member::v1::{self as proto, ConnectionGround as Ground, ConnectionKind as Kind};

/// Interest ends so long after its last sign.
const INTEREST: TimeDelta = TimeDelta::days(90);
/// Talk that long ago is no reason for trust any more.
const TALK: TimeDelta = TimeDelta::days(180);
/// The smallest number of points that can be redeemed.
const REDEMPTION_UNIT: i64 = 100;

/// What is known of a person.
#[derive(Debug, Clone, PartialEq, Eq, Default, sqlx::FromRow)]
pub struct Evidence {
    /// When the person followed an official account last, of those still followed.
    pub followed_at: Option<DateTime<Utc>>,
    /// When a live stream was watched for a minute.
    pub watched_at: Option<DateTime<Utc>>,
    /// The second latest time at which content was opened or clicked.
    pub read_twice_at: Option<DateTime<Utc>>,
    /// When a group was joined by a content code.
    pub joined_at: Option<DateTime<Utc>>,
    /// A friend of an employee.
    pub is_friend: bool,
    /// Since when both the person and one employee had written, each at their latest.
    pub talked_at: Option<DateTime<Utc>>,
    /// An order counts.
    pub has_bought: bool,
    /// A phone is verified.
    pub is_registered: bool,
    /// Since when the person may promote.
    pub promotes_since: Option<DateTime<Utc>>,
}

/// One kind that holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// The kind.
    pub kind: Kind,
    /// What is left of its time, in per cent rounded up.
    pub strength: i32,
    /// When it ends; none: it does not expire.
    pub expires_at: Option<DateTime<Utc>>,
    /// Why it holds.
    pub grounds: Vec<Ground>,
}

/// The kinds that hold, the primary one first.
pub fn held(evidence: &Evidence, points_available: i64, now: DateTime<Utc>) -> Vec<Held> {
    let lasting = |holds: bool, ground: Ground| holds.then_some((ground, None));
    let timed = |since: Option<DateTime<Utc>>, term: TimeDelta, ground: Ground| {
        since.filter(|since| now < *since + term).map(|since| (ground, Some((since + term, term))))
    };
    let benefit = [
        lasting(points_available >= REDEMPTION_UNIT, Ground::Points),
        lasting(evidence.promotes_since.is_some(), Ground::Promoter),
    ];
    let trust = [
        timed(evidence.talked_at, TALK, Ground::Talked),
        lasting(evidence.has_bought, Ground::Bought),
        lasting(evidence.is_registered, Ground::Registered),
    ]
    .map(|ground| ground.filter(|_| evidence.is_friend));
    let interest = [
        timed(evidence.followed_at, INTEREST, Ground::Followed),
        timed(evidence.watched_at, INTEREST, Ground::WatchedLive),
        timed(evidence.read_twice_at, INTEREST, Ground::ReadContent),
        timed(evidence.joined_at, INTEREST, Ground::JoinedGroup),
    ];
    let kinds = [
        hold(Kind::Benefit, &benefit, now),
        hold(Kind::Trust, &trust, now),
        hold(Kind::Interest, &interest, now),
    ];
    kinds.into_iter().flatten().collect()
}

/// When a ground ends, and how long it lasts in all; none: for ever.
type End = Option<(DateTime<Utc>, TimeDelta)>;

fn hold(kind: Kind, grounds: &[Option<(Ground, End)>], now: DateTime<Utc>) -> Option<Held> {
    let holding: Vec<(Ground, End)> = grounds.iter().copied().flatten().collect();
    let lasts = holding.iter().any(|(_, end)| end.is_none());
    let last = holding.iter().filter_map(|(_, end)| *end).max_by_key(|(at, _)| *at);
    let expiring = if lasts { None } else { last };
    let strength = expiring.map_or(100, |(at, term)| share(at - now, term));
    (!holding.is_empty()).then(|| Held {
        kind,
        strength,
        expires_at: expiring.map(|(at, _)| at),
        grounds: holding.into_iter().map(|(ground, _)| ground).collect(),
    })
}

fn share(left: TimeDelta, term: TimeDelta) -> i32 {
    let (left, term) = (left.num_seconds().max(1), term.num_seconds());
    i32::try_from((left * 100 + term - 1) / term).unwrap_or(100).min(100)
}

impl From<Held> for proto::HeldKind {
    fn from(held: Held) -> Self {
        Self {
            kind: held.kind.into(),
            strength: held.strength,
            expire_time: held.expires_at.map(timestamp),
            grounds: held.grounds.into_iter().map(Into::into).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(n: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::days(n)
    }

    fn kinds(evidence: &Evidence, points: i64, at: i64) -> Vec<(Kind, i32)> {
        held(evidence, points, day(at)).into_iter().map(|held| (held.kind, held.strength)).collect()
    }

    #[test]
    fn interest_fades_over_90_days_from_its_last_sign() {
        let read = Evidence { read_twice_at: Some(day(0)), ..Default::default() };
        assert_eq!(kinds(&read, 0, 0), [(Kind::Interest, 100)]);
        assert_eq!(kinds(&read, 0, 45), [(Kind::Interest, 50)]);
        assert_eq!(kinds(&read, 0, 89), [(Kind::Interest, 2)]);
        assert_eq!(kinds(&read, 0, 90), []);
        let watched = Evidence { watched_at: Some(day(80)), ..read };
        let held = held(&watched, 0, day(85));
        assert_eq!(held[0].grounds, [Ground::WatchedLive, Ground::ReadContent]);
        assert_eq!(held[0].expires_at, Some(day(170)));
    }

    #[test]
    fn trust_takes_a_friend_who_talks_bought_or_registered() {
        let talked = Evidence { talked_at: Some(day(0)), ..Default::default() };
        assert_eq!(kinds(&talked, 0, 1), []);
        let friend = Evidence { is_friend: true, ..talked };
        assert_eq!(kinds(&friend, 0, 90), [(Kind::Trust, 50)]);
        assert_eq!(kinds(&friend, 0, 180), []);
        let bought = Evidence { has_bought: true, ..friend };
        assert_eq!(kinds(&bought, 0, 900), [(Kind::Trust, 100)]);
    }

    #[test]
    fn the_primary_kind_comes_first() {
        let all = Evidence {
            followed_at: Some(day(0)),
            is_friend: true,
            is_registered: true,
            promotes_since: Some(day(0)),
            ..Default::default()
        };
        let order = [Kind::Benefit, Kind::Trust, Kind::Interest];
        let held: Vec<Kind> = kinds(&all, 0, 0).into_iter().map(|(kind, _)| kind).collect();
        assert_eq!(held, order);
        let pointed = Evidence::default();
        assert_eq!(kinds(&pointed, 99, 0), []);
        assert_eq!(kinds(&pointed, 100, 0), [(Kind::Benefit, 100)]);
    }
}
