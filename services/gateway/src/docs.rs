//! The docs page: one self-contained HTML file, made at start from the contracts. It loads nothing from anywhere, and its policy
//! lets it run nothing but its own script.

mod html;
mod method;
mod snippet;
mod types;

use std::collections::{BTreeMap, BTreeSet};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use prost_reflect::{EnumDescriptor, MessageDescriptor};
use sha2::{Digest as _, Sha256};

use crate::{
    contract::{Contract, Service},
    door::Docs,
};
use html::{escaped, rich};

const STYLE: &str = include_str!("docs/style.css");
const SCRIPT: &str = include_str!("docs/script.js");
const INTRO: &str = include_str!("docs/intro.html");

/// The page of all public services.
pub(crate) fn page(contract: &Contract) -> Docs {
    let mut body = String::from(INTRO);
    for service in contract.public() {
        body += &section(contract, service);
    }
    body += &types::section(contract.comments(), &messages(contract), &enums(contract));
    let html = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>Siyu API</title>\n<style>{STYLE}</style>\n</head>\n<body>\n{}\
         <main id=\"top\">\n{body}</main>\n<script>{SCRIPT}</script>\n</body>\n</html>\n",
        navigation(contract),
    );
    Docs { html, policy: policy() }
}

/// Nothing from elsewhere, and of what stands in the page only what we wrote.
fn policy() -> String {
    let hash = |text: &str| BASE64_STANDARD.encode(Sha256::digest(text));
    format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'",
        hash(STYLE),
        hash(SCRIPT),
    )
}

fn navigation(contract: &Contract) -> String {
    let groups: Vec<String> = contract.public().iter().map(group).collect();
    format!(
        "<aside>\n<a class=\"brand\" href=\"#top\"><span class=\"mark\">私域</span>Siyu API</a>\n\
         <input type=\"search\" id=\"filter\" placeholder=\"Filter methods  /\" \
         aria-label=\"Filter methods\">\n<nav>\n<ul class=\"guide\">\
         <li><a href=\"#credentials\">Credentials</a></li><li><a href=\"#json\">JSON</a></li>\
         <li><a href=\"#errors\">Errors</a></li><li><a href=\"#repeats\">Repeats and pages</a></li>\
         <li><a href=\"#grpc\">gRPC</a></li></ul>\n{}</nav>\n</aside>\n",
        groups.concat()
    )
}

fn group(service: &Service) -> String {
    let items = service.methods.iter().map(|method| {
        let verb = method.bindings.first().map_or("rpc", |b| b.http.as_str());
        format!(
            "<li data-find=\"{}\"><a href=\"#{}\"><i class=\"verb {}\">{verb}</i>{}</a></li>",
            escaped(&method::haystack(method)),
            method::anchor(method),
            verb.to_lowercase(),
            method.name,
        )
    });
    format!(
        "<section data-group><a class=\"group\" href=\"#{}\">{}<span>{}</span></a><ul>{}</ul></section>\n",
        service.name,
        short(&service.name).trim_end_matches("Service"),
        service.name.split('.').nth(1).unwrap_or_default(),
        items.collect::<Vec<_>>().concat(),
    )
}

fn section(contract: &Contract, service: &Service) -> String {
    let package = service.name.rsplit_once('.').map_or("", |(package, _)| package);
    let mut out = format!(
        "<section class=\"service\" id=\"{}\" data-group>\n<h2>{}<small>{package}</small></h2>\n<p>{}</p>\n",
        service.name,
        short(&service.name),
        rich(&service.comment),
    );
    for method in &service.methods {
        out += &method::article(contract.comments(), method);
    }
    out + "</section>\n"
}

/// The messages that requests and replies hold, which have no place of their own beside a method.
fn messages(contract: &Contract) -> Vec<MessageDescriptor> {
    let methods = contract.public().iter().flat_map(|service| &service.methods);
    let shown: Vec<String> = methods
        .flat_map(|m| [m.input.full_name().to_owned(), m.output.full_name().to_owned()])
        .collect();
    let all = contract.public_messages();
    // What is the reply of a method may be held by the reply of another, which leads to it.
    let held: BTreeSet<String> = all
        .values()
        .flat_map(MessageDescriptor::fields)
        .filter_map(|field| Some(field.kind().as_message()?.full_name().to_owned()))
        .collect();
    let is_elsewhere = |name: &String| shown.contains(name) && !held.contains(name);
    all.into_iter()
        .filter(|(name, message)| types::has_section(message) && !is_elsewhere(name))
        .map(|(_, message)| message)
        .collect()
}

fn enums(contract: &Contract) -> Vec<EnumDescriptor> {
    let mut found = BTreeMap::new();
    for message in contract.public_messages().values() {
        for field in message.fields() {
            if let Some(descriptor) = field.kind().as_enum() {
                found.insert(descriptor.full_name().to_owned(), descriptor.clone());
            }
        }
    }
    found.into_values().collect()
}

/// The last part of a full name.
fn short(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}
