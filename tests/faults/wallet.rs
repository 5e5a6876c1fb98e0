//! Points and stored value while the member service and its PostgreSQL are killed again and again: nothing that was
//! acknowledged is lost, nothing happens twice, and the books are those of an undisturbed day.

mod teller;

use std::{
    cell::Cell,
    time::{Duration, Instant},
};

use futures::future::join_all;
use siyu_runtime::{jitter, pause};
use siyu_tests::support::{HEAVY, story};

use crate::{
    bank::{Bank, Holder},
    chaos_time,
    wallet::teller::{Tally, Teller},
};

const HOLDERS: usize = 6;
const TELLERS: usize = 16;
/// Long enough for every kind of death, several times.
const SHORT: Duration = Duration::from_secs(16);
/// Between half of it and all of it the processes live.
const LIFE: Duration = Duration::from_secs(2);

#[test]
fn value_and_points_are_conserved_while_the_service_and_its_database_are_killed() {
    story(async {
        let _alone = HEAVY.lock().await;
        let mut bank = Bank::open(HOLDERS, &[]).await;
        let before = standing(&bank).await;
        let is_over = Cell::new(false);
        let mut tellers: Vec<Teller> = (0..TELLERS).map(|n| Teller::new(n, &bank)).collect();
        let work = join_all(tellers.iter_mut().map(|teller| teller.work(&is_over)));
        let chaos = async {
            let killed = kill_by_turns(&mut bank).await;
            is_over.set(true);
            killed
        };
        let (killed, _) = tokio::join!(chaos, work);
        assert!(killed >= 4, "both died more than once: {killed}");

        let told = tellers.iter().fold(Tally::new(HOLDERS), |sum, teller| sum.and(&teller.tally));
        let done = told.cards.iter().map(|card| card.entries).sum::<usize>();
        assert!(done > TELLERS, "something was done between the deaths: {done}");
        let after = standing(&bank).await;
        for (n, (before, after)) in before.iter().zip(&after).enumerate() {
            assert_eq!(*after, before.and(&told, n), "holder {n} after {killed} deaths");
        }
        bank.assert_sound().await;
        // Each acknowledged call once more: the first answer, and no effect.
        join_all(tellers.iter_mut().map(Teller::ask_again)).await;
        assert_eq!(standing(&bank).await, after);
        bank.assert_sound().await;
        bank.alone.stop().await;
    });
}

/// Kills the service, then PostgreSQL, then both, and so on; each is started again at once.
async fn kill_by_turns(bank: &mut Bank) -> u32 {
    let (start, mut killed) = (Instant::now(), 0);
    let time = chaos_time().unwrap_or(SHORT);
    while start.elapsed() < time {
        pause(jitter(LIFE)).await;
        let alone = &mut bank.alone;
        if killed % 3 != 1 {
            alone.kill_service();
        }
        if killed % 3 != 0 {
            alone.kill_database().await;
            alone.restart_database().await;
        }
        if killed % 3 != 1 {
            alone.start_again();
        }
        alone.wait().await;
        killed += 1;
    }
    killed
}

/// What a holder has, and of how many entries that is the sum.
#[derive(Debug, PartialEq, Eq)]
struct Standing {
    card: (i64, i64),
    card_entries: usize,
    points: i64,
    point_entries: usize,
}

impl Standing {
    fn and(&self, told: &Tally, n: usize) -> Self {
        let (card, points) = (&told.cards[n], &told.points[n]);
        Self {
            card: (self.card.0 + card.principal, self.card.1 + card.bonus),
            card_entries: self.card_entries + card.entries,
            points: self.points + points.points,
            point_entries: self.point_entries + points.entries,
        }
    }
}

async fn standing(bank: &Bank) -> Vec<Standing> {
    join_all(bank.holders.iter().map(|holder| standing_of(bank, holder))).await
}

/// Reads a balance both ways: as it is kept, and as the sum of what changed it. Nothing is reserved.
async fn standing_of(bank: &Bank, holder: &Holder) -> Standing {
    let card = bank.card(&holder.card_id).await;
    let entries = bank.card_entries(&holder.card_id).await;
    let kept = (card.principal_minor, card.bonus_minor);
    let summed = entries
        .iter()
        .fold((0, 0), |sum, entry| (sum.0 + entry.principal_minor, sum.1 + entry.bonus_minor));
    assert_eq!(kept, summed, "{holder:?}");
    assert_eq!(kept, (card.available_principal_minor, card.available_bonus_minor), "{holder:?}");
    let points = bank.points(&holder.person_id).await;
    let mut moves = bank.point_entries(&holder.person_id).await;
    // What reserves and what frees moves nothing.
    moves.retain(|entry| entry.amount != 0);
    assert_eq!(points.total, moves.iter().map(|entry| entry.amount).sum::<i64>(), "{holder:?}");
    assert_eq!((points.available, points.frozen), (points.total, 0), "{holder:?}");
    Standing {
        card: kept,
        card_entries: entries.len(),
        points: points.total,
        point_entries: moves.len(),
    }
}
