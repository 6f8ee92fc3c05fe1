//! Records in an Azure Storage container.
//!
//! `object_store` reads, writes under conditions, retries and signs. This crate adds the settings that a Functions app
//! has (`settings`), tokens from the app (`token`), making the container, which `object_store` cannot do (`container`),
//! and building the HTTP client late (`first_use`).

pub(crate) mod address;
pub(crate) mod container;
pub(crate) mod first_use;
pub(crate) mod settings;
pub(crate) mod token;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use object_store::azure::{AzureCredential, AzureCredentialProvider, MicrosoftAzureBuilder};
use object_store::client::{ClientOptions, HttpConnector};
use object_store::{BackoffConfig, CredentialProvider, ObjectStore, RetryConfig};

use crate::error::{Error, ErrorKind};
use container::ContainerMaker;
use settings::{BlobSettings, Credential};
use token::TokenCredential;

/// How long one HTTP request takes at most. Less than half of a call's deadline, so that a request that hangs can be
/// sent again.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(4);

/// How long a connection takes at most.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// Makes the client, whose writes make the container where it is missing. Sends nothing.
pub(crate) fn connect(
    settings: BlobSettings,
    connector: Arc<dyn HttpConnector>,
) -> Result<Arc<dyn ObjectStore>, Error> {
    client(settings, connector, true)
}

/// The same without the container: its writes fail where it is missing.
pub(crate) fn connect_only(
    settings: BlobSettings,
    connector: Arc<dyn HttpConnector>,
) -> Result<Arc<dyn ObjectStore>, Error> {
    client(settings, connector, false)
}

fn client(
    settings: BlobSettings,
    connector: Arc<dyn HttpConnector>,
    makes_container: bool,
) -> Result<Arc<dyn ObjectStore>, Error> {
    let BlobSettings { account, endpoint, container, credential } = settings;
    let credentials: AzureCredentialProvider = match credential {
        Credential::Fixed(credential) => Arc::new(FixedCredential(credential)),
        Credential::Token(provider) => Arc::new(TokenCredential(provider)),
    };
    let maker = ContainerMaker::new(connector, &account, &endpoint, &container, Arc::clone(&credentials));
    let maker = if makes_container { maker } else { maker.that_makes_none() };
    let options = ClientOptions::new()
        .with_allow_http(endpoint.scheme() == "http")
        .with_timeout(REQUEST_TIMEOUT)
        .with_connect_timeout(CONNECT_TIMEOUT);
    let retry = RetryConfig {
        backoff: BackoffConfig {
            init_backoff: Duration::from_millis(100),
            max_backoff: Duration::from_secs(2),
            base: 2.0,
        },
        max_retries: 4,
        retry_timeout: Duration::from_secs(6),
    };
    let client = MicrosoftAzureBuilder::new()
        .with_account(account)
        .with_endpoint(endpoint.to_string())
        .with_container_name(container)
        .with_credentials(credentials)
        .with_client_options(options)
        .with_retry(retry)
        .with_http_connector(maker)
        .build()
        .map_err(|e| {
            Error::new(ErrorKind::Invalid, "setting up the client of the storage account", e.to_string())
        })?;
    Ok(Arc::new(client))
}

/// An account key or a shared access signature. The library's own holder would show it in debug output.
struct FixedCredential(Arc<AzureCredential>);

impl std::fmt::Debug for FixedCredential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FixedCredential").finish_non_exhaustive()
    }
}

#[async_trait]
impl CredentialProvider for FixedCredential {
    type Credential = AzureCredential;

    async fn get_credential(&self) -> object_store::Result<Arc<AzureCredential>> {
        Ok(Arc::clone(&self.0))
    }
}
