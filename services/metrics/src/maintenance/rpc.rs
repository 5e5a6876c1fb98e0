//! The RPCs of maintenance.

use siyu_grpc::{Ctx, fault, serve};
use siyu_kernel::Fault;
use siyu_proto::{
    event::v1::{GetHeadRequest, event_log_service_client::EventLogServiceClient},
    metrics::v1::{
        GetProgressRequest, GetProgressResponse, RebuildMetricsRequest, RebuildMetricsResponse,
        SourceProgress, maintenance_service_server::MaintenanceService,
    },
};
use tonic::{Request, Response, Status, async_trait};

use crate::{App, cube};

#[async_trait]
impl MaintenanceService for App {
    async fn get_progress(
        &self,
        request: Request<GetProgressRequest>,
    ) -> Result<Response<GetProgressResponse>, Status> {
        serve(request, |ctx, _| progress(self, ctx)).await
    }

    async fn rebuild_metrics(
        &self,
        request: Request<RebuildMetricsRequest>,
    ) -> Result<Response<RebuildMetricsResponse>, Status> {
        serve(request, |ctx, _| rebuild(self, ctx)).await
    }
}

async fn progress(app: &App, ctx: Ctx) -> Result<GetProgressResponse, Fault> {
    let merchant = ctx.merchant()?;
    let mut sources = Vec::new();
    for (peer, consumer) in app.followed.get().map(Vec::as_slice).unwrap_or_default() {
        let mut client = EventLogServiceClient::new(peer.as_service(None));
        let head = client.get_head(GetHeadRequest {}).await.map_err(fault)?.into_inner();
        sources.push(SourceProgress {
            source: consumer.subscription().source().to_owned(),
            position: consumer.position().await.map_err(Fault::internal)?,
            head_position: head.head_position,
            parked: consumer.count_parked().await.map_err(Fault::internal)?,
        });
    }
    let mut tx = app.db.tenant_read(merchant).await?;
    let dirty_days = cube::store::count_dirty(&mut tx).await?;
    let caught_up = sources.iter().all(|source| source.position >= source.head_position);
    Ok(GetProgressResponse { sources, caught_up, dirty_days })
}

async fn rebuild(app: &App, ctx: Ctx) -> Result<RebuildMetricsResponse, Fault> {
    let merchant = ctx.merchant()?;
    let rebuilt = app.cache.rebuild(merchant).await?;
    Ok(RebuildMetricsResponse { facts: rebuilt.facts, days: rebuilt.days, equal: rebuilt.equal })
}
