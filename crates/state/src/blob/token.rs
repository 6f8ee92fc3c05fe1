//! Bearer tokens for the storage account, from a provider that the app hands in.
//!
//! This crate knows nothing of managed identities: the app hands in a [`TokenProvider`].

use std::sync::{Arc, PoisonError, RwLock};

use async_trait::async_trait;
use object_store::CredentialProvider;
use object_store::azure::AzureCredential;
use time::{Duration, OffsetDateTime};

use crate::error::Error;

/// Gets tokens for scope `https://storage.azure.com/.default` (or that of another cloud).
#[async_trait]
pub trait TokenProvider: Send + Sync {
    /// A token and when it expires.
    ///
    /// # Errors
    /// [`Error::token`], with the kind that tells whether trying again helps.
    async fn token(&self) -> Result<(String, OffsetDateTime), Error>;
}

/// How long before its end a token is renewed, as in the official identity crate (`messaging-and-state.md` §4).
const RENEW_BEFORE: Duration = Duration::minutes(5);

/// How long before its end a token that could not be renewed is no longer used.
const USABLE_UNTIL: Duration = Duration::seconds(30);

/// Keeps a provider's token: `object_store` asks for one before every request (`messaging-and-state.md` §3.5).
pub(crate) struct TokenCredential {
    provider: Arc<dyn TokenProvider>,
    kept: RwLock<Option<Kept>>,
}

#[derive(Clone)]
struct Kept {
    credential: Arc<AzureCredential>,
    expires_at: OffsetDateTime,
}

impl TokenCredential {
    pub(crate) fn new(provider: Arc<dyn TokenProvider>) -> Self {
        Self { provider, kept: RwLock::new(None) }
    }

    fn kept(&self) -> Option<Kept> {
        self.kept.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl std::fmt::Debug for TokenCredential {
    /// Leaves the token out.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TokenCredential").finish_non_exhaustive()
    }
}

#[async_trait]
impl CredentialProvider for TokenCredential {
    type Credential = AzureCredential;

    /// Calls at the moment of renewal may each ask the provider: that costs a few requests an hour, and no call
    /// waits for another one's.
    async fn get_credential(&self) -> object_store::Result<Arc<AzureCredential>> {
        let now = OffsetDateTime::now_utc();
        let kept = self.kept();
        if let Some(kept) = kept.as_ref().filter(|kept| now + RENEW_BEFORE < kept.expires_at) {
            return Ok(Arc::clone(&kept.credential));
        }
        match (self.provider.token().await, kept) {
            (Ok((token, expires_at)), _) => {
                let credential = Arc::new(AzureCredential::BearerToken(token));
                let fresh = Kept { credential: Arc::clone(&credential), expires_at };
                *self.kept.write().unwrap_or_else(PoisonError::into_inner) = Some(fresh);
                Ok(credential)
            }
            (Err(error), Some(kept)) if now + USABLE_UNTIL < kept.expires_at => {
                tracing::warn!(%error, "the token for the storage account could not be renewed yet");
                Ok(kept.credential)
            }
            (Err(error), _) => {
                Err(object_store::Error::Generic { store: "token provider", source: Box::new(error) })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;
    use std::sync::Mutex;

    /// Hands out prepared answers, first to last.
    struct Prepared(Mutex<Vec<Result<(String, OffsetDateTime), Error>>>);

    #[async_trait]
    impl TokenProvider for Prepared {
        async fn token(&self) -> Result<(String, OffsetDateTime), Error> {
            self.0.lock().expect("not poisoned").remove(0)
        }
    }

    fn credential(answers: Vec<Result<(String, OffsetDateTime), Error>>) -> TokenCredential {
        TokenCredential::new(Arc::new(Prepared(Mutex::new(answers))))
    }

    fn token(text: &str, lifetime: Duration) -> Result<(String, OffsetDateTime), Error> {
        Ok((text.to_owned(), OffsetDateTime::now_utc() + lifetime))
    }

    async fn next(credential: &TokenCredential) -> String {
        match &*credential.get_credential().await.expect("a credential") {
            AzureCredential::BearerToken(token) => token.clone(),
            _ => panic!("not a bearer token"),
        }
    }

    #[tokio::test]
    async fn a_token_is_used_again_until_five_minutes_before_it_expires() {
        let credential = credential(vec![token("first", Duration::hours(1))]);
        assert_eq!(next(&credential).await, "first");
        assert_eq!(next(&credential).await, "first");
    }

    #[tokio::test]
    async fn a_token_that_is_about_to_expire_is_renewed() {
        let credential =
            credential(vec![token("first", Duration::minutes(4)), token("second", Duration::hours(1))]);
        assert_eq!(next(&credential).await, "first");
        assert_eq!(next(&credential).await, "second");
    }

    #[tokio::test]
    async fn a_token_that_cannot_be_renewed_is_used_while_it_is_valid() {
        let refused = Err(Error::token(ErrorKind::Unavailable, "the identity endpoint is away"));
        let credential = credential(vec![token("first", Duration::minutes(4)), refused]);
        assert_eq!(next(&credential).await, "first");
        assert_eq!(next(&credential).await, "first");
    }

    #[test]
    fn no_token_shows_in_debug_output() {
        let credential = credential(Vec::new());
        let kept = Kept {
            credential: Arc::new(AzureCredential::BearerToken("swordfish".to_owned())),
            expires_at: OffsetDateTime::now_utc(),
        };
        *credential.kept.write().expect("not poisoned") = Some(kept);
        assert!(!format!("{credential:?}").contains("swordfish"));
    }
}
