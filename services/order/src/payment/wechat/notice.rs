//! What WeChat Pay tells: believed with its signature and within minutes of its time, and opened with the key that merchant and
//! company share.

use serde::Deserialize;

use super::{
    client::signed,
    crypto::{self, Verifier},
    message::{RefundOut, Transaction},
};
use crate::payment::provider::{About, Distrust, Incoming, Notice, Trouble};

#[derive(Debug, Deserialize)]
struct Envelope {
    id: String,
    event_type: String,
    resource: Resource,
}

#[derive(Debug, Deserialize)]
struct Resource {
    algorithm: String,
    ciphertext: String,
    nonce: String,
    #[serde(default)]
    associated_data: String,
}

/// Reads what came.
pub(super) fn read(
    incoming: &Incoming<'_>,
    keys: &[Verifier],
    api_key: &[u8],
) -> Result<Notice, Distrust> {
    let header = |name: &str| {
        let mut headers = incoming.headers.iter();
        let found = headers.find(|header| header.name.eq_ignore_ascii_case(name));
        found.map(|header| header.value.as_str())
    };
    signed(keys, header, incoming.body, incoming.received_at).map_err(Distrust)?;
    let unread = |error: serde_json::Error| Distrust(format!("it cannot be read: {error}"));
    let envelope: Envelope = serde_json::from_str(incoming.body).map_err(unread)?;
    let sealed = &envelope.resource;
    if sealed.algorithm != "AEAD_AES_256_GCM" {
        return Err(Distrust(format!("it is sealed by {}", sealed.algorithm)));
    }
    let clear = crypto::open(api_key, &sealed.nonce, &sealed.associated_data, &sealed.ciphertext);
    let clear = clear.map_err(|error| Distrust(format!("what it says {error}")))?;
    let odd = |trouble: Trouble| Distrust(trouble.to_string());
    let about = match envelope.event_type.as_str() {
        "TRANSACTION.SUCCESS" => {
            let told: Transaction = serde_json::from_str(&clear).map_err(unread)?;
            About::Trade(told.out_trade_no.clone(), told.trade().map_err(odd)?)
        }
        "REFUND.SUCCESS" | "REFUND.CLOSED" | "REFUND.ABNORMAL" => {
            let told: RefundOut = serde_json::from_str(&clear).map_err(unread)?;
            About::Refund(told.out_refund_no.clone(), told.stand().map_err(odd)?)
        }
        _ => About::Other,
    };
    Ok(Notice { event_id: envelope.id, about })
}
