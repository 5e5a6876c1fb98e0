//! From an HTTP method and a path to a method of a service. A literal wins over a variable, whatever the order of the
//! contracts; two methods at one place are refused at start.

use std::{borrow::Cow, collections::HashMap, sync::Arc};

use http::Method as HttpMethod;

use crate::contract::{Binding, Contract, ContractError, Method, Segment};

/// The tree of all paths.
#[derive(Debug, Default)]
pub(crate) struct Routes {
    root: Node,
    bindings: Vec<(Arc<Method>, Binding)>,
}

/// One segment deep in the tree.
#[derive(Debug, Default)]
struct Node {
    literals: HashMap<Box<str>, Node>,
    variable: Option<Box<Node>>,
    /// What ends here, by custom verb; without one: "".
    ends: HashMap<Box<str>, Vec<(HttpMethod, usize)>>,
}

/// What a path leads to.
#[derive(Debug)]
pub(crate) enum Found<'a> {
    /// A method, with the values of the template's variables in order.
    Method(&'a Arc<Method>, &'a Binding, Vec<String>),
    /// Methods of these HTTP methods only.
    Only(Vec<HttpMethod>),
    /// Nothing.
    Nothing,
    /// The path is not properly encoded.
    Garbled,
}

impl Routes {
    /// Builds the tree from the rules of all public methods.
    pub(crate) fn new(contract: &Contract) -> Result<Self, ContractError> {
        let mut routes = Self::default();
        for method in contract.public().iter().flat_map(|service| &service.methods) {
            for binding in &method.bindings {
                routes.add(method, binding).map_err(|what| ContractError::Rule {
                    method: method.grpc_name().to_owned(),
                    what,
                })?;
            }
        }
        Ok(routes)
    }

    fn add(&mut self, method: &Arc<Method>, binding: &Binding) -> Result<(), String> {
        let mut node = &mut self.root;
        for segment in &binding.template.segments {
            node = match segment {
                Segment::Literal(text) => node.literals.entry(text.clone()).or_default(),
                Segment::Variable(_) => node.variable.get_or_insert_default(),
            };
        }
        let verb = binding.template.verb.clone().unwrap_or_default();
        let ends = node.ends.entry(verb).or_default();
        if let Some((_, other)) = ends.iter().find(|(http, _)| *http == binding.http) {
            let other = self.bindings[*other].0.grpc_name();
            return Err(format!("{} {} is {other}'s", binding.http, binding.template.text));
        }
        ends.push((binding.http.clone(), self.bindings.len()));
        self.bindings.push((method.clone(), binding.clone()));
        Ok(())
    }

    /// Finds what a request is for. HEAD is answered as GET.
    pub(crate) fn find(&self, http: &HttpMethod, path: &str) -> Found<'_> {
        let Some(path) = path.strip_prefix('/') else { return Found::Nothing };
        let wanted = if http == HttpMethod::HEAD { &HttpMethod::GET } else { http };
        let mut search =
            Search { wanted, values: Vec::new(), found: None, others: Vec::new(), garbled: false };
        let segments: Vec<&str> = path.split('/').collect();
        // A colon in the last segment is a verb if there is one of that name, else part of a value.
        if let Some((before, verb)) = segments.last().and_then(|last| last.rsplit_once(':')) {
            let mut segments = segments.clone();
            *segments.last_mut().expect("split gives at least one part") = before;
            search.descend(&self.root, &segments, verb);
        }
        if search.found.is_none() {
            search.descend(&self.root, &segments, "");
        }
        match search {
            Search { found: Some((at, values)), .. } => {
                let (method, binding) = &self.bindings[at];
                Found::Method(method, binding, values)
            }
            Search { garbled: true, .. } => Found::Garbled,
            Search { others, .. } if !others.is_empty() => Found::Only(others),
            Search { .. } => Found::Nothing,
        }
    }
}

/// The walk down the tree.
struct Search<'a> {
    wanted: &'a HttpMethod,
    values: Vec<String>,
    found: Option<(usize, Vec<String>)>,
    others: Vec<HttpMethod>,
    garbled: bool,
}

impl Search<'_> {
    fn descend(&mut self, node: &Node, segments: &[&str], verb: &str) {
        let Some((segment, rest)) = segments.split_first() else {
            return self.end(node, verb);
        };
        if let Some(next) = node.literals.get(*segment) {
            self.descend(next, rest, verb);
        }
        let Some(next) = &node.variable else { return };
        if self.found.is_some() || segment.is_empty() {
            return;
        }
        let Some(value) = percent_decoded(segment) else {
            self.garbled = true;
            return;
        };
        self.values.push(value.into_owned());
        self.descend(next, rest, verb);
        self.values.pop();
    }

    fn end(&mut self, node: &Node, verb: &str) {
        let Some(ends) = node.ends.get(verb) else { return };
        match ends.iter().find(|(http, _)| http == self.wanted) {
            Some((_, at)) => self.found = Some((*at, self.values.clone())),
            None => {
                for (http, _) in ends {
                    if !self.others.contains(http) {
                        self.others.push(http.clone());
                    }
                }
            }
        }
    }
}

/// Decodes `%41`; `None` when it is no UTF-8 or an escape is broken.
pub(super) fn percent_decoded(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains('%') {
        return Some(Cow::Borrowed(text));
    }
    let digit = |byte: Option<u8>| byte.and_then(|b| char::from(b).to_digit(16));
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let value = digit(bytes.next())? * 16 + digit(bytes.next())?;
            decoded.push(u8::try_from(value).expect("two hexadecimal digits fit a byte"));
        } else {
            decoded.push(byte);
        }
    }
    String::from_utf8(decoded).ok().map(Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn routes() -> Routes {
        Routes::new(&Contract::read(siyu_proto::DESCRIPTOR_SET).unwrap()).unwrap()
    }

    fn target(found: &Found<'_>) -> String {
        match found {
            Found::Method(method, _, values) => format!("{}{values:?}", method.name),
            Found::Only(methods) => format!("only {methods:?}"),
            Found::Nothing => "nothing".to_owned(),
            Found::Garbled => "garbled".to_owned(),
        }
    }

    #[test]
    fn paths_lead_to_the_methods_of_the_contracts() {
        let routes = routes();
        for (http, path, wanted) in [
            ("GET", "/v1/orders/ord_1", r#"GetOrder["ord_1"]"#),
            ("HEAD", "/v1/orders/ord_1", r#"GetOrder["ord_1"]"#),
            ("GET", "/v1/orders", "ListOrders[]"),
            ("POST", "/v1/orders:import", "ImportOrders[]"),
            ("POST", "/v1/campaigns/cmp_1:start", r#"StartCampaign["cmp_1"]"#),
            ("GET", "/v1/campaigns/cmp_1:start", r#"GetCampaign["cmp_1:start"]"#),
            ("GET", "/v1/orders/a%2Fb%3Ac", r#"GetOrder["a/b:c"]"#),
            ("GET", "/v1/orders/a:b", r#"GetOrder["a:b"]"#),
            ("GET", "/v1/orders/a%2", "garbled"),
            ("GET", "/v1/orders/%ff", "garbled"),
            ("DELETE", "/v1/orders", "only [GET]"),
            ("PATCH", "/v1/merchants", "only [POST, GET]"),
            ("GET", "/v1/orders/", "nothing"),
            ("GET", "/v1/orders//", "nothing"),
            ("GET", "/v2/orders", "nothing"),
            ("GET", "*", "nothing"),
        ] {
            let found = routes.find(&http.parse().unwrap(), path);
            assert_eq!(target(&found), wanted, "{http} {path}");
        }
    }

    #[test]
    fn internal_methods_have_no_path() {
        let contract = Contract::read(siyu_proto::DESCRIPTOR_SET).unwrap();
        assert!(contract.method("/siyu.event.v1.EventLogService/ReadEvents").is_none());
        assert!(contract.method("/siyu.order.v1.OrderService/GetOrder").is_some());
    }
}
