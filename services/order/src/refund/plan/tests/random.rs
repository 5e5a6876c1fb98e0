//! Random orders, refunded in random parts.

use proptest::prelude::*;

use super::{super::*, sold};
use crate::price::{self, Off, OrderPromotion, Reach, Scope, Step, Tier, tests::random::carts};

/// Something that may be asked: the numbers are cut to what the order has.
#[derive(Debug, Clone)]
struct Wish {
    lines: Vec<(usize, bool, i64)>,
    shipping: bool,
}

fn lines() -> impl Strategy<Value = Vec<SoldLine>> {
    let line = (1..9_i64, 0..5_000_i64, 0..300_i64, any::<bool>());
    prop::collection::vec(line, 1..7).prop_map(|lines| {
        let line = |(line_no, (quantity, paid_minor, points, earns))| SoldLine {
            line_no,
            sku: format!("s{line_no}"),
            quantity,
            paid_minor,
            points_minor: points,
            points,
            earns,
        };
        (1..).zip(lines).map(line).collect()
    })
}

/// A promotion that took something off every line, by its share of the lines.
fn threshold(need: i64, bp: Option<i64>, repeats: bool, lines: &[SoldLine]) -> Threshold {
    let base: i64 = lines.iter().map(|line| line.paid_minor + 100).sum();
    let off = bp.map_or(Off::Minor(60), Off::RateBp);
    let promotion = OrderPromotion {
        rule: format!("from {need}"),
        priority: 0,
        group: String::new(),
        scope: Scope::default(),
        tiers: vec![Tier { reach: Reach::Minor(need.min(base)), off }],
        repeats,
        max_minor: Some(100),
    };
    let goods = price::Goods { base, left: base, pieces: 9 };
    let weights: Vec<i64> = lines.iter().map(|line| line.paid_minor + 100).collect();
    let offs = allocate(promotion.off(goods), &weights);
    let enjoyed = |((line, &weight), off_minor): ((&SoldLine, &i64), i64)| Enjoyed {
        line_no: line.line_no,
        base_minor: weight,
        left_minor: weight,
        off_minor,
    };
    Threshold { lines: lines.iter().zip(&weights).zip(offs).map(enjoyed).collect(), promotion }
}

fn orders(policy: ThresholdPolicy) -> impl Strategy<Value = Sold> {
    let thresholds =
        prop::collection::vec((1..20_000_i64, prop::option::of(0..9_000_i64), any::<bool>()), 0..3);
    let tenders = prop::collection::vec(0..100_i64, 1..4);
    (lines(), 0..900_i64, tenders, thresholds).prop_map(
        move |(lines, shipping, weights, thresholds)| {
            let order = sold(lines, shipping);
            let amounts = allocate(order.tenders[0].amount_minor, &weights);
            let tender = |(n, amount_minor): (usize, i64)| SoldTender {
                key: n.to_string(),
                kind: TenderKind::Cash,
                amount_minor,
            };
            let thresholds = thresholds.into_iter();
            Sold {
                tenders: amounts.into_iter().enumerate().map(tender).collect(),
                thresholds: thresholds
                    .map(|(need, bp, repeats)| threshold(need, bp, repeats, &order.lines))
                    .collect(),
                threshold_policy: policy,
                ..order
            }
        },
    )
}

fn any_order() -> impl Strategy<Value = Sold> {
    prop_oneof![orders(ThresholdPolicy::Keep), orders(ThresholdPolicy::Deduct)]
}

fn wishes() -> impl Strategy<Value = Vec<Wish>> {
    let line = (0..7_usize, any::<bool>(), 1..5_000_i64);
    let wish = (prop::collection::vec(line, 0..4), any::<bool>());
    prop::collection::vec(wish.prop_map(|(lines, shipping)| Wish { lines, shipping }), 0..8)
}

/// What is left of a wish; nothing when nothing is.
fn fit(wish: &Wish, sold: &Sold, before: &Before) -> Option<Ask> {
    let standings = line::standings(sold, before).unwrap();
    let mut lines: Vec<AskLine> = Vec::new();
    for &(place, by_pieces, amount) in &wish.lines {
        let line = &standings[place % standings.len()];
        let (line_no, left) = (line.sold.line_no, (line.minor(), line.pieces()));
        let share = match (by_pieces, left) {
            (true, (_, 1..)) => Share::Pieces(1 + amount % line.pieces()),
            (false, (1.., _)) => Share::Minor(1 + amount % line.minor()),
            (true | false, _) => continue,
        };
        if lines.iter().all(|line| line.line_no != line_no) {
            lines.push(AskLine { line_no, share });
        }
    }
    let is_due = wish.shipping && sold.shipping_minor > 0 && before.shipping_minor == 0;
    let shipping = if is_due { Shipping::Back } else { Shipping::Stays };
    (is_due || !lines.is_empty()).then_some(Ask::Parts { lines, shipping })
}

fn agree(sold: &Sold, before: &Before, plan: &RefundPlan) -> Result<(), TestCaseError> {
    let goods: i64 = plan.lines.iter().map(|line| line.goods_minor).sum();
    prop_assert_eq!(goods + plan.shipping_minor, plan.total_minor);
    let rows: i64 = plan.rows.iter().map(|row| row.amount_minor).sum();
    prop_assert_eq!(rows, plan.total_minor);
    let tenders: i64 = plan.tenders.iter().map(|tender| tender.amount_minor).sum();
    prop_assert_eq!(tenders, plan.total_minor);
    prop_assert!(plan.lines.iter().all(|l| l.goods_minor >= 0 && l.points >= 0 && l.quantity >= 0));
    prop_assert!(plan.tenders.iter().all(|tender| tender.amount_minor > 0));
    for line in &sold.lines {
        let back = before.lines.get(&line.line_no).copied().unwrap_or_default();
        prop_assert!((0..=line.paid_minor).contains(&(back.goods_minor + back.withheld_minor)));
        prop_assert!(back.withheld_minor >= 0 && back.goods_minor >= 0);
        prop_assert!((0..=line.points).contains(&back.points));
        prop_assert!((0..=line.quantity).contains(&back.quantity));
    }
    for tender in &sold.tenders {
        let back = before.tenders.get(&tender.key).copied().unwrap_or(0);
        prop_assert!((0..=tender.amount_minor).contains(&back));
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn whatever_goes_back_in_parts_the_rest_leaves_every_bucket_empty(
        sold in any_order(), wishes in wishes(),
    ) {
        let (mut before, mut was_full) = (Before::default(), false);
        for wish in &wishes {
            let Some(ask) = fit(wish, &sold, &before) else { continue };
            let planned = plan(&sold, &before, &ask).unwrap();
            prop_assert_eq!(&plan(&sold, &before, &ask).unwrap(), &planned);
            before.add(&planned);
            agree(&sold, &before, &planned)?;
            prop_assert_eq!(planned.coupons.len(), usize::from(planned.fully));
            was_full |= planned.fully;
            prop_assert_eq!(is_all_back(&sold, &before).unwrap(), was_full);
        }
        let rest = plan(&sold, &before, &Ask::Whole);
        if let Ok(rest) = &rest {
            before.add(rest);
            agree(&sold, &before, rest)?;
        }
        prop_assert!(was_full || rest.is_ok_and(|rest| rest.fully));
        prop_assert!(is_all_back(&sold, &before).unwrap());
        for line in &sold.lines {
            let back = before.lines.get(&line.line_no).copied().unwrap_or_default();
            prop_assert_eq!(
                (back.quantity, back.goods_minor, back.withheld_minor, back.points),
                (line.quantity, line.paid_minor, 0, line.points)
            );
        }
        prop_assert_eq!(before.shipping_minor, sold.shipping_minor);
        for tender in &sold.tenders {
            let back = before.tenders.get(&tender.key).copied().unwrap_or(0);
            prop_assert_eq!(back, tender.amount_minor);
        }
        prop_assert!(plan(&sold, &before, &Ask::Whole).is_err());
    }

    #[test]
    fn pieces_bring_the_same_however_their_refunds_are_split(
        sold in orders(ThresholdPolicy::Keep),
        first in prop::collection::vec(0..9_i64, 7), second in prop::collection::vec(0..9_i64, 7),
    ) {
        let cut = |wanted: &[i64], left: &[i64]| -> Vec<i64> {
            wanted.iter().zip(left).map(|(n, left)| *n.min(left)).collect()
        };
        let all: Vec<i64> = sold.lines.iter().map(|line| line.quantity).collect();
        let one = cut(&first, &all);
        let left: Vec<i64> = all.iter().zip(&one).map(|(all, one)| all - one).collect();
        let two = cut(&second, &left);
        let both: Vec<i64> = one.iter().zip(&two).map(|(one, two)| one + two).collect();
        let run = |steps: &[&[i64]]| {
            let mut before = Before::default();
            for step in steps {
                let lines: Vec<AskLine> = (1..).zip(*step).filter(|(_, n)| **n > 0)
                    .map(|(line_no, &n)| AskLine { line_no, share: Share::Pieces(n) })
                    .collect();
                if !lines.is_empty() {
                    let ask = Ask::Parts { lines, shipping: Shipping::Stays };
                    before.add(&plan(&sold, &before, &ask).unwrap());
                }
            }
            before.lines
        };
        prop_assert_eq!(run(&[&one, &two]), run(&[&both]));
        prop_assert_eq!(run(&[&two, &one]), run(&[&both]));
    }

    #[test]
    fn pieces_one_by_one_sum_to_what_the_line_cost(paid in 0..1_000_000_i64, n in 1..60_i64, points in 0..10_000_i64) {
        let line = SoldLine { line_no: 1, quantity: n, paid_minor: paid, points, ..SoldLine::default() };
        let order = sold(vec![line], 0);
        let mut before = Before::default();
        let ask = Ask::Parts {
            lines: vec![AskLine { line_no: 1, share: Share::Pieces(1) }],
            shipping: Shipping::Stays,
        };
        for k in 1..=n {
            let planned = plan(&order, &before, &ask).unwrap();
            prop_assert_eq!(planned.total_minor, paid * k / n - paid * (k - 1) / n);
            prop_assert_eq!(planned.points, points * k / n - points * (k - 1) / n);
            before.add(&planned);
        }
        prop_assert_eq!((before.lines[&1].goods_minor, before.lines[&1].points), (paid, points));
    }

    #[test]
    fn a_priced_cart_is_sold_as_its_rows_say((cart, mut rules) in carts()) {
        rules.orders.sort_by(|a, b| a.rule.cmp(&b.rule));
        rules.orders.dedup_by(|a, b| a.rule == b.rule);
        let quote = price::quote(&cart, &rules).unwrap();
        let cash = SoldTender { key: "1".into(), kind: TenderKind::Cash, amount_minor: quote.payable };
        let sold = Sold::of(&cart, &rules, &quote, vec![cash], ThresholdPolicy::Deduct);
        let off = |step: Step| -> i64 {
            quote.rows.iter().filter(|row| row.step == step).map(|row| row.amount).sum()
        };
        let enjoyed = sold.thresholds.iter().flat_map(|threshold| &threshold.lines);
        prop_assert_eq!(enjoyed.clone().map(|e| e.off_minor).sum::<i64>(), off(Step::OrderPromotion));
        for threshold in &sold.thresholds {
            let goods = threshold.lines.iter().fold(price::Goods::default(), |goods, e| {
                let pieces = cart.lines.iter().find(|l| l.line_no == e.line_no).unwrap().quantity;
                goods.with(e.base_minor, e.left_minor, pieces)
            });
            let off: i64 = threshold.lines.iter().map(|e| e.off_minor).sum();
            prop_assert_eq!(threshold.promotion.off(goods), off);
        }
        prop_assert_eq!(sold.lines.iter().map(|line| line.points_minor).sum::<i64>(), off(Step::Points));
        prop_assert_eq!(sold.lines.iter().map(|line| line.points).sum::<i64>(), quote.points);
        let whole = plan(&sold, &Before::default(), &Ask::Whole).unwrap();
        prop_assert_eq!((whole.total_minor, whole.points, whole.fully), (quote.payable, quote.points, true));
    }
}
