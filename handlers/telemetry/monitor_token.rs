//! Authorizes requests to Application Insights where its component takes no key.

use std::sync::Arc;

use ambient::Ambient;
use azure::Http;
use azure::credential::{self, TokenSource};
use tokio::sync::OnceCell;
use tracing::instrument::WithSubscriber;
use tracing::subscriber::NoSubscriber;

/// A token for the ingestion service. The app asks for it without spans or log lines: these would be telemetry about
/// sending telemetry, and would call for the next export.
#[derive(Debug)]
pub struct MonitorToken {
    client_id: Option<String>,
    scope: String,
    ambient: Ambient,
    tokens: OnceCell<Arc<dyn TokenSource>>,
}

impl MonitorToken {
    /// Tokens of the app's identity, of the user-assigned one with that client id, for `scope`.
    pub fn new(client_id: Option<String>, scope: String, ambient: Ambient) -> Self {
        Self { client_id, scope, ambient, tokens: OnceCell::new() }
    }

    /// A token that is valid now.
    ///
    /// # Errors
    /// Why the identity gives none.
    pub async fn get(&self) -> Result<String, azure::Error> {
        let ask = async {
            let make = async || {
                credential::from_environment(Http::shared(self.ambient.clone())?, &|name| match (
                    name,
                    &self.client_id,
                ) {
                    ("AZURE_CLIENT_ID", Some(client_id)) => Some(client_id.clone()),
                    _ => std::env::var(name).ok(),
                })
            };
            let tokens = self.tokens.get_or_try_init(make).await?;
            Ok(tokens.token(&self.scope).await?.secret().to_owned())
        };
        ask.with_subscriber(NoSubscriber::default()).await
    }
}
