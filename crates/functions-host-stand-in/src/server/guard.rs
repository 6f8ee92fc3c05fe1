//! Admits programs and pages of this machine only.
//!
//! The real host asks for keys, but not on a laptop, and this stand-in does not either. So a page of strangers in a
//! browser on this machine must not reach it, neither by posting here from its own address (`Origin`), nor by giving
//! its own name this address (`Host`, DNS rebinding). The real host checks neither.

use crate::trigger::http::HttpRequest;

/// Why a request is refused, if it is.
pub fn refusal(request: &HttpRequest) -> Option<&'static str> {
    let host = request.header("host").unwrap_or_default();
    if !is_loopback(host) {
        return Some("the header Host has to name this machine: 127.0.0.1, localhost or [::1]");
    }
    let same =
        |origin: &str| origin.strip_prefix("http://").is_some_and(|name| name.eq_ignore_ascii_case(host));
    let is_elsewhere = request.header("origin").is_some_and(|origin| !same(origin));
    is_elsewhere.then_some("pages of another origin may not call this host")
}

fn is_loopback(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    ["127.0.0.1", "localhost", "::1"].iter().any(|own| own.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(headers: &[(&str, &str)]) -> HttpRequest {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        HttpRequest { method: "POST".to_owned(), target: "/".to_owned(), headers, ..HttpRequest::default() }
    }

    #[test]
    fn pages_of_strangers_are_refused_and_programs_of_this_machine_are_not() {
        for host in ["127.0.0.1:7071", "localhost:7071", "LOCALHOST", "[::1]:7071"] {
            assert_eq!(refusal(&request(&[("Host", host)])), None, "{host}");
            let own = format!("http://{host}");
            assert_eq!(refusal(&request(&[("Host", host), ("Origin", &own)])), None, "{host}");
        }
        for headers in [
            &[][..],
            &[("Host", "evil.example:7071")],
            &[("Host", "127.0.0.1.evil.example")],
            &[("Host", "localhost:7071"), ("Origin", "http://evil.example")],
            &[("Host", "localhost:7071"), ("Origin", "null")],
            &[("Host", "localhost:7071"), ("Origin", "http://localhost:8080")],
        ] {
            assert!(refusal(&request(headers)).is_some(), "{headers:?}");
        }
    }
}
