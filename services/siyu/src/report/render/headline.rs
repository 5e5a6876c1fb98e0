//! The top of the page, and the remarks at its foot.

use chrono::NaiveDate;
use console::truncate_str;

use super::{
    Page, Section,
    paint::{columns, left, percent},
};
use crate::{number::decimal, number::grouped, report::Ratio};

pub(super) fn title(page: &Page) -> Section {
    let report = page.report;
    let days = if report.from.is_empty() {
        "no orders yet".to_owned()
    } else {
        format!("{} – {}", report.from, last_day(&report.to))
    };
    let days = format!("{days} · {} · {}", report.zone, report.currency);
    let kind = " · 经营报告";
    let room = page.width.saturating_sub(columns(&days) + columns(kind) + 2);
    let name = truncate_str(&report.merchant, room, "…").into_owned();
    let gap = page.width.saturating_sub(columns(&name) + columns(kind) + columns(&days));
    let paint = page.paint;
    vec![
        format!("{}{}{}{}", paint.bold(&name), paint.dim(kind), " ".repeat(gap), paint.dim(&days)),
        paint.dim(&"─".repeat(page.width)),
    ]
}

/// A figure with its name above and a remark below.
struct Tile {
    name: (&'static str, &'static str),
    figure: String,
    remark: String,
}

pub(super) fn figures(page: &Page) -> Section {
    let total = &page.report.total;
    let tile = |name, figure: String, remark: String| Tile { name, figure, remark };
    let again = percent(total.repeat_buyers, total.buyers);
    let tiles = [
        tile(("GMV", "成交额"), page.money(total.gmv_minor), "what buyers paid".to_owned()),
        tile(("Buyers", "顾客"), grouped(total.buyers), count(total.new_buyers, "new")),
        tile(("Orders", "订单"), grouped(total.orders), count(total.units, "pcs")),
        tile(("ARPU", ""), quotient(page, page.report.arpu_ratio), "per buyer".to_owned()),
        tile(("AOV", "客单价"), quotient(page, page.report.aov_ratio), "per order".to_owned()),
        tile(("Again", "复购"), again, count(total.repeat_buyers, "buyers")),
    ];
    lay_out(page, &tiles, Tile::full).or_else(|| lay_out(page, &tiles, Tile::short)).unwrap_or_else(
        || tiles.iter().map(|tile| format!("{} {}", left(tile.name.0, 8), tile.figure)).collect(),
    )
}

/// Sets tiles side by side; none when they do not fit.
fn lay_out(page: &Page, tiles: &[Tile], rows_of: fn(&Tile) -> [String; 3]) -> Option<Section> {
    const WIDEST_GAP: usize = 6;
    let cells: Vec<[String; 3]> = tiles.iter().map(rows_of).collect();
    let widths: Vec<usize> =
        cells.iter().map(|rows| rows.iter().map(|row| columns(row)).max().unwrap_or(0)).collect();
    let free = page.width.checked_sub(widths.iter().sum())?;
    let gap = (free / (tiles.len() - 1)).min(WIDEST_GAP);
    if gap == 0 {
        return None;
    }
    let row = |index: usize| -> String {
        cells.iter().zip(&widths).map(|(rows, width)| left(&rows[index], width + gap)).collect()
    };
    let paint = page.paint;
    Some(vec![paint.dim(&row(0)), paint.bold(&row(1)), paint.dim(&row(2))])
}

impl Tile {
    fn full(&self) -> [String; 3] {
        let name = format!("{} {}", self.name.0, self.name.1);
        [name.trim_end().to_owned(), self.figure.clone(), self.remark.clone()]
    }

    fn short(&self) -> [String; 3] {
        [self.name.0.to_owned(), self.figure.clone(), String::new()]
    }
}

/// What a reader must know of the figures before believing them.
pub(super) fn remarks(page: &Page) -> Section {
    let report = page.report;
    let mut remarks = Vec::new();
    if !report.consistent {
        let text = "Orders came in while this report was made: its parts are not of one moment.";
        remarks.push(page.paint.tone(super::paint::tone::WARN, text));
    }
    if report.total.repeat_buyers != report.effective_customers.repeat {
        let again = "Again 复购: on two days or more. Effective 有效客户, again: any second order.";
        remarks.push(page.paint.dim(again));
    }
    let facts = format!(
        "Definitions {}, facts {}, looked at up to {}",
        report.definition_version, report.facts_version, report.as_of
    );
    remarks.push(page.paint.dim(&facts));
    remarks
}

/// The day before the end of the window: what people mean by its end.
fn last_day(to: &str) -> String {
    let day = to.parse::<NaiveDate>().ok().and_then(|day| day.pred_opt());
    day.map_or_else(|| to.to_owned(), |day| day.to_string())
}

fn count(count: i64, of_what: &str) -> String {
    format!("{} {of_what}", grouped(count))
}

/// A ratio of an amount and a count, in major units with the digits of the currency.
fn quotient(page: &Page, ratio: Ratio) -> String {
    let (scale, places) = page
        .currency()
        .map_or((1, 0), |currency| (currency.minor_per_major(), u32::from(currency.exponent())));
    let denominator = i128::from(ratio.denominator) * i128::from(scale);
    decimal(ratio.numerator.into(), denominator, places).unwrap_or_else(|| "–".to_owned())
}
