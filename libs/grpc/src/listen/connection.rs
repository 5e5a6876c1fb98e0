//! One TCP connection: it counts against the bound while it is open, and must say at once that it speaks HTTP/2.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll, ready},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    sync::OwnedSemaphorePermit,
    time::{Duration, Instant, Sleep},
};
use tonic::transport::server::{Connected, TcpConnectInfo};

/// The client's first words, "PRI * HTTP/2.0 …" (RFC 9113 §3.4).
const PREFACE_BYTES: usize = 24;

pub(super) struct Connection {
    stream: TcpStream,
    _place: OwnedSemaphorePermit,
    greeting: Option<Greeting>,
}

/// What is still missing of the preface, and until when. Keep-alive only begins after it: without this bound a client that
/// says nothing would hold its place for ever.
struct Greeting {
    missing: usize,
    deadline: Pin<Box<Sleep>>,
}

impl Connection {
    /// A connection that has `patience` with a client that says nothing.
    pub(super) fn new(stream: TcpStream, place: OwnedSemaphorePermit, patience: Duration) -> Self {
        let deadline = Box::pin(tokio::time::sleep_until(Instant::now() + patience));
        let greeting = Some(Greeting { missing: PREFACE_BYTES, deadline });
        Self { stream, _place: place, greeting }
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, buf);
        let Some(greeting) = &mut self.greeting else { return polled };
        if polled.is_pending() {
            ready!(greeting.deadline.as_mut().poll(cx));
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        greeting.missing = greeting.missing.saturating_sub(buf.filled().len() - before);
        if greeting.missing == 0 {
            self.greeting = None;
        }
        polled
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }
    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

impl Connected for Connection {
    type ConnectInfo = TcpConnectInfo;
    fn connect_info(&self) -> TcpConnectInfo {
        self.stream.connect_info()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
        sync::Semaphore,
    };

    use super::*;

    const PATIENCE: Duration = Duration::from_millis(50);

    async fn pair() -> (Connection, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let place = Arc::new(Semaphore::new(1)).acquire_owned().await.unwrap();
        (Connection::new(listener.accept().await.unwrap().0, place, PATIENCE), client)
    }

    #[tokio::test]
    async fn a_client_that_does_not_finish_its_preface_loses_its_connection() {
        let (mut connection, mut client) = pair().await;
        client.write_all(b"PRI * HTTP/2.0").await.unwrap();
        let mut read = [0; PREFACE_BYTES];
        let error = connection.read_exact(&mut read).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn a_client_that_has_greeted_may_be_silent() {
        let (mut connection, mut client) = pair().await;
        client.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await.unwrap();
        let mut read = [0; PREFACE_BYTES];
        connection.read_exact(&mut read).await.unwrap();
        let silence = tokio::time::timeout(PATIENCE * 3, connection.read_u8()).await;
        assert!(silence.is_err(), "it still waits: {silence:?}");
    }
}
