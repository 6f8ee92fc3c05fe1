//! The identity's tokens for storage accounts.

use std::sync::Arc;

use async_trait::async_trait;
use azure::{Azure, Service, TokenSource};
use state::TokenProvider;

/// The tokens, as the clients of storage accounts want them. Their source keeps them until shortly before they end.
pub struct StorageTokens {
    tokens: Arc<dyn TokenSource>,
}

impl StorageTokens {
    /// The tokens of the identity that these clients have.
    #[must_use]
    pub fn of(azure: &Azure) -> Arc<Self> {
        Arc::new(Self { tokens: Arc::clone(azure.tokens()) })
    }
}

#[async_trait]
impl TokenProvider for StorageTokens {
    async fn token(&self) -> Result<String, state::Error> {
        let token = self.tokens.token(Service::Storage.scope()).await.map_err(|error| {
            let kind = if error.is_retryable() {
                state::ErrorKind::Unavailable
            } else {
                state::ErrorKind::Forbidden
            };
            state::Error::token(kind, error.to_string())
        })?;
        Ok(token.secret().to_owned())
    }
}
