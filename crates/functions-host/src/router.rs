//! Finds the function, bounds it, and always answers.
//!
//! An invocation is bounded in size ([`BodyLimits`]) and time (deadline), since the host bounds neither in a way that we
//! survive: at its own function timeout it kills the whole process, with every other invocation in it. A panic stays in
//! its invocation (with `panic = "unwind"`, the default of cargo's profiles).

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use futures::FutureExt;
use futures::future::BoxFuture;
use http::{HeaderMap, HeaderName, Method};
use tokio::time::Instant;
use tracing::field::Empty;
use tracing::{Instrument, Span};

use crate::answer;
use crate::completion_log::CompletionLog;
use crate::definition::Definition;
use crate::failure::Failure;
use crate::from_host;
use crate::intake::{BodyLimits, Intake, Taken};
use crate::invocation::{self, Invocation};
use crate::reply::Reply;
use crate::trace::TraceContext;
use crate::unsuccessful::{Unsuccessful, panic_message};

/// How long an invocation may take unless said otherwise: below the five minutes after which a host with its default
/// settings kills the process.
pub const DEFAULT_DEADLINE: Duration = Duration::from_secs(270);

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
    intake: Intake,
    from_host_only: bool,
    http_headers: Vec<(HeaderName, &'static str)>,
    prepare_span: Option<PrepareSpan>,
}

impl Default for Router {
    fn default() -> Self {
        Self {
            functions: BTreeMap::new(),
            deadline: DEFAULT_DEADLINE,
            intake: Intake::new(BodyLimits::default()),
            from_host_only: false,
            http_headers: Vec::new(),
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

    /// How much of bodies the handler holds: of one invocation and of all together. An HTTP function answers a request
    /// that is too large with 413, and one for which there is no room with 503; other invocations fail, and their
    /// triggers bring them again.
    pub fn body_limits(mut self, limits: BodyLimits) -> Self {
        self.intake = Intake::new(limits);
        self
    }

    /// The largest body of any trigger, in bytes; see [`body_limits`](Self::body_limits).
    pub fn body_limit(self, bytes: usize) -> Self {
        let limits = *self.intake.limits();
        self.body_limits(BodyLimits { http: bytes, event: bytes, batch: bytes, ..limits })
    }

    /// Refuses invocations that the host cannot have sent, such as those that a web page makes a browser send. Any
    /// process on the machine can still send what the host sends: there is no secret between host and handler.
    pub fn from_host_only(mut self) -> Self {
        self.from_host_only = true;
        self
    }

    /// Headers of every answer of an HTTP function, where the function does not set them itself.
    pub fn http_headers(mut self, headers: impl IntoIterator<Item = (HeaderName, &'static str)>) -> Self {
        self.http_headers = headers.into_iter().collect();
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

    /// One handler for every request, with nothing before it: `GET /` must not wait for anything. [`Server`](crate::Server) serves
    /// it; a test or a simulation can call it without a socket.
    pub fn into_service(self) -> axum::Router {
        axum::Router::new().fallback(answer).with_state(Arc::new(self))
    }

    fn known(&self) -> String {
        self.functions.keys().copied().collect::<Vec<_>>().join(", ")
    }

    /// Runs one invocation to its end, also to a panic or its deadline.
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
        if self.from_host_only && !from_host::is_possible(headers) {
            return Err(Unsuccessful::NotFromHost);
        }
        let deadline = function.deadline.unwrap_or(self.deadline);
        // The block drops the function's future inside the guard, so that a panic while dropping is caught as well.
        let bounded = async {
            let ends = Instant::now() + deadline;
            tokio::time::timeout_at(ends, self.call(function, headers, body, ends)).await
        };
        let outcome = match AssertUnwindSafe(bounded).catch_unwind().await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_elapsed)) => Err(Unsuccessful::DeadlineExceeded { deadline }),
            Err(panic) => Err(Unsuccessful::Panicked { message: panic_message(&*panic) }),
        };
        let reply = outcome.or_else(|error| answer::to_client(&function.definition, error))?;
        Ok(reply.with_headers(&self.http_headers))
    }

    async fn call(
        &self,
        function: &Function,
        headers: &HeaderMap,
        body: Body,
        deadline: Instant,
    ) -> Result<Reply, Unsuccessful> {
        // The share is held until the function is done.
        let Taken { bytes, mut share } = self.intake.read(&function.definition.trigger, body).await?;
        let invocation = Invocation::decode(&function.definition, headers, &bytes, deadline)
            .map_err(Unsuccessful::NotAnEnvelope)?;
        share.shrink_to(bytes.len().saturating_add(invocation.overhead()));
        drop(bytes);
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
            .field("body_limits", self.intake.limits())
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
