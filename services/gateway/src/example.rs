//! Examples of messages, made from the contract alone: values that its bounds allow and that a reader understands. Tests send
//! every one of them.

use prost_reflect::{EnumDescriptor, FieldDescriptor, Kind, MessageDescriptor};
use serde_json::{Map, Value, json};

use crate::contract::{Binding, BodyRule, Bounds, Comments, Method};

/// How deep messages in messages are shown.
const DEPTH: usize = 5;
/// The part of an id behind its prefix.
const ID: &str = "01jz8m6c3te5v8k2q4w6y8a0bc";

/// Which fields an example shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Show {
    /// Those that a caller fills; of a read only those that it must.
    Asked { all: bool },
    /// All of a reply.
    Told,
}

/// A request of a method, in JSON.
pub(crate) fn request(method: &Method, comments: &Comments) -> Value {
    let has_body = method.bindings.first().is_none_or(|b| b.http != http::Method::GET);
    let mut example = message(&method.input, comments, Show::Asked { all: has_body }, DEPTH);
    if let (Some(fields), Some(binding)) = (example.as_object_mut(), method.bindings.first()) {
        for path in binding.template.variables().filter(|path| path.0.len() == 1) {
            let name = path.leaf().name().to_owned();
            fields.entry(name).or_insert_with(|| scalar(path.leaf(), comments));
        }
    }
    example
}

/// What of a request goes into the body: everything that is not in the path.
pub(crate) fn body(binding: &Binding, request: &Value) -> Value {
    let mut rest = request.clone();
    if let Some(fields) = rest.as_object_mut() {
        for variable in binding.template.variables().filter(|v| v.0.len() == 1) {
            fields.remove(variable.leaf().name());
        }
    }
    match &binding.body {
        BodyRule::Field(field) => rest.get(field.name()).cloned().unwrap_or_default(),
        BodyRule::None | BodyRule::Whole => rest,
    }
}

/// A reply of a method, in JSON.
pub(crate) fn reply(method: &Method, comments: &Comments) -> Value {
    message(&method.output, comments, Show::Told, DEPTH)
}

fn message(descriptor: &MessageDescriptor, comments: &Comments, show: Show, depth: usize) -> Value {
    let mut fields = Map::new();
    for field in descriptor.fields() {
        if is_the_one(&field)
            && is_shown(&field, comments, show)
            && let Some(value) = value(&field, comments, show, depth)
        {
            fields.insert(field.name().to_owned(), value);
        }
    }
    Value::Object(fields)
}

/// Of a choice between fields an example takes the first.
fn is_the_one(field: &FieldDescriptor) -> bool {
    let choice = field.containing_oneof().filter(|oneof| !oneof.is_synthetic());
    choice.is_none_or(|oneof| oneof.fields().next().as_ref() == Some(field))
}

fn is_shown(field: &FieldDescriptor, comments: &Comments, show: Show) -> bool {
    let comment = comments.of_field(field);
    match show {
        Show::Told => true,
        Show::Asked { .. } if comment.contains("Output only") => false,
        Show::Asked { all } => {
            // Protection against repeats and the next page are told of elsewhere; only an operator names a merchant.
            let is_special = matches!(field.name(), "request_id" | "page_token" | "page_size")
                || comment.contains("only the operator gives it");
            Bounds::of(field).required || (all && !is_special)
        }
    }
}

fn value(field: &FieldDescriptor, comments: &Comments, show: Show, depth: usize) -> Option<Value> {
    let depth = depth.checked_sub(1)?;
    let one = if field.is_map() {
        let kind = field.kind();
        let entry = kind.as_message()?.map_entry_value_field();
        return Some(json!({"key": value(&entry, comments, show, depth)?}));
    } else if let Kind::Message(inner) = field.kind() {
        match inner.full_name() {
            "google.protobuf.Timestamp" => json!("2026-01-31T10:00:00Z"),
            "google.protobuf.Duration" => json!("90s"),
            name if name.starts_with("google.protobuf.") => return None,
            _ => message(&inner, comments, show, depth),
        }
    } else {
        scalar(field, comments)
    };
    Some(if field.is_list() { json!([one]) } else { one })
}

fn scalar(field: &FieldDescriptor, comments: &Comments) -> Value {
    match field.kind() {
        Kind::String => Value::String(text(field.name(), &comments.of_field(field))),
        Kind::Bytes => json!("c2l5dQ=="),
        Kind::Bool => json!(true),
        Kind::Double | Kind::Float => json!(0.25),
        Kind::Enum(descriptor) => json!(first_name(&descriptor)),
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 | Kind::Uint64 | Kind::Fixed64 => {
            json!(number(field).to_string())
        }
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 | Kind::Uint32 | Kind::Fixed32 => {
            json!(number(field))
        }
        Kind::Message(_) => Value::Null,
    }
}

/// The first value that says something.
fn first_name(descriptor: &EnumDescriptor) -> String {
    let value = descriptor.values().find(|value| value.number() != 0);
    value.unwrap_or_else(|| descriptor.default_value()).name().to_owned()
}

fn number(field: &FieldDescriptor) -> i64 {
    let usual = match field.name() {
        "minor_units" => 1999,
        "open_minute" => 600,
        "close_minute" => 1320,
        "quantity" => 2,
        "level1_bp" => 1000,
        "level2_bp" => 200,
        "area_centi_sqm" => 16_050,
        "window_days" | "binding_valid_days" => 365,
        "protect_days" => 15,
        "growth_min" => 0,
        _ => 1,
    };
    let bounds = Bounds::of(field);
    usual.clamp(bounds.min.unwrap_or(i64::MIN), bounds.max.unwrap_or(i64::MAX))
}

/// The word that the comment gives as an example, else one that suits the name.
fn text(name: &str, comment: &str) -> String {
    if let Some(prefix) = id_prefix(name, comment) {
        return format!("{prefix}_{ID}");
    }
    if let Some(word) = quoted_after(comment, "for example ") {
        return word.to_owned();
    }
    match name {
        "zone" => "Asia/Shanghai",
        "currency_code" => "CNY",
        "name" => "Nanjing Road",
        "code" | "store_code" => "SH-001",
        "scopes" => "stores.read",
        "platform" => "tmall",
        "shop_id" => "flagship",
        "order_no" | "platform_order_no" => "T20260131-0001",
        "buyer_id" | "value" => "buyer-1001",
        "channel" => "sandbox",
        "status" => "paid",
        "scope" => "tmall/flagship",
        "sku" => "TEA-250",
        "category" => "tea",
        "source" => "live_code",
        "text" => "Spring tea is here.",
        "receipt_id" => "receipt-1",
        "account_id" => "wx1234567890",
        "secret" => "syt_Qm9va3MgYXJlIHRoZSBsYWRkZXIgb2YgaHVtYW4tcHI",
        "next_page_token" | "failure" => "",
        name if name == "day" || name.ends_with("_day") => "2026-01-31",
        _ => "text",
    }
    .to_owned()
}

/// The prefix of an id: from the comment (`prefix "ord"`), else from the name.
fn id_prefix<'a>(name: &str, comment: &'a str) -> Option<&'a str> {
    if let Some(prefix) = quoted_after(comment, "prefix ") {
        return Some(prefix);
    }
    let kinds = [
        ("merchant_id", "mch"),
        ("store_id", "sto"),
        ("staff_id", "stf"),
        ("person_id", "per"),
        ("person_ids", "per"),
        ("order_id", "ord"),
        ("promoter_id", "pro"),
        ("campaign_id", "cmp"),
        ("message_id", "msg"),
        ("token_id", "tok"),
    ];
    kinds.iter().find(|(suffix, _)| name.ends_with(suffix)).map(|&(_, prefix)| prefix)
}

fn quoted_after<'a>(comment: &'a str, before: &str) -> Option<&'a str> {
    let (_, rest) = comment.split_once(before)?;
    rest.strip_prefix('"')?.split_once('"').map(|(word, _)| word)
}
