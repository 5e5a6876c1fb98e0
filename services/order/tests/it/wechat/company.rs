//! The server: it believes what is signed with the merchant's key, is not old and was not sent before, and signs what it says.

use std::{
    collections::BTreeSet,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use siyu_kernel::Clock;
use siyu_order::payment::wechat::crypto::Verifier;
use siyu_proto::order::v1::ReceiveNotificationRequest;
use siyu_testkit::FixedClock;
use tokio::{net::TcpListener, task::JoinSet};

use super::{
    books::{Answer, Books, MCHID, transaction},
    seal::{COMPANY_KEY, MERCHANT_PUBLIC, SERIAL, notice, signed},
};

/// What goes wrong with the next answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mishap {
    /// It does what it is asked for, and the answer gets lost.
    Lost,
    /// The answer bears no signature.
    Unsigned,
    /// The answer was changed on its way.
    Changed,
    /// The answer is old.
    Old,
    /// Somebody else signed it.
    Forged,
    /// It cannot do it now.
    Busy,
}

#[derive(Debug, Default)]
struct State {
    books: Books,
    nonces: BTreeSet<String>,
    mishaps: Vec<Mishap>,
    is_file_changed: bool,
    refused: Vec<String>,
    last: Option<(String, String, String, String)>,
}

/// The company. It closes when it is dropped.
pub(crate) struct Company {
    state: Arc<Mutex<State>>,
    clock: FixedClock,
    addr: SocketAddr,
    _serving: JoinSet<()>,
}

impl Company {
    pub(crate) async fn open(clock: &FixedClock) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let state: Arc<Mutex<State>> = Arc::default();
        let mut serving = JoinSet::new();
        serving.spawn(serve(listener, state.clone(), clock.clone()));
        Self { state, clock: clock.clone(), addr, _serving: serving }
    }

    pub(crate) fn origin(&self) -> String {
        format!("http://{}", self.addr)
    }

    pub(crate) fn books<T>(&self, look: impl FnOnce(&mut Books) -> T) -> T {
        look(&mut self.state.lock().unwrap().books)
    }

    /// The next answers go wrong like this, in this order.
    pub(crate) fn mishaps(&self, mishaps: &[Mishap]) {
        self.state.lock().unwrap().mishaps = mishaps.iter().rev().copied().collect();
    }

    /// The files that it hands out are changed on their way.
    pub(crate) fn next_file_is_changed(&self) {
        self.state.lock().unwrap().is_file_changed = true;
    }

    /// Why requests were not believed.
    pub(crate) fn refused(&self) -> Vec<String> {
        self.state.lock().unwrap().refused.clone()
    }

    /// The last request: its way, path, Authorization and body.
    pub(crate) fn last(&self) -> (String, String, String, String) {
        self.state.lock().unwrap().last.clone().unwrap()
    }

    /// The buyer pays.
    pub(crate) fn pay(&self, number: &str) -> ReceiveNotificationRequest {
        self.pay_amount(number, None)
    }

    /// The buyer pays another amount.
    pub(crate) fn pay_amount(&self, number: &str, paid: Option<i64>) -> ReceiveNotificationRequest {
        let told = self.books(|books| {
            let trade = books.trades.get_mut(number).unwrap();
            assert_eq!(trade.state, "NOTPAY", "nobody can pay it any more");
            trade.state = "SUCCESS";
            trade.paid = paid.unwrap_or_else(|| trade.created["amount"]["total"].as_i64().unwrap());
            "2024-06-01T08:00:05+08:00".clone_into(&mut trade.paid_at);
            transaction(number, trade)
        });
        notice(&format!("EV-{number}"), "TRANSACTION.SUCCESS", self.now(), &told)
    }

    pub(crate) fn now(&self) -> i64 {
        self.clock.now().timestamp()
    }
}

async fn serve(listener: TcpListener, state: Arc<Mutex<State>>, clock: FixedClock) {
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let (state, clock) = (state.clone(), clock.clone());
        connections.spawn(async move {
            let answer = service_fn(|request| exchange(&state, &clock, request));
            // A connection that is cut, by us or by the client, is none of the company's business.
            drop(http1::Builder::new().serve_connection(TokioIo::new(stream), answer).await);
        });
    }
}

#[derive(Debug)]
struct Cut;

impl std::fmt::Display for Cut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the connection is cut")
    }
}

impl std::error::Error for Cut {}

async fn exchange(
    state: &Arc<Mutex<State>>,
    clock: &FixedClock,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Cut> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| Cut)?.to_bytes();
    let body = String::from_utf8(body.to_vec()).unwrap();
    let path = head.uri.path_and_query().unwrap().as_str().to_owned();
    let header = |name: &str| head.headers.get(name).map_or("", |value| value.to_str().unwrap());
    let authorization = header("authorization").to_owned();
    let mut state = state.lock().unwrap();
    let method = head.method.as_str().to_owned();
    state.last = Some((method.clone(), path.clone(), authorization.clone(), body.clone()));
    let now = clock.now().timestamp();
    let believed = believe(&mut state, now, (&method, &path, &body), &authorization);
    let mishap = if believed.is_ok() { state.mishaps.pop() } else { None };
    if mishap == Some(Mishap::Busy) {
        return Ok(answer(now, (500, r#"{"code":"SYSTEM_ERROR"}"#.to_owned()), None));
    }
    if let Some(day) = path.strip_prefix("/v3/billdownload/file?token=") {
        assert!(believed.is_ok(), "{:?}", believed.unwrap_err());
        let bill = state.books.bills[day].clone();
        let is_changed = std::mem::take(&mut state.is_file_changed);
        let bill = if is_changed { bill.replace('1', "2") } else { bill };
        return Ok(Response::new(Full::from(bill)));
    }
    let said = match believed {
        Ok(()) => state.books.answer(&method, &path, &body),
        Err(why) => {
            state.refused.push(why);
            (401, r#"{"code":"SIGN_ERROR","message":"it is not believed"}"#.to_owned())
        }
    };
    assert!(said.0 > 299 || header("wechatpay-serial") == SERIAL, "which key is it to sign with?");
    if mishap == Some(Mishap::Lost) { Err(Cut) } else { Ok(answer(now, said, mishap)) }
}

fn believe(
    state: &mut State,
    now: i64,
    (method, path, body): (&str, &str, &str),
    authorization: &str,
) -> Result<(), String> {
    let fields = authorization
        .strip_prefix("WECHATPAY2-SHA256-RSA2048 ")
        .ok_or_else(|| format!("no such scheme: {authorization}"))?;
    let field = |name: &str| {
        let mut pairs = fields.split(',').filter_map(|pair| pair.split_once('='));
        let found = pairs.find(|(known, _)| *known == name);
        found.map(|(_, value)| value.trim_matches('"').to_owned()).ok_or(format!("no {name}"))
    };
    if field("mchid")? != MCHID || field("serial_no")? != "MERCHANT1" {
        return Err("another merchant".to_owned());
    }
    let (timestamp, nonce) = (field("timestamp")?, field("nonce_str")?);
    if (timestamp.parse::<i64>().unwrap() - now).abs() > 300 {
        return Err("it is old".to_owned());
    }
    let text = format!("{method}\n{path}\n{timestamp}\n{nonce}\n{body}\n");
    let key = Verifier::read("own", MERCHANT_PUBLIC).unwrap();
    if !key.verify(&text, &fields[fields.find("signature=\"").unwrap() + 11..fields.len() - 1]) {
        return Err("the signature does not fit".to_owned());
    }
    if nonce.len() > 32 || !state.nonces.insert(nonce) {
        return Err("it came before".to_owned());
    }
    Ok(())
}

fn answer(now: i64, (status, body): Answer, mishap: Option<Mishap>) -> Response<Full<Bytes>> {
    let at = if mishap == Some(Mishap::Old) { now - 301 } else { now };
    let key = if mishap == Some(Mishap::Forged) { super::seal::MERCHANT_KEY } else { COMPANY_KEY };
    let mut response = Response::builder().status(status);
    if mishap != Some(Mishap::Unsigned) {
        for (name, value) in signed(key, SERIAL, at, &body) {
            response = response.header(name, value);
        }
    }
    let body = if mishap == Some(Mishap::Changed) {
        body.replace("weixin", "wexin").replace("NOTPAY", "SUCCESS")
    } else {
        body
    };
    response.body(Full::from(body)).unwrap()
}

/// Sends bytes that were sent before, as somebody who listened would.
pub(crate) async fn again(
    company: &Company,
    (method, path, authorization, body): (String, String, String, String),
) -> u16 {
    use hyper_util::{
        client::legacy::{Client, connect::HttpConnector},
        rt::TokioExecutor,
    };
    let client: Client<HttpConnector, Full<Bytes>> =
        Client::builder(TokioExecutor::new()).build_http();
    let request = Request::builder()
        .method(method.as_str())
        .uri(format!("{}{path}", company.origin()))
        .header("authorization", authorization)
        .body(Full::from(body))
        .unwrap();
    client.request(request).await.unwrap().status().as_u16()
}
