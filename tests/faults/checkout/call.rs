//! How clients call: again, until there is an answer. An answer that does not come says nothing of what was done.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    time::{Duration, Instant},
};

use siyu_grpc::fault;
use siyu_kernel::{Code, Fault};
use siyu_proto::order::v1::{
    checkout_service_client::CheckoutServiceClient, order_service_client::OrderServiceClient,
    payment_service_client::PaymentServiceClient, refund_service_client::RefundServiceClient,
};
use siyu_runtime::{jitter, pause};
use siyu_tests::support::{Bearer, LIMIT, Merchant};
use tonic::{Response, Status, service::interceptor::InterceptedService, transport::Channel};

/// How long a client waits for one answer.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long it waits before it asks again.
const AGAIN: Duration = Duration::from_millis(300);

type Public = InterceptedService<Channel, Bearer>;

/// The clients' way to the suite, and what they saw on it.
pub(crate) struct Line {
    merchant: Merchant,
    answers: Cell<u64>,
    repeats: Cell<u64>,
    refusals: RefCell<BTreeMap<String, u64>>,
    odd: RefCell<Vec<String>>,
}

impl Line {
    pub(crate) fn new(merchant: &Merchant) -> Self {
        Self {
            merchant: merchant.clone(),
            answers: Cell::default(),
            repeats: Cell::default(),
            refusals: RefCell::default(),
            odd: RefCell::default(),
        }
    }

    pub(crate) fn checkouts(&self) -> CheckoutServiceClient<Public> {
        CheckoutServiceClient::new(self.merchant.caller.grpc())
    }

    pub(crate) fn orders(&self) -> OrderServiceClient<Public> {
        OrderServiceClient::new(self.merchant.caller.grpc())
    }

    pub(crate) fn payments(&self) -> PaymentServiceClient<Public> {
        PaymentServiceClient::new(self.merchant.caller.grpc())
    }

    pub(crate) fn refunds(&self) -> RefundServiceClient<Public> {
        RefundServiceClient::new(self.merchant.caller.grpc())
    }

    /// Makes a call until it is answered: with what was asked for, or with a refusal.
    pub(crate) async fn ask<Q: Clone, R>(
        &self,
        request: &Q,
        call: impl AsyncFn(Q) -> Result<Response<R>, Status>,
    ) -> Result<R, Fault> {
        let start = Instant::now();
        loop {
            let reply = tokio::time::timeout(PATIENCE, call(request.clone())).await;
            match reply.map(|reply| reply.map_err(fault)) {
                Ok(Ok(reply)) => {
                    self.answers.set(self.answers.get() + 1);
                    return Ok(reply.into_inner());
                }
                Ok(Err(refused)) if !self.is_open(&refused) => {
                    self.answers.set(self.answers.get() + 1);
                    let reason = refused.reason().to_owned();
                    *self.refusals.borrow_mut().entry(reason).or_default() += 1;
                    return Err(refused);
                }
                Ok(Err(_)) | Err(_) => self.repeats.set(self.repeats.get() + 1),
            }
            assert!(start.elapsed() < LIMIT, "no answer in {LIMIT:?}");
            pause(jitter(AGAIN)).await;
        }
    }

    /// Whether a fault leaves open what was done.
    fn is_open(&self, refused: &Fault) -> bool {
        match refused.code() {
            Code::Aborted
            | Code::ResourceExhausted
            | Code::DeadlineExceeded
            | Code::Unavailable => true,
            Code::Internal => {
                self.odd.borrow_mut().push(format!("{refused:?}"));
                true
            }
            Code::InvalidArgument
            | Code::NotFound
            | Code::AlreadyExists
            | Code::FailedPrecondition
            | Code::PermissionDenied
            | Code::Unauthenticated
            | Code::Unimplemented => false,
        }
    }

    /// How many answers came.
    pub(crate) const fn answers(&self) -> u64 {
        self.answers.get()
    }

    /// Errors that no fault of the test explains.
    pub(crate) fn odd(&self) -> Vec<String> {
        self.odd.borrow().clone()
    }

    pub(crate) fn figures(&self) -> String {
        let (answers, repeats) = (self.answers.get(), self.repeats.get());
        format!("{answers} answers, {repeats} repeats, refused: {:?}", self.refusals.borrow())
    }
}
