//! The way to a collector: our HTTP client, driven by our runtime, since each exporter has a thread of its own.
//!
//! A collector may be gone, slow or lie. Every request has a deadline, the transport reads only the beginning of an
//! answer, and no invocation waits for it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use http::{HeaderValue, header};
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use tokio::runtime::Handle;
use url::Url;

use super::monitor_token::MonitorToken;

/// How long one request may take.
const DEADLINE: Duration = Duration::from_secs(5);
/// How much of an answer the transport reads, in bytes. The list of the items that the service did not take fits into
/// it.
const ANSWER_LIMIT: usize = 256 * 1024;

/// The way to one collector.
#[derive(Clone)]
pub struct Transport {
    runtime: Handle,
    to: Option<Url>,
    token: Option<Arc<MonitorToken>>,
}

impl Transport {
    /// A transport to the URLs that the exporter names. `runtime` drives the connections.
    pub fn new(runtime: Handle) -> Self {
        Self { runtime, to: None, token: None }
    }

    /// Sends everything to this URL, whatever the exporter says.
    pub fn to(mut self, url: Url) -> Self {
        self.to = Some(url);
        self
    }

    /// Authorizes each request with a token.
    pub fn authorized_by(mut self, token: Arc<MonitorToken>) -> Self {
        self.token = Some(token);
        self
    }
}

#[async_trait]
impl HttpClient for Transport {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        // The client of all calls: making one reads no files, and its connections are shared.
        let client = azure::http::shared_client()?;
        let (parts, body) = request.into_parts();
        let url = self.to.as_ref().map_or_else(|| parts.uri.to_string(), Url::to_string);
        let mut sending = client.request(parts.method, url).headers(parts.headers).body(body);
        let token = self.token.clone();
        let exchange = async move {
            if let Some(token) = token {
                let mut bearer = HeaderValue::try_from(format!("Bearer {}", token.get().await?))?;
                bearer.set_sensitive(true);
                sending = sending.header(header::AUTHORIZATION, bearer);
            }
            let mut answer = sending.send().await.map_err(reqwest::Error::without_url)?;
            let (status, headers) = (answer.status(), std::mem::take(answer.headers_mut()));
            let mut body = Vec::new();
            while let Some(chunk) = answer.chunk().await.map_err(reqwest::Error::without_url)? {
                body.extend_from_slice(&chunk[..chunk.len().min(ANSWER_LIMIT - body.len())]);
                if body.len() == ANSWER_LIMIT {
                    break;
                }
            }
            let mut response = Response::builder().status(status).body(Bytes::from(body))?;
            *response.headers_mut() = headers;
            Ok::<_, HttpError>(response)
        };
        self.runtime
            .spawn(async move {
                tokio::time::timeout(DEADLINE, exchange)
                    .await
                    .unwrap_or_else(|_| Err(format!("no answer within {} s", DEADLINE.as_secs()).into()))
            })
            .await?
    }
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transport").field("to", &self.to.as_ref().map(Url::as_str)).finish_non_exhaustive()
    }
}
