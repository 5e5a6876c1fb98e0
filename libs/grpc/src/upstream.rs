//! A service of the suite as seen by its callers: in this process or in another, with the same answers.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use futures::future::BoxFuture;
use http::{Request, Response};
use siyu_kernel::{Code, Fault};
use tokio::{sync::SetOnce, time::timeout};
use tonic::{
    body::Body,
    transport::{Channel, Endpoint},
};
use tower::{BoxError, Service, ServiceExt};

use crate::{limits, server::App, settings::RemoteSettings, status::status};

/// A service that can be called; the transport of generated clients. Clones share connections.
#[derive(Debug, Clone)]
pub struct Upstream {
    way: Arc<Way>,
}

/// Ties an [`Upstream`] that was handed out early to its server.
#[derive(Debug)]
pub struct Late {
    way: Arc<Way>,
}

/// An address that cannot be one.
#[derive(Debug, thiserror::Error)]
#[error("\"{address}\" is not an address like http://member:7001")]
pub struct UpstreamError {
    address: String,
    source: tonic::transport::Error,
}

#[derive(Debug)]
enum Way {
    InProcess(SetOnce<App>),
    Remote { channels: Vec<Channel>, next: AtomicUsize },
}

impl Upstream {
    /// A server of this process.
    pub fn in_process(app: App) -> Self {
        Self { way: Arc::new(Way::InProcess(SetOnce::new_with(Some(app)))) }
    }

    /// A server of this process that is not built yet: services of one process that listen to each other need it. Calls
    /// before [`Late::bind`] wait a little for it, then answer `PEER_UNAVAILABLE`.
    pub fn late() -> (Self, Late) {
        let way = Arc::new(Way::InProcess(SetOnce::new()));
        (Self { way: way.clone() }, Late { way })
    }

    /// A server in another process, for example at `http://member:7001`. Nothing is opened before the first call. Call it
    /// within a runtime.
    ///
    /// # Errors
    /// [`UpstreamError`] when the address is none.
    pub fn remote(address: &str, settings: &RemoteSettings) -> Result<Self, UpstreamError> {
        let endpoint = Endpoint::from_shared(address.to_owned())
            .map_err(|source| UpstreamError { address: address.to_owned(), source })?
            .connect_timeout(Duration::from_millis(settings.connect_timeout_millis))
            // Without these a connection whose other end is gone hangs every call until its deadline.
            .http2_keep_alive_interval(Duration::from_secs(settings.keep_alive_secs))
            .keep_alive_timeout(Duration::from_secs(settings.keep_alive_timeout_secs))
            .keep_alive_while_idle(true)
            .tcp_nodelay(true);
        let channels = (0..settings.connections.max(1)).map(|_| endpoint.connect_lazy()).collect();
        Ok(Self { way: Arc::new(Way::Remote { channels, next: AtomicUsize::new(0) }) })
    }

    /// Sends one request.
    pub async fn send(&self, request: Request<Body>) -> Result<Response<Body>, BoxError> {
        match self.way.as_ref() {
            Way::InProcess(app) => match timeout(limits::START_WAIT, app.wait()).await {
                Ok(app) => Ok(app.answer(request).await),
                Err(_) => Ok(status(not_there()).into_http()),
            },
            Way::Remote { channels, next } => {
                let turn = next.fetch_add(1, Ordering::Relaxed) % channels.len();
                Ok(channels[turn].clone().oneshot(request).await?)
            }
        }
    }
}

impl Late {
    /// Ties the upstream to its server. A second call has no effect.
    pub fn bind(self, app: App) {
        if let Way::InProcess(slot) = self.way.as_ref() {
            drop(slot.set(app));
        }
    }
}

impl Service<Request<Body>> for Upstream {
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Response<Body>, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let upstream = self.clone();
        Box::pin(async move { upstream.send(request).await })
    }
}

fn not_there() -> Fault {
    Fault::new(Code::Unavailable, "PEER_UNAVAILABLE", "the service has not started yet")
}
