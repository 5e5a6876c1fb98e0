//! A metrics service that answers with the fixture, notes what it was asked, and takes in an order now and then.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicI64, Ordering},
};

use siyu_proto::metrics::v1::{
    self as proto, Basis,
    retention_service_server::{RetentionService, RetentionServiceServer},
    sales_service_server::{SalesService, SalesServiceServer},
    triangle_service_server::{TriangleService, TriangleServiceServer},
    value_service_server::{ValueService, ValueServiceServer},
};
use siyu_runtime::Secret;
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status, transport::Server};

use super::fixture::cdnow;
use crate::{cli::Connection, client::Client};

/// The service: shared with the test.
#[derive(Clone, Default)]
pub(super) struct Metrics {
    /// The days of every request: from, to, as of.
    pub(super) asked: Arc<Mutex<Vec<[String; 3]>>>,
    /// Looks at sales so far; as long as orders come in, the version of the facts as well.
    version: Arc<AtomicI64>,
    /// Looks at sales after which no order comes in any more.
    quiet_after: i64,
}

impl Metrics {
    /// Orders come in during the first so many attempts.
    pub(super) fn busy_for(attempts: i64) -> Self {
        Self { quiet_after: attempts, ..Self::default() }
    }

    /// How often a report was begun.
    pub(super) fn attempts(&self) -> i64 {
        self.version.load(Ordering::SeqCst)
    }

    pub(super) async fn serve<W, F>(&self, work: W) -> F::Output
    where
        W: FnOnce(Client) -> F,
        F: Future,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = format!("http://{}", listener.local_addr().unwrap());
        let serving = Server::builder()
            .add_service(SalesServiceServer::new(self.clone()))
            .add_service(RetentionServiceServer::new(self.clone()))
            .add_service(ValueServiceServer::new(self.clone()))
            .add_service(TriangleServiceServer::new(self.clone()))
            .serve_with_incoming(TcpListenerStream::new(listener));
        let token = Some(Secret::new("token"));
        let work = async {
            let connection = Connection { server, token, ca_file: None };
            work(Client::connect(&connection).await.unwrap()).await
        };
        tokio::select! {
            done = work => done,
            ended = serving => panic!("the service ended: {ended:?}"),
        }
    }

    /// Notes what was asked, and tells on which facts the answer rests.
    fn note(&self, from: &str, to: &str, as_of: &str) -> Option<Basis> {
        let days = [from, to, as_of].map(str::to_owned);
        self.asked.lock().unwrap().push(days);
        let seen = self.version.load(Ordering::SeqCst);
        cdnow()
            .sales
            .basis
            .map(|basis| Basis { facts_version: seen.min(self.quiet_after), ..basis })
    }
}

#[tonic::async_trait]
impl SalesService for Metrics {
    async fn get_sales(
        &self,
        request: Request<proto::GetSalesRequest>,
    ) -> Result<Response<proto::GetSalesResponse>, Status> {
        let of = request.into_inner();
        let basis = self.note(&of.from_day, &of.to_day, "");
        // The order comes in after this look, and before the next ones.
        self.version.fetch_add(1, Ordering::SeqCst);
        Ok(Response::new(proto::GetSalesResponse { basis, ..cdnow().sales }))
    }

    async fn get_user_arpu(
        &self,
        request: Request<proto::GetUserArpuRequest>,
    ) -> Result<Response<proto::GetUserArpuResponse>, Status> {
        let of = request.into_inner();
        let basis = self.note(&of.from_day, &of.to_day, "");
        Ok(Response::new(proto::GetUserArpuResponse { basis, ..cdnow().users }))
    }

    async fn get_effective_customers(
        &self,
        request: Request<proto::GetEffectiveCustomersRequest>,
    ) -> Result<Response<proto::GetEffectiveCustomersResponse>, Status> {
        let of = request.into_inner();
        let basis = self.note(&of.from_day, &of.to_day, "");
        Ok(Response::new(proto::GetEffectiveCustomersResponse { basis, ..cdnow().effective }))
    }
}

#[tonic::async_trait]
impl RetentionService for Metrics {
    async fn get_repeat(
        &self,
        request: Request<proto::GetRepeatRequest>,
    ) -> Result<Response<proto::GetRepeatResponse>, Status> {
        let of = request.into_inner();
        let basis = self.note(&of.from_day, &of.to_day, &of.as_of_day);
        Ok(Response::new(proto::GetRepeatResponse { basis, ..cdnow().repeat }))
    }

    async fn get_cohorts(
        &self,
        request: Request<proto::GetCohortsRequest>,
    ) -> Result<Response<proto::GetCohortsResponse>, Status> {
        let of = request.into_inner();
        let basis = self.note(&of.from_day, &of.to_day, &of.as_of_day);
        Ok(Response::new(proto::GetCohortsResponse { basis, ..cdnow().cohorts }))
    }

    async fn get_dormancy(
        &self,
        request: Request<proto::GetDormancyRequest>,
    ) -> Result<Response<proto::GetDormancyResponse>, Status> {
        let of = request.into_inner();
        let basis = self.note(&of.from_day, &of.to_day, &of.as_of_day);
        Ok(Response::new(proto::GetDormancyResponse { basis, ..cdnow().dormancy }))
    }
}

#[tonic::async_trait]
impl ValueService for Metrics {
    async fn get_rfm(
        &self,
        request: Request<proto::GetRfmRequest>,
    ) -> Result<Response<proto::GetRfmResponse>, Status> {
        let basis = self.note("", "", &request.into_inner().as_of_day);
        Ok(Response::new(proto::GetRfmResponse { basis, ..cdnow().rfm }))
    }

    async fn get_person_rfm(
        &self,
        _: Request<proto::GetPersonRfmRequest>,
    ) -> Result<Response<proto::GetPersonRfmResponse>, Status> {
        Err(Status::unimplemented("not asked here"))
    }

    async fn get_lifetime_value(
        &self,
        request: Request<proto::GetLifetimeValueRequest>,
    ) -> Result<Response<proto::GetLifetimeValueResponse>, Status> {
        let of = request.into_inner();
        let basis = self.note(&of.from_day, &of.to_day, "");
        Ok(Response::new(proto::GetLifetimeValueResponse { basis, ..cdnow().lifetime }))
    }

    async fn get_purchase_model(
        &self,
        _: Request<proto::GetPurchaseModelRequest>,
    ) -> Result<Response<proto::GetPurchaseModelResponse>, Status> {
        Err(Status::unimplemented("not asked here"))
    }
}

#[tonic::async_trait]
impl TriangleService for Metrics {
    async fn set_triangle_baseline(
        &self,
        _: Request<proto::SetTriangleBaselineRequest>,
    ) -> Result<Response<proto::SetTriangleBaselineResponse>, Status> {
        Err(Status::unimplemented("not asked here"))
    }

    async fn get_triangle(
        &self,
        request: Request<proto::GetTriangleRequest>,
    ) -> Result<Response<proto::GetTriangleResponse>, Status> {
        let basis = self.note("", "", &request.into_inner().as_of_day);
        Ok(Response::new(proto::GetTriangleResponse { basis, ..cdnow().triangle }))
    }
}
