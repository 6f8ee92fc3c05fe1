//! Faults as a document: `{"faults":[...]}`, in a request or in a file.
//!
//! Read strictly and member by member: a fault with a misspelt member would be a test that silently tests nothing.

use std::time::Duration;

use http::StatusCode;
use serde_json::{Map, Value};

use super::Fault;

const METHODS: [&str; 7] = ["GET", "HEAD", "PUT", "POST", "PATCH", "DELETE", "OPTIONS"];
const MEMBERS: &str =
    "method, path, status, retryAfter, times, body, delaySeconds, close, afterwards, merge, probability";
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
    let Some(document) = document.as_object() else {
        return Err(wrong("faults", r#"the document must be {"faults":[...]}"#));
    };
    if let Some(unknown) = document.keys().find(|name| *name != "faults") {
        return Err(wrong(unknown, "unknown member; the document has one, faults"));
    }
    let Some(faults) = document.get("faults").and_then(Value::as_array) else {
        return Err(wrong("faults", "must be a list"));
    };
    if faults.len() > MOST {
        return Err(wrong("faults", &format!("at most {MOST} faults")));
    }
    faults.iter().enumerate().map(|(index, fault)| one(&format!("faults[{index}]"), fault)).collect()
}

fn one(place: &str, fault: &Value) -> Result<Fault, FaultError> {
    let Some(members) = fault.as_object() else { return Err(wrong(place, "must be an object")) };
    let mut read = Fault {
        method: None,
        path: String::new(),
        status: None,
        retry_after: None,
        times: None,
        body: None,
        delay: Duration::ZERO,
        close: false,
        afterwards: false,
        merge: None,
        probability: 1.0,
    };
    for (name, value) in members {
        set(&mut read, name, value).map_err(|problem| wrong(&format!("{place}.{name}"), &problem))?;
    }
    judge(&read, members).map_err(|(name, problem)| wrong(&format!("{place}.{name}"), problem))?;
    Ok(read)
}

fn set(fault: &mut Fault, name: &str, value: &Value) -> Result<(), String> {
    match name {
        "method" => fault.method = method(value)?,
        "path" => match value.as_str() {
            Some(path) if !path.is_empty() => fault.path = path.into(),
            _ => return Err("must be a glob over the path, such as /subscriptions/*".into()),
        },
        "status" => {
            let status = value.as_u64().filter(|status| (200..=599).contains(status));
            let status = status.and_then(|status| u16::try_from(status).ok());
            match status.and_then(|status| StatusCode::from_u16(status).ok()) {
                Some(status) => fault.status = Some(status),
                None => return Err("must be a status from 200 to 599".into()),
            }
        }
        "retryAfter" => {
            fault.retry_after = Some(value.as_u64().ok_or("must be whole seconds, 0 or more")?);
        }
        "times" => {
            let times = value.as_u64().filter(|times| *times > 0);
            fault.times = Some(times.ok_or("must be a whole number, 1 or more")?);
        }
        "body" => fault.body = Some(value.clone()),
        "delaySeconds" => {
            let seconds = value.as_f64().filter(|seconds| (0.0..=LONGEST_DELAY).contains(seconds));
            let delay = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
            fault.delay = delay.ok_or("must be seconds, 0 to 86400")?;
        }
        "close" => fault.close = value.as_bool().ok_or("must be true or false")?,
        "afterwards" => fault.afterwards = value.as_bool().ok_or("must be true or false")?,
        "merge" => match value.as_object() {
            Some(patch) if !patch.is_empty() => fault.merge = Some(patch.clone()),
            _ => return Err("must be an object, the members to put into the service's own answer".into()),
        },
        "probability" => {
            let probability = value.as_f64().filter(|probability| (0.0..=1.0).contains(probability));
            fault.probability = probability.ok_or("must be a number from 0 to 1")?;
        }
        _ => return Err(format!("unknown member; a fault has {MEMBERS}")),
    }
    Ok(())
}

fn method(value: &Value) -> Result<Option<String>, String> {
    let given = value.as_str().map(str::to_ascii_uppercase);
    match given.as_deref() {
        Some("*") => Ok(None),
        Some(method) if METHODS.contains(&method) => Ok(given),
        _ => Err(format!("must be * or one of {}", METHODS.join(", "))),
    }
}

/// Members that only make sense together.
fn judge(fault: &Fault, members: &Map<String, Value>) -> Result<(), (&'static str, &'static str)> {
    if fault.path.is_empty() {
        return Err(("path", "is required"));
    }
    if fault.close && fault.status.is_some() {
        return Err(("close", "a closed connection has no answer: give close or status"));
    }
    if fault.afterwards && fault.status.is_none() && !fault.close {
        return Err(("afterwards", "needs status or close, which take the place of the lost answer"));
    }
    if fault.merge.is_some() && (fault.close || fault.status.is_some()) {
        return Err(("merge", "changes the service's own answer, which status and close take the place of"));
    }
    let is_late = members.contains_key("delaySeconds");
    if fault.status.is_none() && !fault.close && !is_late && fault.merge.is_none() {
        return Err(("status", "the fault does nothing: give status, close, merge or delaySeconds"));
    }
    if fault.status.is_none() && fault.body.is_some() {
        return Err(("body", "needs status"));
    }
    if fault.status.is_none() && fault.retry_after.is_some() {
        return Err(("retryAfter", "needs status"));
    }
    Ok(())
}

fn wrong(member: &str, problem: &str) -> FaultError {
    FaultError::Member { member: member.into(), problem: problem.into() }
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
