//! Builds the HTTP client when it is first used.
//!
//! Building one reads the system's certificates, which takes most of the time that a handler has to become ready
//! (25 ms, `contracts.md` §5), and many invocations never need it.

use std::sync::OnceLock;

use async_trait::async_trait;
use object_store::client::{
    ClientOptions, HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse,
    HttpService, ReqwestConnector,
};

/// Connects with the library's own client, later.
#[derive(Debug)]
pub(crate) struct OnFirstUse;

impl HttpConnector for OnFirstUse {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(LazyClient { options: options.clone(), client: OnceLock::new() }))
    }
}

#[derive(Debug)]
struct LazyClient {
    options: ClientOptions,
    client: OnceLock<HttpClient>,
}

impl LazyClient {
    fn client(&self) -> Result<&HttpClient, HttpError> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        // The library's client asks the process which implementation of TLS it has. Another one that was chosen before stays.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let built = ReqwestConnector::default()
            .connect(&self.options)
            .map_err(|error| HttpError::new(HttpErrorKind::Unknown, error))?;
        // When two calls build a client at once, the first one stays.
        Ok(self.client.get_or_init(|| built))
    }
}

#[async_trait]
impl HttpService for LazyClient {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        self.client()?.execute(request).await
    }
}
