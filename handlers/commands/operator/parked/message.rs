//! What a message says that waits for a person, and how it is called.
//!
//! Everything in it was written by others, and a person's terminal must not obey it: texts are shown without characters
//! that control one, and a message is called by its own id only where that can be typed.

use certificate_management::parked::Envelope;
use serde::Serialize;
use ulid::Ulid;

use crate::visible::is_deceptive;

/// How much of a body is shown, in characters.
const EXCERPT: usize = 80;
/// How much of an id is kept in front of a suffix; both have to fit into the 128 characters of a MessageId.
const KEPT_OF_ID: usize = 96;

/// Where a message waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Place {
    /// On the parked queue: it could not be understood.
    Parked,
    /// Among the dead letters of the queue of sync requests: it was delivered in vain too often, or nobody took it in time.
    DeadLetter,
    /// Among the dead letters of the parked queue: it was looked at too often.
    ParkedDeadLetter,
    /// In a record, since the parked queue did not take it.
    Kept,
}

/// A message that waits for a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Waiting {
    /// The id that the message had when it was received, where that can be typed and no other message here has it; else
    /// its place and its number there.
    pub id: String,
    /// Where it is.
    pub place: Place,
    /// Its number in its queue.
    pub sequence_number: Option<i64>,
    /// How often it was delivered, looks by `parked` included.
    pub delivery_count: Option<u32>,
    /// The record that it is kept in.
    pub record: Option<String>,
    /// The id that the message had when it was received.
    pub message_id: Option<String>,
    /// The reason code.
    pub reason: Option<String>,
    /// What could not be understood.
    pub detail: Option<String>,
    /// Why the queue gave up on it, in the words of Service Bus, such as `MaxDeliveryCountExceeded`.
    pub dead_letter_reason: Option<String>,
    /// The same as a sentence.
    pub dead_letter_description: Option<String>,
    /// Since when it is parked, RFC 3339.
    pub parked_at: Option<String>,
    /// When its queue got it, RFC 3339.
    pub enqueued_at: Option<String>,
    /// How what was received begins.
    pub body: String,
    /// Where the whole body is among the records, when it was too large to be parked.
    pub whole_body: Option<String>,
}

impl Waiting {
    /// A message of which nothing is known yet but where it is and what it holds.
    #[must_use]
    pub fn at(place: Place, body: &str) -> Self {
        Self {
            id: String::new(),
            place,
            sequence_number: None,
            delivery_count: None,
            record: None,
            message_id: None,
            reason: None,
            detail: None,
            dead_letter_reason: None,
            dead_letter_description: None,
            parked_at: None,
            enqueued_at: None,
            body: plain(body, EXCERPT),
            whole_body: None,
        }
    }

    /// What was parked there, and the body as it was received. Whatever else somebody has put there is shown, and can be
    /// sent, as it is.
    #[must_use]
    pub fn parked(place: Place, text: &str, envelope: Option<Envelope>) -> (Self, String) {
        let Some(envelope) = envelope else {
            let detail = "it was not parked by Policysync: it is no envelope of schema parked-message/v1";
            let own = Self { detail: Some(detail.to_owned()), ..Self::at(place, text) };
            return (own, text.to_owned());
        };
        let own = Self {
            message_id: envelope.message_id,
            reason: envelope.reason,
            detail: envelope.detail,
            parked_at: envelope.parked_at,
            whole_body: envelope.whole_body,
            ..Self::at(place, &envelope.body)
        };
        (own, envelope.body)
    }

    /// Where it is, in words for a row of a table.
    #[must_use]
    pub fn place_in_words(&self) -> String {
        let deliveries = self.delivery_count.unwrap_or_default();
        match self.place {
            Place::Parked => "parked".to_owned(),
            Place::DeadLetter => format!("dead letter, {deliveries} deliveries"),
            Place::ParkedDeadLetter => format!("dead letter of the parked queue, {deliveries} deliveries"),
            Place::Kept => "kept in the records".to_owned(),
        }
    }

    /// Its place and its number there: no two messages have the same.
    fn by_place(&self) -> String {
        let number = self.sequence_number.unwrap_or_default();
        match (self.place, &self.record) {
            (_, Some(record)) => record.clone(),
            (Place::DeadLetter, None) => format!("dead-letter/{number}"),
            (Place::ParkedDeadLetter, None) => format!("parked-dead-letter/{number}"),
            (Place::Parked | Place::Kept, None) => format!("parked/{number}"),
        }
    }
}

/// A text as a terminal can show it: on one line, without characters that control it or turn its direction, and of so many
/// characters at the most.
#[must_use]
pub fn plain(text: &str, most: usize) -> String {
    let mut shown: String = text.chars().take(most).map(|c| if is_deceptive(c) { ' ' } else { c }).collect();
    if text.chars().nth(most).is_some() {
        shown.push('…');
    }
    shown
}

/// Whether a person can type this id and a shell takes it as one word.
fn can_be_typed(id: &str) -> bool {
    !id.is_empty() && !id.starts_with('-') && id.chars().all(typed)
}

fn typed(c: char) -> bool {
    c.is_ascii_graphic() || c.is_alphanumeric()
}

/// Gives each message its id: the one that it was received with where that can be typed and names no other message too.
pub fn name(messages: &mut [Waiting]) {
    let places: Vec<String> = messages.iter().map(Waiting::by_place).collect();
    let given: Vec<Option<String>> = messages.iter().map(|message| message.message_id.clone()).collect();
    for (message, place) in messages.iter_mut().zip(&places) {
        let same = given.iter().filter(|id| **id == message.message_id).count();
        let own = message.message_id.as_ref().filter(|id| same == 1 && can_be_typed(id));
        message.id = own.filter(|id| !places.contains(id)).unwrap_or(place).clone();
    }
}

/// Which of `ids` is meant. `all_seen`: whether these are all that there are; if not, only a whole id is enough.
///
/// # Errors
/// Says what to do when it is none of them, or several.
pub fn find(ids: &[&str], wanted: &str, all_seen: bool) -> Result<usize, String> {
    if let Some(at) = ids.iter().position(|id| *id == wanted) {
        return Ok(at);
    }
    let wanted = plain(wanted, EXCERPT);
    let begins: Vec<usize> = (0..ids.len()).filter(|at| ids[*at].starts_with(&wanted)).collect();
    let unseen = if all_seen { "" } else { " Not every message could be looked at, so there may be others." };
    match begins[..] {
        _ if wanted.trim().is_empty() => Err("an empty id names no message".to_owned()),
        [at] if all_seen => Ok(at),
        [] => Err(format!(
            "no message that waits has the id `{wanted}`; `policysync parked list` shows those that there are.{unseen}"
        )),
        _ => {
            let meant: Vec<&str> = begins.iter().map(|at| ids[*at]).collect();
            Err(format!(
                "`{wanted}` is the beginning of an id; give the whole one that is meant:\n  {}{unseen}",
                meant.join("\n  ")
            ))
        }
    }
}

/// An id that no message had before, since a queue drops a message whose id it has seen. It begins like `id`, as far as that
/// can be typed, and does not grow when a message is sent again and again.
#[must_use]
pub fn fresh_id(id: &str) -> String {
    let is_suffix = |suffix: &str| Ulid::from_string(suffix).is_ok();
    let plain = id.rsplit_once('~').filter(|(_, suffix)| is_suffix(suffix)).map_or(id, |(plain, _)| plain);
    let kept: String = plain.chars().filter(|c| typed(*c)).take(KEPT_OF_ID).collect();
    let kept = kept.trim_start_matches('-');
    format!("{}~{}", if kept.is_empty() { "resubmitted" } else { kept }, Ulid::generate())
}

#[cfg(test)]
#[path = "message_tests.rs"]
mod tests;
