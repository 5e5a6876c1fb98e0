//! Signing in (签到): points for coming by every day, more for not missing one. A day is signed once, whoever asks how often.

pub(crate) mod merge;
pub mod rpc;
pub mod store;

use chrono::{DateTime, NaiveDate, Utc};
use siyu_grpc::parse::timestamp;
use siyu_proto::member::v1 as proto;

/// A day on which a person signed in: the row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub struct SignedDay {
    /// The day, in the merchant's zone.
    pub day: NaiveDate,
    /// Which day of the streak it was.
    pub streak: i32,
    /// The points that it brought.
    pub points: i64,
    /// When.
    pub signed_at: DateTime<Utc>,
}

impl From<SignedDay> for proto::SignedDay {
    fn from(signed: SignedDay) -> Self {
        Self {
            day: signed.day.to_string(),
            streak: signed.streak,
            points: signed.points,
            sign_time: Some(timestamp(signed.signed_at)),
        }
    }
}

/// What a day of a streak brings.
fn points_of(policy: &proto::SignInPolicy, streak: i32) -> i64 {
    let day = match policy.cycle_days {
        0 => streak,
        cycle => (streak - 1) % cycle + 1,
    };
    let bonus = policy.bonuses.iter().filter(|bonus| bonus.day == day);
    policy.points_per_day + bonus.map(|bonus| bonus.points).sum::<i64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certain_days_of_a_streak_bring_more_once_or_in_every_cycle() {
        let bonus = |day, points| proto::StreakBonus { day, points };
        let bonuses = vec![bonus(3, 5), bonus(7, 20)];
        let once = proto::SignInPolicy { points_per_day: 1, bonuses, cycle_days: 0 };
        let days = [1, 3, 7, 10, 14];
        assert_eq!(days.map(|day| points_of(&once, day)), [1, 6, 21, 1, 1]);
        let again = proto::SignInPolicy { cycle_days: 7, ..once };
        assert_eq!(days.map(|day| points_of(&again, day)), [1, 6, 21, 6, 21]);
    }
}
