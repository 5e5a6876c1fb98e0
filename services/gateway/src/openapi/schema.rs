//! Messages and enums as JSON Schema 2020-12, in the form that the gateway writes.

use prost_reflect::{
    EnumDescriptor, EnumValueDescriptor, FieldDescriptor, Kind, MessageDescriptor,
};
use serde_json::{Map, Value, json};

use crate::contract::{Bounds, Comments};

/// A reference to a schema of the document.
pub(super) fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

/// Whether a message has a schema of its own: the well-known types are values, and entries of maps are nothing.
pub(super) fn is_component(message: &MessageDescriptor) -> bool {
    !message.full_name().starts_with("google.protobuf.") && !message.is_map_entry()
}

/// A message, without some of its fields.
pub(super) fn message(comments: &Comments, message: &MessageDescriptor, without: &[&str]) -> Value {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for field in message.fields().filter(|field| !without.contains(&field.name())) {
        if Bounds::of(&field).required {
            required.push(field.name().to_owned());
        }
        properties.insert(field.name().to_owned(), self::field(comments, &field, true));
    }
    let mut schema = json!({
        "type": "object",
        "description": comments.of_message(message),
        "properties": properties,
        "additionalProperties": false,
    });
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    schema
}

/// An enum, with what its values mean.
pub(super) fn enumeration(comments: &Comments, descriptor: &EnumDescriptor) -> Value {
    let names: Vec<String> = descriptor.values().map(|value| value.name().to_owned()).collect();
    let mut words = vec![comments.of(&descriptor.parent_file(), descriptor.path())];
    let value =
        |value| format!("- `{}`: {}", EnumValueDescriptor::name(&value), comments.of_value(&value));
    words.extend(descriptor.values().map(value));
    json!({"type": "string", "enum": names, "description": words.join("\n")})
}

/// One field, with its bounds and, if wanted, its comment.
pub(super) fn field(comments: &Comments, field: &FieldDescriptor, described: bool) -> Value {
    let bounds = Bounds::of(field);
    let mut schema = if field.is_map() {
        let kind = field.kind();
        let entry = kind.as_message().expect("the kind of a map is a message");
        let value = self::field(comments, &entry.map_entry_value_field(), false);
        json!({"type": "object", "additionalProperties": value})
    } else if field.is_list() {
        json!({"type": "array", "items": one(field, &bounds), "maxItems": bounds.list_max})
    } else {
        one(field, &bounds)
    };
    if described {
        let comment = comments.of_field(field);
        if comment.contains("Output only") {
            schema["readOnly"] = json!(true);
        }
        let words = bounds.words().join(", ");
        schema["description"] = match (comment.is_empty(), words.is_empty()) {
            (false, false) => json!(format!("{comment} ({words})")),
            (true, false) => json!(words),
            (_, true) => json!(comment),
        };
    }
    schema
}

/// One value of a field.
fn one(field: &FieldDescriptor, bounds: &Bounds) -> Value {
    match field.kind() {
        Kind::Bool => json!({"type": "boolean"}),
        Kind::String => json!({"type": "string", "maxLength": bounds.text_max}),
        Kind::Bytes => json!({"type": "string", "contentEncoding": "base64"}),
        Kind::Double => json!({"type": "number", "format": "double"}),
        Kind::Float => json!({"type": "number", "format": "float"}),
        Kind::Enum(descriptor) => reference(descriptor.full_name()),
        Kind::Message(message) => message_value(&message),
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => integer("int32", bounds),
        Kind::Uint32 | Kind::Fixed32 => {
            let least = bounds.min.unwrap_or(0).max(0);
            integer("uint32", &Bounds { min: Some(least), ..bounds.clone() })
        }
        // As text, for a number of JavaScript has 53 bits; the bounds stand in the description.
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => {
            json!({"type": "string", "format": "int64", "pattern": "^-?[0-9]+$"})
        }
        Kind::Uint64 | Kind::Fixed64 => {
            json!({"type": "string", "format": "uint64", "pattern": "^[0-9]+$"})
        }
    }
}

fn integer(format: &str, bounds: &Bounds) -> Value {
    let mut schema = json!({"type": "integer", "format": format});
    if let Some(min) = bounds.min {
        schema["minimum"] = json!(min);
    }
    if let Some(max) = bounds.max {
        schema["maximum"] = json!(max);
    }
    schema
}

fn message_value(message: &MessageDescriptor) -> Value {
    match message.full_name() {
        "google.protobuf.Timestamp" => json!({"type": "string", "format": "date-time"}),
        "google.protobuf.Duration" => {
            json!({"type": "string", "pattern": "^-?[0-9]+(\\.[0-9]+)?s$"})
        }
        "google.protobuf.FieldMask" => {
            json!({"type": "string", "description": "Names of fields, separated by commas."})
        }
        name if is_component(message) => reference(name),
        // Wrappers and free-form values.
        _ => json!({}),
    }
}
