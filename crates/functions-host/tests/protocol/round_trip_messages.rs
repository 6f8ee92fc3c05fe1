//! `decode(encode(x)) == x` for Service Bus and Event Hubs, in each cardinality and data type.

use functions_host::{DataType, Definition, EventHubBatch, ServiceBusBatch, Trigger};
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use time::OffsetDateTime;

use super::encoder::{Metadata, Net, any_json, any_object, base64, envelope, instant, list_time};
use super::served::invocation;

/// A message that was put on the queue or the hub.
#[derive(Debug, Clone)]
struct Sent {
    body: String,
    id: String,
    correlation: Option<String>,
    count: u32,
    sequence: i64,
    time: OffsetDateTime,
    properties: Map<String, Value>,
}

/// Texts of all kinds; some are JSON, and some of those name metadata.
fn any_body() -> impl Strategy<Value = String> {
    let name = prop_oneof![
        Just("MessageId"),
        Just("deliverycount"),
        Just("SEQUENCENUMBER"),
        Just("Properties"),
        Just("x")
    ];
    let forging = prop::collection::vec((name, any_json()), 0..4).prop_map(|members| {
        let members = members.into_iter().map(|(name, value)| (name.to_owned(), value));
        Value::Object(members.collect()).to_string()
    });
    prop_oneof![any::<String>(), any_json().prop_map(|json| json.to_string()), forging]
}

prop_compose! {
    fn any_sent()(
        body in any_body(),
        id: String,
        correlation: Option<String>,
        count in 1_u32..,
        sequence in 0_i64..,
        time in instant(),
        properties in any_object(),
    ) -> Sent {
        Sent { body, id, correlation, count, sequence, time, properties }
    }
}

fn any_batch() -> impl Strategy<Value = Vec<Sent>> {
    prop::collection::vec(any_sent(), 0..6)
}

fn batch_metadata(batch: &[Sent]) -> Metadata {
    let list = |value: fn(&Sent) -> Value| batch.iter().map(value);
    Metadata::default()
        .with("MessageReceiver", Net::Object(json!({})))
        .with("PartitionContext", Net::Object(json!({"PartitionId": "0"})))
        .with_list("DeliveryCount", list(|sent| json!(sent.count)))
        .with_list("EnqueuedTimeUtc", list(|sent| list_time(sent.time, false)))
        .with_list("MessageId", list(|sent| json!(sent.id)))
        .with_list("CorrelationId", list(|sent| json!(sent.correlation)))
        .with_list("SequenceNumber", list(|sent| json!(sent.sequence)))
        .with_list("Offset", list(|sent| json!(sent.sequence.to_string())))
        .with_list("ApplicationProperties", list(|sent| json!(sent.properties)))
        .with_list("Properties", list(|sent| json!(sent.properties)))
        .with_sys()
}

fn single_metadata(sent: &Sent) -> Metadata {
    Metadata::default()
        .with("PartitionContext", Net::Object(json!({"PartitionId": "0"})))
        .with("DeliveryCount", Net::Other(json!(sent.count)))
        .with("EnqueuedTimeUtc", Net::DateTime(sent.time))
        .with("EnqueuedTime", Net::DateTimeOffset(sent.time))
        .with("MessageId", Net::text(&sent.id))
        .with("CorrelationId", Net::optional_text(sent.correlation.as_ref()))
        .with("SequenceNumber", Net::Other(json!(sent.sequence)))
        .with("Offset", Net::text(&sent.sequence.to_string()))
        .with("ApplicationProperties", Net::Object(json!(sent.properties)))
        .with("Properties", Net::Object(json!(sent.properties)))
        .with_sys()
}

fn service_bus(many: bool, data_type: Option<DataType>, body: &Value) -> ServiceBusBatch<Value> {
    let trigger = Trigger::ServiceBus { binding: "in", many, data_type };
    let definition = Definition { name: "f", trigger, outputs: &[] };
    let invocation = invocation(&definition, body);
    let batch: ServiceBusBatch<Value> = invocation.service_bus_batch("in").expect("a batch");
    // Who asks for the texts alone gets the same of them.
    let texts = invocation.service_bus_texts("in").expect("texts");
    assert_eq!(texts.len(), batch.messages.len());
    for (text, message) in texts.iter().zip(&batch.messages) {
        assert_eq!((&text.text, &text.message_id), (&message.text, &message.message_id));
    }
    batch
}

fn event_hub(many: bool, data_type: Option<DataType>, body: &Value) -> EventHubBatch<Value> {
    let trigger = Trigger::EventHub { binding: "in", many, data_type };
    let definition = Definition { name: "f", trigger, outputs: &[] };
    invocation(&definition, body).event_hub_batch("in").expect("a batch")
}

/// Every property of every message is the one that was sent.
fn assert_messages(batch: &ServiceBusBatch<Value>, sent: &[Sent]) -> Result<(), TestCaseError> {
    prop_assert_eq!(batch.messages.len(), sent.len());
    prop_assert!(batch.rejected_metadata.is_empty());
    for (message, sent) in batch.messages.iter().zip(sent) {
        prop_assert_eq!(&message.text, &sent.body);
        prop_assert_eq!(message.bytes(), sent.body.as_bytes());
        prop_assert_eq!(message.body.clone().ok(), serde_json::from_str(&sent.body).ok());
        prop_assert_eq!(message.message_id.as_ref(), Some(&sent.id));
        prop_assert_eq!(&message.correlation_id, &sent.correlation);
        prop_assert_eq!(
            (message.delivery_count, message.sequence_number),
            (Some(sent.count), Some(sent.sequence))
        );
        prop_assert_eq!(message.enqueued_time, Some(sent.time));
        prop_assert_eq!(&message.application_properties, &sent.properties);
    }
    Ok(())
}

proptest! {
    #[test]
    fn many_texts(sent in any_batch()) {
        let list = Net::Other(sent.iter().map(|sent| json!(sent.body)).collect());
        let body = envelope("in", &list, batch_metadata(&sent));
        assert_messages(&service_bus(true, Some(DataType::String), &body), &sent)?;

        let batch = event_hub(true, Some(DataType::String), &body);
        prop_assert_eq!(batch.partition.and_then(|partition| partition.partition_id), Some("0".to_owned()));
        for (event, sent) in batch.events.iter().zip(&sent) {
            prop_assert_eq!((&event.text, &event.properties), (&sent.body, &sent.properties));
            prop_assert_eq!(event.sequence_number, Some(sent.sequence));
            prop_assert_eq!(event.offset.clone(), Some(sent.sequence.to_string()));
            prop_assert_eq!(event.enqueued_time, Some(sent.time));
        }
        prop_assert_eq!(batch.events.len(), sent.len());
    }

    #[test]
    fn many_bytes(sent in any_batch()) {
        let list = Net::Other(sent.iter().map(|sent| json!(base64(sent.body.as_bytes()))).collect());
        let body = envelope("in", &list, batch_metadata(&sent));
        assert_messages(&service_bus(true, Some(DataType::Binary), &body), &sent)?;
    }

    #[test]
    fn many_parsed_bodies(mut sent in any_batch(), bodies in prop::collection::vec(any_json(), 6)) {
        for (sent, body) in sent.iter_mut().zip(bodies) {
            sent.body = body.to_string();
        }
        let list = sent.iter().map(|sent| serde_json::from_str::<Value>(&sent.body).expect("JSON")).collect();
        let body = envelope("in", &Net::Other(list), batch_metadata(&sent));
        assert_messages(&service_bus(true, None, &body), &sent)?;
    }

    /// With one text, the body's members overwrite metadata. Each property is then the true one or unknown, and it is
    /// unknown only if the body names it.
    #[test]
    fn one_text(sent in any_sent(), data_type in prop::option::of(Just(DataType::String))) {
        let metadata = single_metadata(&sent).shadowed_by(&sent.body);
        let body = envelope("in", &Net::text(&sent.body), metadata);
        let names: Vec<String> = match serde_json::from_str(&sent.body) {
            Ok(Value::Object(members)) => members.keys().map(|name| name.to_lowercase()).collect(),
            _ => Vec::new(),
        };
        // Our parser understands every body here that is an object; a brace in a text that is not JSON makes it wary.
        let wary = sent.body.contains('{') && serde_json::from_str::<Value>(&sent.body).is_err();
        let named = |name: &str| wary || names.contains(&name.to_lowercase());

        let batch = service_bus(false, data_type, &body);
        let message = &batch.messages[0];
        prop_assert_eq!((&message.text, batch.messages.len()), (&sent.body, 1));
        prop_assert_eq!(message.body.clone().ok(), serde_json::from_str(&sent.body).ok());
        prop_assert_eq!(message.message_id.as_ref(), (!named("MessageId")).then_some(&sent.id));
        prop_assert_eq!(message.delivery_count, (!named("DeliveryCount")).then_some(sent.count));
        prop_assert_eq!(message.sequence_number, (!named("SequenceNumber")).then_some(sent.sequence));
        if !wary {
            prop_assert_eq!(message.enqueued_time, sent.time.replace_nanosecond(0).ok());
            prop_assert_eq!(&message.correlation_id, &sent.correlation);
            prop_assert_eq!(&message.application_properties, &sent.properties);
        }

        let event = &event_hub(false, data_type, &body).events[0];
        prop_assert_eq!(&event.text, &sent.body);
        let properties = if named("Properties") { Map::new() } else { sent.properties.clone() };
        prop_assert_eq!(&event.properties, &properties);
    }

    /// The host does not read bytes, so they forge nothing.
    #[test]
    fn one_body_of_bytes(mut sent in any_sent(), bytes: Vec<u8>, is_text: bool) {
        sent.time = sent.time.replace_nanosecond(0).expect("whole seconds");
        let bytes = if is_text { sent.body.clone().into_bytes() } else { bytes };
        let body = envelope("in", &Net::Bytes(bytes.clone()), single_metadata(&sent));
        let batch = service_bus(false, Some(DataType::Binary), &body);
        prop_assert_eq!(batch.messages[0].bytes(), bytes);
        if is_text {
            assert_messages(&batch, std::slice::from_ref(&sent))?;
        }
    }
}
