//! A plain HTTP client: what `curl` does, and no more.

use std::net::SocketAddr;

use bytes::Bytes;
use http::{Request, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use super::LIMIT;

/// An answer, read to its end.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The status.
    pub status: StatusCode,
    /// The body, as text.
    pub body: String,
}

impl Reply {
    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The code of a problem, and the fields that are not as they must be.
    pub fn problem(&self) -> (u16, String, Vec<String>) {
        let json = self.json();
        let fields = json["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
        let fields = fields.iter().map(|e| e["field"].as_str().unwrap_or_default().to_owned());
        let code = json["code"].as_str().unwrap_or_default().to_owned();
        (self.status.as_u16(), code, fields.collect())
    }
}

/// Sends one request over a connection of its own; the error of a server that is not there comes back.
pub async fn request(
    addr: SocketAddr,
    method: &str,
    path: &str,
    token: &str,
    body: Option<Bytes>,
) -> Result<Reply, Box<dyn std::error::Error + Send + Sync>> {
    let mut builder =
        Request::builder().method(method).uri(path).header(header::HOST, addr.to_string());
    if !token.is_empty() {
        builder = builder.header(header::AUTHORIZATION, format!("Bearer {token}"));
    }
    if body.is_some() {
        builder = builder.header(header::CONTENT_TYPE, "application/json");
    }
    let request = builder.body(Full::new(body.unwrap_or_default()))?;
    timeout(LIMIT, exchange(addr, request)).await?
}

/// Announces a JSON body of so many bytes, sends none of it, and reads the answer.
pub async fn announce(addr: SocketAddr, path: &str, token: &str, length: usize) -> Reply {
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: {addr}\r\nAuthorization: Bearer {token}\r\n\
        Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
    );
    let mut stream = TcpStream::connect(addr).await.expect("the gateway listens");
    stream.write_all(head.as_bytes()).await.expect("the gateway reads");
    let mut answer = String::new();
    let read = timeout(LIMIT, stream.read_to_string(&mut answer)).await;
    read.expect("the gateway answers").expect("it answers in UTF-8, and closes");
    let (head, body) = answer.split_once("\r\n\r\n").expect("an answer has a head");
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok());
    Reply { status: status.expect("it has a status"), body: body.to_owned() }
}

async fn exchange(
    addr: SocketAddr,
    request: Request<Full<Bytes>>,
) -> Result<Reply, Box<dyn std::error::Error + Send + Sync>> {
    let stream = TcpStream::connect(addr).await?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let answer = async move {
        let response = sender.send_request(request).await?;
        let (head, body) = response.into_parts();
        let body = body.collect().await?.to_bytes();
        let body = String::from_utf8(body.to_vec()).expect("the suite answers in UTF-8");
        Ok(Reply { status: head.status, body })
    };
    // The connection works for as long as the answer is waited for; how it ends then says nothing.
    tokio::pin!(answer, connection);
    tokio::select! {
        answer = &mut answer => answer,
        _ = &mut connection => answer.await,
    }
}
