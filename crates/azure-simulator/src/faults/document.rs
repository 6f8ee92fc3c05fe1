//! Faults as a document: `{"faults":[...]}`, in a request or in a file.
//!
//! Read strictly: a fault with a misspelt member would be a test that silently tests nothing.

use std::num::NonZeroU64;
use std::time::Duration;

use http::StatusCode;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use super::Fault;

const METHODS: [&str; 7] = ["GET", "HEAD", "PUT", "POST", "PATCH", "DELETE", "OPTIONS"];
/// More faults than this are a mistake.
const MOST: usize = 1_000;
/// A day: longer delays are a mistake.
const LONGEST_DELAY: f64 = 86_400.0;

/// What is wrong with a document of faults; it names the member.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FaultError {
    /// Not JSON at all.
    #[error("the faults are not JSON: {0}")]
    Json(String),
    /// A member that does not exist, or a value that it cannot have.
    #[error("{member}: {problem}")]
    Member {
        /// Where, as `faults[2].status`.
        member: String,
        /// What is wrong and what would be right.
        problem: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    faults: Vec<Given>,
}

/// A fault as it is written.
#[derive(Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
struct Given {
    method: String,
    path: String,
    status: Option<u16>,
    retry_after: Option<u64>,
    times: Option<NonZeroU64>,
    #[serde(deserialize_with = "present")]
    body: Option<Value>,
    delay_seconds: Option<f64>,
    close: bool,
    afterwards: bool,
    merge: Option<Map<String, Value>>,
    probability: f64,
}

impl Default for Given {
    fn default() -> Self {
        Self {
            method: "*".to_owned(),
            path: String::new(),
            status: None,
            retry_after: None,
            times: None,
            body: None,
            delay_seconds: None,
            close: false,
            afterwards: false,
            merge: None,
            probability: 1.0,
        }
    }
}

/// A body that is `null` is a body.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

/// Reads the text of a document of faults.
///
/// # Errors
/// Names the first member that is unknown or has a value that it cannot have.
pub fn parse(text: &str) -> Result<Vec<Fault>, FaultError> {
    let document: Value = serde_json::from_str(text).map_err(|error| FaultError::Json(error.to_string()))?;
    read(&document)
}

/// Reads a document of faults.
///
/// # Errors
/// Names the first member that is unknown or has a value that it cannot have.
pub fn read(document: &Value) -> Result<Vec<Fault>, FaultError> {
    let Document { faults } = serde_path_to_error::deserialize(document).map_err(|error| {
        let place = error.path().to_string();
        // The document itself is `.`.
        wrong(if place == "." { "faults" } else { &place }, &error.inner().to_string())
    })?;
    if faults.len() > MOST {
        return Err(wrong("faults", &format!("at most {MOST} faults")));
    }
    let judged = faults.into_iter().enumerate().map(|(index, given)| {
        judge(given).map_err(|(name, problem)| wrong(&format!("faults[{index}].{name}"), &problem))
    });
    judged.collect()
}

/// A wrong value, by the name of its member.
type Wrong = (&'static str, String);

/// The values that each member can have.
fn judge(given: Given) -> Result<Fault, Wrong> {
    let fail = |name, problem: &str| Err((name, problem.to_owned()));
    together(&given)?;
    let method = match given.method.to_ascii_uppercase() {
        any if any == "*" => None,
        method if METHODS.contains(&method.as_str()) => Some(method),
        _ => return fail("method", &format!("must be * or one of {}", METHODS.join(", "))),
    };
    let status = match given.status {
        None => None,
        Some(status) => match StatusCode::from_u16(status) {
            Ok(code) if (200..=599).contains(&status) => Some(code),
            _ => return fail("status", "must be a status from 200 to 599"),
        },
    };
    let delay = given.delay_seconds.unwrap_or(0.0);
    let Some(delay) = Some(delay)
        .filter(|seconds| (0.0..=LONGEST_DELAY).contains(seconds))
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
    else {
        return fail("delaySeconds", "must be seconds, 0 to 86400");
    };
    if !(0.0..=1.0).contains(&given.probability) {
        return fail("probability", "must be a number from 0 to 1");
    }
    Ok(Fault {
        method,
        path: given.path,
        status,
        retry_after: given.retry_after,
        times: given.times.map(NonZeroU64::get),
        body: given.body,
        delay,
        close: given.close,
        afterwards: given.afterwards,
        merge: given.merge,
        probability: given.probability,
    })
}

/// Members that are needed, and those that only make sense together.
fn together(given: &Given) -> Result<(), Wrong> {
    let has_status = given.status.is_some();
    let (name, problem) = if given.path.is_empty() {
        ("path", "is required: a glob over the path, such as /subscriptions/*")
    } else if given.merge.as_ref().is_some_and(Map::is_empty) {
        ("merge", "must hold the members to put into the service's own answer")
    } else if given.close && has_status {
        ("close", "a closed connection has no answer: give close or status")
    } else if given.afterwards && !has_status && !given.close {
        ("afterwards", "needs status or close, which take the place of the lost answer")
    } else if given.merge.is_some() && (given.close || has_status) {
        ("merge", "changes the service's own answer, which status and close take the place of")
    } else if !has_status && !given.close && given.delay_seconds.is_none() && given.merge.is_none() {
        ("status", "the fault does nothing: give status, close, merge or delaySeconds")
    } else if !has_status && given.body.is_some() {
        ("body", "needs status")
    } else if !has_status && given.retry_after.is_some() {
        ("retryAfter", "needs status")
    } else {
        return Ok(());
    };
    Err((name, problem.to_owned()))
}

fn wrong(member: &str, problem: &str) -> FaultError {
    FaultError::Member { member: member.to_owned(), problem: problem.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blamed(text: &str) -> String {
        match parse(text) {
            Err(FaultError::Member { member, .. }) => member,
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn every_member_is_read() {
        let faults = parse(
            r#"{"faults":[{"method":"put","path":"/dps/*","status":429,"retryAfter":7,"times":2,
                "body":{"errorCode":429001},"delaySeconds":0.5,"afterwards":true,"probability":0.25}]}"#,
        );
        let expected = Fault {
            method: Some("PUT".into()),
            path: "/dps/*".into(),
            status: Some(StatusCode::TOO_MANY_REQUESTS),
            retry_after: Some(7),
            times: Some(2),
            body: Some(serde_json::json!({"errorCode": 429_001})),
            delay: Duration::from_millis(500),
            close: false,
            afterwards: true,
            merge: None,
            probability: 0.25,
        };
        assert_eq!(faults, Ok(vec![expected]));
        let churn = parse(r#"{"faults":[{"path":"*","merge":{"properties":{"odd":1}}}]}"#).unwrap();
        let patch = serde_json::json!({"properties": {"odd": 1}});
        assert_eq!(churn[0].merge.as_ref(), patch.as_object());
    }

    #[test]
    fn what_is_unknown_or_out_of_range_is_named() {
        assert_eq!(blamed(r#"{"fault":[]}"#), "fault");
        assert_eq!(blamed(r#"[]"#), "faults");
        assert_eq!(
            blamed(r#"{"faults":[{"path":"*","status":500},{"path":"*","state":500}]}"#),
            "faults[1].state"
        );
        assert_eq!(blamed(r#"{"faults":[{"path":"*","status":"500"}]}"#), "faults[0].status");
        assert_eq!(blamed(r#"{"faults":[{"path":"*","status":99}]}"#), "faults[0].status");
        assert_eq!(blamed(r#"{"faults":[{"method":"FETCH","path":"*","status":500}]}"#), "faults[0].method");
        assert_eq!(blamed(r#"{"faults":[{"path":"*","status":500,"times":0}]}"#), "faults[0].times");
        assert_eq!(
            blamed(r#"{"faults":[{"path":"*","status":500,"retryAfter":-1}]}"#),
            "faults[0].retryAfter"
        );
        assert_eq!(blamed(r#"{"faults":[{"path":"*","delaySeconds":-1}]}"#), "faults[0].delaySeconds");
        assert_eq!(
            blamed(r#"{"faults":[{"path":"*","status":500,"probability":1.5}]}"#),
            "faults[0].probability"
        );
        assert_eq!(blamed(r#"{"faults":[{"status":500}]}"#), "faults[0].path");
        assert_eq!(blamed(r#"{"faults":[{"path":"*"}]}"#), "faults[0].status");
        assert_eq!(blamed(r#"{"faults":[{"path":"*","close":true,"status":500}]}"#), "faults[0].close");
        assert_eq!(
            blamed(r#"{"faults":[{"path":"*","afterwards":true,"delaySeconds":1}]}"#),
            "faults[0].afterwards"
        );
        assert_eq!(blamed(r#"{"faults":[{"path":"*","merge":{"a":1},"status":500}]}"#), "faults[0].merge");
        assert_eq!(blamed(r#"{"faults":[{"path":"*","merge":[]}]}"#), "faults[0].merge");
        assert!(matches!(parse("{"), Err(FaultError::Json(_))));
    }
}
