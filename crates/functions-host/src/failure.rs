//! A failed answer: the wish that the host try again.
//!
//! The host treats every status from 400 alike. It ignores the body and shows people nothing but the reason phrase, and
//! both reach its error logs. So the reason is a fixed text of the code, and the details go to the handler's own log
//! instead.

use std::error::Error;
use std::fmt;

use crate::error::DecodeError;

/// What a function returns when the trigger should fire again, as far as the trigger can: messages are abandoned and
/// redelivered at once, an Event Grid POST is resent, a timer waits for its next time, and a batch of Event Hubs is
/// lost unless a retry policy is set.
///
/// Becomes status 500 with the reason as its reason phrase, and one log line with reason and detail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    reason: &'static str,
    detail: Option<String>,
}

impl Failure {
    /// A failure with a short reason in plain ASCII. People see it in the host's logs: `500 (registry unreachable)`.
    #[must_use]
    pub fn new(reason: &'static str) -> Self {
        Self { reason, detail: None }
    }

    /// Adds details for the handler's own log; no answer holds them. Put no secret in them.
    #[must_use]
    pub fn detail(mut self, detail: impl fmt::Display) -> Self {
        self.detail = Some(detail.to_string());
        self
    }

    /// Adds an error with all its sources as the detail.
    #[must_use]
    pub fn because(self, error: &dyn Error) -> Self {
        let mut chain = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            chain.push_str(": ");
            chain.push_str(&cause.to_string());
            source = cause.source();
        }
        self.detail(chain)
    }

    /// The fixed reason.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        self.reason
    }

    pub(crate) fn into_detail(self) -> Option<String> {
        self.detail
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.reason)?;
        match &self.detail {
            Some(detail) => write!(formatter, ": {detail}"),
            None => Ok(()),
        }
    }
}

impl Error for Failure {}

/// So that `invocation.timer("timer")?` works in a function.
impl From<DecodeError> for Failure {
    fn from(error: DecodeError) -> Self {
        // The error's text holds the element's error already.
        Self::new("trigger data not understood").detail(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("cannot read the list")]
    struct Outer(#[source] std::num::ParseIntError);

    #[test]
    fn every_source_is_in_the_detail_and_none_in_the_reason() {
        let failure = Failure::new("list unreadable").because(&Outer("x".parse::<u8>().unwrap_err()));
        assert_eq!(
            failure.to_string(),
            "list unreadable: cannot read the list: invalid digit found in string"
        );
        assert_eq!(failure.reason(), "list unreadable");
    }
}
