//! The program at rest, and how long it takes to be ready on a data directory that exists.

use std::{
    env, fs,
    net::TcpListener,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use crate::{
    Result,
    measure::{Row, median_f64},
};

const STARTS: usize = 3;
const REST: Duration = Duration::from_secs(5);

pub(crate) async fn run(data_dir: &Path) -> Result<Vec<Row>> {
    let program = env::current_exe()?.ancestors().find_map(|folder| {
        let program = folder.join("siyu");
        program.is_file().then_some(program)
    });
    let program = program.ok_or(
        "the program siyu stands not beside the benchmark: build it with the same profile",
    )?;
    let (mut starts, mut memory) = (Vec::new(), Vec::new());
    for _ in 0..STARTS {
        let (grpc, http) = (free_port()?, free_port()?);
        let start = Instant::now();
        let mut child = Command::new(&program)
            .arg("up")
            .arg("--data-dir")
            .arg(data_dir)
            .args(["--grpc", &format!("127.0.0.1:{grpc}"), "--http", &format!("127.0.0.1:{http}")])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        wait_ready(&program, http).await?;
        starts.push(start.elapsed().as_secs_f64());
        tokio::time::sleep(REST).await;
        memory.push(resident_mb(child.id())?);
        Command::new("kill").args(["-TERM", &child.id().to_string()]).status()?;
        child.wait()?;
    }
    let row = |name: &str, value: String, limit: &str, ratio: f64, aim| Row {
        name: name.to_owned(),
        value,
        limit: limit.to_owned(),
        ratio: Some(ratio),
        aim,
        cpu_ms: None,
        limit_cpu_ms: None,
    };
    let (start, memory) = (median_f64(starts), median_f64(memory));
    Ok(vec![
        row(
            "start to ready, all services (time)",
            format!("{start:.2} s"),
            "3 s",
            start / 3.0,
            "< 1",
        ),
        row(
            "memory at rest, all services",
            format!("{memory:.0} MB"),
            "100 MB",
            memory / 100.0,
            "< 1",
        ),
    ])
}

async fn wait_ready(program: &Path, http: u16) -> Result<()> {
    let deadline = Instant::now() + Duration::from_mins(1);
    while Instant::now() < deadline {
        let probe = Command::new(program)
            .args(["probe", "--server", &format!("http://127.0.0.1:{http}")])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()?;
        if probe.success() {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Err("the suite did not become ready".into())
}

fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

fn resident_mb(pid: u32) -> Result<f64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
    let kilobytes: f64 = line.trim().trim_end_matches("kB").trim().parse()?;
    Ok(kilobytes / 1024.0)
}
