use super::*;
use crate::price::{Goods, Off, OrderPromotion, Reach, Scope, Tier};

mod random;

fn line(line_no: i32, quantity: i64, paid_minor: i64) -> SoldLine {
    SoldLine { line_no, quantity, paid_minor, earns: true, ..SoldLine::default() }
}

fn cash(amount_minor: i64) -> SoldTender {
    SoldTender { key: "1".into(), kind: TenderKind::Cash, amount_minor }
}

/// An order that was paid in cash.
fn sold(lines: Vec<SoldLine>, shipping_minor: i64) -> Sold {
    let goods: i64 = lines.iter().map(|line| line.paid_minor).sum();
    Sold {
        lines,
        shipping_minor,
        tenders: vec![cash(goods + shipping_minor)],
        coupons: vec!["ten".into()],
        thresholds: Vec::new(),
        threshold_policy: ThresholdPolicy::Keep,
        given: Vec::new(),
    }
}

fn pieces(line_no: i32, n: i64) -> AskLine {
    AskLine { line_no, share: Share::Pieces(n) }
}

fn minor(line_no: i32, amount: i64) -> AskLine {
    AskLine { line_no, share: Share::Minor(amount) }
}

fn parts(lines: &[AskLine]) -> Ask {
    Ask::Parts { lines: lines.to_vec(), shipping: Shipping::Stays }
}

/// Plans one refund after the other.
fn plans(sold: &Sold, asks: &[Ask]) -> Vec<RefundPlan> {
    let mut before = Before::default();
    let next = |ask| {
        let planned = plan(sold, &before, ask).unwrap();
        before.add(&planned);
        planned
    };
    asks.iter().map(next).collect()
}

fn totals(plans: &[RefundPlan]) -> Vec<i64> {
    plans.iter().map(|plan| plan.total_minor).collect()
}

#[test]
fn pieces_bring_cumulative_floors_and_points_alike() {
    let mut order = sold(vec![line(1, 3, 1_000)], 0);
    order.lines[0].points = 100;
    let plans = plans(&order, &[parts(&[pieces(1, 1)]), parts(&[pieces(1, 1)]), Ask::Whole]);
    assert_eq!(totals(&plans), [333, 333, 334]);
    assert_eq!(plans.iter().map(|plan| plan.points).collect::<Vec<_>>(), [33, 33, 34]);
}

#[test]
fn a_coupon_comes_back_with_the_last_minor_unit() {
    let order = sold(vec![line(1, 2, 1_000)], 500);
    let asks = [parts(&[pieces(1, 2)]), Ask::Whole];
    let back: Vec<(bool, usize)> =
        plans(&order, &asks).iter().map(|plan| (plan.fully, plan.coupons.len())).collect();
    assert_eq!(back, [(false, 0), (true, 1)]);
    // A gift is still with the buyer; the order is refunded, for every minor unit is.
    let order = sold(vec![line(1, 1, 1_000), line(2, 1, 0)], 0);
    let back: Vec<(bool, usize)> = plans(&order, &[parts(&[pieces(1, 1)]), Ask::Whole])
        .iter()
        .map(|plan| (plan.fully, plan.coupons.len()))
        .collect();
    assert_eq!(back, [(true, 1), (true, 1)]);
}

#[test]
fn all_is_back_when_what_came_back_is_all_whoever_was_planned_last() {
    let order = sold(vec![line(1, 2, 1_000)], 500);
    let first = plan(&order, &Before::default(), &parts(&[pieces(1, 1)])).unwrap();
    let mut before = Before::default();
    before.add(&first);
    let last = plan(&order, &before, &Ask::Whole).unwrap();
    assert!(last.fully, "it is, if the first comes back as well");
    let back = |plans: &[&RefundPlan]| {
        let mut back = Before::default();
        for plan in plans {
            back.add(plan);
        }
        is_all_back(&order, &back).unwrap()
    };
    assert_eq!([back(&[]), back(&[&first]), back(&[&last])], [false; 3]);
    assert!(back(&[&last, &first]));
}

#[test]
fn rewards_go_with_the_last_minor_unit_and_change_no_amount() {
    let given = |n: u128, fixed| Given {
        kind: RewardKind::RedPacket,
        id: n.to_string(),
        amount_minor: 2_000,
        fixed,
    };
    let mut order = sold(vec![line(1, 2, 1_000)], 500);
    let asks = [parts(&[pieces(1, 2)]), Ask::Whole];
    let bare = totals(&plans(&order, &asks));
    order.given = vec![given(1, None), given(2, Some(Kept::Received))];
    let planned = plans(&order, &asks);
    assert_eq!(totals(&planned), bare);
    let of = |plan: &RefundPlan| -> Vec<Action> {
        plan.rewards.iter().map(|reward| reward.action).collect()
    };
    let partial = Action::Keep(Kept::Partial);
    assert_eq!(of(&planned[0]), [partial, partial]);
    assert_eq!(of(&planned[1]), [Action::Stop, Action::Keep(Kept::Received)]);
}

#[test]
fn an_order_that_cost_nothing_is_refunded_with_its_last_piece() {
    let order = sold(vec![line(1, 2, 0)], 0);
    let plans = plans(&order, &[parts(&[pieces(1, 1)]), parts(&[pieces(1, 1)])]);
    assert_eq!(plans.iter().map(|plan| plan.fully).collect::<Vec<_>>(), [false, true]);
    assert_eq!((&plans[1].tenders, &plans[1].coupons), (&vec![], &vec!["ten".to_owned()]));
}

#[test]
fn an_amount_first_leaves_the_pieces_no_more_than_the_rest() {
    let mut order = sold(vec![line(1, 2, 1_000)], 0);
    order.lines[0].points = 7;
    let asks = [parts(&[minor(1, 700)]), parts(&[pieces(1, 1)]), parts(&[pieces(1, 1)])];
    let planned = plans(&order, &asks);
    assert_eq!(totals(&planned), [700, 300, 0]);
    // Whoever gets the last minor unit of a line gets its points.
    assert_eq!(planned.iter().map(|plan| plan.points).collect::<Vec<_>>(), [0, 7, 0]);
    assert_eq!(totals(&plans(&order, &[asks[0].clone(), parts(&[pieces(1, 2)])])), [700, 300]);
}

#[test]
fn tenders_get_back_in_proportion_to_what_is_left_of_each() {
    let tender = |key: &str, kind, amount_minor| SoldTender { key: key.into(), kind, amount_minor };
    let order = Sold {
        tenders: vec![
            tender("card", TenderKind::StoredValue, 333),
            tender("cash", TenderKind::Cash, 667),
        ],
        ..sold(vec![line(1, 3, 1_000)], 0)
    };
    let planned = plans(&order, &[parts(&[pieces(1, 1)]), parts(&[pieces(1, 1)]), Ask::Whole]);
    let of = |plan: &RefundPlan| -> Vec<i64> {
        plan.tenders.iter().map(|tender| tender.amount_minor).collect()
    };
    assert_eq!(planned.iter().map(of).collect::<Vec<_>>(), [[111, 222], [111, 222], [111, 223]]);
}

#[test]
fn what_earned_nothing_does_not_take_earnings_back() {
    let mut order = sold(vec![line(1, 1, 600), line(2, 1, 400)], 100);
    order.lines[1].earns = false;
    let whole = &plans(&order, &[Ask::Whole])[0];
    assert_eq!((whole.total_minor, whole.earned_on_minor), (1_100, 600));
}

#[test]
fn what_cannot_go_back_is_refused_by_field() {
    let order = sold(vec![line(1, 2, 1_000), line(4, 1, 0)], 500);
    let ship = |lines: &[AskLine]| Ask::Parts { lines: lines.to_vec(), shipping: Shipping::Back };
    let mut before = Before::default();
    before.add(&plan(&order, &before, &ship(&[pieces(1, 1)])).unwrap());
    let wrong = |ask: &Ask| plan(&order, &before, ask).unwrap_err().to_string();
    let cases = [
        (parts(&[]), "lines: asks for nothing"),
        (parts(&[pieces(2, 1)]), "lines[0].line_no: the order has no such line"),
        (parts(&[minor(1, 1), pieces(1, 1)]), "lines[1].line_no: stands twice"),
        (parts(&[pieces(1, 0)]), "lines[0].quantity: must be positive"),
        (parts(&[minor(1, -1)]), "lines[0].amount: must be positive"),
        (parts(&[pieces(1, 2)]), "lines[0].quantity: is more than the 1 pieces that are left"),
        (
            parts(&[minor(1, 501)]),
            "lines[0].amount: is more than the 500 minor units that are left",
        ),
        (parts(&[minor(4, 1)]), "lines[0].amount: is more than the 0 minor units that are left"),
        (ship(&[]), "shipping: the shipping was given back before"),
    ];
    for (ask, expected) in cases {
        assert_eq!(wrong(&ask), expected);
    }
    before.add(&plan(&order, &before, &Ask::Whole).unwrap());
    let nothing = plan(&order, &before, &Ask::Whole).unwrap_err();
    assert_eq!(nothing.to_string(), "whole: nothing is left of the order");
    let fault = siyu_kernel::Fault::from(nothing);
    assert_eq!(
        (fault.reason(), fault.metadata()["field"].as_str()),
        ("REFUND_EXCEEDS_REST", "whole")
    );
    let free = sold(vec![line(1, 1, 10)], 0);
    let fee = plan(&free, &Before::default(), &ship(&[])).unwrap_err().to_string();
    assert_eq!(fee, "shipping: nothing was paid for the shipping");
}

#[test]
fn an_order_that_contradicts_itself_is_no_fault_of_who_asks() {
    let mut order = sold(vec![line(1, 2, 1_000)], 0);
    order.tenders[0].amount_minor = 999;
    let fault =
        siyu_kernel::Fault::from(plan(&order, &Before::default(), &Ask::Whole).unwrap_err());
    assert_eq!(fault.reason(), "INTERNAL");
    let order = sold(vec![line(1, 2, 1_000)], 0);
    let back = LineRefund { line_no: 1, goods_minor: 1_001, ..LineRefund::default() };
    let before = Before { lines: [(1, back)].into(), ..Before::default() };
    assert!(matches!(plan(&order, &before, &Ask::Whole), Err(PlanError::Unsound(_))));
}

/// 200.00 and 100.00 with 50.00 off from 300.00 on, and 8.00 off from 100.00 on.
fn promoted(policy: ThresholdPolicy) -> Sold {
    let tier = |need, off| Tier { reach: Reach::Minor(need), off: Off::Minor(off) };
    let promotion = OrderPromotion {
        rule: "full".into(),
        priority: 0,
        group: String::new(),
        scope: Scope::default(),
        tiers: vec![tier(10_000, 800), tier(30_000, 5_000)],
        repeats: false,
        max_minor: None,
    };
    assert_eq!(promotion.off(Goods { base: 30_000, left: 30_000, pieces: 3 }), 5_000);
    let enjoyed = |line_no, base_minor, off_minor| Enjoyed {
        line_no,
        base_minor,
        left_minor: base_minor,
        off_minor,
    };
    let lines = vec![enjoyed(1, 20_000, 3_333), enjoyed(2, 10_000, 1_667)];
    Sold {
        thresholds: vec![Threshold { promotion, lines }],
        threshold_policy: policy,
        ..sold(vec![line(1, 2, 16_667), line(2, 1, 8_333)], 0)
    }
}

#[test]
fn a_lost_threshold_is_kept_or_deducted_as_the_order_was_sold() {
    let ask = [parts(&[pieces(1, 2)]), Ask::Whole];
    assert_eq!(totals(&plans(&promoted(ThresholdPolicy::Keep), &ask)), [16_667, 8_333]);
    // The kept line had 16.67 of the promotion and alone would have 8.00.
    let planned = plans(&promoted(ThresholdPolicy::Deduct), &ask);
    assert_eq!(totals(&planned), [16_667 - 867, 8_333 + 867]);
    let rows: Vec<(String, i64)> =
        planned[0].rows.iter().map(|row| (row.to_string(), row.amount_minor)).collect();
    let expected = [
        ("line 1: 2 of 2 pieces, 2 in all".to_owned(), 16_667),
        ("line 1: what remains no longer meets full".to_owned(), -867),
    ];
    assert_eq!(rows, expected);
    assert_eq!(planned[1].rows[1].why, Why::ThresholdReleased);
    assert!(planned[1].fully && !planned[0].fully);
}

#[test]
fn a_deduction_never_makes_a_refund_negative() {
    // Of the small line nothing is left for the deduction but 1.00.
    let order = promoted(ThresholdPolicy::Deduct);
    let asks = [parts(&[minor(2, 8_233)]), parts(&[pieces(2, 1)]), Ask::Whole];
    assert_eq!(totals(&plans(&order, &asks)), [8_233, 0, 16_667 + 100]);
}

#[test]
fn what_a_failed_refund_withheld_and_a_later_one_released_is_not_paid_twice() {
    let order = promoted(ThresholdPolicy::Deduct);
    let planned = plans(&order, &[parts(&[pieces(1, 2)]), parts(&[pieces(2, 1)])]);
    let mut before = Before::default();
    before.add(&planned[1]);
    let rest = plan(&order, &before, &Ask::Whole).unwrap();
    assert_eq!(planned[1].total_minor + rest.total_minor, 25_000);
    assert!(rest.fully);
}
