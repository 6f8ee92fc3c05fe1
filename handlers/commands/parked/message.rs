//! What a parked message says, and how it is called.

use serde::{Deserialize, Serialize, Serializer};
use ulid::Ulid;

/// What `sync-policies` writes.
pub const SCHEMA: &str = "parked-message/v1";
/// How much of a body is shown, in characters.
const EXCERPT: usize = 80;
/// How much of an id is kept in front of a suffix; both have to fit into the 128 characters of a MessageId.
const KEPT_OF_ID: usize = 96;

/// A parked message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ParkedMessage {
    /// The id that the message had when it was received, where it had one that no other parked message has; else its
    /// number in the parked queue.
    pub id: String,
    /// Its number in the parked queue.
    pub sequence_number: i64,
    /// How often it was taken from the parked queue.
    pub delivery_count: u32,
    /// The id that the message had when it was received.
    pub message_id: Option<String>,
    /// The reason code.
    pub reason: Option<String>,
    /// What could not be understood.
    pub detail: Option<String>,
    /// Since when it is parked, RFC 3339.
    pub parked_at: Option<String>,
    /// What was received.
    #[serde(serialize_with = "beginning")]
    pub body: String,
    /// Where the whole body is among the records, when it was too large to be parked; then `body` is its beginning.
    pub whole_body: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    schema: String,
    #[serde(default)]
    message_id: Option<String>,
    #[serde(default)]
    reason: Option<String>,
    #[serde(default)]
    detail: Option<String>,
    #[serde(default)]
    parked_at: Option<String>,
    body: String,
    #[serde(default)]
    whole_body: Option<String>,
}

impl ParkedMessage {
    /// Reads a message of the parked queue. Whatever else somebody has put there is shown, and can be sent, as it is.
    #[must_use]
    pub fn read(text: &str, sequence_number: i64, delivery_count: u32) -> Self {
        let wire = serde_json::from_str::<Wire>(text).ok().filter(|wire| wire.schema == SCHEMA);
        let wire = wire.unwrap_or_else(|| Wire {
            schema: SCHEMA.to_owned(),
            message_id: None,
            reason: None,
            detail: Some(format!("it was not parked by Policysync: it is not of schema {SCHEMA}")),
            parked_at: None,
            body: text.to_owned(),
            whole_body: None,
        });
        Self {
            id: sequence_number.to_string(),
            sequence_number,
            delivery_count,
            message_id: wire.message_id.filter(|id| !id.is_empty()),
            reason: wire.reason,
            detail: wire.detail,
            parked_at: wire.parked_at,
            body: wire.body,
            whole_body: wire.whole_body,
        }
    }

    /// How its body begins, on one line.
    #[must_use]
    pub fn excerpt(&self) -> String {
        excerpt(&self.body)
    }
}

fn beginning<S: Serializer>(body: &str, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&excerpt(body))
}

fn excerpt(body: &str) -> String {
    body.chars().take(EXCERPT).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// Gives each message its id: the one that it was received with, unless another has the same.
pub fn name(messages: &mut [ParkedMessage]) {
    let given: Vec<Option<String>> = messages.iter().map(|message| message.message_id.clone()).collect();
    for message in messages {
        let same = given.iter().filter(|id| **id == message.message_id).count();
        if let Some(id) = message.message_id.as_ref().filter(|_| same == 1) {
            message.id.clone_from(id);
        }
    }
}

/// Which of `ids` is meant.
///
/// # Errors
/// Says what to do when it is none of them, or several.
pub fn find(ids: &[&str], wanted: &str) -> Result<usize, String> {
    if let Some(at) = ids.iter().position(|id| *id == wanted) {
        return Ok(at);
    }
    let begins: Vec<usize> = (0..ids.len()).filter(|at| ids[*at].starts_with(wanted)).collect();
    match begins[..] {
        [at] => Ok(at),
        [] => Err(format!(
            "no parked message has the id `{wanted}`; `policysync parked list` shows those that there are"
        )),
        _ => {
            let meant: Vec<&str> = begins.iter().map(|at| ids[*at]).collect();
            Err(format!(
                "several ids begin with `{wanted}`; give more of the one that is meant:\n  {}",
                meant.join("\n  ")
            ))
        }
    }
}

/// An id that no message had before, since a queue drops a message whose id it has seen. It begins like `id`, and does not
/// grow when a message is sent again and again.
#[must_use]
pub fn fresh_id(id: &str) -> String {
    let is_suffix = |suffix: &str| Ulid::from_string(suffix).is_ok();
    let plain = id.rsplit_once('~').filter(|(_, suffix)| is_suffix(suffix)).map_or(id, |(plain, _)| plain);
    format!("{}~{}", plain.chars().take(KEPT_OF_ID).collect::<String>(), Ulid::generate())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parked(id: &str, sequence_number: i64) -> ParkedMessage {
        let text =
            serde_json::json!({"schema": SCHEMA, "messageId": id, "reason": "message-not-json", "body": "{"});
        ParkedMessage::read(&text.to_string(), sequence_number, 1)
    }

    #[test]
    fn a_message_is_called_by_its_own_id_unless_another_has_the_same() {
        let mut messages = [parked("a", 1), parked("b", 2), parked("b", 3), parked("", 4)];
        name(&mut messages);
        let ids = messages.map(|message| message.id);
        assert_eq!(ids, ["a", "2", "3", "4"]);
    }

    #[test]
    fn a_foreign_message_is_shown_and_kept_as_it_is() {
        for text in [
            "not json",
            "{\"schema\":\"parked-message/v2\",\"body\":\"x\"}",
            "{\"schema\":\"parked-message/v1\"}",
        ] {
            let message = ParkedMessage::read(text, 7, 1);
            assert_eq!((message.id.as_str(), message.body.as_str(), message.reason), ("7", text, None));
        }
    }

    #[test]
    fn a_unique_beginning_is_enough_and_a_whole_id_always_wins() {
        let ids = ["r-1", "r-12", "x"];
        assert_eq!(find(&ids, "r-1"), Ok(0));
        assert_eq!(find(&ids, "r-12"), Ok(1));
        assert!(find(&ids, "r").unwrap_err().contains("r-12"));
        assert!(find(&ids, "y").unwrap_err().contains("parked list"));
    }

    proptest! {
        #[test]
        fn a_fresh_id_fits_differs_and_does_not_grow(id in "\\PC{0,200}") {
            let first = fresh_id(&id);
            let second = fresh_id(&first);
            prop_assert!(first != second && first != id);
            prop_assert!(first.chars().count() <= 128);
            prop_assert_eq!(first.chars().count(), second.chars().count());
        }

        #[test]
        fn no_text_panics(text in "\\PC*") {
            prop_assert!(ParkedMessage::read(&text, 1, 1).excerpt().chars().count() <= EXCERPT);
        }
    }
}
