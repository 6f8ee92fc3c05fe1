//! The identity of the process: tokens for the services of the configured cloud, from the identity that the environment
//! offers.

mod cache;
mod identity;
mod transport;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;

pub use self::cache::CachedTokens;
use self::identity::{Identity, IdentityTokens};
pub use crate::access_token::AccessToken;
use crate::cloud::Service;
use crate::error::{Error, Sent};
use crate::http::Http;

/// Something that gives tokens. What [`from_environment`] gives may be asked before every call: it caches.
#[async_trait]
pub trait TokenSource: Send + Sync {
    /// A token for a scope such as [`crate::cloud::Service::scope`] names.
    ///
    /// # Errors
    /// `Unauthorized` when the identity is not known or not usable, `Unavailable`, `Timeout` or `Throttled` when the
    /// identity service cannot answer now, `Invalid` when the environment is incomplete.
    async fn token(&self, scope: &str) -> Result<AccessToken, Error>;
}

/// A source of tokens, shared.
pub type Credential = Arc<dyn TokenSource>;

/// A token for a call to `service`. Its error always says that the call itself was not sent.
pub(crate) async fn token_for(tokens: &dyn TokenSource, service: Service) -> Result<AccessToken, Error> {
    tokens.token(service.scope()).await.map_err(|error| error.with_sent(Sent::No))
}

/// The identity that the environment offers (`contracts.md` §3): `IDENTITY_ENDPOINT` → managed identity, user-assigned
/// with `AZURE_CLIENT_ID`; `AZURE_FEDERATED_TOKEN_FILE` → workload identity; else the login of `az` or `azd`.
///
/// Does no I/O: files and endpoints are read when the first token is asked for. `env` must show the variables of this
/// process, because `azure_identity` reads `IDENTITY_ENDPOINT` and `IDENTITY_HEADER` from there itself.
///
/// # Errors
/// `Invalid`, naming the variable that is missing beside the one that chose the identity.
pub fn from_environment(http: Http, env: &dyn Fn(&str) -> Option<String>) -> Result<Credential, Error> {
    let clock = http.clock().clone();
    Ok(Arc::new(CachedTokens::new(IdentityTokens::new(http, choose(env)?), clock)))
}

fn choose(env: &dyn Fn(&str) -> Option<String>) -> Result<Identity, Error> {
    let set = |name: &str| env(name).filter(|value| !value.trim().is_empty());
    let beside = |chooser: &str, name: &str| {
        set(name).ok_or_else(|| {
            Error::invalid("the identity in the environment", format!("{chooser} is set, but {name} is not"))
        })
    };
    if set("IDENTITY_ENDPOINT").is_some() {
        beside("IDENTITY_ENDPOINT", "IDENTITY_HEADER")?;
        return Ok(Identity::Managed { client_id: set("AZURE_CLIENT_ID") });
    }
    if let Some(file) = set("AZURE_FEDERATED_TOKEN_FILE") {
        return Ok(Identity::Workload {
            tenant_id: beside("AZURE_FEDERATED_TOKEN_FILE", "AZURE_TENANT_ID")?,
            client_id: beside("AZURE_FEDERATED_TOKEN_FILE", "AZURE_CLIENT_ID")?,
            token_file: PathBuf::from(file),
        });
    }
    Ok(Identity::DeveloperTools)
}

impl fmt::Debug for dyn TokenSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenSource")
    }
}

#[cfg(test)]
mod tests;
