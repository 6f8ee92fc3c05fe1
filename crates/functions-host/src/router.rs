//! Finds the function, bounds it, and answers whatever happens.
//!
//! An invocation is bounded in size (body limit) and time (deadline), since the host bounds neither in a way that we
//! survive: at its own function timeout it kills the whole process, with every other invocation in it. A panic stays in
//! its invocation (with `panic = "unwind"`, the default of cargo's profiles).

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt};
use http::{HeaderMap, Method};
use tokio::time::Instant;
use tracing::field::Empty;
use tracing::{Instrument, Span};

use crate::answer;
use crate::completion_log::CompletionLog;
use crate::definition::Definition;
use crate::failure::Failure;
use crate::invocation::{self, Invocation};
use crate::reply::Reply;
use crate::trace::TraceContext;
use crate::unsuccessful::{Unsuccessful, panic_message};

/// How long an invocation may take unless said otherwise: below the five minutes after which a host with its default
/// settings kills the process.
pub const DEFAULT_DEADLINE: Duration = Duration::from_secs(270);

/// How large a body may be unless said otherwise, in bytes: a batch of thousands of messages, each quoted twice.
pub const DEFAULT_BODY_LIMIT: usize = 64 * 1024 * 1024;

type Handler = Box<dyn Fn(Invocation) -> BoxFuture<'static, Result<Reply, Failure>> + Send + Sync>;
type PrepareSpan = Box<dyn Fn(&Span, &TraceContext) + Send + Sync>;

struct Function {
    definition: Definition,
    handler: Handler,
    deadline: Option<Duration>,
}

/// The functions of an app.
#[must_use = "a router does nothing until a server serves it"]
pub struct Router {
    functions: BTreeMap<&'static str, Function>,
    deadline: Duration,
    body_limit: usize,
    prepare_span: Option<PrepareSpan>,
}

impl Default for Router {
    fn default() -> Self {
        Self {
            functions: BTreeMap::new(),
            deadline: DEFAULT_DEADLINE,
            body_limit: DEFAULT_BODY_LIMIT,
            prepare_span: None,
        }
    }
}

impl Router {
    /// A router without functions.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a function. State goes into the handler as an `Arc` that its closure captures. A second function of the
    /// same name replaces the first.
    pub fn function<H, F>(self, definition: Definition, handler: H) -> Self
    where
        H: Fn(Invocation) -> F + Send + Sync + 'static,
        F: Future<Output = Result<Reply, Failure>> + Send + 'static,
    {
        self.add(definition, None, handler)
    }

    /// Adds a function with a deadline of its own. For a Service Bus batch it has to lie below the queue's lock
    /// duration, because the host renews no locks of a batch.
    pub fn function_with_deadline<H, F>(self, definition: Definition, deadline: Duration, handler: H) -> Self
    where
        H: Fn(Invocation) -> F + Send + Sync + 'static,
        F: Future<Output = Result<Reply, Failure>> + Send + 'static,
    {
        self.add(definition, Some(deadline), handler)
    }

    fn add<H, F>(mut self, definition: Definition, deadline: Option<Duration>, handler: H) -> Self
    where
        H: Fn(Invocation) -> F + Send + Sync + 'static,
        F: Future<Output = Result<Reply, Failure>> + Send + 'static,
    {
        let handler: Handler = Box::new(move |invocation| handler(invocation).boxed());
        self.functions.insert(definition.name, Function { definition, handler, deadline });
        self
    }

    /// The deadline of functions without one of their own; [`DEFAULT_DEADLINE`] unless set.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// The largest body that is read, in bytes; [`DEFAULT_BODY_LIMIT`] unless set.
    pub fn body_limit(mut self, bytes: usize) -> Self {
        self.body_limit = bytes;
        self
    }

    /// Calls this for each invocation's span before it is entered, which is the only time when some tracing layers
    /// accept a remote parent for it.
    pub fn prepare_span(mut self, prepare: impl Fn(&Span, &TraceContext) + Send + Sync + 'static) -> Self {
        self.prepare_span = Some(Box::new(prepare));
        self
    }

    /// Every function's definition, by name; for a test that compares them with their `function.json`.
    pub fn definitions(&self) -> impl Iterator<Item = &Definition> {
        self.functions.values().map(|function| &function.definition)
    }

    /// One handler for every request, with nothing before it: `GET /` must not wait for anything.
    pub(crate) fn into_service(self) -> axum::Router {
        axum::Router::new().fallback(answer).with_state(Arc::new(self))
    }

    fn known(&self) -> String {
        self.functions.keys().copied().collect::<Vec<_>>().join(", ")
    }

    /// Runs one invocation to its end, whatever that is.
    async fn run(
        &self,
        method: &Method,
        path: &str,
        headers: &HeaderMap,
        body: Body,
    ) -> Result<Reply, Unsuccessful> {
        let Some(name) = path.strip_prefix('/').filter(|name| *method == Method::POST && !name.contains('/'))
        else {
            return Err(Unsuccessful::NotAnInvocation { known: self.known() });
        };
        let Some(function) = self.functions.get(name) else {
            return Err(Unsuccessful::UnknownFunction { known: self.known() });
        };
        let deadline = function.deadline.unwrap_or(self.deadline);
        // The block drops the function's future inside the guard, so that a panic while dropping is caught as well.
        let bounded = async {
            let ends = Instant::now() + deadline;
            tokio::time::timeout_at(ends, self.call(function, headers, body, ends)).await
        };
        match AssertUnwindSafe(bounded).catch_unwind().await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_elapsed)) => Err(Unsuccessful::DeadlineExceeded { deadline }),
            Err(panic) => Err(Unsuccessful::Panicked { message: panic_message(&*panic) }),
        }
    }

    async fn call(
        &self,
        function: &Function,
        headers: &HeaderMap,
        body: Body,
        deadline: Instant,
    ) -> Result<Reply, Unsuccessful> {
        let body = read(body, self.body_limit).await?;
        let invocation = Invocation::decode(&function.definition, headers, &body, deadline)
            .map_err(Unsuccessful::NotAnEnvelope)?;
        drop(body);
        let reply = (function.handler)(invocation).await.map_err(Unsuccessful::Failed)?;
        match reply.undeclared(&function.definition) {
            None => Ok(reply),
            Some(output) => Err(Unsuccessful::UndeclaredOutput {
                output: output.to_owned(),
                declared: function
                    .definition
                    .all_outputs()
                    .map(|(name, _)| name)
                    .collect::<Vec<_>>()
                    .join(", "),
            }),
        }
    }
}

impl std::fmt::Debug for Router {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Router")
            .field("functions", &self.functions.keys())
            .field("deadline", &self.deadline)
            .field("body_limit", &self.body_limit)
            .finish_non_exhaustive()
    }
}

async fn answer(State(router): State<Arc<Router>>, request: Request) -> Response {
    if request.method() == Method::GET && request.uri().path() == "/" {
        return answer::ready();
    }
    let (parts, body) = request.into_parts();
    let id = invocation::id(&parts.headers);
    let name = parts.uri.path().trim_start_matches('/').chars().take(128).collect::<String>();
    let known = router.functions.get(name.as_str()).filter(|_| parts.method == Method::POST);
    let span = tracing::info_span!(
        "invocation",
        faas.name = name.as_str(),
        faas.invocation_id = id.as_str(),
        faas.trigger = known.map(|function| function.definition.trigger.semantic_name()),
        trace_id = Empty,
        outcome = Empty,
        error.type = Empty,
        otel.kind = "server",
        otel.name = name.as_str(),
        otel.status_code = Empty,
    );
    if let Some(prepare) = &router.prepare_span {
        prepare(&span, &TraceContext::from_headers(&parts.headers));
    }
    let log = CompletionLog::start(span.clone());
    let outcome = router.run(&parts.method, parts.uri.path(), &parts.headers, body).instrument(span).await;
    let response = match &outcome {
        Ok(reply) => answer::success(reply),
        Err(error) => answer::failure(error, &id),
    };
    log.complete(outcome.err());
    response
}

/// Reads a whole body. What is past the limit is read and thrown away for as much again, so that a caller that writes
/// first and reads afterwards gets to see the answer.
async fn read(body: Body, limit: usize) -> Result<Vec<u8>, Unsuccessful> {
    let mut chunks = body.into_data_stream();
    let mut bytes = Vec::new();
    let mut length: usize = 0;
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|error| Unsuccessful::BodyUnreadable { cause: error.to_string() })?;
        length = length.saturating_add(chunk.len());
        if length <= limit {
            bytes.extend_from_slice(&chunk);
        } else if length > limit.saturating_mul(2) {
            break;
        } else {
            bytes = Vec::new();
        }
    }
    if length > limit { Err(Unsuccessful::BodyTooLarge { limit }) } else { Ok(bytes) }
}
