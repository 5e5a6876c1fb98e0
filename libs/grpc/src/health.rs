//! `grpc.health.v1`: the readiness of the process, for orchestrators and clients.

use std::{collections::HashSet, pin::Pin};

use futures::{Stream, StreamExt, stream};
use siyu_kernel::Fault;
use siyu_runtime::Readiness;
use tokio_stream::wrappers::WatchStream;
use tonic::{Request, Response, Status};
use tonic_health::pb::{
    HealthCheckRequest, HealthCheckResponse, health_check_response::ServingStatus,
    health_server::Health,
};

use crate::status::status;

/// Answers for the services of a server; the empty name is the server as a whole.
#[derive(Debug)]
pub struct Reporter {
    readiness: Readiness,
    services: HashSet<String>,
}

impl Reporter {
    /// Reports the readiness of the process for each of the services, by full name.
    pub fn new(readiness: Readiness, services: impl IntoIterator<Item = String>) -> Self {
        Self { readiness, services: services.into_iter().collect() }
    }

    fn knows(&self, service: &str) -> bool {
        service.is_empty() || self.services.contains(service)
    }
}

fn answer(readiness: &Readiness, is_known: bool) -> HealthCheckResponse {
    let serving = match readiness.check() {
        _ if !is_known => ServingStatus::ServiceUnknown,
        Ok(()) => ServingStatus::Serving,
        Err(_) => ServingStatus::NotServing,
    };
    HealthCheckResponse { status: serving.into() }
}

#[tonic::async_trait]
impl Health for Reporter {
    async fn check(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<HealthCheckResponse>, Status> {
        if !self.knows(&request.get_ref().service) {
            return Err(status(Fault::not_found("service")));
        }
        Ok(Response::new(answer(&self.readiness, true)))
    }

    type WatchStream = Pin<Box<dyn Stream<Item = Result<HealthCheckResponse, Status>> + Send>>;

    async fn watch(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        let is_known = self.knows(&request.get_ref().service);
        let readiness = self.readiness.clone();
        // The first item comes at once, as the protocol wants it; each change brings another. A process that drains has
        // nothing more to say, and a watcher must not hold up its stop.
        let changes = Some(WatchStream::new(readiness.changes()));
        let answers = stream::unfold(changes, move |changes| {
            let readiness = readiness.clone();
            async move {
                let mut changes = changes?;
                changes.next().await?;
                let answer = answer(&readiness, is_known);
                Some((Ok(answer), (!readiness.is_draining()).then_some(changes)))
            }
        });
        Ok(Response::new(Box::pin(answers)))
    }
}
