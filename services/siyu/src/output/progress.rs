//! How far a long work has come: a bar on a terminal, a line now and then in a log, or nothing.

use std::time::{Duration, Instant};

use indicatif::{HumanCount, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::to_stderr;

const LINE_EVERY: Duration = Duration::from_secs(5);
const FRAMES_PER_SECOND: u8 = 10;

/// The progress of one work. Dropping it takes the bar away.
#[derive(Debug)]
pub enum Progress {
    /// Nothing is shown.
    Silent,
    /// A bar that redraws itself.
    Bar(ProgressBar),
    /// A line every few seconds.
    Lines {
        /// All bytes, where that is known.
        total: Option<u64>,
        /// When the last line was written.
        last: Instant,
    },
}

impl Progress {
    pub(super) fn bar(total: Option<u64>) -> Self {
        let target = ProgressDrawTarget::stderr_with_hz(FRAMES_PER_SECOND);
        let bar = ProgressBar::with_draw_target(total, target);
        let template = match total {
            Some(_) => "  {bar:40.cyan/238} {percent:>3} %  {msg}  {elapsed}, {eta} left",
            None => "  {spinner:.cyan} {bytes} read  {msg}  {elapsed}",
        };
        let style = ProgressStyle::with_template(template).expect("the template is a constant");
        bar.set_style(style.progress_chars("━━╌"));
        Self::Bar(bar)
    }

    pub(super) fn lines(total: Option<u64>) -> Self {
        Self::Lines { total, last: Instant::now() }
    }

    /// Shows that `bytes` of the file, which held `rows` rows, are done.
    pub fn advance(&mut self, bytes: u64, rows: u64) {
        match self {
            Self::Bar(bar) => {
                bar.set_message(format!("{} rows", HumanCount(rows)));
                bar.set_position(bytes);
            }
            Self::Lines { total, last } if last.elapsed() >= LINE_EVERY => {
                *last = Instant::now();
                let share = total.filter(|&total| total > 0);
                let share = share.map(|total| format!(", {} %", bytes.saturating_mul(100) / total));
                to_stderr(format_args!(
                    "{} rows done{}",
                    HumanCount(rows),
                    share.unwrap_or_default()
                ));
            }
            Self::Silent | Self::Lines { .. } => {}
        }
    }

    /// Says something without breaking the bar.
    pub fn note(&self, text: &str) {
        match self {
            Self::Silent => {}
            Self::Bar(bar) => bar.suspend(|| to_stderr(text)),
            Self::Lines { .. } => to_stderr(text),
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Self::Bar(bar) = self {
            bar.finish_and_clear();
        }
    }
}
