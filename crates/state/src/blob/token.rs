//! Bearer tokens for the storage account, from a provider that the app hands in: this crate knows nothing of identities.

use std::sync::Arc;

use async_trait::async_trait;
use object_store::CredentialProvider;
use object_store::azure::AzureCredential;

use crate::error::Error;

/// Gets tokens for scope `https://storage.azure.com/.default` (or that of another cloud).
#[async_trait]
pub trait TokenProvider: Send + Sync {
    /// A token that is valid now. It is asked for before every request (`messaging-and-state.md` §3.5), so it must be kept until
    /// shortly before it ends.
    ///
    /// # Errors
    /// [`Error::token`], with the kind that tells whether trying again helps.
    async fn token(&self) -> Result<String, Error>;
}

/// A provider as `object_store` wants it.
pub(crate) struct TokenCredential(pub(crate) Arc<dyn TokenProvider>);

impl std::fmt::Debug for TokenCredential {
    /// Leaves the provider out, which has tokens.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TokenCredential").finish_non_exhaustive()
    }
}

#[async_trait]
impl CredentialProvider for TokenCredential {
    type Credential = AzureCredential;

    async fn get_credential(&self) -> object_store::Result<Arc<AzureCredential>> {
        match self.0.token().await {
            Ok(token) => Ok(Arc::new(AzureCredential::BearerToken(token))),
            Err(error) => {
                Err(object_store::Error::Generic { store: "token provider", source: Box::new(error) })
            }
        }
    }
}
