//! Service Bus and Event Hubs as recorded, byte for byte.

use functions_host::{DataType, EventHubBatch, ServiceBusBatch, TextEncoding, Trigger, parse_time};
use serde_json::{Value, json};

use super::fixture::deliver;

const FIRST_ID: &str = "01JD8Z0V7C5Q4K9D6M1T2R3S4A";
const SECOND_ID: &str = "01JD8Z0V9N2H8P7E5X6W4B3Y1C";
const TRACEPARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

async fn many(name: &str, data_type: Option<DataType>) -> ServiceBusBatch<Value> {
    let trigger = Trigger::ServiceBus { binding: "messages", many: true, data_type };
    deliver(name, trigger, |invocation| invocation.service_bus_batch("messages"))
        .await
        .value
        .expect("a batch")
}

async fn one(name: &str) -> ServiceBusBatch<Value> {
    let trigger = Trigger::ServiceBus { binding: "message", many: false, data_type: Some(DataType::String) };
    deliver(name, trigger, |invocation| invocation.service_bus_batch("message")).await.value.expect("a batch")
}

/// The metadata that every recorded batch of two has in common.
#[track_caller]
fn assert_metadata(batch: &ServiceBusBatch<Value>, session: Option<&str>) {
    assert_eq!(batch.rejected_metadata, [""; 0]);
    let ids: Vec<_> = batch.messages.iter().map(|message| message.message_id.as_deref()).collect();
    assert_eq!(ids, [Some(FIRST_ID), Some(SECOND_ID)]);
    let counts: Vec<_> = batch.messages.iter().map(|message| message.delivery_count).collect();
    assert_eq!(counts, [Some(1), Some(3)]);
    let numbers: Vec<_> = batch.messages.iter().map(|message| message.sequence_number).collect();
    assert_eq!(numbers, [Some(42), Some(43)]);
    for (message, time) in
        batch.messages.iter().zip(["2026-11-23T05:21:41.112Z", "2026-11-23T05:21:41.2065Z"])
    {
        assert_eq!(message.enqueued_time, parse_time(time));
        assert_eq!(message.session_id.as_deref(), session);
        assert_eq!(message.partition_key.as_deref(), session);
        assert_eq!(message.correlation_id.as_deref(), Some("eg-plant-07"));
        assert_eq!(message.subject.as_deref(), Some("sync-job"));
        assert_eq!(message.content_type.as_deref(), Some("application/json"));
        assert_eq!((&message.to, &message.reply_to, &message.dead_letter_source), (&None, &None, &None));
    }
    assert_eq!(batch.messages[0].expires_at, parse_time("2026-12-07T05:21:41.112Z"));
    let properties = &batch.messages[0].application_properties;
    assert_eq!((&properties["big"], &properties["dbl"]), (&json!(9_007_199_254_740_993_i64), &json!(1.5)));
    assert_eq!(properties["nul"], Value::Null);
    assert_eq!(batch.messages[0].trace().traceparent.as_deref(), Some(TRACEPARENT));
    assert!(batch.messages[1].application_properties.is_empty());
}

#[tokio::test]
async fn a_batch_of_texts() {
    for (name, session) in [("sb.batch.string", None), ("sb.batch.string.session", Some("eg-plant-07"))] {
        let batch = many(name, Some(DataType::String)).await;
        assert_metadata(&batch, session);
        for (message, id) in batch.messages.iter().zip([FIRST_ID, SECOND_ID]) {
            let body = message.body.as_ref().expect("JSON");
            assert_eq!((&body["schema"], &body["jobId"]), (&json!("sync-job/v1"), &json!(id)), "{name}");
            assert!(message.text.starts_with(r#"{"schema":"sync-job/v1","#), "{name}");
        }
    }
    let single = many("sb.batch.one.string", Some(DataType::String)).await;
    assert_eq!((single.messages.len(), single.messages[0].delivery_count), (1, Some(1)));
}

#[tokio::test]
async fn a_text_that_is_not_json_is_kept_for_parking() {
    let batch = many("sb.batch.string.plaintext", Some(DataType::String)).await;
    assert_metadata(&batch, None);
    assert_eq!(batch.messages[0].text, "plain text é \u{1} </x> ' \" \\ 😀");
    assert_eq!(batch.messages[1].text, "");
    assert!(batch.messages.iter().all(|message| message.body.is_err()));
}

#[tokio::test]
async fn a_batch_of_bytes() {
    let batch = many("sb.batch.binary", Some(DataType::Binary)).await;
    assert_metadata(&batch, None);
    let [text, bytes] = batch.messages.as_slice() else { panic!("two messages") };
    assert_eq!(text.body.as_ref().expect("JSON")["jobId"], FIRST_ID);
    assert_eq!((text.text_encoding, text.bytes()), (TextEncoding::Utf8, text.text.clone().into_bytes()));
    assert!(bytes.body.is_err());
    assert_eq!((bytes.text.as_str(), bytes.text_encoding), ("AP/+AQ==", TextEncoding::Base64));
    assert_eq!(bytes.bytes(), [0x00, 0xff, 0xfe, 0x01]);
}

#[tokio::test]
async fn a_batch_without_data_type_is_parsed_already() {
    let batch = many("sb.batch.no-datatype.scalars", None).await;
    assert_metadata(&batch, None);
    let bodies: Vec<_> = batch.messages.iter().map(|message| message.body.clone()).collect();
    assert_eq!(bodies, [Ok(json!(5)), Ok(json!("str"))]);
    assert_eq!((batch.messages[0].text.as_str(), batch.messages[1].text.as_str()), ("5", "\"str\""));
}

#[tokio::test]
async fn one_message_with_its_metadata() {
    let batch = one("sb.single.string").await;
    let [message] = batch.messages.as_slice() else { panic!("one message") };
    assert_eq!(message.body.as_ref().expect("JSON")["jobId"], FIRST_ID);
    assert_eq!((message.message_id.as_deref(), message.delivery_count), (Some(FIRST_ID), Some(1)));
    assert_eq!(message.sequence_number, Some(42));
    assert_eq!(message.enqueued_time, parse_time("2026-11-23T05:21:41Z"));
    assert_eq!(message.expires_at, parse_time("2026-12-07T05:21:41Z"));
    assert_eq!(message.application_properties["big"], 9_007_199_254_740_993_i64);
}

#[tokio::test]
async fn one_message_that_forges_its_metadata() {
    let batch = one("sb.single.shadow").await;
    let message = &batch.messages[0];
    assert_eq!(message.body.as_ref().expect("JSON")["MessageId"], "SHADOWED");
    assert_eq!((&message.message_id, message.delivery_count, message.sequence_number), (&None, None, None));
    assert_eq!(
        message.correlation_id.as_deref(),
        Some("eg-plant-07"),
        "what the body does not name is believed"
    );
}

#[tokio::test]
async fn one_message_under_a_retry_policy_and_in_a_trace() {
    let message = &one("sb.retry.attempt0").await.messages[0];
    assert_eq!((message.text.as_str(), message.message_id.as_deref()), ("r", Some(FIRST_ID)));

    let trigger = Trigger::ServiceBus { binding: "message", many: false, data_type: None };
    let delivered =
        deliver("trace.otel", trigger, |invocation| invocation.service_bus_batch::<Value>("message")).await;
    assert_eq!(delivered.id, "c929f83b-bb9b-43aa-9c31-a947c273d136");
    let traceparent = "00-7ee52b93da6135164b1b9aa9c2a05114-21ac1ca738a69514-01";
    assert_eq!(delivered.trace.traceparent.as_deref(), Some(traceparent));
    assert_eq!(delivered.value.expect("a batch").messages[0].text, "hello");
    assert_eq!(delivered.answer.json(), json!({"Outputs": {}, "Logs": [], "ReturnValue": null}));
}

#[tokio::test]
async fn a_batch_of_event_hub_events() {
    let trigger = Trigger::EventHub { binding: "events", many: true, data_type: Some(DataType::String) };
    let decode = |invocation: &functions_host::Invocation| invocation.event_hub_batch::<Value>("events");
    let batch: EventHubBatch<Value> =
        deliver("eh.batch.string", trigger, decode).await.value.expect("a batch");
    assert_eq!((batch.events.len(), batch.rejected_metadata.len()), (2, 0));
    let partition = batch.partition.expect("a partition");
    assert_eq!(partition.fully_qualified_namespace.as_deref(), Some("evh-rota.servicebus.windows.net"));
    assert_eq!(
        (partition.event_hub_name.as_deref(), partition.partition_id.as_deref()),
        (Some("enrollments"), Some("0"))
    );
    assert_eq!(partition.consumer_group.as_deref(), Some("$Default"));
    let [first, second] = batch.events.as_slice() else { panic!("two events") };
    assert_eq!(first.body.as_ref().expect("JSON")["data"]["enrollmentGroupId"], "eg-plant-07");
    assert_eq!((first.offset.as_deref(), first.sequence_number), (Some("4295500800"), Some(1042)));
    assert_eq!(second.enqueued_time, parse_time("2026-11-23T05:21:41.143Z"));
    assert_eq!((&first.partition_key, &first.properties["aeg-event-type"]), (&None, &json!("Notification")));
    assert_eq!(second.system_properties["Offset"], 4_295_501_312_i64);
    assert!(second.properties.is_empty());
}
