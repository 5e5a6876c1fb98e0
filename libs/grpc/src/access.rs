//! Who may call what: read once from the options of the contracts, asked once per call.
//!
//! Invariant: a method without a complete access option is refused to everyone.

use std::{collections::HashMap, sync::Arc, sync::LazyLock};

use prost_reflect::{
    DescriptorError, DescriptorPool, DynamicMessage, ExtensionDescriptor, MethodDescriptor,
};
use siyu_kernel::{Code, Fault};

use crate::ctx::Caller;

/// Whose credential may call a method.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Audience {
    /// A merchant's.
    Merchant,
    /// The operator's.
    Platform,
    /// A sibling service's; never through the gateway.
    Internal,
    /// A merchant's or the operator's.
    Any,
}

/// What a repeat of a call does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Idempotency {
    /// A read.
    NoSideEffects,
    /// A repeat with the same `request_id` has no second effect.
    Idempotent,
    /// Nothing is promised.
    Unknown,
}

/// What the contract says about one method.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// The full name of the service, for example `siyu.order.v1.OrderService`.
    pub service: Arc<str>,
    /// The method's name, for example `GetOrder`.
    pub method: Arc<str>,
    /// Who may call it; `None` refuses everyone.
    pub access: Option<Access>,
    /// What a repeat does.
    pub idempotency: Idempotency,
    /// Whether messages flow in a stream, in either direction.
    pub is_stream: bool,
}

/// The two keys to a method.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// Whose credential.
    pub audience: Audience,
    /// With which scope, for example "orders.read".
    pub scope: String,
}

/// The rules of all methods, by path ("/siyu.order.v1.OrderService/GetOrder").
#[derive(Debug)]
pub struct Rules {
    by_path: HashMap<String, Rule>,
}

/// The scopes that a credential holds. "orders.*" holds every scope of orders, "*" every scope.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Scopes(Arc<str>);

static SUITE: LazyLock<Arc<Rules>> = LazyLock::new(|| {
    let rules = Rules::from_descriptor(siyu_proto::DESCRIPTOR_SET);
    Arc::new(rules.expect("the build encoded the contracts"))
});

impl Rules {
    /// The rules of the suite's contracts, read once per process.
    pub fn suite() -> &'static Arc<Self> {
        &SUITE
    }

    /// Reads the rules from an encoded descriptor set that holds `siyu/type/v1/access.proto`.
    ///
    /// # Errors
    /// When the bytes are no descriptor set.
    pub fn from_descriptor(set: &[u8]) -> Result<Self, DescriptorError> {
        let pool = DescriptorPool::decode(set)?;
        let access = pool.get_extension_by_name("siyu.type.v1.access");
        let mut by_path = HashMap::new();
        for service in pool.services() {
            for method in service.methods() {
                let path = format!("/{}/{}", service.full_name(), method.name());
                by_path.insert(path, Rule::read(&method, access.as_ref()));
            }
        }
        Ok(Self { by_path })
    }

    /// The rule of a method, by its path.
    pub fn get(&self, path: &str) -> Option<&Rule> {
        self.by_path.get(path)
    }

    /// All paths and rules, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Rule)> {
        self.by_path.iter().map(|(path, rule)| (path.as_str(), rule))
    }
}

impl Rule {
    fn read(method: &MethodDescriptor, access: Option<&ExtensionDescriptor>) -> Self {
        let options = method.options();
        let level = options.get_field_by_name("idempotency_level").and_then(|v| v.as_enum_number());
        Self {
            service: method.parent_service().full_name().into(),
            method: method.name().into(),
            access: access.and_then(|extension| Access::read(&options, extension)),
            idempotency: match level {
                Some(1) => Idempotency::NoSideEffects,
                Some(2) => Idempotency::Idempotent,
                _ => Idempotency::Unknown,
            },
            is_stream: method.is_client_streaming() || method.is_server_streaming(),
        }
    }

    /// Whose credential may call the method, if anyone's.
    pub fn audience(&self) -> Option<Audience> {
        self.access.as_ref().map(|access| access.audience)
    }

    /// Admits a caller with its scopes, or says why not.
    ///
    /// # Errors
    /// `METHOD_CLOSED`, `AUDIENCE_WRONG` or `SCOPE_MISSING`.
    pub fn admit(&self, caller: Caller, scopes: &Scopes) -> Result<(), Fault> {
        let refuse = |reason, message| Err(Fault::new(Code::PermissionDenied, reason, message));
        let Some(access) = &self.access else {
            return refuse("METHOD_CLOSED", "the method is open to no one".to_owned());
        };
        if !access.audience.admits(caller) {
            let audience = access.audience.name();
            return refuse("AUDIENCE_WRONG", format!("the method takes {audience} credentials"));
        }
        if !scopes.hold(&access.scope) {
            let message = format!("the credential lacks the scope {}", access.scope);
            return Err(Fault::new(Code::PermissionDenied, "SCOPE_MISSING", message)
                .with("scope", &access.scope));
        }
        Ok(())
    }
}

impl Access {
    fn read(options: &DynamicMessage, extension: &ExtensionDescriptor) -> Option<Self> {
        if !options.has_extension(extension) {
            return None;
        }
        let value = options.get_extension(extension);
        let access = value.as_message()?;
        let audience = access.get_field_by_name("audience").and_then(|v| v.as_enum_number())?;
        let scope = access.get_field_by_name("scope")?.as_str()?.to_owned();
        // An empty scope would admit a credential that was given no right at all.
        (!scope.is_empty()).then_some(())?;
        Some(Self { audience: Audience::from_number(audience)?, scope })
    }
}

impl Audience {
    const fn from_number(number: i32) -> Option<Self> {
        match number {
            1 => Some(Self::Merchant),
            2 => Some(Self::Platform),
            3 => Some(Self::Internal),
            4 => Some(Self::Any),
            _ => None,
        }
    }

    /// Whether a caller belongs to the audience.
    pub const fn admits(self, caller: Caller) -> bool {
        matches!(
            (self, caller),
            (Self::Merchant | Self::Any, Caller::Merchant(_))
                | (Self::Platform | Self::Any, Caller::Platform)
                | (Self::Merchant, Caller::Internal(Some(_)))
                | (Self::Internal, Caller::Internal(_))
        )
    }

    /// The name in messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Merchant => "merchant",
            Self::Platform => "platform",
            Self::Internal => "internal",
            Self::Any => "merchant or platform",
        }
    }
}

impl Scopes {
    /// Every scope.
    pub fn all() -> Self {
        Self("*".into())
    }

    /// The scopes of a text, separated by spaces.
    pub fn parse(text: &str) -> Self {
        Self(text.into())
    }

    /// Whether the wanted scope is among them.
    pub fn hold(&self, wanted: &str) -> bool {
        self.iter().any(|held| match held.strip_suffix('*') {
            Some("") => true,
            // "orders.*" keeps its dot: it must not hold "ordersecrets.read".
            Some(prefix) => prefix.ends_with('.') && wanted.starts_with(prefix),
            None => held == wanted,
        })
    }

    /// Each scope.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.split_ascii_whitespace()
    }

    /// The scopes, separated by spaces.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<S: AsRef<str>> FromIterator<S> for Scopes {
    fn from_iter<I: IntoIterator<Item = S>>(scopes: I) -> Self {
        let mut text = String::new();
        for scope in scopes {
            if !text.is_empty() {
                text.push(' ');
            }
            text.push_str(scope.as_ref());
        }
        Self(text.into())
    }
}
