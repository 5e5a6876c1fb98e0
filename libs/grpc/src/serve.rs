//! From a request to a reply: shape, method, status. Each method of a service is one call of [`serve`],
//! [`serve_each`] or [`serve_stream`].

use std::{panic::AssertUnwindSafe, pin::Pin, sync::Arc};

use futures::{FutureExt, Stream, StreamExt, stream};
use siyu_kernel::{Clock, Fault};
use siyu_proto::{Path, Shape};
use siyu_runtime::{Readiness, tasks::panic_message};
use tonic::{Request, Response, Status, Streaming};

use crate::{ctx::Ctx, drain::draining, mend, status::status};

/// The replies of a stream, as generated services want them.
pub type Replies<R> = Pin<Box<dyn Stream<Item = Result<R, Status>> + Send>>;

/// Checks the shape of a request, calls the method, and turns its fault into a status.
///
/// # Errors
/// Every violation of the message's shape at once, or what the method refused.
pub async fn serve<M, R, E, W, F>(request: Request<M>, work: W) -> Result<Response<R>, Status>
where
    M: Shape,
    E: Into<Fault>,
    W: FnOnce(Ctx, M) -> F,
    F: Future<Output = Result<R, E>>,
{
    let ctx = Ctx::of(&request).map_err(status)?;
    let message = request.into_inner();
    check(&message).map_err(status)?;
    work(ctx, message).await.map(Response::new).map_err(|error| status(error.into()))
}

/// Answers each message of a stream with one reply, in order and one at a time, each at its own instant. The first fault ends
/// the stream; what was answered before it stands. So does a process that drains, after the message at work.
///
/// # Errors
/// None before the first message; a fault of a message, or `SERVER_DRAINING`, is the end of the replies.
pub async fn serve_each<M, R, E, W, F>(
    request: Request<Streaming<M>>,
    work: W,
) -> Result<Response<Replies<R>>, Status>
where
    M: Shape + Send + 'static,
    R: Send + 'static,
    E: Into<Fault>,
    W: Fn(Ctx, M) -> F + Send + Sync + 'static,
    F: Future<Output = Result<R, E>> + Send + 'static,
{
    let ctx = Ctx::of(&request).map_err(status)?;
    let clock = request.extensions().get::<Arc<dyn Clock>>().cloned();
    let clock = clock
        .ok_or_else(|| status(Fault::internal("a stream without a clock passed the server")))?;
    let readiness = request.extensions().get::<Readiness>().cloned().unwrap_or_default();
    let start = Some((request.into_inner(), ctx, work));
    let replies = stream::unfold(start, move |state| {
        let (clock, readiness) = (clock.clone(), readiness.clone());
        async move {
            let (mut messages, mut ctx, work) = state?;
            let message = tokio::select! {
                // A caller that sends without a pause would hold up the stop.
                biased;
                () = readiness.drained() => return Some((Err(status(draining())), None)),
                message = messages.message() => message.transpose()?,
            };
            ctx.now = clock.now();
            // A panic here would break the connection's task, not this call alone.
            let reply = AssertUnwindSafe(each(message, &ctx, &work)).catch_unwind().await;
            let reply = reply.unwrap_or_else(|panic| {
                Err(Fault::internal(format!("panicked: {}", panic_message(panic.as_ref()))))
            });
            match reply {
                Ok(reply) => Some((Ok(reply), Some((messages, ctx, work)))),
                Err(fault) => Some((Err(status(fault)), None)),
            }
        }
    });
    Ok(Response::new(Box::pin(replies)))
}

/// Answers one message with a stream of replies, which are made when they are asked for. The first fault ends the stream;
/// what was sent before it stands.
///
/// # Errors
/// Every violation of the message's shape at once, or what the method refused before its first reply.
pub async fn serve_stream<M, R, E, S, W, F>(
    request: Request<M>,
    work: W,
) -> Result<Response<Replies<R>>, Status>
where
    M: Shape,
    E: Into<Fault>,
    S: Stream<Item = Result<R, Fault>> + Send + 'static,
    W: FnOnce(Ctx, M) -> F,
    F: Future<Output = Result<S, E>>,
{
    let ctx = Ctx::of(&request).map_err(status)?;
    let message = request.into_inner();
    check(&message).map_err(status)?;
    let replies = work(ctx, message).await.map_err(|error| status(error.into()))?;
    // A panic here would break the connection's task, not this call alone.
    let replies = AssertUnwindSafe(replies).catch_unwind().map(|reply| {
        let panicked = |panic: Box<dyn std::any::Any + Send>| {
            Err(Fault::internal(format!("panicked: {}", panic_message(panic.as_ref()))))
        };
        reply.unwrap_or_else(panicked).map_err(status)
    });
    Ok(Response::new(Box::pin(replies)))
}

async fn each<M, R, E, W, F>(message: Result<M, Status>, ctx: &Ctx, work: &W) -> Result<R, Fault>
where
    M: Shape,
    E: Into<Fault>,
    W: Fn(Ctx, M) -> F,
    F: Future<Output = Result<R, E>>,
{
    let message = message.map_err(mend::fault)?;
    check(&message)?;
    work(ctx.clone(), message).await.map_err(Into::into)
}

fn check(message: &impl Shape) -> Result<(), Fault> {
    let mut violations = Vec::new();
    message.violations(&Path::Root, &mut violations);
    if violations.is_empty() { Ok(()) } else { Err(Fault::invalid(violations)) }
}
