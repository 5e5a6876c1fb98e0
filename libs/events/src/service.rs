//! The log as a gRPC service.

use std::time::Duration;

use siyu_grpc::Ctx;
use siyu_proto::event::v1::{
    GetHeadRequest, GetHeadResponse, ReadEventsRequest, ReadEventsResponse,
    event_log_service_server::EventLogService,
};
use siyu_runtime::Readiness;
use tonic::{Request, Response, Status};

use crate::{Event, Log, limits};

/// Hands the log of one service to the others. It serves behind the server stack, which admits internal callers only.
#[derive(Debug, Clone)]
pub struct LogService {
    log: Log,
}

impl LogService {
    pub(crate) fn new(log: Log) -> Self {
        Self { log }
    }

    async fn read(
        &self,
        ctx: &Ctx,
        request: ReadEventsRequest,
    ) -> Result<ReadEventsResponse, siyu_pg::Error> {
        self.log.note_reader(&ctx.subject, request.after_position).await?;
        let max_events = match request.max_events {
            0 => limits::DEFAULT_READ_EVENTS,
            n => n.min(limits::MAX_READ_EVENTS),
        };
        let wait = Duration::from_millis(u64::from(request.wait_millis));
        let run = self.log.read_or_wait(request.after_position, max_events, wait).await?;
        Ok(ReadEventsResponse {
            events: run.events.iter().map(Event::to_proto).collect(),
            head_position: run.head,
        })
    }
}

#[tonic::async_trait]
impl EventLogService for LogService {
    async fn read_events(
        &self,
        request: Request<ReadEventsRequest>,
    ) -> Result<Response<ReadEventsResponse>, Status> {
        let readiness = request.extensions().get::<Readiness>().cloned();
        siyu_grpc::serve(request, |ctx, message| async move {
            siyu_grpc::unless_draining(readiness, self.read(&ctx, message)).await
        })
        .await
    }

    async fn get_head(
        &self,
        request: Request<GetHeadRequest>,
    ) -> Result<Response<GetHeadResponse>, Status> {
        siyu_grpc::serve(request, |_, _| async {
            self.log.stamp_all().await.map(|head_position| GetHeadResponse { head_position })
        })
        .await
    }
}
