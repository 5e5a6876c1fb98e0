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
    let mut out = String::from("<div class=\"routes\">");
    for binding in &method.bindings {
        let verb = binding.http.as_str();
        out += &format!(
            "<span class=\"route\"><i class=\"verb {}\">{verb}</i><code>{}</code></span>",
            verb.to_lowercase(),
            escaped(&binding.template.text)
        );
    }
    out += &format!(
        "<span class=\"route\"><i class=\"verb rpc\">gRPC</i><code>{}</code></span></div>\n",
        method.grpc_name()
    );
    out
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
    let items: String = facts.iter().map(|fact| format!("<li>{fact}</li>")).collect();
    format!("<ul class=\"facts\">{items}</ul>\n")
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
