//! The triangle (私域三角): three sides against those of the baseline. The dotted triangle is the baseline, the drawn one is
//! now.

#![expect(
    clippy::float_arithmetic,
    reason = "ratios of model figures, for a drawing; no money is computed"
)]

mod canvas;

use super::{
    Page, Section,
    paint::{left, tone, wrapped},
};
use crate::{number::hundredths, report::Pillars};
use canvas::Canvas;

const SIZE: (usize, usize) = (26, 11);
/// Columns from the drawing to the words.
const GAP: usize = 3;
/// A longer side is drawn at its edge; its number says the rest.
const LONGEST: f64 = 3.0;

/// Now over then; none when either is not known or then is nothing.
type Ratios = [Option<f64>; 3];

pub(super) fn section(page: &Page) -> Section {
    let of = &page.report.triangle;
    let remark = if of.baseline_day.is_empty() {
        format!("at {}", page.report.as_of)
    } else {
        format!("at {}, against {} (dotted)", page.report.as_of, of.baseline_day)
    };
    let mut lines = vec![page.heading("The triangle", "私域三角", &remark)];
    let ratios = ratios(&of.current, &of.baseline);
    let drawn = picture(ratios);
    let mut words = legend(page, ratios);
    words.resize(words.len().max(drawn.len()), String::new());
    let paint = page.paint;
    for (index, word) in words.iter().enumerate() {
        let line = drawn.get(index).map_or("", String::as_str);
        let drawing = left(&paint.tone(tone::MAIN, line), SIZE.0 + GAP);
        lines.push(format!("{drawing}{word}"));
    }
    lines
}

/// The three sides in words, and what they come to.
fn legend(page: &Page, ratios: Ratios) -> Vec<String> {
    let (of, paint) = (&page.report.triangle, page.paint);
    let now = &of.current;
    let money = |minor: Option<f64>| minor.map(|minor| page.money(whole(minor)));
    let persons = |count: f64| crate::number::grouped(whole(count));
    let sides = [
        ("A", "私域产权力", "property power", now.property_power.map(persons)),
        ("B", "单客价值度", "customer value", money(now.customer_value_minor)),
        ("C", "顾客推荐率", "referral rate", now.referral_rate.map(in_percent)),
    ];
    let mut lines = vec![String::new()];
    for ((letter, chinese, name, value), ratio) in sides.into_iter().zip(ratios) {
        let ratio = ratio.map(|ratio| format!("  × {}", hundredths(ratio))).unwrap_or_default();
        let value = value.map_or_else(|| paint.dim("not measured"), |value| paint.bold(&value));
        let name = format!("{letter} {chinese} {name}");
        lines.push(format!("{} {value}{}", left(&name, 27), paint.dim(&ratio)));
    }
    lines.push(String::new());
    let room = page.width.saturating_sub(SIZE.0 + GAP);
    let mut say = |text: &str| lines.extend(wrapped(text, room).iter().map(|line| paint.dim(line)));
    match of.index {
        None => say("no index: it takes all three sides, now and in the baseline"),
        Some(index) => {
            let balance = of.balance.map(|balance| format!(", balance {}", hundredths(balance)));
            let balance = balance.unwrap_or_default();
            say(&format!("index {}{balance}; 100 is the baseline", hundredths(index)));
        }
    }
    if let [a, b, c] = of.shares.as_slice() {
        let [a, b, c] = [a, b, c].map(|share| hundredths(*share));
        say(&format!("of the change: A {a}, B {b}, C {c}"));
    }
    for flag in &of.flags {
        say(&format!("· {}", flag_words(flag)));
    }
    lines
}

/// The drawing: the year before dotted, with its three axes; what is known of now drawn through.
fn picture(ratios: Ratios) -> Vec<String> {
    let mut canvas = Canvas::new(SIZE.0, SIZE.1);
    let longest = ratios.iter().flatten().fold(1.0, |longest: f64, ratio| longest.max(*ratio));
    let unit = 1.0 / longest.min(LONGEST);
    let then = [0, 1, 2].map(|axis| canvas.on_axis(axis, unit));
    for axis in 0..3 {
        canvas.dotted(canvas.centre(), then[axis]);
        canvas.dotted(then[axis], then[(axis + 1) % 3]);
    }
    let now: [Option<_>; 3] = [0, 1, 2].map(|axis| {
        ratios[axis].map(|ratio| canvas.on_axis(axis, ratio.clamp(0.0, LONGEST) * unit))
    });
    for axis in 0..3 {
        match (now[axis], now[(axis + 1) % 3]) {
            (Some(from), Some(to)) => canvas.line(from, to),
            (Some(from), None) => canvas.line(canvas.centre(), from),
            (None, _) => {}
        }
    }
    let mut lines = vec![format!("{}A", " ".repeat(SIZE.0 / 2))];
    lines.extend(canvas.lines());
    lines.push(format!("B{}C", " ".repeat(SIZE.0 - 2)));
    lines
}

fn ratios(now: &Pillars, then: &Pillars) -> Ratios {
    let over = |now: Option<f64>, then: Option<f64>| {
        let (now, then) = (now?, then.filter(|then| *then > 0.0)?);
        Some(now / then)
    };
    [
        over(now.property_power, then.property_power),
        over(now.customer_value_minor, then.customer_value_minor),
        over(now.referral_rate, then.referral_rate),
    ]
}

#[expect(clippy::cast_possible_truncation, reason = "saturates; it is shown, not kept")]
fn whole(value: f64) -> i64 {
    value.round() as i64
}

fn in_percent(rate: f64) -> String {
    format!("{} %", hundredths(rate * 100.0))
}

/// What a flag means. One that a newer suite adds is shown as it is.
fn flag_words(flag: &str) -> &str {
    match flag {
        "connections_unmeasured" => "no connection was ever recorded, so A is not known",
        "reach_unmeasured" => "no message was sent, so reach is taken as whole",
        "referral_unmeasured" => "nobody is known to have been referred, so C is not known",
        "influence_unmeasured" => "orders name no category, so influence is not known",
        "influence_mode=breadth" => "one category only: influence is the breadth of purchases",
        "value_unmeasured" => "too few facts for the value of a customer, so B is not known",
        other => other,
    }
}
