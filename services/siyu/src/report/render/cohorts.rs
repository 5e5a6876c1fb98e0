//! Cohorts as a heat table: a row for each month of first purchase, a column for each month after it.

use super::{
    Page, Section,
    paint::{left, right},
};
use crate::{
    number::{grouped, rounded},
    report::Cohort,
};

const CELL: usize = 4;
const MONTH: usize = 8;
const MOST_ROWS: usize = 24;
/// Grounds from cold to warm, each with an ink that is legible on it.
const HEAT: [(u8, u8); 8] =
    [(236, 250), (23, 255), (24, 255), (30, 255), (31, 255), (37, 16), (38, 16), (44, 16)];

pub(super) fn section(page: &Page) -> Section {
    let all = page.report.cohorts.as_slice();
    let cohorts = &all[all.len().saturating_sub(MOST_ROWS)..];
    let longest = cohorts.iter().map(|cohort| cohort.active.len()).max().unwrap_or(0);
    if longest < 2 {
        return Vec::new();
    }
    let sizes = cohorts.iter().map(|cohort| grouped(cohort.size).len()).max().unwrap_or(0).max(4);
    let room = page.width.saturating_sub(MONTH + sizes) / CELL;
    // Month 0 is everyone and says nothing.
    let shown = (longest - 1).min(room);
    let hottest = cohorts.iter().flat_map(|cohort| shares(cohort, shown)).flatten().max();
    let hottest = hottest.unwrap_or(0).max(1);

    let remark = "% of first-time buyers who bought again so many months later";
    let mut lines = vec![page.heading("Cohorts", "留存", remark)];
    let numbers: String = (1..=shown).map(|k| right(&k.to_string(), CELL)).collect();
    let header = format!("{}{}{numbers}", left("first", MONTH), right("size", sizes));
    lines.push(page.paint.dim(&header));
    for cohort in cohorts {
        let cells: String = shares(cohort, shown).map(|share| cell(page, share, hottest)).collect();
        let size = right(&grouped(cohort.size), sizes);
        lines.push(format!("{}{}{cells}", left(&cohort.month, MONTH), page.paint.dim(&size)));
    }
    lines.extend(hidden(page, all.len() - cohorts.len(), longest - 1 - shown));
    lines
}

/// Shares in whole percent from the first month after; none without a cohort.
fn shares(cohort: &Cohort, shown: usize) -> impl Iterator<Item = Option<i64>> {
    let percent = |&count: &i64| {
        let share = rounded(i128::from(count) * 100, cohort.size.into(), 0)?;
        i64::try_from(share).ok()
    };
    cohort.active.iter().skip(1).take(shown).map(percent)
}

fn cell(page: &Page, share: Option<i64>, hottest: i64) -> String {
    let Some(share) = share else { return right("–", CELL) };
    let levels = i64::try_from(HEAT.len() - 1).expect("there are few levels");
    let level = usize::try_from(share * levels / hottest).unwrap_or(0).min(HEAT.len() - 1);
    let (ground, ink) = HEAT[level];
    page.paint.on(ground, ink, &right(&share.to_string(), CELL))
}

fn hidden(page: &Page, rows: usize, columns: usize) -> Option<String> {
    let text = match (rows, columns) {
        (0, 0) => return None,
        (rows, 0) => format!("earlier months left out: {rows}"),
        (0, columns) => format!("later months left out: {columns}"),
        (rows, columns) => format!("earlier months left out: {rows}, later ones: {columns}"),
    };
    Some(page.paint.dim(&text))
}
