//! Addresses that never leave this machine.

use url::{Host, Url};

/// Whether a URL leads to this machine: to a loopback address, or to `localhost`. There plain http shows nothing to others.
#[must_use]
pub fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(host)) => host == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_addresses_and_localhost_are_this_machine() {
        let is = |text: &str| is_this_machine(&Url::parse(text).unwrap());
        for text in [
            "http://127.0.0.1:1",
            "http://127.8.9.1/a",
            "http://[::1]",
            "http://LOCALHOST/",
            "http://2130706433",
        ] {
            assert!(is(text), "{text}");
        }
        for text in [
            "http://10.0.0.1",
            "http://localhost.example.org",
            "http://127.0.0.1.nip.io",
            "http://[::2]",
            "data:,",
        ] {
            assert!(!is(text), "{text}");
        }
    }
}
