//! Calls of any method with any bytes: what generated clients would not send.

use bytes::{Buf, BufMut, Bytes};
use siyu_kernel::Fault;
use siyu_tests::support::{Caller, Place};
use tonic::{
    Request, Status,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
    transport::Channel,
};

/// A codec that leaves messages as they are.
#[derive(Debug, Default, Clone, Copy)]
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

    fn encode(&mut self, item: Bytes, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put(item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        let length = buffer.remaining();
        Ok(Some(buffer.copy_to_bytes(length)))
    }
}

/// Calls a method of the gateway with a message and a token, if there is one; gives what was refused.
pub(crate) async fn call(
    place: &Place,
    path: &str,
    token: &str,
    message: Bytes,
) -> Result<(), Fault> {
    let server = format!("http://{}", place.http);
    let channel: Channel = siyu::client::channel(&server, None).await.unwrap();
    let mut grpc = tonic::client::Grpc::new(channel);
    grpc.ready().await.unwrap();
    let mut request = Request::new(message);
    if !token.is_empty() {
        let bearer = format!("Bearer {token}").parse().unwrap();
        request.metadata_mut().insert("authorization", bearer);
    }
    let path = path.parse().unwrap();
    grpc.unary(request, path, Raw).await.map(drop).map_err(|status| {
        assert!(status.code() != tonic::Code::Unknown, "{status:?}");
        siyu_grpc::fault(status)
    })
}

/// A token of a merchant that allows what is named.
pub(crate) async fn token(of: &Caller, scopes: &[&str]) -> String {
    let body = serde_json::json!({"name": "contracts", "scopes": scopes});
    let reply = of.rest("POST", "/v1/tokens", Some(&body)).await;
    assert!(reply.status.is_success(), "{reply:?}");
    reply.json()["secret"].as_str().unwrap().to_owned()
}
