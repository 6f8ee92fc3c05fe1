//! The bodies that the real host posts, in the form of its captures (`tests/fixtures/captured/sb.batch.string.json`,
//! `http.default.get.nobody.json`): every value but an object is JSON inside a JSON string.

use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use trigger_sources::LockedMessage;
use uuid::Uuid;

/// A batch of Service Bus messages: cardinality many, data type string.
pub fn batch(function: &str, binding: &str, messages: &[LockedMessage]) -> String {
    let texts: Vec<_> = messages.iter().map(|message| String::from_utf8_lossy(&message.body)).collect();
    let mut metadata = Map::new();
    for name in ["MessageReceiver", "MessageSession", "MessageActions", "SessionActions", "ReceiveActions"] {
        metadata.insert(name.to_owned(), json!({}));
    }
    let client = json!({"FullyQualifiedNamespace": "contoso.servicebus.windows.net", "IsClosed": false,
        "TransportType": 0, "Identifier": format!("contoso.servicebus.windows.net-{}", Uuid::new_v4())});
    metadata.insert("Client".to_owned(), client);
    let mut column = |name: &str, value: &dyn Fn(&LockedMessage) -> Value| {
        let values: Vec<Value> = messages.iter().map(value).collect();
        metadata.insert(format!("{name}Array"), inside_a_string(&Value::Array(values)));
    };
    let utc = |instant: OffsetDateTime| rfc3339(instant).trim_end_matches('Z').to_owned();
    column("DeliveryCount", &|message| json!(message.delivery_count));
    column("DeadLetterSource", &|_| Value::Null);
    column("LockToken", &|message| json!(message.lock_token));
    column("ExpiresAtUtc", &|message| json!(utc(message.expires_at)));
    column("ExpiresAt", &|message| json!(format!("{}+00:00", utc(message.expires_at))));
    column("EnqueuedTimeUtc", &|message| json!(utc(message.enqueued_time)));
    column("EnqueuedTime", &|message| json!(format!("{}+00:00", utc(message.enqueued_time))));
    column("MessageId", &|message| json!(message.message_id));
    column("ContentType", &|message| json!(message.content_type));
    column("ReplyTo", &|_| Value::Null);
    column("SequenceNumber", &|message| json!(message.sequence_number));
    column("To", &|_| Value::Null);
    column("Subject", &|message| json!(message.subject));
    column("Label", &|message| json!(message.subject));
    column("CorrelationId", &|message| json!(message.correlation_id));
    column("ApplicationProperties", &|message| json!(message.application_properties));
    column("UserProperties", &|message| json!(message.application_properties));
    for name in ["SessionId", "ReplyToSessionId", "PartitionKey", "TransactionPartitionKey"] {
        column(name, &|_| Value::Null);
    }
    let data = Map::from_iter([(binding.to_owned(), inside_a_string(&json!(texts)))]);
    envelope(function, data, metadata)
}

/// A GET with no body and one route parameter, `id`.
pub fn get(function: &str, binding: &str, id: &str) -> String {
    get_as(function, binding, ("id", id), "application/json")
}

/// A GET with no body and one route parameter, by name and value, for an answer of this media type.
pub fn get_as(function: &str, binding: &str, (name, value): (&str, &str), accept: &str) -> String {
    let request = json!({
        "Url": format!("http://127.0.0.1:7071/api/{function}/{value}"), "Method": "GET", "Query": {},
        "Headers": {"Accept": [accept], "Host": ["127.0.0.1:7071"]}, "Params": {name: value}, "Identities": [],
    });
    let metadata = json!({name: inside_a_string(&json!(value)), "Query": {},
        "Headers": {"Accept": accept, "Host": "127.0.0.1:7071"}});
    let Value::Object(metadata) = metadata else { return String::new() };
    envelope(function, Map::from_iter([(binding.to_owned(), request)]), metadata)
}

/// A timer that fires for the first time, in time.
pub fn timer(function: &str, binding: &str) -> String {
    let timer = json!({"Schedule": {"AdjustForDST": true}, "ScheduleStatus": null, "IsPastDue": false});
    envelope(function, Map::from_iter([(binding.to_owned(), timer)]), Map::new())
}

fn envelope(function: &str, data: Map<String, Value>, mut metadata: Map<String, Value>) -> String {
    let now = rfc3339(OffsetDateTime::now_utc());
    let sys = json!({"MethodName": function, "UtcNow": now, "RandGuid": Uuid::new_v4().to_string()});
    metadata.insert("sys".to_owned(), sys);
    json!({"Data": data, "Metadata": metadata}).to_string()
}

fn inside_a_string(value: &Value) -> Value {
    Value::String(value.to_string())
}

fn rfc3339(instant: OffsetDateTime) -> String {
    // Only years beyond 9999 cannot be written; the queue has none.
    instant.format(&Rfc3339).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn captured(text: &str) -> Value {
        serde_json::from_str::<Value>(text).unwrap()["body"].take()
    }

    fn names(value: &Value) -> Vec<&String> {
        value.as_object().unwrap().keys().collect()
    }

    #[test]
    fn a_batch_has_the_members_of_the_real_one_in_their_forms() {
        let message = |text: &str| LockedMessage {
            body: text.as_bytes().to_vec(),
            message_id: "request-1".to_owned(),
            lock_token: Uuid::new_v4().to_string(),
            delivery_count: 1,
            sequence_number: 42,
            enqueued_time: OffsetDateTime::UNIX_EPOCH,
            expires_at: OffsetDateTime::UNIX_EPOCH,
            content_type: None,
            correlation_id: None,
            subject: None,
            session_id: None,
            partition_key: None,
            application_properties: Map::new(),
        };
        let real = captured(include_str!("../../tests/fixtures/captured/sb.batch.string.json"));
        let ours = batch("sync-policies", "messages", &[message("{\"a\":1}"), message("{}")]);
        let ours: Value = serde_json::from_str(&ours).unwrap();
        assert_eq!(names(&ours["Metadata"]), names(&real["Metadata"]));
        assert_eq!(ours["Data"]["messages"], r#"["{\"a\":1}","{}"]"#);
        assert_eq!(ours["Metadata"]["SequenceNumberArray"], "[42,42]");
        assert_eq!(
            ours["Metadata"]["EnqueuedTimeArray"],
            r#"["1970-01-01T00:00:00+00:00","1970-01-01T00:00:00+00:00"]"#
        );
        for (name, value) in real["Metadata"].as_object().unwrap() {
            assert_eq!(value.is_string(), ours["Metadata"][name].is_string(), "{name}");
        }
    }

    #[test]
    fn a_get_has_the_members_of_the_real_one() {
        let real = captured(include_str!("../../tests/fixtures/captured/http.default.get.nobody.json"));
        let ours: Value = serde_json::from_str(&get("jobs", "req", "42")).unwrap();
        assert_eq!(names(&ours["Metadata"]), names(&real["Metadata"]));
        assert_eq!(names(&ours["Data"]["req"]), names(&real["Data"]["req"]));
        assert_eq!(ours["Data"]["req"]["Params"], real["Data"]["req"]["Params"]);
        assert_eq!(ours["Metadata"]["id"], real["Metadata"]["id"]);
    }
}
