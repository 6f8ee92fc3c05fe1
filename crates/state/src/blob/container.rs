//! Makes the container when a write finds it missing, then sends that write again.
//!
//! `object_store` has no call for it. But its HTTP client can be replaced, so this client sits in between: it looks for
//! the error code that only a missing container has, and signs the one request that is needed with `object_store`'s own
//! code. A read does not make the container: there is nothing to read, and an identity that may only read must not need
//! the right to create.

use std::sync::Arc;

use async_trait::async_trait;
use http::{Method, StatusCode};
use object_store::azure::{AzureAuthorizer, AzureCredentialProvider};
use object_store::client::{
    ClientOptions, HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpRequestBody,
    HttpResponse, HttpService,
};
use url::Url;

use crate::error::Answer;

/// The service's code for it, in a header of its own and in the body (Blob service REST API, "Blob service error
/// codes").
const MISSING: &str = "ContainerNotFound";
const CODE_HEADER: &str = "x-ms-error-code";

/// Whether a call failed because there is no container.
pub(crate) fn is_missing(error: &object_store::Error) -> bool {
    Answer::of(error).code.as_deref() == Some(MISSING)
}

/// Wraps another connector's clients.
#[derive(Clone)]
pub(crate) struct ContainerMaker {
    connector: Arc<dyn HttpConnector>,
    account: Arc<str>,
    container: Arc<str>,
    address: Arc<str>,
    credentials: AzureCredentialProvider,
    makes: bool,
}

impl ContainerMaker {
    pub(crate) fn new(
        connector: Arc<dyn HttpConnector>,
        account: &str,
        endpoint: &Url,
        container: &str,
        credentials: AzureCredentialProvider,
    ) -> Self {
        // "Create Container": PUT {endpoint}/{container}?restype=container.
        let address = format!("{}/{container}?restype=container", endpoint.as_str().trim_end_matches('/'));
        Self {
            connector,
            account: account.into(),
            container: container.into(),
            address: address.into(),
            credentials,
            makes: true,
        }
    }

    /// The same client for who must not make a container.
    pub(crate) fn that_makes_none(self) -> Self {
        Self { makes: false, ..self }
    }

    async fn make(&self, client: &HttpClient) -> Result<HttpResponse, HttpError> {
        let broken = |source| HttpError::new_boxed(HttpErrorKind::Unknown, source);
        let mut request: HttpRequest = http::Request::builder()
            .method(Method::PUT)
            .uri(&*self.address)
            .body(HttpRequestBody::empty())
            .map_err(|e| broken(Box::new(e)))?;
        let credential = self.credentials.get_credential().await.map_err(|e| broken(Box::new(e)))?;
        AzureAuthorizer::new(&credential, &self.account)
            .try_authorize(&mut request)
            .map_err(|e| broken(Box::new(e)))?;
        client.execute(request).await
    }
}

impl std::fmt::Debug for ContainerMaker {
    /// Leaves the credentials out.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ContainerMaker").field("container", &self.container).finish_non_exhaustive()
    }
}

impl HttpConnector for ContainerMaker {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        let client = self.connector.connect(options)?;
        Ok(HttpClient::new(ContainerMakingClient { client, maker: self.clone() }))
    }
}

#[derive(Debug)]
struct ContainerMakingClient {
    client: HttpClient,
    maker: ContainerMaker,
}

#[async_trait]
impl HttpService for ContainerMakingClient {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        if request.method() != Method::PUT || !self.maker.makes {
            return self.client.execute(request).await;
        }
        let again = request.clone();
        let answer = self.client.execute(request).await?;
        if answer.status() != StatusCode::NOT_FOUND || code_of(&answer) != Some(MISSING) {
            return Ok(answer);
        }
        let made = self.maker.make(&self.client).await?;
        let container = &*self.maker.container;
        match made.status() {
            StatusCode::CREATED => tracing::info!(container, "made the container for state"),
            // Another handler was faster.
            StatusCode::CONFLICT if code_of(&made) == Some("ContainerAlreadyExists") => {}
            status => {
                let code = code_of(&made).unwrap_or("none");
                tracing::warn!(container, %status, code, "the container for state is missing and cannot be made");
                return Ok(made);
            }
        }
        self.client.execute(again).await
    }
}

fn code_of(answer: &HttpResponse) -> Option<&str> {
    answer.headers().get(CODE_HEADER).and_then(|value| value.to_str().ok())
}
