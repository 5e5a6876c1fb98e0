use uuid::Uuid;

use super::*;

fn staff(n: u128) -> StaffId {
    StaffId::from_uuid(Uuid::from_u128(n))
}

fn day(n: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::days(n)
}

fn holder(presence: Presence, interacted: Option<i64>) -> Holder {
    let interacted_at = interacted.map(day);
    Holder { staff_id: staff(1), since_at: day(0), interacted_at, presence }
}

fn everybody() -> Candidates {
    Candidates {
        channel: Some(staff(2)),
        turn: true,
        last_order: Some(staff(3)),
        serving: Some(staff(4)),
    }
}

#[test]
fn an_owner_who_works_here_stays_until_lapsed_while_another_serves() {
    use Presence::Here;
    let served = everybody();
    let unserved = Candidates { serving: None, ..served };
    let by_owner = Candidates { serving: Some(staff(1)), ..served };
    let taken = Decision::Give(staff(4), Source::Lapsed);
    let cases = [
        (holder(Here, None), served, 179, Decision::Keep),
        (holder(Here, None), served, 180, taken),
        (holder(Here, Some(10)), served, 189, Decision::Keep),
        (holder(Here, Some(10)), served, 190, taken),
        (holder(Here, Some(-50)), served, 179, Decision::Keep),
        (holder(Here, None), unserved, 400, Decision::Keep),
        (holder(Here, None), by_owner, 400, Decision::Keep),
    ];
    for (holder, candidates, at, expected) in cases {
        assert_eq!(decide(Some(holder), candidates, day(at)), expected, "{holder:?} on day {at}");
    }
}

#[test]
fn without_an_owner_who_works_here_code_turn_and_order_come_one_after_the_other() {
    let left = Some(holder(Presence::Left, Some(1)));
    let all = everybody();
    let no_code = Candidates { channel: None, ..all };
    let no_turn = Candidates { turn: false, ..no_code };
    let unserved = Candidates { serving: None, ..no_turn };
    for holder in [None, left] {
        let said = |candidates| decide(holder, candidates, day(1));
        assert_eq!(said(all), Decision::Give(staff(2), Source::ChannelCode));
        assert_eq!(said(no_code), Decision::Turn);
        assert_eq!(said(no_turn), Decision::Give(staff(4), Source::LastOrder));
        assert_eq!(said(unserved), Decision::Give(staff(3), Source::LastOrder));
        assert_eq!(said(Candidates::default()), Decision::Nobody);
    }
}

#[test]
fn turns_go_round_whoever_comes_or_leaves() {
    let all = [staff(1), staff(3), staff(5)];
    assert_eq!(turn(&all, None), Some(staff(1)));
    assert_eq!(turn(&all, Some(staff(1))), Some(staff(3)));
    assert_eq!(turn(&all, Some(staff(2))), Some(staff(3)));
    assert_eq!(turn(&all, Some(staff(5))), Some(staff(1)));
    assert_eq!(turn(&[], Some(staff(5))), None);
}

#[test]
fn in_a_merge_the_owner_seen_last_stays_and_a_tie_changes_nothing() {
    assert!(loser_wins(Some(day(1)), Some(day(2))));
    assert!(!loser_wins(Some(day(2)), Some(day(2))));
    assert!(loser_wins(None, Some(day(1))));
    assert!(!loser_wins(Some(day(1)), None));
    assert!(!loser_wins(None, None));
}
