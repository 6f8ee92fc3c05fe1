//! Events of Event Grid, as the trigger and an event hub bring them.

use functions_host::EventGridEvent;
use policysync::resource_events::{self, Wake};
use serde_json::{Value, json};

use crate::input::text;

/// An event says where to look, or nothing, for any JSON; the place stands in the event; it is the same alone, in a list and
/// in a text that holds it; and one event of a list spoils no other.
///
/// # Panics
/// When that does not hold.
pub fn run(input: &[u8]) {
    check(input, false);
}

/// Looks elsewhere.
pub fn broken(input: &[u8]) {
    check(input, true);
}

fn check(input: &[u8], is_broken: bool) {
    let Ok(message) = serde_json::from_str::<Value>(&text(input)) else { return };
    let events = EventGridEvent::read(&message);
    let written = text(input).to_ascii_lowercase();
    for event in events.iter().flatten() {
        // A text that is escaped in the message is longer there.
        if !written.contains('\\') && event.schema == functions_host::EventGridSchema::EventGrid {
            stands_in(&place(event), &written, is_broken);
        }
    }
    if let Value::Array(elements) = &message {
        let alone: Vec<_> =
            elements.iter().map(|element| EventGridEvent::read(&json!([element])).pop()).collect();
        let all: Vec<_> = events.into_iter().map(Some).collect();
        assert_eq!(alone, all, "an event is another one beside its neighbours");
    } else if message.is_object() {
        assert_eq!(events, EventGridEvent::read(&json!([message])), "an event is another one in a list");
        assert_eq!(events, EventGridEvent::read(&json!(message.to_string())), "it is another one in a text");
    }
}

fn place(event: &EventGridEvent) -> Option<String> {
    match resource_events::wake(&event.event_type, event.subject.as_deref(), &event.data) {
        Wake::Group(hint) => Some(hint.enrollment_group),
        Wake::Namespace(id) | Wake::Hub(id) => Some(id.to_string()),
        Wake::Nothing(_) => None,
    }
}

fn stands_in(place: &Option<String>, message: &str, is_broken: bool) {
    let Some(place) = place else { return };
    let place = if is_broken { format!("{place}-elsewhere") } else { place.clone() };
    assert!(message.contains(&place.to_ascii_lowercase()), "{place} does not stand in the event");
}
