//! The events of a running host: JSON lines for programs, readable lines for people.

use std::fmt;
use std::time::Duration;

use indexmap::IndexMap;
use serde::Serialize;
use tokio::sync::mpsc::UnboundedSender;

/// Something that happened. Serializes to one JSON line of `policysync host --output json`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "lowercase")]
pub enum HostEvent {
    /// The handler answers and triggers may fire.
    Ready {
        /// Where HTTP functions are reached.
        url: String,
    },
    /// The handler's process changed.
    Handler {
        /// What happened.
        action: HandlerAction,
        /// Its process id.
        pid: u32,
        /// How it ended: its exit code, 128 + n after signal n; none when it started.
        code: Option<i32>,
    },
    /// An invocation ended; one event for each attempt of a retry sequence.
    Invocation(Box<InvocationReport>),
    /// A line of log.
    Log {
        /// Who wrote it.
        source: LogSource,
        /// How important the host takes it to be.
        level: LogLevel,
        /// The line.
        message: String,
    },
}

/// What happened to the handler's process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum HandlerAction {
    /// It was started.
    Started,
    /// It ended by itself.
    Exited,
    /// The host killed it.
    Killed,
}

/// How an invocation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Outputs were bound, messages completed.
    Succeeded,
    /// Messages were abandoned.
    Failed,
    /// It failed because `functionTimeout` was over; the handler was killed.
    TimedOut,
}

/// One ended invocation.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct InvocationReport {
    /// The function.
    pub function: String,
    /// Type of its trigger, for people.
    #[serde(skip)]
    pub trigger: &'static str,
    /// The same for every attempt of a retry sequence.
    pub invocation_id: String,
    /// How it ended.
    pub outcome: Outcome,
    /// Why it did not succeed, in words.
    pub error: Option<String>,
    /// The log lines of the answer.
    pub logs: Vec<String>,
    /// The text of each message by output binding, `http` outputs left out.
    pub outputs: IndexMap<String, Vec<String>>,
    /// How long it took.
    #[serde(rename = "durationMs", serialize_with = "milliseconds")]
    pub duration: Duration,
    /// The response of an HTTP function.
    #[serde(skip)]
    pub response: Option<super::answer::HttpOutput>,
}

impl InvocationReport {
    /// Whether it succeeded.
    #[must_use]
    pub fn succeeded(&self) -> bool {
        self.outcome == Outcome::Succeeded
    }
}

/// Who wrote a line of log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogSource {
    /// The handler, on its standard output.
    HandlerStdout,
    /// The handler, on its standard error.
    HandlerStderr,
    /// The host itself.
    Host,
}

/// Levels as .NET names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum LogLevel {
    /// Normal.
    Information,
    /// Worth a look.
    Warning,
    /// Something failed.
    Error,
}

fn milliseconds<S: serde::Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
}

impl fmt::Display for HostEvent {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ready { url } => write!(formatter, "ready: {url}"),
            Self::Handler { action, pid, code } => {
                let action = match action {
                    HandlerAction::Started => "started",
                    HandlerAction::Exited => "exited",
                    HandlerAction::Killed => "killed by the host",
                };
                write!(formatter, "handler {action}, process {pid}")?;
                code.map_or(Ok(()), |code| write!(formatter, ", code {code}"))
            }
            Self::Invocation(report) => report.fmt(formatter),
            Self::Log { source, level, message } => {
                let source = match source {
                    LogSource::HandlerStdout => "stdout",
                    LogSource::HandlerStderr => "stderr",
                    LogSource::Host => "host",
                };
                match level {
                    LogLevel::Information => write!(formatter, "{source}: {message}"),
                    LogLevel::Warning => write!(formatter, "{source}: warning: {message}"),
                    LogLevel::Error => write!(formatter, "{source}: error: {message}"),
                }
            }
        }
    }
}

impl fmt::Display for InvocationReport {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let outcome = match self.outcome {
            Outcome::Succeeded => "succeeded",
            Outcome::Failed => "FAILED",
            Outcome::TimedOut => "TIMED OUT",
        };
        let (function, trigger, ms) = (&self.function, self.trigger, self.duration.as_secs_f64() * 1000.0);
        write!(formatter, "{function} ({trigger}) {outcome} in {ms:.1} ms")?;
        for (binding, messages) in &self.outputs {
            write!(formatter, ", {} to {binding}", messages.len())?;
        }
        if let Some(error) = &self.error {
            write!(formatter, ": {}", error.replace(['\r', '\n'], " "))?;
        }
        write!(formatter, " [{}]", self.invocation_id)
    }
}

/// The receiver of events, if there is one.
#[derive(Debug, Clone, Default)]
pub struct Events(pub Option<UnboundedSender<HostEvent>>);

impl Events {
    /// Tells an event. A receiver that is gone is no error.
    pub fn tell(&self, event: HostEvent) {
        if let Some(sender) = &self.0 {
            let _ = sender.send(event);
        }
    }

    /// Tells a line of the host's own log.
    pub fn log(&self, level: LogLevel, message: impl Into<String>) {
        self.tell(HostEvent::Log { source: LogSource::Host, level, message: message.into() });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(event: &HostEvent) -> String {
        serde_json::to_string(event).unwrap()
    }

    #[test]
    fn events_are_json_lines_of_fixed_form() {
        let report = InvocationReport {
            function: "job".to_owned(),
            trigger: "timerTrigger",
            invocation_id: "00000000-0000-0000-0000-000000000000".to_owned(),
            outcome: Outcome::TimedOut,
            error: Some("too\nslow".to_owned()),
            logs: vec!["a".to_owned()],
            outputs: IndexMap::from([("out".to_owned(), vec!["x".to_owned()])]),
            duration: Duration::from_micros(12_345),
            response: None,
        };
        let event = HostEvent::Invocation(Box::new(report));
        let expected = r#"{"event":"invocation","function":"job","invocationId":"00000000-0000-0000-0000-000000000000","outcome":"timed-out","error":"too\nslow","logs":["a"],"outputs":{"out":["x"]},"durationMs":12}"#;
        assert_eq!(json(&event), expected);
        let line = "job (timerTrigger) TIMED OUT in 12.3 ms, 1 to out: too slow [00000000-0000-0000-0000-000000000000]";
        assert_eq!(event.to_string(), line);
        assert_eq!(
            json(&HostEvent::Ready { url: "http://x".to_owned() }),
            r#"{"event":"ready","url":"http://x"}"#
        );
        let handler = HostEvent::Handler { action: HandlerAction::Started, pid: 7, code: None };
        assert_eq!(json(&handler), r#"{"event":"handler","action":"started","pid":7,"code":null}"#);
        let log = HostEvent::Log {
            source: LogSource::HandlerStderr,
            level: LogLevel::Error,
            message: "m".to_owned(),
        };
        assert_eq!(json(&log), r#"{"event":"log","source":"handler-stderr","level":"Error","message":"m"}"#);
    }
}
