//! Fixed layers of customers: RFM scores (reference §1.25, against fixed limits) and dormant states (§2.8).

use super::Spans;

/// The days of the window of frequency and spend.
pub(super) const WINDOW_DAYS: i64 = 365;

/// The words of dormant states.
pub(super) const DORMANCY: &[&str] = &["active", "quiet", "drowsy", "dormant", "lost"];

/// The most days since the last purchase for the scores 5, 4, 3 and 2.
const RECENCY: [i64; 4] = [30, 90, 180, 365];
/// The fewest purchase days for the scores 2, 3, 4 and 5.
const FREQUENCY: [i64; 4] = [2, 3, 6, 10];
/// The least spend in minor units for the scores 2, 3, 4 and 5.
const MONETARY: [i64; 4] = [30_000, 100_000, 200_000, 500_000];

/// The days since the last purchase that have one of the scores.
pub(super) fn recency(scores: &Spans) -> Spans {
    let [five, four, three, two] = RECENCY;
    let spans = [
        (two + 1, i64::MAX),
        (three + 1, two),
        (four + 1, three),
        (five + 1, four),
        (i64::MIN, five),
    ];
    of_scores(scores, spans)
}

/// The purchase days that have one of the scores.
pub(super) fn frequency(scores: &Spans) -> Spans {
    of_scores(scores, rising(FREQUENCY))
}

/// The spend that has one of the scores.
pub(super) fn monetary(scores: &Spans) -> Spans {
    of_scores(scores, rising(MONETARY))
}

/// The days of silence of a dormant state; `lost` is more than days, and `dormant` ends where it begins.
pub(super) fn silence(state: &str) -> Spans {
    match state {
        "active" => Spans::at_most(90),
        "quiet" => Spans::between(91, 180),
        "drowsy" => Spans::between(181, 365),
        "dormant" => Spans::between(366, 730),
        _ => Spans::at_least(731),
    }
}

fn rising([two, three, four, five]: [i64; 4]) -> [(i64, i64); 5] {
    [(i64::MIN, two - 1), (two, three - 1), (three, four - 1), (four, five - 1), (five, i64::MAX)]
}

/// The spans of the scores 1 to 5 that are asked for.
fn of_scores(scores: &Spans, spans: [(i64, i64); 5]) -> Spans {
    let wanted = (1..=5).zip(spans).filter(|(score, _)| scores.contains(*score));
    Spans::of(wanted.map(|(_, span)| span).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_has_exactly_one_score() {
        for value in [0, 1, 2, 3, 9, 10, 30, 31, 90, 91, 365, 366, 29_999, 30_000, 500_000] {
            for layer in [recency, frequency, monetary] {
                let scores: Vec<i64> =
                    (1..=5).filter(|&s| layer(&Spans::points([s])).contains(value)).collect();
                assert_eq!(scores.len(), 1, "{value}: {scores:?}");
            }
        }
        assert!(
            recency(&Spans::points([5])).contains(30) && frequency(&Spans::at_least(4)).contains(6)
        );
    }

    #[test]
    fn every_silence_is_one_state() {
        for days in [-1, 0, 90, 91, 180, 181, 365, 366, 730, 731, 5_000] {
            let states = DORMANCY.iter().filter(|state| silence(state).contains(days)).count();
            assert_eq!(states, 1, "{days}");
        }
    }
}
