//! What an import did, as an object for scripts and as text for people.

use std::{fmt::Write, path::PathBuf, time::Duration};

use console::measure_text_width;
use serde::{Deserialize, Serialize};
use siyu_proto::member::v1::Merchant;

use super::{orders::Counts, rejects::Rejected};
use crate::{
    number::{counted, grouped},
    orders_file::FileOrder,
    output::Look,
};

/// Repeated rows that are shown beside their count.
const SHOWN: usize = 10;

/// Below it a speed says nothing.
const SHORTEST_MEASURED_MS: u64 = 500;

/// What `siyu import orders --json` prints.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// The file.
    pub file: String,
    /// The merchant.
    pub merchant_id: String,
    /// The merchant's name.
    pub merchant: String,
    /// Rows read, bad ones included, the header not.
    pub rows: u64,
    /// Orders answered; each counts once, however its rows are spread over the file.
    pub orders: u64,
    /// Orders that this run created.
    pub created: u64,
    /// Orders that were known before it, and that it changed.
    pub updated: u64,
    /// Orders that were known before it, and that it left alone.
    pub unchanged: u64,
    /// Orders of which something was put aside because its status is not known.
    pub quarantined: u64,
    /// Orders of which the suite rejected something.
    pub rejected_orders: u64,
    /// Rows without a line number that are, byte for byte, an earlier row, and were taken as lines of their own.
    pub repeated_rows: u64,
    /// The first of them: `line 9 is line 3 again`.
    pub repeats_shown: Vec<String>,
    /// Rows in the rejects file.
    pub rejected_rows: u64,
    /// The rejects file; null when there were none.
    pub rejects_file: Option<PathBuf>,
    /// The first rejected rows in words: `line 7: amount: "12,50" must be a decimal number like 12.50`.
    pub rejects_shown: Vec<String>,
    /// Columns of the file that nothing reads.
    pub ignored_columns: Vec<String>,
    /// How often the stream had to be opened again.
    pub reconnects: u32,
    /// How long it took.
    pub elapsed_ms: u64,
    /// Rows per second; null for an import too short to say.
    pub rows_per_second: Option<u64>,
}

impl Summary {
    pub(super) fn new(file: &str, merchant: &Merchant, ignored_columns: Vec<String>) -> Self {
        Self {
            file: file.to_owned(),
            merchant_id: merchant.id.clone(),
            merchant: merchant.name.clone(),
            ignored_columns,
            ..Self::default()
        }
    }

    /// Notes the rows of a taken order that repeat earlier ones.
    pub(super) fn repeats(&mut self, order: &FileOrder) {
        for row in &order.rows {
            let Some(first) = row.repeats else { continue };
            self.repeated_rows += 1;
            if self.repeats_shown.len() < SHOWN {
                self.repeats_shown.push(format!("line {} is line {first} again", row.line));
            }
        }
    }

    pub(super) fn finish(&mut self, counts: Counts, rejected: Rejected, elapsed: Duration) {
        self.orders = counts.orders;
        self.created = counts.created;
        self.updated = counts.updated;
        self.unchanged = counts.unchanged;
        self.quarantined = counts.quarantined;
        self.rejected_orders = counts.rejected;
        self.rejects_file = rejected.file;
        self.rejects_shown = rejected.shown;
        self.rejected_rows = rejected.count;
        self.elapsed_ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
        let long_enough = self.elapsed_ms >= SHORTEST_MEASURED_MS;
        let speed = self.rows.saturating_mul(1000).checked_div(self.elapsed_ms);
        self.rows_per_second = speed.filter(|_| long_enough);
    }

    /// The text for a person.
    pub fn text(&self, _: Look) -> String {
        let mut text =
            format!("Imported {} into {} ({})\n\n", self.file, self.merchant, self.merchant_id);
        let counts = [
            ("created", self.created, ""),
            ("updated", self.updated, "known before, and changed"),
            ("unchanged", self.unchanged, "known before, nothing newer"),
            (
                "quarantined",
                self.quarantined,
                "their status is not known; say what it means with POST /v1/status-mappings",
            ),
            ("rejected", self.rejected_rows, "rows, not orders"),
        ];
        let width = counts.iter().map(|&(_, count, _)| measure_text_width(&grouped(count))).max();
        let width = width.unwrap_or(0);
        for (name, count, remark) in counts {
            let remark = if count > 0 { remark } else { "" };
            let line = format!("  {name:<12} {:>width$}  {remark}", grouped(count));
            text.push_str(line.trim_end());
            text.push('\n');
        }
        let _ = write!(text, "\n  {} rows in {}", grouped(self.rows), seconds(self.elapsed_ms));
        if let Some(speed) = self.rows_per_second {
            let _ = write!(text, ", {} rows/s", grouped(speed));
        }
        if self.reconnects > 0 {
            let times = counted(self.reconnects.into(), "time");
            let _ = write!(text, "; the connection broke {times} and was mended");
        }
        text.push('\n');
        self.repeated(&mut text);
        self.rejects(&mut text);
        text
    }

    /// What was done before the import broke off.
    pub(super) fn so_far(&self) -> String {
        format!(
            "before it broke off, {} of the file were done: {} created, {} updated, {} unchanged, {} rejected",
            rows(self.rows),
            orders(self.created),
            grouped(self.updated),
            grouped(self.unchanged),
            rows(self.rejected_rows),
        )
    }

    fn repeated(&self, text: &mut String) {
        if self.repeated_rows == 0 {
            return;
        }
        let rows = rows(self.repeated_rows);
        let _ = writeln!(
            text,
            "\n  Warning: {rows} without line_no repeat an earlier row of their order, byte"
        );
        text.push_str("  for byte, and were taken as lines of their own. A column line_no would tell; to keep such\n");
        text.push_str("  rows out, import with --repeated-rows reject.\n\n");
        for line in &self.repeats_shown {
            let _ = writeln!(text, "  {line}");
        }
        let more = self.repeated_rows.saturating_sub(self.repeats_shown.len() as u64);
        if more > 0 {
            let _ = writeln!(text, "  … and {} more", grouped(more));
        }
    }

    fn rejects(&self, text: &mut String) {
        let Some(file) = &self.rejects_file else { return };
        text.push('\n');
        for line in &self.rejects_shown {
            let _ = writeln!(text, "  {line}");
        }
        let more = self.rejected_rows.saturating_sub(self.rejects_shown.len() as u64);
        if more > 0 {
            let _ = writeln!(text, "  … and {} more", grouped(more));
        }
        let _ = writeln!(text, "  All rejected rows, with their reasons: {}", file.display());
    }
}

fn rows(count: u64) -> String {
    counted(count.try_into().unwrap_or(i64::MAX), "row")
}

fn orders(count: u64) -> String {
    counted(count.try_into().unwrap_or(i64::MAX), "order")
}

fn seconds(ms: u64) -> String {
    format!("{}.{} s", ms / 1000, ms % 1000 / 100)
}
