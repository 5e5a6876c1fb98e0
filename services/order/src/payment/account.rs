//! Accounts of a merchant with payment companies. Their secrets stand sealed in the database and are shown to nobody.

pub mod rpc;
pub mod store;

use std::collections::BTreeSet;

use prost::Message;
use siyu_kernel::{Currency, Fault, Id, Violation, kind::Merchant};
use siyu_proto::order::v1::{self as proto, provider_account::With};
use siyu_vault::{Keys, Place};

use super::{
    offline::Offline,
    provider::Provider,
    sandbox::Sandbox,
    wechat::{self, Wechat},
};
use crate::App;

/// An account: the row.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Account {
    /// The merchant's own key.
    pub code: String,
    /// With whom.
    pub kind: Kind,
    /// Whether no new payments are begun with it.
    pub paused: bool,
    /// The encoded account without its secrets.
    pub definition: Vec<u8>,
    /// Its secrets, sealed.
    pub sealed: Option<Vec<u8>>,
}

/// With whom an account is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Kind {
    /// The sandbox.
    Sandbox,
    /// WeChat Pay.
    Wechat,
    /// Nobody: what it takes is recorded.
    Offline,
}

impl Kind {
    /// Whether the company takes a currency.
    pub fn takes(self, currency: Currency) -> bool {
        match self {
            Self::Sandbox | Self::Offline => true,
            Self::Wechat => currency.code() == wechat::CURRENCY,
        }
    }
}

impl Account {
    /// The account as it is shown: without its secrets.
    pub(crate) fn show(&self) -> Result<proto::ProviderAccount, Fault> {
        proto::ProviderAccount::decode(self.definition.as_slice()).map_err(Fault::internal)
    }

    /// The account with its secrets.
    fn open(&self, keys: &Keys) -> Result<proto::ProviderAccount, Fault> {
        let mut account = self.show()?;
        if let (Some(With::Wechat(wechat)), Some(sealed)) = (&mut account.with, &self.sealed) {
            let clear = keys.open_bytes(place(&self.code), sealed)?;
            let secrets =
                proto::WechatAccount::decode(clear.as_slice()).map_err(Fault::internal)?;
            wechat.private_key_pem = secrets.private_key_pem;
            wechat.api_v3_key = secrets.api_v3_key;
        }
        Ok(account)
    }
}

const fn place(code: &str) -> Place<'_> {
    Place { kind: "provider_account.secrets", row: code }
}

/// An account, ready to be asked. Not called inside a transaction: it may need one of its own.
///
/// # Errors
/// `NOT_FOUND`.
pub(crate) async fn provider(
    app: &App,
    merchant: Id<Merchant>,
    code: &str,
) -> Result<(Account, Box<dyn Provider>), Fault> {
    let keys = app.vault.keys(&app.db, merchant, app.clock.now()).await?;
    let mut tx = app.db.tenant_lookup(merchant).await?;
    let account = store::find(&mut tx, code).await?;
    drop(tx);
    let account = account.ok_or_else(|| Fault::not_found("provider account"))?;
    let provider = ready(app, merchant, &account, keys)?;
    Ok((account, provider))
}

/// An account that was read, ready to be asked.
pub(crate) fn ready(
    app: &App,
    merchant: Id<Merchant>,
    account: &Account,
    keys: Keys,
) -> Result<Box<dyn Provider>, Fault> {
    Ok(match account.open(&keys)?.with {
        Some(With::Sandbox(_)) => Box::new(Sandbox::new(app, merchant, &account.code, keys)),
        Some(With::Wechat(settings)) => {
            let wechat = Wechat::new(app, &settings);
            Box::new(wechat.map_err(|violation| Fault::internal(violation.description))?)
        }
        Some(With::Offline(_)) => Box::new(Offline::new(&account.code)),
        None => return Err(Fault::internal("an account was stored without its company")),
    })
}

/// What is to be stored for an account that is given, beside the one that is there.
pub(crate) fn merged(
    app: &App,
    field: &str,
    given: &proto::ProviderAccount,
    known: Option<&Account>,
    keys: &Keys,
) -> Result<Account, Vec<Violation>> {
    let wrong = |name: &str, description: &str| {
        let field = if name.is_empty() { field.to_owned() } else { format!("{field}.{name}") };
        vec![Violation { field, description: description.to_owned() }]
    };
    let kind = match &given.with {
        Some(With::Sandbox(_)) => Kind::Sandbox,
        Some(With::Wechat(_)) => Kind::Wechat,
        Some(With::Offline(_)) => Kind::Offline,
        None => return Err(wrong("with", "one of sandbox, wechat and offline is required")),
    };
    if known.is_some_and(|known| known.kind != kind) {
        return Err(wrong("with", "an account stays with its company: make another one"));
    }
    let mut shown = given.clone();
    let mut sealed = None;
    if let Some(With::Wechat(wechat)) = &mut shown.with {
        let before = known.map(|known| known.open(keys)).transpose();
        let before = before.map_err(|_| wrong("", "the secrets of the account cannot be read"))?;
        let before = match before.and_then(|before| before.with) {
            Some(With::Wechat(before)) => wechat::take_secrets(&mut before.clone()),
            Some(With::Sandbox(_) | With::Offline(_)) | None => proto::WechatAccount::default(),
        };
        wechat::keep_secrets(wechat, &before);
        wechat::check(app, &format!("{field}.wechat"), wechat)?;
        let secrets = wechat::take_secrets(wechat);
        wechat.has_secrets = true;
        // Sealing never gives the same bytes twice: what did not change keeps them, so that a repeat changes nothing.
        sealed = match known {
            Some(known) if before == secrets => known.sealed.clone(),
            Some(_) | None => Some(keys.seal_bytes(place(&given.code), &secrets.encode_to_vec())),
        };
    }
    let (code, paused, definition) = (given.code.clone(), given.paused, shown.encode_to_vec());
    Ok(Account { code, kind, paused, definition, sealed })
}

/// Codes that stand twice.
pub(crate) fn repeated(accounts: &[proto::ProviderAccount]) -> Vec<Violation> {
    let mut seen = BTreeSet::new();
    let twice = accounts.iter().enumerate().filter(|(_, account)| !seen.insert(&account.code));
    let say = |(i, account): (usize, &proto::ProviderAccount)| Violation {
        field: format!("accounts[{i}].code"),
        description: format!("\"{}\" stands twice", account.code),
    };
    twice.map(say).collect()
}
