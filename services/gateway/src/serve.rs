//! Two ports, one door: HTTP/1.1 and HTTP/2 on each, with bounds on everything a client can make us hold.

mod activity;
mod socket;

use std::{convert::Infallible, io, pin::pin, sync::Arc};

use http::Request;
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto,
};
use siyu_runtime::{CancellationToken, pause};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    task::JoinSet,
};
use tonic::body::Body;

use crate::{body::Held, config::Http, door::Door, limits};
use activity::Activity;
use socket::Patient;

/// Serves a port until `stop`; then no new connection is taken, calls in progress get their time, and connections that are
/// still there after it are dropped.
pub(crate) async fn serve(
    door: Arc<Door>,
    http: Http,
    listener: TcpListener,
    stop: CancellationToken,
) -> io::Result<()> {
    let server = Arc::new(Server { builder: builder(&http), door, http, stop: stop.clone() });
    let places = Arc::new(Semaphore::new(server.http.connections_max));
    let mut connections = JoinSet::new();
    while let Some((stream, place)) = stop.run_until_cancelled(next(&listener, &places)).await {
        connections.spawn(server.clone().connection(stream, place));
        while connections.try_join_next().is_some() {}
    }
    drop(listener);
    let drained = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(server.http.drain(), drained).await.is_err() {
        tracing::warn!("connections were still open at the end of the drain and are dropped");
    }
    Ok(())
}

/// The next connection, once there is a place for one more.
async fn next(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> (TcpStream, OwnedSemaphorePermit) {
    let place = places.clone().acquire_owned().await.expect("the places are never closed");
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return (stream, place),
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                pause(limits::ACCEPT_PAUSE).await;
            }
        }
    }
}

fn builder(http: &Http) -> auto::Builder<TokioExecutor> {
    let (interval, timeout) = limits::KEEP_ALIVE;
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(http.header_timeout())
        .max_headers(limits::HEADERS);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(limits::HEADER_BYTES)
        .max_concurrent_streams(limits::STREAMS_PER_CONNECTION)
        // A client that is gone without a word is found and its connection closed.
        .keep_alive_interval(interval)
        .keep_alive_timeout(timeout);
    builder
}

struct Server {
    builder: auto::Builder<TokioExecutor>,
    door: Arc<Door>,
    http: Http,
    stop: CancellationToken,
}

impl Server {
    async fn connection(self: Arc<Self>, stream: TcpStream, _place: OwnedSemaphorePermit) {
        // A reply is one small packet; Nagle's algorithm would hold it back for the next one.
        let _ = stream.set_nodelay(true);
        let activity = Activity::default();
        let service = service_fn(|request: Request<Incoming>| {
            let (door, call) = (self.door.clone(), activity.call());
            async move {
                let response = door.answer(request.map(Body::new)).await;
                Ok::<_, Infallible>(response.map(|body| Held::body(body, call)))
            }
        });
        let socket = TokioIo::new(Patient::new(stream, self.http.body_timeout()));
        let mut connection = pin!(self.builder.serve_connection(socket, service));
        let unused = activity.unused(self.http.header_timeout(), self.http.idle_timeout());
        tokio::select! {
            // A client that breaks off is no news.
            _ = connection.as_mut() => return,
            () = unused => {}
            () = self.stop.cancelled() => {}
        }
        // Calls in progress may end; at a stop, `serve` bounds how long they may take.
        connection.as_mut().graceful_shutdown();
        let _ = connection.await;
    }
}
