//! One HTTP client for everything that goes to Azure: deadlines, budgets, retries, size limits, no redirects.
//!
//! Every call has a deadline for all of its attempts and waits together, because it runs inside an invocation that the
//! host ends at an hour of its own. A call that has a budget draws from it before each attempt, and teaches it by each
//! answer, so that a refusal slows every other call too and not only the one that met it. Redirects are never followed: a token would follow them. Log events hold method,
//! host, path, status and time, never a query or a header, since operation URLs and SAS tokens are secrets.

mod call;
mod client;
mod retry;
mod service_error;
mod span;
pub mod transport;

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use ambient::{Ambient, Clock};
use bytes::BytesMut;
use futures::StreamExt;
use reqwest::header::{HeaderName, HeaderValue};
use tokio::time::{Instant, sleep, timeout_at};
use tracing::Instrument;

pub use self::call::{Answer, Call};
use self::retry::Outcome;
pub use self::retry::RetryPolicy;
use self::retry::retry_after;
use self::transport::{Incoming, Outgoing, Reqwest, Transport, TransportFailure};
use crate::error::{Error, ErrorKind, Sent};
use crate::trace::{self, TRACEPARENT};

/// Deadline of a call with all its attempts, unless the call says otherwise.
pub const DEFAULT_DEADLINE: Duration = Duration::from_secs(30);
/// Largest body of a successful answer, unless the call says otherwise, in bytes.
pub const DEFAULT_RESPONSE_LIMIT: usize = 16 * 1024 * 1024;
/// Longest part of a deadline that a call keeps free for the attempt itself when it has to wait for its turn; at most a
/// third of the deadline. A write whose turn comes in the last moment would be cut off, and no caller could tell
/// whether it was done.
const TIME_TO_ANSWER: Duration = Duration::from_secs(10);
/// How much of an error's body the client reads, in bytes.
const ERROR_BODY_LIMIT: usize = 64 * 1024;

const CLIENT_REQUEST_ID: HeaderName = HeaderName::from_static("x-ms-client-request-id");

/// The way to Azure. Cheap to clone; all clones share one pool of connections.
#[derive(Clone)]
pub struct Http {
    transport: Arc<dyn Transport>,
    retry: Arc<RetryPolicy>,
    ambient: Ambient,
}

/// The client of this process below every [`Http::shared`], with its connections, root certificates and proxy, for what is
/// no call to Azure: it has no deadline, retry or limit of its own. Made at first use; it does no I/O.
///
/// # Errors
/// `Invalid` when `HTTPS_PROXY` holds something that is not the address of a proxy.
pub fn shared_client() -> Result<reqwest::Client, Error> {
    static SHARED: OnceLock<Result<reqwest::Client, Error>> = OnceLock::new();
    SHARED.get_or_init(client::build).clone()
}

impl Http {
    /// Over the client of this process. `ambient` gives the ids of calls, the pauses before they are repeated, and the time.
    ///
    /// # Errors
    /// As [`shared_client`].
    pub fn shared(ambient: Ambient) -> Result<Self, Error> {
        Ok(Self::over(Arc::new(Reqwest(shared_client()?)), RetryPolicy::default(), ambient))
    }

    /// Over a client of its own, with its own connections.
    ///
    /// # Errors
    /// As [`shared_client`].
    pub fn new(retry: RetryPolicy, ambient: Ambient) -> Result<Self, Error> {
        Ok(Self::over(Arc::new(Reqwest(client::build()?)), retry, ambient))
    }

    /// Over any transport.
    #[must_use]
    pub fn over(transport: Arc<dyn Transport>, retry: RetryPolicy, ambient: Ambient) -> Self {
        Self { transport, retry: Arc::new(retry), ambient }
    }

    /// The time that the clients over it go by.
    pub(crate) fn clock(&self) -> &Clock {
        &self.ambient.clock
    }

    /// Sends a call and gives its answer if that is a success (2xx).
    ///
    /// # Errors
    /// Any [`ErrorKind`] but `Untrusted`. An answer with another status is an error with what its body says. `Throttled` with
    /// [`Sent::No`] when the turn of the call within its budget would come too late for its deadline.
    pub async fn send(&self, call: Call) -> Result<Answer, Error> {
        let answer = self.exchange(call).await?;
        if answer.status.is_success() {
            return Ok(answer);
        }
        let error = service_error::of(&answer);
        Err(if answer.in_doubt { error.in_doubt() } else { error })
    }

    /// Sends a call and gives the last answer, with any status.
    pub(crate) async fn exchange(&self, call: Call) -> Result<Answer, Error> {
        let deadline = Instant::now() + call.deadline;
        let request_id = self.ambient.randomness.uuid().to_string();
        // Whether an earlier attempt may have taken effect although a later one was refused.
        let mut in_doubt = false;
        let mut attempt = 0;
        loop {
            attempt += 1;
            if let Some(pace) = &call.pace {
                let latest = deadline - TIME_TO_ANSWER.min(call.deadline / 3);
                pace.turn(call.attempted(), latest)
                    .await
                    .map_err(|error| if in_doubt { error.in_doubt() } else { error })?;
            }
            // A connection that hangs must leave a read time for a second attempt.
            let patience = if call.repeatable { call.deadline / 2 } else { call.deadline };
            let result =
                self.attempt(&call, &request_id, attempt, deadline.min(Instant::now() + patience)).await;
            let outcome = match &result {
                Ok(answer) => {
                    if let Some(pace) = &call.pace {
                        pace.learn(answer.status, &answer.headers, answer.retry_after);
                    }
                    Outcome::Answered { status: answer.status.as_u16(), retry_after: answer.retry_after }
                }
                Err(error) => Outcome::Failed { kind: error.kind(), sent: error.sent() },
            };
            let remaining = deadline.saturating_duration_since(Instant::now());
            let jitter = self.ambient.randomness.share();
            let Some(pause) = self.retry.pause(attempt, &outcome, call.repeatable, remaining, jitter) else {
                return match result {
                    Ok(answer) => Ok(Answer { in_doubt, ..answer }),
                    Err(error) if in_doubt => Err(error.in_doubt()),
                    Err(error) => Err(error),
                };
            };
            in_doubt |= outcome.may_have_taken_effect();
            tracing::debug!(attempt, pause_ms = pause.as_millis(), "the call is sent again after a pause");
            sleep(pause).await;
        }
    }

    async fn attempt(
        &self,
        call: &Call,
        request_id: &str,
        attempt: u32,
        deadline: Instant,
    ) -> Result<Answer, Error> {
        let started = Instant::now();
        let span = span::open(call, attempt);
        let transfer = timeout_at(deadline, self.transfer(call, request_id)).instrument(span.clone());
        let result = transfer.await.unwrap_or_else(|_| {
            let message = format!("no answer within {:.1} s", started.elapsed().as_secs_f64());
            Err(Error::new(ErrorKind::Timeout, Sent::Maybe, call.attempted(), message))
        });
        span::complete(&span, &result);
        drop(span);
        tracing::debug!(
            http.request.method = %call.method,
            server.address = call.url.host_str(),
            url.path = call.url.path(),
            http.response.status_code = result.as_ref().ok().map(|answer| answer.status.as_u16()),
            error.kind = result.as_ref().err().map(Error::metric_label),
            duration_ms = started.elapsed().as_millis(),
            attempt,
            "call"
        );
        result
    }

    async fn transfer(&self, call: &Call, request_id: &str) -> Result<Answer, Error> {
        let mut headers = call.headers.clone();
        let traceparent = trace::current().and_then(|text| HeaderValue::from_str(&text).ok());
        // A message of Service Bus carries its trace itself, as a message property.
        if let Some(traceparent) = traceparent.filter(|_| !headers.contains_key(TRACEPARENT)) {
            headers.insert(TRACEPARENT, traceparent);
        }
        if let Ok(id) = HeaderValue::from_str(request_id) {
            headers.insert(CLIENT_REQUEST_ID, id);
        }
        let failed =
            |TransportFailure { kind, sent, message }| Error::new(kind, sent, call.attempted(), message);
        let request =
            Outgoing { method: call.method.clone(), url: call.url.clone(), headers, body: call.body.clone() };
        let Incoming { status, headers, length, body: mut chunks } =
            self.transport.send(request).await.map_err(failed)?;
        let limit = if status.is_success() { call.response_limit } else { ERROR_BODY_LIMIT };
        let too_large = || {
            let message = format!("the answer is larger than the limit of {limit} bytes");
            Error::new(ErrorKind::TooLarge, Sent::Yes, call.attempted(), message).with_status(status.as_u16())
        };
        if status.is_success() && length.is_some_and(|length| length > limit as u64) {
            return Err(too_large());
        }
        let mut body = BytesMut::new();
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.map_err(|failure| failed(failure).with_status(status.as_u16()))?;
            if body.len() + chunk.len() > limit {
                if status.is_success() {
                    return Err(too_large());
                }
                body.extend_from_slice(&chunk[..limit - body.len()]);
                break;
            }
            body.extend_from_slice(&chunk);
        }
        let (retry_after, attempted) = (retry_after(&headers, self.clock()), call.attempted());
        Ok(Answer { status, headers, body: body.freeze(), retry_after, attempted, in_doubt: false })
    }
}

impl fmt::Debug for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http").field("retry", &self.retry).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
