#![doc = include_str!("../README.md")]

pub mod clock;
pub mod config;
pub mod readiness;
pub mod signals;
pub mod steps;
pub mod tasks;
pub mod telemetry;

pub use clock::{SystemClock, SystemIds, jitter, pause, random_bytes};
pub use config::Secret;
pub use readiness::{NotReady, Readiness};
pub use steps::{Progress, Steps, steps};
pub use tasks::{Backoff, Policy, Tasks};
pub use tokio_util::sync::CancellationToken;
