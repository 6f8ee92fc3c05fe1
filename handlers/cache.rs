//! Answers that a client may keep, as long as it asks whether they still hold (RFC 9110 §13, RFC 9111 §5.2.2).

use certificate_management::digest;
use functions_host::{HttpReply, HttpRequest};
use http::{StatusCode, header};

/// Only the client keeps the answer, no proxy does, and the client asks again before each use.
const CACHE_CONTROL: &str = "private, no-cache";

/// Answers a GET with this body, or with 304 when the client has it already.
///
/// The tag is a hash of the body, so what is told changes with the report, and nothing in between.
pub fn reply(request: &HttpRequest, content_type: &str, body: String) -> HttpReply {
    let tag = tag(&body);
    let known = request.headers.get("If-None-Match").unwrap_or_default();
    let reply = if matches(known, &tag) {
        HttpReply::new(StatusCode::NOT_MODIFIED)
    } else {
        HttpReply::text(StatusCode::OK, content_type, body)
    };
    reply.header(header::ETAG, tag).header(header::CACHE_CONTROL, CACHE_CONTROL)
}

fn tag(body: &str) -> String {
    format!("\"{}\"", digest::of::<16>(body))
}

/// The weak comparison of `If-None-Match`: a proxy that compresses makes a tag weak.
fn matches(known: &str, tag: &str) -> bool {
    known.trim() == "*" || known.split(',').any(|one| one.trim().trim_start_matches("W/") == tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_found_in_any_list_and_however_weak() {
        let tag = tag("body");
        assert!(matches(&tag, &tag) && matches(&format!("W/{tag}"), &tag) && matches("*", &tag));
        assert!(matches(&format!("\"other\", {tag}"), &tag));
        assert!(!matches("", &tag) && !matches("\"other\"", &tag) && !matches(tag.trim_matches('"'), &tag));
    }
}
