//! The bodies of invocations as the Functions host writes them (`functions-host-protocol.md` §1.2 to §1.6). The captured ones of
//! `tests/fixtures/captured` have more members beside these, which no function of the app reads.

use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use trigger_sources::{HubEvent, LockedMessage};

/// A batch of messages. The host writes lists as texts.
#[must_use]
pub fn messages(batch: &[LockedMessage]) -> Value {
    let texts: Vec<String> =
        batch.iter().map(|message| String::from_utf8_lossy(&message.body).into_owned()).collect();
    let ids: Vec<&str> = batch.iter().map(|message| message.message_id.as_str()).collect();
    let counts: Vec<u32> = batch.iter().map(|message| message.delivery_count).collect();
    json!({
        "Data": {"requests": json!(texts).to_string()},
        "Metadata": {"MessageIdArray": json!(ids).to_string(), "DeliveryCountArray": json!(counts).to_string()},
    })
}

/// A batch of diagnostic records.
#[must_use]
pub fn events(batch: &[HubEvent]) -> Value {
    let texts: Vec<&str> = batch.iter().map(|event| event.body.as_str()).collect();
    let numbers: Vec<i64> = batch.iter().map(|event| event.sequence_number).collect();
    json!({
        "Data": {"records": json!(texts).to_string()},
        "Metadata": {"SequenceNumberArray": json!(numbers).to_string()},
    })
}

/// An event of Event Grid.
#[must_use]
pub fn event(event: &Value) -> Value {
    json!({"Data": {"event": event}, "Metadata": {}})
}

/// A firing of a timer that fires each `period`.
#[must_use]
pub fn timer(last: OffsetDateTime, period: time::Duration) -> Value {
    let text = |time: OffsetDateTime| time.format(&Rfc3339).unwrap_or_default();
    let status = json!({"Last": text(last), "Next": text(last + period), "LastUpdated": text(last)});
    json!({
        "Data": {"timer": {"Schedule": {"AdjustForDST": true}, "ScheduleStatus": status, "IsPastDue": false}},
        "Metadata": {},
    })
}

/// A request to `POST /api/sync-requests`.
#[must_use]
pub fn submission(key: &str, body: &Value) -> Value {
    let headers =
        json!({"Host": ["localhost"], "Content-Type": ["application/json"], "Idempotency-Key": [key]});
    let request = json!({
        "Url": "http://localhost/api/sync-requests", "Method": "POST", "Query": {}, "Headers": headers,
        "Params": {}, "Identities": [], "Body": body.to_string(),
    });
    json!({"Data": {"req": request}, "Metadata": {}})
}
