//! Messages and enums on the page.

use prost_reflect::{EnumDescriptor, FieldDescriptor, Kind, MessageDescriptor};

use super::{
    html::{escaped, rich},
    short,
};
use crate::contract::{Bounds, Comments};

/// Whether a message is shown: the well-known types are values, and entries of maps are nothing.
pub(super) fn has_section(message: &MessageDescriptor) -> bool {
    !message.full_name().starts_with("google.protobuf.") && !message.is_map_entry()
}

/// What requests and replies hold.
pub(super) fn section(
    comments: &Comments,
    messages: &[MessageDescriptor],
    enums: &[EnumDescriptor],
) -> String {
    let messages = messages.iter().map(|message| {
        let about = rich(&comments.of_message(message));
        one(message.full_name(), message.package_name(), &about, &table(comments, message))
    });
    let enums = enums.iter().map(|descriptor| enumeration(comments, descriptor));
    let all: Vec<String> = messages.chain(enums).collect();
    format!("<section class=\"types\" id=\"types\">\n<h2>Types</h2>\n{}</section>\n", all.concat())
}

/// One type with its place on the page.
fn one(name: &str, package: &str, about: &str, table: &str) -> String {
    format!(
        "<div class=\"type\" id=\"type.{name}\">\n<h3>{}<small>{package}</small></h3>\n<p>{about}</p>\n\
         {table}</div>\n",
        short(name)
    )
}

/// The fields of a request or a reply; nothing when there are none.
pub(super) fn fields(title: &str, comments: &Comments, message: &MessageDescriptor) -> String {
    if message.fields().len() == 0 {
        return String::new();
    }
    format!("<h4>{title}</h4>\n{}", table(comments, message))
}

fn table(comments: &Comments, message: &MessageDescriptor) -> String {
    list(message.fields().map(|field| row(comments, &field)))
}

fn list(rows: impl Iterator<Item = String>) -> String {
    format!("<dl class=\"fields\">\n{}</dl>\n", rows.collect::<Vec<_>>().concat())
}

fn row(comments: &Comments, field: &FieldDescriptor) -> String {
    let bounds = Bounds::of(field);
    let required = if bounds.required { "<b class=\"required\">required</b>" } else { "" };
    let comment = comments.of_field(field);
    let words = bounds.words().into_iter().filter(|words| !comment.contains(words));
    let words: Vec<String> =
        words.map(|words| format!("<span class=\"bound\">{words}</span>")).collect();
    format!(
        "<dt><code>{}</code><span class=\"kind\">{}</span>{required}</dt><dd>{} {}</dd>\n",
        field.name(),
        kind(field),
        rich(&comment),
        words.join(" "),
    )
}

fn kind(field: &FieldDescriptor) -> String {
    if field.is_map() {
        let kind = field.kind();
        let entry = kind.as_message().map(MessageDescriptor::map_entry_value_field);
        return format!("map to {}", entry.as_ref().map_or_else(String::new, self::kind));
    }
    let one = match field.kind() {
        Kind::Message(message) if has_section(&message) => link(message.full_name()),
        Kind::Message(message) => match message.name() {
            "Timestamp" => "time, RFC 3339".to_owned(),
            "Duration" => "duration in seconds, “90s”".to_owned(),
            "FieldMask" => "names of fields".to_owned(),
            other => escaped(other),
        },
        Kind::Enum(descriptor) => link(descriptor.full_name()),
        Kind::String => "text".to_owned(),
        Kind::Bytes => "base64".to_owned(),
        Kind::Bool => "true or false".to_owned(),
        Kind::Double | Kind::Float => "number".to_owned(),
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 | Kind::Uint64 | Kind::Fixed64 => {
            "whole number, as text".to_owned()
        }
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 | Kind::Uint32 | Kind::Fixed32 => {
            "whole number".to_owned()
        }
    };
    let optional = field.containing_oneof().is_some_and(|oneof| oneof.is_synthetic());
    match (field.is_list(), optional) {
        (true, _) => format!("list of {one}"),
        (false, true) => format!("{one}, may be absent"),
        (false, false) => one,
    }
}

fn link(name: &str) -> String {
    format!("<a href=\"#type.{name}\">{}</a>", short(name))
}

fn enumeration(comments: &Comments, descriptor: &EnumDescriptor) -> String {
    let values = descriptor.values().map(|value| {
        let comment = rich(&comments.of_value(&value));
        format!("<dt><code>{}</code></dt><dd>{comment}</dd>\n", value.name())
    });
    let about = rich(&comments.of(&descriptor.parent_file(), descriptor.path()));
    one(descriptor.full_name(), descriptor.package_name(), &about, &list(values))
}
