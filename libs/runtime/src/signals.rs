//! SIGINT and SIGTERM: the first asks the process to drain, the second ends it at once.

use std::io;

use tokio::signal::unix::{SignalKind, signal};

use crate::CancellationToken;

/// What the system asked with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// Ctrl-C in the terminal.
    Interrupt,
    /// The service manager's request.
    Terminate,
}

impl Signal {
    /// The exit code of a process that the signal ended.
    pub const fn exit_code(self) -> i32 {
        match self {
            Self::Interrupt => 130,
            Self::Terminate => 143,
        }
    }
}

/// Listens from now on. The token that comes back is cancelled by the first signal; the second ends the process without
/// cleaning up, with 130 or 143. Call it once, within a runtime, before anything that must be stopped in order.
///
/// # Errors
/// When the system does not let this process handle signals.
#[expect(clippy::disallowed_methods, reason = "it must outlive the shutdown that it causes")]
pub fn listen() -> io::Result<CancellationToken> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let asked = CancellationToken::new();
    let tell = asked.clone();
    tokio::spawn(async move {
        let mut next = async || {
            tokio::select! {
                _ = interrupt.recv() => Signal::Interrupt,
                _ = terminate.recv() => Signal::Terminate,
            }
        };
        let first = next().await;
        tracing::info!(signal = ?first, "stopping; a second signal exits at once");
        tell.cancel();
        let second = next().await;
        tracing::warn!(signal = ?second, "second signal, exiting at once");
        std::process::exit(second.exit_code());
    });
    Ok(asked)
}
