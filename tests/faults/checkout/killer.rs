//! Kills processes at random points: after so many answers that clients got.

use std::{cell::Cell, collections::BTreeMap, time::Duration};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use siyu::host::services::Service;
use siyu_pg::embedded::Server;
use siyu_tests::support::{Dice, Six, until};

use super::call::Line;

/// Clients that get no answer fail by themselves; on a machine with other work answers may be few.
const PATIENCE: Duration = Duration::from_hours(1);

/// The processes, and how often each was killed.
pub(crate) struct Killer {
    six: Six,
    server: Server,
    dice: Dice,
    killed: BTreeMap<&'static str, u32>,
}

impl Killer {
    pub(crate) fn new(six: Six, server: Server, seed: u64) -> Self {
        Self { six, server, dice: Dice::new(!seed), killed: BTreeMap::new() }
    }

    /// Kills until the clients have done their work; then everything runs.
    pub(crate) async fn run(&mut self, line: &Line, done: &Cell<bool>) {
        loop {
            let next = line.answers() + 60 + self.dice.below(240);
            until("it is time for the next kill", PATIENCE, async || {
                (done.get() || line.answers() >= next).then_some(())
            })
            .await;
            if done.get() {
                return;
            }
            match self.dice.below(6) {
                0 | 1 => self.kill(&[Service::Order]).await,
                2 => self.kill(&[Service::Member]).await,
                3 => self.kill(&[Service::Order, Service::Member]).await,
                _ => self.kill_postgres().await,
            }
        }
    }

    async fn kill(&mut self, services: &[Service]) {
        for &service in services {
            self.six.kill9(service);
            *self.killed.entry(service.name()).or_default() += 1;
        }
        for &service in services {
            self.six.start_one(service);
        }
        for &service in services {
            self.six.wait_for(service).await;
        }
    }

    async fn kill_postgres(&mut self) {
        let pid = self.server.pid().expect("it runs");
        let pid = Pid::from_raw(pid.try_into().expect("process ids have 31 bits"));
        kill(pid, Signal::SIGKILL).expect("it runs");
        *self.killed.entry("postgres").or_default() += 1;
        self.server
            .restart()
            .await
            .unwrap_or_else(|error| panic!("it does not come back: {error}"));
    }

    pub(crate) fn figures(&self) -> String {
        format!("killed {:?}", self.killed)
    }

    /// Asks everything to end.
    pub(crate) async fn stop(self) {
        self.six.stop().await;
        self.server.stop().await.unwrap_or_else(|error| panic!("it does not stop: {error}"));
    }
}
