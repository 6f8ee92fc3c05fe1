//! The text of a message of the queue, and a body that is submitted over HTTP.

use certificate_management::parked::{Envelope, LARGEST};
use certificate_management::reason::Reason;
use certificate_management::request::{Message, Submission};
use serde_json::json;

use crate::cloud::NOW;
use crate::input::text;
use crate::targets::kept;

/// A message that is read is read as the same when it is written again, and when it is quoted once more, as an output binding
/// does; a submission that is accepted is a message that the queue accepts, as the same request; and any text can be parked:
/// its envelope fits into a message, and is read as what was parked.
///
/// # Panics
/// When that does not hold.
pub fn run(input: &[u8]) {
    check(input, false);
}

/// Adds a trace to a message before it is read again.
pub fn broken(input: &[u8]) {
    check(input, true);
}

fn check(input: &[u8], is_broken: bool) {
    let text = text(input);
    let read = Message::parse(&text);
    if let Ok(message) = &read {
        let mut written = match message {
            Message::Request(request) => json!(request),
            Message::Verification(follow_up) => json!(follow_up),
            Message::Look(look) => json!(look),
        };
        if is_broken {
            written["traceparent"] = "another".into();
        }
        let written = written.to_string();
        assert_eq!(
            Message::parse(&written).as_ref(),
            Ok(message),
            "it is another message when it is written again"
        );
        let quoted = json!(written).to_string();
        assert_eq!(
            Message::parse(&quoted).as_ref(),
            Ok(message),
            "it is another message with quotes around it"
        );
    }
    submission(&text);
    let (reason, detail) = match &read {
        Ok(_) => (Reason::MessageInvalid, String::new()),
        Err(unreadable) => (unreadable.reason, unreadable.detail.clone()),
    };
    parked(&text, reason, &detail);
}

fn submission(text: &str) {
    let Ok(Submission { request, .. }) = Submission::read(text, "r-1") else { return };
    let message = json!(request).to_string();
    assert_eq!(
        Message::parse(&message),
        Ok(Message::Request(request)),
        "the queue refuses what was accepted"
    );
}

fn parked(text: &str, reason: Reason, detail: &str) {
    let mut envelope = Envelope::new(Some(text), text, reason, detail, NOW);
    assert_eq!(kept(&envelope), envelope);
    if !envelope.fits() {
        envelope = envelope.quoting("parked/r-1");
    }
    assert!(envelope.to_json().len() <= LARGEST, "an envelope of {} bytes", envelope.to_json().len());
    assert_eq!(Envelope::read(&envelope.to_json()).as_ref(), Some(&envelope), "another envelope is read");
    let id = envelope.queue_id(text);
    assert!(!id.is_empty() && id.chars().count() <= 128, "an id that the queue refuses: {id}");
    // What others put on the parked queue is bounded when it is read.
    if let Some(strange) = Envelope::read(text) {
        assert_eq!(Envelope::read(&strange.to_json()), Some(strange));
    }
}
