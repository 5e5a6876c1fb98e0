//! An import service that keeps orders in memory and breaks when it is told to.

use std::{
    collections::BTreeMap,
    pin::Pin,
    sync::{Arc, Mutex},
};

use futures::{Stream, StreamExt};
use siyu_proto::order::v1::{
    ExternalOrder, ImportError, ImportOrdersRequest, ImportOrdersResponse, ImportOutcome,
    ImportRefundsRequest, ImportRefundsResponse, ImportResult, ListImportedRefundsRequest,
    ListImportedRefundsResponse, ListQuarantinedOrdersRequest, ListQuarantinedOrdersResponse,
    SetStatusMappingRequest, SetStatusMappingResponse, StreamImportOrdersRequest,
    StreamImportOrdersResponse,
    import_service_server::{ImportService, ImportServiceServer},
};
use siyu_runtime::Secret;
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status, Streaming, transport::Server};

use crate::{cli::Connection, client::Client};

/// What breaks, by the number of the batch, from 1, over all streams.
pub(super) type Fault = fn(usize) -> Option<Status>;

/// The suite: shared by its service and the test.
#[derive(Clone)]
pub(super) struct Suite {
    state: Arc<Mutex<State>>,
    fault: Fault,
}

#[derive(Default)]
struct State {
    batches: usize,
    largest: usize,
    lines: BTreeMap<(String, i32), i64>,
}

impl Suite {
    pub(super) fn new(fault: Fault) -> Self {
        Self { state: Arc::default(), fault }
    }

    /// Runs `work` with a client while the suite is served.
    pub(super) async fn serve<W, F>(&self, work: W) -> F::Output
    where
        W: FnOnce(Client) -> F,
        F: Future,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = format!("http://{}", listener.local_addr().unwrap());
        let service = Server::builder().add_service(ImportServiceServer::new(self.clone()));
        let serving = service.serve_with_incoming(TcpListenerStream::new(listener));
        let token = Some(Secret::new("token"));
        let work = async {
            let connection = Connection { server, token, ca_file: None };
            work(Client::connect(&connection).await.unwrap()).await
        };
        tokio::select! {
            done = work => done,
            ended = serving => panic!("the suite ended: {ended:?}"),
        }
    }

    /// Lines stored, and what was paid for them.
    pub(super) fn stored(&self) -> (usize, i64) {
        let state = self.state.lock().unwrap();
        (state.lines.len(), state.lines.values().sum())
    }

    /// Batches that came in, and the most orders in one.
    pub(super) fn batches(&self) -> (usize, usize) {
        let state = self.state.lock().unwrap();
        (state.batches, state.largest)
    }

    fn answer(
        &self,
        request: &StreamImportOrdersRequest,
    ) -> Result<StreamImportOrdersResponse, Status> {
        let mut state = self.state.lock().unwrap();
        state.batches += 1;
        state.largest = state.largest.max(request.orders.len());
        let fault = (self.fault)(state.batches);
        let results = request.orders.iter().map(|order| state.take(order)).collect();
        // A break after the work is done is the hard case: the answer is lost, the orders are not.
        fault.map_or(Ok(StreamImportOrdersResponse { results }), Err)
    }
}

impl State {
    fn take(&mut self, order: &ExternalOrder) -> ImportResult {
        let bad = order.lines.iter().position(|line| line.sku == "bad");
        if let Some(index) = bad {
            let error = ImportError {
                field: format!("lines[{index}].sku"),
                description: "is bad".to_owned(),
            };
            return result(ImportOutcome::Rejected, vec![error]);
        }
        if order.status == "martian" {
            return result(ImportOutcome::Quarantined, Vec::new());
        }
        let key = |line_no: i32| (order.order_no.clone(), line_no);
        let known = self.lines.range(key(i32::MIN)..=key(i32::MAX)).next().is_some();
        let mut news = false;
        for line in &order.lines {
            let paid = line.paid.as_ref().unwrap().minor_units;
            news |= self.lines.insert(key(line.line_no), paid).is_none();
        }
        let outcome = match (known, news) {
            (false, _) => ImportOutcome::Created,
            (true, true) => ImportOutcome::Updated,
            (true, false) => ImportOutcome::Unchanged,
        };
        result(outcome, Vec::new())
    }
}

fn result(outcome: ImportOutcome, errors: Vec<ImportError>) -> ImportResult {
    ImportResult { outcome: outcome.into(), order_id: String::new(), errors }
}

#[tonic::async_trait]
impl ImportService for Suite {
    type StreamImportOrdersStream =
        Pin<Box<dyn Stream<Item = Result<StreamImportOrdersResponse, Status>> + Send>>;

    async fn stream_import_orders(
        &self,
        request: Request<Streaming<StreamImportOrdersRequest>>,
    ) -> Result<Response<Self::StreamImportOrdersStream>, Status> {
        assert_eq!(request.metadata().get("authorization").unwrap(), "Bearer token");
        let suite = self.clone();
        let answers = request.into_inner().map(move |batch| suite.answer(&batch?));
        Ok(Response::new(Box::pin(answers)))
    }

    async fn import_orders(
        &self,
        _: Request<ImportOrdersRequest>,
    ) -> Result<Response<ImportOrdersResponse>, Status> {
        Err(Status::unimplemented("not asked here"))
    }

    async fn import_refunds(
        &self,
        _: Request<ImportRefundsRequest>,
    ) -> Result<Response<ImportRefundsResponse>, Status> {
        Err(Status::unimplemented("not asked here"))
    }

    async fn list_imported_refunds(
        &self,
        _: Request<ListImportedRefundsRequest>,
    ) -> Result<Response<ListImportedRefundsResponse>, Status> {
        Err(Status::unimplemented("not asked here"))
    }

    async fn list_quarantined_orders(
        &self,
        _: Request<ListQuarantinedOrdersRequest>,
    ) -> Result<Response<ListQuarantinedOrdersResponse>, Status> {
        Err(Status::unimplemented("not asked here"))
    }

    async fn set_status_mapping(
        &self,
        _: Request<SetStatusMappingRequest>,
    ) -> Result<Response<SetStatusMappingResponse>, Status> {
        Err(Status::unimplemented("not asked here"))
    }
}
