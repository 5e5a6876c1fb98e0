//! Streams of replies on their way out: a gateway that drains ends them between two messages, so that no stop waits for a
//! caller, and no caller gets half a message.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use futures::future::BoxFuture;
use http::HeaderMap;
use http_body::{Body as HttpBody, Frame, SizeHint};
use siyu_runtime::Readiness;
use tonic::{Status, body::Body};

/// What stands before each message of gRPC: a flag, and the length of the message.
const PREFIX_BYTES: usize = 5;

/// Ends with `SERVER_DRAINING` once the gateway drains.
pub(crate) struct Ending {
    body: Body,
    drained: BoxFuture<'static, ()>,
    place: Place,
}

/// Where in its messages a stream is.
#[derive(Debug, Default)]
struct Place {
    prefix: Vec<u8>,
    left: usize,
}

impl Ending {
    pub(crate) fn body(body: Body, readiness: Readiness) -> Body {
        let drained = Box::pin(async move { readiness.drained().await });
        Body::new(Self { body, drained, place: Place::default() })
    }
}

impl HttpBody for Ending {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let frame = Pin::new(&mut self.body).poll_frame(cx);
        if let Poll::Ready(frame) = frame {
            if let Some(Ok(data)) = &frame
                && let Some(bytes) = data.data_ref()
            {
                self.place.pass(bytes);
            }
            return Poll::Ready(frame);
        }
        if !self.place.is_between() || self.drained.as_mut().poll(cx).is_pending() {
            return Poll::Pending;
        }
        // Dropping the replies ends the call of the service behind.
        self.body = Body::empty();
        self.drained = Box::pin(std::future::pending());
        let mut trailers = HeaderMap::new();
        siyu_grpc::status(siyu_grpc::draining()).add_header(&mut trailers)?;
        Poll::Ready(Some(Ok(Frame::trailers(trailers))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }
    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
}

impl Place {
    const fn is_between(&self) -> bool {
        self.left == 0 && self.prefix.is_empty()
    }

    fn pass(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            if self.left > 0 {
                let passed = self.left.min(bytes.len());
                (self.left, bytes) = (self.left - passed, &bytes[passed..]);
                continue;
            }
            let (head, rest) = bytes.split_at(bytes.len().min(PREFIX_BYTES - self.prefix.len()));
            self.prefix.extend_from_slice(head);
            bytes = rest;
            if let [_, length @ ..] = self.prefix.as_slice()
                && let Ok(length) = <[u8; 4]>::try_from(length)
            {
                self.left = u32::from_be_bytes(length) as usize;
                self.prefix.clear();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::{BodyExt, StreamBody};

    use super::*;

    #[test]
    fn the_place_between_two_messages_is_found_however_the_bytes_are_cut() {
        let bytes = b"\0\0\0\0\x03abc\0\0\0\0\0\0\0\0\0\x01d";
        let between = [8, 13, 19];
        for cut in 1..=bytes.len() {
            let mut place = Place::default();
            for piece in bytes[..cut].chunks(2) {
                place.pass(piece);
            }
            assert_eq!(place.is_between(), between.contains(&cut), "{cut}");
        }
    }

    #[tokio::test]
    async fn a_drain_ends_a_stream_after_the_message_under_way() {
        let readiness = Readiness::new();
        let (send, receive) =
            tokio::sync::mpsc::unbounded_channel::<Result<Frame<Bytes>, Status>>();
        let frames = tokio_stream::wrappers::UnboundedReceiverStream::new(receive);
        let mut body = Ending::body(Body::new(StreamBody::new(frames)), readiness.clone());
        let frame = |bytes: &'static [u8]| Ok(Frame::data(Bytes::from_static(bytes)));
        send.send(frame(b"\0\0\0\0\x02a")).unwrap();
        assert!(body.frame().await.unwrap().unwrap().is_data());
        readiness.drain();
        send.send(frame(b"b")).unwrap();
        assert!(body.frame().await.unwrap().unwrap().is_data());
        let trailers = body.frame().await.unwrap().unwrap().into_trailers().unwrap();
        let ended = Status::from_header_map(&trailers).unwrap();
        assert_eq!(ended.code(), tonic::Code::Unavailable);
        assert!(body.frame().await.is_none());
    }
}
