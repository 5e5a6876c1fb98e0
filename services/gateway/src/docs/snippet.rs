//! Commands to try a method with. Origin and host are put in by the page, which knows where it was loaded from.

use std::fmt::Write as _;

use serde_json::Value;

use super::html::escaped;
use crate::{
    contract::{Binding, BodyRule, Method},
    example,
};

const ORIGIN: &str = "<span class=\"origin\">http://localhost:8080</span>";
const HOST: &str = "<span class=\"host\">localhost:8080</span>";
const PLAIN: &str = "<span class=\"plain\"> -plaintext</span>";
const TOKEN: &str = "  -H \"Authorization: Bearer $SIYU_TOKEN\"";

/// The call by REST; `None` when the method has no REST form.
pub(super) fn curl(method: &Method, example: &Value) -> Option<String> {
    let binding = method.bindings.first()?;
    let rest = example::body(binding, example);
    let (path, token) = (escaped(&path(binding, example)), escaped(TOKEN));
    let verb = match binding.http.as_str() {
        "GET" => String::new(),
        "POST" if has_members(&rest) => String::new(),
        other => format!("-X {other} "),
    };
    let mut out = match &binding.body {
        BodyRule::None => {
            format!("curl {verb}\"{ORIGIN}{path}{}\" \\\n{token}", escaped(&query(&rest)))
        }
        BodyRule::Whole | BodyRule::Field(_) => {
            format!("curl {verb}\"{ORIGIN}{path}\" \\\n{token}")
        }
    };
    if !matches!(binding.body, BodyRule::None) && has_members(&rest) {
        let json = "  -H \"Content-Type: application/json\"";
        out += &escaped(&format!(" \\\n{json} \\\n  -d '{rest:#}'"));
    }
    Some(out)
}

/// The call by gRPC.
pub(super) fn grpcurl(method: &Method, example: &Value) -> String {
    let data = if has_members(example) {
        escaped(&format!(" \\\n  -d '{example:#}'"))
    } else {
        String::new()
    };
    let token = escaped(TOKEN);
    format!("grpcurl{PLAIN} \\\n{token}{data} \\\n  {HOST} {}", method.grpc_name())
}

fn has_members(value: &Value) -> bool {
    value.as_object().is_some_and(|fields| !fields.is_empty())
}

/// The path with the example's values in it.
fn path(binding: &Binding, example: &Value) -> String {
    let mut path = binding.template.text.clone();
    for variable in binding.template.variables() {
        let name = variable.to_string();
        let value = example.pointer(&format!("/{}", name.replace('.', "/")));
        let value = value.and_then(Value::as_str).unwrap_or("…");
        path = path.replace(&format!("{{{name}}}"), value);
    }
    path
}

fn query(rest: &Value) -> String {
    let mut query = String::new();
    for (name, value) in rest.as_object().into_iter().flatten() {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let mark = if query.is_empty() { '?' } else { '&' };
        write!(query, "{mark}{name}={text}").expect("a String takes every write");
    }
    query
}
