//! Turnover month by month as columns, with the share of buyers who had bought before under each.

use super::{
    Page, Section,
    paint::{centre, eighths, right, tone},
};
use crate::{
    number::{compact, rounded},
    report::Month,
};

const ROWS: usize = 8;
/// Labels on the axis; each stands every other row.
const STEPS: i64 = 4;
const ROWS_PER_STEP: usize = 2;
/// `400k┤`
const AXIS: usize = 5;
const NARROWEST: usize = 4;
const WIDEST: usize = 8;
const EIGHTHS_UP: [&str; 9] = [" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];
const NAMES: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

pub(super) fn section(page: &Page) -> Section {
    let all = page.report.months.as_slice();
    if all.is_empty() {
        return Vec::new();
    }
    let room = page.width.saturating_sub(AXIS);
    let shown = all.len().min(room / NARROWEST);
    let months = &all[all.len() - shown..];
    let cell = (room / shown).clamp(NARROWEST, WIDEST);
    let scale = page.currency().map_or(1, siyu_kernel::Currency::minor_per_major);
    let most = months.iter().map(|month| month.figures.gmv_minor).max().unwrap_or(0);
    let step = nice_step(most / scale + i64::from(most % scale > 0));
    let top = step.saturating_mul(STEPS).saturating_mul(scale);

    let remark = match all.len() - shown {
        0 => "and again: % of buyers who had bought before".to_owned(),
        hidden => format!("earlier months left out: {hidden}"),
    };
    let remark = format!("GMV in {}, {remark}", page.report.currency);
    let mut lines = vec![page.heading("Months", "月度", &remark)];
    for row in (0..ROWS).rev() {
        lines.push(chart_row(page, months, (cell, row), (step, top)));
    }
    let paint = page.paint;
    let axis = format!("{}└{}", right("0", AXIS - 1), "─".repeat(cell * shown));
    lines.push(paint.dim(&axis));
    let under = |label: &str, text: &dyn Fn(&Month) -> String| -> String {
        let cells: String = months.iter().map(|month| centre(&text(month), cell)).collect();
        format!("{}{cells}", right(label, AXIS))
    };
    lines.push(paint.dim(&under("", &|month| name(month).to_owned())));
    lines.push(paint.dim(&years(months, cell)));
    lines.push(paint.tone(tone::SECOND, &under("again", &again)));
    lines
}

fn chart_row(
    page: &Page,
    months: &[Month],
    (cell, row): (usize, usize),
    (step, top): (i64, i64),
) -> String {
    // A label names the upper edge of its row.
    let label = if (row + 1).is_multiple_of(ROWS_PER_STEP) {
        let steps = i64::try_from((row + 1) / ROWS_PER_STEP).expect("a chart has few rows");
        format!("{}┤", right(&compact(steps.saturating_mul(step)), AXIS - 1))
    } else {
        format!("{}│", " ".repeat(AXIS - 1))
    };
    let bars = months.iter().map(|month| {
        let filled = eighths(month.figures.gmv_minor, top, ROWS).saturating_sub(row * 8).min(8);
        centre(&EIGHTHS_UP[filled].repeat(cell - 1), cell)
    });
    let bars: String = bars.collect();
    format!("{}{}", page.paint.dim(&label), page.paint.tone(tone::MAIN, bars.trim_end()))
}

/// The years, each under its first month.
fn years(months: &[Month], cell: usize) -> String {
    let mut line = " ".repeat(AXIS);
    let mut last = "";
    for month in months {
        let year = month.month.get(..4).unwrap_or("");
        let text = if year == last { "" } else { year };
        line.push_str(&centre(text, cell));
        last = year;
    }
    line
}

fn name(month: &Month) -> &str {
    let number = month.month.get(5..7).and_then(|text| text.parse::<usize>().ok());
    number.and_then(|number| NAMES.get(number.checked_sub(1)?)).copied().unwrap_or("?")
}

/// The share of buyers who had bought before, in whole percent.
fn again(month: &Month) -> String {
    let (part, whole) = (month.figures.repeat_buyers, month.figures.buyers);
    let share = rounded(i128::from(part) * 100, whole.into(), 0);
    share.map_or_else(|| "–".to_owned(), |share| share.to_string())
}

/// A round number, four of which reach `most`: 1, 2, 2.5 or 5 with noughts.
fn nice_step(most: i64) -> i64 {
    let wanted = most / STEPS + i64::from(most % STEPS > 0);
    let mut power = 1_i64;
    loop {
        let candidates = [power, power * 2, power * 5 / 2, power * 5];
        let whole = |step: &&i64| power > 1 || **step * 2 != power * 5;
        if let Some(step) = candidates.iter().filter(whole).find(|step| **step >= wanted) {
            return *step;
        }
        // Beyond it the axis is not round any more, which no chart of money reaches.
        let Some(next) = power.checked_mul(10).filter(|next| *next <= i64::MAX / 100) else {
            return wanted;
        };
        power = next;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_round_and_four_of_them_reach_the_top() {
        let cases = [(0, 1), (1, 1), (4, 1), (5, 2), (9, 5), (100, 25), (393_156, 100_000)];
        for (most, step) in cases {
            assert_eq!(nice_step(most), step, "{most}");
        }
        for most in (0..62).map(|power| (1_i64 << power) + 1) {
            assert!(nice_step(most).saturating_mul(4) >= most, "{most}");
        }
    }
}
