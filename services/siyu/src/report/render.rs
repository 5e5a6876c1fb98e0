//! The report as a page for a terminal: pure, from the object to text, 80 to 100 columns wide. Colours carry nothing that
//! the characters do not say as well.

mod cohorts;
mod customers;
mod headline;
mod months;
mod paint;
mod returning;
mod triangle;

use siyu_kernel::Currency;

use super::Report;
use crate::output::Look;
use paint::{Paint, columns};

const INDENT: &str = "  ";

/// What every section needs.
struct Page<'a> {
    report: &'a Report,
    paint: Paint,
    /// The columns right of the margin.
    width: usize,
}

/// Lines of one section; none when there is nothing to say.
type Section = Vec<String>;

/// Renders a report.
pub fn render(report: &Report, look: Look) -> String {
    let width = look.width.saturating_sub(INDENT.len());
    let page = Page { report, paint: Paint(look.colour), width };
    let mut sections = vec![headline::title(&page)];
    if report.total.orders == 0 {
        sections.push(vec!["No paid orders in these days.".to_owned()]);
    } else {
        sections.extend([
            headline::figures(&page),
            months::section(&page),
            returning::within_days(&page),
            cohorts::section(&page),
            customers::segments(&page),
            returning::silence(&page),
            customers::more(&page),
            triangle::section(&page),
        ]);
    }
    sections.push(headline::remarks(&page));
    let mut text = String::new();
    for line in sections.into_iter().filter(|lines| !lines.is_empty()).flat_map(spaced) {
        let line = format!("{INDENT}{line}");
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// A blank line goes before each section.
fn spaced(lines: Section) -> impl Iterator<Item = String> {
    std::iter::once(String::new()).chain(lines)
}

impl Page<'_> {
    /// A section's first line: what it shows, in both languages, and how to read it.
    fn heading(&self, title: &str, chinese: &str, remark: &str) -> String {
        let title = format!("{title} {chinese}");
        let room = self.width.saturating_sub(columns(&title) + 2);
        let remark = self.paint.dim(&console::truncate_str(remark, room, "…"));
        format!("{}  {remark}", self.paint.bold(&title)).trim_end().to_owned()
    }

    fn currency(&self) -> Option<Currency> {
        Currency::parse(&self.report.currency).ok()
    }

    /// An amount in major units.
    fn amount(&self, minor: i64) -> String {
        // A currency that this program does not know is shown in its minor unit.
        self.currency().map_or_else(
            || crate::number::grouped(minor),
            |currency| crate::number::amount(minor, currency),
        )
    }

    /// An amount with its currency.
    fn money(&self, minor: i64) -> String {
        format!("{} {}", self.amount(minor), self.report.currency)
    }
}
