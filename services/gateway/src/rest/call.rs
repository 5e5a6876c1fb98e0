//! The call behind a REST request: encoded bytes in, encoded bytes out, over the same transport as any gRPC call.

use bytes::{Buf, BufMut, Bytes};
use http::uri::PathAndQuery;
use siyu_grpc::Upstream;
use tonic::{
    Code, Request, Status, Streaming,
    client::Grpc,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
};

use crate::limits;

/// Calls a method that answers with one message.
pub(super) async fn unary(
    upstream: Upstream,
    path: PathAndQuery,
    request: Request<Bytes>,
) -> Result<Bytes, Status> {
    let mut client = Grpc::new(upstream).max_decoding_message_size(limits::REPLY_BYTES);
    let reply = client.unary(request, path, Raw).await;
    reply.map(tonic::Response::into_inner).map_err(too_large)
}

/// Calls a method that answers with many.
pub(super) async fn stream(
    upstream: Upstream,
    path: PathAndQuery,
    request: Request<Bytes>,
) -> Result<Streaming<Bytes>, Status> {
    let mut client = Grpc::new(upstream).max_decoding_message_size(limits::REPLY_BYTES);
    client.server_streaming(request, path, Raw).await.map(tonic::Response::into_inner)
}

/// tonic tells a reply over the limit like a fault of the request.
fn too_large(status: Status) -> Status {
    let is_ours = status.message().contains("message length too large");
    if status.code() == Code::OutOfRange && is_ours {
        return Status::internal(status.message());
    }
    status
}

/// Passes encoded messages through.
#[derive(Debug, Clone, Copy)]
struct Raw;

impl Codec for Raw {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }
    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, message: Bytes, buf: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buf.put(message);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, buf: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(buf.copy_to_bytes(buf.remaining())))
    }
}
