//! The thread that starts a private server, watches it and stops it.
//!
//! One thread does all of it, because the kernel ends the server when the thread that started it ends.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
        mpsc,
    },
    thread,
    time::Duration,
};

use tokio::sync::{oneshot, watch};

use super::{Exit, Options, ServerError, cluster::Cluster, postmaster::Postmaster};

/// How soon an unexpected end is noticed.
const TICK: Duration = Duration::from_millis(50);

type Reply = oneshot::Sender<Result<(), ServerError>>;

enum Order {
    Restart(Reply),
    Stop(Reply),
}

/// The handle of the thread. Dropped, it lets the thread stop the server and end.
#[derive(Debug)]
pub(super) struct Supervisor {
    orders: mpsc::Sender<Order>,
    exit: watch::Receiver<Option<Exit>>,
    pid: Arc<AtomicU32>,
}

impl Supervisor {
    /// Opens the directory and starts the server.
    pub(super) async fn start(options: Options) -> Result<(Self, Arc<Cluster>), ServerError> {
        let (orders, inbox) = mpsc::channel();
        let (exit_sender, exit) = watch::channel(None);
        let (started, when_started) = oneshot::channel();
        let pid = Arc::new(AtomicU32::new(0));
        let pid_of_thread = Arc::clone(&pid);
        let body = move || {
            let opened = Cluster::open(&options).and_then(|cluster| {
                let server = Postmaster::start(&cluster)?;
                Ok((Arc::new(cluster), server))
            });
            let (cluster, server) = match opened {
                Ok(parts) => parts,
                Err(err) => return drop(started.send(Err(err))),
            };
            pid_of_thread.store(server.pid(), Ordering::Relaxed);
            let mut watchman = Watchman {
                cluster: Arc::clone(&cluster),
                server: Some(server),
                exit: exit_sender,
                pid: pid_of_thread,
            };
            if started.send(Ok(cluster)).is_err() {
                // Nobody waits any more.
                let _ = watchman.stop();
                return;
            }
            watchman.watch(&inbox);
        };
        let thread = thread::Builder::new().name("siyu-postgres".to_owned()).spawn(body);
        thread.map_err(ServerError::io("start a thread for", "PostgreSQL"))?;
        let cluster = when_started.await.map_err(|_| ServerError::Unwatched)??;
        Ok((Self { orders, exit, pid }, cluster))
    }

    pub(super) fn watch(&self) -> watch::Receiver<Option<Exit>> {
        self.exit.clone()
    }

    pub(super) fn pid(&self) -> Option<u32> {
        Some(self.pid.load(Ordering::Relaxed)).filter(|pid| *pid != 0)
    }

    pub(super) async fn restart(&self) -> Result<(), ServerError> {
        self.order(Order::Restart).await
    }

    pub(super) async fn stop(self) -> Result<(), ServerError> {
        self.order(Order::Stop).await
    }

    async fn order(&self, order: impl FnOnce(Reply) -> Order) -> Result<(), ServerError> {
        let (reply, answer) = oneshot::channel();
        self.orders.send(order(reply)).map_err(|_| ServerError::Unwatched)?;
        answer.await.map_err(|_| ServerError::Unwatched)?
    }
}

/// What the thread holds.
struct Watchman {
    cluster: Arc<Cluster>,
    server: Option<Postmaster>,
    exit: watch::Sender<Option<Exit>>,
    pid: Arc<AtomicU32>,
}

impl Watchman {
    fn watch(&mut self, inbox: &mpsc::Receiver<Order>) {
        loop {
            match inbox.recv_timeout(TICK) {
                Ok(Order::Restart(reply)) => drop(reply.send(self.restart())),
                Ok(Order::Stop(reply)) => return drop(reply.send(self.stop())),
                Err(mpsc::RecvTimeoutError::Timeout) => self.look(),
                Err(mpsc::RecvTimeoutError::Disconnected) => {
                    if let Err(err) = self.stop() {
                        tracing::warn!(error = %err, "stopping the private PostgreSQL");
                    }
                    return;
                }
            }
        }
    }

    fn look(&mut self) {
        let Some(exit) = self.server.as_mut().and_then(|server| server.exited(&self.cluster))
        else {
            return;
        };
        tracing::error!(%exit, "the private PostgreSQL is gone");
        self.server = None;
        self.pid.store(0, Ordering::Relaxed);
        self.exit.send_replace(Some(exit));
    }

    fn restart(&mut self) -> Result<(), ServerError> {
        self.look();
        self.stop()?;
        let server = Postmaster::start(&self.cluster)?;
        self.pid.store(server.pid(), Ordering::Relaxed);
        self.server = Some(server);
        self.exit.send_replace(None);
        Ok(())
    }

    fn stop(&mut self) -> Result<(), ServerError> {
        self.pid.store(0, Ordering::Relaxed);
        self.server.take().map_or(Ok(()), Postmaster::stop)
    }
}
