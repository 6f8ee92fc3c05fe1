//! Carries the trace of the caller into every call that is made on the caller's behalf (W3C Trace Context, level 1).
//!
//! Only the caller knows its trace, and this crate uses no telemetry library. So the caller names the trace once around
//! its work, and [`crate::http::Http`] and [`crate::service_bus::QueueSender`] read it where they send. A process that
//! exports spans says with [`install`] how to learn the current one.

use std::future::Future;
use std::sync::{Arc, OnceLock};

/// Name of the header, and of the property of a message.
pub(crate) const TRACEPARENT: &str = "traceparent";
/// The older name under which Azure's own clients put the same value on a message, and under which the Functions host
/// finds it (`functions-host-protocol.md`). The wire makes it lower case.
pub(crate) const DIAGNOSTIC_ID: &str = "Diagnostic-Id";

tokio::task_local! {
    static CURRENT: Option<Arc<str>>;
}

/// Answers the `traceparent` of the current span, in a process that exports spans.
static SPANS: OnceLock<fn() -> Option<String>> = OnceLock::new();

/// Lets calls and messages carry the span in which they are made, rather than the trace of the caller: `current`
/// answers with the span's `traceparent`, or with `None` where there is no span. The first function that is installed
/// stays.
pub fn install(current: fn() -> Option<String>) {
    // A second function would answer for the same spans.
    let _ = SPANS.set(current);
}

/// Runs `future` with `traceparent` on every call and message that it sends itself. A task that it spawns is not
/// covered: wrap that one too.
///
/// No call carries a text that is not of the form `00-<trace id>-<parent id>-<flags>` in lower-case hexadecimal digits;
/// the future runs all the same, since a broken trace must not stop work.
pub async fn with_traceparent<F: Future>(traceparent: String, future: F) -> F::Output {
    let valid = is_traceparent(&traceparent);
    if !valid {
        tracing::debug!("a traceparent is malformed and is not passed on");
    }
    CURRENT.scope(valid.then(|| traceparent.into()), future).await
}

/// The trace of the work that runs now.
pub(crate) fn current() -> Option<Arc<str>> {
    let span = SPANS.get().and_then(|current| current()).filter(|text| is_traceparent(text));
    span.map(Arc::from).or_else(|| CURRENT.try_with(Clone::clone).ok().flatten())
}

fn is_traceparent(text: &str) -> bool {
    let hexadecimal = |part: &str, length| {
        part.len() == length && part.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
    };
    // An id of zeros alone is the one that no trace has.
    let id = |part: &str, length| hexadecimal(part, length) && part.bytes().any(|b| b != b'0');
    let parts: Vec<&str> = text.split('-').collect();
    matches!(parts[..], ["00", trace, parent, flags] if id(trace, 32) && id(parent, 16) && hexadecimal(flags, 2))
}

#[cfg(test)]
mod tests {
    use reqwest::Method;
    use url::Url;

    use super::*;
    use crate::fake::{Fake, Reply, http};
    use crate::http::Call;

    const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn only_the_published_form_is_a_traceparent() {
        assert!(is_traceparent(TRACE));
        assert!(is_traceparent("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"));
        for text in [
            "",
            "00",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0g",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-",
            " 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e473-600f067aa0ba902b7-01",
        ] {
            assert!(!is_traceparent(text), "{text}");
        }
    }

    #[tokio::test]
    async fn a_call_carries_the_trace_of_its_caller_over_all_attempts_and_no_other() {
        let fake = Fake::start(|seen, _| Reply::status(if seen.number == 0 { 503 } else { 200 })).await;
        let call = || Call::new(Method::GET, Url::parse(&fake.origin).unwrap());
        let http = http();
        with_traceparent(TRACE.to_owned(), http.send(call())).await.unwrap();
        http.send(call()).await.unwrap();
        with_traceparent("not a trace\r\nX: y".to_owned(), http.send(call())).await.unwrap();
        let inner = with_traceparent(String::new(), http.send(call()));
        with_traceparent(TRACE.to_owned(), inner).await.unwrap();
        let seen = fake.seen();
        let sent: Vec<_> = seen.iter().map(|seen| seen.header(TRACEPARENT)).collect();
        assert_eq!(sent, [Some(TRACE), Some(TRACE), None, None, None]);
    }
}
