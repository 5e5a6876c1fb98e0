//! WeChat Pay (微信支付), interface v3: requests are signed with the merchant's key, answers and notifications are believed
//! only with the company's signature, what a notification says is sealed besides.

mod bill;
mod client;
pub mod crypto;
mod device;
mod message;
mod notice;
mod settings;

use siyu_kernel::{LocalDay, Violation, Zone};
use siyu_proto::order::v1::WechatAccount;
use tonic::async_trait;

use super::{
    domain::Method,
    provider::{
        Attempt, Closing, Distrust, Incoming, Notice, Prepay, Provider, RefundOrder, RefundStand,
        Trade, Trouble,
    },
};
use crate::{App, reconciliation::domain::Row};
use client::{Client, Said};
use crypto::{Signer, Verifier};
use message::{Create, Refund, RefundOut, Transaction};

pub(crate) use client::Http;
pub(crate) use settings::{check, keep_secrets, take_secrets};

/// The currency that it takes.
pub const CURRENCY: &str = "CNY";

/// Where it is.
pub const ORIGIN: &str = "https://api.mch.weixin.qq.com";

/// Where it is when the first address does not answer; the same interface.
pub const ORIGIN_BESIDE: &str = "https://api2.mch.weixin.qq.com";

/// An account with WeChat Pay.
#[derive(Debug)]
pub struct Wechat {
    client: Client,
    appid: String,
    notify_url: String,
    api_key: Vec<u8>,
    payee: String,
}

impl Wechat {
    /// The account of settings with their secrets.
    pub(crate) fn new(app: &App, settings: &WechatAccount) -> Result<Self, Violation> {
        let wrong =
            |field: &str, description: String| Violation { field: field.to_owned(), description };
        let signer = Signer::read(&settings.private_key_pem)
            .map_err(|error| wrong("private_key_pem", error.to_string()))?;
        let key = |(i, key): (usize, &siyu_proto::order::v1::ProviderKey)| {
            let verifier = Verifier::read(&key.serial, &key.pem);
            verifier.map_err(|error| wrong(&format!("provider_keys[{i}].pem"), error.to_string()))
        };
        let keys = settings.provider_keys.iter().enumerate().map(key).collect::<Result<_, _>>()?;
        let client = Client {
            http: app.http.clone(),
            origin: settings::origin(settings).to_owned(),
            mchid: settings.mchid.clone(),
            serial: settings.merchant_serial.clone(),
            signer,
            keys,
            clock: app.clock.clone(),
            ids: app.ids.clone(),
        };
        Ok(Self {
            client,
            appid: settings.appid.clone(),
            notify_url: settings.notify_url.clone(),
            api_key: settings.api_v3_key.as_bytes().to_vec(),
            payee: payee(&settings.mchid, &settings.appid),
        })
    }

    fn trade_path(number: &str) -> String {
        format!("/v3/pay/transactions/out-trade-no/{number}")
    }
}

/// The name of an account in what WeChat Pay says of payments.
fn payee(mchid: &str, appid: &str) -> String {
    format!("{mchid}/{appid}")
}

/// An answer that makes no sense is none.
fn odd(said: &Said) -> Trouble {
    Trouble::Unknown(format!("it says {} {}", said.status, said.code()))
}

#[async_trait]
impl Provider for Wechat {
    fn payee(&self) -> &str {
        &self.payee
    }

    /// Beijing time, whatever the merchant's is.
    fn zone(&self) -> Zone {
        Zone::SHANGHAI
    }

    async fn create(&self, attempt: &Attempt<'_>) -> Result<Prepay, Trouble> {
        let create = Create::new(attempt, &self.client.mchid, &self.appid, &self.notify_url);
        let path = match attempt.method {
            Method::Native => "/v3/pay/transactions/native",
            Method::Jsapi => "/v3/pay/transactions/jsapi",
            Method::App => "/v3/pay/transactions/app",
            Method::Cash | Method::Transfer | Method::Pos => {
                return Err(Trouble::Refused("it is recorded, not begun".to_owned()));
            }
        };
        let said = self.client.post(path, &create).await?;
        if !said.is_done() {
            return Err(said.refused().unwrap_or_else(|| odd(&said)));
        }
        let prepay: message::Prepaid = said.read()?;
        device::prepay(&self.client, &self.appid, attempt.method, prepay).ok_or_else(|| odd(&said))
    }

    async fn query(&self, out_trade_no: &str) -> Result<Trade, Trouble> {
        let path = format!("{}?mchid={}", Self::trade_path(out_trade_no), self.client.mchid);
        let said = self.client.get(&path).await?;
        match (said.is_done(), said.code()) {
            (true, _) => said.read::<Transaction>()?.trade(),
            (false, "ORDER_NOT_EXIST" | "ORDERNOTEXIST" | "RESOURCE_NOT_EXISTS") => {
                Ok(Trade::Absent)
            }
            (false, _) => Err(said.refused().unwrap_or_else(|| odd(&said))),
        }
    }

    async fn close(&self, out_trade_no: &str) -> Result<Closing, Trouble> {
        let path = format!("{}/close", Self::trade_path(out_trade_no));
        let said = self.client.post(&path, &message::Close { mchid: &self.client.mchid }).await?;
        match (said.is_done(), said.code()) {
            (true, _) => Ok(Closing::Closed),
            (false, "ORDER_CLOSED" | "ORDERCLOSED" | "ORDER_NOT_EXIST" | "ORDERNOTEXIST") => {
                Ok(Closing::Closed)
            }
            (false, "ORDERPAID" | "ORDER_PAID") => Ok(Closing::AlreadyPaid),
            (false, _) => Err(said.refused().unwrap_or_else(|| odd(&said))),
        }
    }

    async fn refund(&self, refund: &RefundOrder<'_>) -> Result<RefundStand, Trouble> {
        let asked = Refund::new(refund, &self.notify_url);
        let said = self.client.post("/v3/refund/domestic/refunds", &asked).await?;
        if said.is_done() {
            return said.read::<RefundOut>()?.stand();
        }
        Err(said.refused().unwrap_or_else(|| odd(&said)))
    }

    async fn query_refund(&self, out_refund_no: &str) -> Result<RefundStand, Trouble> {
        let path = format!("/v3/refund/domestic/refunds/{out_refund_no}");
        let said = self.client.get(&path).await?;
        match (said.is_done(), said.code()) {
            (true, _) => said.read::<RefundOut>()?.stand(),
            (false, "RESOURCE_NOT_EXISTS" | "REFUNDNOTEXIST") => Ok(RefundStand::Absent),
            (false, _) => Err(said.refused().unwrap_or_else(|| odd(&said))),
        }
    }

    fn parse_notification(&self, incoming: &Incoming<'_>) -> Result<Notice, Distrust> {
        notice::read(incoming, &self.client.keys, &self.api_key)
    }

    async fn statement(&self, day: LocalDay) -> Result<Vec<Row>, Trouble> {
        bill::fetch(&self.client, day).await
    }
}
