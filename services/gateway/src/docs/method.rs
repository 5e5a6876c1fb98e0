//! One method on the page: what it is on the left, how to call it on the right.

use siyu_grpc::Idempotency;

use super::{html::escaped, html::rich, snippet, types};
use crate::{
    contract::{Comments, Method},
    example,
};

/// Where the method stands on the page.
pub(super) fn anchor(method: &Method) -> String {
    method.grpc_name().replace('/', ".")
}

/// What the filter looks at.
pub(super) fn haystack(method: &Method) -> String {
    let paths: Vec<&str> = method.bindings.iter().map(|b| b.template.text.as_str()).collect();
    format!("{} {} {}", method.grpc_name(), paths.join(" "), method.comment).to_lowercase()
}

/// The method's article.
pub(super) fn article(comments: &Comments, method: &Method) -> String {
    let anchor = anchor(method);
    format!(
        "<article id=\"{anchor}\" data-find=\"{}\">\n<div class=\"about\">\n\
         <h3><a href=\"#{anchor}\">{}</a></h3>\n{}<p>{}</p>\n{}{}{}</div>\n\
         <div class=\"tries\">\n{}</div>\n</article>\n",
        escaped(&haystack(method)),
        method.name,
        routes(method),
        rich(&method.comment),
        facts(method),
        types::fields("Request", comments, &method.input),
        types::fields("Reply", comments, &method.output),
        tries(comments, method),
    )
}

fn routes(method: &Method) -> String {
    let rest = method.bindings.iter().map(|b| (b.http.as_str(), b.template.text.as_str()));
    let routes = rest.chain([("gRPC", method.grpc_name())]).map(|(verb, path)| {
        let kind = if verb == "gRPC" { "rpc".to_owned() } else { verb.to_lowercase() };
        let path = escaped(path);
        format!(
            "<span class=\"route\"><i class=\"verb {kind}\">{verb}</i><code>{path}</code></span>"
        )
    });
    format!("<div class=\"routes\">{}</div>\n", routes.collect::<Vec<_>>().concat())
}

fn facts(method: &Method) -> String {
    let mut facts = Vec::new();
    if let Some(access) = &method.access {
        facts.push(format!("{} token", access.audience.name()));
        facts.push(format!("scope <code>{}</code>", escaped(&access.scope)));
    }
    facts.push(
        match method.idempotency {
            Idempotency::NoSideEffects => "changes nothing",
            Idempotency::Idempotent => "safe to repeat",
            Idempotency::Unknown => "a repeat has another effect",
        }
        .to_owned(),
    );
    match (method.client_streams, method.server_streams) {
        (true, true) => facts.push("streams both ways, gRPC only".to_owned()),
        (true, false) => facts.push("takes a stream, gRPC only".to_owned()),
        (false, true) => facts.push("answers with a stream; in REST lines of JSON".to_owned()),
        (false, false) => {}
    }
    format!("<ul class=\"facts\"><li>{}</li></ul>\n", facts.join("</li><li>"))
}

fn tries(comments: &Comments, method: &Method) -> String {
    let request = example::request(method, comments);
    let reply = format!("{:#}", example::reply(method, comments));
    let mut out = String::new();
    if let Some(curl) = snippet::curl(method, &request) {
        out += &block("curl", &curl, true);
    }
    out += &block("grpcurl", &snippet::grpcurl(method, &request), false);
    out += &block("reply", &escaped(&reply), false);
    out
}

fn block(name: &str, html: &str, open: bool) -> String {
    let open = if open { " open" } else { "" };
    format!(
        "<details{open}><summary>{name}<button type=\"button\" class=\"copy\">copy</button></summary>\
         <pre>{html}</pre></details>\n"
    )
}
