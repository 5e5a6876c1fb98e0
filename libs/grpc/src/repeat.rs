//! What a broken connection means for the call on it, and whether the call may be tried again.

use std::error::Error;

use siyu_kernel::{Code, Fault};
use tonic::{ConnectError, TimeoutExpired};
use tower::BoxError;

use crate::{
    access::{Idempotency, Rule},
    timeout,
};

/// How far a call got before its connection broke.
#[derive(Debug)]
pub(crate) enum Broken {
    /// Nobody waits any more.
    Late,
    /// It never left this process.
    NotSent(BoxError),
    /// Whether the peer has seen it is unknown.
    Lost(BoxError),
}

/// When a call may be tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// Its messages flow and are gone.
    Never,
    /// As long as the peer cannot have seen it: it has an effect.
    WhenNotSent,
    /// Always: it is a read.
    WhenBroken,
}

impl Broken {
    pub(crate) fn read(error: BoxError) -> Self {
        let mut source: Option<&(dyn Error + 'static)> = Some(error.as_ref());
        while let Some(cause) = source {
            if cause.is::<TimeoutExpired>() {
                return Self::Late;
            }
            let is_unsent = |e: &hyper::Error| e.is_canceled();
            if cause.is::<ConnectError>() || cause.downcast_ref().is_some_and(is_unsent) {
                return Self::NotSent(error);
            }
            source = cause.source();
        }
        Self::Lost(error)
    }

    pub(crate) const fn permits(&self, repeat: Repeat) -> bool {
        matches!(
            (self, repeat),
            (Self::NotSent(_), Repeat::WhenNotSent | Repeat::WhenBroken)
                | (Self::Lost(_), Repeat::WhenBroken)
        )
    }
}

impl From<Broken> for Fault {
    fn from(broken: Broken) -> Self {
        match broken {
            Broken::Late => timeout::exceeded(),
            Broken::NotSent(cause) | Broken::Lost(cause) => {
                let message = "a service is not available";
                Self::new(Code::Unavailable, "PEER_UNAVAILABLE", message).caused_by(cause)
            }
        }
    }
}

impl Repeat {
    pub(crate) fn of(rule: Option<&Rule>) -> Self {
        match rule {
            Some(rule) if rule.is_stream => Self::Never,
            Some(rule) if rule.idempotency == Idempotency::NoSideEffects => Self::WhenBroken,
            // Idempotent is not enough: it holds only for requests that carry a request_id.
            Some(_) => Self::WhenNotSent,
            None => Self::Never,
        }
    }
}
