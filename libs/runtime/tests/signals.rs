//! What SIGINT and SIGTERM do, seen from another process.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "the test is its own child, and fails where something is not as it must be"
)]

use std::{
    io::{BufRead, BufReader},
    process::{Child, ChildStdout, Command, Stdio},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

const CHILD: &str = "SIGNALS_TEST_CHILD";

/// A process that listens for signals, and its words.
struct Listener {
    child: Child,
    words: std::io::Lines<BufReader<ChildStdout>>,
}

impl Listener {
    fn start(drains: &str) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "the_child_process", "--nocapture"])
            .env(CHILD, drains)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let words = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut listener = Self { child, words };
        listener.says("listening");
        listener
    }

    fn says(&mut self, word: &str) {
        assert!(self.words.any(|line| line.unwrap().contains(word)), "it never said {word}");
    }

    fn gets(&self, signal: Signal) {
        kill(Pid::from_raw(self.child.id().cast_signed()), signal).unwrap();
    }

    fn ends_with(mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }
}

#[test]
fn the_first_signal_asks_to_drain_and_the_process_ends_by_itself() {
    let mut listener = Listener::start("quickly");
    listener.gets(Signal::SIGTERM);
    listener.says("draining");
    assert_eq!(listener.ends_with(), Some(0));
}

#[test]
fn the_second_signal_ends_the_process_at_once() {
    for (second, code) in [(Signal::SIGTERM, 143), (Signal::SIGINT, 130)] {
        let mut listener = Listener::start("never");
        listener.gets(Signal::SIGINT);
        listener.says("draining");
        listener.gets(second);
        assert_eq!(listener.ends_with(), Some(code));
    }
}

/// Not a test but the process that the others talk to; without them it does nothing.
#[tokio::test]
async fn the_child_process() {
    let Ok(drains) = std::env::var(CHILD) else { return };
    let asked = siyu_runtime::signals::listen().unwrap();
    println!("listening");
    asked.cancelled().await;
    println!("draining");
    if drains == "never" {
        std::future::pending::<()>().await;
    }
}
