//! Texts of a path or a query as values of fields.

use base64::{Engine as _, prelude::BASE64_STANDARD, prelude::BASE64_URL_SAFE};
use prost_reflect::{
    DynamicMessage, EnumDescriptor, FieldDescriptor, Kind, MessageDescriptor, Value,
};
use serde::de::{
    IntoDeserializer,
    value::{Error as ValueError, StrDeserializer},
};

/// Reads the text of one value of a field, or says what it should be.
pub(super) fn value(field: &FieldDescriptor, text: &str) -> Result<Value, String> {
    let parsed = match field.kind() {
        Kind::String => Some(Value::String(text.to_owned())),
        Kind::Bool => text.parse().ok().map(Value::Bool),
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => text.parse().ok().map(Value::I32),
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => text.parse().ok().map(Value::I64),
        Kind::Uint32 | Kind::Fixed32 => text.parse().ok().map(Value::U32),
        Kind::Uint64 | Kind::Fixed64 => text.parse().ok().map(Value::U64),
        Kind::Double => text.parse().ok().map(Value::F64),
        Kind::Float => text.parse().ok().map(Value::F32),
        Kind::Bytes => bytes(text).map(|bytes| Value::Bytes(bytes.into())),
        Kind::Enum(descriptor) => enum_value(&descriptor, text),
        Kind::Message(descriptor) => well_known(descriptor, text),
    };
    parsed.ok_or_else(|| format!("must be {}, is \"{text}\"", one(&field.kind())))
}

fn bytes(text: &str) -> Option<Vec<u8>> {
    BASE64_STANDARD.decode(text).or_else(|_| BASE64_URL_SAFE.decode(text)).ok()
}

fn enum_value(descriptor: &EnumDescriptor, text: &str) -> Option<Value> {
    let number = match descriptor.get_value_by_name(text) {
        Some(value) => Some(value.number()),
        None => text.parse().ok(),
    };
    number.map(Value::EnumNumber)
}

/// A timestamp, a duration, a field mask, a wrapper: what has a text as its JSON form.
fn well_known(descriptor: MessageDescriptor, text: &str) -> Option<Value> {
    let text: StrDeserializer<'_, ValueError> = text.into_deserializer();
    DynamicMessage::deserialize(descriptor, text).ok().map(Value::Message)
}

/// What the JSON at a place should be; `is_element` is one of a list.
pub(super) fn expected(field: &FieldDescriptor, is_element: bool) -> String {
    if field.is_list() && !is_element {
        return "a list".to_owned();
    }
    one(&field.kind())
}

fn one(kind: &Kind) -> String {
    match kind {
        Kind::String => "a text",
        Kind::Bool => "true or false",
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => "a whole number of 32 bits",
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => "a whole number of 64 bits",
        Kind::Uint32 | Kind::Fixed32 => "a whole number of 32 bits, not negative",
        Kind::Uint64 | Kind::Fixed64 => "a whole number of 64 bits, not negative",
        Kind::Double | Kind::Float => "a number",
        Kind::Bytes => "base64",
        Kind::Enum(descriptor) => return one_of(descriptor),
        Kind::Message(descriptor) => match descriptor.full_name() {
            "google.protobuf.Timestamp" => "a time of RFC 3339 like 2026-01-31T10:00:00Z",
            "google.protobuf.Duration" => "a duration in seconds like 3.5s",
            "google.protobuf.FieldMask" => "names of fields, separated by commas",
            _ => "an object",
        },
    }
    .to_owned()
}

fn one_of(descriptor: &EnumDescriptor) -> String {
    let names: Vec<String> = descriptor.values().map(|value| value.name().to_owned()).collect();
    format!("one of {}", names.join(", "))
}
