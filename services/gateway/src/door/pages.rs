//! What is the same for everyone: the docs page, the OpenAPI document, and whether the gateway lives and may be given work.

use std::io::Write as _;

use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, Uri,
    header::{
        ACCEPT_ENCODING, ALLOW, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY,
        CONTENT_TYPE, ETAG, IF_NONE_MATCH, LOCATION, REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS,
    },
};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use siyu_runtime::Readiness;
use tonic::body::Body;

use crate::body::full;

/// The pages.
#[derive(Debug)]
pub(crate) struct Pages {
    docs: Asset,
    openapi: Asset,
    readiness: Readiness,
}

/// A page that never changes while the process lives.
#[derive(Debug)]
struct Asset {
    kind: &'static str,
    plain: Bytes,
    gzip: Bytes,
    etag: HeaderValue,
    policy: HeaderValue,
}

/// The docs page and the policy that keeps everything foreign out of it.
pub(crate) struct Docs {
    /// The page.
    pub html: String,
    /// What it may load and run.
    pub policy: String,
}

impl Pages {
    pub(crate) fn new(docs: &Docs, openapi: &serde_json::Value, readiness: Readiness) -> Self {
        let closed = "default-src 'none'";
        let document = format!("{openapi:#}\n");
        Self {
            docs: Asset::new("text/html; charset=utf-8", &docs.html, &docs.policy),
            openapi: Asset::new("application/json", &document, closed),
            readiness,
        }
    }

    /// The answer, if the path is a page's.
    pub(super) fn answer(
        &self,
        method: &Method,
        uri: &Uri,
        headers: &HeaderMap,
    ) -> Option<Response<Body>> {
        let page = match uri.path() {
            "/" => redirect("/docs"),
            "/docs" | "/docs/" => self.docs.response(headers),
            "/openapi.json" => self.openapi.response(headers),
            "/healthz" => small(StatusCode::OK, &json!({"status": "alive"})),
            "/readyz" => self.ready(),
            _ => return None,
        };
        let is_read = method == Method::GET || method == Method::HEAD;
        Some(if is_read { page } else { only_get() })
    }

    fn ready(&self) -> Response<Body> {
        match self.readiness.check() {
            Ok(()) => small(StatusCode::OK, &json!({"status": "ready"})),
            Err(reasons) => {
                let waiting: Vec<_> = reasons
                    .iter()
                    .map(|r| json!({"component": r.component, "reason": r.reason}))
                    .collect();
                let body = json!({"status": "not_ready", "waiting": waiting});
                small(StatusCode::SERVICE_UNAVAILABLE, &body)
            }
        }
    }
}

impl Asset {
    fn new(kind: &'static str, text: &str, policy: &str) -> Self {
        const INFALLIBLE: &str = "a Vec takes every write";
        let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
        gzip.write_all(text.as_bytes()).expect(INFALLIBLE);
        let digest = Sha256::digest(text);
        let head: [u8; 8] = *digest.first_chunk().expect("a digest has 32 bytes");
        let etag = format!("\"{:016x}\"", u64::from_be_bytes(head));
        Self {
            kind,
            plain: text.to_owned().into(),
            gzip: gzip.finish().expect(INFALLIBLE).into(),
            etag: HeaderValue::try_from(etag).expect("hexadecimal digits in quotes"),
            policy: HeaderValue::try_from(policy).expect("a policy is visible ASCII"),
        }
    }

    fn response(&self, asked: &HeaderMap) -> Response<Body> {
        let mut response = Response::new(Body::empty());
        let headers = response.headers_mut();
        headers.insert(ETAG, self.etag.clone());
        headers.insert(VARY, HeaderValue::from_name(ACCEPT_ENCODING));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        if asked.get(IF_NONE_MATCH) == Some(&self.etag) {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            return response;
        }
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(self.kind));
        headers.insert(CONTENT_SECURITY_POLICY, self.policy.clone());
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        if accepts_gzip(asked) {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            *response.body_mut() = full(self.gzip.clone());
        } else {
            *response.body_mut() = full(self.plain.clone());
        }
        response
    }
}

fn accepts_gzip(headers: &HeaderMap) -> bool {
    let accepted = headers.get(ACCEPT_ENCODING).and_then(|value| value.to_str().ok());
    accepted.unwrap_or_default().split(',').any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
        name.trim() == "gzip" && !matches!(weight.trim(), "q=0" | "q=0.0")
    })
}

fn with(status: StatusCode, name: HeaderName, value: &'static str, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(name, HeaderValue::from_static(value));
    response
}

fn redirect(to: &'static str) -> Response<Body> {
    with(StatusCode::FOUND, LOCATION, to, Body::empty())
}

fn only_get() -> Response<Body> {
    with(StatusCode::METHOD_NOT_ALLOWED, ALLOW, "GET, HEAD", Body::empty())
}

fn small(status: StatusCode, body: &serde_json::Value) -> Response<Body> {
    let mut response = with(status, CONTENT_TYPE, "application/json", full(format!("{body}\n")));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
