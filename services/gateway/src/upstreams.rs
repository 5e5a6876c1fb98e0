//! The services behind the door.

use std::collections::BTreeMap;

use siyu_grpc::Upstream;
use siyu_kernel::{Code, Fault};

use crate::contract::Method;

/// The services, by the second part of their packages: "order".
#[derive(Debug)]
pub(crate) struct Upstreams(pub BTreeMap<&'static str, Upstream>);

impl Upstreams {
    /// The service that serves a method.
    pub(crate) fn of(&self, method: &Method) -> Result<&Upstream, Fault> {
        self.0.get(&*method.upstream).ok_or_else(|| {
            let message = format!("the service {} is not connected", method.upstream);
            Fault::new(Code::Unavailable, "SERVICE_UNAVAILABLE", message)
        })
    }
}
