//! Time, CPU and the table.

use std::{
    fmt::Write as _,
    fs,
    io::{self, Write as _},
    path::Path,
    process,
    time::{Duration, Instant},
};

/// One line of the table.
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) value: String,
    pub(crate) limit: String,
    pub(crate) ratio: Option<f64>,
    pub(crate) aim: &'static str,
    pub(crate) cpu_ms: Option<f64>,
    pub(crate) limit_cpu_ms: Option<f64>,
}

/// CPU time of this process and of the PostgreSQL that it runs, in milliseconds.
pub(crate) struct Cpu {
    postgres: Option<u32>,
    start: f64,
}

/// How fast and how dear something was.
#[derive(Clone, Copy, Default)]
pub(crate) struct Speed {
    pub(crate) per_second: f64,
    pub(crate) cpu_ms: f64,
}

impl Row {
    /// A ratio of two speeds; more is better.
    pub(crate) fn speed(
        name: &str,
        unit: &str,
        own: Speed,
        limit: Speed,
        aim: &'static str,
    ) -> Self {
        Self {
            name: name.to_owned(),
            value: format!("{} {unit}/s", whole(own.per_second)),
            limit: format!("{} {unit}/s", whole(limit.per_second)),
            ratio: Some(own.per_second / limit.per_second),
            aim,
            cpu_ms: Some(own.cpu_ms),
            limit_cpu_ms: Some(limit.cpu_ms),
        }
    }
}

impl Cpu {
    pub(crate) fn start(postgres: Option<u32>) -> Self {
        let mut cpu = Self { postgres, start: 0.0 };
        cpu.start = cpu.total_ms();
        cpu
    }

    pub(crate) fn ms(&self) -> f64 {
        self.total_ms() - self.start
    }

    fn total_ms(&self) -> f64 {
        let own = ticks(process::id(), false);
        let theirs = self.postgres.map_or(0, |postmaster| {
            // Ended backends are in the postmaster's own account of its children.
            ticks(postmaster, true)
                + children(postmaster).into_iter().map(|pid| ticks(pid, false)).sum::<u64>()
        });
        // Linux counts in hundredths of a second.
        as_f64(own + theirs) * 10.0
    }
}

impl Speed {
    /// So many things since an instant, at what they cost.
    pub(crate) fn of(done: usize, start: Instant, cpu: &Cpu) -> Self {
        let done = as_f64(u64::try_from(done).unwrap_or(u64::MAX));
        Self { per_second: done / start.elapsed().as_secs_f64(), cpu_ms: cpu.ms() / done }
    }
}

/// Runs `work`, which does `count` things, and says how fast it was.
pub(crate) async fn timed<F, E>(postgres: Option<u32>, count: usize, work: F) -> Result<Speed, E>
where
    F: Future<Output = Result<(), E>>,
{
    let (cpu, start) = (Cpu::start(postgres), Instant::now());
    work.await?;
    let count = as_f64(u64::try_from(count).unwrap_or(u64::MAX));
    Ok(Speed { per_second: count / start.elapsed().as_secs_f64(), cpu_ms: cpu.ms() / count })
}

/// The median round by speed.
pub(crate) fn median(mut rounds: Vec<Speed>) -> Speed {
    rounds.sort_by(|a, b| a.per_second.total_cmp(&b.per_second));
    rounds[rounds.len() / 2]
}

pub(crate) fn median_f64(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

#[expect(clippy::cast_precision_loss, reason = "counts of a benchmark are far below 2^52")]
pub(crate) fn as_f64(count: u64) -> f64 {
    count as f64
}

fn whole(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut grouped = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// utime and stime of a process, with those of its ended children if asked for.
fn ticks(pid: u32, with_children: bool) -> u64 {
    let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) else { return 0 };
    let Some((_, rest)) = stat.rsplit_once(')') else { return 0 };
    let fields: Vec<u64> =
        rest.split_whitespace().skip(11).take(4).filter_map(|f| f.parse().ok()).collect();
    fields.iter().take(if with_children { 4 } else { 2 }).sum()
}

fn children(parent: u32) -> Vec<u32> {
    let Ok(folder) = fs::read_dir("/proc") else { return Vec::new() };
    let pids = folder.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
    let is_child = |pid: &u32| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let ppid = stat
            .rsplit_once(')')
            .and_then(|(_, rest)| rest.split_whitespace().nth(1)?.parse().ok());
        ppid == Some(parent)
    };
    pids.filter(is_child).collect()
}

/// The value that so many of a hundred do not exceed; the values are sorted.
pub(crate) fn percentile(sorted: &[f64], percent: usize) -> f64 {
    sorted
        .get((sorted.len() * percent / 100).min(sorted.len().saturating_sub(1)))
        .copied()
        .unwrap_or(0.0)
}

/// The load of the machine in the last minute.
pub(crate) fn load_average() -> String {
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    load.split_whitespace().next().unwrap_or("unknown").to_owned()
}

/// What was measured and where, without which no figure means anything: the revision, the load of the machine, and how
/// often a second its disk lets a writer be sure, in the folder of the database.
pub(crate) fn machine(dir: &Path) -> io::Result<String> {
    let git = |args: &[&str]| {
        let output = process::Command::new("git").args(args).output().ok();
        let output = output.filter(|output| output.status.success())?;
        Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let revision = git(&["rev-parse", "--short=10", "HEAD"]).unwrap_or_else(|| "unknown".into());
    let changed = git(&["status", "--porcelain", "--untracked-files=no"]);
    let changed = if changed.is_none_or(|list| list.is_empty()) { "" } else { " with changes" };
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let load = load_average();
    let fsyncs = whole(fsyncs_per_second(dir)?);
    Ok(format!(
        "revision {revision}{changed}, {cores} cores, load before the run {load}, {fsyncs} fdatasync/s"
    ))
}

/// Appends pages to a file as a write-ahead log is appended to, each made durable.
fn fsyncs_per_second(dir: &Path) -> io::Result<f64> {
    let path = dir.join("fsync");
    let mut file = fs::File::create(&path)?;
    let (start, mut count) = (Instant::now(), 0);
    while start.elapsed() < Duration::from_secs(1) {
        file.write_all(&[0; 8_192])?;
        file.sync_data()?;
        count += 1;
    }
    fs::remove_file(&path)?;
    Ok(as_f64(count) / start.elapsed().as_secs_f64())
}

pub(crate) fn table(rows: &[Row]) -> String {
    let mut text = String::new();
    let _ = writeln!(
        text,
        "\n{:<44} {:>18} {:>18} {:>7}  {:<12} {:>11} {:>8}",
        "what", "measured", "limit", "ratio", "aim", "CPU ms each", "limit"
    );
    for row in rows {
        let ratio = row.ratio.map_or_else(String::new, |ratio| format!("{ratio:.2}"));
        let cpu = |ms: Option<f64>| ms.map_or_else(String::new, |ms| format!("{ms:.3}"));
        let _ = writeln!(
            text,
            "{:<44} {:>18} {:>18} {:>7}  {:<12} {:>11} {:>8}",
            row.name,
            row.value,
            row.limit,
            ratio,
            row.aim,
            cpu(row.cpu_ms),
            cpu(row.limit_cpu_ms)
        );
    }
    text
}
