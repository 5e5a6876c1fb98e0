//! The door for payment companies: they post what they tell to the address of an account of a merchant's, and have no token of
//! ours. Whether it is theirs is for the order service to see, by the signature; here it is only small enough and not too often.
//!
//! Invariant: the gateway asks as itself, for one method of one merchant; nothing of the caller but the body and the headers of
//! the signature goes on.

use std::{
    hash::{BuildHasher, RandomState},
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
};

use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, Method, Request, Response, StatusCode,
    header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER},
    request::Parts,
};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde_json::json;
use siyu_grpc::{Caller, Peer, Scopes, fault};
use siyu_kernel::{Clock, Fault, Id, kind};
use siyu_proto::order::v1::{
    HttpHeader, ReceiveNotificationRequest, payment_service_client::PaymentServiceClient,
};
use tonic::body::Body;

use crate::{body::full, config::Http, limits, problem::http_status};

/// Where payment companies post: `/hooks/payments/{merchant_id}/{account_code}`.
const PREFIX: &str = "/hooks/payments/";
/// What a method of the contract is called in telemetry.
pub(crate) const NAME: &str = "siyu.order.v1.PaymentService/ReceiveNotification";
const SCOPE: &str = "payment_notifications.write";
/// The headers that a signature of WeChat Pay consists of.
const SIGNATURE: &str = "wechatpay-";
/// The one of them that names the key.
const KEY: &str = "wechatpay-serial";

/// The door for payment companies.
#[derive(Debug)]
pub(crate) struct Hooks {
    order: Peer,
    clock: Arc<dyn Clock>,
    http: Http,
    rates: Rates,
}

/// Why nothing was taken in.
#[derive(Debug)]
struct Refused {
    status: StatusCode,
    message: String,
}

/// How often each address may be posted to: of each the instant until which its calls are used up. Addresses may share a slot;
/// there are too many to share one by chance, and whoever makes addresses up finds no more of them. Who names the key that was
/// believed at an address before has another slot than everybody else there: whoever posts what is not the company's, without
/// knowing its key, does not use up the company's calls.
#[derive(Debug)]
struct Rates {
    seed: RandomState,
    used_until: Vec<AtomicI64>,
    /// What addresses and keys were believed, as the hashes of both.
    believed: Vec<AtomicU64>,
}

impl Hooks {
    pub(crate) fn new(order: Peer, clock: Arc<dyn Clock>, http: &Http) -> Self {
        Self { order, clock, http: http.clone(), rates: Rates::new() }
    }

    /// Whether a request is for this door.
    pub(crate) fn is_for(path: &str) -> bool {
        path.starts_with(PREFIX)
    }

    /// Answers as the company wants to be answered: 200 for what is kept, anything else for what it shall send again.
    pub(crate) async fn answer(&self, request: Request<Body>) -> Response<Body> {
        let (head, body) = request.into_parts();
        match self.take(&head, body).await {
            Ok((status, body)) => reply(status, body),
            Err(refused) => refused.response(),
        }
    }

    async fn take(&self, head: &Parts, body: Body) -> Result<(StatusCode, String), Refused> {
        let unknown = || Refused::new(StatusCode::NOT_FOUND, "nobody is told anything here");
        let (merchant, account_code) = address(head.uri.path()).ok_or_else(unknown)?;
        if head.method != Method::POST {
            return Err(Refused::new(StatusCode::METHOD_NOT_ALLOWED, "notifications are posted"));
        }
        let from = (head.uri.path(), key(&head.headers));
        if !self.rates.admits(from, self.clock.now().timestamp_micros()) {
            return Err(Refused::new(StatusCode::TOO_MANY_REQUESTS, "too many notifications"));
        }
        let body = String::from_utf8(self.read(body).await?.into());
        let body = body.map_err(|_| {
            Refused::new(StatusCode::BAD_REQUEST, "the body is not a text of UTF-8")
        })?;
        let caller = Caller::Merchant(merchant);
        let call = self.order.call(caller, "gateway".into(), Scopes::parse(SCOPE));
        let mut payments = PaymentServiceClient::new(call.timeout(limits::HOOK_TIME));
        let headers = signature(&head.headers);
        let told = ReceiveNotificationRequest { account_code, headers, body };
        let answer = payments.receive_notification(told).await.map_err(fault)?.into_inner();
        let status = u16::try_from(answer.answer_status).ok();
        let status = status.and_then(|status| StatusCode::from_u16(status).ok());
        if status == Some(StatusCode::OK) {
            self.rates.believe(from);
        }
        Ok((status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), answer.answer_body))
    }

    async fn read(&self, body: Body) -> Result<Bytes, Refused> {
        let read = Limited::new(body, limits::HOOK_BYTES).collect();
        match tokio::time::timeout(self.http.body_timeout(), read).await {
            Ok(Ok(read)) => Ok(read.to_bytes()),
            Ok(Err(error)) if error.is::<LengthLimitError>() => {
                Err(Refused::new(StatusCode::PAYLOAD_TOO_LARGE, "the body is too large"))
            }
            Ok(Err(_)) => Err(Refused::new(StatusCode::BAD_REQUEST, "the body broke off")),
            Err(_) => Err(Refused::new(StatusCode::REQUEST_TIMEOUT, "the body did not come")),
        }
    }
}

impl Refused {
    fn new(status: StatusCode, message: &str) -> Self {
        Self { status, message: message.to_owned() }
    }

    fn response(self) -> Response<Body> {
        let body = json!({"code": "FAIL", "message": self.message}).to_string();
        let mut response = reply(self.status, body);
        if self.status == StatusCode::METHOD_NOT_ALLOWED {
            response.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
        }
        let is_passing =
            [StatusCode::TOO_MANY_REQUESTS, StatusCode::SERVICE_UNAVAILABLE].contains(&self.status);
        if is_passing {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("5"));
        }
        response
    }
}

impl From<Fault> for Refused {
    fn from(fault: Fault) -> Self {
        Self { status: http_status(&fault), message: fault.message().to_owned() }
    }
}

/// What a door that has no place left answers.
pub(crate) fn overloaded() -> Response<Body> {
    Refused::new(StatusCode::SERVICE_UNAVAILABLE, "too many notifications at once").response()
}

impl Rates {
    fn new() -> Self {
        let slots = std::iter::repeat_with(AtomicI64::default).take(limits::HOOK_SLOTS);
        let believed = std::iter::repeat_with(AtomicU64::default).take(limits::HOOK_SLOTS);
        let seed = RandomState::new();
        Self { seed, used_until: slots.collect(), believed: believed.collect() }
    }

    /// Notes that what came to an address was signed with the key that it names.
    fn believe(&self, from: (&str, &str)) {
        let hash = self.seed.hash_one(from);
        self.believed[slot(hash, self.believed.len())].store(hash, Ordering::Relaxed);
    }

    fn is_believed(&self, from: (&str, &str)) -> bool {
        let hash = self.seed.hash_one(from);
        self.believed[slot(hash, self.believed.len())].load(Ordering::Relaxed) == hash
    }

    /// Counts a call at an instant in microseconds, unless there were too many (the generic cell rate algorithm, ITU-T I.371).
    fn admits(&self, from: (&str, &str), now: i64) -> bool {
        let hash = self.seed.hash_one((from.0, self.is_believed(from)));
        let slot = &self.used_until[slot(hash, self.used_until.len())];
        let (each, burst) = (limits::HOOK_EACH_MICROS, limits::HOOK_BURST_MICROS);
        let count = |until: i64| {
            let until = until.max(now);
            (until - now <= burst).then(|| until + each)
        };
        slot.fetch_update(Ordering::Relaxed, Ordering::Relaxed, count).is_ok()
    }
}

/// The slot of a hash.
fn slot(hash: u64, slots: usize) -> usize {
    usize::try_from(hash % slots as u64).expect("it is the index of a slot")
}

/// The key that a notification claims to be signed with; empty where it names none.
fn key(headers: &HeaderMap) -> &str {
    headers.get(KEY).and_then(|key| key.to_str().ok()).unwrap_or_default()
}

/// Whose account an address is of.
fn address(path: &str) -> Option<(Id<kind::Merchant>, String)> {
    let (merchant, account) = path.strip_prefix(PREFIX)?.split_once('/')?;
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let is_code = !account.is_empty() && account.chars().all(is_plain);
    let merchant = merchant.parse().ok().filter(|_| is_code)?;
    Some((merchant, account.to_owned()))
}

/// The headers of the signature; one that is no visible ASCII is none of it.
fn signature(headers: &HeaderMap) -> Vec<HttpHeader> {
    let own = headers.iter().filter(|(name, _)| name.as_str().starts_with(SIGNATURE));
    let header = |(name, value): (&http::HeaderName, &HeaderValue)| {
        let value = value.to_str().ok()?.to_owned();
        Some(HttpHeader { name: name.as_str().to_owned(), value })
    };
    own.filter_map(header).take(limits::HOOK_HEADERS).collect()
}

fn reply(status: StatusCode, body: String) -> Response<Body> {
    let mut response = Response::new(full(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_the_merchants_id_and_the_code_of_an_account() {
        let merchant = siyu_testkit::merchant(1);
        let of = |rest: &str| address(&format!("{PREFIX}{rest}")).map(|(_, account)| account);
        assert_eq!(of(&format!("{merchant}/wx-1")), Some("wx-1".to_owned()));
        for wrong in ["", "/", "mch_1/wx", &format!("{merchant}"), &format!("{merchant}/")] {
            assert_eq!(of(wrong), None, "{wrong}");
        }
        for wrong in ["a/b", "a%2Fb", "a b", "ü"] {
            assert_eq!(of(&format!("{merchant}/{wrong}")), None, "{wrong}");
        }
    }

    #[test]
    fn an_address_has_so_many_calls_at_once_and_then_so_many_a_second_and_others_have_their_own() {
        let (rates, each) = (Rates::new(), limits::HOOK_EACH_MICROS);
        let at_once = (0..10_000).take_while(|_| rates.admits(("a", ""), 0)).count();
        let burst = usize::try_from(limits::HOOK_BURST_MICROS / each).unwrap();
        assert_eq!(at_once, burst + 1);
        assert!(!rates.admits(("a", ""), each - 1));
        assert!(rates.admits(("a", ""), each));
        assert!(!rates.admits(("a", ""), each));
        let others = (0..100).filter(|n| rates.admits((&format!("b{n}"), ""), each)).count();
        assert!(others > 90, "{others}");
    }

    #[test]
    fn who_posts_what_is_not_believed_uses_up_nothing_of_the_company_that_is() {
        let burst = usize::try_from(limits::HOOK_BURST_MICROS / limits::HOOK_EACH_MICROS).unwrap();
        let is_safe = |address: &str| {
            let (rates, company) = (Rates::new(), (address, "KEY-1"));
            assert!(rates.admits(company, 0));
            rates.believe(company);
            // However many keys are made up, they share what nobody was believed with.
            let made_up = (0..10_000).map(|n| format!("MADE-UP-{n}"));
            let made_up = made_up.filter(|key| rates.admits((address, key), 0)).count();
            assert!(made_up <= burst, "{made_up}");
            assert!(
                !rates.is_believed(("elsewhere", "KEY-1")),
                "a key counts where it was believed"
            );
            // Its own calls are not without a bound either.
            (0..10_000).filter(|_| rates.admits(company, 0)).count() == burst + 1
        };
        // Two slots are the same one by chance, once in some thousand addresses.
        let safe = (0..16).filter(|n| is_safe(&format!("a{n}"))).count();
        assert!(safe >= 14, "{safe}");
    }
}
