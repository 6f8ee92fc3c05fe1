//! Forwarding mode: the handler gets the client's request instead of an envelope (`functions-host-protocol.md` §1.8).

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use uuid::Uuid;

use crate::answer::{HttpOutput, Verdict};
use crate::exchange::{HOST_VERSION, user_agent};
use crate::newtonsoft::Token;
use crate::trigger::http::HttpRequest;
use crate::wire::{Body, Outgoing, Response};

/// Characters of a query value that stand for themselves.
const QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Fields that belong to one connection.
const HOP: [&str; 7] =
    ["connection", "keep-alive", "proxy-connection", "te", "transfer-encoding", "upgrade", "expect"];

/// The request for the handler. Forwarding rebuilds the query and puts the body's fields last; proxying keeps both.
///
/// # Errors
/// A chunked body in forwarding mode: the real host fails on it.
pub fn request(client: &HttpRequest, invocation: Uuid, proxying: bool) -> Result<Outgoing, String> {
    let chunked = !client.has_length && client.header("transfer-encoding").is_some();
    if chunked && !proxying {
        let words = "the client's body is chunked; with enableForwardingHttpRequest the host cannot forward it: the client must send a Content-Length";
        return Err(words.to_owned());
    }
    let agent = |sent: &str| if proxying { sent.to_owned() } else { format!("{sent} {}", user_agent()) };
    let mut headers = Vec::new();
    let mut content = Vec::new();
    for (name, value) in &client.headers {
        let lower = name.to_ascii_lowercase();
        if HOP.contains(&lower.as_str()) || lower == "content-length" {
            continue;
        }
        let value = if lower == "user-agent" { agent(value) } else { value.clone() };
        let is_content =
            lower.starts_with("content-") || ["allow", "expires", "last-modified"].contains(&lower.as_str());
        if is_content { &mut content } else { &mut headers }.push((name.clone(), value));
    }
    headers.push(("X-Azure-Functions-HostVersion".to_owned(), HOST_VERSION.to_owned()));
    headers.push(("X-Azure-Functions-InvocationId".to_owned(), invocation.to_string()));
    if !proxying && client.header("user-agent").is_none() {
        headers.push(("User-Agent".to_owned(), user_agent()));
    }
    let body = if chunked {
        headers.push(("Transfer-Encoding".to_owned(), "chunked".to_owned()));
        Body::Chunked(client.body.clone())
    } else if client.has_length {
        headers.push(("Content-Length".to_owned(), client.body.len().to_string()));
        Body::Plain(client.body.clone())
    } else {
        Body::None
    };
    headers.append(&mut content);
    let target = if proxying { client.target.clone() } else { rebuilt(client) };
    Ok(Outgoing { method: client.method.clone(), target, headers, body })
}

/// The path as it came and the query anew: the values of a repeated key are joined with commas.
fn rebuilt(client: &HttpRequest) -> String {
    let query: Vec<String> = client
        .query()
        .iter()
        .map(|(name, values)| {
            let values: Vec<String> =
                values.iter().map(|value| utf8_percent_encode(value, QUERY).to_string()).collect();
            format!("{}={}", utf8_percent_encode(name, QUERY), values.join(","))
        })
        .collect();
    let path = client.path();
    if query.is_empty() { path.to_owned() } else { format!("{path}?{}", query.join("&")) }
}

/// The client gets any answer of the handler, and the invocation has succeeded.
#[must_use]
pub fn verdict(response: Response) -> Verdict {
    let headers =
        response.headers.0.into_iter().filter(|(name, _)| !HOP.contains(&name.to_ascii_lowercase().as_str()));
    Verdict::Succeeded {
        outputs: indexmap::IndexMap::new(),
        logs: Vec::new(),
        return_value: Token::Null,
        response: Some(HttpOutput {
            status: response.status,
            headers: headers.collect(),
            body: response.body,
        }),
    }
}
