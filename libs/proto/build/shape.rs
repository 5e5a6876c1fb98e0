//! Writes `impl Shape for …` for every message of the suite from its `(siyu.type.v1.shape)` options.

use std::fmt::Write as _;

use prost_reflect::{
    DescriptorPool, DynamicMessage, ExtensionDescriptor, FieldDescriptor, Kind, MessageDescriptor,
};

const STRING_BYTES_MAX: u32 = 256;
const LIST_ITEMS_MAX: u32 = 1000;

/// The rules of one field, read from its option.
#[derive(Default)]
struct Rules {
    required: bool,
    max_len: Option<u32>,
    max_items: Option<u32>,
    min: Option<i64>,
    max: Option<i64>,
    each_apart: bool,
}

/// The source text of all implementations.
pub(crate) fn generate(descriptor_set: &[u8]) -> Result<String, Box<dyn std::error::Error>> {
    let pool = DescriptorPool::decode(descriptor_set)?;
    let extension = pool.get_extension_by_name("siyu.type.v1.shape").ok_or("no shape option")?;
    let mut source = String::new();
    for message in pool.all_messages() {
        if message.package_name().starts_with("siyu.") && !message.is_map_entry() {
            write_message(&mut source, &message, &extension)?;
        }
    }
    Ok(source)
}

fn write_message(
    out: &mut String,
    message: &MessageDescriptor,
    extension: &ExtensionDescriptor,
) -> std::fmt::Result {
    let mut body = String::new();
    for field in message.fields() {
        if field.containing_oneof().is_some() && !field.supports_presence_as_option() {
            continue; // members of a oneof are parsed by the method, which knows what each case means
        }
        let rules = Rules::of(&field, extension);
        write_field(&mut body, &field, &rules)?;
    }
    let (path, out_name) = if body.is_empty() { ("_path", "_out") } else { ("path", "out") };
    writeln!(
        out,
        "impl crate::Shape for {} {{\nfn violations(&self, {path}: &crate::Path<'_>, {out_name}: &mut Vec<siyu_kernel::Violation>) {{\n{body}}}\n}}",
        rust_path(message)
    )
}

fn write_field(body: &mut String, field: &FieldDescriptor, rules: &Rules) -> std::fmt::Result {
    let name = field.name();
    let ident = rust_ident(name);
    let at = format!("path.child(\"{name}\")");
    if field.is_map() {
        return Ok(());
    }
    if field.is_list() {
        let max = rules.max_items.unwrap_or(LIST_ITEMS_MAX);
        writeln!(
            body,
            "crate::shape::list(&{at}, self.{ident}.len(), {}, {max}, out);",
            rules.required
        )?;
        match field.kind() {
            _ if rules.each_apart => {}
            Kind::Message(inner) if is_ours(&inner) => writeln!(
                body,
                "for (i, item) in self.{ident}.iter().enumerate() {{ crate::Shape::violations(item, &path.item(\"{name}\", i), out); }}"
            )?,
            Kind::String => {
                let max = rules.max_len.unwrap_or(STRING_BYTES_MAX);
                writeln!(
                    body,
                    "for (i, item) in self.{ident}.iter().enumerate() {{ crate::shape::text(&path.item(\"{name}\", i), item, true, {max}, out); }}"
                )?;
            }
            _ => {}
        }
        return Ok(());
    }
    match field.kind() {
        Kind::Message(inner) => {
            if rules.required {
                writeln!(body, "crate::shape::present(&{at}, self.{ident}.is_some(), out);")?;
            }
            if is_ours(&inner) {
                writeln!(
                    body,
                    "if let Some(inner) = &self.{ident} {{ crate::Shape::violations(inner, &{at}, out); }}"
                )?;
            }
        }
        Kind::String => {
            let max = rules.max_len.unwrap_or(STRING_BYTES_MAX);
            let value = if field.supports_presence() {
                format!("self.{ident}.as_deref().unwrap_or_default()")
            } else {
                format!("&self.{ident}")
            };
            writeln!(body, "crate::shape::text(&{at}, {value}, {}, {max}, out);", rules.required)?;
        }
        Kind::Bool | Kind::Bytes | Kind::Double | Kind::Float => {}
        _ => {
            if rules.required || rules.min.is_some() || rules.max.is_some() {
                let value = if field.supports_presence() {
                    format!("self.{ident}.map(i64::from)")
                } else {
                    format!("i64::try_from(self.{ident}).ok()")
                };
                writeln!(
                    body,
                    "crate::shape::number(&{at}, {value}, {}, {:?}, {:?}, out);",
                    rules.required, rules.min, rules.max
                )?;
            }
        }
    }
    Ok(())
}

trait Presence {
    fn supports_presence_as_option(&self) -> bool;
}

impl Presence for FieldDescriptor {
    /// A proto3 `optional` stands in a synthetic oneof of its own and is an `Option` in Rust.
    fn supports_presence_as_option(&self) -> bool {
        self.containing_oneof().is_some_and(|oneof| oneof.is_synthetic())
    }
}

impl Rules {
    fn of(field: &FieldDescriptor, extension: &ExtensionDescriptor) -> Self {
        let options = field.options();
        if !options.has_extension(extension) {
            return Self::default();
        }
        let value = options.get_extension(extension);
        let Some(shape) = value.as_message() else { return Self::default() };
        let present = |name: &str| shape.has_field_by_name(name);
        let get = |name: &str| shape.get_field_by_name(name);
        Self {
            required: get("required").and_then(|v| v.as_bool()).unwrap_or(false),
            max_len: present("max_len").then(|| get("max_len").and_then(|v| v.as_u32())).flatten(),
            max_items: present("max_items")
                .then(|| get("max_items").and_then(|v| v.as_u32()))
                .flatten(),
            min: number(shape, "min"),
            max: number(shape, "max"),
            each_apart: get("each_apart").and_then(|v| v.as_bool()).unwrap_or(false),
        }
    }
}

fn number(shape: &DynamicMessage, name: &str) -> Option<i64> {
    shape.has_field_by_name(name).then(|| shape.get_field_by_name(name)?.as_i64()).flatten()
}

fn is_ours(message: &MessageDescriptor) -> bool {
    message.package_name().starts_with("siyu.")
}

/// `siyu.order.v1.Order.Line` → `crate::order::v1::order::Line`, as prost names nested types.
fn rust_path(message: &MessageDescriptor) -> String {
    let mut modules = vec!["crate".to_owned()];
    modules.extend(message.package_name().split('.').skip(1).map(rust_ident));
    let mut parents = Vec::new();
    let mut parent = message.parent_message();
    while let Some(outer) = parent {
        parents.push(snake(outer.name()));
        parent = outer.parent_message();
    }
    modules.extend(parents.into_iter().rev());
    format!("{}::{}", modules.join("::"), message.name())
}

fn rust_ident(name: &str) -> String {
    match name {
        "type" | "move" | "ref" | "match" | "in" | "use" => format!("r#{name}"),
        _ => name.to_owned(),
    }
}

fn snake(name: &str) -> String {
    let mut out = String::new();
    for (i, c) in name.chars().enumerate() {
        if c.is_uppercase() && i > 0 {
            out.push('_');
        }
        out.extend(c.to_lowercase());
    }
    out
}
