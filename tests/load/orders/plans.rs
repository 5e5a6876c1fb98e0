//! The plan of a refund of an order with 200 lines, against pricing the same cart: both are pure functions.

use std::{hint::black_box, time::Instant};

use chrono::DateTime;
use siyu_order::{
    price::{Cart, Choice, Line, Off, OrderPromotion, Reach, Rules, Scope, Shipping, Tier, quote},
    refund::plan::{
        Ask, AskLine, Before, Share, Shipping as Fee, Sold, SoldTender, TenderKind,
        ThresholdPolicy, plan,
    },
};

use crate::{
    Result,
    measure::{Row, Speed, median},
};

const LINES: i32 = 200;
const TIMES: usize = 2_000;
const ROUNDS: usize = 5;

pub(super) fn run() -> Result<Vec<Row>> {
    let (cart, rules) = (cart(), rules());
    let priced = quote(&cart, &rules)?;
    let tender =
        SoldTender { key: "cash".into(), kind: TenderKind::Cash, amount_minor: priced.payable };
    let sold = Sold::of(&cart, &rules, &priced, vec![tender], ThresholdPolicy::Deduct);
    let lines = (1..=LINES).step_by(2);
    let line = |line_no| AskLine { line_no, share: Share::Pieces(1) };
    let ask = Ask::Parts { lines: lines.map(line).collect(), shipping: Fee::Stays };
    let before = Before::default();
    let (mut plans, mut quotes) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        plans.push(times(|| plan(&sold, &before, &ask).is_ok()));
        quotes.push(times(|| quote(&cart, &rules).is_ok()));
    }
    let (own, limit) = (median(plans), median(quotes));
    let name = format!("plan of a refund, {LINES} lines : their quote");
    Ok(vec![Row::speed(&name, "plans", own, limit, "")])
}

/// How often a second something pure is done; it takes one core.
fn times(work: impl Fn() -> bool) -> Speed {
    let start = Instant::now();
    let done = (0..TIMES).filter(|_| black_box(work())).count();
    let (done, seconds) = (u32::try_from(done).unwrap_or(1), start.elapsed().as_secs_f64());
    Speed { per_second: f64::from(done) / seconds, cpu_ms: seconds * 1_000.0 / f64::from(done) }
}

fn cart() -> Cart {
    let line = |line_no: i32| Line {
        line_no,
        sku: format!("sku-{line_no}"),
        item: format!("item-{}", line_no / 3),
        categories: vec!["dresses".into()],
        quantity: i64::from(1 + line_no % 4),
        unit_minor: 1_000 + i64::from(line_no) * 37,
        ..Line::default()
    };
    Cart {
        lines: (1..=LINES).map(line).collect(),
        coupons: Vec::new(),
        choice: Choice::Best,
        points: None,
        shipping: Shipping { fee_minor: 1_000, rule: String::new(), free_from_minor: None },
        now: DateTime::UNIX_EPOCH,
    }
}

fn rules() -> Rules {
    let promotion = |rule: &str, need, off| OrderPromotion {
        rule: rule.into(),
        priority: 0,
        group: String::new(),
        scope: Scope::default(),
        tiers: vec![Tier { reach: Reach::Minor(need), off }],
        repeats: false,
        max_minor: None,
    };
    Rules {
        lines: Vec::new(),
        orders: vec![
            promotion("300 off", 200_000, Off::Minor(30_000)),
            promotion("5 % off", 100_000, Off::RateBp(9_500)),
        ],
    }
}
