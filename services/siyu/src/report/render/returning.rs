//! Who comes back, how soon, and who has fallen silent.

use super::{
    Page, Section,
    paint::{left, percent, right, tone},
};
use crate::number::{counted, grouped};

/// The share of first-time buyers who bought again within so many days.
pub(super) fn within_days(page: &Page) -> Section {
    let report = page.report;
    if report.first_time_buyers == 0 {
        return Vec::new();
    }
    let cohort = report.first_time_buyers;
    let remark = format!("of {} first-time buyers, who bought again within", grouped(cohort));
    let mut lines = vec![page.heading("Back again", "复购", &remark)];
    let room = page.width.saturating_sub(32);
    let mut all_complete = true;
    for (days, &persons) in &report.repeat_within_days {
        let complete = report.repeat_complete_within_days.get(days).copied().unwrap_or(true);
        all_complete &= complete;
        let bar = left(&page.paint.bar(tone::MAIN, persons, cohort, room), room);
        let star = if complete { " " } else { "*" };
        lines.push(format!(
            "{:>4} days {bar} {}{star} {}",
            days,
            right(&percent(persons, cohort), 7),
            right(&grouped(persons), 10)
        ));
    }
    if !all_complete {
        let text = "* some of them have not had so many days yet";
        lines.push(page.paint.dim(text));
    }
    lines
}

/// Buyers by days since their last purchase, as one bar.
pub(super) fn silence(page: &Page) -> Section {
    let (report, paint) = (page.report, page.paint);
    let of = report.dormant;
    let parts = [
        ("active", "≤ 90 d", of.active, "█", tone::MAIN),
        ("quiet", "91–180 d", of.quiet, "▓", tone::SECOND),
        ("drowsy", "181–365 d", of.drowsy, "▒", tone::WARN),
        ("dormant", "> 365 d", of.dormant, "░", tone::FADED),
    ];
    let whole: i64 = parts.iter().map(|part| part.2).sum();
    if whole == 0 {
        return Vec::new();
    }
    let remark = format!("days since the last purchase, at {}", report.as_of);
    let mut lines = vec![page.heading("Silence", "沉睡", &remark)];
    let mut bar = String::new();
    let (mut before, mut drawn) = (0_i64, 0);
    for (_, _, count, mark, tone) in parts {
        // Ends are rounded, not lengths: so the parts fill the bar exactly.
        before += count;
        let end = super::paint::eighths(before, whole, page.width) / 8;
        bar.push_str(&paint.tone(tone, &mark.repeat(end.saturating_sub(drawn))));
        drawn = end;
    }
    lines.push(bar);
    let cell = page.width / parts.len();
    let names = parts.iter().map(|(name, days, _, mark, tone)| {
        left(&format!("{} {name} {}", paint.tone(*tone, mark), paint.dim(days)), cell)
    });
    lines.push(names.collect());
    let counts = parts.iter().map(|(_, _, count, _, _)| {
        let share = paint.dim(&percent(*count, whole));
        left(&format!("  {}  {share}", paint.bold(&grouped(*count))), cell)
    });
    lines.push(counts.collect());
    if of.lost > 0 {
        let lost =
            format!("{} of the dormant have been silent for over two years", grouped(of.lost));
        lines.push(paint.dim(&lost));
    }
    lines.extend(woken(page));
    lines
}

/// Who came back after more than a year (沉睡激活).
fn woken(page: &Page) -> Option<String> {
    let of = page.report.reactivated;
    if of.persons == 0 {
        return None;
    }
    let times = if of.events == of.persons {
        String::new()
    } else {
        format!(", {},", counted(of.events, "time"))
    };
    Some(format!(
        "激活 {} came back after more than a year of silence{times} and spent {}",
        grouped(of.persons),
        page.money(of.gmv_minor)
    ))
}
