//! Every way in which an invocation does not succeed.
//!
//! Each has a status, a short fixed reason phrase (all that the host shows to people), a message for a person who calls
//! the handler by hand, and a detail for our own log. Phrase and message never hold anything from the body or from an
//! error of the function, because both reach the logs of the host.

use std::time::Duration;

use http::StatusCode;

use crate::envelope::EnvelopeError;
use crate::failure::Failure;

#[derive(Debug)]
pub(crate) enum Unsuccessful {
    NotAnInvocation { known: String },
    UnknownFunction { known: String },
    NotFromHost,
    Busy,
    BodyTooLarge { limit: usize },
    BodyUnreadable { cause: String },
    NotAnEnvelope(EnvelopeError),
    DeadlineExceeded { deadline: Duration },
    Panicked { message: String },
    UndeclaredOutput { output: String, declared: String },
    Failed(Failure),
}

impl Unsuccessful {
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::NotAnInvocation { .. } | Self::UnknownFunction { .. } => StatusCode::NOT_FOUND,
            Self::NotFromHost => StatusCode::FORBIDDEN,
            Self::Busy => StatusCode::SERVICE_UNAVAILABLE,
            Self::BodyTooLarge { .. } | Self::NotAnEnvelope(EnvelopeError::TooManyValues) => {
                StatusCode::PAYLOAD_TOO_LARGE
            }
            Self::BodyUnreadable { .. } | Self::NotAnEnvelope(_) => StatusCode::BAD_REQUEST,
            Self::DeadlineExceeded { .. }
            | Self::Panicked { .. }
            | Self::UndeclaredOutput { .. }
            | Self::Failed(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    pub(crate) fn reason(&self) -> &'static str {
        match self {
            Self::NotAnInvocation { .. } => "not an invocation",
            Self::UnknownFunction { .. } => "unknown function",
            Self::NotFromHost => "not from the host",
            Self::Busy => "no room for the body",
            Self::BodyTooLarge { .. } => "body too large",
            Self::BodyUnreadable { .. } => "body unreadable",
            Self::NotAnEnvelope(_) => "body is not an invocation",
            Self::DeadlineExceeded { .. } => "deadline exceeded",
            Self::Panicked { .. } => "function panicked",
            Self::UndeclaredOutput { .. } => "undeclared output",
            Self::Failed(failure) => failure.reason(),
        }
    }

    /// The message for a person, with what to do. It holds no secret.
    pub(crate) fn message(&self) -> String {
        match self {
            Self::NotAnInvocation { known } => format!(
                "invocations are POST /{{function name}}, and the functions are: {known}. If the host forwards requests \
                 as they are, set enableForwardingHttpRequest to false in host.json"
            ),
            Self::UnknownFunction { known } => {
                format!(
                    "no such function here; the functions are: {known}. The name is that of the function's folder"
                )
            }
            Self::NotFromHost => "invocations come from the Functions host of this machine, with its headers and no Origin"
                .to_owned(),
            Self::Busy => {
                "the invocations that are being handled take all the room that there is for bodies; it has to come again"
                    .to_owned()
            }
            Self::BodyTooLarge { limit } => {
                format!(
                    "the body is larger than {limit} bytes; lower the trigger's maximum batch size in host.json"
                )
            }
            Self::BodyUnreadable { .. } => {
                "the body ended before it was complete, or its framing is broken".to_owned()
            }
            Self::NotAnEnvelope(error) => error.to_string(),
            Self::DeadlineExceeded { deadline } => {
                format!("the function was stopped after {} ms; see the handler's log", deadline.as_millis())
            }
            Self::Panicked { .. } => "the function panicked; see the handler's log".to_owned(),
            Self::UndeclaredOutput { declared, .. } => format!(
                "the reply has an output that the function's definition does not have, or has of another kind; \
                 declared are: {declared}"
            ),
            Self::Failed(_) => "the function failed; see the handler's log".to_owned(),
        }
    }

    /// The detail for our own log.
    pub(crate) fn into_detail(self) -> String {
        match self {
            Self::Panicked { message } => message,
            Self::BodyUnreadable { cause } => cause,
            Self::UndeclaredOutput { ref output, .. } => format!("output `{output}`: {}", self.message()),
            Self::Failed(failure) => failure.into_detail().unwrap_or_default(),
            other => other.message(),
        }
    }
}

/// The text of a panic, cut to a length that fits a log line.
pub(crate) fn panic_message(payload: &(dyn std::any::Any + Send)) -> String {
    let text = payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("a panic without a text").chars().take(500).collect()
}
