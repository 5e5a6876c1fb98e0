//! Requests to WeChat Pay: signed going out, believed coming back only with the company's signature. What is not believed, not
//! understood or not answered is unknown, never a failure (rule 7).

use std::{fmt, sync::Arc};

use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use http::{HeaderMap, Method, Request, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client as HyperClient, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde::{Serialize, de::DeserializeOwned};
use siyu_kernel::{Clock, Ids};

use super::crypto::{Signer, Verifier};
use crate::{limits, payment::provider::Trouble};

/// The scheme of the signature.
const SCHEME: &str = "WECHATPAY2-SHA256-RSA2048";

/// What it says when it can do something, but not now: the same request may be done later.
const LATER: [&str; 8] = [
    "SYSTEM_ERROR",
    "SYSTEMERROR",
    "BANK_ERROR",
    "BANKERROR",
    "FREQUENCY_LIMITED",
    "FREQUENCY_LIMIT_EXCEED",
    "NOT_ENOUGH",
    "SIGN_ERROR",
];

/// A client of HTTP. Clones share its connections.
#[derive(Clone)]
pub(crate) struct Http(HyperClient<HttpsConnector<HttpConnector>, Full<Bytes>>);

/// A merchant's way to WeChat Pay.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) http: Http,
    pub(super) origin: String,
    pub(super) mchid: String,
    pub(super) serial: String,
    pub(super) signer: Signer,
    pub(super) keys: Vec<Verifier>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) ids: Arc<dyn Ids>,
}

/// An answer that bears the company's signature.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) status: u16,
    body: String,
    error: Option<Problem>,
}

#[derive(Debug, serde::Deserialize)]
struct Problem {
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: String,
}

impl Http {
    /// A client that trusts the public roots.
    pub(crate) fn new() -> Self {
        let connector =
            HttpsConnectorBuilder::new().with_webpki_roots().https_or_http().enable_http1().build();
        Self(HyperClient::builder(TokioExecutor::new()).build(connector))
    }
}

impl fmt::Debug for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Http")
    }
}

impl Said {
    /// Whether it did what it was asked for.
    pub(super) const fn is_done(&self) -> bool {
        self.error.is_none()
    }

    /// Its word for what is wrong; empty when nothing is.
    pub(super) fn code(&self) -> &str {
        self.error.as_ref().map_or("", |error| &error.code)
    }

    /// Its refusal, if it is a final one.
    pub(super) fn refused(&self) -> Option<Trouble> {
        let error = self.error.as_ref()?;
        let is_final = (400..500).contains(&self.status) && self.status != 429;
        (is_final && !error.code.is_empty() && !LATER.contains(&error.code.as_str()))
            .then(|| Trouble::Refused(format!("{} {}", error.code, error.message)))
    }

    /// What it says.
    pub(super) fn read<T: DeserializeOwned>(&self) -> Result<T, Trouble> {
        serde_json::from_str(&self.body)
            .map_err(|error| Trouble::Unknown(format!("its answer cannot be read: {error}")))
    }
}

impl Client {
    /// Asks for something.
    pub(super) async fn get(&self, path: &str) -> Result<Said, Trouble> {
        self.call(Method::GET, path, String::new()).await
    }

    /// Hands something over.
    pub(super) async fn post(&self, path: &str, body: &impl Serialize) -> Result<Said, Trouble> {
        let body = serde_json::to_string(body)
            .map_err(|error| Trouble::Refused(format!("it cannot be written: {error}")))?;
        self.call(Method::POST, path, body).await
    }

    async fn call(&self, method: Method, path: &str, body: String) -> Result<Said, Trouble> {
        let (status, headers, body) = self.send(method, path, body, limits::ANSWER_MAX).await?;
        let body = String::from_utf8(body.to_vec())
            .map_err(|_| Trouble::Unknown("its answer is no text".to_owned()))?;
        let get = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        signed(&self.keys, get, &body, self.clock.now()).map_err(Trouble::Unknown)?;
        let is_done = (200..300).contains(&status);
        let error = (!is_done).then(|| {
            let unread = Problem { code: String::new(), message: String::new() };
            serde_json::from_str(&body).unwrap_or(unread)
        });
        Ok(Said { status, body, error })
    }

    /// Sends a signed request; what comes back is not looked at yet.
    pub(super) async fn send(
        &self,
        method: Method,
        path: &str,
        body: String,
        most: usize,
    ) -> Result<(u16, HeaderMap, Bytes), Trouble> {
        let unknown = |error: &dyn fmt::Display| Trouble::Unknown(error.to_string());
        let mut request = Request::builder()
            .method(&method)
            .uri(format!("{}{path}", self.origin))
            .header(header::AUTHORIZATION, self.authorization(&method, path, &body))
            .header(header::ACCEPT, "application/json")
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::USER_AGENT, "siyu");
        if let Some(key) = self.keys.first() {
            // Which of its keys it is to sign with.
            request = request.header("Wechatpay-Serial", key.serial());
        }
        let request = request
            .body(Full::new(Bytes::from(body)))
            .map_err(|error| Trouble::Refused(error.to_string()))?;
        let exchange = async {
            let response = self.http.0.request(request).await.map_err(|e| unknown(&e))?;
            let (head, body) = response.into_parts();
            let body = Limited::new(body, most).collect().await.map_err(|e| unknown(&e))?;
            Ok((head.status.as_u16(), head.headers, body.to_bytes()))
        };
        tokio::time::timeout(limits::CALL_TIMEOUT, exchange)
            .await
            .unwrap_or_else(|_| Err(Trouble::Unknown("it takes too long".to_owned())))
    }

    fn authorization(&self, method: &Method, path: &str, body: &str) -> String {
        let (timestamp, nonce) = (self.clock.now().timestamp(), self.nonce());
        let text = request_text(method.as_str(), path, timestamp, &nonce, body);
        let signature = self.signer.sign(&text);
        let (mchid, serial) = (&self.mchid, &self.serial);
        format!(
            "{SCHEME} mchid=\"{mchid}\",nonce_str=\"{nonce}\",timestamp=\"{timestamp}\",\
             serial_no=\"{serial}\",signature=\"{signature}\""
        )
    }

    /// A text that was never used before.
    pub(super) fn nonce(&self) -> String {
        format!("{:X}", self.ids.uuid().simple())
    }
}

/// What is signed of a request.
pub(super) fn request_text(
    method: &str,
    path: &str,
    timestamp: i64,
    nonce: &str,
    body: &str,
) -> String {
    format!("{method}\n{path}\n{timestamp}\n{nonce}\n{body}\n")
}

/// Checks that a body is the company's and not old: an answer or a notification alike.
pub(super) fn signed<'a>(
    keys: &[Verifier],
    header: impl Fn(&str) -> Option<&'a str>,
    body: &str,
    now: DateTime<Utc>,
) -> Result<(), String> {
    let need = |name: &str| header(name).ok_or_else(|| format!("it bears no {name}"));
    let (timestamp, nonce) = (need("Wechatpay-Timestamp")?, need("Wechatpay-Nonce")?);
    let (serial, signature) = (need("Wechatpay-Serial")?, need("Wechatpay-Signature")?);
    let at = timestamp.parse().ok().and_then(|seconds| DateTime::from_timestamp(seconds, 0));
    let at = at.ok_or_else(|| "its Wechatpay-Timestamp is no instant".to_owned())?;
    let window = TimeDelta::from_std(limits::SIGNATURE_WINDOW).expect("minutes fit");
    if (now - at).abs() > window {
        return Err("its time is too far from ours".to_owned());
    }
    let key = keys.iter().find(|key| key.serial().eq_ignore_ascii_case(serial));
    let key =
        key.ok_or_else(|| format!("it is signed with the key {serial}, which is not known"))?;
    if key.verify(&format!("{timestamp}\n{nonce}\n{body}\n"), signature) {
        Ok(())
    } else {
        Err("its signature does not fit".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_of_the_published_example_comes_out() {
        let text = request_text(
            "GET",
            "/v3/certificates",
            1_554_208_460,
            "593BEC0C930BF1AFEB40B4A08C8FB242",
            "",
        );
        let published = "GET\n/v3/certificates\n1554208460\n593BEC0C930BF1AFEB40B4A08C8FB242\n\n";
        assert_eq!(text, published);
    }
}
