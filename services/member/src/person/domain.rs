//! The keys by which persons are known. Pure.

use siyu_kernel::{Fault, Id, kind::Person};
use siyu_proto::member::v1 as proto;

/// The id of a person.
pub type PersonId = Id<Person>;

/// What kind of key an identity is, strongest first (reference §2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum IdentityKind {
    /// The unionid of a WeChat Open Platform account.
    Unionid,
    /// The `external_userid` of a WeCom corp.
    ExternalUserid,
    /// A verified phone.
    Phone,
    /// A verified e-mail address.
    Email,
    /// The buyer id of one shop on a platform.
    PlatformBuyer,
    /// The openid of one appid.
    Openid,
}

/// One strong key.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, sqlx::FromRow)]
pub struct Identity {
    /// What kind of key it is.
    pub kind: IdentityKind,
    /// Where the value is unique.
    pub scope: String,
    /// The value.
    pub value: String,
}

impl Identity {
    /// Whether who holds it is registered (reference §1.4).
    pub const fn makes_member(&self) -> bool {
        matches!(self.kind, IdentityKind::Phone | IdentityKind::Unionid)
    }

    /// Reads a key of the contract. Phones and addresses are brought to one form, so that one key is never two.
    pub fn read(field: &str, identity: &proto::Identity) -> Result<Self, Fault> {
        let wrong = |name: &str, text: &str| Fault::field(format!("{field}.{name}"), text);
        let kind = IdentityKind::read(identity.kind)
            .ok_or_else(|| wrong("kind", "is not a known value"))?;
        let scoped = !matches!(kind, IdentityKind::Phone | IdentityKind::Email);
        match (scoped, identity.scope.is_empty()) {
            (true, true) => return Err(wrong("scope", "is required for this kind")),
            (false, false) => return Err(wrong("scope", "must be empty for this kind")),
            (true, false) | (false, true) => {}
        }
        let value = match kind {
            IdentityKind::Phone if !is_e164(&identity.value) => {
                return Err(wrong("value", "must be a phone number in E.164 like +8613800138000"));
            }
            IdentityKind::Email => read_email(&identity.value)
                .ok_or_else(|| wrong("value", "must be an e-mail address"))?,
            IdentityKind::Phone
            | IdentityKind::Unionid
            | IdentityKind::ExternalUserid
            | IdentityKind::PlatformBuyer
            | IdentityKind::Openid => identity.value.clone(),
        };
        Ok(Self { kind, scope: identity.scope.clone(), value })
    }

    /// The key as it may be shown. The value of a phone or an address is a digest, which says nothing: its address, if it is
    /// known, is shown masked.
    pub fn masked(&self, address: Option<&str>) -> proto::Identity {
        let value = match (self.kind.is_address(), address) {
            (false, _) => self.value.clone(),
            (true, Some(address)) => mask_address(self.kind, address),
            (true, None) => "***".to_owned(),
        };
        let kind = proto::IdentityKind::from(self.kind).into();
        proto::Identity { kind, scope: self.scope.clone(), value, ..Default::default() }
    }
}

impl IdentityKind {
    /// Whether the value is an address by which somebody can be reached: it is stored as a digest, and sealed beside it.
    pub const fn is_address(self) -> bool {
        matches!(self, Self::Phone | Self::Email)
    }

    /// Whether a person has one value of it in each scope, so that two persons with different ones are not merged.
    pub const fn is_single(self) -> bool {
        matches!(self, Self::Unionid | Self::ExternalUserid | Self::Phone)
    }

    /// Whether another value in the same scope is another human being. A phone one may change.
    pub const fn is_exclusive(self) -> bool {
        matches!(self, Self::Unionid | Self::ExternalUserid)
    }

    /// The word in columns.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unionid => "unionid",
            Self::ExternalUserid => "external_userid",
            Self::Phone => "phone",
            Self::Email => "email",
            Self::PlatformBuyer => "platform_buyer",
            Self::Openid => "openid",
        }
    }

    fn read(value: i32) -> Option<Self> {
        Some(match proto::IdentityKind::try_from(value).ok()? {
            proto::IdentityKind::Unspecified => return None,
            proto::IdentityKind::Unionid => Self::Unionid,
            proto::IdentityKind::ExternalUserid => Self::ExternalUserid,
            proto::IdentityKind::Phone => Self::Phone,
            proto::IdentityKind::Email => Self::Email,
            proto::IdentityKind::PlatformBuyer => Self::PlatformBuyer,
            proto::IdentityKind::Openid => Self::Openid,
        })
    }
}

impl From<IdentityKind> for proto::IdentityKind {
    fn from(kind: IdentityKind) -> Self {
        match kind {
            IdentityKind::Unionid => Self::Unionid,
            IdentityKind::ExternalUserid => Self::ExternalUserid,
            IdentityKind::Phone => Self::Phone,
            IdentityKind::Email => Self::Email,
            IdentityKind::PlatformBuyer => Self::PlatformBuyer,
            IdentityKind::Openid => Self::Openid,
        }
    }
}

/// An address, masked: enough for its owner to know it by.
pub fn mask_address(kind: IdentityKind, address: &str) -> String {
    match (kind, address.split_once('@')) {
        (IdentityKind::Phone, _) => mask(address, 3, 4),
        (_, Some((local, domain))) => format!("{}@{domain}", mask(local, 1, 0)),
        (_, None) => mask(address, 1, 0),
    }
}

/// Whether a text is a phone number in E.164.
pub fn is_e164(text: &str) -> bool {
    let digits = text.strip_prefix('+').unwrap_or_default();
    (7..=15).contains(&digits.len())
        && digits.bytes().all(|b| b.is_ascii_digit())
        && !digits.starts_with('0')
}

/// An e-mail address in one form.
pub fn read_email(text: &str) -> Option<String> {
    let (local, domain) = text.rsplit_once('@')?;
    let sound = !local.is_empty() && domain.contains('.') && !text.contains(char::is_whitespace);
    sound.then(|| format!("{local}@{}", domain.to_lowercase()))
}

/// Keeps some characters at either end and hides the rest behind three stars, whatever its length.
fn mask(text: &str, head: usize, tail: usize) -> String {
    let chars: Vec<char> = text.chars().collect();
    if chars.len() <= head + tail {
        return "***".to_owned();
    }
    let (start, end) = (&chars[..head], &chars[chars.len() - tail..]);
    format!("{}***{}", start.iter().collect::<String>(), end.iter().collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(kind: proto::IdentityKind, scope: &str, value: &str) -> Result<Identity, String> {
        let identity = proto::Identity {
            kind: kind.into(),
            scope: scope.into(),
            value: value.into(),
            ..Default::default()
        };
        Identity::read("k", &identity).map_err(|fault| fault.violations()[0].field.clone())
    }

    #[test]
    fn keys_are_read_into_one_form_or_refused_by_field() {
        use proto::IdentityKind as K;
        assert_eq!(read(K::Email, "", "A.b@Shop.CN").unwrap().value, "A.b@shop.cn");
        assert!(read(K::Phone, "", "+8613800138000").is_ok());
        assert_eq!(read(K::Phone, "", "13800138000"), Err("k.value".into()));
        assert_eq!(read(K::Phone, "x", "+8613800138000"), Err("k.scope".into()));
        assert_eq!(read(K::Openid, "", "o"), Err("k.scope".into()));
        assert_eq!(read(K::Email, "", "nobody"), Err("k.value".into()));
        assert_eq!(read(K::Unspecified, "", "x"), Err("k.kind".into()));
    }

    #[test]
    fn phones_and_addresses_are_shown_masked() {
        let shown = |kind, value: &str| {
            let key = Identity { kind, scope: String::new(), value: "digest".into() };
            key.masked(Some(value)).value
        };
        assert_eq!(shown(IdentityKind::Phone, "+8613800138000"), "+86***8000");
        assert_eq!(shown(IdentityKind::Email, "anna@shop.cn"), "a***@shop.cn");
        assert_eq!(shown(IdentityKind::Email, "a@shop.cn"), "***@shop.cn");
        let key = |kind| Identity { kind, scope: String::new(), value: "oABC".into() };
        assert_eq!(key(IdentityKind::Openid).masked(None).value, "oABC");
        assert_eq!(key(IdentityKind::Phone).masked(None).value, "***", "of a digest nothing");
    }
}
