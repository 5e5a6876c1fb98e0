//! What an account with WeChat Pay must have, and its secrets.

use siyu_kernel::Violation;
use siyu_proto::order::v1::WechatAccount;

use super::{ORIGIN, Wechat, crypto::API_KEY_LEN};
use crate::App;

/// Keys of the company that are kept: the one in use, the next, and some of the past for replays.
const PROVIDER_KEYS_MAX: usize = 16;

/// Where the account's WeChat Pay is.
pub(super) fn origin(account: &WechatAccount) -> &str {
    if account.base_url.is_empty() { ORIGIN } else { account.base_url.trim_end_matches('/') }
}

/// Puts secrets that were left empty back.
pub(crate) fn keep_secrets(given: &mut WechatAccount, before: &WechatAccount) {
    if given.private_key_pem.is_empty() {
        given.private_key_pem.clone_from(&before.private_key_pem);
    }
    if given.api_v3_key.is_empty() {
        given.api_v3_key.clone_from(&before.api_v3_key);
    }
}

/// Takes the secrets out, to be sealed.
pub(crate) fn take_secrets(account: &mut WechatAccount) -> WechatAccount {
    WechatAccount {
        private_key_pem: std::mem::take(&mut account.private_key_pem),
        api_v3_key: std::mem::take(&mut account.api_v3_key),
        ..WechatAccount::default()
    }
}

/// Says what is wrong with an account, its secrets included.
pub(crate) fn check(app: &App, field: &str, account: &WechatAccount) -> Result<(), Vec<Violation>> {
    let mut wrong = Vec::new();
    let mut say = |name: &str, description: String| {
        wrong.push(Violation { field: format!("{field}.{name}"), description });
    };
    // The shape of what stands in a oneof is not checked before.
    for (name, value, most) in [
        ("mchid", &account.mchid, 32),
        ("appid", &account.appid, 32),
        ("merchant_serial", &account.merchant_serial, 64),
        ("notify_url", &account.notify_url, 256),
        ("private_key_pem", &account.private_key_pem, 8_192),
    ] {
        if value.is_empty() {
            say(name, "is required".to_owned());
        } else if value.len() > most {
            say(name, format!("must have at most {most} bytes, has {}", value.len()));
        }
    }
    for (i, key) in account.provider_keys.iter().enumerate() {
        for (name, value, most) in [("serial", &key.serial, 64), ("pem", &key.pem, 8_192)] {
            if value.is_empty() || value.len() > most {
                say(&format!("provider_keys[{i}].{name}"), format!("must have 1 to {most} bytes"));
            }
        }
    }
    if account.provider_keys.len() > PROVIDER_KEYS_MAX {
        say("provider_keys", format!("must have at most {PROVIDER_KEYS_MAX} elements"));
    }
    if !account.mchid.bytes().chain(account.appid.bytes()).all(|b| b.is_ascii_alphanumeric()) {
        say("mchid", "must hold letters and digits only, as must appid".to_owned());
    }
    if account.api_v3_key.len() != API_KEY_LEN {
        say("api_v3_key", format!("must have {API_KEY_LEN} bytes"));
    }
    if account.provider_keys.is_empty() {
        say("provider_keys", "must not be empty".to_owned());
    }
    if !account.notify_url.starts_with("https://") {
        say("notify_url", "must begin with https://".to_owned());
    }
    if !app.provider_origins.iter().any(|allowed| allowed == origin(account)) {
        let allowed = app.provider_origins.join(", ");
        say("base_url", format!("must be one of {allowed}"));
    }
    if wrong.is_empty()
        && let Err(violation) = Wechat::new(app, account)
    {
        let field = format!("{field}.{}", violation.field);
        wrong.push(Violation { field, description: violation.description });
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong) }
}
