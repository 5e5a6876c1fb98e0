//! The bodies of streamed replies: what must last as long as the stream does.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use http::HeaderMap;
use http_body::{Body as HttpBody, Frame, SizeHint};
use tokio::time::{Instant, Sleep};
use tonic::{Status, body::Body};

use super::{shed::Place, telemetry::Measured};
use crate::{status::status, timeout};

type Data = <Body as HttpBody>::Data;
type Polled = Poll<Option<Result<Frame<Data>, Status>>>;

/// Holds a place among the calls at work, and ends at the deadline.
pub(super) struct Held {
    body: Body,
    _place: Place,
    deadline: Option<Pin<Box<Sleep>>>,
}

/// Is measured until it ends, with the status in its trailers.
pub(super) struct Watched {
    body: Body,
    call: Measured,
}

impl Held {
    pub(super) fn new(body: Body, place: Place, deadline: Option<Instant>) -> Self {
        let deadline = deadline.map(|at| Box::pin(tokio::time::sleep_until(at)));
        Self { body, _place: place, deadline }
    }
}

impl Watched {
    pub(super) const fn new(body: Body, call: Measured) -> Self {
        Self { body, call }
    }
}

impl HttpBody for Held {
    type Data = Data;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Polled {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(cx) {
            return Poll::Ready(frame);
        }
        let late = self.deadline.as_mut().is_some_and(|at| at.as_mut().poll(cx).is_ready());
        if !late {
            return Poll::Pending;
        }
        self.deadline = None;
        // Dropping the replies drops the work on them: its transaction rolls back.
        self.body = Body::empty();
        let mut trailers = HeaderMap::new();
        status(timeout::exceeded()).add_header(&mut trailers)?;
        Poll::Ready(Some(Ok(Frame::trailers(trailers))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }
    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl HttpBody for Watched {
    type Data = Data;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Polled {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        if let Some(Ok(frame)) = &frame
            && let Some(trailers) = frame.trailers_ref()
        {
            self.call.ended(trailers);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }
    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
