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
    let days = format!(
        "{} – {} · {} · {}",
        report.from,
        last_day(&report.to),
        report.zone,
        report.currency
    );
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

pub(super) fn figures(page: &Page) -> Section {
    let (report, paint) = (page.report, page.paint);
    let of_total = percent(report.total.repeat_buyers, report.total.buyers);
    let tiles = [
        ("GMV 成交额", page.money(report.total.gmv_minor), "what buyers paid".to_owned()),
        ("Buyers 顾客", grouped(report.total.buyers), new_buyers(report.total.new_buyers)),
        ("Orders 订单", grouped(report.total.orders), pieces(report.total.units)),
        ("ARPU", quotient(page, report.arpu_ratio), "per buyer".to_owned()),
        ("AOV 客单价", quotient(page, report.aov_ratio), "per order".to_owned()),
        ("Again 复购", of_total, buyers(report.total.repeat_buyers)),
    ];
    // The first tile is the widest; the others share the rest.
    let first = columns(&tiles[0].1).max(columns(&tiles[0].2)) + 3;
    let other = page.width.saturating_sub(first) / (tiles.len() - 1);
    let row = |cell: &dyn Fn(&(&str, String, String)) -> String| -> String {
        let cells = tiles
            .iter()
            .enumerate()
            .map(|(index, tile)| left(&cell(tile), if index == 0 { first } else { other }));
        cells.collect()
    };
    vec![
        row(&|tile| paint.dim(tile.0)),
        row(&|tile| paint.bold(&tile.1)),
        row(&|tile| paint.dim(&tile.2)),
    ]
}

/// What a reader must know of the figures before believing them.
pub(super) fn remarks(page: &Page) -> Section {
    let report = page.report;
    let mut remarks = Vec::new();
    if !report.consistent {
        let text = "Orders came in while this report was made: its parts are not of one moment.";
        remarks.push(page.paint.tone(super::paint::tone::WARN, text));
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

fn new_buyers(count: i64) -> String {
    format!("{} new", grouped(count))
}

fn pieces(count: i64) -> String {
    format!("{} pcs", grouped(count))
}

fn buyers(count: i64) -> String {
    format!("{} buyers", grouped(count))
}

/// A ratio of an amount and a count, in major units with the digits of the currency.
fn quotient(page: &Page, ratio: Ratio) -> String {
    let (scale, places) = page
        .currency()
        .map_or((1, 0), |currency| (currency.minor_per_major(), u32::from(currency.exponent())));
    let denominator = i128::from(ratio.denominator) * i128::from(scale);
    decimal(ratio.numerator.into(), denominator, places).unwrap_or_else(|| "–".to_owned())
}
