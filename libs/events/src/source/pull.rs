//! Pull: the consumer reads the producer's log over gRPC. There is nothing to run and nothing to lose.

use std::time::Duration;

use bytes::Bytes;
use siyu_proto::event::v1::{ReadEventsRequest, event_log_service_client::EventLogServiceClient};
use tokio::time::timeout;
use tonic::{
    Request,
    body::Body,
    client::GrpcService,
    codegen::{Body as HttpBody, StdError},
};

use crate::{Cursor, Event, Run, Source, SourceError};

/// How much longer than the wait a call may take before its peer is given up.
const CALL_TIMEOUT: Duration = Duration::from_secs(10);

/// Reads over any transport of the generated client: in the process or over the network.
#[derive(Debug, Clone)]
pub struct Pull<T> {
    client: EventLogServiceClient<T>,
}

impl<T> Pull<T> {
    /// Reads with a client.
    pub fn new(client: EventLogServiceClient<T>) -> Self {
        Self { client }
    }
}

#[tonic::async_trait]
impl<T> Source for Pull<T>
where
    T: GrpcService<Body> + Send,
    T::Error: Into<StdError>,
    T::ResponseBody: HttpBody<Data = Bytes> + Send + 'static,
    <T::ResponseBody as HttpBody>::Error: Into<StdError> + Send,
    T::Future: Send,
{
    async fn fetch(
        &mut self,
        cursor: &Cursor,
        max_events: usize,
        wait: Duration,
    ) -> Result<Run, SourceError> {
        let mut request = Request::new(ReadEventsRequest {
            after_position: cursor.position,
            max_events: u32::try_from(max_events).unwrap_or(u32::MAX),
            wait_millis: u32::try_from(wait.as_millis()).unwrap_or(u32::MAX),
        });
        let limit = wait + CALL_TIMEOUT;
        request.set_timeout(limit);
        // The peer keeps the deadline; should it be gone unseen, we do.
        let answer = timeout(limit, self.client.read_events(request)).await;
        let answer = answer.map_err(SourceError::unavailable)?.map_err(SourceError::unavailable)?;
        let answer = answer.into_inner();
        Ok(Run { events: Event::parse_all(answer.events)?, head: answer.head_position })
    }

    async fn reread(&mut self, after: i64, max_events: usize) -> Result<Run, SourceError> {
        let cursor = Cursor { position: after, last: None };
        self.fetch(&cursor, max_events, Duration::ZERO).await
    }
}
