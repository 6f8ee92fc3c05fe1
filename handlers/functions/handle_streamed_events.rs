//! `handle-streamed-events`: takes the events of `handle-resource-event` from an event hub, for an app that Event Grid
//! cannot reach since it has private endpoints only: Event Grid writes them to the event hub.
//!
//! Not every package has it (`cargo xtask package --streamed-events`): without the event hub its trigger is an error.

use functions_host::{DataType, Definition, EventGridEvent, Failure, Invocation, Reply, Trigger};
use serde::de::IgnoredAny;
use serde_json::Value;

use super::handle_resource_event;
use crate::application::Application;

/// What the code expects of `function.json`.
pub const DEFINITION: Definition = Definition {
    name: "handle-streamed-events",
    trigger: Trigger::EventHub { binding: "events", many: true, data_type: Some(DataType::String) },
    outputs: &[],
};

/// Handles each event of the batch. It leaves out a record that is no event, with a warning: another try would not make
/// it one.
///
/// # Errors
/// As [`handle_resource_event::run`]; a retry policy brings the batch again.
pub async fn run(application: &Application, invocation: Invocation) -> Result<Reply, Failure> {
    let mut events = Vec::new();
    // Parsed one at a time, since a tree takes many times the memory of its text.
    for record in &invocation.event_hub_batch::<IgnoredAny>("events")?.events {
        let read = serde_json::from_str::<Value>(&record.text).map_err(|error| error.to_string());
        match read.as_ref().map(EventGridEvent::read) {
            Ok(found) => {
                for event in found {
                    match event {
                        Ok(event) => events.push(event),
                        Err(error) => left_out(record.sequence_number, &error.to_string()),
                    }
                }
            }
            Err(error) => left_out(record.sequence_number, error),
        }
    }
    tracing::info!(events = events.len(), "read streamed events");
    handle_resource_event::handle(application, events, &invocation).await
}

fn left_out(sequence_number: Option<i64>, why: &str) {
    tracing::warn!(sequence_number, "a record is no event and was left out: {why}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_folder_agrees_with_the_code() {
        let text = include_str!("../../xtask/package/functions/handle-streamed-events/function.json");
        assert_eq!(DEFINITION.check(&serde_json::from_str(text).unwrap()), Vec::<String>::new());
    }
}
