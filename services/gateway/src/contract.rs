//! What the contracts say, read once at start from the encoded descriptor set: which methods there are, who may call them,
//! where REST finds them, and what their comments tell. Everything that the gateway knows of the services stands here.
//!
//! Invariant: only what is meant for callers from outside is [`public`](Contract::public); the rest is known, so that it can be
//! refused, and nothing more.

mod bounds;
mod comments;
mod rule;

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use http::uri::PathAndQuery;
use prost_reflect::{DescriptorError, DescriptorPool, MessageDescriptor, MethodDescriptor};
use siyu_grpc::{
    Audience, Idempotency, Rules,
    access::{Access, Rule},
};

pub(crate) use bounds::Bounds;
pub(crate) use comments::{Comments, first_sentence};
pub(crate) use rule::{Binding, BodyRule, FieldPath, Segment};

/// The contracts of the suite.
#[derive(Debug)]
pub(crate) struct Contract {
    pool: DescriptorPool,
    comments: Comments,
    services: Vec<Service>,
    by_path: HashMap<Box<str>, Arc<Method>>,
}

/// One gRPC service.
#[derive(Debug)]
pub(crate) struct Service {
    /// The full name, `siyu.order.v1.OrderService`.
    pub name: String,
    /// What it is, from the contract.
    pub comment: String,
    /// Its methods that callers from outside may know, in the order of the contract.
    pub methods: Vec<Arc<Method>>,
}

/// One method.
#[derive(Debug)]
pub(crate) struct Method {
    /// The gRPC path, `/siyu.order.v1.OrderService/GetOrder`.
    pub path: PathAndQuery,
    /// The last part of the path, `GetOrder`.
    pub name: String,
    /// Which of the services serves it: the second part of the package, "order".
    pub upstream: Box<str>,
    /// Who may call it with which scope; never [`Audience::Internal`].
    pub access: Option<Access>,
    /// What a repeat does.
    pub idempotency: Idempotency,
    /// Whether the caller sends one message or many.
    pub client_streams: bool,
    /// Whether the service answers with one message or many.
    pub server_streams: bool,
    /// The request.
    pub input: MessageDescriptor,
    /// The reply.
    pub output: MessageDescriptor,
    /// Where REST finds it.
    pub bindings: Vec<Binding>,
    /// What it does, from the contract.
    pub comment: String,
}

/// A contract that the gateway cannot serve.
#[derive(Debug, thiserror::Error)]
pub enum ContractError {
    /// The bytes are no descriptor set.
    #[error("the descriptor set cannot be read")]
    Descriptor(#[from] DescriptorError),
    /// A method's REST rule asks for what the gateway does not do, or for what is not there.
    #[error("{method}: {what}")]
    Rule {
        /// The full name of the method.
        method: String,
        /// What is wrong with its rule.
        what: String,
    },
}

impl Contract {
    /// Reads an encoded descriptor set with options and comments.
    pub(crate) fn read(set: &[u8]) -> Result<Self, ContractError> {
        let pool = DescriptorPool::decode(set)?;
        let rules = Rules::from_descriptor(set)?;
        let comments = Comments::read(&pool);
        let mut services = Vec::new();
        let mut by_path = HashMap::new();
        for service in pool.services().filter(|s| s.package_name().starts_with("siyu.")) {
            let mut methods = Vec::new();
            for method in service.methods() {
                let path = format!("/{}/{}", service.full_name(), method.name());
                let rule = rules.get(&path).filter(|rule| is_public(rule));
                let Some(rule) = rule else { continue };
                let method = Arc::new(Method::read(&method, &path, rule, &comments)?);
                by_path.insert(path.into_boxed_str(), method.clone());
                methods.push(method);
            }
            if !methods.is_empty() {
                services.push(Service {
                    name: service.full_name().to_owned(),
                    comment: comments.of(&service.parent_file(), service.path()),
                    methods,
                });
            }
        }
        services.sort_by_key(|service: &Service| place(&service.name));
        Ok(Self { pool, comments, services, by_path })
    }

    /// The services with a method for callers from outside, in the order in which a reader meets them.
    pub(crate) fn public(&self) -> &[Service] {
        &self.services
    }

    /// The method of a gRPC path, unless it is unknown or not for callers from outside.
    pub(crate) fn method(&self, path: &str) -> Option<&Arc<Method>> {
        self.by_path.get(path)
    }

    /// Every scope that a method asks for.
    pub(crate) fn scopes(&self) -> impl Iterator<Item = &str> {
        self.by_path.values().filter_map(|method| method.access.as_ref()).map(|a| a.scope.as_str())
    }

    /// What the comments say.
    pub(crate) const fn comments(&self) -> &Comments {
        &self.comments
    }

    /// The files that describe public services, encoded as they were with options and comments, for reflection. A file whose
    /// services are all internal is left out.
    pub(crate) fn public_set(&self) -> Vec<u8> {
        let mut set = Vec::new();
        for file in self.pool.files() {
            let is_public = |name: &str| self.services.iter().any(|service| service.name == name);
            if file.services().len() == 0 || file.services().any(|s| is_public(s.full_name())) {
                prost::encoding::bytes::encode(1, &file.encode_to_vec(), &mut set);
            }
        }
        set
    }

    /// Every message that a public method takes or gives, with all that they hold, by full name.
    pub(crate) fn public_messages(&self) -> BTreeMap<String, MessageDescriptor> {
        let mut found = BTreeMap::new();
        for method in self.by_path.values() {
            collect(&method.input, &mut found);
            collect(&method.output, &mut found);
        }
        found
    }
}

fn collect(message: &MessageDescriptor, found: &mut BTreeMap<String, MessageDescriptor>) {
    let is_known = found.insert(message.full_name().to_owned(), message.clone()).is_some();
    if is_known {
        return;
    }
    for field in message.fields() {
        if let Some(inner) = field.kind().as_message() {
            collect(inner, found);
        }
    }
}

/// Persons before orders, orders before what follows from them, the gateway's own last.
fn place(service: &str) -> usize {
    let order = ["member", "order", "distribution", "messaging", "metrics"];
    let package = service.split('.').nth(1).unwrap_or_default();
    order.iter().position(|&known| known == package).unwrap_or(order.len())
}

/// A method without an access option is open to no one, so nobody outside needs to know it.
fn is_public(rule: &Rule) -> bool {
    rule.access.as_ref().is_some_and(|access| access.audience != Audience::Internal)
}

impl Method {
    fn read(
        method: &MethodDescriptor,
        path: &str,
        rule: &Rule,
        comments: &Comments,
    ) -> Result<Self, ContractError> {
        let wrong = |what: String| ContractError::Rule { method: path[1..].to_owned(), what };
        let package = method.parent_file().package_name().to_owned();
        let upstream = package.split('.').nth(1).ok_or_else(|| wrong("no service".to_owned()))?;
        Ok(Self {
            path: PathAndQuery::try_from(path).map_err(|error| wrong(error.to_string()))?,
            name: method.name().to_owned(),
            upstream: upstream.into(),
            access: rule.access.clone(),
            idempotency: rule.idempotency,
            client_streams: method.is_client_streaming(),
            server_streams: method.is_server_streaming(),
            input: method.input(),
            output: method.output(),
            bindings: rule::bindings(method).map_err(wrong)?,
            comment: comments.of(&method.parent_file(), method.path()),
        })
    }

    /// The full name with a slash, `siyu.order.v1.OrderService/GetOrder`.
    pub(crate) fn grpc_name(&self) -> &str {
        &self.path.path()[1..]
    }
}
