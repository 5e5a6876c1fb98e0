//! One method at one path.

use prost_reflect::{FieldDescriptor, MessageDescriptor};
use serde_json::{Value, json};
use siyu_grpc::Idempotency;

use super::{PROBLEM, schema};
use crate::{
    contract::{
        Binding, BodyRule, Bounds, Comments, Contract, FieldPath, Method, Service, first_sentence,
    },
    example,
};

/// How deep query parameters lead into messages.
const DEPTH: usize = 3;

/// The `nth` binding of a method.
pub(super) fn operation(
    contract: &Contract,
    service: &Service,
    method: &Method,
    binding: &Binding,
    nth: usize,
) -> Value {
    let short = service.name.rsplit('.').next().unwrap_or_default();
    let suffix = if nth == 0 { String::new() } else { format!("_{}", nth + 1) };
    let request = example::request(method, contract.comments());
    let media = if method.server_streams { "application/x-ndjson" } else { "application/json" };
    let mut operation = json!({
        "operationId": format!("{short}_{}{suffix}", method.name),
        "tags": [service.name],
        "summary": first_sentence(&method.comment),
        "description": description(method),
        "parameters": parameters(contract.comments(), method, binding, &request),
        "responses": {
            "200": {
                "description": "The reply.",
                "content": {media: {"schema": schema::reference(method.output.full_name())}},
            },
            "default": {"$ref": format!("#/components/responses/{PROBLEM}")},
        },
        "x-grpc-method": method.grpc_name(),
    });
    if let Some(access) = &method.access {
        operation["x-scope"] = json!(access.scope);
        operation["x-audience"] = json!(access.audience.name());
    }
    if let Some(body) = body(contract.comments(), method, binding, &request) {
        operation["requestBody"] = body;
    }
    operation
}

fn description(method: &Method) -> String {
    let access = method.access.as_ref().map_or_else(String::new, |access| {
        format!("Takes a {} token with the scope `{}`. ", access.audience.name(), access.scope)
    });
    let repeat = match method.idempotency {
        Idempotency::NoSideEffects => "It changes nothing.",
        Idempotency::Idempotent => "It is safe to repeat.",
        Idempotency::Unknown => "A repeat has another effect.",
    };
    format!("{}\n\n{access}{repeat}", method.comment)
}

fn parameters(
    comments: &Comments,
    method: &Method,
    binding: &Binding,
    request: &Value,
) -> Vec<Value> {
    let mut parameters: Vec<Value> = binding
        .template
        .variables()
        .map(|path| parameter(comments, "path", &path.to_string(), path.leaf(), true))
        .collect();
    for (name, field) in query(&method.input, binding) {
        let is_required = Bounds::of(&field).required;
        parameters.push(parameter(comments, "query", &name, &field, is_required));
    }
    for parameter in &mut parameters {
        let example = parameter["name"].as_str().and_then(|name| request.get(name)).cloned();
        if let Some(example) = example {
            parameter["example"] = example;
        }
    }
    if method.input.get_field_by_name("request_id").is_some() {
        parameters.push(json!({
            "name": "Idempotency-Key",
            "in": "header",
            "description": "The same as request_id: a repeat with the same key has no second effect.",
            "schema": {"type": "string", "maxLength": 64},
        }));
    }
    parameters
}

fn parameter(
    comments: &Comments,
    place: &str,
    name: &str,
    field: &FieldDescriptor,
    required: bool,
) -> Value {
    json!({
        "name": name,
        "in": place,
        "required": required,
        "description": comments.of_field(field),
        "schema": schema::field(comments, field, false),
    })
}

/// The fields that the query fills, by name.
fn query(input: &MessageDescriptor, binding: &Binding) -> Vec<(String, FieldDescriptor)> {
    let taken = match &binding.body {
        BodyRule::Whole => return Vec::new(),
        BodyRule::Field(field) => Some(field.clone()),
        BodyRule::None => None,
    };
    let fields = input.fields().filter(|field| Some(field) != taken.as_ref()).map(|f| vec![f]);
    let mut found = Vec::new();
    let mut open: Vec<Vec<FieldDescriptor>> = fields.collect();
    open.reverse();
    while let Some(path) = open.pop() {
        let field = path.last().expect("a path has at least one field").clone();
        let at = FieldPath(path.clone());
        if field.is_map() || binding.template.variables().any(|v| at.starts_with(v)) {
            continue;
        }
        let kind = field.kind();
        match kind.as_message().filter(|inner| schema::is_component(inner)) {
            Some(inner) if !field.is_list() && path.len() < DEPTH => {
                let inner: Vec<_> = inner.fields().collect();
                open.extend(inner.into_iter().rev().map(|f| [&path[..], &[f]].concat()));
            }
            Some(_) => {}
            None => found.push((at.to_string(), field)),
        }
    }
    found
}

fn body(comments: &Comments, method: &Method, binding: &Binding, request: &Value) -> Option<Value> {
    let (schema, required) = match &binding.body {
        BodyRule::None => return None,
        BodyRule::Field(field) => {
            (schema::field(comments, field, false), Bounds::of(field).required)
        }
        BodyRule::Whole => {
            let in_path: Vec<&str> = binding
                .template
                .variables()
                .filter(|p| p.0.len() == 1)
                .map(|p| p.leaf().name())
                .collect();
            let must = |f: FieldDescriptor| Bounds::of(&f).required && !in_path.contains(&f.name());
            let schema = if in_path.is_empty() {
                schema::reference(method.input.full_name())
            } else {
                schema::message(comments, &method.input, &in_path)
            };
            (schema, method.input.fields().any(must))
        }
    };
    let content = json!({"schema": schema, "example": example::body(binding, request)});
    Some(json!({"required": required, "content": {"application/json": content}}))
}
