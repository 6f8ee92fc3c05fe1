//! Messages as requests and answers carry them.
//!
//! A single message has its named properties in the header `BrokerProperties` and each custom one in a header of its
//! own, as JSON; a batch is one JSON array and its headers say nothing about messages (`messaging-and-state.md` §1).

use std::fmt::Write as _;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use time::format_description::well_known::{Rfc2822, Rfc3339};
use time::{Duration, OffsetDateTime};

use super::message::{BrokerProperties, NewMessage};
use super::queue::Locked;
use crate::dates::rfc_1123;

/// The content type of a batch. It takes no parameters.
pub const BATCH: &str = "application/vnd.microsoft.servicebus.json";

const BROKER_PROPERTIES: HeaderName = HeaderName::from_static("brokerproperties");
const LONGEST_ID: usize = 128;
/// Most messages in one batch, which is one transaction.
const MOST_IN_BATCH: usize = 100;
const PROPERTIES_LIMIT: usize = 64 * 1024;

/// Headers that belong to HTTP and its tools and never are custom properties.
const NOT_PROPERTIES: [&str; 24] = [
    "accept",
    "accept-charset",
    "accept-encoding",
    "accept-language",
    "authorization",
    "brokerproperties",
    "cache-control",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "cookie",
    "date",
    "expect",
    "host",
    "keep-alive",
    "origin",
    "pragma",
    "referer",
    "te",
    "transfer-encoding",
    "user-agent",
    "traceparent",
    "tracestate",
];

/// Why a message is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// 400.
    #[error("{0}")]
    Malformed(String),
    /// 403.
    #[error("the message or batch is {size} bytes with its properties; the queue takes {limit}")]
    TooLarge {
        /// Bytes.
        size: usize,
        /// Bytes.
        limit: usize,
    },
}

fn malformed(text: impl Into<String>) -> Rejection {
    Rejection::Malformed(text.into())
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Timing {
    time_to_live: Option<f64>,
    time_to_live_time_span: Option<String>,
    scheduled_enqueue_time_utc: Option<String>,
}

/// The messages of a send request.
///
/// # Errors When a property cannot be read or a limit of Service Bus is passed; then the queue takes no message of the
/// request.
pub fn messages(headers: &HeaderMap, body: Bytes, size_limit: usize) -> Result<Vec<NewMessage>, Rejection> {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = content_type.map(|value| value.split(';').next().unwrap_or_default().trim());
    let messages = if essence.is_some_and(|essence| essence.eq_ignore_ascii_case(BATCH)) {
        if content_type.is_some_and(|value| value.contains(';')) {
            return Err(malformed(format!("the content type {BATCH} takes no parameters")));
        }
        batch(&body)?
    } else {
        vec![single(headers, content_type, body)?]
    };
    for message in &messages {
        check(message)?;
    }
    let size = messages.iter().map(NewMessage::size).sum();
    if size > size_limit {
        return Err(Rejection::TooLarge { size, limit: size_limit });
    }
    Ok(messages)
}

fn single(headers: &HeaderMap, content_type: Option<&str>, body: Bytes) -> Result<NewMessage, Rejection> {
    let named = match headers.get(BROKER_PROPERTIES) {
        Some(value) => serde_json::from_slice(value.as_bytes())
            .map_err(|error| malformed(format!("BrokerProperties is not JSON: {error}")))?,
        None => json!({}),
    };
    let mut message = with_properties(named)?;
    message.properties.content_type = content_type.map(str::to_owned);
    message.body = body;
    for (name, value) in headers {
        let name = name.as_str();
        if !NOT_PROPERTIES.contains(&name) && !name.starts_with("x-ms-") {
            message.application_properties.insert(name.into(), property(value));
        }
    }
    Ok(message)
}

/// A value is JSON. The documentation shows bare text too, which is read as that text.
fn property(value: &HeaderValue) -> Value {
    let text = String::from_utf8_lossy(value.as_bytes());
    match serde_json::from_str(&text) {
        Ok(value @ (Value::String(_) | Value::Number(_) | Value::Bool(_))) => value,
        _ => Value::String(text.into_owned()),
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct BatchElement {
    body: String,
    #[serde(default)]
    broker_properties: Option<Value>,
    #[serde(default)]
    user_properties: Option<Map<String, Value>>,
}

fn batch(body: &[u8]) -> Result<Vec<NewMessage>, Rejection> {
    let elements: Vec<BatchElement> = serde_json::from_slice(body)
        .map_err(|error| malformed(format!("the batch cannot be read: {error}")))?;
    if elements.len() > MOST_IN_BATCH {
        return Err(malformed(format!("a batch holds at most {MOST_IN_BATCH} messages")));
    }
    let message = |element: BatchElement| {
        let mut message = with_properties(element.broker_properties.unwrap_or_else(|| json!({})))?;
        message.body = Bytes::from(element.body);
        message.application_properties = element.user_properties.unwrap_or_default();
        Ok(message)
    };
    elements.into_iter().map(message).collect()
}

fn with_properties(named: Value) -> Result<NewMessage, Rejection> {
    let unreadable = |error: serde_json::Error| malformed(format!("BrokerProperties: {error}"));
    let properties: BrokerProperties = serde_json::from_value(named.clone()).map_err(unreadable)?;
    let timing: Timing = serde_json::from_value(named).map_err(unreadable)?;
    let mut message = NewMessage { properties, ..NewMessage::default() };
    if let Some(seconds) = timing.time_to_live {
        // More seconds than the type holds mean the longest life that the queue allows.
        let life = (seconds > 0.0).then(|| Duration::checked_seconds_f64(seconds).unwrap_or(Duration::MAX));
        message.time_to_live = Some(life.ok_or_else(|| malformed("TimeToLive must be seconds above 0"))?);
    }
    if let Some(text) = timing.time_to_live_time_span {
        let life = time_span(&text).ok_or_else(|| malformed("TimeToLiveTimeSpan must be [days.]hh:mm:ss"))?;
        message.time_to_live = Some(life);
    }
    if let Some(text) = timing.scheduled_enqueue_time_utc {
        let due = moment(&text).ok_or_else(|| {
            malformed("ScheduledEnqueueTimeUtc must be a date such as Sun, 06 Nov 1994 08:49:37 GMT")
        })?;
        message.scheduled_for = Some(due);
    }
    Ok(message)
}

/// `GMT` as documented, `+0000` as the client crate writes it, or ISO 8601.
fn moment(text: &str) -> Option<OffsetDateTime> {
    OffsetDateTime::parse(text, &Rfc2822).or_else(|_| OffsetDateTime::parse(text, &Rfc3339)).ok()
}

/// `[days.]hh:mm:ss[.fraction]`
fn time_span(text: &str) -> Option<Duration> {
    let (hours, rest) = text.split_once(':')?;
    let (minutes, seconds) = rest.split_once(':')?;
    let (days, hours) = hours.split_once('.').unwrap_or(("0", hours));
    let (days, hours): (u32, u8) = (days.parse().ok()?, hours.parse().ok()?);
    let minutes: u8 = minutes.parse().ok()?;
    let seconds: f64 = seconds.parse().ok().filter(|seconds| (0.0..60.0).contains(seconds))?;
    let whole =
        Duration::days(days.into()) + Duration::hours(hours.into()) + Duration::minutes(minutes.into());
    (hours < 24 && minutes < 60).then(|| whole + Duration::seconds_f64(seconds))
}

fn check(message: &NewMessage) -> Result<(), Rejection> {
    let BrokerProperties { message_id, session_id, partition_key, .. } = &message.properties;
    for (name, value) in
        [("MessageId", message_id), ("SessionId", session_id), ("PartitionKey", partition_key)]
    {
        if value.as_ref().is_some_and(|value| value.chars().count() > LONGEST_ID) {
            return Err(malformed(format!("{name} is longer than {LONGEST_ID} characters")));
        }
    }
    if let (Some(session), Some(key)) = (session_id, partition_key)
        && session != key
    {
        return Err(malformed("SessionId and PartitionKey must be the same when both are set"));
    }
    let size = message.properties_size();
    if size > PROPERTIES_LIMIT {
        return Err(Rejection::TooLarge { size, limit: PROPERTIES_LIMIT });
    }
    Ok(())
}

/// The headers that describe a received message. `until` and the token are left out when it is not under a lock.
#[must_use]
pub fn describe(locked: &Locked, under_lock: bool) -> HeaderMap {
    let message = &locked.message;
    let mut properties = match serde_json::to_value(&message.content.properties) {
        Ok(Value::Object(properties)) => properties,
        _ => Map::new(),
    };
    properties.remove("ContentType");
    let life = message.expires_at - message.enqueued_time;
    for (name, value) in [
        ("DeliveryCount", json!(message.delivery_count)),
        ("EnqueuedSequenceNumber", json!(0)),
        ("EnqueuedTimeUtc", json!(rfc_1123(message.enqueued_time))),
        ("MessageId", json!(message.message_id)),
        ("SequenceNumber", json!(message.sequence_number)),
        ("State", json!("Active")),
        ("TimeToLive", json!(life.as_seconds_f64())),
    ] {
        properties.insert(name.into(), value);
    }
    if under_lock {
        properties.insert("LockToken".into(), json!(locked.token));
        properties.insert("LockedUntilUtc".into(), json!(rfc_1123(locked.until)));
    }
    properties.sort_keys();
    let mut headers = HeaderMap::new();
    let mut put = |name: HeaderName, text: &str| {
        if let Ok(value) = HeaderValue::from_str(text) {
            headers.insert(name, value);
        }
    };
    put(BROKER_PROPERTIES, &ascii(&Value::Object(properties)));
    if let Some(content_type) = &message.content.properties.content_type {
        put(header::CONTENT_TYPE, content_type);
    }
    for (name, value) in &message.content.application_properties {
        if let Ok(name) = HeaderName::from_bytes(name.as_bytes()) {
            put(name, &ascii(value));
        }
    }
    headers
}

/// JSON that a header can carry: everything outside ASCII is escaped.
fn ascii(value: &Value) -> String {
    let mut text = String::new();
    for letter in value.to_string().chars() {
        if letter.is_ascii_graphic() || letter == ' ' {
            text.push(letter);
        } else {
            for unit in letter.encode_utf16(&mut [0; 2]) {
                // Writing to a String cannot fail.
                let _ = write!(text, "\\u{unit:04x}");
            }
        }
    }
    text
}

#[cfg(test)]
mod tests;
