//! `pgbench` on the database of a service: what PostgreSQL itself does, with the clients and the seconds of a round.

use std::{
    fs,
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
};

use siyu::host::services::Service;

use crate::{
    Bench, Result,
    measure::{Cpu, Speed},
};

/// How long a round of `pgbench` lasts, in seconds.
const SECONDS: u32 = 3;

/// Runs a script in transactions of its own, 16 clients at a time, with prepared statements.
pub(crate) fn pgbench(bench: &Bench, service: Service, script: &str) -> Result<Speed> {
    pgbench_with(bench, service, script, &[])
}

/// The same with more arguments, for example values of variables.
pub(crate) fn pgbench_with(
    bench: &Bench,
    service: Service,
    script: &str,
    more: &[&str],
) -> Result<Speed> {
    let cpu = Cpu::start(bench.suite.postgres_pid());
    let seconds = SECONDS.to_string();
    let args = [&["-T", &seconds], more].concat();
    let per_second = run(bench, service, script, &args)?;
    Ok(Speed { per_second, cpu_ms: cpu.ms() / (per_second * f64::from(SECONDS)) })
}

/// How long each transaction of a script took when so many a second were begun for so many seconds, in milliseconds from the
/// instant at which it should have begun; sorted. The logs go to a folder.
pub(crate) fn paced(
    bench: &Bench,
    (service, script): (Service, &str),
    (rate, seconds): (f64, u32),
    more: &[&str],
    dir: &Path,
) -> Result<Vec<f64>> {
    fs::create_dir_all(dir)?;
    let (rate, seconds) = (format!("{rate:.1}"), seconds.to_string());
    let prefix = dir.join("log").display().to_string();
    let paced = ["-T", &seconds, "-R", &rate, "-l", "--log-prefix", &prefix];
    run(bench, service, script, &[&paced[..], more].concat())?;
    let mut took = Vec::new();
    for entry in fs::read_dir(dir)? {
        // client, transaction, microseconds, ...
        let lines = fs::read_to_string(entry?.path())?;
        let micros = lines.lines().filter_map(|line| line.split(' ').nth(2)?.parse::<f64>().ok());
        took.extend(micros.map(|micros| micros / 1_000.0));
    }
    fs::remove_dir_all(dir)?;
    took.sort_by(f64::total_cmp);
    Ok(took)
}

/// Runs a script; gives how many transactions a second it came to.
fn run(bench: &Bench, service: Service, script: &str, more: &[&str]) -> Result<f64> {
    let mut child = Command::new("pgbench")
        .args(["-n", "-M", "prepared", "-c", "16", "-j", "2", "-f", "/dev/stdin"])
        .args(more)
        .arg(bench.suite.owner_url(service))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| format!("pgbench (package postgresql-contrib or postgresql): {error}"))?;
    child.stdin.take().ok_or("no stdin")?.write_all(script.as_bytes())?;
    let output = child.wait_with_output()?;
    let (printed, errors) =
        (String::from_utf8(output.stdout)?, String::from_utf8_lossy(&output.stderr));
    let tps = printed
        .lines()
        .find_map(|line| line.strip_prefix("tps = ")?.split_whitespace().next()?.parse().ok());
    if !output.status.success() || errors.contains("error:") {
        return Err(format!("pgbench failed: {errors}").into());
    }
    Ok(tps.ok_or_else(|| format!("pgbench printed no tps: {printed}"))?)
}
