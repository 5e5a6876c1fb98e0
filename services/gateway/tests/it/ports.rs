//! Real connections: both protocols on a port, and clients that are slow, silent or gone.

use std::{net::SocketAddr, time::Duration};

use siyu_gateway::Config;
use siyu_proto::member::v1::{GetMerchantRequest, merchant_service_client::MerchantServiceClient};
use siyu_runtime::CancellationToken;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinSet,
    time::{Instant, timeout},
};
use tonic::transport::{Channel, Endpoint};

use crate::world::World;

const SOON: Duration = Duration::from_secs(20);

/// A world that serves a port.
struct Port {
    world: World,
    address: SocketAddr,
    stop: CancellationToken,
    served: JoinSet<std::io::Result<()>>,
}

impl Port {
    async fn open(config: Config) -> Self {
        let world = World::with(config).await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, gateway) = (CancellationToken::new(), world.gateway.clone());
        let until = stop.clone();
        let mut served = JoinSet::new();
        served.spawn(async move { gateway.serve(listener, until).await });
        Self { world, address, stop, served }
    }

    /// Sends bytes, and reads what comes until the connection is closed.
    async fn exchange(&self, bytes: &[u8]) -> String {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        let mut answer = Vec::new();
        // A reset after the answer is as good as a close.
        let _ = timeout(SOON, stream.read_to_end(&mut answer)).await.expect("it is closed");
        String::from_utf8_lossy(&answer).into_owned()
    }

    async fn channel(&self) -> Channel {
        Endpoint::from_shared(format!("http://{}", self.address)).unwrap().connect().await.unwrap()
    }

    async fn stopped(mut self) {
        self.stop.cancel();
        let ended = timeout(SOON, self.served.join_next()).await.expect("it ends");
        ended.unwrap().unwrap().unwrap();
    }
}

fn quick(edit: impl FnOnce(&mut siyu_gateway::config::Http)) -> Config {
    let mut config = Config::default();
    edit(&mut config.http);
    config
}

#[tokio::test]
async fn one_port_speaks_http_1_and_http_2_rest_and_grpc() {
    let port = Port::open(Config::default()).await;
    let (_, token) = port.world.token(1, &[]).await;
    let get = format!(
        "GET /v1/merchant HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer {token}\r\n\r\n"
    );
    let answer = port.exchange(get.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.contains("\"merchant\":{\"id\":\"mch_"), "{answer}");

    let mut client = MerchantServiceClient::new(port.channel().await);
    let mut request = tonic::Request::new(GetMerchantRequest {});
    let bearer = format!("Bearer {token}").parse().unwrap();
    request.metadata_mut().insert("authorization", bearer);
    let reply = client.get_merchant(request).await.unwrap().into_inner();
    assert_eq!(reply.merchant.unwrap().id, siyu_testkit::merchant(1).to_string());
    port.stopped().await;
}

#[tokio::test]
async fn a_body_that_comes_too_slowly_is_given_up() {
    let port = Port::open(quick(|http| http.body_timeout_secs = 1)).await;
    let (_, token) = port.world.token(1, &[]).await;
    let head = format!(
        "POST /v1/stores:upsert HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\
         content-type: application/json\r\ncontent-length: 100\r\n\r\n{{\"stores\""
    );
    let answer = port.exchange(head.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert!(answer.contains("\"code\":\"BODY_TOO_SLOW\""), "{answer}");
}

#[tokio::test]
async fn a_body_that_announces_too_much_is_refused_before_it_is_sent() {
    let port = Port::open(Config::default()).await;
    let (_, token) = port.world.token(1, &[]).await;
    let head = format!(
        "POST /v1/stores:upsert HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\
         content-type: application/json\r\nexpect: 100-continue\r\ncontent-length: 9000000\r\n\r\n"
    );
    let answer = port.exchange(head.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
}

#[tokio::test]
async fn a_connection_without_a_request_and_one_with_half_a_request_are_closed() {
    let port = Port::open(quick(|http| http.header_timeout_secs = 1)).await;
    let start = Instant::now();
    for bytes in ["", "P", "PRI * HTTP/2.0\r\n\r\n", "GET / HT", "GET / HTTP/1.1\r\nhost: x\r\n"] {
        let answer = port.exchange(bytes.as_bytes()).await;
        assert!(!answer.contains(" 200 "), "{bytes:?}: {answer}");
    }
    assert!(start.elapsed() < Duration::from_secs(15), "{:?}", start.elapsed());
}

#[tokio::test]
async fn headers_that_are_too_many_or_too_large_are_refused() {
    let port = Port::open(Config::default()).await;
    let many = "x: y\r\n".repeat(200);
    let answer = port.exchange(format!("GET / HTTP/1.1\r\nhost: x\r\n{many}\r\n").as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
    let large = "y".repeat(1_000_000);
    let answer =
        port.exchange(format!("GET / HTTP/1.1\r\nhost: x\r\nx: {large}\r\n\r\n").as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 431 ") || answer.is_empty(), "{answer}");
}

#[tokio::test]
async fn a_stop_lets_the_call_in_progress_end_and_takes_no_new_connection() {
    let port = Port::open(quick(|http| http.call_timeout_secs = 2)).await;
    let (_, token) = port.world.token(1, &[]).await;
    let mut stream = TcpStream::connect(port.address).await.unwrap();
    let get = format!(
        "GET /v1/stores/never HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\r\n"
    );
    stream.write_all(get.as_bytes()).await.unwrap();
    // Until the request is being worked on: a stop before that would close the connection, and rightly.
    let mut client = MerchantServiceClient::new(port.channel().await);
    client.get_merchant(GetMerchantRequest {}).await.unwrap_err();
    port.stop.cancel();
    let mut answer = Vec::new();
    timeout(SOON, stream.read_to_end(&mut answer)).await.unwrap().unwrap();
    let answer = String::from_utf8_lossy(&answer).into_owned();
    assert!(answer.starts_with("HTTP/1.1 504 "), "{answer}");
    let address = port.address;
    port.stopped().await;
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn a_stop_does_not_wait_longer_than_the_drain() {
    let port = Port::open(quick(|http| http.drain_secs = 1)).await;
    let (_, token) = port.world.token(1, &[]).await;
    let mut stream = TcpStream::connect(port.address).await.unwrap();
    let get = format!(
        "GET /v1/stores/never HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\r\n"
    );
    stream.write_all(get.as_bytes()).await.unwrap();
    let mut client = MerchantServiceClient::new(port.channel().await);
    client.get_merchant(GetMerchantRequest {}).await.unwrap_err();
    let start = Instant::now();
    port.stopped().await;
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
}

#[tokio::test]
async fn a_connection_that_is_not_used_any_more_is_closed() {
    // HTTP/1 itself would wait as long for the next headers as for the first.
    let edit = |http: &mut siyu_gateway::config::Http| {
        (http.header_timeout_secs, http.idle_timeout_secs) = (1, 1);
    };
    let port = Port::open(quick(edit)).await;
    let start = Instant::now();
    let answer = port.exchange(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert!(start.elapsed() < SOON, "{:?}", start.elapsed());
}
