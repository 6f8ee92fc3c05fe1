//! Reads the trace that an invocation belongs to.
//!
//! The host sends W3C `traceparent` and `tracestate` headers only while something listens to its own activities, so
//! both are optional. Any process on this machine can send others, so a malformed header is dropped, never passed on.

use http::HeaderMap;

/// The caller's position in a distributed trace, as far as it is well formed (W3C Trace Context).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TraceContext {
    /// A valid `traceparent`, of any version but `ff`, with the sampled flag set or not.
    pub traceparent: Option<String>,
    /// `tracestate` as it came; only beside a valid `traceparent`, and at most 512 characters long.
    pub tracestate: Option<String>,
}

/// A longer `tracestate` is dropped: W3C asks that 512 characters be passed on, and no more.
const LONGEST_TRACESTATE: usize = 512;

impl TraceContext {
    /// Reads both headers. Two `traceparent` headers contradict each other, so neither is believed.
    #[must_use]
    pub fn from_headers(headers: &HeaderMap) -> Self {
        let mut parents = headers.get_all("traceparent").iter();
        let (Some(parent), None) = (parents.next(), parents.next()) else { return Self::default() };
        let states: Option<Vec<&str>> =
            headers.get_all("tracestate").iter().map(|value| value.to_str().ok()).collect();
        Self::new(parent.to_str().ok(), states.map(|states| states.join(",")).as_deref())
    }

    /// The context of these texts, or an empty one.
    #[must_use]
    pub fn new(traceparent: Option<&str>, tracestate: Option<&str>) -> Self {
        let Some(traceparent) = traceparent.filter(|text| is_traceparent(text)) else {
            return Self::default();
        };
        let tracestate = tracestate
            .filter(|state| !state.is_empty() && state.len() <= LONGEST_TRACESTATE)
            .filter(|state| state.bytes().all(|byte| matches!(byte, b' '..=b'~')));
        Self { traceparent: Some(traceparent.to_owned()), tracestate: tracestate.map(str::to_owned) }
    }
}

/// Whether a text is a `traceparent`: version, trace id, parent id and flags in lower-case hex, no id all zero.
/// Version `00` has nothing after the flags; a later version may.
fn is_traceparent(text: &str) -> bool {
    let mut parts = text.splitn(5, '-');
    let mut hex = |length: usize| {
        parts
            .next()
            .filter(|part| part.len() == length)
            .filter(|part| part.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')))
    };
    let (Some(version), Some(trace), Some(parent), Some(_flags)) = (hex(2), hex(32), hex(16), hex(2)) else {
        return false;
    };
    let is_zero = |id: &str| id.bytes().all(|byte| byte == b'0');
    version != "ff" && !is_zero(trace) && !is_zero(parent) && (version != "00" || parts.next().is_none())
}
