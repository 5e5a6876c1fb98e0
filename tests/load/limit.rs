//! `pgbench` on the database of a service: what PostgreSQL itself does, with the clients and the seconds of a round.

use std::{
    io::Write as _,
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
    let cpu = Cpu::start(bench.suite.postgres_pid());
    let seconds = SECONDS.to_string();
    let mut child = Command::new("pgbench")
        .args(["-n", "-M", "prepared", "-c", "16", "-j", "2", "-T", &seconds, "-f", "/dev/stdin"])
        .arg(bench.suite.owner_url(service))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| format!("pgbench (package postgresql-contrib or postgresql): {error}"))?;
    child.stdin.take().ok_or("no stdin")?.write_all(script.as_bytes())?;
    let output = String::from_utf8(child.wait_with_output()?.stdout)?;
    let tps = output
        .lines()
        .find_map(|line| line.strip_prefix("tps = ")?.split_whitespace().next()?.parse().ok());
    let per_second: f64 = tps.ok_or_else(|| format!("pgbench printed no tps: {output}"))?;
    Ok(Speed { per_second, cpu_ms: cpu.ms() / (per_second * f64::from(SECONDS)) })
}
