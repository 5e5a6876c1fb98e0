//! Who calls, on whose behalf, and when: what a method knows besides its request.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use siyu_kernel::{Code, Fault, Id, kind::Merchant};
use tokio::time::Instant;

use crate::access::Scopes;

/// Whose credential a call carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Caller {
    /// One merchant.
    Merchant(Id<Merchant>),
    /// The operator of the installation.
    Platform,
    /// A service of the suite, on behalf of a merchant if it names one.
    Internal(Option<Id<Merchant>>),
}

/// The context of one call. `now` is read once, so that everything a call decides, it decides at one instant.
#[derive(Debug, Clone)]
pub struct Ctx {
    /// Whose credential it is.
    pub caller: Caller,
    /// The id of the credential, or the name of the service that calls.
    pub subject: Arc<str>,
    /// What the credential may do.
    pub scopes: Scopes,
    /// The instant of the call.
    pub now: DateTime<Utc>,
    /// When the caller no longer waits.
    pub deadline: Option<Instant>,
    /// The W3C trace context of the call, empty when there is none.
    pub trace_parent: String,
}

impl Caller {
    /// The merchant that the credential is bound to.
    pub const fn merchant(self) -> Option<Id<Merchant>> {
        match self {
            Self::Merchant(merchant) => Some(merchant),
            Self::Internal(merchant) => merchant,
            Self::Platform => None,
        }
    }
}

impl Ctx {
    /// The context of work that a service does by itself, for a merchant or for none: jobs and event handlers.
    pub fn internal(service: &str, merchant: Option<Id<Merchant>>, now: DateTime<Utc>) -> Self {
        Self {
            caller: Caller::Internal(merchant),
            subject: service.into(),
            scopes: Scopes::all(),
            now,
            deadline: None,
            trace_parent: String::new(),
        }
    }

    /// The merchant that the call is about. It comes from the credential, never from the request.
    ///
    /// # Errors
    /// `MERCHANT_REQUIRED` when the credential is not bound to one.
    pub fn merchant(&self) -> Result<Id<Merchant>, Fault> {
        self.caller.merchant().ok_or_else(|| {
            let message = "the credential is not bound to a merchant";
            Fault::new(Code::PermissionDenied, "MERCHANT_REQUIRED", message)
        })
    }

    /// The context that the server put into a request.
    ///
    /// # Errors
    /// An internal fault when the request did not pass a [`Server`](crate::Server).
    pub fn of<T>(request: &tonic::Request<T>) -> Result<Self, Fault> {
        request
            .extensions()
            .get::<Self>()
            .cloned()
            .ok_or_else(|| Fault::internal("a request without a context passed the server"))
    }
}
