//! When a message that is on its way to the queue will come: the broker properties in its headers say so.

use http::{HeaderMap, HeaderValue};
use serde_json::{Map, Value};
use time::format_description::well_known::Rfc2822;
use time::{Duration, OffsetDateTime, UtcOffset};

/// The header of the broker properties, a JSON object.
const PROPERTIES: &str = "brokerproperties";
/// The property with the time at which a message becomes available, as in `Mon, 02 Mar 2026 08:00:00 GMT`.
const DUE: &str = "ScheduledEnqueueTimeUtc";

/// When a message is due, where its sender says so.
#[must_use]
pub fn due(headers: &HeaderMap) -> Option<OffsetDateTime> {
    OffsetDateTime::parse(properties(headers).get(DUE)?.as_str()?, &Rfc2822).ok()
}

/// Lets a message come `by` earlier or later than its sender wants; one that is not scheduled is taken for due at `now`. A fraction of a
/// second is lost, as on the way to the real queue.
pub fn shift(headers: &mut HeaderMap, by: Duration, now: OffsetDateTime) {
    let mut properties = properties(headers);
    let due = due(headers).unwrap_or(now).to_offset(UtcOffset::UTC) + by;
    let Ok(text) = due.format(&Rfc2822) else { return };
    properties.insert(DUE.to_owned(), text.replace("+0000", "GMT").into());
    if let Ok(value) = HeaderValue::try_from(Value::Object(properties).to_string()) {
        headers.insert(PROPERTIES, value);
    }
}

fn properties(headers: &HeaderMap) -> Map<String, Value> {
    let text = headers.get(PROPERTIES).and_then(|value| value.to_str().ok()).unwrap_or("{}");
    serde_json::from_str(text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    const NOW: OffsetDateTime = datetime!(2026-03-02 08:00 UTC);

    #[test]
    fn a_message_is_shifted_and_keeps_its_other_properties() {
        let mut headers = HeaderMap::new();
        let given = r#"{"MessageId":"a","ScheduledEnqueueTimeUtc":"Mon, 02 Mar 2026 09:00:00 GMT"}"#;
        headers.insert("BrokerProperties", HeaderValue::from_static(given));
        shift(&mut headers, Duration::seconds(-40), NOW);
        assert_eq!(due(&headers), Some(datetime!(2026-03-02 08:59:20 UTC)));
        let shown = headers["brokerproperties"].to_str().unwrap();
        assert!(shown.contains(r#""MessageId":"a""#) && shown.contains("08:59:20 GMT"), "{shown}");
    }

    #[test]
    fn a_message_that_has_no_time_gets_one() {
        let mut headers = HeaderMap::new();
        assert_eq!(due(&headers), None);
        shift(&mut headers, Duration::minutes(5), NOW);
        assert_eq!(due(&headers), Some(NOW + Duration::minutes(5)));
    }
}
