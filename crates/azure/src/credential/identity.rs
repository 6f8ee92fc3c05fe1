//! Tokens from `azure_identity`, over our own HTTP client.
//!
//! There is one credential per scope, because a credential of `azure_identity` 1.0 holds one lock for all of its scopes
//! while it asks for a token: a slow audience would hold up the others. A credential is cheap, and made when it is
//! needed, since a workload identity reads its file when it is made.

use std::collections::HashMap;
use std::error::Error as StdError;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use azure_core::credentials::TokenCredential;
use azure_core::error::ErrorKind as CoreKind;
use azure_core::http::{ClientOptions, RetryOptions, Transport};
use azure_identity::{
    ClientAssertionCredentialOptions, DeveloperToolsCredential, ManagedIdentityCredential,
    ManagedIdentityCredentialOptions, UserAssignedId, WorkloadIdentityCredential,
    WorkloadIdentityCredentialOptions,
};
use time::OffsetDateTime;
use tokio::time::timeout;

use super::transport::IdentityTransport;
use super::{AccessToken, TokenSource};
use crate::error::{Error, ErrorKind, Sent};
use crate::http::Http;

/// `az` and `azd` are processes that may wait for anything, so they get a deadline too.
const DEADLINE: Duration = Duration::from_secs(30);

/// The kinds of identities.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Identity {
    Managed { client_id: Option<String> },
    Workload { tenant_id: String, client_id: String, token_file: PathBuf },
    DeveloperTools,
}

pub(super) struct IdentityTokens {
    http: Http,
    identity: Identity,
    credentials: Mutex<HashMap<String, Arc<dyn TokenCredential>>>,
}

impl IdentityTokens {
    pub(super) fn new(http: Http, identity: Identity) -> Self {
        Self { http, identity, credentials: Mutex::default() }
    }

    fn credential(&self, scope: &str) -> Result<Arc<dyn TokenCredential>, Error> {
        let mut credentials = self.credentials.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(credential) = credentials.get(scope) {
            return Ok(credential.clone());
        }
        let credential = self.make().map_err(|error| self.failure(scope, &error))?;
        credentials.insert(scope.to_owned(), credential.clone());
        Ok(credential)
    }

    fn make(&self) -> azure_core::Result<Arc<dyn TokenCredential>> {
        let client_options = ClientOptions {
            transport: Some(Transport::new(Arc::new(IdentityTransport::new(self.http.clone())))),
            // Our client repeats calls itself, within one deadline.
            retry: RetryOptions::none(),
            ..Default::default()
        };
        Ok(match &self.identity {
            Identity::Managed { client_id } => {
                let options = ManagedIdentityCredentialOptions {
                    user_assigned_id: client_id.clone().map(UserAssignedId::ClientId),
                    client_options,
                };
                ManagedIdentityCredential::new(Some(options))?
            }
            Identity::Workload { tenant_id, client_id, token_file } => {
                let options = WorkloadIdentityCredentialOptions {
                    credential_options: ClientAssertionCredentialOptions { client_options },
                    tenant_id: Some(tenant_id.clone()),
                    client_id: Some(client_id.clone()),
                    token_file_path: Some(token_file.clone()),
                };
                WorkloadIdentityCredential::new(Some(options))?
            }
            Identity::DeveloperTools => DeveloperToolsCredential::new(None)?,
        })
    }

    fn failure(&self, scope: &str, error: &azure_core::Error) -> Error {
        let attempted = self.attempted(scope);
        if let Some(own) = causes(error).find_map(|cause| cause.downcast_ref::<Error>()) {
            return Error::new(own.kind(), own.sent(), attempted, own.message());
        }
        let of_core = || causes(error).filter_map(|cause| cause.downcast_ref::<azure_core::Error>());
        if of_core().any(|error| *error.kind() == CoreKind::DataConversion) {
            // An answer that cannot be parsed may be a token in an unknown form, so the error repeats nothing of it.
            return Error::unreadable(attempted, "the answer of the identity service is not as specified");
        }
        let status = of_core().find_map(azure_core::Error::http_status).map(u16::from);
        let kind = match status {
            Some(429) => ErrorKind::Throttled { retry_after: None },
            Some(500..) => ErrorKind::Unavailable,
            _ => ErrorKind::Unauthorized,
        };
        Error::new(kind, if status.is_some() { Sent::Yes } else { Sent::No }, attempted, error.to_string())
    }

    fn attempted(&self, scope: &str) -> String {
        let identity = match &self.identity {
            Identity::Managed { client_id: None } => "the managed identity",
            Identity::Managed { client_id: Some(_) } => "the user-assigned managed identity",
            Identity::Workload { .. } => "the workload identity",
            Identity::DeveloperTools => "the login of az or azd",
        };
        format!("getting a token for {scope} by {identity}")
    }
}

#[async_trait]
impl TokenSource for IdentityTokens {
    async fn token(&self, scope: &str) -> Result<AccessToken, Error> {
        let credential = self.credential(scope)?;
        let answer = timeout(DEADLINE, credential.get_token(&[scope], None)).await.map_err(|_| {
            let message = format!("no token within {} s", DEADLINE.as_secs());
            Error::new(ErrorKind::Timeout, Sent::Maybe, self.attempted(scope), message)
        })?;
        let token = answer.map_err(|error| self.failure(scope, &error))?;
        let expires_on = OffsetDateTime::from_unix_timestamp(token.expires_on.unix_timestamp())
            .unwrap_or_else(|_| self.http.clock().now());
        Ok(AccessToken::new(token.token.secret(), expires_on))
    }
}

/// The error and what lies below it: our transport's own error, or a status, comes wrapped in layers of `azure_core`.
fn causes<'e>(error: &'e azure_core::Error) -> impl Iterator<Item = &'e (dyn StdError + 'static)> {
    std::iter::successors(Some(error as &'e (dyn StdError + 'static)), |cause| (*cause).source())
}
