//! The rules by which points are given.

use proptest::prelude::*;

use super::*;

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn expiring(expiry: Expiry) -> Policy {
    Policy { expiry, ..Policy::default() }
}

#[test]
fn points_expire_with_the_local_midnight_after_their_last_day() {
    let shanghai = |expiry, earned| expiring(expiry).expires_at(at(earned), Zone::SHANGHAI);
    let cases = [
        (Expiry::Never, "2024-01-31T10:00:00Z", None),
        (Expiry::Days(30), "2024-01-31T10:00:00Z", Some("2024-03-01T10:00:00Z")),
        // 2024-02-29 in Shanghai is the 28th in the evening in UTC.
        (Expiry::EndOfMonth(0), "2024-02-28T16:00:00Z", Some("2024-02-29T16:00:00Z")),
        (Expiry::EndOfMonth(12), "2024-01-15T00:00:00Z", Some("2025-01-31T16:00:00Z")),
        // The 31st has no counterpart in February: it is that month all the same.
        (Expiry::EndOfMonth(1), "2024-01-31T10:00:00Z", Some("2024-02-29T16:00:00Z")),
        (Expiry::EndOfYear(0), "2024-12-31T16:00:00Z", Some("2025-12-31T16:00:00Z")),
        (Expiry::EndOfYear(12), "2024-12-31T15:59:59Z", Some("2025-12-31T16:00:00Z")),
    ];
    for (expiry, earned, expires) in cases {
        assert_eq!(shanghai(expiry, earned), expires.map(at), "{expiry:?} {earned}");
    }
}

#[test]
fn the_version_in_force_is_the_one_that_became_effective_last() {
    let from = |version, text| Policy { version, effective_at: at(text), ..Policy::default() };
    let policies = [
        from(1, "2024-01-01T00:00:00Z"),
        from(2, "2024-06-01T00:00:00Z"),
        from(3, "2024-03-01T00:00:00Z"),
        from(4, "2024-03-01T00:00:00Z"),
    ];
    let version = |text| in_force(&policies, at(text)).version;
    let versions = [
        "2023-12-31T23:59:59Z",
        "2024-01-01T00:00:00Z",
        "2024-03-01T00:00:00Z",
        "2025-01-01T00:00:00Z",
    ]
    .map(version);
    assert_eq!(versions, [0, 1, 4, 2]);
}

#[test]
fn a_limit_is_found_by_its_action() {
    let limits = vec![("read".to_owned(), 5), ("share".to_owned(), 10)];
    let policy = Policy { limits, ..Policy::default() };
    let found = ["share", "read", "sign", ""].map(|action| policy.limit_of(action));
    assert_eq!(found, [Some(10), Some(5), None, None]);
}

proptest! {
    #[test]
    fn a_version_reads_back_as_itself(
        numerator in 0..=1_000_000_i64, denominator in 1..=1_000_000_i64, days in 0..=365_i32,
        count in 1..=3660_u32, mode in 0..4_u8, completes: bool,
    ) {
        let expiry = match mode {
            0 => Expiry::Never,
            1 => Expiry::Days(count),
            2 => Expiry::EndOfMonth(count),
            _ => Expiry::EndOfYear(count),
        };
        let vesting =
            if completes { Vesting::AtCompletion } else { Vesting::AfterPayment { days } };
        let limits = vec![("a".to_owned(), 1)];
        let policy = Policy {
            version: 3, effective_at: NOT_YET, earn: (numerator, denominator), vesting, expiry, limits,
        };
        let read = Policy::read(&(&policy).into(), DateTime::UNIX_EPOCH).unwrap();
        prop_assert_eq!(read, policy);
    }

    #[test]
    fn parts_of_an_amount_never_earn_more_than_the_whole(
        a in 0..1_i64 << 50, b in 0..1_i64 << 50, numerator in 0..=1_000_i64, denominator in 1..=1_000_i64,
    ) {
        let policy = Policy { earn: (numerator, denominator), ..Policy::default() };
        let (whole, parts) = (policy.earned(a + b, 100), [policy.earned(a, 100), policy.earned(b, 100)]);
        prop_assert!(i128::from(whole) >= parts.iter().map(|&part| i128::from(part)).sum());
        prop_assert!(i128::from(whole) - parts.iter().map(|&part| i128::from(part)).sum::<i128>() <= 1);
    }
}
