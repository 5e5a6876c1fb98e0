//! What an import did, as an object for scripts and as text for people.

use std::{fmt::Write, path::PathBuf, time::Duration};

use console::measure_text_width;
use serde::Serialize;
use siyu_proto::{
    member::v1::Merchant,
    order::v1::{ImportOutcome, ImportResult},
};

use super::rejects::Rejected;
use crate::{
    number::{counted, grouped},
    output::Look,
};

/// Below it a speed says nothing.
const SHORTEST_MEASURED_MS: u64 = 500;

/// What `siyu import orders --json` prints.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// The file.
    pub file: String,
    /// The merchant.
    pub merchant_id: String,
    /// The merchant's name.
    pub merchant: String,
    /// Rows read, bad ones included, the header not.
    pub rows: u64,
    /// Orders sent. An order whose rows stand apart in the file counts once for each place.
    pub orders: u64,
    /// Orders that are new.
    pub created: u64,
    /// Orders that were known in an older version.
    pub updated: u64,
    /// Orders that were known in this version.
    pub unchanged: u64,
    /// Orders put aside because their status is not known.
    pub quarantined: u64,
    /// Orders that the suite rejected.
    pub rejected_orders: u64,
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

    pub(super) fn count(&mut self, result: &ImportResult) {
        self.orders += 1;
        match result.outcome() {
            ImportOutcome::Created => self.created += 1,
            ImportOutcome::Updated => self.updated += 1,
            ImportOutcome::Unchanged => self.unchanged += 1,
            ImportOutcome::Quarantined => self.quarantined += 1,
            ImportOutcome::Rejected => self.rejected_orders += 1,
            // A newer suite may know more; the order was taken.
            ImportOutcome::Unspecified => {}
        }
    }

    pub(super) fn finish(&mut self, rejected: Rejected, elapsed: Duration) {
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
            ("updated", self.updated, "a newer version of a known order"),
            ("unchanged", self.unchanged, "known already, nothing newer"),
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
        self.rejects(&mut text);
        text
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

fn seconds(ms: u64) -> String {
    format!("{}.{} s", ms / 1000, ms % 1000 / 100)
}
