//! What customers are worth: RFM segments, and the figures that need one line each.

use super::{
    Page, Section,
    paint::{left, percent, right, tone},
};
use crate::number::{counted, grouped, hundredths};

/// Persons by segment.
pub(super) fn segments(page: &Page) -> Section {
    let of = page.report.rfm_segments;
    let segments = [
        ("重要价值", "key value", "recent, often, much", of.key_value, tone::MAIN),
        ("重要发展", "key develop", "recent, seldom, much", of.key_develop, tone::MAIN),
        ("重要保持", "key keep", "long ago, often, much", of.key_keep, tone::WARN),
        ("重要挽留", "key win back", "long ago, seldom, much", of.key_win_back, tone::WARN),
        ("一般价值", "value", "recent, often, little", of.value, tone::SECOND),
        ("一般发展", "develop", "recent, seldom, little", of.develop, tone::SECOND),
        ("一般保持", "keep", "long ago, often, little", of.keep, tone::FADED),
        ("一般挽留", "win back", "long ago, seldom, little", of.win_back, tone::FADED),
    ];
    let whole: i64 = segments.iter().map(|segment| segment.3).sum();
    let most = segments.iter().map(|segment| segment.3).max().unwrap_or(0);
    if whole == 0 {
        return Vec::new();
    }
    let remark = format!("{} buyers, against the shop's own mean", grouped(whole));
    let mut lines = vec![page.heading("RFM segments", "客户分层", &remark)];
    let room = page.width.saturating_sub(68).max(10);
    for (chinese, name, meaning, persons, tone) in segments {
        let bar = left(&page.paint.bar(tone, persons, most, room), room);
        let share = right(&percent(persons, whole), 7);
        let meaning = left(&page.paint.dim(meaning), 26);
        let count = right(&grouped(persons), 9);
        lines.push(format!("{chinese} {} {meaning}{bar} {count} {share}", left(name, 13)));
    }
    lines
}

/// Figures that need one line each.
pub(super) fn more(page: &Page) -> Section {
    let report = page.report;
    let line = |chinese: &str, name: &str, text: String| {
        format!("{} {} {text}", left(chinese, 12), left(name, 16))
    };
    let mut lines = vec![page.heading("And", "其他", "")];
    lines.push(line("睡后收入", "off hours", off_hours(page)));
    // Dates without a time of day all fall on midnight.
    if report.off_hours.orders == report.total.orders {
        let text = "all of them: do paid_at have a time of day?";
        lines.push(line("", "", page.paint.dim(text)));
    }
    lines.push(line("生命周期价值", "lifetime value", lifetime(page)));
    lines.push(line("有效客户", "effective", effective(page)));
    let users = report.user_arpu;
    let text = if users.connections_unmeasured {
        "not measured: no connection was ever recorded".to_owned()
    } else {
        let gmv = page.money(users.gmv_minor);
        format!("{} connected buyers spent {gmv}", grouped(users.users))
    };
    lines.push(line("客户 × ARPU", "connected buyers", text));
    lines
}

fn off_hours(page: &Page) -> String {
    let (report, of) = (page.report, page.report.off_hours);
    let share = percent(of.gmv_minor, report.total.gmv_minor);
    format!("{}, {}, {share}", counted(of.orders, "order"), page.money(of.gmv_minor))
}

fn lifetime(page: &Page) -> String {
    let of = page.report.lifetime_value;
    let (Some(years), Some(frequency), Some(value)) =
        (of.lifetime_years, of.frequency_per_year, of.lifetime_value_minor)
    else {
        return "not known: it takes two years of orders".to_owned();
    };
    let (years, frequency) = (hundredths(years), hundredths(frequency));
    format!("{} = {years} years × {frequency} orders a year × AOV", page.money(value))
}

fn effective(page: &Page) -> String {
    let of = page.report.effective_customers;
    let text = format!(
        "{}: {} first, {} again, {} both",
        grouped(of.effective),
        grouped(of.first),
        grouped(of.repeat),
        grouped(of.first_and_repeat)
    );
    if of.stored_unmeasured { text } else { format!("{text}, {} stored", grouped(of.stored)) }
}
