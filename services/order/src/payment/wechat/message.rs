//! The messages of WeChat Pay v3, as far as they are used.

use chrono::{DateTime, FixedOffset, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use siyu_kernel::Currency;

use super::payee;
use crate::payment::{
    domain::Method,
    provider::{Attempt, Paid, RefundOrder, RefundStand, Trade, Trouble},
};

/// The longest reason of a refund that the interface takes, in bytes of UTF-8.
const REASON_MAX: usize = 80;

/// An amount of a payment.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Amount {
    pub(super) total: i64,
    #[serde(default = "cny")]
    pub(super) currency: String,
}

/// Who pays.
#[derive(Debug, Serialize)]
pub(super) struct Payer<'a> {
    openid: &'a str,
}

/// Hands a payment over.
#[derive(Debug, Serialize)]
pub(super) struct Create<'a> {
    appid: &'a str,
    mchid: &'a str,
    description: &'a str,
    out_trade_no: &'a str,
    time_expire: String,
    notify_url: &'a str,
    amount: Amount,
    #[serde(skip_serializing_if = "Option::is_none")]
    payer: Option<Payer<'a>>,
}

/// What it answers to that.
#[derive(Debug, Deserialize)]
pub(super) struct Prepaid {
    pub(super) code_url: Option<String>,
    pub(super) prepay_id: Option<String>,
}

/// Lets nobody pay any more.
#[derive(Debug, Serialize)]
pub(super) struct Close<'a> {
    pub(super) mchid: &'a str,
}

/// A payment as it stands, answered or told.
#[derive(Debug, Deserialize)]
pub(super) struct Transaction {
    pub(super) out_trade_no: String,
    #[serde(default)]
    appid: String,
    #[serde(default)]
    mchid: String,
    #[serde(default, rename = "transaction_id")]
    provider_no: String,
    trade_state: String,
    success_time: Option<DateTime<Utc>>,
    amount: Option<Amount>,
}

/// Gives money back.
#[derive(Debug, Serialize)]
pub(super) struct Refund<'a> {
    out_trade_no: &'a str,
    out_refund_no: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    reason: &'a str,
    notify_url: &'a str,
    amount: RefundAmount<'a>,
}

#[derive(Debug, Serialize)]
struct RefundAmount<'a> {
    refund: i64,
    total: i64,
    currency: &'a str,
}

/// A refund as it stands, answered or told.
#[derive(Debug, Deserialize)]
pub(super) struct RefundOut {
    pub(super) out_refund_no: String,
    refund_id: String,
    /// Told under this name.
    refund_status: Option<String>,
    /// Answered under this one.
    status: Option<String>,
    success_time: Option<DateTime<Utc>>,
}

fn cny() -> String {
    super::CURRENCY.to_owned()
}

/// Beijing time, as the interface writes instants.
fn beijing(at: DateTime<Utc>) -> String {
    let offset = FixedOffset::east_opt(8 * 3_600).expect("eight hours are an offset");
    at.with_timezone(&offset).to_rfc3339_opts(SecondsFormat::Secs, false)
}

impl<'a> Create<'a> {
    /// The request for an attempt.
    pub(super) fn new(
        attempt: &'a Attempt<'a>,
        mchid: &'a str,
        appid: &'a str,
        notify_url: &'a str,
    ) -> Self {
        let payer = match attempt.method {
            Method::Jsapi => Some(Payer { openid: attempt.payer_id }),
            Method::Native | Method::App | Method::Cash | Method::Transfer | Method::Pos => None,
        };
        Self {
            appid,
            mchid,
            description: attempt.description,
            out_trade_no: attempt.out_trade_no,
            time_expire: beijing(attempt.expires_at),
            notify_url,
            amount: Amount { total: attempt.amount_minor, currency: attempt.currency.to_string() },
            payer,
        }
    }
}

impl Transaction {
    /// How it stands.
    pub(super) fn trade(self) -> Result<Trade, Trouble> {
        let odd = |what: &str| Trouble::Unknown(format!("a payment without {what}"));
        match self.trade_state.as_str() {
            // What was given back since was paid before.
            "SUCCESS" | "REFUND" => {
                let amount = self.amount.ok_or_else(|| odd("an amount"))?;
                let currency = Currency::parse(&amount.currency).map_err(|_| odd("a currency"))?;
                Ok(Trade::Paid(Paid {
                    provider_no: self.provider_no,
                    amount_minor: amount.total,
                    currency,
                    payee: payee(&self.mchid, &self.appid),
                    paid_at: self.success_time.ok_or_else(|| odd("a time"))?,
                }))
            }
            "NOTPAY" | "USERPAYING" | "ACCEPT" => Ok(Trade::Open),
            "CLOSED" | "REVOKED" | "PAYERROR" => Ok(Trade::Closed),
            other => Err(Trouble::Unknown(format!("a payment that is {other}"))),
        }
    }
}

/// As much of a reason as the interface takes, ended between two characters.
fn cut(reason: &str) -> &str {
    &reason[..reason.floor_char_boundary(REASON_MAX)]
}

impl<'a> Refund<'a> {
    /// The request for a refund. A reason is optional there: an empty one is left out.
    pub(super) fn new(refund: &'a RefundOrder<'a>, notify_url: &'a str) -> Self {
        let amount = RefundAmount {
            refund: refund.amount_minor,
            total: refund.total_minor,
            currency: super::CURRENCY,
        };
        Self {
            out_trade_no: refund.out_trade_no,
            out_refund_no: refund.out_refund_no,
            reason: cut(refund.reason),
            notify_url,
            amount,
        }
    }
}

impl RefundOut {
    /// How it stands.
    pub(super) fn stand(self) -> Result<RefundStand, Trouble> {
        let provider_no = self.refund_id;
        let status = self.refund_status.or(self.status).unwrap_or_default();
        match (status.as_str(), self.success_time) {
            ("SUCCESS", Some(at)) => Ok(RefundStand::Succeeded { provider_no, at }),
            ("SUCCESS", None) => Err(Trouble::Unknown("a refund without a time".to_owned())),
            // Abnormal: the money left and did not arrive. Somebody ends that at the company; it must not go out once more.
            ("PROCESSING" | "ABNORMAL", _) => Ok(RefundStand::Processing { provider_no }),
            ("CLOSED", _) => Ok(RefundStand::Failed("CLOSED".to_owned())),
            (other, _) => Err(Trouble::Unknown(format!("a refund that is {other}"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(reason: &str) -> serde_json::Value {
        let order = RefundOrder {
            out_trade_no: "ORDER-1",
            out_refund_no: "ORDER-1-r1",
            amount_minor: 20,
            total_minor: 100,
            currency: Currency::parse("CNY").expect("it is one"),
            reason,
        };
        serde_json::to_value(Refund::new(&order, "https://siyu.example/told")).expect("it is JSON")
    }

    #[test]
    fn a_reason_is_left_out_when_it_is_empty_and_cut_between_characters_when_it_is_long() {
        assert_eq!(written("").get("reason"), None);
        assert_eq!(written("too small")["reason"], "too small");
        assert_eq!(written(&"a".repeat(81))["reason"], "a".repeat(80));
        // Three bytes each: 26 of them and a letter are 79 bytes, one more would be 82.
        let long = format!("a{}", "小".repeat(40));
        assert_eq!(written(&long)["reason"], format!("a{}", "小".repeat(26)));
    }
}
