//! `google.api.http` as data: which HTTP method and path a method answers to, and which part of the request is the body.
//!
//! What the suite does not use (`*` and `**` segments, patterns in a variable, `response_body`) is refused at start, not
//! ignored.

use http::Method as HttpMethod;
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, MethodDescriptor};

/// One way to a method.
#[derive(Debug, Clone)]
pub(crate) struct Binding {
    /// The HTTP method.
    pub http: HttpMethod,
    /// The path.
    pub template: Template,
    /// What the body fills.
    pub body: BodyRule,
}

/// What the body of a request fills.
#[derive(Debug, Clone)]
pub(crate) enum BodyRule {
    /// There is none; what the path does not hold comes from the query.
    None,
    /// Everything that the path does not hold; there is no query.
    Whole,
    /// One field; the rest comes from the query.
    Field(FieldDescriptor),
}

/// A path with variables, `/v1/campaigns/{campaign_id}:start`.
#[derive(Debug, Clone)]
pub(crate) struct Template {
    /// As it stands in the contract.
    pub text: String,
    /// The parts between slashes.
    pub segments: Vec<Segment>,
    /// What follows the colon: "start".
    pub verb: Option<Box<str>>,
}

/// One part of a path.
#[derive(Debug, Clone)]
pub(crate) enum Segment {
    /// Itself.
    Literal(Box<str>),
    /// The value of a field.
    Variable(FieldPath),
}

/// A field of a request or of a message in it: "store.id".
#[derive(Debug, Clone)]
pub(crate) struct FieldPath(pub Vec<FieldDescriptor>);

impl FieldPath {
    /// Resolves names in proto or JSON style; `None` when there is no such field.
    pub(crate) fn resolve(message: &MessageDescriptor, text: &str) -> Option<Self> {
        let mut fields: Vec<FieldDescriptor> = Vec::new();
        let mut message = Some(message.clone());
        for name in text.split('.') {
            let parent = message?;
            let field =
                parent.get_field_by_name(name).or_else(|| parent.get_field_by_json_name(name))?;
            // What lies behind a list or a map has no single place, and the well-known types are values.
            let inner = field.kind().as_message().cloned();
            let leads_on = !field.is_list() && !field.is_map();
            message = inner.filter(|m| leads_on && !m.full_name().starts_with("google.protobuf."));
            fields.push(field);
        }
        Some(Self(fields))
    }

    /// The field at its end.
    pub(crate) fn leaf(&self) -> &FieldDescriptor {
        self.0.last().expect("a path has at least one field")
    }

    /// Whether it begins with all of the other.
    pub(crate) fn starts_with(&self, other: &Self) -> bool {
        self.0.starts_with(&other.0)
    }
}

impl std::fmt::Display for FieldPath {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (i, field) in self.0.iter().enumerate() {
            write!(f, "{}{}", if i > 0 { "." } else { "" }, field.name())?;
        }
        Ok(())
    }
}

impl Template {
    /// The variables, in order.
    pub(crate) fn variables(&self) -> impl Iterator<Item = &FieldPath> {
        self.segments.iter().filter_map(|segment| match segment {
            Segment::Variable(path) => Some(path),
            Segment::Literal(_) => None,
        })
    }
}

/// The bindings of a method; none when it has no REST rule.
pub(super) fn bindings(method: &MethodDescriptor) -> Result<Vec<Binding>, String> {
    let pool = method.parent_pool();
    let Some(extension) = pool.get_extension_by_name("google.api.http") else {
        return Ok(Vec::new());
    };
    let options = method.options();
    if !options.has_extension(&extension) {
        return Ok(Vec::new());
    }
    if method.is_client_streaming() {
        return Err("a stream of requests has no REST form".to_owned());
    }
    let value = options.get_extension(&extension);
    let rule = value.as_message().ok_or("google.api.http is no message")?;
    let mut bindings = vec![binding(rule, &method.input())?];
    let more = rule.get_field_by_name("additional_bindings");
    for rule in more.iter().filter_map(|list| list.as_list()).flatten() {
        bindings
            .push(binding(rule.as_message().ok_or("a binding is no message")?, &method.input())?);
    }
    Ok(bindings)
}

fn binding(rule: &DynamicMessage, input: &MessageDescriptor) -> Result<Binding, String> {
    let text = |name: &str| {
        rule.get_field_by_name(name).and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default()
    };
    if !text("response_body").is_empty() {
        return Err("response_body is not supported".to_owned());
    }
    let (http, template) = [
        (HttpMethod::GET, "get"),
        (HttpMethod::PUT, "put"),
        (HttpMethod::POST, "post"),
        (HttpMethod::DELETE, "delete"),
        (HttpMethod::PATCH, "patch"),
    ]
    .into_iter()
    .find_map(|(http, field)| rule.has_field_by_name(field).then(|| (http, text(field))))
    .ok_or("it has no get, put, post, delete or patch")?;
    let body = match text("body").as_str() {
        "" => BodyRule::None,
        "*" => BodyRule::Whole,
        name => BodyRule::Field(
            input.get_field_by_name(name).ok_or_else(|| format!("there is no field {name}"))?,
        ),
    };
    Ok(Binding { http, template: template_of(&template, input)?, body })
}

fn template_of(text: &str, input: &MessageDescriptor) -> Result<Template, String> {
    let path =
        text.strip_prefix('/').ok_or_else(|| format!("{text} does not start with a slash"))?;
    let (path, verb) = match path.rsplit_once(':') {
        Some((path, verb)) => (path, Some(verb.into())),
        None => (path, None),
    };
    let segments = path.split('/').map(|part| segment(part, input)).collect::<Result<_, _>>()?;
    Ok(Template { text: text.to_owned(), segments, verb })
}

fn segment(part: &str, input: &MessageDescriptor) -> Result<Segment, String> {
    let Some(name) = part.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) else {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.~".contains(c);
        return if !part.is_empty() && part.chars().all(is_plain) {
            Ok(Segment::Literal(part.into()))
        } else {
            Err(format!("the path segment \"{part}\" is not supported"))
        };
    };
    let path =
        FieldPath::resolve(input, name).ok_or_else(|| format!("there is no field {name}"))?;
    let is_single = !path.leaf().is_list() && !matches!(path.leaf().kind(), Kind::Message(_));
    if is_single { Ok(Segment::Variable(path)) } else { Err(format!("{name} is no single value")) }
}
