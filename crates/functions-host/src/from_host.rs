//! Tells the host from a web page.
//!
//! Between host and handler there is no secret (`functions-host-protocol.md` §1.1), so any process on the machine can
//! call the handler. A browser on the machine is another matter: pages of strangers run in it, and can make it post to
//! the loopback address, or give their own name that address. But such a request cannot look like one of the host,
//! which has a header that no page may set without asking first, a `Host` that is the loopback address, and no
//! `Origin`.

use http::HeaderMap;
use http::header::{HOST, ORIGIN};

/// Whether the host can have sent a request with these headers.
pub(crate) fn is_possible(headers: &HeaderMap) -> bool {
    headers.get("x-azure-functions-invocationid").is_some_and(|id| !id.is_empty())
        && headers.get(ORIGIN).is_none()
        && headers.get("sec-fetch-site").is_none()
        && headers.get(HOST).and_then(|host| host.to_str().ok()).is_some_and(is_loopback)
}

/// Whether a `Host` names this machine, whatever the port.
fn is_loopback(host: &str) -> bool {
    let port = |rest: &str| {
        rest.is_empty() || rest.strip_prefix(':').is_some_and(|port| port.parse::<u16>().is_ok())
    };
    ["127.0.0.1", "localhost", "[::1]"].iter().any(|name| {
        host.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name))
            && port(&host[name.len()..])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (name.parse::<http::HeaderName>().unwrap(), value.parse().unwrap()))
            .collect()
    }

    #[test]
    fn a_page_cannot_look_like_the_host() {
        const ID: (&str, &str) = ("X-Azure-Functions-InvocationId", "6fe7ab3e-38a5-4a34-8a0e-e4d6d3f1a1a0");
        for host in ["127.0.0.1:42111", "127.0.0.1", "localhost:1", "LOCALHOST", "[::1]:80"] {
            assert!(is_possible(&headers(&[("Host", host), ID])), "{host}");
        }
        for host in
            ["evil.example:42111", "127.0.0.1.evil.example", "localhost.evil.example:1", "127.0.0.1:x", ""]
        {
            assert!(!is_possible(&headers(&[("Host", host), ID])), "{host}");
        }
        for page in [
            &[("Host", "127.0.0.1")][..],
            &[("Host", "127.0.0.1"), ID, ("Origin", "http://evil.example")],
            &[("Host", "127.0.0.1"), ID, ("Origin", "null")],
            &[("Host", "127.0.0.1"), ID, ("Sec-Fetch-Site", "cross-site")],
            &[ID],
        ] {
            assert!(!is_possible(&headers(page)), "{page:?}");
        }
    }
}
