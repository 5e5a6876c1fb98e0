//! TCP: connections with bounds and keep-alive, and a stop that lets calls end.

mod connection;

use std::{io, sync::Arc, time::Duration};

use futures::{Stream, StreamExt, stream};
use siyu_runtime::CancellationToken;
use tokio::{
    net::TcpListener,
    sync::{OwnedSemaphorePermit, Semaphore},
};

use crate::{limits, server::App, settings::Settings};
use connection::Connection;

pub(crate) async fn serve(
    app: App,
    listener: TcpListener,
    settings: &Settings,
    stop: CancellationToken,
) -> Result<(), tonic::transport::Error> {
    let secs = |secs: u64| (secs > 0).then(|| Duration::from_secs(secs));
    let mut server = tonic::transport::Server::builder()
        // A connection whose peer is gone without a word is found and closed: HTTP/2 alone would keep it for hours.
        .http2_keepalive_interval(secs(settings.keep_alive_secs))
        .http2_keepalive_timeout(secs(settings.keep_alive_timeout_secs))
        .max_concurrent_streams(limits::STREAMS_PER_CONNECTION)
        .http2_max_header_list_size(limits::HEADER_BYTES);
    if let Some(age) = secs(settings.connection_age_secs) {
        let grace = Duration::from_secs(settings.timeout_max_secs);
        server = server.max_connection_age(age).max_connection_age_grace(grace);
    }
    let drain = Duration::from_secs(settings.drain_secs);
    let incoming = connections(listener, settings.connections_max);
    let serving =
        server.serve_with_incoming_shutdown(app, incoming, stop.clone().cancelled_owned());
    let too_late = async {
        stop.cancelled().await;
        siyu_runtime::pause(drain).await;
    };
    tokio::select! {
        outcome = serving => outcome,
        () = too_late => {
            tracing::warn!("connections were still open at the end of the drain and are dropped");
            Ok(())
        }
    }
}

/// New connections, as long as there is a place for one more: beyond the bound they wait in the system's queue.
fn connections(listener: TcpListener, max: usize) -> impl Stream<Item = io::Result<Connection>> {
    let places = Arc::new(Semaphore::new(max));
    stream::unfold((listener, places), |(listener, places)| async move {
        let place = places.clone().acquire_owned().await.expect("the places are never closed");
        let accepted = accept(&listener, place).await;
        if accepted.is_err() {
            // Out of file descriptors, mostly: asking again at once would only spin.
            siyu_runtime::pause(limits::ACCEPT_PAUSE).await;
        }
        Some((accepted, (listener, places)))
    })
    .boxed()
}

async fn accept(listener: &TcpListener, place: OwnedSemaphorePermit) -> io::Result<Connection> {
    let (stream, _) = listener.accept().await?;
    // A reply is one small packet; Nagle's algorithm would hold it back for the next one.
    stream.set_nodelay(true)?;
    Ok(Connection::new(stream, place, limits::PREFACE_TIME))
}
