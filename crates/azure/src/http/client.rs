//! Builds the one `reqwest` client, and reads its failures.
//!
//! Root certificates are Mozilla's, compiled in: the package runs in a container image that may have none, and reading
//! a system store costs start-up time. TLS is by `ring`, which takes a third of the
//! space of `aws-lc-rs` in the package.

use std::error::Error as _;
use std::sync::Arc;
use std::time::Duration;

use reqwest::{NoProxy, Proxy, redirect};
use rustls::{ClientConfig, RootCertStore};

use crate::error::Error;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const USER_AGENT: &str = concat!("policysync/", env!("CARGO_PKG_VERSION"));

pub(super) fn build() -> Result<reqwest::Client, Error> {
    // A client that a library builds for itself asks the process which implementation of TLS it has, and panics where it has
    // none. Another one that was chosen before stays.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let fail = |message: &str| Error::invalid("the HTTP client", message);
    let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let mut tls = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|_| fail("no TLS version is available"))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let mut builder = reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .connect_timeout(CONNECT_TIMEOUT)
        .redirect(redirect::Policy::none())
        .user_agent(USER_AGENT)
        // Only https goes through a proxy: plain http is for this machine, where the host's identity endpoint is too.
        .no_proxy();
    if let Some(address) = proxy_address(&|name| std::env::var(name).ok()) {
        let proxy = Proxy::https(&address).map_err(|_| fail("HTTPS_PROXY is not the address of a proxy"))?;
        builder = builder.proxy(proxy.no_proxy(NoProxy::from_env()));
    }
    builder.build().map_err(|error| fail(&chain(&error)))
}

fn proxy_address(env: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"]
        .into_iter()
        .filter_map(env)
        .find(|address| !address.trim().is_empty())
}

/// The causes below the top one, which only repeats the URL with its query.
pub(super) fn chain(error: &reqwest::Error) -> String {
    let mut parts = Vec::new();
    let mut cause = error.source();
    while let Some(error) = cause {
        parts.push(error.to_string());
        cause = error.source();
    }
    parts.dedup();
    if parts.is_empty() { "the request could not be made".to_owned() } else { parts.join(": ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_proxy_variable_that_is_set_wins() {
        let env = |name: &str| match name {
            "HTTPS_PROXY" => Some(String::new()),
            "https_proxy" => Some("http://proxy.example.org:3128".to_owned()),
            _ => None,
        };
        assert_eq!(proxy_address(&env).as_deref(), Some("http://proxy.example.org:3128"));
        assert_eq!(proxy_address(&|_| None), None);
    }

    #[test]
    fn building_a_client_does_not_need_a_runtime() {
        build().unwrap();
    }

    #[test]
    fn a_client_that_a_library_builds_for_itself_finds_an_implementation_of_tls() {
        build().unwrap();
        assert!(rustls::crypto::CryptoProvider::get_default().is_some());
    }
}
