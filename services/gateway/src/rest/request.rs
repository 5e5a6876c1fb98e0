//! One request message from path, query, body and `Idempotency-Key`. What the path says holds; nothing is taken silently that
//! is said twice.

use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, ReflectMessage, Value};
use siyu_kernel::Violation;

use super::{json, json::JsonError, route::percent_decoded, text};
use crate::contract::{Binding, BodyRule, FieldPath, Method};

/// What a request says, in parts.
#[derive(Debug, Default)]
pub(super) struct Parts<'a> {
    /// The values of the path's variables, in order.
    pub variables: Vec<String>,
    /// The query as sent, without the question mark.
    pub query: Option<&'a str>,
    /// The body.
    pub body: &'a [u8],
    /// The `Idempotency-Key`.
    pub key: Option<&'a str>,
}

/// Why parts do not make a request.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unfit {
    /// The body is not JSON.
    Malformed(String),
    /// Fields are not as they must be.
    Fields(Vec<Violation>),
    /// There is a body where none is read.
    BodyUnread,
}

impl From<JsonError> for Unfit {
    fn from(error: JsonError) -> Self {
        match error {
            JsonError::Malformed(what) => Self::Malformed(what),
            JsonError::Field { path, description } => Self::field(path, description),
        }
    }
}

impl Unfit {
    fn field(field: impl Into<String>, description: impl Into<String>) -> Self {
        let violation = Violation { field: field.into(), description: description.into() };
        Self::Fields(vec![violation])
    }
}

/// Puts the parts together.
pub(super) fn assemble(
    method: &Method,
    binding: &Binding,
    parts: Parts<'_>,
) -> Result<DynamicMessage, Unfit> {
    let mut message = body(method, binding, parts.body)?;
    for (path, value) in binding.template.variables().zip(parts.variables) {
        set_variable(&mut message, path, &value)?;
    }
    query(&mut message, binding, parts.query.unwrap_or_default())?;
    if let Some(key) = parts.key {
        set_request_id(&mut message, key)?;
    }
    Ok(message)
}

fn body(method: &Method, binding: &Binding, body: &[u8]) -> Result<DynamicMessage, Unfit> {
    let is_empty = body.iter().all(u8::is_ascii_whitespace);
    let mut message = DynamicMessage::new(method.input.clone());
    match &binding.body {
        BodyRule::None if !is_empty => return Err(Unfit::BodyUnread),
        _ if is_empty => {}
        BodyRule::None => {}
        BodyRule::Whole => return json::read(&method.input, body).map_err(whole),
        BodyRule::Field(field) => message.set_field(field, field_body(field, body)?),
    }
    Ok(message)
}

/// A body that is something else has no field to name.
fn whole(error: JsonError) -> Unfit {
    let has_no_field = matches!(&error, JsonError::Field { path, .. } if path.is_empty());
    if has_no_field { Unfit::Malformed("it must be an object".to_owned()) } else { error.into() }
}

/// The body of `body: "store"`: the value of that field alone.
fn field_body(field: &FieldDescriptor, body: &[u8]) -> Result<Value, Unfit> {
    let Kind::Message(inner) = field.kind() else {
        return Err(Unfit::field(field.name(), "has no body form"));
    };
    if field.is_list() || field.is_map() {
        return Err(Unfit::field(field.name(), "has no body form"));
    }
    let message = json::read(&inner, body).map_err(|error| match error {
        JsonError::Malformed(_) => error,
        JsonError::Field { path, description } => {
            let dot = if path.is_empty() || path.starts_with('[') { "" } else { "." };
            JsonError::Field { path: format!("{}{dot}{path}", field.name()), description }
        }
    })?;
    Ok(Value::Message(message))
}

/// A body may repeat what the path says, and must not contradict it.
fn set_variable(message: &mut DynamicMessage, path: &FieldPath, given: &str) -> Result<(), Unfit> {
    let value =
        text::value(path.leaf(), given).map_err(|what| Unfit::field(path.to_string(), what))?;
    let slot = parent(message, path);
    if slot.has_field(path.leaf()) && *slot.get_field(path.leaf()) != value {
        return Err(Unfit::field(path.to_string(), "differs from the path"));
    }
    slot.set_field(path.leaf(), value);
    Ok(())
}

fn query(message: &mut DynamicMessage, binding: &Binding, query: &str) -> Result<(), Unfit> {
    let mut seen: Vec<FieldPath> = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (Some(name), Some(value)) = (form_decoded(name), form_decoded(value)) else {
            return Err(Unfit::field(name, "is not properly percent-encoded"));
        };
        let path = parameter(message, binding, &name)
            .ok_or_else(|| Unfit::field(name.clone(), "is no query parameter of this method"))?;
        let is_list = path.leaf().is_list();
        if !is_list && seen.iter().any(|other| other.0 == path.0) {
            return Err(Unfit::field(name, "is given twice"));
        }
        let value = text::value(path.leaf(), &value).map_err(|what| Unfit::field(name, what))?;
        let slot = parent(message, &path);
        if is_list {
            let list = slot.get_field_mut(path.leaf()).as_list_mut();
            list.expect("a list field holds a list").push(value);
        } else {
            slot.set_field(path.leaf(), value);
        }
        seen.push(path);
    }
    Ok(())
}

/// The field that a query parameter fills, unless the path or the body fills it.
fn parameter(message: &DynamicMessage, binding: &Binding, name: &str) -> Option<FieldPath> {
    let path = FieldPath::resolve(&message.descriptor(), name).filter(|p| !p.leaf().is_map())?;
    let is_taken = match &binding.body {
        BodyRule::None => false,
        BodyRule::Whole => true,
        BodyRule::Field(field) => path.0.first() == Some(field),
    };
    let in_path = binding.template.variables().any(|variable| path.starts_with(variable));
    (!is_taken && !in_path).then_some(path)
}

/// The header fills the field of its meaning. A method without one is safe to repeat by itself.
fn set_request_id(message: &mut DynamicMessage, key: &str) -> Result<(), Unfit> {
    let Some(field) = message.descriptor().get_field_by_name("request_id") else { return Ok(()) };
    let key = Value::String(key.to_owned());
    if message.has_field(&field) && *message.get_field(&field) != key {
        return Err(Unfit::field("request_id", "differs from the header Idempotency-Key"));
    }
    message.set_field(&field, key);
    Ok(())
}

/// The message in which the last field of a path stands; those on the way are made.
fn parent<'a>(message: &'a mut DynamicMessage, path: &FieldPath) -> &'a mut DynamicMessage {
    let (_, way) = path.0.split_last().expect("a path has at least one field");
    way.iter().fold(message, |message, field| {
        let inner = message.get_field_mut(field).as_message_mut();
        inner.expect("a path leads through single messages")
    })
}

/// Decodes a part of a query: a plus is a space.
fn form_decoded(text: &str) -> Option<String> {
    let spaced = text.replace('+', " ");
    percent_decoded(&spaced).map(std::borrow::Cow::into_owned)
}
