//! The decoder gives a result for any input, and never panics.

use functions_host::{DataType, Definition, Invocation, Trigger};
use http::{HeaderMap, HeaderValue};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::encoder::any_json;

const TRIGGERS: [Trigger; 13] = [
    Trigger::Timer { binding: "in" },
    Trigger::EventGrid { binding: "in" },
    Trigger::Http { binding: "in", response: "res", methods: &[], route: None },
    Trigger::ServiceBus { binding: "in", many: false, data_type: None },
    Trigger::ServiceBus { binding: "in", many: false, data_type: Some(DataType::String) },
    Trigger::ServiceBus { binding: "in", many: false, data_type: Some(DataType::Binary) },
    Trigger::ServiceBus { binding: "in", many: true, data_type: None },
    Trigger::ServiceBus { binding: "in", many: true, data_type: Some(DataType::String) },
    Trigger::ServiceBus { binding: "in", many: true, data_type: Some(DataType::Binary) },
    Trigger::EventHub { binding: "in", many: false, data_type: None },
    Trigger::EventHub { binding: "in", many: false, data_type: Some(DataType::Binary) },
    Trigger::EventHub { binding: "in", many: true, data_type: Some(DataType::String) },
    Trigger::EventHub { binding: "in", many: true, data_type: None },
];

const NAMES: [&str; 12] = [
    "MessageId",
    "DeliveryCount",
    "EnqueuedTimeUtc",
    "ApplicationProperties",
    "SequenceNumber",
    "PartitionContext",
    "Properties",
    "MessageIdArray",
    "EnqueuedTimeUtcArray",
    "ApplicationPropertiesArray",
    "sys",
    "RetryContext",
];

/// Calls every decoder and prints every result; counts those that decoded something.
fn decode_all(body: &[u8], headers: &HeaderMap) -> usize {
    let mut understood = 0;
    for trigger in TRIGGERS {
        let definition = Definition { name: "f", trigger, outputs: &[] };
        let deadline = tokio::time::Instant::now();
        let Ok(invocation) = Invocation::decode(&definition, headers, body, deadline) else { continue };
        let timer = invocation.timer("in");
        let events = invocation.event_grid_elements("in");
        let request = invocation.http("in");
        let messages = invocation.service_bus_batch::<Value>("in");
        let records = invocation.event_hub_batch::<Map<String, Value>>("in");
        let printed = format!("{invocation:?}{timer:?}{events:?}{request:?}{messages:?}{records:?}");
        assert!(!printed.is_empty());
        let _ = request.as_ref().map(|request| (request.path().len(), request.body_bytes()));
        let _ = messages
            .as_ref()
            .map(|batch| batch.messages.iter().map(|message| message.bytes().len()).sum::<usize>());
        let results = [
            timer.is_ok(),
            events.is_ok(),
            request.is_ok(),
            messages.is_ok(),
            records.is_ok(),
            invocation.remaining().is_zero(),
        ];
        understood += results[..5].iter().filter(|ok| **ok).count();
    }
    understood
}

/// JSON, or JSON inside a string, once or twice.
fn encoded() -> impl Strategy<Value = Value> {
    (any_json(), 0..3).prop_map(|(value, times)| (0..times).fold(value, |value, _| json!(value.to_string())))
}

proptest! {
    #[test]
    fn of_arbitrary_bytes(body: Vec<u8>) {
        decode_all(&body, &HeaderMap::new());
    }

    #[test]
    fn of_arbitrary_json(body in any_json()) {
        decode_all(body.to_string().as_bytes(), &HeaderMap::new());
    }

    #[test]
    fn of_arbitrary_data_and_metadata(
        data in encoded(),
        metadata in prop::collection::vec((prop::sample::select(&NAMES), encoded()), 0..8),
    ) {
        let metadata: Map<String, Value> =
            metadata.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        decode_all(json!({"Data": {"in": data}, "Metadata": metadata}).to_string().as_bytes(), &HeaderMap::new());
    }

    #[test]
    fn of_arbitrary_objects_with_the_right_names(
        values in prop::collection::vec(encoded(), 14),
    ) {
        let names = ["Schedule", "ScheduleStatus", "IsPastDue", "Method", "Url", "Query", "Headers", "Params", "Body",
            "specversion", "type", "eventType", "time", "data_base64"];
        let data: Map<String, Value> = names.iter().map(|name| (*name).to_owned()).zip(values).collect();
        decode_all(json!({"Data": {"in": data}}).to_string().as_bytes(), &HeaderMap::new());
    }

    #[test]
    fn of_arbitrary_headers(
        values in prop::collection::vec((0..3_usize, "[\\x20-\\x7e\u{80}-\u{ff}]{0,80}"), 0..5),
    ) {
        let mut headers = HeaderMap::new();
        for (name, value) in values {
            let name = ["traceparent", "tracestate", "x-azure-functions-invocationid"][name];
            if let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) {
                headers.append(name, value);
            }
        }
        decode_all(br#"{"Data":{"in":"[]"}}"#, &headers);
    }
}

#[test]
fn of_the_deepest_nesting() {
    let deep =
        |open: &str, close: &str, depth: usize| format!("{}{}", open.repeat(depth), close.repeat(depth));
    for depth in [100, 126, 127, 128, 10_000, 100_000] {
        for list in [deep("[", "]", depth), deep("{\"a\":", "}", depth).replace(":}", ":1}")] {
            decode_all(list.as_bytes(), &HeaderMap::new());
            decode_all(format!(r#"{{"Data":{{"in":{list}}}}}"#).as_bytes(), &HeaderMap::new());
            decode_all(json!({"Data": {"in": list}}).to_string().as_bytes(), &HeaderMap::new());
            decode_all(
                json!({"Data": {"in": json!([list]).to_string()}}).to_string().as_bytes(),
                &HeaderMap::new(),
            );
        }
    }
}

#[test]
fn and_what_is_understood_is_counted() {
    assert_eq!(
        decode_all(br#"{"Data":{"in":"[]"}}"#, &HeaderMap::new()),
        1 + 6 + 4,
        "every list and every text"
    );
}
