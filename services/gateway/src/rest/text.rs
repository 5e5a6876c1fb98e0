//! Texts of a path or a query as values of fields.

use base64::{Engine as _, prelude::BASE64_STANDARD, prelude::BASE64_URL_SAFE};
use prost_reflect::{
    DynamicMessage, EnumDescriptor, FieldDescriptor, Kind, MessageDescriptor, Value,
};
use serde::de::{IntoDeserializer, value::Error as ValueError};

/// Reads the text of one value of a field, or says what it should be.
pub(super) fn value(field: &FieldDescriptor, text: &str) -> Result<Value, String> {
    let kind = field.kind();
    let parsed = match &kind {
        Kind::String => Some(Value::String(text.to_owned())),
        Kind::Bool => text.parse().ok().map(Value::Bool),
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => text.parse().ok().map(Value::I32),
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => text.parse().ok().map(Value::I64),
        Kind::Uint32 | Kind::Fixed32 => text.parse().ok().map(Value::U32),
        Kind::Uint64 | Kind::Fixed64 => text.parse().ok().map(Value::U64),
        Kind::Double => text.parse().ok().map(Value::F64),
        Kind::Float => text.parse().ok().map(Value::F32),
        Kind::Bytes => bytes(text).map(|bytes| Value::Bytes(bytes.into())),
        Kind::Enum(descriptor) => return enum_value(descriptor, text),
        Kind::Message(descriptor) => return well_known(descriptor, text),
    };
    parsed.ok_or_else(|| format!("must be {}, is \"{text}\"", name(&kind)))
}

fn bytes(text: &str) -> Option<Vec<u8>> {
    BASE64_STANDARD.decode(text).or_else(|_| BASE64_URL_SAFE.decode(text)).ok()
}

fn enum_value(descriptor: &EnumDescriptor, text: &str) -> Result<Value, String> {
    let number = match descriptor.get_value_by_name(text) {
        Some(value) => Some(value.number()),
        None => text.parse().ok(),
    };
    number.map(Value::EnumNumber).ok_or_else(|| format!("must be {}", names(descriptor)))
}

/// The names of an enum, for a message: "one of A, B".
pub(super) fn names(descriptor: &EnumDescriptor) -> String {
    let names: Vec<String> = descriptor.values().map(|value| value.name().to_owned()).collect();
    format!("one of {}", names.join(", "))
}

/// A timestamp, a duration, a field mask, a wrapper: what has a text as its JSON form.
fn well_known(descriptor: &MessageDescriptor, text: &str) -> Result<Value, String> {
    if !descriptor.full_name().starts_with("google.protobuf.") {
        return Err("is a message: name one of its fields, like field.inner=…".to_owned());
    }
    let text = text.into_deserializer();
    DynamicMessage::deserialize(descriptor.clone(), text).map(Value::Message).map_err(
        |error: ValueError| match descriptor.name() {
            "Timestamp" => {
                "must be a time of RFC 3339, for example 2026-01-31T10:00:00Z".to_owned()
            }
            "Duration" => "must be a duration in seconds, for example 3.5s".to_owned(),
            _ => error.to_string(),
        },
    )
}

fn name(kind: &Kind) -> &'static str {
    match kind {
        Kind::String => "a text",
        Kind::Bool => "true or false",
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => "a whole number of 32 bits",
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => "a whole number of 64 bits",
        Kind::Uint32 | Kind::Fixed32 => "a whole number of 32 bits, not negative",
        Kind::Uint64 | Kind::Fixed64 => "a whole number of 64 bits, not negative",
        Kind::Double | Kind::Float => "a number",
        Kind::Bytes => "base64",
        Kind::Enum(_) => "one of the names",
        Kind::Message(_) => "a message",
    }
}
