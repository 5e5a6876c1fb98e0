//! The OpenAPI 3.1 document of every public method that has a REST form, made from the contract: nothing in it is written by
//! hand but the words of the frame.

mod operation;
mod schema;

use serde_json::{Map, Value, json};

use crate::{contract::Contract, problem};

/// The name of the schema of errors.
const PROBLEM: &str = "Problem";
/// The name of the security scheme.
const TOKEN: &str = "token";

/// The document.
pub(crate) fn document(contract: &Contract) -> Value {
    let tags: Vec<Value> = contract
        .public()
        .iter()
        .map(|service| json!({"name": service.name, "description": service.comment}))
        .collect();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Siyu",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "The back end of private-domain commerce",
            "description": DESCRIPTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "security": [{TOKEN: []}],
        "tags": tags,
        "paths": paths(contract),
        "components": {
            "securitySchemes": {TOKEN: {
                "type": "http",
                "scheme": "bearer",
                "description": "A token of the gateway, \"syt_…\", from CreateToken.",
            }},
            "responses": {PROBLEM: {
                "description": "What went wrong; `code` is stable and for machines.",
                "content": {problem::MEDIA_TYPE: {"schema": schema::reference(PROBLEM)}},
            }},
            "schemas": schemas(contract),
        },
    })
}

const DESCRIPTION: &str = "Every method is a gRPC method as well, with the same names and the same \
    answers. Field names are written as in the contract; requests may use lowerCamelCase too. Numbers \
    of 64 bits are strings. Fields with a zero value are written, so that zeros can be seen.";

fn paths(contract: &Contract) -> Value {
    let mut paths: Map<String, Value> = Map::new();
    for service in contract.public() {
        for method in &service.methods {
            for (i, binding) in method.bindings.iter().enumerate() {
                let at = paths.entry(binding.template.text.clone()).or_insert_with(|| json!({}));
                let verb = binding.http.as_str().to_lowercase();
                at[verb] = operation::operation(contract, service, method, binding, i);
            }
        }
    }
    Value::Object(paths)
}

fn schemas(contract: &Contract) -> Value {
    let mut schemas = Map::new();
    schemas.insert(PROBLEM.to_owned(), problem_schema());
    for (name, message) in contract.public_messages() {
        if schema::is_component(&message) {
            schemas.insert(name, schema::message(contract.comments(), &message, &[]));
        }
        for field in message.fields() {
            if let Some(descriptor) = field.kind().as_enum() {
                let name = descriptor.full_name().to_owned();
                schemas.insert(name, schema::enumeration(contract.comments(), descriptor));
            }
        }
    }
    Value::Object(schemas)
}

fn problem_schema() -> Value {
    let text = |description: &str| json!({"type": "string", "description": description});
    json!({
        "type": "object",
        "description": "An error (RFC 9457).",
        "required": ["type", "title", "status", "code", "detail", "errors", "metadata", "trace_id"],
        "properties": {
            "type": text("A name of the kind of error, made of the code."),
            "title": text("What the status says."),
            "status": {"type": "integer", "description": "The HTTP status."},
            "code": text("The stable reason, for machines: INVALID_FIELD, NOT_FOUND, …"),
            "detail": text("What went wrong, for people."),
            "errors": {
                "type": "array",
                "description": "The fields that are not as they must be.",
                "items": {
                    "type": "object",
                    "required": ["field", "description"],
                    "properties": {
                        "field": text("The path of the field: stores[0].name"),
                        "description": text("What is wrong with it."),
                    },
                },
            },
            "metadata": {
                "type": "object",
                "description": "The variables of the message, for machines.",
                "additionalProperties": {"type": "string"},
            },
            "trace_id": text("The trace by which an operator finds the call."),
        },
    })
}
