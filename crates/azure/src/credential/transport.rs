//! Lets `azure_identity` send through our client: one pool, one set of deadlines, limits and log events.

use async_trait::async_trait;
use azure_core::error::{Error as CoreError, ErrorKind as CoreKind};
use azure_core::http::headers::{HeaderName, HeaderValue, Headers};
use azure_core::http::{AsyncRawResponse, Body, HttpClient, Request};
use bytes::Bytes;
use futures::stream;
use reqwest::{Method, header};

use crate::error::{Error, Sent};
use crate::http::{Answer, Call, Http};

/// Tokens are a few kilobytes; an identity endpoint that sends more is broken.
const RESPONSE_LIMIT: usize = 256 * 1024;

#[derive(Debug)]
pub(super) struct IdentityTransport {
    http: Http,
}

impl IdentityTransport {
    pub(super) fn new(http: Http) -> Self {
        Self { http }
    }
}

#[async_trait]
impl HttpClient for IdentityTransport {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let answer = self.http.exchange(call(request).map_err(wrapped)?).await.map_err(wrapped)?;
        Ok(response(answer))
    }
}

/// Asking for a token changes nothing, so the call may be repeated, whichever method it has.
fn call(request: &Request) -> Result<Call, Error> {
    let attempted = "a call to the identity service";
    let method = Method::from_bytes(request.method().as_str().as_bytes())
        .map_err(|_| Error::invalid(attempted, "the method is unknown"))?;
    let Body::Bytes(body) = request.body().clone() else {
        return Err(Error::invalid(attempted, "a streamed body is not expected"));
    };
    let mut call =
        Call::new(method, request.url().clone()).body(body).response_limit(RESPONSE_LIMIT).repeatable();
    for (name, value) in request.headers().iter() {
        let name = header::HeaderName::from_bytes(name.as_str().as_bytes())
            .map_err(|_| Error::invalid(attempted, "a header name cannot be sent"))?;
        // reqwest sets the length, and our client sets the id of the call.
        if name != header::CONTENT_LENGTH && name != "x-ms-client-request-id" {
            call = call.header(name, value.as_str())?;
        }
    }
    Ok(call)
}

fn response(answer: Answer) -> AsyncRawResponse {
    let mut headers = Headers::new();
    for (name, value) in &answer.headers {
        if let Ok(value) = value.to_str() {
            headers.insert(HeaderName::from(name.as_str().to_owned()), HeaderValue::from(value.to_owned()));
        }
    }
    let body: Bytes = answer.body;
    let stream = stream::once(async move { Ok::<_, CoreError>(body) });
    AsyncRawResponse::new(answer.status.as_u16().into(), headers, Box::pin(stream))
}

fn wrapped(error: Error) -> CoreError {
    let kind = if error.sent() == Sent::No { CoreKind::Connection } else { CoreKind::Io };
    CoreError::new(kind, error)
}
