//! Logs one line for every invocation, and records its end in its span.

use tokio::time::Instant;
use tracing::Span;

use crate::unsuccessful::Unsuccessful;

/// Logs exactly one line per invocation, also when the host closes the connection and the work is dropped half-way.
pub(crate) struct CompletionLog {
    span: Span,
    started: Instant,
    done: bool,
}

impl CompletionLog {
    pub(crate) fn start(span: Span) -> Self {
        Self { span, started: Instant::now(), done: false }
    }

    pub(crate) fn complete(mut self, error: Option<Unsuccessful>) {
        self.done = true;
        let duration_ms = self.duration_ms();
        let _entered = self.span.enter();
        let Some(error) = error else {
            self.span.record("outcome", "succeeded");
            tracing::info!(outcome = "succeeded", duration_ms, "invocation succeeded");
            return;
        };
        let (status, reason) = (error.status(), error.reason());
        let detail = error.into_detail();
        // A text field, not a printed one: formatters escape line ends in it, so that a line stays a line.
        let detail = detail.as_str();
        self.span.record("error.type", reason);
        if status.is_client_error() {
            self.span.record("outcome", "refused");
            tracing::warn!(outcome = "refused", duration_ms, reason, detail, "invocation refused");
        } else {
            self.span.record("outcome", "failed");
            self.span.record("otel.status_code", "ERROR");
            tracing::error!(outcome = "failed", duration_ms, reason, detail, "invocation failed");
        }
    }

    fn duration_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

impl Drop for CompletionLog {
    fn drop(&mut self) {
        if !self.done {
            let duration_ms = self.duration_ms();
            self.span.record("outcome", "abandoned");
            tracing::warn!(
                parent: &self.span,
                outcome = "abandoned",
                duration_ms,
                "the host closed the connection before the answer"
            );
        }
    }
}
