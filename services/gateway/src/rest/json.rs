//! JSON bodies as messages and back, in the canonical JSON form of protobuf. What is wrong with a body is told by the path of
//! the field.

use prost_reflect::{
    DeserializeOptions, DynamicMessage, FieldDescriptor, MessageDescriptor, SerializeOptions,
};
use serde_json::{Deserializer, error::Category};

use super::text;
use crate::contract::FieldPath;

/// Why a body is not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum JsonError {
    /// It is not JSON.
    Malformed(String),
    /// It is JSON, but a field is not as it must be.
    Field {
        /// The path of the field, as the caller wrote it; empty for the body as a whole.
        path: String,
        /// What is wrong.
        description: String,
    },
}

const READ: DeserializeOptions = DeserializeOptions::new();

/// Names as in the contract, since every comment speaks of them so; zeros are written, so that they can be seen.
const WRITE: SerializeOptions =
    SerializeOptions::new().use_proto_field_name(true).skip_default_fields(false);

/// Reads a message.
pub(super) fn read(
    descriptor: &MessageDescriptor,
    body: &[u8],
) -> Result<DynamicMessage, JsonError> {
    let mut json = Deserializer::from_slice(body);
    DynamicMessage::deserialize_with_options(descriptor.clone(), &mut json, &READ)
        .and_then(|message| json.end().map(|()| message))
        .map_err(|error| locate(descriptor, body, &error))
}

/// Writes an encoded message.
pub(super) fn write(
    descriptor: &MessageDescriptor,
    reply: &[u8],
) -> Result<Vec<u8>, prost::DecodeError> {
    let message = DynamicMessage::decode(descriptor.clone(), reply)?;
    // JSON is about four times as long as the encoding: names and quotes.
    let mut text = Vec::with_capacity(reply.len() * 4 + 64);
    let mut json = serde_json::Serializer::new(&mut text);
    message.serialize_with_options(&mut json, &WRITE).map_err(|error| unwritable(&error))?;
    Ok(text)
}

/// A value out of its type's range, for example a timestamp of the year 10000: the reply cannot be told.
#[expect(deprecated, reason = "prost has no other way to say why a message is not valid")]
fn unwritable(error: &serde_json::Error) -> prost::DecodeError {
    prost::DecodeError::new(error.to_string())
}

/// Reads the body once more, slower, to find the field at which it went wrong.
fn locate(descriptor: &MessageDescriptor, body: &[u8], error: &serde_json::Error) -> JsonError {
    if error.classify() != Category::Data {
        return JsonError::Malformed(error.to_string());
    }
    let mut json = Deserializer::from_slice(body);
    let mut track = serde_path_to_error::Track::new();
    let tracked = serde_path_to_error::Deserializer::new(&mut json, &mut track);
    let again = DynamicMessage::deserialize_with_options(descriptor.clone(), tracked, &READ);
    let path = match (again, track.path().to_string()) {
        (Ok(_), _) => String::new(),
        (Err(_), path) if path == "." => String::new(),
        (Err(_), path) => path,
    };
    explain(descriptor, path, error)
}

fn explain(descriptor: &MessageDescriptor, path: String, error: &serde_json::Error) -> JsonError {
    let text = error.to_string();
    let what = text.rsplit_once(" at line ").map_or(text.as_str(), |(what, _)| what);
    let place = format!("(line {}, column {})", error.line(), error.column());
    let unknown = what.strip_prefix("unrecognized field name '").and_then(|w| w.strip_suffix('\''));
    if let Some(name) = unknown {
        let path = if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
        return JsonError::Field { path, description: format!("is no field {place}") };
    }
    let description = match field_at(descriptor, &path) {
        Some(field) => {
            format!("must be {} {place}", text::expected(&field, path.ends_with(']')))
        }
        None => format!("{} {place}", what.replace("expected a map", "expected an object")),
    };
    JsonError::Field { path, description }
}

/// The field at a path like `orders[0].domain`.
fn field_at(descriptor: &MessageDescriptor, path: &str) -> Option<FieldDescriptor> {
    let mut message = descriptor.clone();
    let mut names = path.split('.').map(|part| part.split('[').next().unwrap_or(part)).peekable();
    while let Some(name) = names.next() {
        let field = FieldPath::resolve(&message, name)?.leaf().clone();
        if names.peek().is_none() {
            return Some(field);
        }
        message = field.kind().as_message().filter(|_| !field.is_map())?.clone();
    }
    None
}
