//! The body of an invocation, as `functions-host` decodes it. The first line of an input names the trigger.

use functions_host::{DataType, Definition, Invocation, ServiceBusMessage, Trigger};
use http::HeaderMap;
use serde::de::IgnoredAny;
use serde_json::{Map, Value};

use crate::input::first_line;

/// Longest text of an error about a body, in bytes. A field's name may be quoted, and no value.
const LONGEST_ERROR: usize = 2_048;

/// Whatever the body is: each decoder gives a result; the texts and ids of a batch are the same, read with the properties of
/// its messages or without them; an event alone is what it is in its batch; and no error is longer than a log line.
///
/// # Panics
/// When that does not hold.
pub fn run(input: &[u8]) {
    check(input, false);
}

/// Takes a message's text for another one.
pub fn broken(input: &[u8]) {
    check(input, true);
}

fn check(input: &[u8], is_broken: bool) {
    let (line, body) = first_line(input);
    let definition = Definition { name: "f", trigger: trigger(&line), outputs: &[] };
    let deadline = tokio::time::Instant::now();
    let invocation = match Invocation::decode(&definition, &HeaderMap::new(), body, deadline) {
        Ok(invocation) => invocation,
        Err(error) => return bounded(&error.to_string()),
    };
    let timer = invocation.timer("in").map_err(|error| bounded(&error.to_string()));
    let request = invocation.http("in").map_err(|error| bounded(&error.to_string()));
    if let Ok(request) = &request {
        let _ = (request.path().len(), request.body_bytes(), request.json::<Value>().is_ok());
    }
    assert!(!format!("{invocation:?}{timer:?}{request:?}").is_empty());
    messages(&invocation, is_broken);
    events(&invocation);
}

/// The trigger that a line names. A line that names none stands for a batch of messages.
fn trigger(line: &str) -> Trigger {
    let data_type = match line.rsplit(' ').next() {
        Some("string") => Some(DataType::String),
        Some("binary") => Some(DataType::Binary),
        _ => None,
    };
    let many = line.contains("many");
    match line.split(' ').next().unwrap_or_default() {
        "timer" => Trigger::Timer { binding: "in" },
        "event-grid" => Trigger::EventGrid { binding: "in" },
        "http" => Trigger::Http { binding: "in", response: "res", methods: &[], route: None },
        "event-hub" => Trigger::EventHub { binding: "in", many, data_type },
        _ => Trigger::ServiceBus { binding: "in", many, data_type },
    }
}

fn messages(invocation: &Invocation, is_broken: bool) {
    let whole = invocation.service_bus_batch::<Map<String, Value>>("in");
    let texts = invocation.service_bus_texts("in");
    match (whole, texts) {
        (Ok(batch), Ok(texts)) => {
            let of_message = |message: &ServiceBusMessage<Map<String, Value>>| {
                let text = if is_broken { format!("{} ", message.text) } else { message.text.clone() };
                let _ = (message.bytes(), message.trace());
                (text, message.message_id.clone())
            };
            let read: Vec<_> = batch.messages.iter().map(of_message).collect();
            let alone: Vec<_> = texts.into_iter().map(|message| (message.text, message.message_id)).collect();
            assert_eq!(read, alone, "the texts of a batch depend on what is read beside them");
            batch.messages.iter().filter_map(|message| message.body.as_ref().err()).for_each(|error| {
                bounded(&error.to_string());
            });
        }
        (Err(one), Err(other)) => assert_eq!(one, other),
        (one, other) => panic!("one of two readings fails: {one:?}, {other:?}"),
    }
    if let Ok(batch) = invocation.event_hub_batch::<IgnoredAny>("in") {
        assert!(!format!("{batch:?}").is_empty());
    }
}

fn events(invocation: &Invocation) {
    let Ok(elements) = invocation.event_grid_elements("in") else {
        assert!(invocation.event_grid("in").is_err());
        return;
    };
    elements
        .iter()
        .filter_map(|element| element.as_ref().err())
        .for_each(|error| bounded(&error.to_string()));
    let all: Result<Vec<_>, _> = elements.into_iter().collect();
    assert_eq!(all.ok(), invocation.event_grid("in").ok(), "an event is another one in its batch");
}

fn bounded(text: &str) {
    assert!(text.len() <= LONGEST_ERROR, "an error of {} bytes", text.len());
}
