//! The company's books, and what it answers to requests that it believes.

use std::collections::BTreeMap;

use serde_json::{Value, json};

pub(crate) const MCHID: &str = "1900000001";
pub(crate) const APPID: &str = "wxd678efh567hg6787";

/// A payment there.
#[derive(Debug, Clone)]
pub(crate) struct Trade {
    pub(crate) state: &'static str,
    pub(crate) created: Value,
    pub(crate) paid: i64,
    pub(crate) paid_at: String,
}

/// Everything that it knows.
#[derive(Debug, Default)]
pub(crate) struct Books {
    pub(crate) trades: BTreeMap<String, Trade>,
    pub(crate) refunds: BTreeMap<String, Value>,
    /// How refunds stand right after they were taken.
    pub(crate) refunds_are: &'static str,
    /// The bill of each day.
    pub(crate) bills: BTreeMap<String, String>,
}

pub(crate) type Answer = (u16, String);

fn error(status: u16, code: &str) -> Answer {
    (status, json!({"code": code, "message": format!("it says {code}")}).to_string())
}

impl Books {
    /// Answers a request.
    pub(crate) fn answer(&mut self, method: &str, path: &str, body: &str) -> Answer {
        let body: Value = serde_json::from_str(body).unwrap_or(Value::Null);
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
        match (method, parts.as_slice()) {
            ("POST", ["v3", "pay", "transactions", kind @ ("native" | "jsapi" | "app")]) => {
                self.create(kind, body)
            }
            ("GET", ["v3", "pay", "transactions", "out-trade-no", number]) => {
                assert_eq!(query, format!("mchid={MCHID}"));
                self.query(number)
            }
            ("POST", ["v3", "pay", "transactions", "out-trade-no", number, "close"]) => {
                assert_eq!(body, json!({"mchid": MCHID}));
                self.close(number)
            }
            ("POST", ["v3", "refund", "domestic", "refunds"]) => self.refund(&body),
            ("GET", ["v3", "refund", "domestic", "refunds", number]) => {
                let known = self.refunds.get(*number);
                known.map_or_else(
                    || error(404, "RESOURCE_NOT_EXISTS"),
                    |refund| (200, refund.to_string()),
                )
            }
            ("GET", ["v3", "bill", "tradebill"]) => self.bill(query),
            _ => error(404, "NOT_FOUND"),
        }
    }

    fn create(&mut self, kind: &str, body: Value) -> Answer {
        for (field, value) in [("mchid", MCHID), ("appid", APPID)] {
            if body[field] != value {
                return error(400, "PARAM_ERROR");
            }
        }
        if (kind == "jsapi") != body["payer"]["openid"].is_string() {
            return error(400, "PARAM_ERROR");
        }
        if body["amount"]["total"].as_i64().is_none_or(|total| total < 1)
            || body["amount"]["currency"] != "CNY"
        {
            return error(400, "PARAM_ERROR");
        }
        let number = body["out_trade_no"].as_str().unwrap().to_owned();
        match self.trades.get(&number) {
            Some(known) if known.created != body => return error(403, "OUT_TRADE_NO_USED"),
            Some(known) if known.state == "SUCCESS" => return error(400, "ORDERPAID"),
            Some(known) if known.state == "CLOSED" => return error(400, "ORDER_CLOSED"),
            Some(_) => {}
            None => {
                let trade =
                    Trade { state: "NOTPAY", created: body, paid: 0, paid_at: String::new() };
                self.trades.insert(number.clone(), trade);
            }
        }
        let answer = match kind {
            "native" => json!({"code_url": format!("weixin://wxpay/bizpayurl?pr={number}")}),
            _ => json!({"prepay_id": format!("wx{number}")}),
        };
        (200, answer.to_string())
    }

    fn query(&self, number: &str) -> Answer {
        let Some(trade) = self.trades.get(number) else { return error(404, "ORDER_NOT_EXIST") };
        (200, transaction(number, trade).to_string())
    }

    fn close(&mut self, number: &str) -> Answer {
        match self.trades.get_mut(number) {
            None => error(404, "ORDER_NOT_EXIST"),
            Some(trade) if trade.state == "SUCCESS" => error(400, "ORDERPAID"),
            Some(trade) => {
                trade.state = "CLOSED";
                (204, String::new())
            }
        }
    }

    fn refund(&mut self, body: &Value) -> Answer {
        let (number, of) = (text(body, "out_refund_no"), text(body, "out_trade_no"));
        // A reason may be left out; one that is empty or longer than the interface takes is refused.
        let reason = &body["reason"];
        if !reason.is_null() && !reason.as_str().is_some_and(|said| (1..=80).contains(&said.len()))
        {
            return error(400, "PARAM_ERROR");
        }
        if let Some(known) = self.refunds.get(&number) {
            return (200, known.to_string());
        }
        let Some(trade) = self.trades.get(&of).filter(|trade| trade.state == "SUCCESS") else {
            return error(404, "RESOURCE_NOT_EXISTS");
        };
        let given: i64 = self
            .refunds
            .values()
            .filter(|refund| refund["out_trade_no"] == of)
            .map(|refund| refund["amount"]["refund"].as_i64().unwrap())
            .sum();
        let asked = body["amount"]["refund"].as_i64().unwrap();
        if body["amount"]["total"] != trade.paid || asked < 1 || given + asked > trade.paid {
            return error(403, "INVALID_REQUEST");
        }
        let stand = if self.refunds_are.is_empty() { "SUCCESS" } else { self.refunds_are };
        let mut refund = json!({
            "refund_id": format!("50{number}"),
            "out_refund_no": number,
            "transaction_id": format!("42{of}"),
            "out_trade_no": of,
            "status": stand,
            "amount": body["amount"],
        });
        if stand == "SUCCESS" {
            refund["success_time"] = json!("2024-06-01T08:30:00+08:00");
        }
        self.refunds.insert(number, refund.clone());
        (200, refund.to_string())
    }

    fn bill(&self, query: &str) -> Answer {
        let day = query.strip_prefix("bill_date=").unwrap().strip_suffix("&bill_type=ALL").unwrap();
        let Some(bill) = self.bills.get(day) else { return error(400, "NO_STATEMENT_EXIST") };
        let digest = ring::digest::digest(&ring::digest::SHA1_FOR_LEGACY_USE_ONLY, bill.as_bytes());
        // As digests of the library print themselves: `SHA1:…`.
        let hash = format!("{digest:?}").split_off("SHA1:".len());
        let url = format!("https://api.mch.weixin.qq.com/v3/billdownload/file?token={day}");
        (200, json!({"hash_type": "SHA1", "hash_value": hash, "download_url": url}).to_string())
    }
}

fn text(body: &Value, field: &str) -> String {
    body[field].as_str().unwrap_or_default().to_owned()
}

/// A payment as it is answered and told.
pub(crate) fn transaction(number: &str, trade: &Trade) -> Value {
    let mut shown = json!({
        "appid": APPID,
        "mchid": MCHID,
        "out_trade_no": number,
        "trade_state": trade.state,
        "trade_state_desc": "it stands so",
    });
    if trade.state == "SUCCESS" {
        shown["transaction_id"] = json!(format!("42{number}"));
        shown["success_time"] = json!(trade.paid_at);
        shown["amount"] = json!({
            "total": trade.paid, "payer_total": trade.paid, "currency": "CNY", "payer_currency": "CNY",
        });
    }
    shown
}
