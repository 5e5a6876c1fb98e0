//! What the buyer's device hands to WeChat Pay: signed by the merchant, so that nobody else asks for payments in its name.

use super::{client::Client, message::Prepaid};
use crate::payment::{domain::Method, provider::Prepay};

/// What a device needs; `None` when the answer has not what the method needs.
pub(super) fn prepay(
    client: &Client,
    appid: &str,
    method: Method,
    answer: Prepaid,
) -> Option<Prepay> {
    let (timestamp, nonce) = (client.clock.now().timestamp().to_string(), client.nonce());
    match method {
        Method::Native => answer.code_url.map(Prepay::CodeUrl),
        Method::Jsapi => {
            let package = format!("prepay_id={}", answer.prepay_id?);
            let sign = client.signer.sign(&text(appid, &timestamp, &nonce, &package));
            Some(Prepay::Parameters(vec![
                ("appId", appid.to_owned()),
                ("timeStamp", timestamp),
                ("nonceStr", nonce),
                ("package", package),
                ("signType", "RSA".to_owned()),
                ("paySign", sign),
            ]))
        }
        Method::App => {
            let prepay_id = answer.prepay_id?;
            let sign = client.signer.sign(&text(appid, &timestamp, &nonce, &prepay_id));
            Some(Prepay::Parameters(vec![
                ("appid", appid.to_owned()),
                ("partnerid", client.mchid.clone()),
                ("prepayid", prepay_id),
                ("package", "Sign=WXPay".to_owned()),
                ("noncestr", nonce),
                ("timestamp", timestamp),
                ("sign", sign),
            ]))
        }
        Method::Cash | Method::Transfer | Method::Pos => None,
    }
}

fn text(appid: &str, timestamp: &str, nonce: &str, package: &str) -> String {
    format!("{appid}\n{timestamp}\n{nonce}\n{package}\n")
}
