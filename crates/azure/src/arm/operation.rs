//! Long-running operations as values that can be stored, and the meaning of their status.
//!
//! No code here waits for an operation: the caller stores it and asks about it later, perhaps from another process. A
//! finished operation is only a reason to look at the hubs (`contracts.md` §1). The client reads the body as well as
//! the status code, because a failure comes as `200` with `"status": "Failed"`, which Microsoft's own client takes for
//! a success (`azure-wire-facts.md` §1.5).

use std::fmt;
use std::time::Duration;

use serde_json::Value;
use time::OffsetDateTime;
use url::Url;

use crate::error::{Error, ErrorKind};
use crate::http::Answer;
use crate::members::{at, member, owned, text};

/// An operation that the service has started. `Debug` leaves out the query of its address, which may hold a signature.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct LongRunningOperation {
    /// The URL of its status; `None` when the service named none.
    pub url: Option<Url>,
    /// Whether the service said at once that it was done.
    pub finished: bool,
    /// How long the service asked to wait before the first question, in seconds, at the most [`crate::LONGEST_PAUSE`]; a
    /// record of an earlier version may hold more.
    pub retry_after_seconds: Option<u64>,
    /// When the service accepted it.
    pub started_at: Option<OffsetDateTime>,
}

/// What the service says about an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OperationStatus {
    /// It is going on.
    Running {
        /// How long the service asks to wait before the next question, at the most [`crate::LONGEST_PAUSE`].
        retry_after: Option<Duration>,
    },
    /// It is done.
    Succeeded,
    /// It ended without success.
    Failed {
        /// The service's code, or the final status where it gives none.
        code: String,
        /// What the service said, with the details that it gives; may be empty.
        message: String,
    },
    /// The record of its status has expired, was never named, or may not be read: look for the effect instead.
    Unknown,
}

/// The state that a successful answer stands for.
pub(super) fn state_of(answer: &Answer) -> Result<OperationStatus, Error> {
    let running = || OperationStatus::Running { retry_after: answer.retry_after };
    let accepted = answer.status.as_u16() == 202;
    if answer.body.iter().all(u8::is_ascii_whitespace) {
        return Ok(if accepted { running() } else { OperationStatus::Succeeded });
    }
    let body: Value = match answer.json() {
        Ok(body) => body,
        // The status `202` is enough, whatever the body is.
        Err(_) if accepted => return Ok(running()),
        Err(error) => return Err(error),
    };
    let status = text(&body, &["status"])
        .or_else(|| text(&body, &["result"]))
        .or_else(|| text(&body, &["properties", "provisioningState"]));
    Ok(match status.map(str::to_ascii_lowercase).as_deref() {
        Some("succeeded" | "completed") => OperationStatus::Succeeded,
        Some("failed" | "canceled" | "cancelled") => failed(&body, status.unwrap_or_default()),
        Some(_) => running(),
        None if member(&body, "error").is_some_and(Value::is_object) => failed(&body, "Failed"),
        None if accepted => running(),
        None => OperationStatus::Succeeded,
    })
}

/// The state that a refusal stands for. A status record that is gone or hidden is no failure of the operation; a
/// service that cannot answer now says nothing about it; with any other refusal of a status request `Location` reports
/// a failure.
pub(super) fn state_of_refusal(error: Error) -> Result<OperationStatus, Error> {
    match error.kind() {
        ErrorKind::NotFound | ErrorKind::Forbidden => Ok(OperationStatus::Unknown),
        ErrorKind::Conflict | ErrorKind::PreconditionFailed | ErrorKind::Invalid
            if error.status().is_some() =>
        {
            let code = error.service_code().map_or_else(|| "Failed".to_owned(), str::to_owned);
            Ok(OperationStatus::Failed { code, message: error.message().to_owned() })
        }
        _ => Err(error),
    }
}

fn failed(body: &Value, status: &str) -> OperationStatus {
    let error = at(body, &["error"]).or_else(|| at(body, &["properties", "error"])).unwrap_or(&Value::Null);
    let mut message = owned(error, &["message"]).unwrap_or_default();
    // Around the real error there may be one that says no more than that there is one (`ca-lifecycle-facts.md` §1.4).
    for detail in at(error, &["details"]).and_then(Value::as_array).into_iter().flatten().take(3) {
        let said = ["code", "message"].iter().filter_map(|name| text(detail, &[name]));
        message = format!("{message} {}", said.collect::<Vec<_>>().join(": ")).trim().to_owned();
    }
    OperationStatus::Failed { code: owned(error, &["code"]).unwrap_or_else(|| status.to_owned()), message }
}

impl fmt::Debug for LongRunningOperation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LongRunningOperation")
            .field("path", &self.url.as_ref().map(Url::path))
            .field("finished", &self.finished)
            .field("retry_after_seconds", &self.retry_after_seconds)
            .field("started_at", &self.started_at)
            .finish()
    }
}
